"""What alerts say as plain text, in short lines."""

from collections.abc import Iterator

from models.alerts.letter import Digest, Letter, Pull


def letter_text(said: Letter) -> str:
    return "\n".join(_letter(said)) + "\n"


def digest_text(said: Digest) -> str:
    return "\n".join(_digest(said)) + "\n"


def pull_text(pull: Pull) -> str:
    """A driver on one line: what it is, its points, its value, what is typical and how it has changed."""
    aside = [pull.value]
    aside += [f"typical {pull.typical}"] if pull.typical else []
    aside += [f"{pull.change} in a week"] if pull.change else []
    return f"{pull.label}: {pull.points} points ({'; '.join(aside)})"


def _letter(said: Letter) -> Iterator[str]:
    yield said.heading
    if said.facts:
        yield ""
        yield from (f"{fact.name}: {fact.value}" for fact in said.facts)
    if said.note:
        yield from ("", said.note)
    for title, lines in sections(said):
        yield from ("", title)
        yield from (f"- {line}" for line in lines)
    if said.next_step:
        yield from ("", f"Next step: {said.next_step}")
    if said.link:
        yield from ("", f"The account's page: {said.link}")
    yield from ("", said.why, f"As of {said.at}")


def sections(said: Letter) -> Iterator[tuple[str, list[str]]]:
    """What is told in lists, where there is any of it."""
    for title, lines in (
        (DRIVERS, [pull_text(pull) for pull in said.drivers]),
        (HAPPENED, list(said.happened)),
        (SIGNS, list(said.signs)),
    ):
        if lines:
            yield title, lines


DRIVERS, HAPPENED, SIGNS = "What pulls it down", "What happened", "Signs"


def _digest(said: Digest) -> Iterator[str]:
    yield said.subject
    for letter in said.letters:
        yield from ("", letter.heading)
        yield from (f"  {line}" for line in short(letter))
        if letter.link:
            yield f"  {letter.link}"
    if said.rest:
        yield from ("", said.rest)


def short(said: Letter) -> Iterator[str]:
    """What a digest says of an alert, beside its heading: the worst driver, the signs and the next step."""
    if said.drivers:
        yield pull_text(said.drivers[0])
    if said.signs:
        yield "; ".join(said.signs)
    if said.next_step:
        yield f"Next step: {said.next_step}"

"""What alerts say as CommonMark, for chats: short, and with every character of a name as it is.

The subject stands above it as the title of the message, so it is not repeated.
"""

import re
from collections.abc import Iterator

from consumers.alerts.text import HAPPENED, SIGNS, pull_text, short
from models.alerts.letter import Digest, Fact, Letter

MARKS = re.compile(r"([\\`*~\[\]<>])|((?<![^\W_])_|_(?![^\W_]))|(&)(?=#?\w+;)")
"""What CommonMark, or a chat's own dialect of it, would take for markup: of `_` and `&` only those that mean something,
since not every chat knows that a backslash is not to be shown."""
CALLS = re.compile(r"@(?=everyone|here|channel)")
"""What some chats ring everybody for."""


def plain(text: str) -> str:
    """A text in which nothing is markup."""
    return CALLS.sub("@\u2060", MARKS.sub(r"\\\g<0>", text))


def letter_markdown(said: Letter) -> str:
    return "\n".join(_letter(said)).lstrip() + "\n"


def digest_markdown(said: Digest) -> str:
    return "\n".join(_digest(said)).lstrip() + "\n"


def _letter(said: Letter) -> Iterator[str]:
    if said.heading != said.subject:
        yield from (f"**{plain(said.heading)}**", "")
    yield from map(_fact, said.facts)
    if said.note:
        yield from ("", plain(said.note))
    if said.drivers:
        yield from ("", "**What pulls it down**")
        yield from (f"- {plain(pull_text(pull))}" for pull in said.drivers)
    lists = ((HAPPENED, ", ".join(said.happened)), (SIGNS, "; ".join(said.signs)), ("Next step", said.next_step))
    for title, text in lists:
        if text:
            yield from ("", f"**{title}:** {plain(text)}")
    if said.link:
        yield from ("", _link("Open the account", said.link))
    yield from ("", f"{plain(said.why)} As of {plain(said.at)}.")


def _fact(fact: Fact) -> str:
    return f"- {fact.name}: {plain(fact.value)}"


def _link(text: str, url: str) -> str:
    return f"[{text}](<{url}>)" if "<" not in url and ">" not in url else plain(url)


def _digest(said: Digest) -> Iterator[str]:
    for letter in said.letters:
        heading = plain(letter.heading)
        yield from ("", f"**{_link(heading, letter.link) if letter.link else heading}**")
        yield from (f"- {plain(line)}" for line in short(letter))
    if said.rest:
        yield from ("", plain(said.rest))

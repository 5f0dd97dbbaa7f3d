"""An explanation of a score on a terminal: the score, what it is made of, and what has changed it."""

from collections.abc import Iterator, Mapping

from rich.console import Group, RenderableType
from rich.text import Text

from livelift.show import heading, note, plain_table
from models.basis import HEURISTIC, Driver
from models.clock import rfc3339
from models.health.explanation import EVENTS, MODEL, TIME, Change, Explanation, date, input_named
from models.health.history import Came
from models.index import WEEK

SHOWN = 12
ENDS = {"churn": "of staying", "conversion": "of converting", "inactivity": "of staying active"}


def page(found: Explanation, label: str) -> Group:
    """The page as something rich can draw. label: the kind of label that the model has learned."""
    parts: list[RenderableType] = [headline(found, label), *closed_otherwise(found)]
    if found.basis.because is not None:
        parts.append(note(f"No probability: {found.basis.because}."))
    parts += [heading(f"What it is made of, besides {baseline(found)}"), drivers(found)]
    if found.change is not None:
        parts += [heading(f"What has changed it since {date(found.since)}"), *causes(found, found.change)]
    if found.refused:
        parts.append(note(f"Not accepted: {listed(found.refused)}; `livelift dead-letters list` tells more."))
    return Group(*parts, *(note(f"Note: {lack}.") for lack in found.lacks))


def headline(found: Explanation, label: str) -> Text:
    judged = found.judged
    chance = "" if judged.probability is None else f", probability {ENDS[label]} {judged.probability:.2%}"
    said = f"{found.name} {judged.score / 100:.2f} ({found.band}{chance}) at the end of {date(found.day)}, UTC"
    basis = "" if found.basis.kind == HEURISTIC else f"; model {found.basis.name}"
    return Text(f"{found.account_id}: {said}{basis}\n{compared(found)}", style="bold")


def baseline(found: Explanation) -> str:
    of = "half of every input" if found.basis.kind == HEURISTIC else "a typical account"
    return f"the {found.basis.baseline / 100:.2f} of {of}"


def compared(found: Explanation) -> str:
    """How the score differs from the earlier one, or why that cannot be said."""
    before = "a week before" if found.since == found.day - WEEK else f"at the end of {date(found.since)}"
    if found.change is None:
        return f"not compared with the score {before}: {found.because}"
    moved = found.change.points
    if not moved:
        return f"the same as {before}"
    return f"{abs(moved) / 100:.2f} points {'higher' if moved > 0 else 'lower'} than {before}"


def closed_otherwise(found: Explanation) -> list[RenderableType]:
    closed = found.closed
    if closed is None or not found.otherwise_closed:
        return []
    return [note(f"The day was closed with {closed.score / 100:.2f}: what came later and belongs to it is in here.")]


def drivers(found: Explanation) -> RenderableType:
    table = plain_table("input", "value", "before", "typical", "points", "meaning")
    weighty = [one for one in found.drivers if one.contribution]
    for one in weighty[:SHOWN]:
        asked = input_named(found.basis, one.feature)
        meaning = "" if asked is None else f"{asked.meaning} ({asked.unit})"
        before = found.was.get(one.feature)
        table.add_row(one.feature, number(one.value), number(before), typical(one), points(one.contribution), meaning)
    table.columns[-1].justify = "left"
    return with_rest(table, len(weighty) - SHOWN, sum(one.contribution for one in weighty[SHOWN:]))


def causes(found: Explanation, change: Change) -> Iterator[Text]:
    """A line for each cause, each followed by its inputs, and those by the events that tell of them."""
    if change.basis != found.basis.name:
        yield cause(MODEL, change.model, f"from {change.basis} to {found.basis.name}")
    for name, moved in ((TIME, change.time), (EVENTS, change.events)):
        yield cause(name, sum(one.points for one in moved))
        for one in moved[:SHOWN]:
            yield cause(f"  {one.feature}", one.points, f"{number(one.before)} -> {number(one.after)}")
            yield from (Text(f"    {behind(kind, came)}") for kind, came in one.events.items())
        if len(moved) > SHOWN:
            yield cause(f"  {len(moved) - SHOWN} more", sum(one.points for one in moved[SHOWN:]), "(--json lists all)")


def cause(name: str, part: int, how: str = "") -> Text:
    return Text(f"{name:<28} {points(part):>7}   {how}".rstrip())


def behind(kind: str, came: Came) -> str:
    """How many events of a type there were, and which was the latest."""
    last = came.latest[0]
    return f"{came.count:,} {kind}, the latest {last.id} at {rfc3339(last.at)}"


def with_rest(table: RenderableType, more: int, rest: int) -> RenderableType:
    if more <= 0:
        return table
    return Group(table, note(f"and {more} more inputs with {points(rest)} points together (--json lists all)"))


def typical(driver: Driver) -> str:
    return "" if driver.typical is None else f"{number(driver.typical[0])} to {number(driver.typical[1])}"


def number(value: float | None) -> str:
    """A value with at most two decimals."""
    if value is None:
        return "-"
    return f"{value:,.2f}".rstrip("0").rstrip(".") if value % 1 else f"{value:,.0f}"


def points(hundredths: int) -> str:
    return f"{hundredths / 100:+.2f}"


def listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in sorted(counts.items()))

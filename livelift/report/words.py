"""Numbers and tables in the words of the report. Each takes values of the JSON and rounds them, nothing else."""

from collections.abc import Iterable, Mapping
from typing import Any

Json = Mapping[str, Any]
SIDES = {"above": "yes, upwards", "below": "yes, downwards", "not told": "no", None: "not known"}
"""Whether something can be told from no difference."""


def count(value: int) -> str:
    return f"{value:,}"


def percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.3g} %"


def points(value: float | None) -> str:
    """A difference of shares."""
    return "-" if value is None else f"{100 * value:+.3g} points"


def amount(value: float | None) -> str:
    """A difference of amounts."""
    return "-" if value is None else f"{value:+.3g}"


def plain(value: float | None) -> str:
    return "-" if value is None else f"{value:.3g}"


def p_value(value: float | None) -> str:
    return "-" if value is None else f"{value:.2g}"


def written(value: float | None, is_share: bool) -> str:
    return points(value) if is_share else amount(value)


def interval(found: list[float | None] | None, is_share: bool = True) -> str:
    """An interval of differences; an open end is said as such."""
    if found is None:
        return "-"
    low, high = found
    if low is None and high is None:
        return "anything"
    if low is None or high is None:
        end = high if low is None else low
        return f"{'at most' if low is None else 'at least'} {written(end, is_share)}"
    return f"{written(low, is_share).removesuffix(' points')} to {written(high, is_share)}"


def parts(found: Json | None, is_share: bool) -> str:
    """A set of effects: an interval, two rays or the whole line."""
    if found is None:
        return "-"
    return " or ".join(interval(one, is_share) for one in found["intervals"]) or "no effect at all"


def range_of(found: list[float | None] | None) -> str:
    """An interval of a share."""
    return "-" if found is None else f"{100 * (found[0] or 0):.3g} to {percent(found[1])}"


def rate(found: Json) -> str:
    """A share with its interval and what it is a share of."""
    return f"{percent(found['rate'])} ({range_of(found['ci'])}; {count(found['successes'])} of {count(found['units'])})"


def told(found: Json, level: str = "at_level") -> str:
    return SIDES[found.get(level)]


def because(found: Json) -> str:
    """Why something is not known, as a sentence; empty where it is."""
    return f"Not known, because {found['because']}." if found.get("because") else ""


def cell(text: str) -> str:
    """Anything as one cell of a table."""
    return text.replace("\n", " ").replace("|", "\\|")


def table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    heads = list(heads)
    lines = [heads, ["---"] * len(heads), *(list(row) for row in rows)]
    return "\n".join(f"| {' | '.join(map(cell, line))} |" for line in lines)

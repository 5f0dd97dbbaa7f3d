"""Rows that are there twice: copied blocks, or a sender that sends again under a new id."""

from models.authenticity.chances import repeated_above
from models.authenticity.counters import Counters
from models.authenticity.finding import Finding, drawn, found, too_few, unexamined
from models.authenticity.thresholds import THRESHOLDS
from models.clock import SECOND


def duplicates(counters: Counters, resolution: int, what: str = "events") -> Finding:
    """The share of events that equal an earlier one in person, instant, kind and value."""
    check = "duplicates"
    if resolution > SECOND:
        return unexamined(check, "at coarser times than seconds, equal rows may be two events")
    few = too_few(check, counters.events)
    if few:
        return few
    again, rows = counters.repeated.r, counters.repeated.n
    says = f"{again:,} of {rows:,} {what} ({again / rows:.2%}) repeat another in person, instant, kind and value"
    figure = drawn("bar", "rows", what, ("once", "again"), (rows - again, again))
    p = repeated_above(counters.repeated, THRESHOLDS[check].edge)
    return found(check, rows, again / rows, p, says, figure)

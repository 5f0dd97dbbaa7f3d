"""Do clocks tick evenly? People fall on every second and every tenth of a second alike; rounding and scripts do not."""

from math import sqrt

import numpy as np

from models.authenticity.chances import uneven_above, unevenness
from models.authenticity.counters import Cells, Counters
from models.authenticity.finding import Finding, drawn, found, too_few, unexamined
from models.authenticity.thresholds import THRESHOLDS
from models.clock import SECOND


def second_of_minute(counters: Counters, resolution: int, what: str = "events") -> Finding:
    """Whether events fall evenly on the 60 seconds. A time that was rounded to minutes all falls on second 0."""
    check = "second_of_minute"
    if resolution > SECOND:
        return unexamined(check, "the times are not written to the second")
    return _even(check, counters.seconds, "second of the minute", "second {}", what)


def sub_second(counters: Counters, resolution: int, what: str = "events") -> Finding:
    """Whether events fall evenly within the second. Simulations often advance by whole seconds."""
    check = "sub_second"
    if resolution >= SECOND:
        return unexamined(check, "the times are not written to parts of a second")
    return _even(check, counters.tenths, "tenth of the second", "tenth {}", what)


def _even(check: str, cells: Cells, title: str, place: str, what: str) -> Finding:
    counts = np.array(cells.counts)
    total, usual = int(counts.sum()), float(counts.mean())
    few = too_few(check, total)
    if few:
        return few
    most = int(counts.argmax())
    says = (
        f"of {total:,} {what} {counts[most]:,} fall on {place.format(most)}, where an even clock makes {usual:,.1f}; "
        f"least are {counts.min():,}"
    )
    effect = sqrt(unevenness(cells))
    p = uneven_above(cells, THRESHOLDS[check].edge ** 2)
    figure = drawn("bar", title, what, range(len(counts)), counts, [usual] * len(counts))
    return found(check, total, effect, p, says, figure)

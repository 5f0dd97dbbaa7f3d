"""Do clocks tick evenly? People fall on every second and every tenth of a second alike; rounding and scripts do not."""

from math import sqrt

import numpy as np

from models.authenticity.chances import uneven_above, unevenness
from models.authenticity.counters import Cells, Counters
from models.authenticity.finding import Finding, drawn, found, too_few, unexamined
from models.authenticity.thresholds import THRESHOLDS
from models.clock import SECOND


def second_of_minute(counters: Counters, resolution: int) -> Finding:
    """Whether events fall evenly on the 60 seconds. A time that was rounded to minutes all falls on second 0."""
    check = "second_of_minute"
    if resolution > SECOND:
        return unexamined(check, "the times are not written to the second")
    return too_few(check, counters.events) or _even(check, counters.seconds, "second of the minute", "second {}")


def sub_second(counters: Counters, resolution: int) -> Finding:
    """Whether events fall evenly within the second. Simulations often advance by whole seconds."""
    check = "sub_second"
    if resolution >= SECOND:
        return unexamined(check, "the times are not written to parts of a second")
    return too_few(check, counters.events) or _even(check, counters.tenths, "tenth of the second", "tenth {}")


def _even(check: str, cells: Cells, title: str, place: str) -> Finding:
    counts = np.array(cells.counts)
    total, usual = int(counts.sum()), float(counts.mean())
    most = int(counts.argmax())
    says = (
        f"of {total:,} events {counts[most]:,} fall on {place.format(most)}, where an even clock makes {usual:,.1f}; "
        f"least are {counts.min():,}"
    )
    effect = sqrt(unevenness(cells))
    p = uneven_above(cells, THRESHOLDS[check].edge ** 2)
    figure = drawn("bar", title, "events", range(len(counts)), counts, [usual] * len(counts))
    return found(check, total, effect, p, says, figure)

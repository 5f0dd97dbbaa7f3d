"""Do people sleep and rest? Instants drawn evenly over the day or the week are not theirs."""

import numpy as np

from models.authenticity.chances import uneven_below, unevenness
from models.authenticity.counters import Cells, Counters
from models.authenticity.finding import Finding, drawn, found, too_few, unexamined
from models.authenticity.thresholds import THRESHOLDS
from models.clock import DAY, HOUR

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
LEAST_DAYS = 28
"""Days that events have to span before weekdays are compared."""


def hours(counters: Counters, resolution: int) -> Finding:
    """Whether some hours of the day are busier than others."""
    if resolution > HOUR:
        return unexamined("hours", "the times have no hours")
    return too_few("hours", counters.events) or _rhythm("hours", counters.hours, "hour of the day (UTC)", range(24))


def weekdays(counters: Counters, resolution: int) -> Finding:
    """Whether some weekdays are busier than others."""
    span = max(counters.days) - min(counters.days) + 1 if counters.days else 0
    if resolution > DAY or span < LEAST_DAYS:
        return unexamined("weekdays", f"{LEAST_DAYS} days of dated events are needed; they span {span}")
    return too_few("weekdays", counters.events) or _rhythm("weekdays", counters.weekdays, "weekday", WEEKDAYS)


def _rhythm(check: str, cells: Cells, title: str, names: range | tuple[str, ...]) -> Finding:
    counts = np.array(cells.counts)
    total = int(counts.sum())
    most, least = int(counts.argmax()), int(counts.argmin())
    says = (
        f"of {total:,} events {counts[most] / total:.1%} fall on the busiest {title} ({names[most]}) and "
        f"{counts[least] / total:.1%} on the quietest ({names[least]}); evenly it would be {1 / len(counts):.1%}"
    )
    figure = drawn("bar", title, "events", names, counts, [total / len(counts)] * len(counts))
    return found(check, total, unevenness(cells), uneven_below(cells, THRESHOLDS[check].edge), says, figure)

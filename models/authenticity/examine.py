"""All checks of a data set."""

from models.authenticity.clock import second_of_minute, sub_second
from models.authenticity.counters import Counters, counters_of
from models.authenticity.dependence import dispersion, own_pace
from models.authenticity.duplicates import duplicates
from models.authenticity.examined import ALPHA, Examined, together
from models.authenticity.finding import Finding, unexamined
from models.authenticity.gaps import equal_gaps, gap_grid, gap_spread, gaps_of
from models.authenticity.habits import copied_people, same_time_of_day
from models.authenticity.observed import Events, Observed
from models.authenticity.orders import before_joining, impossible_orders
from models.authenticity.rhythm import hours, weekdays
from models.authenticity.splits import exact_split, quota
from models.authenticity.tables import contradictions
from models.authenticity.tails import tails
from models.authenticity.values import off_scale, terminal_digits
from models.authenticity.volume import even_volume, volume_break

OF_COUNTERS = (second_of_minute, sub_second, duplicates, volume_break, even_volume, hours, weekdays)
OF_EVENTS = ("gap_spread", "gap_grid", "equal_gaps", "same_time_of_day", "copied_people")


def examine(observed: Observed, alpha: float = ALPHA) -> Examined:
    """Everything that can be examined of a data set."""
    events = observed.events
    counters = Counters() if events is None else counters_of(events)
    findings = [check(counters, observed.resolution) for check in OF_COUNTERS]
    findings += _of_events(events, observed.resolution)
    findings += [exact_split(observed.assigned), quota(observed.assigned), own_pace(observed.tasks)]
    findings += [dispersion(observed, counters)]
    findings += [
        check(observed)
        for check in (impossible_orders, before_joining, tails, terminal_digits, off_scale, contradictions)
    ]
    return together(findings, alpha)


def _of_events(events: Events | None, resolution: int) -> list[Finding]:
    if events is None:
        return [unexamined(check, "there are no events") for check in OF_EVENTS]
    gaps = gaps_of(events)
    found = [check(gaps, resolution) for check in (gap_spread, gap_grid, equal_gaps)]
    return [*found, *(check(events, resolution) for check in (same_time_of_day, copied_people))]

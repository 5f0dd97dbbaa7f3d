"""Whether recording is broken: checks that need sums over events only, and are made while events come in."""

from models.authenticity.clock import second_of_minute, sub_second
from models.authenticity.counters import Counters
from models.authenticity.duplicates import duplicates
from models.authenticity.examined import ALPHA, Examined, together
from models.authenticity.volume import volume_break


def examine_instrumentation(
    counters: Counters,
    resolution: int,
    until: int | None = None,
    alpha: float = ALPHA,
    events_of: str = "events",
    days_of: str = "events",
) -> Examined:
    """What can be told of sums alone and means that recording is broken: for use while events come in.

    until: the last whole day that was recorded, so that silence since then counts. events_of, days_of: what the sums
    count, in words. Each look is one: whoever looks every day has a false alarm on at most alpha of the days.
    """
    of_events = [check(counters, resolution, events_of) for check in (second_of_minute, sub_second, duplicates)]
    return together([*of_events, volume_break(counters, resolution, until, days_of)], alpha)

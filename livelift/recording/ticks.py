"""Event time for recordings that do not tell it themselves: one tick a day, and a last one when all is known."""

from collections.abc import Iterable, Mapping

import numpy as np
import numpy.typing as npt

from models.clock import DAY, YEAR_2000, day_of, rfc3339, start_of
from models.plan import Plan

Instants = npt.NDArray[np.int64]
LONGEST_SILENCE = 5 * 365 * DAY
"""A recording does not pause for longer: what comes after is somebody's wrong clock, not a reason for more days."""


def plausible(at: Instants) -> tuple[int, int] | None:
    """First and last event time that could be true; None without any such event."""
    times = np.sort(at[at >= YEAR_2000])
    if not len(times):
        return None
    silences = np.flatnonzero(np.diff(times) > LONGEST_SILENCE)
    return int(times[0]), int(times[silences[0]] if len(silences) else times[-1])


def last_tick(last: int, assigned: Mapping[str, int], plans: Iterable[Plan], lateness: int) -> int:
    """When everything is known: the last event or the end of the last assignment's window, plus the lateness."""
    ends = [assigned[plan.id] + max(metric.window for metric in plan.metric) for plan in plans if plan.id in assigned]
    return max([last, *ends]) + lateness


def daily(first: int, last: int) -> list[int]:
    """Every midnight after the first event and before the last tick, then the last tick."""
    midnights = [start_of(day) for day in range(day_of(first) + 1, day_of(last) + 1)]
    return [at for at in midnights if at < last] + [last]


def tick_message(at: int) -> bytes:
    return b'{"type":"tick","at":"%s"}' % rfc3339(at).encode()


def in_time_order(at: Instants, is_tick: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """Send order: by time, a tick after the events of its instant, else as written."""
    return np.lexsort((is_tick, at))


def in_written_order(at: Instants, ticks: Instants) -> npt.NDArray[np.int64]:
    """Send order that keeps the files' order of events, with each supplied tick (they stand behind the events) as
    early as it is true: after the last event written that is not later than it."""
    order = np.argsort(at, kind="stable")
    reached = np.maximum.accumulate(order) if len(order) else order
    behind = np.searchsorted(at[order], ticks, side="right") - 1
    places = np.where(behind >= 0, reached[np.maximum(behind, 0)] if len(order) else -1, -1)
    return np.argsort(np.concatenate([2 * np.arange(len(at)), 2 * places + 1]), kind="stable")

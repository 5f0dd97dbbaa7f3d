"""All checks of a data set, corrected for their number, and the verdict in words."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from models.authenticity.clock import second_of_minute, sub_second
from models.authenticity.counters import Counters, counters_of
from models.authenticity.dependence import dispersion, own_pace
from models.authenticity.duplicates import duplicates
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
from models.readout.holm import adjusted_p
from models.readout.written import Number, chance, number

ALPHA = 0.05
"""Chance of any false alarm in a data set, at most."""
OF_COUNTERS = (second_of_minute, sub_second, duplicates, volume_break, even_volume, hours, weekdays)
OF_EVENTS = ("gap_spread", "gap_grid", "equal_gaps", "same_time_of_day", "copied_people")
NOTHING_FOUND = "nothing found"
LIMIT = "A careful forgery leaves no trace that these checks look for."


@dataclass(frozen=True, slots=True)
class Examined:
    """The findings, and for each the p value that counts among all that were examined (Holm 1979: whatever their
    dependence, the chance of any false alarm is at most alpha)."""

    findings: tuple[Finding, ...]
    adjusted: tuple[Number, ...]
    alpha: float

    @property
    def alarms(self) -> tuple[Finding, ...]:
        """Effects beyond their edges by more than chance explains."""
        both = zip(self.findings, self.adjusted, strict=True)
        return tuple(one for one, p in both if p is not None and p <= self.alpha and one.beyond)

    @property
    def verdict(self) -> str:
        """In words; where there is no alarm: "nothing found"."""
        ran = sum(one.examined for one in self.findings)
        rest = f"{len(self.findings) - ran} not examined"
        if not ran:
            return f"{NOTHING_FOUND}, because nothing could be examined"
        if not self.alarms:
            return f"{NOTHING_FOUND} by {ran} checks; {rest}. {LIMIT}"
        seen = "; ".join(f"{one.check}: {one.says}" for one in self.alarms)
        return f"{len(self.alarms)} of {ran} checks raise an alarm ({rest}). {seen}"

    def report(self) -> dict[str, Any]:
        """JSON-able, check by check."""
        rows = [_written(one, p, self.alpha) for one, p in zip(self.findings, self.adjusted, strict=True)]
        return {
            "verdict": self.verdict,
            "alarms": [one.check for one in self.alarms],
            "alpha": self.alpha,
            "correction": "Holm",
            "checks": rows,
        }


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


def together(findings: Sequence[Finding], alpha: float) -> Examined:
    """Findings with their corrected p values."""
    p_values = [one.p for one in findings if one.p is not None]
    adjusted = iter(adjusted_p(p_values, len(p_values)))
    return Examined(tuple(findings), tuple(None if one.p is None else next(adjusted) for one in findings), alpha)


def _of_events(events: Events | None, resolution: int) -> list[Finding]:
    if events is None:
        return [unexamined(check, "there are no events") for check in OF_EVENTS]
    gaps = gaps_of(events)
    found = [check(gaps, resolution) for check in (gap_spread, gap_grid, equal_gaps)]
    return [*found, *(check(events, resolution) for check in (same_time_of_day, copied_people))]


def _written(one: Finding, adjusted: Number, alpha: float) -> dict[str, Any]:
    threshold = one.threshold
    row: dict[str, Any] = {
        "check": one.check,
        "instrumentation": threshold.instrumentation,
        "state": _state(one, adjusted, alpha),
        "units": one.units,
        "unit": threshold.unit,
    }
    if not one.examined:
        return {**row, "because": one.because}
    return {
        **row,
        "says": one.says,
        "effect": {
            "name": threshold.effect,
            "value": number(one.effect if one.effect is not None else float("nan")),
            "alarm_if": threshold.side,
            "edge": threshold.edge,
            "reason": threshold.reason,
        },
        "p": chance(one.p if one.p is not None else float("nan")),
        "p_adjusted": adjusted,
        "figure": dict(one.figure),
    }  # fmt: skip


def _state(one: Finding, adjusted: Number, alpha: float) -> str:
    if adjusted is None:
        return "not examined"
    return "alarm" if adjusted <= alpha and one.beyond else NOTHING_FOUND

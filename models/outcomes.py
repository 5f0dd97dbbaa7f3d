"""What each kind of metric reads of a unit: its outcome in the window after assignment (EVENTS.md, `[[metric]]`).

A window is assignment <= at < assignment + window, to the instant. What happened before assignment is no outcome of it:
somebody who had converted, used the feature or done the task before cannot do so for the first time again.

Most kinds are sums of dated *increments*: an event that comes once, or amounts. Their week is known, and of events also
the first instant. The others are a *state* in which the window ends.
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from models.clock import HOUR, day_of
from models.keeping import FIXED_POINT
from models.membership import here_on
from models.plan import Metric
from models.subject import Subject

WEEK_DAYS = 7


class Window(NamedTuple):
    """The time in which an outcome counts, in microseconds: from assignment on, before `end`."""

    start: int
    end: int

    def holds(self, at: int | None) -> bool:
        return at is not None and self.start <= at < self.end

    def among(self, instants: Iterable[int]) -> list[int]:
        return [at for at in instants if self.start <= at < self.end]


class Outcome(NamedTuple):
    """amount: in millionths, None when it is missing. event_at: when the metric's event came, if it is an event.

    increments: (instant, amount) adding up to the amount; none for a state.
    """

    amount: int | None
    event_at: int | None = None
    increments: tuple[tuple[int, int], ...] = ()


Read = Callable[[Subject, str, Window, float], Outcome]
"""Reads a unit's outcome: facts, what the metric's name says after its colon, window, days a week that are regular."""


def event(at: int | None, window: Window) -> Outcome:
    """1 if the event's first time falls in the window, else 0."""
    if at is None or not window.holds(at):
        return Outcome(0)
    return Outcome(FIXED_POINT, at, ((at, FIXED_POINT),))


def summed(increments: Iterable[tuple[int, int]]) -> Outcome:
    found = tuple(sorted(increments))
    return Outcome(sum(amount for _, amount in found), None, found)


def converted(subject: Subject, _: str, window: Window, __: float) -> Outcome:
    return event(subject.converted_at, window)


def task_completed(subject: Subject, task: str, window: Window, _: float) -> Outcome:
    facts = subject.tasks.get(task)
    return event(None if facts is None else facts.completed, window)


def tasks_completed(subject: Subject, _: str, window: Window, __: float) -> Outcome:
    done = window.among(facts.completed for facts in subject.tasks.values() if facts.completed is not None)
    return summed((at, FIXED_POINT) for at in done)


def time_to(subject: Subject, task: str, window: Window, _: float) -> Outcome:
    """Hours from assignment to completion, at most the window: who never completes it needs all of that."""
    completed = task_completed(subject, task, window, 0).event_at
    took = (window.end if completed is None else completed) - window.start
    return Outcome(round(took * FIXED_POINT / HOUR), completed)


def helped(subject: Subject, source: str, window: Window, _: float) -> Outcome:
    """Whether there was any help from the source (CS, OTHER) in the window."""
    return event(min(window.among(one.at for one in subject.helps if one.source == source), default=None), window)


def adopted(subject: Subject, feature: str, window: Window, _: float) -> Outcome:
    """Whether a feature's first use falls in the window."""
    return event(subject.first_uses.get(f"core_action:{feature}"), window)


def concept_correct(subject: Subject, concept: str, window: Window, _: float) -> Outcome:
    """Whether a concept was answered correctly in the window; who was not checked has not shown it."""
    return event(min(window.among(subject.dated.get(f"concept:correct:{concept}", ())), default=None), window)


def tickets(subject: Subject, _: str, window: Window, __: float) -> Outcome:
    return summed(_dated(subject, "tickets", window))


def observed(subject: Subject, name: str, window: Window, _: float) -> Outcome:
    """The sum of the outcome's values in the window; none is missing, not 0."""
    found = summed(_dated(subject, f"outcome:{name}", window))
    return found if found.increments else Outcome(None)


def _dated(subject: Subject, name: str, window: Window) -> Iterable[tuple[int, int]]:
    sums = subject.dated.get(name, {})
    return ((at, sums[at]) for at in window.among(sums))


def retained(subject: Subject, _: str, window: Window, __: float) -> Outcome:
    """1 unless the unit churned in the window."""
    return Outcome(0 if window.among(subject.churns) else FIXED_POINT)


def mrr(subject: Subject, _: str, window: Window, __: float) -> Outcome:
    """Monthly revenue as the window ends: the last word on it; 0 before any word and after a later churn."""
    said = max((at for at in subject.mrrs if at < window.end), default=None)
    if said is None or any(said < at < window.end for at in subject.churns):
        return Outcome(0)
    return Outcome(subject.mrrs[said])


def utilisation(subject: Subject, _: str, window: Window, regular_days: float) -> Outcome:
    """Share of the account's users who were active on the regular number of days in the window's last week.

    The week is the seven whole UTC days before the window's end. Missing where the account has no users then.
    """
    day = day_of(window.end) - 1
    users = [(top, mask) for top, mask, began, words in subject.people if here_on(day, began, words)]
    regular = sum(_days_of_week(top, mask, day) >= regular_days for top, mask in users)
    return Outcome(round(regular * FIXED_POINT / len(users)) if users else None)


def _days_of_week(top: int, mask: int, day: int) -> int:
    """Active days among the seven up to `day`, of a mask that counts back from the top day."""
    ahead = top - day
    week = mask >> ahead if ahead >= 0 else mask << -ahead
    return (week & ((1 << WEEK_DAYS) - 1)).bit_count()


KINDS: dict[str, Read] = {
    "converted": converted,
    "tasks_completed": tasks_completed,
    "task_completed": task_completed,
    "time_to": time_to,
    "helped": helped,
    "retained": retained,
    "mrr": mrr,
    "utilisation": utilisation,
    "adopted": adopted,
    "tickets": tickets,
    "concept_correct": concept_correct,
    "outcome": observed,
}
EVENTS = frozenset({"converted", "task_completed", "helped", "adopted", "concept_correct"})
"""Kinds whose outcome is an event that came or did not."""
BINARY = EVENTS | {"retained"}
STATES = frozenset({"time_to", "retained", "mrr", "utilisation"})
"""Kinds that are one state at the window's end, so that weeks within the window say nothing."""
FROM_USAGE = frozenset({"utilisation", "adopted", "tickets", "concept_correct", "outcome"})
"""Kinds that read what events in `facts.USAGE` change."""


def kind_of(metric: Metric) -> str:
    return metric.name.partition(":")[0]


def outcome_of(subject: Subject, metric: Metric, window: Window, regular_days: float) -> Outcome:
    """A unit's outcome for a metric; `regular_days` a week is what the product calls regular use."""
    kind, _, about = metric.name.partition(":")
    return KINDS[kind](subject, about, window, regular_days)

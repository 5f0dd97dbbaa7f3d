"""What a row says day by day, as sums that an account can add up: usage, help, lessons, tickets, answers, payments.

Nothing of it is kept by row. When a row changes, its former state is read again and taken out: rows with such facts are
few in a batch, and a second copy of four hundred days of each would be most of a worker's memory.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache

from models import events as e
from models.adding import add
from models.clock import day_of
from models.keeping import FIXED_POINT
from models.rows import Row, TaskFacts

Days = Mapping[int, int]
"""day -> amount in millionths."""
Sums = dict[str, dict[int, int]]
"""name -> day -> amount in millionths."""

CHURNED, CONVERTED, PAYING, TRIAL = "churned", "converted", "paying", "trial"
STARTED, COMPLETED, ENDED = "tasks_started", "tasks_completed", "tasks_ended"
"""A task has ended when it has been begun and completed, in whatever order: some are completed that nobody began."""
TASKS = STARTED, COMPLETED, ENDED
LESSONS = "lessons_completed"
LENGTHS = frozenset({"sessions", "session_seconds"})
"""What sessions tell of their lengths: models read it, and nothing that is shown of an account in words does."""
ROLES = "roles"
"""Users of whom a role has been told, by the day on which the first was."""
NOTHING, NO_DAYS = Row([]), dict[int, int]()
UNDATED = frozenset({e.SessionStarted, e.CoreAction, e.FeatureConfigured})
"""Events that change days and features only, which most events do: the sums here read the same after them. Only
sessions of which the length is told are others."""


def is_dated(event: e.Event) -> bool:
    """Whether an event may change the sums here."""
    if event.__class__ is e.SessionStarted:
        return event.properties.duration_s is not None
    return event.__class__ not in UNDATED


def shift(sums: Sums, old: Row | None, new: Row | None) -> None:
    """Take out of an account's sums what a row said before, and put in what it says now; None where it is not there.

    Most of a row is as it was: only what differs is read. A concept's or an outcome's own name is left out.
    """
    before, after = old or NOTHING, new or NOTHING
    shift_outcomes(sums, before.outcomes, after.outcomes)
    for task in before.tasks.keys() | after.tasks.keys() if before.tasks != after.tasks else ():
        for name, was, now in zip(TASKS, _dates(before.tasks.get(task)), _dates(after.tasks.get(task)), strict=True):
            if was != now:
                _move(sums, name, (was,), (now,))
    if before.helps != after.helps:
        for source in ("CS", "OTHER"):
            was_helped, is_helped = ([one.at for one in row.helps if one.source == source] for row in (before, after))
            _move(sums, f"help:{source}", was_helped, is_helped)
    if before.members != after.members:
        _move(sums, ROLES, (_first_role(before),), (_first_role(after),))
    if before.churns != after.churns:
        _move(sums, CHURNED, before.churns, after.churns)
    if before.mrrs != after.mrrs:
        _move(sums, PAYING, *([at for at, mrr in row.mrrs.items() if mrr > 0] for row in (before, after)))
    if before.converted_at != after.converted_at:
        _move(sums, CONVERTED, (before.converted_at,), (after.converted_at,))
    if before.trial_at != after.trial_at:
        _move(sums, TRIAL, (before.trial_at,), (after.trial_at,))


def shift_outcomes(sums: Sums, before: Mapping[str, Days], after: Mapping[str, Days]) -> bool:
    """The same of a row's outcomes, which are all that usage changes. Whether other than `LENGTHS` have moved."""
    shown = False
    for noted, days in after.items():
        was = before.get(noted, NO_DAYS)
        if was != days:
            _shift_days(sums, read_as(noted), was, days)
            shown = shown or noted not in LENGTHS
    if not before.keys() <= after.keys():
        for noted in before.keys() - after.keys():
            _shift_days(sums, read_as(noted), before[noted], NO_DAYS)
            shown = shown or noted not in LENGTHS
    return shown


def _dates(task: TaskFacts | None) -> tuple[int | None, int | None, int | None]:
    """When a task was started, completed, and both."""
    if task is None:
        return None, None, None
    started, completed = task.started, task.completed
    return started, completed, None if started is None or completed is None else max(started, completed)


def _first_role(row: Row) -> int | None:
    return min((word.at for word in row.members if word.role and not word.removed), default=None)


def _move(sums: Sums, name: str, old: Iterable[int | None], new: Iterable[int | None]) -> None:
    """Count instants on other days than before."""
    held = sums.setdefault(name, {})
    for sign, instants in ((-FIXED_POINT, old), (FIXED_POINT, new)):
        for at in instants:
            if at is not None:
                add(held, day_of(at), sign)
    if not held:
        del sums[name]


def _shift_days(sums: Sums, name: str | None, before: Days, after: Days) -> None:
    if name is None:
        return
    held = sums.setdefault(name, {})
    for day in before.keys() | after.keys():
        change = after.get(day, 0) - before.get(day, 0)
        if change:
            add(held, day, change)
    if not held:
        del sums[name]


def trained_on(row: Row) -> int | None:
    """The day on which the row's user completed a first lesson; None before it."""
    lessons = row.outcomes.get(LESSONS)
    return min(lessons) if lessons else None


@lru_cache(4096)
def read_as(name: str) -> str | None:
    """The name under which an account adds up what a row notes under this one; None where it does not."""
    kind, _, rest = name.partition(":")
    match kind:
        case "outcome":
            return None
        case "concept":
            return f"concept:{rest.partition(':')[0]}"
        case "nps" | "csat":
            return f"{kind}:{rest.rpartition(':')[2]}"
        case _:
            return name

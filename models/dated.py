"""What a row says day by day, as sums that an account can add up: usage, help, lessons, tickets, answers, payments.

Nothing of it is kept by row. When a row changes, its former state is read again and taken out: rows with such facts are
few in a batch, and a second copy of four hundred days of each would be most of a worker's memory.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache

from models import events as e
from models.adding import add
from models.clock import day_of
from models.facts import FIXED_POINT
from models.rows import Row

Days = Mapping[int, int]
"""day -> amount in millionths."""
Sums = dict[str, dict[int, int]]
"""name -> day -> amount in millionths."""

CHURNED, CONVERTED, PAYING, TRIAL = "churned", "converted", "paying", "trial"
STARTED, COMPLETED, ENDED = "tasks_started", "tasks_completed", "tasks_ended"
"""A task has ended when it has been begun and completed, in whatever order: some are completed that nobody began."""
LESSONS = "lessons_completed"
UNDATED = frozenset({e.SessionStarted, e.CoreAction, e.FeatureConfigured})
"""Events that change days and features only, which most events do: the sums here read the same after them."""


def dated_of(row: Row) -> Sums:
    """The row's dated sums by the names that accounts are read by; a concept's or an outcome's own name is left out."""
    found: Sums = {}
    for name, days in row.outcomes.items():
        read = read_as(name)
        if read is not None:
            _add_days(found, read, days.items())
    for name, instants in (
        (CHURNED, row.churns),
        (CONVERTED, [] if row.converted_at is None else [row.converted_at]),
        (PAYING, [at for at, mrr in row.mrrs.items() if mrr > 0]),
        (TRIAL, [] if row.trial_at is None else [row.trial_at]),
        (STARTED, [task.started for task in row.tasks.values() if task.started is not None]),
        (COMPLETED, [task.completed for task in row.tasks.values() if task.completed is not None]),
        (
            ENDED,
            [
                max(task.started, task.completed)
                for task in row.tasks.values()
                if task.started is not None and task.completed is not None
            ],
        ),
        *(
            (f"help:{source}", [help_.at for help_ in row.helps if help_.source == source])
            for source in ("CS", "OTHER")
        ),
    ):
        if instants:
            _add_days(found, name, ((day_of(at), FIXED_POINT) for at in instants))
    return found


def shift(sums: Sums, old: Sums, new: Sums) -> None:
    """Take a row's former sums out and put its present ones in; only what differs is touched."""
    for name in old.keys() | new.keys():
        before, after = old.get(name, {}), new.get(name, {})
        if before == after:
            continue
        held = sums.setdefault(name, {})
        for day in before.keys() | after.keys():
            change = after.get(day, 0) - before.get(day, 0)
            if change:
                add(held, day, change)
        if not held:
            del sums[name]


def trained_on(row: Row) -> int | None:
    """The day on which the row's user completed a first lesson; None before it."""
    return min(row.outcomes.get(LESSONS, ()), default=None)


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


def _add_days(sums: Sums, name: str, days: Iterable[tuple[int, int]]) -> None:
    held = sums.setdefault(name, {})
    for day, amount in days:
        held[day] = held.get(day, 0) + amount

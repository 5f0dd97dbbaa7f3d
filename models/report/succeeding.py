"""Does success rise with time, or with experience? Shares with intervals; associated with, nobody drew lots."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from models.clock import DAY, HOUR
from models.report.people import Person
from models.report.shares import Tried, alike, by_group, rise

Answer = dict[str, Any]
PARTS = ("0:00 to 6:00", "6:00 to 12:00", "12:00 to 18:00", "18:00 to 24:00")
"""Of a UTC day."""
SINCE = (1, 2, 4, 8, 24)
"""Hours since the trial's start that divide begun tasks."""
SINCE_NAMES = ("under 1", "1 to 2", "2 to 4", "4 to 8", "8 to 24", "24 and more")
DATES_ONLY = "the recording has dates and no time of day"
NO_STARTS = "no event says when a task was begun, so nobody is seen to begin one and not complete it"


class Begun(NamedTuple):
    """A task begun within the trial, and whether it was completed in it."""

    account: str
    at: int
    since: int
    """Microseconds since the trial's start."""
    before: int
    """Tasks completed before it was begun."""
    completed: bool


def begun(person: Person) -> list[Begun]:
    """In order of time."""
    found = []
    for started, completed in zip(person.started, person.completed, strict=True):
        if started is not None and person.trial.holds(started):
            before = sum(at < started for at in person.done_at)
            found.append(
                Begun(person.account, started, started - person.trial.start, before, person.trial.holds(completed))
            )
    return sorted(found, key=lambda one: one.at)


def read_succeeding(people: Sequence[Person], tasks: Sequence[str], alpha: float) -> Answer:
    """Four ways to look at it; each that the recording does not allow says why."""
    tries = [one for person in people for one in begun(person)]
    if not people:
        return {"answered": False, "because": "there is nobody in this recording"}
    dates = all(at % DAY == 0 for person in people for at in (person.trial.start, *person.done_at))
    found = {
        "by_joining": _by_joining(people, dates, alpha),
        "by_hour": _of_begun(tries, PARTS, lambda one: one.at % DAY // (6 * HOUR), DATES_ONLY if dates else "", alpha),
        "by_since": _of_begun(tries, SINCE_NAMES, _since, DATES_ONLY if dates else "", alpha),
        "by_experience": _of_begun(
            tries, [str(at) for at in range(len(tasks))], lambda one: min(one.before, len(tasks) - 1), "", alpha
        ),
        "by_step": _by_step(people, len(tasks), alpha),
    }
    return {"answered": any(one["answered"] for one in found.values()), **found}


def _since(one: Begun) -> int:
    return sum(one.since >= hours * HOUR for hours in SINCE)


def _by_joining(people: Sequence[Person], dates: bool, alpha: float) -> Answer:
    """All tasks completed within the trial, by part of the day on which the trial began: one try a person."""
    if dates:
        return {"answered": False, "because": DATES_ONLY}
    tries = [Tried(one.account, one.trial.start % DAY // (6 * HOUR), one.all_done) for one in people]
    groups = by_group(tries, PARTS, alpha)
    return {"answered": True, "groups": groups, "alike": alike(groups), "rise": rise(tries, alpha)}


def _of_begun(
    tries: Sequence[Begun], names: Sequence[str], group: Callable[[Begun], int], lacks: str, alpha: float
) -> Answer:
    if lacks:
        return {"answered": False, "because": lacks}
    if not tries or all(one.completed for one in tries):
        return {"answered": False, "because": NO_STARTS}
    grouped = [Tried(one.account, group(one), one.completed) for one in tries]
    return {"answered": True, "groups": by_group(grouped, names, alpha), "rise": rise(grouped, alpha)}


def _by_step(people: Sequence[Person], tasks: int, alpha: float) -> Answer:
    """Of those who had completed so many tasks: the share that completed one more within the trial."""
    tries = []
    for person in people:
        done = sum(map(person.trial.holds, person.completed))
        tries += [Tried(person.account, at, done > at) for at in range(min(done + 1, tasks))]
    names = [str(at) for at in range(tasks)]
    return {"answered": True, "groups": by_group(tries, names, alpha), "rise": rise(tries, alpha)}

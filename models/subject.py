"""The facts that experiments ask of a unit: a user with what is true of the whole account, or an account as one."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from models.events import Trait
from models.keeping import active_days
from models.rows import Help, Membership, Row, TaskFacts

Dated = tuple[int, Trait]


class Shared(NamedTuple):
    """What an account's own row says of every user in it."""

    assignments: Mapping[str, Mapping[str, int]] = {}
    converted_at: int | None = None
    churns: tuple[int, ...] = ()
    traits: Mapping[str, list[Dated]] = {}


NOTHING_SHARED = Shared()


def shared_of(row: Row) -> Shared:
    return Shared(row.assignments, row.converted_at, tuple(row.churns), row.traits)


class Subject(NamedTuple):
    """A unit's facts; of an account as one unit, those of all its rows. Instants in microseconds."""

    assignments: Mapping[str, Mapping[str, int]]
    """experiment -> arm -> earliest assignment."""
    exposures: Mapping[str, list[int]]
    helps: tuple[Help, ...]
    converted_at: int | None
    churns: tuple[int, ...]
    tasks: Mapping[str, TaskFacts]
    needs: tuple[int, ...]
    traits: Mapping[str, list[Dated]]
    first_uses: Mapping[str, int]
    mrrs: Mapping[int, int]
    dated: Mapping[str, Mapping[int, int]]
    trial_at: int | None
    people: tuple[tuple[int, int, int, tuple[Membership, ...]], ...]
    """Of each user in it: top day, mask of active days, day of the first event, and the words on their membership."""


def subject_of(row: Row, is_user: bool, shared: Shared = NOTHING_SHARED, usage: bool = True) -> Subject:
    """A row as a subject: a user's with what is shared by the account, or what the account's own row adds to it.

    usage: whether anybody asks for what events of mere usage change; a row is not read again after them if not.
    """
    people = ((row.top_day, active_days(row), row.first_at, tuple(row.members)),) if row.first_at is not None else ()
    return Subject(
        assignments=_earliest_arms([row.assignments, shared.assignments]) if shared.assignments else row.assignments,
        exposures=row.exposures,
        helps=tuple(row.helps),
        converted_at=_first([row.converted_at, shared.converted_at]),
        churns=tuple(sorted({*row.churns, *shared.churns})),
        tasks=row.tasks,
        needs=tuple(row.needs),
        traits=_traits([row.traits, shared.traits]) if shared.traits else row.traits,
        first_uses=row.first_uses if usage else {},
        mrrs=row.mrrs,
        dated=row.dated if usage else {},
        trial_at=row.trial_at,
        people=people if is_user and usage else (),
    )


def join(subjects: Iterable[Subject]) -> Subject:
    """One account's rows as one unit: earliest of what counts once, all of what is counted, the latest words."""
    every = list(subjects)
    if len(every) == 1:
        return every[0]
    return Subject(
        assignments=_earliest_arms([one.assignments for one in every]),
        exposures=_exposures([one.exposures for one in every]),
        helps=tuple(sorted(help_ for one in every for help_ in one.helps)),
        converted_at=_first([one.converted_at for one in every]),
        churns=tuple(sorted({at for one in every for at in one.churns})),
        tasks=_tasks([one.tasks for one in every]),
        needs=tuple(sorted({at for one in every for at in one.needs})),
        traits=_traits([one.traits for one in every]),
        first_uses=_minima([one.first_uses for one in every]),
        mrrs=_maxima([one.mrrs for one in every]),
        dated=_dated([one.dated for one in every]),
        trial_at=_first([one.trial_at for one in every]),
        people=tuple(sorted(person for one in every for person in one.people)),
    )


def _first(instants: Iterable[int | None]) -> int | None:
    return min((at for at in instants if at is not None), default=None)


def _earliest_arms(every: Iterable[Mapping[str, Mapping[str, int]]]) -> Mapping[str, Mapping[str, int]]:
    joined: dict[str, dict[str, int]] = {}
    for assignments in every:
        for experiment, arms in assignments.items():
            mine = joined.setdefault(experiment, {})
            for arm, at in arms.items():
                mine[arm] = min(at, mine.get(arm, at))
    return joined


def _exposures(every: Iterable[Mapping[str, list[int]]]) -> Mapping[str, list[int]]:
    joined: dict[str, list[int]] = {}
    for exposures in every:
        for experiment, shown in exposures.items():
            joined[experiment] = sorted([*joined.get(experiment, ()), *shown])
    return joined


def _tasks(every: Iterable[Mapping[str, TaskFacts]]) -> Mapping[str, TaskFacts]:
    """A task of the account is begun, and done, when the first of its users has."""
    joined: dict[str, TaskFacts] = {}
    for tasks in every:
        for task, facts in tasks.items():
            before = joined.get(task)
            joined[task] = facts if before is None else _task([before, facts])
    return joined


def _task(every: list[TaskFacts]) -> TaskFacts:
    return TaskFacts(
        started=_first([one.started for one in every]),
        completed=_first([one.completed for one in every]),
        help_needed=_first([one.help_needed for one in every]),
        attempts=sum(one.attempts for one in every),
        failures=sum(one.failures for one in every),
        failed=_first([one.failed for one in every]),
        failed_at=sorted(at for one in every for at in one.failed_at),
    )


def _traits(every: Iterable[Mapping[str, list[Dated]]]) -> Mapping[str, list[Dated]]:
    joined: dict[str, list[Dated]] = {}
    for traits in every:
        for name, dated in traits.items():
            joined[name] = [*joined.get(name, ()), *dated]
    return joined


def _minima(every: Iterable[Mapping[str, int]]) -> Mapping[str, int]:
    joined: dict[str, int] = {}
    for instants in every:
        for name, at in instants.items():
            joined[name] = min(at, joined.get(name, at))
    return joined


def _maxima(every: Iterable[Mapping[int, int]]) -> Mapping[int, int]:
    joined: dict[int, int] = {}
    for amounts in every:
        for at, amount in amounts.items():
            joined[at] = max(amount, joined.get(at, amount))
    return joined


def _dated(every: Iterable[Mapping[str, Mapping[int, int]]]) -> Mapping[str, Mapping[int, int]]:
    joined: dict[str, dict[int, int]] = {}
    for named in every:
        for name, sums in named.items():
            mine = joined.setdefault(name, {})
            for at, amount in sums.items():
                mine[at] = mine.get(at, 0) + amount
    return joined


def trait_at(subject: Subject, name: str, at: int) -> Trait | None:
    """The trait's last value at or before an instant; None if there was none. Of one instant, by type and text."""
    said = [
        (when, type(value).__name__, str(value), value) for when, value in subject.traits.get(name, ()) if when <= at
    ]
    return max(said)[3] if said else None

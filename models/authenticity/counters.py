"""Sums over events that the checks of clocks, rhythm, duplicates and volume are read from. They add up.

Live, each partition keeps its own and they are merged by `+`. That is exact as long as all of a person's events are in
one partition, because squares are sums over people of what one person has.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, Self

import numpy as np

from models.authenticity.observed import Events, Ints, known
from models.clock import DAY, HOUR, SECOND
from models.inference.means import Array

MINUTE = 60 * SECOND
FIRST_MONDAY = 4 * DAY
"""1970-01-05."""


class Cells(NamedTuple):
    """Events by cell. squares: Σ over people and cells of (a person's events in a cell)²; totals: Σ of (a person's
    events)². They tell how much people repeat themselves."""

    counts: tuple[int, ...]
    squares: int
    totals: int

    def plus(self, other: "Cells") -> "Cells":
        counts = tuple(a + b for a, b in zip(self.counts, other.counts, strict=True))
        return Cells(counts, self.squares + other.squares, self.totals + other.totals)


class Repeated(NamedTuple):
    """Rows that repeat another, r of a person's n: Σr, Σn, Σr², Σrn, Σn² over people."""

    r: int
    n: int
    rr: int
    rn: int
    nn: int

    def plus(self, other: "Repeated") -> "Repeated":
        return Repeated(*(a + b for a, b in zip(self, other, strict=True)))


class PerPerson(NamedTuple):
    """Events a person who has any: people, Σn, Σn²."""

    people: int
    events: int
    squares: int

    def plus(self, other: "PerPerson") -> "PerPerson":
        return PerPerson(*(a + b for a, b in zip(self, other, strict=True)))


NONE_REPEATED = Repeated(0, 0, 0, 0, 0)
NOBODY = PerPerson(0, 0, 0)


def empty(width: int) -> Cells:
    return Cells((0,) * width, 0, 0)


@dataclass(frozen=True, slots=True)
class Counters:
    """seconds: of the minute. tenths: of the second. hours: of the UTC day. weekdays: from Monday. days: events by UTC
    day since 1970. repeated: rows equal to an earlier one in person, instant, kind and value."""

    seconds: Cells = field(default_factory=lambda: empty(60))
    tenths: Cells = field(default_factory=lambda: empty(10))
    hours: Cells = field(default_factory=lambda: empty(24))
    weekdays: Cells = field(default_factory=lambda: empty(7))
    days: Mapping[int, int] = field(default_factory=dict)
    repeated: Repeated = NONE_REPEATED
    per_person: PerPerson = NOBODY

    @property
    def events(self) -> int:
        return self.per_person.events

    def __add__(self, other: Self) -> "Counters":
        return Counters(
            self.seconds.plus(other.seconds),
            self.tenths.plus(other.tenths),
            self.hours.plus(other.hours),
            self.weekdays.plus(other.weekdays),
            dict(sorted((Counter(self.days) + Counter(other.days)).items())),
            self.repeated.plus(other.repeated),
            self.per_person.plus(other.per_person),
        )


def counters_of(events: Events) -> Counters:
    """The sums of these events; those without a plausible instant do not count."""
    seen = known(events.at)
    at, user = events.at[seen], events.user[seen]
    if not len(at):
        return Counters()
    _, person = np.unique(user, return_inverse=True)
    per_person = np.bincount(person)
    days, in_day = np.unique(at // DAY, return_counts=True)
    return Counters(
        _cells(person, at // SECOND % 60, 60),
        _cells(person, at % SECOND // (SECOND // 10), 10),
        _cells(person, at // HOUR % 24, 24),
        _cells(person, (at - FIRST_MONDAY) // DAY % 7, 7),
        dict(zip(days.tolist(), in_day.tolist(), strict=True)),
        _repeated(events, person),
        PerPerson(len(per_person), len(at), int((per_person**2).sum())),
    )


def _cells(person: Ints, cell: Ints, width: int) -> Cells:
    counts = np.bincount(cell, minlength=width)
    _, own = np.unique(person * width + cell, return_counts=True)
    return Cells(tuple(counts.tolist()), int((own**2).sum()), int((np.bincount(person) ** 2).sum()))


def _repeated(events: Events, person: Ints) -> Repeated:
    seen = known(events.at)
    columns = [person.astype(np.float64), *_halves(events.at[seen])]
    columns += [column[seen].astype(np.float64) for column in (events.kind, events.value) if column is not None]
    order = np.lexsort(columns)
    same = np.ones(len(order) - 1, dtype=np.bool_)
    for column in columns:
        a, b = column[order[1:]], column[order[:-1]]
        same &= (a == b) | (np.isnan(a) & np.isnan(b))
    n = np.bincount(person)
    r = np.bincount(person[order[1:]][same], minlength=len(n))
    return Repeated(int(r.sum()), int(n.sum()), int((r * r).sum()), int((r * n).sum()), int((n * n).sum()))


def _halves(at: Ints) -> tuple[Array, Array]:
    """An instant as two numbers that a float holds exactly."""
    return (at // DAY).astype(np.float64), (at % DAY).astype(np.float64)

"""What the checks look at, whatever the data was recorded in: events, and tables about the same people.

Everything is optional: a check that lacks what it needs says so. People are integer codes, the same ones in every
table; instants are microseconds since 1970, `MISSING` where there is none; numbers that are not known are NaN.
"""

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.clock import LAST_INSTANT, SECOND
from models.inference.means import Array

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]
MISSING = int(np.iinfo(np.int64).min)
"""An instant that is not known."""
Scale = tuple[float, float]
"""The least and the largest value that can be given."""


LARGEST = 1e12
"""Numbers about people stay below it; what is beyond is as good as infinite."""


def known(at: Ints) -> Flags:
    """Which instants are known and can be written as a date; differences of such ones do not overflow."""
    return (at >= -LAST_INSTANT) & (at <= LAST_INSTANT)


def usable(value: Array) -> Flags:
    """Which numbers can be computed with."""
    return np.isfinite(value) & (np.abs(value) <= LARGEST)


class Dated(NamedTuple):
    """Something that happened to people: help, a conversion, joining. user, at: (rows,)."""

    user: Ints
    at: Ints


@dataclass(frozen=True, slots=True)
class Events:
    """What people did, one event a row: all columns are (rows,).

    kind: codes. value, scale: a number that came with the event and what it may be. free: people do it as often as they
    like; steps of a course that has only so many are not. Raises ValueError if columns differ in length.
    """

    user: Ints
    at: Ints
    kind: Ints | None = None
    value: Array | None = None
    scale: Scale | None = None
    free: bool = True

    def __post_init__(self) -> None:
        _same_length(self.user, self.at, self.kind, self.value)

    def __len__(self) -> int:
        return len(self.at)


@dataclass(frozen=True, slots=True)
class Assigned:
    """Who is in which arm, in the order of assignment. user, arm: (rows,). shares: planned, by arm, adding up to 1."""

    user: Ints
    arm: Ints
    shares: tuple[float, ...]

    def __post_init__(self) -> None:
        _same_length(self.user, self.arm)


@dataclass(frozen=True, slots=True)
class Tasks:
    """Attempts at tasks, one a row. user, task, started, completed: (rows,). task: 0, 1, ... in order.

    series: a task is meant to be done after the one before it.
    """

    user: Ints
    task: Ints
    started: Ints
    completed: Ints
    series: bool = True

    def __post_init__(self) -> None:
        _same_length(self.user, self.task, self.started, self.completed)


@dataclass(frozen=True, slots=True)
class Measure:
    """A number about people, at most a few a person. user, value: (rows,).

    kind: `count` of something they did as often as they liked; `duration` of something, in any unit; `score` given
    by somebody. step: the unit that it is written to, e.g. 0.1. scale: what it may be.
    """

    name: str
    kind: Literal["count", "duration", "score"]
    user: Ints
    value: Array
    scale: Scale | None = None
    step: float = 1.0

    def __post_init__(self) -> None:
        _same_length(self.user, self.value)


@dataclass(frozen=True, slots=True)
class Observed:
    """A data set. resolution: what its times claim to be written to, microseconds: `DAY` where it has dates only.

    joined: when people's trial or subscription began; nothing of theirs can be earlier. converted: those who did.
    """

    events: Events | None = None
    resolution: int = SECOND
    assigned: Assigned | None = None
    joined: Dated | None = None
    tasks: Tasks | None = None
    help: Dated | None = None
    converted: Dated | None = None
    measures: tuple[Measure, ...] = ()


def _same_length(*columns: NDArray[np.generic] | None) -> None:
    lengths = {len(column) for column in columns if column is not None}
    if len(lengths) > 1:
        raise ValueError(f"columns have different numbers of rows: {sorted(lengths)}")

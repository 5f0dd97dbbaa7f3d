"""Look at many experiments after every unit that matures, and note where each read-out first says something, and
where it first finds a difference (or, for the complier effect, leaves the truth out)."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.validate.draw import Units
from benchmarks.validate.readouts import Looked, read
from benchmarks.validate.stack import Stack

Flags = NDArray[np.bool_]
Ints = NDArray[np.int64]
COLUMNS = 4
"""What is summed up: units, outcome, uptake, covariate."""


class Question(NamedTuple):
    """What is asked of every experiment: the numbers of its plan, and the truth that a set may not leave out."""

    planned: int
    share: float
    binary: bool
    itt: float = 0.0
    complier_effect: float = 0.0
    alpha: float = 0.05
    srm_alpha: float = 0.01
    concentration: float = 100.0


@dataclass
class First:
    """Per run: the unit after which a read-out was first there, and first crossed; 0 for never."""

    read: Ints
    crossed: Ints

    @classmethod
    def never(cls, runs: int) -> "First":
        return cls(np.zeros(runs, np.int64), np.zeros(runs, np.int64))

    def note(self, look: int, there: Flags, crossing: Flags) -> None:
        self.read[there & (self.read == 0)] = look
        self.crossed[crossing & (self.crossed == 0)] = look


def looks(units: Units) -> Iterator[tuple[int, Stack]]:
    """The experiments' moments after every unit; yields how many there are by now, and always the same stack."""
    runs, many = units.arm.shape
    stack = Stack(runs, COLUMNS, None if units.cluster is None else units.accounts)
    amounts = np.ones((runs, COLUMNS))
    for i in range(many):
        for column, values in enumerate((units.outcome, units.uptake, units.covariate), start=1):
            amounts[:, column] = values[:, i]
        stack.add(None if units.cluster is None else units.cluster[:, i], units.arm[:, i], amounts)
        yield i + 1, stack


def after(units: Units, many: int) -> Stack:
    """The moments after so many units, at once."""
    cluster = None if units.cluster is None else units.cluster[:, :many]
    return Stack.of(cluster, units.accounts, units.arm[:, :many], units.amounts(many))


def follow(units: Units, question: Question, names: Collection[str]) -> dict[str, First]:
    """By name of the read-out."""
    found = {name: First.never(len(units.arm)) for name in names}
    for look, stack in looks(units):
        for name, looked in read(stack, units, question, names).items():
            found[name].note(look, *_spread(looked, stack))
    return found


def _spread(looked: Looked, stack: Stack) -> tuple[Flags, Flags]:
    there, crossing = np.zeros((2, len(stack.every)), bool)
    there[looked.kept] = looked.there
    crossing[looked.kept] = looked.there & looked.crossing
    return there, crossing

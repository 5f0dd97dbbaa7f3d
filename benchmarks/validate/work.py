"""Pieces of work that can be done in any order on any core, and the parts of `make validate` that they make up."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from benchmarks.validate.cells import Cell
from benchmarks.validate.counts import Count, Finding
from benchmarks.validate.draw import Units
from benchmarks.validate.follow import Question, follow

ALPHA, SRM_ALPHA = 0.05, 0.01
CHUNK = 1000
"""How many runs a piece of work holds; part of what makes a seed's numbers."""
Arrays = dict[str, NDArray[np.generic]]
"""What was seen of each run, by name; every array begins with the runs."""


@dataclass(frozen=True)
class Piece:
    """Some runs of one situation. What it finds depends on these fields alone."""

    part: str
    situation: str
    work: Callable[["Piece"], Arrays]
    runs: int
    number: int
    seed: int
    looks: int
    cell: Cell | None = None

    def __call__(self) -> Arrays:
        return self.work(self)

    @property
    def cost(self) -> int:
        """Roughly, in looks at a run."""
        return self.runs * self.looks

    @property
    def luck(self) -> np.random.Generator:
        return np.random.default_rng([self.seed, self.number, crc32(f"{self.part} {self.situation}".encode())])


@dataclass(frozen=True)
class Part:
    """One question about error rates. pieces: (runs, seed) -> the work; findings: by situation -> what it came to."""

    key: str
    title: str
    explanation: str
    pieces: Callable[[int, int], list[Piece]]
    findings: Callable[[dict[str, Arrays]], list[Finding]]


def pieces_of(part: str, cells: Sequence[Cell], work: Callable[[Piece], Arrays], runs: int, seed: int) -> list[Piece]:
    return [
        Piece(part, cell.name, work, len(range(start, min(start + CHUNK, runs))), number, seed, cell.units, cell)
        for cell in cells
        for number, start in enumerate(range(0, runs, CHUNK))
    ]


def question_of(cell: Cell) -> Question:
    return Question(cell.planned, cell.share, cell.binary, cell.itt, cell.effect)


def watched(units: Units, question: Question, names: Sequence[str]) -> Arrays:
    found: Arrays = {}
    for name, first in follow(units, question, names).items():
        found[f"{name}, read"], found[f"{name}, crossed"] = first.read, first.crossed
    return found


def crossed_in(situation: str, seen: Arrays, name: str, at_most: float | None, what: str | None = None) -> Count:
    """Of all runs, whether the read-out was ever there or not."""
    crossed = seen[f"{name}, crossed"]
    return Count(situation, what or name, int((crossed > 0).sum()), len(crossed), at_most)

"""A queue of experiments, each with its level fixed at registration: how many of the effects announced are none."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.validate.cells import Cell
from benchmarks.validate.counts import Count, Finding, Measure
from benchmarks.validate.draw import units_of
from benchmarks.validate.follow import looks
from benchmarks.validate.power import with_power
from benchmarks.validate.readouts import evidence, ready
from benchmarks.validate.work import ALPHA, Arrays, Part, Piece
from models.inference.discoveries import level
from models.inference.effect import intention_to_treat
from models.inference.sequence import tuning

LENGTH = 100
TRUE_SHARES = (0.0, 0.1, 0.5)
EVERY = 30
"""A new experiment is registered after so many units of the one before: ten run at a time."""
CHUNK = 10
"""Queues in a piece of work."""
CELL = Cell(planned=100, p=None, uptake=(0.0, 1.0))
"""Each is planned for 100 units and watched up to 300."""


class Played(NamedTuple):
    """Per queue: false discovery proportion, false rejections, and true effects found."""

    false_share: NDArray[np.float64]
    false: NDArray[np.int64]
    found: NDArray[np.int64]


def paths(cell: Cell, runs: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """E-values of the offer's effect after every unit, (runs, units); 0 while there is none."""
    found = np.zeros((runs, cell.units))
    units = units_of(cell, runs, rng)
    rho2 = tuning(ALPHA, cell.planned)
    for look, stack in looks(units):
        kept = ready(stack, cell.binary)
        if len(kept):
            means = stack.means(units.scale, kept)
            found[kept, look - 1] = np.nan_to_num(evidence(intention_to_treat(means), means, rho2))
    return found


def play(e_values: NDArray[np.float64], true: NDArray[np.bool_]) -> Played:
    """Queues (queues, LENGTH, units) of e-values, in order of registration, and which of their effects are real."""
    queues, length, _ = e_values.shape
    rejected_at = np.full((queues, length), np.inf)
    for place in range(length):
        now = place * EVERY
        so_far = (rejected_at[:, :place] <= now).sum(axis=1)
        needed = np.array([1 / level(ALPHA, place + 1, int(rejections)) for rejections in so_far])
        enough = e_values[:, place] >= needed[:, None]
        rejected_at[:, place] = np.where(enough.any(axis=1), now + 1 + enough.argmax(axis=1), np.inf)
    rejected = np.isfinite(rejected_at)
    false = (rejected & ~true).sum(axis=1)
    return Played(false / np.maximum(rejected.sum(axis=1), 1), false, (rejected & true).sum(axis=1))


def queues(many: int, effect: float, rng: np.random.Generator) -> dict[float, Played]:
    """By the share of experiments whose effect is real; the same experiments serve all shares."""
    null = paths(CELL, many * LENGTH, rng).reshape(many, LENGTH, -1)
    real = paths(replace(CELL, effect=effect), many * LENGTH // 2, rng).reshape(many, LENGTH // 2, -1)
    found = {}
    for share in TRUE_SHARES:
        e_values, true = null.copy(), np.zeros((many, LENGTH), bool)
        for queue in range(many):
            places = rng.permutation(LENGTH)[: round(share * LENGTH)]
            true[queue, places] = True
            e_values[queue, places] = real[queue, : len(places)]
        found[share] = play(e_values, true)
    return found


def _queues(runs: int, seed: int) -> list[Piece]:
    name = f"{LENGTH} experiments"
    return [Piece("queue", name, _queue, min(CHUNK, runs - start), number, seed, 150 * CELL.units)
            for number, start in enumerate(range(0, runs, CHUNK))]  # fmt: skip


def _queue(piece: Piece) -> Arrays:
    found: Arrays = {}
    for share, played in queues(piece.runs, with_power(CELL).effect, piece.luck).items():
        found |= {f"{share} false share": played.false_share, f"{share} false": played.false,
                  f"{share} found": played.found}  # fmt: skip
    return found


def _of_queues(seen: dict[str, Arrays]) -> list[Finding]:
    found: list[Finding] = []
    for arrays in seen.values():
        for share in TRUE_SHARES:
            situation = f"{100 * share:g} % of {LENGTH} experiments with an effect"
            false_share, real = arrays[f"{share} false share"], round(share * LENGTH)
            runs = len(false_share)
            spread = float(false_share.std() / np.sqrt(runs))
            found.append(Measure(situation, "false discovery rate", float(false_share.mean()), ALPHA + 3 * spread))
            found.append(Measure(situation, "its standard error", spread))
            found.append(Count(situation, "false rejections", int(arrays[f"{share} false"].sum()),
                               runs * (LENGTH - real)))  # fmt: skip
            found.append(Count(situation, "true effects found", int(arrays[f"{share} found"].sum()), runs * real))
    return found


PART = Part(
    "queue",
    "A queue of experiments",
    "100 experiments of 100 planned units, watched up to 300, a new one every 30 units, under e-LOND: each one's "
    "level is fixed when it is registered. Effects, where they are real, are such that a fixed test of one "
    "experiment finds them with power .80. False discovery rate: at most 5 %.",
    _queues,
    _of_queues,
)

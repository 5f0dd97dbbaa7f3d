"""The complier effect at planned_units: does its set hold the truth, is it bounded, and how wide is it?"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from benchmarks.validate.draw import Units
from benchmarks.validate.follow import Question, after
from benchmarks.validate.readouts import LEAST_TAKERS, ready
from models.inference.columns import UPTAKE
from models.inference.complier import INTERVAL, BetaSet, anderson_rubin, contains
from models.inference.effect import intention_to_treat
from models.inference.few_takers import CONVERTED, NEITHER, TOOK_UP, TOOK_UP_AND_CONVERTED, confidence_set
from models.inference.sequence import half_width, tuning


class Sets(NamedTuple):
    """The runs that have a set; of these, whether it holds the truth, is bounded, and its width (else infinite)."""

    kept: NDArray[np.int64]
    holds: NDArray[np.bool_]
    bounded: NDArray[np.bool_]
    width: NDArray[np.float64]


def at_planned(units: Units, question: Question) -> tuple[Sets, Sets]:
    """For the one look that was planned, and always valid; of the same runs, those with a read-out."""
    stack = after(units, question.planned)
    kept = ready(stack, question.binary)
    kept = kept[stack.sums[kept][:, :, UPTAKE].sum(axis=1) >= LEAST_TAKERS]
    means = stack.means(units.scale, kept)
    df = intention_to_treat(means).df
    once = stdtrit(df, 1 - question.alpha / 2)
    always = half_width(question.alpha, df, means.units.sum(axis=-1), tuning(question.alpha, question.planned))
    fixed, watched = (
        _told(kept, anderson_rubin(means, critical), question.complier_effect) for critical in (once, always)
    )
    return fixed, watched


def _told(kept: NDArray[np.int64], found: BetaSet, truth: float) -> Sets:
    bounded = (found.shape == INTERVAL) & np.isfinite(found.low) & np.isfinite(found.high)
    return Sets(kept, contains(found, truth), bounded, np.where(bounded, found.high - found.low, np.inf))


def few_takers(units: Units, question: Question) -> Sets:
    """The set by randomisation, of runs with some takers at planned_units, but too few for the others."""
    first = units.arm[:, : question.planned], units.uptake[:, : question.planned], units.outcome[:, : question.planned]
    arm, uptake, outcome = first
    takers = uptake.sum(axis=1)
    kept = np.flatnonzero((takers > 0) & (takers < LEAST_TAKERS))
    kind = np.select(
        [uptake * outcome == 1, uptake == 1, outcome == 1], [TOOK_UP_AND_CONVERTED, TOOK_UP, CONVERTED], NEITHER
    )
    found = []
    for run in kept:
        counts = np.zeros((2, 4), np.int64)
        np.add.at(counts, (arm[run], kind[run]), 1)
        intervals = confidence_set(counts, question.alpha)
        holds = any(low <= question.complier_effect <= high for low, high in intervals)
        found.append((holds, bool(intervals), intervals[-1][1] - intervals[0][0] if intervals else 0.0))
    holds, there, width = (np.array(column) for column in zip(*found, strict=True)) if found else (np.zeros(0),) * 3
    return Sets(kept, holds.astype(bool), there.astype(bool), width)

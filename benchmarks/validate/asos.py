"""Real experiments, checkpoint by checkpoint: who would have announced a difference, and whose arms are uneven.

46 online experiments of a shop (Liu et al. 2021, arXiv 2111.10198), as far as they are in `../shared/data`. Some of
their effects are real, and nobody knows which: no error rate can be read off here, only how far three ways of looking
differ.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.validate.readouts import evidence
from models.inference import sample_ratio
from models.inference.effect import intention_to_treat, p_value
from models.inference.means import means_of
from models.inference.moments import Moments
from models.inference.sequence import tuning
from models.readout.gates import LEAST_CLUSTERS

DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "asos_half" / "asos_half.csv"
ALPHA = 0.05
SRM_ALPHA, CONCENTRATION = 0.01, 100.0
FIXED_POINT = 1_000_000
BY_DESIGN = {("54a85a", 0): 0.030, ("c3d89d", 2): 0.462}
"""Shares of treatment that were planned; all others half and half."""


class Checkpoint(NamedTuple):
    """What is reported of both arms until an instant: units, mean, variance; control first."""

    counts: tuple[int, int]
    means: tuple[float, float]
    variances: tuple[float, float]

    @property
    def usable(self) -> bool:
        """Means and variances are given, and none is 0."""
        return all(np.isfinite(self.means)) and all(variance > 0 for variance in self.variances)


class Series(NamedTuple):
    """One metric of one arm against control, checkpoint by checkpoint."""

    experiment: str
    arm: int
    points: list[Checkpoint]


@dataclass(frozen=True)
class Metric:
    """One metric of one arm against control: whether it crossed at some checkpoint, and at the last."""

    peeking: bool
    always_valid: bool
    always_valid_early: bool
    """Tuned to a tenth of the units that came in the end."""
    at_end: bool


@dataclass(frozen=True)
class Shares:
    """The sample ratio of one arm against its planned share, at the last checkpoint, and as watched."""

    experiment: str
    arm: int
    control: int
    treatment: int
    planned: float
    p_final: float
    e_value: float
    ever: bool

    @property
    def fails(self) -> bool:
        return self.p_final < SRM_ALPHA

    @property
    def even_p(self) -> float:
        """Against half and half, whatever was planned."""
        return float(sample_ratio.p_final((self.control, self.treatment), (0.5, 0.5)))


@dataclass(frozen=True)
class Shop:
    """Everything found. skipped: rows with a blank or zero variance; fewer: rows with fewer units than the one before
    (a correction by the shop); silent: arm-metrics without a usable row."""

    rows: int
    skipped: int
    fewer: int
    silent: int
    metrics: list[Metric]
    shares: list[Shares]


def is_there() -> bool:
    return DATA.is_file()


@cache
def series() -> list[Series]:
    """Every metric of every arm, in order of experiment and arm."""
    import pandas as pd  # noqa: PLC0415 - takes a second in each process, and only this part needs it

    table = pd.read_csv(DATA, dtype={"experiment_id": str}).sort_values("time_since_start", kind="stable")
    return [
        Series(str(experiment), int(arm), [_checkpoint(row) for row in rows.itertuples()])
        for (experiment, arm, _), rows in table.groupby(["experiment_id", "variant_id", "metric_id"])
    ]


def shop() -> Shop:
    every = series()
    usable = [[point for point in one.points if point.usable] for one in every]
    return Shop(
        rows=sum(len(one.points) for one in every),
        skipped=sum(not point.usable for one in every for point in one.points),
        fewer=sum(
            later.counts[arm] < sooner.counts[arm]
            for points in usable
            for sooner, later in pairwise(points)
            for arm in (0, 1)
        ),
        silent=sum(not points for points in usable),
        metrics=[followed(points) for points in usable if points],
        shares=shares(every),
    )


def shares(every: list[Series]) -> list[Shares]:
    """The sample ratio of every arm; its counts are the same for all of its metrics."""
    counts = {(one.experiment, one.arm): [point.counts for point in one.points] for one in every}
    return [_shares(*arm, found) for arm, found in counts.items()]


def _checkpoint(row: Any) -> Checkpoint:
    counts = (int(np.nan_to_num(row.count_c)), int(np.nan_to_num(row.count_t)))
    return Checkpoint(counts, (row.mean_c, row.mean_t), (row.variance_c, row.variance_t))


def moments(point: Checkpoint) -> Moments:
    """The arms at a checkpoint, every customer for themselves: Σy and Σy² from counts, means and variances."""
    found = Moments(blocks=2, columns=2)
    found.clusters = [sum(point.counts), *point.counts]
    found.fourths = list(point.counts)
    for arm, (n, mean, variance) in enumerate(zip(*point, strict=True)):
        total, squares = round(n * mean * FIXED_POINT), round(((n - 1) * variance + n * mean**2) * FIXED_POINT**2)
        found.sums[2 * arm : 2 * arm + 2] = [n, total]
        # The upper triangle of 4 x 4, row by row: (0,0) (0,1) are its first two, (2,2) (2,3) come after row 1's three.
        found.products[7 * arm : 7 * arm + 2] = [n, total]
        found.products[4 + 5 * arm] = squares
    return found


def growing(points: list[Checkpoint]) -> Iterator[Moments]:
    """The arms after every checkpoint, each merged from what came in since the one before."""
    arms, before = Moments(2, 2), Moments(2, 2)
    for point in points:
        now = moments(point)
        increment = moments(point)
        increment -= before
        arms += increment
        before = now
        yield arms


def followed(points: list[Checkpoint]) -> Metric:
    units = sum(points[-1].counts)
    ever_p = ever_e = ever_early = False
    p = np.nan
    for arms in growing(points):
        if min(arms.clusters[1:]) < LEAST_CLUSTERS:
            continue
        means = means_of(arms, [1, 1 / FIXED_POINT])
        effect = intention_to_treat(means)
        p = float(p_value(effect))
        ever_p |= p < ALPHA
        ever_e |= bool(evidence(effect, means, tuning(ALPHA, units)) >= 1 / ALPHA)
        ever_early |= bool(evidence(effect, means, tuning(ALPHA, units / 10)) >= 1 / ALPHA)
    return Metric(ever_p, ever_e, ever_early, p < ALPHA)


def _shares(experiment: str, arm: int, counts: list[tuple[int, int]]) -> Shares:
    share = BY_DESIGN.get((experiment, arm), 0.5)
    planned = (1 - share, share)
    e_values = sample_ratio.e_value(np.array(counts), planned, CONCENTRATION)
    return Shares(
        experiment, arm, *counts[-1], share,
        p_final=float(sample_ratio.p_final(counts[-1], planned)),
        e_value=float(e_values[-1]), ever=bool((e_values >= 1 / SRM_ALPHA).any()),
    )  # fmt: skip

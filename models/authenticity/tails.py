"""Durations and counts of people have long tails; normal draws, and draws between two limits, have none."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from scipy.stats import lmoment

from models.authenticity.chances import jackknife_below, several
from models.authenticity.finding import Finding, drawn, found, unexamined
from models.authenticity.observed import Flags, Ints, Observed, known, usable
from models.authenticity.thresholds import THRESHOLDS
from models.inference.means import Array

BINS = 20
LEAST_DIFFERENT = 10
"""Different values from which on a shape can be told."""


class Series(NamedTuple):
    """Values with a name. user, value: (rows,)."""

    name: str
    user: Ints
    value: Array


def tails(observed: Observed) -> Finding:
    """The series with the lightest tails (L-moments: Hosking 1990)."""
    check = "tails"
    least = THRESHOLDS[check].least
    told = []
    for one in series(observed):
        if len(one.value) >= least and len(np.unique(one.value)) >= LEAST_DIFFERENT:

            def weight(kept: Flags, value: Array = one.value) -> float:
                return tail_weight(value[kept])

            told.append((one, *jackknife_below(one.user, weight, THRESHOLDS[check].edge)))
    told = [row for row in told if np.isfinite(row[1])]
    if not told:
        return unexamined(check, f"no duration or count has {least} values, {LEAST_DIFFERENT} of them different")
    p_values = np.array([p for _, _, p in told])
    one, effect, _ = told[int(p_values.argmin())]
    mean, sd = float(one.value.mean()), float(one.value.std())
    says = (
        f"{one.name} has the lightest tails of {len(told)} series: its largest of {len(one.value):,} values is "
        f"{(float(one.value.max()) - mean) / sd:.1f} standard deviations above the mean; L-skewness and L-kurtosis "
        f"make {effect:.2f} (normal .12, exponential .50)"
    )
    counts, edges = np.histogram(one.value, BINS)
    figure = drawn("bar", one.name, "values", (edges[:-1] + edges[1:]) / 2, counts)
    return found(check, sum(len(row[0].value) for row in told), effect, several(p_values), says, figure)


def tail_weight(value: Array) -> float:
    """|L-skewness| + L-kurtosis; NaN where values do not vary."""
    if len(value) < 4 or value.min() == value.max():
        return float("nan")
    centre = float(np.median(value))
    spread, skew, kurt = lmoment((value - centre) / (np.abs(value - centre).max()), order=[2, 3, 4], standardize=False)
    return float((abs(skew) + kurt) / spread) if spread > 0 else float("nan")


def series(observed: Observed) -> Iterator[Series]:
    """Events a person, durations of each task, and the measures that are durations or counts."""
    events = observed.events
    if events is not None and events.free:
        people, counts = np.unique(events.user[known(events.at)], return_counts=True)
        yield Series("events a person", people, counts.astype(float))
    tasks = observed.tasks
    if tasks is not None:
        both = known(tasks.started) & known(tasks.completed)
        for task in np.unique(tasks.task[both]).tolist():
            rows = both & (tasks.task == task)
            hours = (tasks.completed[rows] - tasks.started[rows]) / 3.6e9
            yield Series(f"hours at task {task + 1}", tasks.user[rows], hours)
    for measure in observed.measures:
        if measure.kind != "score":
            seen = usable(measure.value)
            yield Series(measure.name, measure.user[seen], measure.value[seen])

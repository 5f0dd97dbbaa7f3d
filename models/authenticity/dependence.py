"""People are themselves: quick at one task means quick at the next, and some use everything more than others do."""

from collections.abc import Iterator
from math import exp
from typing import NamedTuple

import numpy as np
from scipy.special import chdtr
from scipy.stats import rankdata

from models.authenticity.chances import correlation_below, several
from models.authenticity.counters import Counters
from models.authenticity.finding import Finding, drawn, found, unexamined
from models.authenticity.observed import Observed, Tasks, known, usable
from models.authenticity.thresholds import THRESHOLDS
from models.inference.means import Array

KURTOSIS = 2.0
"""Excess kurtosis that counts are allowed at the edge: it leaves their variance half of its degrees of freedom."""
LEAST_MEAN = 1.5
"""Events a person from which on a surplus can be told."""
POINTS = 500


class Speeds(NamedTuple):
    """Of people who did both: ranks (0 to 1) at a task and at the next one."""

    task: int
    first: Array
    second: Array


def own_pace(tasks: Tasks | None) -> Finding:
    """Spearman's correlation of how long people took for a task and for the next one, where it is lowest."""
    check = "own_pace"
    if tasks is None:
        return unexamined(check, "there are no tasks")
    pairs = list(_speeds(tasks))
    if not pairs:
        return unexamined(check, f"{THRESHOLDS[check].least} people with two tasks begun and completed are needed")
    rho = np.array([float(np.corrcoef(pair.first, pair.second)[0, 1]) for pair in pairs])
    n = sum(len(pair.first) for pair in pairs)
    p_values = [
        correlation_below(r, len(pair.first), THRESHOLDS[check].edge) for r, pair in zip(rho, pairs, strict=True)
    ]
    at = int(rho.argmin())
    one = pairs[at]
    says = (
        f"how long {len(one.first):,} people took for task {one.task + 1} goes with how long they took for the next: "
        f"rank correlation {rho[at]:.2f}; people who are quick once are quick again"
    )
    few = np.linspace(0, len(one.first) - 1, min(POINTS, len(one.first))).astype(np.int64)
    figure = drawn("point", f"rank at task {one.task + 1}", "rank at the next", one.first[few], one.second[few])
    return found(check, n, float(rho[at]), several(np.array(p_values)), says, figure)


def _speeds(tasks: Tasks) -> Iterator[Speeds]:
    both = known(tasks.started) & known(tasks.completed) & (tasks.completed > tasks.started)
    for task in np.unique(tasks.task[both]).tolist():
        first, second = (both & (tasks.task == one) for one in (task, task + 1))
        people, here, there = np.intersect1d(tasks.user[first], tasks.user[second], return_indices=True)
        if len(people) < THRESHOLDS["own_pace"].least:
            continue
        a = (tasks.completed - tasks.started)[first][here]
        b = (tasks.completed - tasks.started)[second][there]
        if a.min() < a.max() and b.min() < b.max():
            yield Speeds(task, rankdata(a) / len(a), rankdata(b) / len(b))


class Dispersion(NamedTuple):
    """Counts a person: how many people, their mean, and the variance over that of a Poisson distribution."""

    name: str
    people: int
    mean: float
    ratio: float


def dispersion(observed: Observed, counters: Counters) -> Finding:
    """The counts that are most alike among people: events a person, and measures that are counts."""
    check = "dispersion"
    told = [one for one in _counts(observed, counters) if one.people >= THRESHOLDS[check].least]
    if not told:
        least = THRESHOLDS[check].least
        return unexamined(check, f"no count of {least} people or more has a mean of {LEAST_MEAN}")
    edge = THRESHOLDS[check].edge
    p_values = [_as_even(one, edge) for one in told]
    one = told[int(np.argmin(p_values))]
    says = (
        f"{one.name} of {one.people:,} people have a mean of {one.mean:,.2f} and {one.ratio:,.2f} times the variance "
        "of independent draws from one rate (Poisson); people differ, which makes more"
    )
    figure = drawn(
        "bar", "count", "variance over that of Poisson", [one.name for one in told], [one.ratio for one in told],
        [1.0] * len(told),
    )  # fmt: skip
    people = sum(one.people for one in told)
    return found(check, people, one.ratio, several(np.array(p_values)), says, figure)


def _as_even(one: Dispersion, edge: float) -> float:
    free = (one.people - 1) / (1 + KURTOSIS / 2)
    return float(chdtr(free, free * one.ratio / edge))


def _counts(observed: Observed, counters: Counters) -> Iterator[Dispersion]:
    people, total, squares = counters.per_person
    free = observed.events is not None and observed.events.free
    if free and people > 1 and total / people >= LEAST_MEAN:
        mean = total / people
        variance = (squares - people * mean**2) / (people - 1)
        # Who never came is not in the events: compared with a Poisson distribution without its zeros.
        rate = _untruncated(mean)
        yield Dispersion("events", people, mean, variance / (mean * (1 + rate - mean)))
    for measure in observed.measures:
        if measure.kind == "count":
            value = measure.value[usable(measure.value) & (measure.value >= 0)]
            if len(value) > 1 and value.mean() >= LEAST_MEAN:
                mean = float(value.mean())
                yield Dispersion(measure.name, len(value), mean, float(value.var(ddof=1)) / mean)


def _untruncated(mean: float) -> float:
    """The rate of a Poisson distribution whose mean without zeros is this (fixed point; mean > 1)."""
    rate = mean
    for _ in range(200):
        rate = mean * (1 - exp(-rate))
    return rate

"""What is read from the arms at a look, by the functions that the publisher reads with, and from when on."""

from collections.abc import Callable, Collection
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.validate.draw import Units
from benchmarks.validate.stack import Stack
from models.inference import conversions, sample_ratio
from models.inference.adjusted import Adjusted, adjusted
from models.inference.columns import COVARIATES, OUTCOME, UNITS, UPTAKE
from models.inference.effect import Effect, difference_of_ratios, intention_to_treat, p_value, statistic
from models.inference.means import Array, Means
from models.inference.sequence import e_value, tuning
from models.readout.gates import LEAST_CLUSTERS, LEAST_EFFECTIVE, LEAST_EVENTS, LEAST_TAKERS

if TYPE_CHECKING:
    from benchmarks.validate.follow import Question

Flags = NDArray[np.bool_]
PEEKING, OFFERED, ADJUSTED, CONVERSIONS, RATIO = "fixed p", "ITT", "adjusted", "conversions", "sample ratio"
"""They cross where they find a difference."""
OFFERED_TRUTH, ADJUSTED_TRUTH, COMPLIER = (
    "ITT leaves the truth out",
    "adjusted leaves it out",
    "complier set leaves it out",
)
"""They cross where they leave the true effect out; the complier effect's is Anderson and Rubin's, at the truth."""
PLACES = np.array([UNITS, OUTCOME, UPTAKE, COVARIATES])
"""Where the columns of a stack stand in the arms; those that nothing here is asked of are left out of the sums."""


class Looked(NamedTuple):
    """A read-out at one look. kept: the runs that are looked into; of these: it says something; it crosses."""

    kept: NDArray[np.int64]
    there: Flags
    crossing: Flags


def ready(stack: Stack, binary: bool) -> NDArray[np.int64]:
    """Runs with enough in both arms: clusters, what they are worth and, of yes/no outcomes, events and non-events."""
    squares = stack.products[:, [0, 1], UNITS, [0, 1], UNITS]
    worth = squares**2 >= LEAST_EFFECTIVE * stack.fourths
    enough = (stack.clusters[:, 1:] >= LEAST_CLUSTERS).all(axis=1) & worth.all(axis=1)
    if binary:
        n, y = stack.sums[:, :, UNITS], stack.sums[:, :, OUTCOME]
        enough &= (np.minimum(y, n - y) >= LEAST_EVENTS).all(axis=1)
    return np.flatnonzero(enough)


def read(stack: Stack, units: Units, question: "Question", names: Collection[str]) -> dict[str, Looked]:
    """The read-outs of these names, of every run, at this look."""
    found: dict[str, Looked] = {}
    if RATIO in names:
        found[RATIO] = _ratio(stack, units, question)
    if CONVERSIONS in names:
        found[CONVERSIONS] = _conversions(stack, question)
    kept = ready(stack, question.binary)
    if len(kept):
        means = stack.means(units.scale, kept)
        takers = stack.sums[kept][:, :, UPTAKE].sum(axis=1) >= LEAST_TAKERS
        for name in names:
            if name == PEEKING:
                p = p_value(intention_to_treat(means))
                found[name] = Looked(kept, np.isfinite(p), p < question.alpha)
            elif name in EFFECTS:
                effect = EFFECTS[name](means, question)
                if isinstance(effect, Adjusted):
                    effect = effect.effect
                e = evidence(effect, means, tuning(question.alpha, question.planned))
                there = np.isfinite(e) & (takers if name == COMPLIER else True)
                found[name] = Looked(kept, there, e >= 1 / question.alpha)
    return found


def _from(effect: Effect, truth: float) -> Effect:
    return effect._replace(estimate=effect.estimate - truth)


def _adjusted_from(effect: Adjusted, truth: float) -> Adjusted:
    return effect._replace(estimate=effect.estimate - truth)


EFFECTS: dict[str, Callable[[Means, "Question"], Effect | Adjusted]] = {
    OFFERED: lambda means, _: intention_to_treat(means),
    OFFERED_TRUTH: lambda means, question: _from(intention_to_treat(means), question.itt),
    ADJUSTED: lambda means, _: adjusted(padded(means)),
    ADJUSTED_TRUTH: lambda means, question: _adjusted_from(adjusted(padded(means)), question.itt),
    COMPLIER: lambda means, question: at_truth(means, question.complier_effect),
}
"""What is watched: an effect that is 0 if nothing differs, or if the truth is the truth."""


def evidence(effect: Effect, means: Means, rho2: float) -> Array:
    """The e-value of an effect as it is published: with its own degrees of freedom, at the units of both arms."""
    return e_value(statistic(effect), effect.df, means.units.sum(axis=-1), rho2)


def at_truth(means: Means, complier_effect: float) -> Effect:
    """Outcome less what help did to those who took it: no effect of the offer is left in it, if this is the truth."""
    return difference_of_ratios(means, {OUTCOME: 1, UPTAKE: -complier_effect}, {UNITS: 1})


def padded(means: Means) -> Means:
    """The means with every column at its place; one that was not summed up is 0 in every unit."""
    shape = means.mean.shape[:-1]
    columns = COVARIATES + 1
    mean, covariance = np.zeros((*shape, columns)), np.zeros((*shape, columns, 2, columns))
    mean[..., PLACES] = means.mean
    covariance[..., PLACES[:, None, None], np.arange(2)[:, None], PLACES] = means.covariance
    return replace(means, mean=mean, covariance=covariance)


def _conversions(stack: Stack, question: "Question") -> Looked:
    converted = stack.sums[:, :, OUTCOME]
    e = conversions.e_value(converted[:, 1], converted[:, 0], question.share)
    return Looked(stack.every, converted.sum(axis=1) > 0, e >= 1 / question.alpha)


def _ratio(stack: Stack, units: Units, question: "Question") -> Looked:
    """Of accounts where these are assigned, else of units."""
    counts = stack.clusters[:, 1:] if units.by_account else stack.sums[:, :, UNITS]
    e = sample_ratio.e_value(counts, (1 - question.share, question.share), question.concentration)
    return Looked(stack.every, np.ones(len(e), bool), e >= 1 / question.srm_alpha)

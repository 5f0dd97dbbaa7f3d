"""The effects that an experiment's metrics are read by, of all metrics at once: one costs about as much as all."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.special import stdtrit

from models.inference import complier, effect, sequence
from models.inference.adjusted import adjusted
from models.inference.columns import COVARIATES, OUTCOME, TRIGGERED
from models.inference.complier import BetaSet
from models.inference.effect import Effect
from models.inference.means import Array, means_of_several
from models.inference.moments import Moments
from models.keeping import FIXED_POINT
from models.plan import Experiment
from models.readout.gates import Gate

MILLIONTH = 1 / FIXED_POINT


class Figures(NamedTuple):
    """An effect, its error, the interval and p of one look, and what holds whenever one looks."""

    estimate: float
    se: float
    df: float
    low: float
    high: float
    p: float
    cs_low: float
    cs_high: float
    e_value: float


class Effects(NamedTuple):
    """What a metric's arms say. relative: lift over the control mean. fitted: columns of covariates.

    one_look, watched: the effects on compliers that the one planned look, or any look, does not reject.
    """

    itt: Figures
    adjusted: Figures
    triggered: Figures
    without_both_arms: Figures
    wald: Figures
    uptake: Figures
    balance: Figures
    relative: float
    variance_reduction: float
    first_stage_f: float
    one_look: BetaSet
    watched: BetaSet


class Watch(NamedTuple):
    """What a confidence sequence is tuned by: level, degrees of freedom, units so far, the mixture's variance."""

    alpha: float
    df: Array
    units: Array
    rho2: float

    @property
    def half_width(self) -> Array:
        """|t| at which 0 is excluded whenever one looks."""
        return sequence.half_width(self.alpha, self.df, self.units, self.rho2)


def watch_of(experiment: Experiment, df: Array, units: Array) -> Watch:
    """An effect's degrees of freedom are the same whether it is looked at once or all day."""
    return Watch(experiment.alpha, df, units, sequence.tuning(experiment.alpha, experiment.planned_units))


def effects_of(experiment: Experiment, metrics: Sequence[tuple[Moments, Gate]]) -> list[Effects]:
    """The effects on each of the metrics, whose gates are open.

    Of units in trouble those count, and an effect has no more degrees of freedom than the smaller arm has of them.
    """
    if not metrics:
        return []
    means = means_of_several([moments for moments, _ in metrics], scales(metrics[0][0].columns))
    itt, fitted, uptake = effect.intention_to_treat(means), adjusted(means), effect.uptake(means)
    units = np.array([float(sum(gate.units)) for _, gate in metrics])
    troubled = np.array([moments.column(TRIGGERED) for moments, _ in metrics], dtype=float)
    triggered = effect.triggered(means)
    every = {
        "itt": (itt, units),
        "adjusted": (fitted.effect, units),
        "triggered": (
            triggered._replace(df=np.minimum(triggered.df, troubled.min(axis=-1) - 1)),
            troubled.sum(axis=-1),
        ),
        "without_both_arms": (effect.without_both_arms(means), units),
        "wald": (complier.wald(means), units),
        "uptake": (uptake, units),
        "balance": (effect.balance(means), units),
    }
    figures = _figures([*every.values()], experiment)
    watched = watch_of(experiment, itt.df, units).half_width
    critical = np.stack([stdtrit(itt.df, 1 - experiment.alpha / 2), watched])
    sets = complier.anderson_rubin(means, critical)
    relative, stage = effect.relative(means).estimate, effect.statistic(uptake) ** 2
    return [
        Effects(
            **dict(zip(every, figures[at], strict=True)),
            relative=float(relative[at]),
            variance_reduction=float(fitted.variance_reduction[at]),
            first_stage_f=float(stage[at]),
            one_look=BetaSet(*(part[0, at] for part in sets)),
            watched=BetaSet(*(part[1, at] for part in sets)),
        )
        for at in range(len(metrics))
    ]


def _figures(every: Sequence[tuple[Effect, Array]], experiment: Experiment) -> list[list[Figures]]:
    """By metric, those of each effect, given with the units that it is an effect on."""
    found = Effect(*map(np.stack, zip(*(one for one, _ in every), strict=True)))
    watch = watch_of(experiment, found.df, np.stack([units for _, units in every]))
    e_value = sequence.e_value(effect.statistic(found), watch.df, watch.units, watch.rho2)
    one_look, whenever = effect.interval(found, experiment.alpha), effect.around(found, watch.half_width)
    figures = np.stack([*found, *one_look, effect.p_value(found), *whenever, e_value], axis=-1)
    return [[Figures(*one) for one in figures[:, at].tolist()] for at in range(figures.shape[1])]


def scales(columns: int) -> Array:
    """What one of each column is worth: amounts are in millionths, counts are not."""
    found = np.ones(columns)
    found[OUTCOME:COVARIATES] = [MILLIONTH, 1, 1, MILLIONTH, 1, MILLIONTH]
    found[COVARIATES::2] = MILLIONTH
    return found

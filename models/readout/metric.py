"""One metric's read-out: what is said of it in `experiment:{id}` (EVENTS.md), from the experiment's sums."""

from typing import Any, NamedTuple

import numpy as np
from scipy.special import ndtr

from models.facts import FIXED_POINT
from models.inference import effect, sequence
from models.inference.adjusted import CLUSTERS_A_COLUMN, adjusted
from models.inference.columns import BOTH_ARMS, COVARIATES, OUTCOME, TRIGGERED, UNITS
from models.inference.effect import Effect
from models.inference.evidence import p_always_valid
from models.inference.means import Means, means_of
from models.inference.moments import Moments
from models.outcomes import BINARY, EVENTS, kind_of
from models.plan import Metric, Plan, PublishedPlan
from models.readout.gates import LEAST_CLUSTERS, Gate, gate_of
from models.readout.written import bounds, chance, explained, number
from models.tally import Total

Snapshot = dict[str, Any]
MILLIONTH = 1 / FIXED_POINT
NO_BASE = "there is no relative lift over a control mean that is not clearly above 0"
NO_VARIANCE = "the outcomes do not vary, so nothing says how sure one can be"


class Question(NamedTuple):
    """A metric of an experiment at a moment, with the sums that answer it."""

    published: PublishedPlan
    metric: Metric
    total: Total
    time: int

    @property
    def plan(self) -> Plan:
        return self.published.plan

    @property
    def arms(self) -> tuple[str, str]:
        """Control and treatment."""
        return self.plan.experiment.control, self.plan.treatment

    @property
    def binary(self) -> bool:
        return kind_of(self.metric) in BINARY

    @property
    def is_event(self) -> bool:
        return kind_of(self.metric) in EVENTS

    def part(self, name: str = "") -> Moments | None:
        """The metric's moments, or those of a finer view."""
        return self.total.moments.get(f"{self.metric.name}/{name}" if name else self.metric.name)

    def counts(self, name: str) -> tuple[int, int]:
        """A counter in control and in treatment."""
        control, treatment = (self.total.counts.get(f"{arm}:{name}", 0) for arm in self.arms)
        return control, treatment


class Arms(NamedTuple):
    """The metric's mature units: their means, and whether they are enough to read."""

    means: Means
    gate: Gate


def arms_of(question: Question) -> Arms | None:
    """None where no unit is mature for the metric, or one of the arms has none."""
    moments = question.part()
    gate = gate_of(moments, question.binary)
    if moments is None or not min(gate.units):
        return None
    return Arms(means_of(moments, scales(moments.columns)), gate)


def closed(question: Question, arms: Arms | None) -> str | None:
    """Why the metric cannot be read yet; None if it can."""
    return (gate_of(question.part(), question.binary) if arms is None else arms.gate).because


def scales(columns: int) -> np.ndarray:
    """What one of each column is worth: amounts are in millionths, counts are not."""
    found = np.ones(columns)
    found[OUTCOME:COVARIATES] = [MILLIONTH, 1, 1, MILLIONTH, 1, MILLIONTH]
    found[COVARIATES::2] = MILLIONTH
    return found


def read_arms(question: Question) -> Snapshot:
    """Units, sum and mean of each arm's mature units."""
    moments = question.part()
    found = {}
    for block, arm in enumerate(question.arms):
        at = 0 if moments is None else block * moments.columns
        units = 0 if moments is None else moments.sums[at + UNITS]
        total = 0 if moments is None else moments.sums[at + OUTCOME]
        mean = number(total / units * MILLIONTH) if units else None
        found[arm] = {"units": units, "sum": number(total * MILLIONTH), "mean": mean}
    return found


# -- fixed and always-valid readings of one effect -----------------------------------------------------------------


class Watch(NamedTuple):
    """What a confidence sequence is tuned by: level, degrees of freedom, units so far, the mixture's variance."""

    alpha: float
    df: float
    units: float
    rho2: float

    @property
    def half_width(self) -> float:
        """|t| at which 0 is excluded whenever one looks."""
        return float(sequence.half_width(self.alpha, self.df, self.units, self.rho2))


def watch_of(question: Question, gate: Gate, columns: int = 0) -> Watch:
    """df is what the smaller arm's clusters are worth, less one, and less the covariates that were fitted."""
    experiment = question.plan.experiment
    rho2 = sequence.tuning(experiment.alpha, experiment.planned_units)
    return Watch(experiment.alpha, gate.effective - 1 - columns, sum(gate.units), rho2)


def always_valid(found: Effect, watch: Watch) -> Snapshot:
    """The confidence sequence's present interval, and the evidence against no effect: of the present arms alone."""
    e_value = sequence.e_value(effect.statistic(found), watch.df, watch.units, watch.rho2)
    return {
        "cs": bounds(*effect.around(found, watch.half_width)),
        "e_value": chance(e_value),
        "p_always_valid": chance(p_always_valid(e_value)),
    }


ALWAYS_VALID = ("cs", "e_value", "p_always_valid")


def unknown(names: tuple[str, ...], because: str | None) -> Snapshot:
    """Figures that cannot be had yet, with the reason."""
    return {**dict.fromkeys(names), "because": because}


def read_itt(question: Question, arms: Arms | None) -> Snapshot:
    """Intention to treat: the effect of being offered help, on all units of each arm."""
    names = ("estimate", "relative", "se", "df", "ci", "p", *ALWAYS_VALID)
    if arms is None or not arms.gate.open:
        return unknown(names, closed(question, arms))
    found = effect.intention_to_treat(arms.means)
    if not found.se > 0:
        return unknown(names, NO_VARIANCE) | {"estimate": number(found.estimate)}
    read = {
        "estimate": number(found.estimate),
        "relative": number(effect.relative(arms.means).estimate),
        "se": number(found.se),
        "df": number(found.df),
        "ci": bounds(*effect.interval(found, question.plan.experiment.alpha)),
        "p": chance(effect.p_value(found)),
    }
    return {**explained(read, NO_BASE), **watched(question, found, watch_of(question, arms.gate))}


def watched(question: Question, found: Effect, watch: Watch) -> Snapshot:
    """The always-valid part of a read-out; an analysis fixed in advance has one look, and no such part."""
    if question.plan.experiment.analysis == "fixed":
        return dict.fromkeys(ALWAYS_VALID)
    return always_valid(found, watch)


def read_adjusted(question: Question, arms: Arms | None) -> Snapshot | None:
    """The same effect with what was known of the units before; None where the plan names no covariates."""
    if not question.plan.experiment.covariates:
        return None
    names = ("estimate", "se", "ci", "cs", "p_always_valid", "variance_reduction")
    if arms is None or not arms.gate.open:
        return unknown(names, closed(question, arms))
    found = adjusted(arms.means)
    if not found.se > 0:
        because = (
            f"an adjusted effect needs {CLUSTERS_A_COLUMN} accounts for each column fitted, and outcomes that vary"
        )
        return unknown(names, because)
    told = watched(question, found.effect, watch_of(question, arms.gate, int(found.columns)))
    return {
        "estimate": number(found.estimate),
        "se": number(found.se),
        "df": number(found.df),
        "ci": bounds(*effect.interval(found.effect, question.plan.experiment.alpha)),
        **told,
        "variance_reduction": number(found.variance_reduction),
    }


def read_triggered(question: Question, arms: Arms | None) -> Snapshot:
    """Intention to treat among the units in trouble, and whether trouble is as common in both arms."""
    names = ("estimate", "se", "cs", "balance_p")
    moments = question.part()
    units = dict.fromkeys(question.arms, 0)
    if moments is not None:
        units = {arm: moments.sums[b * moments.columns + TRIGGERED] for b, arm in enumerate(question.arms)}
    if arms is None or not arms.gate.open:
        return {"units": units, **unknown(names, closed(question, arms))}
    if min(units.values()) < LEAST_CLUSTERS:
        return {"units": units, **unknown(names, f"each arm needs {LEAST_CLUSTERS} units that were in trouble")}
    found, balance = effect.triggered(arms.means), effect.balance(arms.means)
    if not found.se > 0:
        return {"units": units, **unknown(names, NO_VARIANCE)}
    fewest = min(arms.gate.effective, *units.values())
    watch = watch_of(question, arms.gate)._replace(df=fewest - 1, units=sum(units.values()))
    return {
        "units": units,
        "estimate": number(found.estimate),
        "se": number(found.se),
        "ci": bounds(*effect.interval(found, question.plan.experiment.alpha)),
        **watched(question, found, watch),
        "balance": number(balance.estimate),
        **explained({"balance_p": chance(effect.p_value(balance)) if balance.se > 0 else None}, ALL_IN_TROUBLE),
    }


ALL_IN_TROUBLE = "trouble is as common in all accounts, so there is nothing to test"


def read_sensitivity(question: Question, arms: Arms | None) -> Snapshot | None:
    """The effect without the units that were seen in both arms; None where there are none."""
    moments = question.part()
    if arms is None or moments is None or not arms.gate.open:
        return None
    both = [moments.sums[block * moments.columns + BOTH_ARMS] for block in (0, 1)]
    if not sum(both):
        return None
    found = effect.without_both_arms(arms.means)
    known = bool(found.se > 0)
    read = {
        "estimate": number(found.estimate),
        "se": number(found.se) if known else None,
        "ci": bounds(*effect.interval(found, question.plan.experiment.alpha)) if known else None,
    }
    return {"units": sum(both), **explained(read, NO_VARIANCE)}


# -- power ---------------------------------------------------------------------------------------------------------


def read_power(question: Question, arms: Arms | None) -> Snapshot:
    """The chance that the sequence excludes 0 if the effect is the smallest one that matters: now, and as planned.

    From the present error, which shrinks with the root of the units; normal approximation of the statistic.
    """
    least = abs(question.metric.minimum_effect)
    names = ("now", "at_planned_units")
    if not least:
        return unknown(names, "the plan names no minimum_effect")
    if arms is None or not arms.gate.open:
        return unknown(names, closed(question, arms))
    found = effect.intention_to_treat(arms.means)
    if not found.se > 0:
        return unknown(names, NO_VARIANCE)
    watch = watch_of(question, arms.gate)
    planned = question.plan.experiment.planned_units
    grown = max(1.0, planned / watch.units)
    later = watch._replace(units=watch.units * grown, df=(watch.df + 1) * grown - 1)
    return {
        "minimum_effect": question.metric.smallest_gain,
        "now": number(power(least / float(found.se), watch.half_width)),
        "at_planned_units": number(power(least / float(found.se) * grown**0.5, later.half_width)),
    }


def power(drift: float, half_width: float) -> float:
    """Probability that a statistic around `drift` lies beyond the half width, in standard errors."""
    return float(ndtr(drift - half_width) + ndtr(-drift - half_width))

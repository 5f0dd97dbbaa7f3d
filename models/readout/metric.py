"""One metric's read-out: what is said of it in `experiment:{id}` (EVENTS.md), from the experiment's sums."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from scipy.special import ndtr

from models.inference.adjusted import CLUSTERS_A_COLUMN
from models.inference.columns import BOTH_ARMS, OUTCOME, TRIGGERED, UNITS
from models.inference.evidence import p_always_valid
from models.inference.moments import Moments
from models.outcomes import BINARY, EVENTS, kind_of
from models.plan import Metric, Plan, PublishedPlan
from models.readout.effects import MILLIONTH, Effects, Figures, effects_of, watch_of
from models.readout.gates import LEAST_CLUSTERS, Gate, gate_of
from models.readout.written import bounds, chance, explained, number
from models.tally import Total

Snapshot = dict[str, Any]
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
        control, treatment = (self.total.group(arm).get(name, 0) for arm in self.arms)
        return control, treatment


class Arms(NamedTuple):
    """A metric's mature units: whether they are enough to read, and what they say if they are."""

    gate: Gate
    effects: Effects | None


def arms_of(questions: Mapping[str, Question]) -> dict[str, Arms]:
    """The arms of each of an experiment's metrics."""
    gates = {name: gate_of(question.part(), question.binary) for name, question in questions.items()}
    readable = [name for name, gate in gates.items() if gate.open]
    experiment = next(iter(questions.values())).plan.experiment
    found = effects_of(experiment, [(questions[name].total.moments[name], gates[name]) for name in readable])
    effects = dict(zip(readable, found, strict=True))
    return {name: Arms(gate, effects.get(name)) for name, gate in gates.items()}


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


# -- readings of one effect -----------------------------------------------------------------------------------------


def one_look(found: Figures) -> Snapshot:
    """Error and interval; null where the outcomes do not vary."""
    known = found.se > 0
    return {"se": number(found.se) if known else None, "ci": bounds(found.low, found.high) if known else None}


def whenever(question: Question, found: Figures) -> Snapshot:
    """The confidence sequence's present interval, and the evidence against no effect: of the present arms alone.

    An analysis fixed in advance has one look, and nothing of this.
    """
    if question.plan.experiment.analysis == "fixed":
        return dict.fromkeys(ALWAYS_VALID)
    return {
        "cs": bounds(found.cs_low, found.cs_high),
        "e_value": chance(found.e_value),
        "p_always_valid": chance(p_always_valid(found.e_value)),
    }


ALWAYS_VALID = ("cs", "e_value", "p_always_valid")


def unknown(names: tuple[str, ...], because: str | None) -> Snapshot:
    """Figures that cannot be had yet, with the reason."""
    return {**dict.fromkeys(names), "because": because}


def read_itt(question: Question, arms: Arms) -> Snapshot:
    """Intention to treat: the effect of being offered help, on all units of each arm."""
    names = ("estimate", "relative", "se", "df", "ci", "p", *ALWAYS_VALID)
    if arms.effects is None:
        return unknown(names, arms.gate.because)
    found = arms.effects.itt
    if not found.se > 0:
        return unknown(names, NO_VARIANCE) | {"estimate": number(found.estimate)}
    read = {
        "estimate": number(found.estimate),
        "relative": number(arms.effects.relative),
        "df": number(found.df),
        **one_look(found),
        "p": chance(found.p),
    }
    return {**explained(read, NO_BASE), **whenever(question, found)}


def read_adjusted(question: Question, arms: Arms) -> Snapshot | None:
    """The same effect with what was known of the units before; None where the plan names no covariates."""
    if not question.plan.experiment.covariates:
        return None
    names = ("estimate", "se", "ci", "cs", "p_always_valid", "variance_reduction")
    if arms.effects is None:
        return unknown(names, arms.gate.because)
    found = arms.effects.adjusted
    if not found.se > 0:
        because = (
            f"an adjusted effect needs {CLUSTERS_A_COLUMN} accounts for each column fitted, and outcomes that vary"
        )
        return unknown(names, because)
    return {
        "estimate": number(found.estimate),
        "df": number(found.df),
        **one_look(found),
        **whenever(question, found),
        "variance_reduction": number(arms.effects.variance_reduction),
    }


def read_triggered(question: Question, arms: Arms) -> Snapshot:
    """Intention to treat among the units in trouble, and whether trouble is as common in both arms."""
    names = ("estimate", "se", "cs", "balance_p")
    moments = question.part()
    units = dict.fromkeys(question.arms, 0)
    if moments is not None:
        units = dict(zip(question.arms, moments.column(TRIGGERED), strict=True))
    if arms.effects is None:
        return {"units": units, **unknown(names, arms.gate.because)}
    if min(units.values()) < LEAST_CLUSTERS:
        return {"units": units, **unknown(names, f"each arm needs {LEAST_CLUSTERS} units that were in trouble")}
    found, balance = arms.effects.triggered, arms.effects.balance
    if not found.se > 0:
        return {"units": units, **unknown(names, NO_VARIANCE)}
    return {
        "units": units,
        "estimate": number(found.estimate),
        **one_look(found),
        **whenever(question, found),
        "balance": number(balance.estimate),
        **explained({"balance_p": chance(balance.p) if balance.se > 0 else None}, ALL_IN_TROUBLE),
    }


ALL_IN_TROUBLE = "trouble is as common in all accounts, so there is nothing to test"


def read_sensitivity(question: Question, arms: Arms) -> Snapshot | None:
    """The effect without the units that were seen in both arms; None where there are none."""
    moments = question.part()
    if arms.effects is None or moments is None:
        return None
    both = sum(moments.column(BOTH_ARMS))
    if not both:
        return None
    found = arms.effects.without_both_arms
    return {"units": both, **explained({"estimate": number(found.estimate), **one_look(found)}, NO_VARIANCE)}


# -- power ---------------------------------------------------------------------------------------------------------


def read_power(question: Question, arms: Arms) -> Snapshot:
    """The chance that the sequence excludes 0 if the effect is the smallest one that matters: now, and as planned.

    From the present error, which shrinks with the root of the units; normal approximation of the statistic.
    """
    least = abs(question.metric.minimum_effect)
    names = ("now", "at_planned_units")
    if not least:
        return unknown(names, "the plan names no minimum_effect")
    if arms.effects is None:
        return unknown(names, arms.gate.because)
    error = arms.effects.itt.se
    if not error > 0:
        return unknown(names, NO_VARIANCE)
    experiment, units = question.plan.experiment, sum(arms.gate.units)
    grown = np.array([1.0, max(1.0, experiment.planned_units / units)])
    half_widths = watch_of(experiment, arms.effects.itt.df * grown, units * grown).half_width
    now, planned = (power(drift, half) for drift, half in zip(least / error * grown**0.5, half_widths, strict=True))
    return {
        "minimum_effect": question.metric.smallest_gain,
        "now": number(now),
        "at_planned_units": number(planned),
    }


def power(drift: float, half_width: float) -> float:
    """Probability that a statistic around `drift` lies beyond the half width, in standard errors."""
    return float(ndtr(drift - half_width) + ndtr(-drift - half_width))

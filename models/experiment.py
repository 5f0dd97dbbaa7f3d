"""The first read-out of an experiment over its merged counters: arms, and the difference in conversion.

statsmodels is imported when a difference is first read out: it takes three seconds, which a publisher coming back from
a crash and a command that shows a snapshot need not wait for.
"""

from collections.abc import Mapping
from math import sqrt
from typing import Any

import numpy as np
from msgspec import to_builtins

from models.plan import Plan

LEAST_UNITS = 10
"""Mature units an arm needs before a difference is read out."""


def read(plan: Plan, plan_hash: str, retrospective: bool, counts: Mapping[str, int]) -> dict[str, Any]:
    """The experiment's snapshot from its merged counters `arm:counter` (EVENTS.md, `experiment:{id}`)."""
    arms = {arm: read_arm(counts, arm) for arm in plan.experiment.arms}
    return {
        "experiment": plan.id,
        "hypothesis": plan.experiment.hypothesis,
        "plan": to_builtins(plan),
        "plan_hash": plan_hash,
        "retrospective": retrospective,
        "unit": plan.experiment.unit,
        "control": plan.experiment.control,
        "shares": dict(plan.experiment.arms),
        "arms": arms,
        "notes": {
            "both_arms": sum(counts.get(f"{arm}:both_arms", 0) for arm in arms),
            "outcome_before_assignment": sum(counts.get(f"{arm}:outcome_before_assignment", 0) for arm in arms),
        },
        "metrics": {"converted": read_converted(plan, counts)} if plan.primary.name == "converted" else {},
    }


def read_arm(counts: Mapping[str, int], arm: str) -> dict[str, int]:
    names = ("assigned", "exposed", "took_up", "clusters", "mature", "immature", "converted")
    return {name: counts.get(f"{arm}:{name}", 0) for name in names}


def read_converted(plan: Plan, counts: Mapping[str, int]) -> dict[str, Any]:
    """Conversion by arm among mature units, with the difference test minus control."""
    control, treatment = plan.experiment.control, plan.treatment
    units = {arm: counts.get(f"{arm}:mature", 0) for arm in plan.experiment.arms}
    sums = {arm: counts.get(f"{arm}:converted", 0) for arm in plan.experiment.arms}
    arms = {
        arm: {"units": units[arm], "sum": sums[arm], "mean": round(sums[arm] / units[arm], 9) if units[arm] else None}
        for arm in plan.experiment.arms
    }
    itt = two_proportions(sums[treatment], units[treatment], sums[control], units[control], plan.experiment.alpha)
    return {"role": "primary", "arms": arms, "itt": itt}


def two_proportions(x1: int, n1: int, x0: int, n0: int, alpha: float) -> dict[str, Any]:
    """Difference of two independent proportions: pooled score test, Newcombe's interval.

    Newcombe (1998), "Interval estimation for the difference between independent proportions", method 10, and the
    pooled z test, both from statsmodels. Fixed-horizon: valid for one look, which `reading` says. Null with a
    `because` until each arm has enough mature units or while nobody, or everybody, has converted.
    """
    if min(n1, n0) < LEAST_UNITS:
        return _unknown(f"each arm needs {LEAST_UNITS} mature units; they have {n1} and {n0}")
    if x1 + x0 in (0, n1 + n0):
        return _unknown("nobody has converted yet" if x1 + x0 == 0 else "everybody has converted")
    from statsmodels.stats.proportion import confint_proportions_2indep, test_proportions_2indep

    p1, p0 = x1 / n1, x0 / n0
    low, high = confint_proportions_2indep(x1, n1, x0, n0, method="newcomb", compare="diff", alpha=alpha)
    with np.errstate(divide="ignore"):  # of the relative figures, which are not read, when the control has none
        test = test_proportions_2indep(x1, n1, x0, n0, method="score", compare="diff", correction=False)
    return {
        "estimate": round(p1 - p0, 9),
        "relative": round(p1 / p0 - 1, 9) if x0 else None,
        "se": round(sqrt(p1 * (1 - p1) / n1 + p0 * (1 - p0) / n0), 9),
        "ci": [round(float(low), 9), round(float(high), 9)],
        "p": float(f"{test.pvalue:.6g}"),
        "method": "Newcombe interval, pooled z test",
        "reading": "fixed horizon: one look, units taken as independent",
    }


def _unknown(because: str) -> dict[str, Any]:
    return {"estimate": None, "relative": None, "se": None, "ci": None, "p": None, "because": because}

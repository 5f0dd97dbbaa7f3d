"""Beside the effect: what goes with the outcome in both arms together. Nobody was given any of it at random.

Doses and landmarks, first help by source, successes by hour and experience, and outcomes that are missing.
"""

from typing import Any

import numpy as np

from models.arms import DOSES, LANDMARKS, SOURCES_OF_HELP
from models.inference import effect, missing
from models.inference.doses import (
    ASSOCIATED,
    WORTH,
    Amounts,
    Converted,
    Landmark,
    Step,
    centred,
    landmark,
    steps,
    steps_of_amounts,
    trend,
)
from models.inference.means import means_of
from models.keeping import FIXED_POINT
from models.outcomes import kind_of
from models.readout.effects import MILLIONTH
from models.readout.gates import LEAST_CLUSTERS
from models.readout.metric import Question
from models.readout.written import bounds, chance, explained, number

Snapshot = dict[str, Any]
HELP_NOTE = (
    "associated with, not caused by: whom CS reaches first, and who looks for help elsewhere, was not decided at random"
)
EXPERIENCES = {"hour": 24, "day": 31, "experience": DOSES + 1}
"""By hour of the day (UTC) of the start, days since assignment (30 and later together), tasks completed before."""


def read_doses(question: Question) -> list[Snapshot]:
    """Mean outcome by completions in the window (before the outcome), and the difference that one more goes with."""
    by_dose = _doses(question)
    differences = {step.dose + 1: step for step in _steps(question, by_dose)}
    found = []
    for dose, amounts in by_dose.items():
        step = differences.get(dose)
        found.append({
            "completions": dose,
            "units": amounts.units,
            "mean": number(amounts.total / amounts.units * MILLIONTH),
            "step": None if step is None else number(step.difference),
            "step_ci": None if step is None else bounds(step.low, step.high),
        })  # fmt: skip
    return found


def _doses(question: Question) -> dict[int, Amounts]:
    counts, found = question.total.group("dose"), {}
    for dose in range(DOSES + 1):
        units = counts.get(f"{dose}:units", 0)
        if units:
            found[dose] = Amounts(units, counts.get(f"{dose}:sum", 0), counts.get(f"{dose}:squares", 0))
    return found


def _steps(question: Question, by_dose: dict[int, Amounts]) -> list[Step]:
    """Of 0/1 outcomes with Newcombe's interval, of amounts with Welch's."""
    alpha = question.plan.experiment.alpha
    if not question.binary:
        return steps_of_amounts(by_dose, alpha)
    return steps({dose: Converted(one.units, one.total // FIXED_POINT) for dose, one in by_dose.items()}, alpha)


def read_trend(question: Question) -> Snapshot:
    """By how much the outcome differs with one more completion, with its clustered error."""
    moments = question.part("dose")
    names = ("slope", "se", "p")
    if moments is None or moments.clusters[0] < LEAST_CLUSTERS:
        return {**dict.fromkeys(names), "because": f"{LEAST_CLUSTERS} mature accounts are needed", "note": ASSOCIATED}
    found = trend(means_of(centred(moments), WORTH))
    if not found.se > 0:
        because = "everybody has done as much, or the outcomes do not vary"
        return {**dict.fromkeys(names), "because": because, "note": ASSOCIATED}
    return {"slope": number(found.slope), "se": number(found.se), "p": chance(found.p), "note": ASSOCIATED}


def read_landmarks(question: Question) -> list[Snapshot]:
    """Of units without the outcome at day L: the outcome after it, by what they had completed before it."""
    found = []
    for day in LANDMARKS:
        counts = question.total.group(f"landmark:{day}")
        by_dose = {
            dose: Converted(units, counts.get(f"{dose}:sum", 0) // FIXED_POINT)
            for dose in range(DOSES + 1)
            if (units := counts.get(f"{dose}:units", 0))
        }
        found += [{"day": day, **_landmark(row)} for row in landmark(by_dose)]
    return found


def _landmark(row: Landmark) -> Snapshot:
    return {"completions": row.dose, "units": row.units, "converted": row.converted, "rate": number(row.rate)}


def read_help(question: Question) -> Snapshot:
    """Outcome after trouble by where the first help came from: CS against OTHER, with its caution."""
    moments = question.part("help")
    found: Snapshot = {}
    for block, source in enumerate(SOURCES_OF_HELP):
        units = 0 if moments is None else moments.sums[2 * block]
        total = 0 if moments is None else moments.sums[2 * block + 1]
        found[source] = {"units": units, "mean": number(total / units * MILLIONTH) if units else None}
    return {**found, "difference": _difference(question), "note": HELP_NOTE}


def _difference(question: Question) -> Snapshot:
    """CS minus OTHER."""
    moments = question.part("help")
    names = ("estimate", "se", "ci", "p")
    if moments is None or min(moments.clusters[1:]) < LEAST_CLUSTERS:
        return {**dict.fromkeys(names), "because": f"each source needs {LEAST_CLUSTERS} accounts that it helped first"}
    means = means_of(moments, np.array([1.0, MILLIONTH]))
    turned = effect.intention_to_treat(means)
    if not turned.se > 0:
        return {**dict.fromkeys(names), "because": "the outcomes do not vary"}
    found = turned._replace(estimate=-turned.estimate)
    return {
        "estimate": number(found.estimate),
        "se": number(found.se),
        "ci": bounds(*effect.interval(found, question.plan.experiment.alpha)),
        "p": chance(effect.p_value(found)),
    }


def read_successes(question: Question) -> Snapshot:
    """Share of begun tasks that were completed in the window, by hour of the day, day since assignment, experience."""
    found = {}
    for name, most in EXPERIENCES.items():
        counts, rows = question.total.group(f"success:{name}"), []
        for value in range(most):
            begun = counts.get(f"{value}:begun", 0)
            if begun:
                completed = counts.get(f"{value}:completed", 0)
                rows.append({name: value, "begun": begun, "completed": completed, "rate": number(completed / begun)})
        found[f"by_{name}"] = rows
    return {**found, "note": ASSOCIATED}


def read_missing(question: Question) -> Snapshot | None:
    """Outcomes that never came, by arm, and how far they may have moved the effect; None for kinds always known."""
    if kind_of(question.metric) not in ("outcome", "utilisation"):
        return None
    lost = question.counts(f"missing:{question.metric.name}")
    moments = question.part()
    seen = (0, 0) if moments is None else (moments.sums[0], moments.sums[moments.columns])
    mature = seen[0] + lost[0], seen[1] + lost[1]
    balance = missing.balance(mature, seen)
    found: Snapshot = {
        "units": dict(zip(question.arms, lost, strict=True)),
        "difference": number(balance.difference),
        "balance_p": chance(balance.p),
    }
    if sum(lost):
        control, treatment = (_spread(question, arm) for arm in question.arms)
        lee = missing.bounds_of_amounts(mature, control, treatment)
        found |= {"lee_bounds": bounds(lee.low, lee.high), "within": number(lee.within), "assumes": missing.ASSUMES}
    return explained(found, "an arm has no mature units, or no outcome is missing")


def _spread(question: Question, arm: str) -> dict[int, tuple[int, int]]:
    counts = question.total.group(f"{arm}:spread:{question.metric.name}")
    bins = [name.removesuffix(":units") for name in counts if name.endswith(":units")]
    return {int(bin_): (counts[f"{bin_}:units"], counts.get(f"{bin_}:sum", 0)) for bin_ in bins}

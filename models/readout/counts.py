"""Read-outs of a 0/1 outcome from counts alone, where every account is one unit: exact, or by score intervals."""

from math import isnan
from typing import Any

from models.inference import conversions, proportions
from models.inference.columns import OUTCOME
from models.inference.evidence import p_always_valid
from models.keeping import FIXED_POINT
from models.readout.gates import Gate
from models.readout.metric import Question
from models.readout.written import bounds, chance, explained

Snapshot = dict[str, Any]
SEVERAL_UNITS = "accounts hold several units, which are not independent"
NOT_BY_UNIT = "units were not assigned one by one, so their arms are not independent"


def read_exact(question: Question, gate: Gate) -> Snapshot | None:
    """Newcombe's and Miettinen-Nurminen's interval, Boschloo's p, and the conversion e-process; None unless 0/1.

    The e-process counts every unit that has had the event, mature or not, from the first one on.
    """
    if not question.binary:
        return None
    return {**_one_look(question, gate), **_watched(question)}


def _one_look(question: Question, gate: Gate) -> Snapshot:
    moments = question.part()
    n0, n1 = gate.units
    if moments is None or not (n0 and n1):
        return {"method": None, "ci": None, "p": None, "because": "an arm has no mature units"}
    if not moments.singletons:
        return {"method": None, "ci": None, "p": None, "because": SEVERAL_UNITS}
    x0, x1 = (moments.sums[block * moments.columns + OUTCOME] // FIXED_POINT for block in (0, 1))
    alpha = question.plan.experiment.alpha
    exact = proportions.boschloo(x1, n1, x0, n0)
    small = not isnan(exact)
    p = exact if small else proportions.score_p(x1, n1, x0, n0)
    read = {
        "method": "Newcombe interval, " + ("Boschloo's exact test" if small else "pooled score test"),
        "ci": bounds(*proportions.newcombe(x1, n1, x0, n0, alpha)),
        "ci_miettinen_nurminen": bounds(*proportions.miettinen_nurminen(x1, n1, x0, n0, alpha)),
        "p": chance(p),
    }
    return explained(read, "nobody has the outcome, or everybody does")


def _watched(question: Question) -> Snapshot:
    experiment = question.plan.experiment
    if not question.is_event or experiment.analysis == "fixed":
        return {"e_value": None, "p_always_valid": None}
    if not one_by_one(question):
        return {"e_value": None, "p_always_valid": None, "e_value_because": NOT_BY_UNIT}
    control, treatment = question.counts(f"events:{question.metric.name}")
    e_value = conversions.e_value(treatment, control, experiment.arms[question.plan.treatment])
    return {"e_value": chance(e_value), "p_always_valid": chance(p_always_valid(e_value))}


def one_by_one(question: Question) -> bool:
    """Whether units were assigned independently of each other: as they were randomised, or every account holds one."""
    if question.plan.experiment.randomised_by == question.plan.experiment.unit:
        return True
    assigned = question.total.moments.get("assigned")
    return assigned is not None and assigned.singletons

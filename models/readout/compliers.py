"""The effect on those who took the offer up because they got it: complier average causal effect, with its set."""

from math import inf
from typing import Any

from models.inference import complier, few_takers
from models.inference.columns import OUTCOME, UNITS, UPTAKE
from models.inference.moments import Moments
from models.keeping import FIXED_POINT
from models.readout.gates import LEAST_TAKERS
from models.readout.metric import Arms, Question, one_look, unknown
from models.readout.written import explained, number

Snapshot = dict[str, Any]
ALIKE = "uptake is the same in both arms, or the outcomes do not vary"
NAMES = ("estimate", "se", "ci", "first_stage", "first_stage_f", "ar_set", "ar_cs", "p_always_valid")


def read_cace(question: Question, arms: Arms, itt: Snapshot) -> Snapshot:
    """Effect of additional uptake among compliers; verdicts may rest on `ar_set` and `ar_cs`, never on `ci`.

    The Wald error is for information: with weak uptake it is too small. The sets hold every effect that the data do not
    reject, whenever one looks (`ar_cs`) or at the one planned look (`ar_set`): an interval, two rays or the whole line.
    itt: what `read_itt` says of the metric; without an effect of the offer there is none on compliers either.
    """
    assumes = {"assumes": complier.ASSUMES}
    if arms.effects is None:
        return {**unknown(NAMES, arms.gate.because), **assumes}
    first, wald = arms.effects.uptake, arms.effects.wald
    stage = {
        "first_stage": number(first.estimate),
        "first_stage_f": number(arms.effects.first_stage_f) if first.se > 0 else None,
    }
    if arms.gate.takers < LEAST_TAKERS:
        return {**_few_takers(question), **stage, **assumes}
    fixed = question.plan.experiment.analysis == "fixed"
    read = {
        "estimate": number(wald.estimate),
        **one_look(wald),
        **stage,
        "ar_set": _written(arms.effects.one_look),
        "ar_cs": None if fixed else _written(arms.effects.watched),
        "p_always_valid": None if fixed else itt.get("p_always_valid"),
    }
    return {**explained(read, ALIKE), **assumes}


def _few_takers(question: Question) -> Snapshot:
    """With so few takers no approximation holds: a randomisation test is inverted where the counts allow it."""
    few = f"fewer than {LEAST_TAKERS} units took the offer up"
    moments = question.part()
    if moments is None or not (question.binary and moments.singletons):
        whole = written_set([(-inf, inf)])
        because = f"{few}, and the randomisation test for so few needs 0/1 outcomes of accounts with one unit each"
        return {**unknown(NAMES, because), "ar_set": whole, "ar_cs": whole}
    found = few_takers.confidence_set(types(moments), question.plan.experiment.alpha)
    method = {"method": "randomisation test of few takers, for the one look that was planned"}
    if not found:
        because = f"{few}, and no effect on them explains how much the arms differ"
        return {**unknown(NAMES, because), **method}
    return {**unknown(NAMES, few), "ar_set": written_set(found), **method}


def types(moments: Moments) -> list[list[int]]:
    """Units of accounts with one unit each, by arm, as neither, taker, converted, both: the columns of `few_takers`."""
    found = []
    for block in (0, 1):
        at = block * moments.columns
        units, taken = moments.sums[at + UNITS], moments.sums[at + UPTAKE]
        converted = moments.sums[at + OUTCOME] // FIXED_POINT
        both = moments.product(at + OUTCOME, at + UPTAKE) // FIXED_POINT
        found.append([units - taken - converted + both, taken - both, converted - both, both])
    return found


def _written(found: complier.BetaSet) -> Snapshot | None:
    intervals = complier.as_intervals(found)
    return None if intervals is None else written_set(intervals)


def written_set(intervals: list[tuple[float, float]]) -> Snapshot:
    """A set of effects as it is published: what it is, and its intervals, an end without bound being null."""
    if intervals == [(-inf, inf)]:
        shape = "whole line"
    else:
        shape = {1: "interval", 2: "two rays"}.get(len(intervals), "several intervals")
    return {"shape": shape, "intervals": [[number(low), number(high)] for low, high in intervals]}

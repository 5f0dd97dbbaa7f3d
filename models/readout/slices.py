"""The primary's effect in parts of the units: segments, weekdays, weeks since assignment, other experiments' arms.

Exploration, not verdicts: each part is read once, with the interval of one look.
"""

from typing import Any

import numpy as np

from models.inference import effect
from models.inference.effect import Effect
from models.inference.means import Array, means_of, means_of_several
from models.inference.moments import Moments
from models.inference.segments import cochran_q
from models.readout.effects import MILLIONTH
from models.readout.gates import LEAST_CLUSTERS
from models.readout.metric import Question
from models.readout.written import bounds, chance, explained, number
from models.segments import few_segments

Snapshot = dict[str, Any]
SEGMENTS_SHOWN = 32
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
INTERACTION = {3: 1, 2: -1, 1: -1, 0: 1}
"""Cells are 2·(in treatment here) + (in treatment there)."""


def by_week(question: Question) -> list[Snapshot] | None:
    """The effect on what the outcome grew by in each week since assignment: whether it lasts, or was novelty."""
    moments = question.part("weeks")
    if moments is None:
        return None
    means = means_of(moments, np.array([1.0, *[MILLIONTH] * (moments.columns - 1)]))
    found = effect.differences(means)
    return [{"week": week, **read} for week, read in enumerate(_read(question, [moments] * len(found.se), found), 1)]


def by_weekday(question: Question) -> list[Snapshot]:
    """The effect by the weekday of assignment (UTC)."""
    return [
        {"weekday": WEEKDAYS[int(label)], **found}
        for label, found in _slices(question, "weekday/")
    ]  # fmt: skip


def segments(question: Question) -> Snapshot:
    """For each registered trait the effect in its segments, and whether the segments differ (Cochran's Q)."""
    found = {}
    for name in question.plan.experiment.segments:
        every = _slices(question, f"segment/{name}/")
        every.sort(key=lambda item: (-sum(item[1]["units"].values()), item[0]))
        shown = [{"segment": label, **read} for label, read in every[:SEGMENTS_SHOWN]]
        found[name] = {"segments": shown, "not_shown": len(every) - len(shown), "heterogeneity": _heterogeneity(every)}
    return found


def interactions(question: Question) -> list[Snapshot]:
    """Other experiments that units are in at the same time: how many are, and whether its arm changes the effect."""
    prefix = f"{question.metric.name}/with/"
    control, treatment = (question.total.group(f"{arm}:overlap") for arm in question.arms)
    found = []
    for other in sorted({*control, *treatment}):
        units = control.get(other, 0) + treatment.get(other, 0)
        found.append({"experiment": other, "units": units, **_interaction(question.total.moments.get(prefix + other))})
    return found


def _heterogeneity(every: list[tuple[str, Snapshot]]) -> Snapshot:
    """Whether the effects of the segments differ by more than chance; those too small to read are left out."""
    known = [(read["estimate"], read["se"]) for _, read in every if read["estimate"] is not None]
    found = cochran_q([estimate for estimate, _ in known], [se for _, se in known])
    read = {"q": number(found.q), "df": number(found.df), "p": chance(found.p)}
    return explained(read, "fewer than two segments are large enough to be read")


def _interaction(moments: Moments | None) -> Snapshot:
    nothing = {"interaction": None, "interaction_p": None}
    if moments is None or min(moments.clusters[1:]) < LEAST_CLUSTERS:
        return nothing | {"because": f"each pair of arms needs {LEAST_CLUSTERS} mature accounts"}
    means = means_of(moments, np.array([1.0, MILLIONTH]))
    gradient = means.gradient({(cell, 1): sign for cell, sign in INTERACTION.items()})
    estimate = sum(sign * means.value(cell, 1) for cell, sign in INTERACTION.items())
    found = effect.effect_along(means, np.asarray(estimate), gradient)
    if not found.se > 0:
        return nothing | {"because": "the outcomes do not vary"}
    return {"interaction": number(found.estimate), "interaction_p": chance(effect.p_value(found))}


def _slices(question: Question, prefix: str) -> list[tuple[str, Snapshot]]:
    whole = f"{question.metric.name}/{prefix}"
    named = {name: one for name, one in question.total.moments.items() if name.startswith(whole)}
    parts = sorted(few_segments(named).items())
    if not parts:
        return []
    several = [moments for _, moments in parts]
    found = effect.intention_to_treat(means_of_several(several, np.array([1.0, MILLIONTH])))
    read = _read(question, several, found)
    return [(name.removeprefix(whole), one) for (name, _), one in zip(parts, read, strict=True)]


def _read(question: Question, several: list[Moments], found: Effect) -> list[Snapshot]:
    """Each effect of a stack, beside the units it is of."""
    intervals = zip(*effect.interval(found, question.plan.experiment.alpha), strict=True)
    return [
        _written(question, moments, Effect(*one), low_high)
        for moments, *one, low_high in zip(several, *found, intervals, strict=True)
    ]


def _written(question: Question, moments: Moments, found: Effect, low_high: tuple[Array, Array]) -> Snapshot:
    units = {arm: moments.sums[block * moments.columns] for block, arm in enumerate(question.arms)}
    if min(moments.clusters[1:]) < LEAST_CLUSTERS or not found.se > 0:
        because = f"each arm needs {LEAST_CLUSTERS} mature accounts, and outcomes that vary"
        return {"units": units, "estimate": None, "se": None, "ci": None, "because": because}
    read = {"estimate": number(found.estimate), "se": number(found.se), "ci": bounds(*low_high)}
    return {"units": units, **explained(read, "a few accounts hold most of the units")}

"""What the offer of help changed: the randomised part, read from the experiment's snapshot."""

from collections.abc import Mapping
from math import isnan
from typing import Any

from msgspec import structs, to_builtins

from models.inference.effect import Effect, interval, p_value
from models.inference.proportions import boschloo, newcombe, score_p
from models.plan import PublishedPlan
from models.readout.decision import decide
from models.readout.looks import Looks
from models.readout.written import POINTS, bounds, chance, number
from models.report.shares import at_level, share

Answer = dict[str, Any]
Reading = Mapping[str, Any]
SEVERAL = "accounts hold several units, which are not independent"


def read_offer(reading: Reading, plan: PublishedPlan) -> Answer:
    """The effect of being offered help on engagement with CS, conversion and whatever else the plan judges by."""
    experiment = plan.plan.experiment
    arms = (experiment.control, plan.plan.treatment)
    primary = reading["metrics"][plan.plan.primary.name]
    return {
        "answered": True,
        "experiment": plan.plan.id,
        "control": arms[0],
        "treatment": arms[1],
        "shares": {arm: number(experiment.arms[arm]) for arm in arms},
        "unit": experiment.unit,
        "analysis": experiment.analysis,
        "window_days": plan.plan.primary.window_days,
        "assigned": {arm: reading["arms"][arm]["assigned"] for arm in arms},
        "mature": {arm: reading["arms"][arm]["mature"] for arm in arms},
        "both_arms": reading["notes"]["both_arms"],
        "sample_ratio": reading["srm"],
        "engagement": read_engagement(reading, arms, primary, experiment.alpha),
        "metrics": {name: read_metric(name, found, arms) for name, found in reading["metrics"].items()},
        "by_day": primary.get("by_day"),
    }


def read_engagement(reading: Reading, arms: tuple[str, str], primary: Reading, alpha: float) -> Answer:
    """Taking the offer up (within the window, before the outcome): the first stage, its interval by its clustered
    error, and, where every account is one unit, exact."""
    counts = [reading["arms"][arm] for arm in arms]
    found: Answer = {
        "arms": {arm: share(one["took_up"], one["assigned"], alpha) for arm, one in zip(arms, counts, strict=True)},
        **dict.fromkeys(("estimate", "se", "ci", "p")),
    }
    estimate, f = primary["cace"].get("first_stage"), primary["cace"].get("first_stage_f")
    if estimate is None or not f:
        found["because"] = primary["cace"].get("because", "uptake is the same in both arms")
    else:
        # F is the square of Student's t, and the arms' units are those of the primary metric.
        effect = Effect(estimate, abs(estimate) / f**0.5, primary["itt"]["df"])
        ci = bounds(*interval(effect, alpha))
        found |= {"estimate": estimate, "se": number(effect.se), "ci": ci, "p": chance(p_value(effect))}
        found |= {"at_level": at_level(ci)}
    if any(one["clusters"] != one["assigned"] for one in counts):
        return {**found, "exact": {"ci": None, "p": None, "because": SEVERAL}}
    (x0, n0), (x1, n1) = ((one["took_up"], one["assigned"]) for one in counts)
    small = boschloo(x1, n1, x0, n0)
    p, test = (score_p(x1, n1, x0, n0), "the pooled score test") if isnan(small) else (small, "Boschloo's exact test")
    ci = bounds(*newcombe(x1, n1, x0, n0, alpha))
    return {**found, "exact": {"method": test, "ci": ci, "p": chance(p), "at_level": at_level(ci)}}


def read_metric(name: str, found: Reading, arms: tuple[str, str]) -> Answer:
    """One outcome: the effect of the offer at one look and watched, on compliers, and among those in trouble."""
    itt, cace, triggered = found["itt"], found["cace"], found["triggered"]
    answer: Answer = {
        "metric": name,
        "role": found["role"],
        "is_share": name.partition(":")[0] in POINTS,
        "arms": {arm: found["arms"][arm] for arm in arms},
        "itt": {**itt, "at_level": at_level(itt.get("ci")), "at_level_watched": at_level(itt.get("cs"))},
        "complier": {**cace, "at_level": _of_set(cace.get("ar_set"))},
        "triggered": {**triggered, "at_level": at_level(triggered.get("ci"))},
    }
    if found.get("exact") is not None:
        answer["exact"] = {**found["exact"], "at_level": at_level(found["exact"].get("ci"))}
    if found.get("cuped") is not None:
        answer["adjusted"] = {**found["cuped"], "at_level": at_level(found["cuped"].get("ci"))}
    return answer


def _of_set(ar_set: Reading | None) -> str | None:
    """Where a set of effects lies; a set of several parts is not told apart from 0 unless all are on one side."""
    if ar_set is None:
        return None
    sides = {at_level(part) for part in ar_set["intervals"]}
    return sides.pop() if len(sides) == 1 else "not told"


# -- the verdict -------------------------------------------------------------------------------------------------------


def read_verdict(reading: Reading, published: PublishedPlan, looks: Looks, time: int) -> Answer:
    """The verdict of the plan's own analysis, and that of one look at the end, had the plan stated it."""
    plan = published.plan
    found: Answer = {
        "answered": True,
        **reading["decision"],
        "analysis": plan.experiment.analysis,
        "minimum_effect": plan.primary.smallest_gain,
        "metric": plan.primary.name,
        "power": reading["metrics"][plan.primary.name].get("power"),
        "answer_by": reading["metrics"][plan.primary.name].get("answer_by"),
    }
    if plan.experiment.analysis == "sequential":
        once = structs.replace(plan.experiment, analysis="fixed", analyse_at=plan.experiment.starts_at)
        fixed = structs.replace(published, plan=structs.replace(plan, experiment=once))
        found["read_once"] = decide(fixed, {**reading, "plan": to_builtins(fixed.plan)}, looks, time)._asdict()
    return found

"""The verdict, and because of what: in words that name their numbers, for people who decide.

In this order: data that cannot be trusted; too early by the calendar; the primary's sequence; else go on. It reads the
experiment's figures as they are published, and what looking has found once and for all.
"""

from collections.abc import Mapping
from math import ceil
from typing import Any, Literal, NamedTuple

from models.clock import DAY
from models.plan import Metric, Plan, PublishedPlan
from models.readout.looks import Looks
from models.readout.written import between, in_words

Verdict = Literal["keep_running", "double_down", "pivot", "unhealthy"]
MOST_IN_BOTH_ARMS = 0.01
WEEK = 7


class Decision(NamedTuple):
    verdict: Verdict
    because: str


def decide(published: PublishedPlan, reading: Mapping[str, Any], looks: Looks, time: int) -> Decision:
    """The verdict on an experiment at event time `time`."""
    distrust = unhealthy(published.plan, reading, looks)
    if distrust:
        return Decision("unhealthy", distrust)
    wait = too_early(published, time)
    if wait:
        return Decision("keep_running", wait)
    plan = published.plan
    fixed = plan.experiment.analysis == "fixed"
    if fixed and (plan.analyse_at is None or time < plan.analyse_at):
        return Decision("keep_running", "a fixed analysis has one look, on the date stated in the plan")
    harmed = [because for metric in guardrails(plan) if (because := harm(metric, reading))]
    if harmed:
        return Decision("pivot", "; ".join(harmed))
    return _fixed(plan, reading) if fixed else _sequential(plan, reading, looks)


def unhealthy(plan: Plan, reading: Mapping[str, Any], looks: Looks) -> str:
    """Why nothing else of the experiment is to be believed; empty when there is no such reason."""
    srm, assigned = reading["srm"], {arm: found["assigned"] for arm, found in reading["arms"].items()}
    counts = " and ".join(f"{count} in {arm}" for arm, count in assigned.items())
    planned = " and ".join(f"{100 * share:.4g}% {arm}" for arm, share in plan.experiment.arms.items())
    if srm["p_final"] is not None and srm["p_final"] < plan.srm.alpha:
        return (
            f"the arms hold {counts}, which {planned} would give with probability {srm['p_final']:.2g} (sample ratio "
            "mismatch): find out what lets units in or drops them before believing any effect"
        )
    if looks.unhealthy_at is not None:
        return (
            f"the sample ratio's e-value reached {1 / plan.srm.alpha:g} ({counts}; planned {planned}): find out what "
            "lets units in or drops them before believing any effect"
        )
    both, every = reading["notes"]["both_arms"], sum(assigned.values())
    if every and both > MOST_IN_BOTH_ARMS * every:
        return f"{both} of {every} units ({both / every:.1%}) were assigned to both arms; more than 1 % is too many"
    return ""


def too_early(published: PublishedPlan, time: int) -> str:
    """What the calendar still asks for: whole weeks, so that every weekday counts alike, at least min_days."""
    least = ceil(published.plan.experiment.min_days / WEEK) * WEEK
    ran = (time - published.begins) / DAY
    if ran >= least:
        return ""
    return f"verdicts wait for {least} days (whole weeks), of which {max(ran, 0):.1f} have passed"


def guardrails(plan: Plan) -> list[Metric]:
    return [metric for metric in plan.metric if metric.role == "guardrail"]


def _gains(metric: Metric, interval: list[float | None]) -> tuple[float | None, float | None]:
    """An interval in the direction in which more is better: least and most gain; None without a bound."""
    low, high = interval
    if metric.higher_is_better:
        return low, high
    return (None if high is None else -high), (None if low is None else -low)


def harm(metric: Metric, reading: Mapping[str, Any]) -> str:
    """What a guardrail's sequence has shown to be worse than its margin allows; empty if nothing."""
    cs = sequence_of(metric, reading)
    if cs is None:
        return ""
    _, most = _gains(metric, cs)
    margin = abs(metric.margin or 0.0)
    if most is not None and most < -margin:
        return f"guardrail {metric.name} is worse by more than its margin {margin:g}: {between(metric.name, cs)}"
    return ""


def passes(metric: Metric, reading: Mapping[str, Any]) -> bool:
    """Whether a guardrail's sequence excludes harm beyond the margin."""
    cs = sequence_of(metric, reading)
    least = None if cs is None else _gains(metric, cs)[0]
    return least is not None and least > -abs(metric.margin or 0.0)


def sequence_of(metric: Metric, reading: Mapping[str, Any]) -> list[float | None] | None:
    """The metric's interval that verdicts rest on: its sequence's, or in a fixed analysis that of its one look."""
    fixed = reading["plan"]["experiment"]["analysis"] == "fixed"
    return reading["metrics"][metric.name]["itt"].get("ci" if fixed else "cs")


def _sequential(plan: Plan, reading: Mapping[str, Any], looks: Looks) -> Decision:
    primary, found = plan.primary, reading["metrics"][plan.primary.name]
    cs = found["itt"].get("cs")
    if cs is None:
        return Decision("keep_running", f"too early to say: {found['itt'].get('because', 'nothing is known yet')}")
    least, most = _gains(primary, cs)
    said = f"{primary.name}: {_effect(primary, found['itt']['estimate'], cs)}"
    better = least is not None and least > 0
    held_up = _held_up(plan, reading)
    if better and looks.rejected_at is not None and not held_up:
        return Decision("double_down", f"{said} excludes 0, and the queue's evidence was reached")
    if most is not None and most < abs(primary.minimum_effect):
        return Decision("pivot", f"{said}: at most {in_words(primary.name, most)} better, below {_smallest(primary)}")
    if better and looks.rejected_at is None:
        needed = 1 / reading["queue"]["level"]
        because = f"{said} excludes 0, but the queue of experiments asks for an e-value of {needed:g}"
        return Decision("keep_running", f"{because}; it is {found['itt']['e_value']:.3g}")
    if better:
        return Decision("keep_running", f"{said} excludes 0; {held_up}")
    return Decision("keep_running", f"{said} does not decide yet{_power(primary, found)}{_answer(found)}")


def _held_up(plan: Plan, reading: Mapping[str, Any]) -> str:
    """The guardrails that have not passed, in words; empty if all have."""
    waiting = [metric.name for metric in guardrails(plan) if not passes(metric, reading)]
    return f"guardrails not yet safe: {', '.join(waiting)}" if waiting else ""


def _fixed(plan: Plan, reading: Mapping[str, Any]) -> Decision:
    """The one look that was stated in advance."""
    primary, found = plan.primary, reading["metrics"][plan.primary.name]
    ci = found["itt"].get("ci")
    if ci is None:
        return Decision("keep_running", f"nothing to read at the stated date: {found['itt'].get('because')}")
    least, most = _gains(primary, ci)
    said = f"{primary.name}, read once as planned: {_effect(primary, found['itt']['estimate'], ci)}"
    better, held_up = least is not None and least > 0, _held_up(plan, reading)
    if better and not held_up:
        return Decision("double_down", f"{said} excludes 0")
    if most is not None and most < abs(primary.minimum_effect):
        return Decision("pivot", f"{said}: below {_smallest(primary)}")
    return Decision("keep_running", f"{said} excludes 0; {held_up}" if better else f"{said} does not decide")


def _effect(metric: Metric, estimate: float, interval: list[float | None]) -> str:
    return f"{in_words(metric.name, estimate)}, {between(metric.name, interval)}"


def _power(primary: Metric, found: Mapping[str, Any]) -> str:
    now = found["power"]["now"]
    if now is None:
        return ""
    least = in_words(primary.name, primary.smallest_gain)
    return f"; an effect of {least} would have been seen by now with a probability of {now:.0%}"


def _answer(found: Mapping[str, Any]) -> str:
    date = found.get("answer_by")
    return "" if date is None else f"; an answer is expected by {date[:10]}"


def _smallest(primary: Metric) -> str:
    return f"{in_words(primary.name, abs(primary.minimum_effect))}, the smallest effect that matters"

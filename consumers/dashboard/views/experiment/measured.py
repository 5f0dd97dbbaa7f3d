"""The outcomes of an experiment: each with its effects, figures of one look, curve, and what is missing."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from consumers.dashboard.views.experiment.effects import (
    NOTHING_KNOWN,
    Effect,
    chance,
    difference,
    effects_of,
    interval,
    metric_name,
    of_hundred,
    sentence,
    set_of,
    why,
)
from consumers.dashboard.views.experiment.whole import Json, is_fixed, planned
from models.alerts import figures
from models.plan import Metric
from models.readout.decision import harm, passes, sequence_of


class Measured(NamedTuple):
    """One metric: its effects, their one-look figures, its curve and times, and what is missing of it."""

    name: str
    says: str
    role: str
    better: str
    window: str
    effects: list[Effect]
    once: list[list[str]]
    assumes: list[str]
    stage: str
    balance: str | None
    triggered: str
    times: list[str]
    missing: list[str]


def measured(snapshot: Json, name: str) -> Measured:
    found, metric, fixed = snapshot["metrics"][name], planned(snapshot)[name], is_fixed(snapshot)
    return Measured(
        name=name, says=metric_name(name), role=metric.role,
        better="more is better" if metric.higher_is_better else "less is better",
        window=figures.number(metric.window_days), effects=effects_of(name, found, fixed), once=one_look(name, found),
        assumes=list(found["cace"].get("assumes", [])), stage=stage(found["cace"]), balance=balance(found["triggered"]),
        triggered=", ".join(f"{units:,} in {arm}" for arm, units in found["triggered"]["units"].items()),
        times=times(found.get("time")), missing=missing(name, found.get("missing")),
    )  # fmt: skip


def one_look(name: str, found: Json) -> list[list[str]]:
    """Figures of one look, beside those that hold whenever one looks: what, interval, p, more. Null has its reason."""
    itt, cuped, cace = found["itt"], found.get("cuped"), found["cace"]
    rows = [_once("Being offered help", name, itt, _more(itt))]
    if itt.get("e_value") is not None:
        within = interval(name, itt["cs"]) if itt.get("cs") else ""
        rows.append(_watched("The same, watched all day", within, itt))
    if found.get("exact") is not None:
        rows += _from_counts(name, found["exact"])
    if cuped is not None:
        less = cuped.get("variance_reduction")
        rows.append(_once("Adjusted", name, cuped, [] if less is None else [f"variance reduced by {of_hundred(less)}"]))
    rows.append(_once("Those who took it, as if uptake were strong", name, cace, []))
    if cace.get("ar_set") is not None:
        method = str(cace.get("method", "Anderson and Rubin"))
        rows.append(["Those who took it, whatever the uptake", set_of(name, cace["ar_set"]), "", method])
    return rows


def _more(itt: Json) -> list[str]:
    found = []
    if itt.get("p_holm") is not None:
        found.append(f"p corrected for several outcomes {chance(itt['p_holm'])}")
    if itt.get("relative") is not None:
        found.append(f"relative to control {of_hundred(itt['relative'])}")
    if itt.get("se") is not None:
        found.append(f"standard error {figures.number(itt['se'])}")
    if itt.get("df") is not None:
        found.append(f"{figures.number(itt['df'])} degrees of freedom")
    return found


def _from_counts(name: str, exact: Json) -> list[list[str]]:
    more = [exact["method"]] if exact.get("method") else []
    if exact.get("ci_miettinen_nurminen") is not None:
        more.append(f"Miettinen and Nurminen: {interval(name, exact['ci_miettinen_nurminen'])}")
    rows = [_once("Being offered help, from counts", name, exact, more)]
    if exact.get("e_value") is not None:
        rows.append(_watched("From counts, watched all day", "", exact))
    elif exact.get("e_value_because"):
        rows.append(["From counts, watched all day", sentence(exact["e_value_because"]), "", ""])
    return rows


def _watched(what: str, within: str, found: Json) -> list[str]:
    """Evidence that holds whenever one looks."""
    more = f"e-value {figures.number(found['e_value'])}"
    if found.get("p_always_valid_holm") is not None:
        more += f"; p corrected for several outcomes {chance(found['p_always_valid_holm'])}"
    return [what, within, chance(found["p_always_valid"]) or "", more]


def _once(what: str, name: str, found: Json, more: Sequence[str]) -> list[str]:
    held = found.get("ci")
    within = (why(found) or NOTHING_KNOWN) if held is None else interval(name, held)
    return [what, within, chance(found.get("p")) or "", "; ".join(more)]


def stage(cace: Json) -> str:
    """How much more help was taken because of the offer."""
    first, f = cace.get("first_stage"), cace.get("first_stage_f")
    if first is None:
        return "How much more help was taken because of the offer is not known yet."
    said = f"The offer changed the share of those who took help by {difference('converted', first)}"
    return f"{said}." if f is None else f"{said} (F {figures.number(f)})."


def balance(triggered: Json) -> str | None:
    """Whether trouble is as common in both arms: else those in trouble are not comparable."""
    p = chance(triggered.get("balance_p"))
    if p is None:  # without an effect the reason stands beside that
        return None if triggered.get("estimate") is None else why(triggered)
    return f"Whether trouble is as common in both arms: p {p}. A small p means that the two are not comparable."


def times(found: Json | None) -> list[str]:
    """Times until the outcome, in sentences."""
    if found is None:
        return []
    median = found["median"]
    hours_of = {arm: hours for arm, hours in median.items() if arm != "because" and hours is not None}
    known = [f"{figures.number(hours)} hours in {arm}" for arm, hours in hours_of.items()]
    lines = [f"Half have had it after {', '.join(known)}."] if known else []
    if median.get("because"):
        lines.append(f"No median{' in the other arm' if known else ''}: {median['because']}.")
    if found.get("rmst_difference") is not None:
        error = "" if found.get("rmst_se") is None else f" (standard error {figures.number(found['rmst_se'])})"
        hours = difference("", found["rmst_difference"])
        until = figures.number(found["rmst_until_hours"])
        lines.append(f"Mean time until it within {until} hours: {hours} hours with the offer{error}.")
    p = chance(found.get("log_rank_p"))
    test = f"Whether the two curves differ (log-rank test): p {p}."
    lines.append(test if p else f"No test of the curves: {found['because']}.")
    return lines


def missing(name: str, found: Json | None) -> list[str]:
    """Outcomes that never came, and how far they may have moved the effect."""
    if found is None:
        return []
    never = ", ".join(f"{units:,} in {arm}" for arm, units in found["units"].items())
    lines = [f"Outcomes that never came: {never}."]
    if found.get("balance_p") is not None:
        lines.append(f"Whether they are as common in both arms: p {chance(found['balance_p'])}.")
    if found.get("lee_bounds") is not None:
        lines.append(f"They may have moved the effect as far as {interval(name, found['lee_bounds'])} (Lee 2009).")
    if found.get("because"):
        lines.append(sentence(found["because"]))
    return lines


def provisional(snapshot: Json, name: str) -> tuple[dict[str, Any], str] | None:
    """Shares by day since assignment and what they show in a sentence; None where no unit has been watched a day."""
    curves = snapshot["metrics"][name].get("by_day")
    known = {} if not curves else {arm: [p for p in points if p["share"] is not None] for arm, points in curves.items()}
    if not any(known.values()):
        return None
    ends = [
        f"{figures.percent(points[-1]['share'])} by day {points[-1]['day']} in {arm}"
        for arm, points in known.items() if points
    ]  # fmt: skip
    return dict(known), f"{metric_name(name)}: {', '.join(ends)}."


def by_day_rows(curves: Mapping[str, Sequence[Json]]) -> list[list[str]]:
    """The curves as a table: day, and for each arm the share so far and how many are still watched."""
    days = sorted({point["day"] for points in curves.values() for point in points})
    at = [{point["day"]: _share(point) for point in points} for points in curves.values()]
    return [[str(day), *(points.get(day, "not watched so long") for points in at)] for day in days]


def _share(point: Json) -> str:
    return f"{figures.percent(point['share'])} ({point['at_risk']:,} at risk)"


def guardrails(snapshot: Json) -> list[dict[str, str]]:
    """What must not get worse: how far it may, how it stands, and what is known."""
    found = []
    for metric in planned(snapshot).values():
        if metric.role != "guardrail":
            continue
        held = sequence_of(metric, snapshot)
        stands, tone = _stands(metric, snapshot, known=held is not None)
        said = why(snapshot["metrics"][metric.name]["itt"]) or NOTHING_KNOWN
        found.append({
            "name": metric_name(metric.name), "margin": difference(metric.name, abs(metric.margin or 0.0)).lstrip("+"),
            "stands": stands, "tone": tone, "within": said if held is None else interval(metric.name, held),
            "better": "more is better" if metric.higher_is_better else "less is better",
        })  # fmt: skip
    return found


def _stands(metric: Metric, snapshot: Json, known: bool) -> tuple[str, str]:
    """How a guardrail stands, and its tone."""
    if not known:
        return "Too early to say", ""
    if harm(metric, snapshot):
        return "Worse than it may be", "bad"
    return ("Safe", "good") if passes(metric, snapshot) else ("Not yet safe", "warn")

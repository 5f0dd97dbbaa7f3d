"""Who is in an experiment: its arms, units that do not count, whether they came as planned, and who else has them."""

from typing import Any

from consumers.dashboard.views.experiment.effects import NOTHING_KNOWN, amount, chance, difference, often, why
from consumers.dashboard.views.experiment.whole import Json, primary_of, treatment_of
from consumers.dashboard.words import sentence
from models.alerts import figures


def arms(snapshot: Json) -> list[dict[str, Any]]:
    """Arms with their counts, the control first."""
    name, primary = primary_of(snapshot)
    found = []
    for arm in (snapshot["control"], treatment_of(snapshot)):
        counts, read = snapshot["arms"][arm], primary["arms"][arm]
        found.append({
            **counts, "arm": arm, "share": figures.percent(snapshot["shares"][arm]),
            "cs": counts.get("took_up:CS", 0), "other": counts.get("took_up:OTHER", 0), "units": read["units"],
            "mean": amount(name, read["mean"]) or "No unit is mature yet",
        })  # fmt: skip
    return found


def units_note(snapshot: Json) -> list[str]:
    """Units that do not count, do not count yet, or may spoil the comparison, each in a sentence."""
    counts, notes = snapshot["arms"].values(), snapshot["notes"]
    noun = snapshot["unit"]
    immature, missing = (sum(arm[name] for arm in counts) for name in ("immature", "missing"))
    found = [
        _are(immature, noun, "immature", "not compared before the window after assignment is over"),
        _are(missing, noun, "mature with an outcome that never came", "missing, not 0, and not compared"),
        _are(notes["both_arms"], noun, "known from both arms", "counted in the first"),
        _are(notes["outcome_before_assignment"], noun, "assigned after the outcome had come", "it is none of theirs"),
    ]  # fmt: skip
    if notes["mixed_accounts"]:
        found.append(sentence(notes.get("spillover") or f"{notes['mixed_accounts']} accounts have users in both arms"))
    return found


def _are(count: int, noun: str, what: str, then: str) -> str:
    if not count:
        return f"No {noun} is {what}."
    return f"{figures.count(count, noun)} {'is' if count == 1 else 'are'} {what}: {then}."


def health(snapshot: Json) -> dict[str, Any]:
    """The sample ratio in words."""
    srm, unhealthy = snapshot["srm"], snapshot["looks"]["unhealthy_at"]
    return {
        "healthy": srm["healthy"],
        "counts": ", ".join(f"{count:,} in {arm}" for arm, count in srm["counts"].items()),
        "planned": ", ".join(f"{figures.percent(share)} {arm}" for arm, share in snapshot["shares"].items()),
        "e_value": None if srm["e_value"] is None else figures.number(srm["e_value"]),
        "bound": figures.number(1 / snapshot["plan"]["srm"]["alpha"]),
        "p": chance(srm["p_final"]),
        "because": why(srm),
        "at": unhealthy,
    }


def overlaps(snapshot: Json) -> list[dict[str, Any]]:
    """Other experiments that units are in at the same time."""
    name, _ = primary_of(snapshot)
    found = []
    for one in snapshot["notes"]["overlaps"]:
        says = why(one) or NOTHING_KNOWN
        if one.get("interaction_p") is not None:
            by = difference(name, one["interaction"])
            says = f"Its other arm changes the effect by {by} (p {chance(one['interaction_p'])})."
        found.append({"experiment": one["experiment"], "units": f"{one['units']:,}", "says": says})
    return found


def answer_says(snapshot: Json) -> str:
    """When an answer is to be expected, or why nobody can say."""
    _, primary = primary_of(snapshot)
    if snapshot["decision"]["verdict"] in ("double_down", "pivot"):
        return "There is an answer."
    assigned = sum(arm["assigned"] for arm in snapshot["arms"].values())
    if primary.get("answer_by"):
        return ""
    if not assigned:
        return "Nobody has been assigned yet, so no date can be told."
    if not sum(arm["immature"] for arm in snapshot["arms"].values()):
        return "Everybody assigned so far is mature: the figures change only if more are assigned."
    return "At the rate so far no date can be told."


def power_says(snapshot: Json) -> str:
    """The chance to see the smallest effect that matters."""
    name, primary = primary_of(snapshot)
    power = primary.get("power") or {}
    if power.get("now") is None:
        return why(power) or NOTHING_KNOWN
    least = difference(name, power["minimum_effect"])
    return (
        f"An effect of {least}, the smallest that matters, would have been seen by now with a probability of "
        f"{often(power['now'])}; with all planned units of {often(power['at_planned_units'])}."
    )

"""Advice before an experiment starts: the numbers that Redis holds already, and the advice in words."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from msgspec.structs import replace

from models.advice import LONGEST, WANTED, Advice, Duration, Known, Power, Running, is_share
from models.clock import DAY, micros
from models.plan import Plan, PublishedPlan
from models.product import Product

Snapshot = Mapping[str, Any]


def known_from(snapshot: Snapshot, plan: Plan, product: Product, stated: Known) -> tuple[Known, list[str]]:
    """What was stated, completed by what the snapshots `quality` and `funnel` count; and a word on where it is from."""
    found: dict[str, Any] = {}
    notes = []
    quality = snapshot.get("quality") or {}
    users, accounts = quality.get("users"), quality.get("accounts")
    if stated.users_per_account is None and users and accounts:
        found["users_per_account"] = users / accounts
        notes.append(f"users per account are those so far: {users:,} of {accounts:,} accounts")
    counted = users if plan.experiment.unit == "user" or product.people_are_accounts else accounts
    if stated.units is None and counted:
        notes.append(
            f"{counted:,} {plan.experiment.unit}s are known so far; --units says how many can still be assigned"
        )
    if stated.base_rate is None:
        rate = base_rate(snapshot.get("funnel") or {}, plan, product)
        if rate is not None:
            found["base_rate"] = rate
            notes.append(
                "the rate is that of all users so far, with those whose time is not over yet: it may be too low"
            )
    return replace(stated, **found), notes


def base_rate(funnel: Snapshot, plan: Plan, product: Product) -> float | None:
    """The primary metric's share among users so far, over all journeys; None where the funnel does not count it.

    The funnel counts users: for accounts of several users it would be another share, so it is not taken for them.
    """
    if plan.experiment.unit == "account" and not product.people_are_accounts:
        return None
    metric = plan.primary
    journeys = [value for name, value in funnel.items() if any(journey.id == name for journey in product.journey)]
    users = done = 0
    for journey in journeys:
        if metric.name == "converted":
            users += sum(dose["users"] for dose in journey["dose"])
            done += sum(dose["converted"] for dose in journey["dose"])
        elif metric.task in journey["tasks"] and is_share(metric):
            users += journey["users"]
            done += journey["tasks"][metric.task]["completed"]
    return done / users if 0 < done < users else None


def running_from(snapshot: Snapshot, plans: Mapping[str, PublishedPlan]) -> list[Running]:
    """The running experiments, with what their snapshots count."""
    found = []
    for id_, published in sorted(plans.items()):
        if published.state != "running":
            continue
        value = snapshot.get(f"experiment:{id_}") or {}
        arms = value.get("arms", {}).values()
        time = (value.get("as_of") or {}).get("time")
        ran = micros(datetime.fromisoformat(time)) - published.begins if time else 0
        assigned, exposed = (sum(arm[name] for arm in arms) if arms else None for name in ("assigned", "exposed"))
        found.append(Running(published, assigned, exposed, ran / DAY / 7 if ran > 0 else None))
    return found


def sentences(plan: Plan, advice: Advice) -> list[str]:
    """The advice as a person reads it, one thing a line."""
    known, unit = advice.known, plan.experiment.unit
    arms = " and ".join(f"{count:,} in {arm}" for arm, count in advice.units.items())
    said = [f"planned: {plan.experiment.planned_units:,} {unit}s, {arms}"]
    if advice.design_effect is not None and advice.design_effect > 1:
        worth = plan.experiment.planned_units / advice.design_effect
        said.append(f"they are worth {worth:,.0f} independent ones (design effect {advice.design_effect:.2f})")
    said += [*of_power(plan, advice.power), *of_duration(advice.duration)]
    said += [f"clash: {clash}" for clash in advice.clashes]
    said += [
        f"overlap: about {overlap.share:.0%} of its units are also in {overlap.experiment!r}, assigned independently"
        for overlap in advice.overlaps
    ]
    if advice.offers_per_unit_per_week is not None:
        said.append(f"offers: running experiments show each unit at least {advice.offers_per_unit_per_week:.2f} a week")
    elif advice.overlaps:
        said.append("offers: what running experiments show to a unit is not known")
    if known.base_rate is not None and is_share(plan.primary):
        said.append(f"taken as known: {known.base_rate:.1%} have the outcome without the treatment")
    return said + [f"note: {note}" for note in advice.notes]


def of_power(plan: Plan, power: Power) -> list[str]:
    said = []
    if power.effect is None or power.fixed is None or power.always_valid is None:
        said.append(f"power: not known; {power.because}")
    else:
        said.append(
            f"power to see {power.effect:+g} by then: {power.always_valid:.0%} looked at all the time, "
            f"{power.fixed:.0%} looked at once (this plan: {plan.experiment.analysis})"
        )
        if power.units_wanted is None:
            said.append(f"{WANTED:.0%} needs more than {LONGEST:g} times the planned units, looked at all the time")
        else:
            said.append(f"{WANTED:.0%} needs {power.units_wanted:,} units, looked at all the time")
    if power.detectable_always_valid is not None and power.detectable_fixed is not None:
        said.append(
            f"smallest effect seen with {WANTED:.0%}: {power.detectable_always_valid:+.3g} looked at all the time, "
            f"{power.detectable_fixed:+.3g} looked at once"
        )
    return said


def of_duration(duration: Duration) -> list[str]:
    if duration.weeks is None:
        return [f"how long: not known; {duration.because}"]
    return [
        f"how long: {duration.weeks:.1f} weeks to assign all, answer by {duration.answer_by} ({duration.days} days)"
    ]

"""Open alerts in words, and what may be done with each."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from consumers.dashboard.views.account import called, reason, step
from models.alerts import figures
from models.alerts.life import TABLE

Json = Mapping[str, Any]
STATES = {"open": "Open", "acknowledged": "Acknowledged", "snoozed": "Snoozed", "noted": "Noted", "over": "Over",
          "closed": "Closed"}  # fmt: skip
VERDICTS = "useful", "not useful", "already known"


class Told(NamedTuple):
    """An alert in words. what: what it rests on. step: what to do next. unsent: of each message that could not be
    delivered, by which channel and why. may: the commands that its state takes."""

    id: str
    account_id: str
    account: str
    rule: str
    state: str
    owner: str
    opened_at: str | None
    snoozed_until: str | None
    what: str
    step: str
    told: tuple[str, ...]
    held: str
    by: str
    unsent: tuple[str, ...]
    may: frozenset[str]


def told(alert: Json) -> Told:
    """An alert of `alerts:open` in words."""
    evidence, state = alert.get("evidence") or {}, str(alert["state"])
    account_id = str(alert.get("account_id") or "")
    unsent = tuple(
        f"{one['channel']}: {one.get('error') or 'not said why'} (tried {figures.count(one.get('tries') or 0, 'time')})"
        for one in alert.get("deliveries") or () if one["state"] == "undeliverable"
    )  # fmt: skip
    return Told(
        str(alert["alert_id"]), account_id, called({**evidence, "account_id": account_id}), str(alert["rule"]),
        STATES.get(state, state), str(alert.get("owner") or ""), alert.get("opened_at"), alert.get("snoozed_until"),
        *said(evidence), tuple(alert.get("told") or ()), str(alert.get("held") or ""), str(alert.get("by") or ""),
        unsent, may(state, bool(unsent)),
    )  # fmt: skip


def said(evidence: Json) -> tuple[str, str]:
    """What an alert rests on, and what to do next; empty where nothing of it is kept."""
    if "user_id" in evidence:
        why = "; ".join((evidence.get("trouble") or {}).get("why") or ())
        at = f" at task {evidence['position']}" if evidence.get("position") else ""
        return f"{evidence['user_id']} is stuck{at}{f': {why}' if why else ''}", step(evidence)
    if "score" not in evidence:
        return str(evidence.get("because") or ""), ""
    change = evidence.get("change_7d")
    moved = "" if not change else f", {'down' if change < 0 else 'up'} {figures.points(change)} in a week"
    name = str(evidence.get("name") or "score").capitalize()
    pull = reason(evidence)
    return f"{name} {figures.score(evidence['score'])} of 100{moved}{f'. Lowered most by {pull}' if pull else ''}", ""


def may(state: str, undeliverable: bool) -> frozenset[str]:
    """The commands that an alert in this state takes."""
    taken = {given for held, given in TABLE if held == state and given in COMMANDS}
    return frozenset(taken | ({"retry"} if undeliverable else set()))


COMMANDS = "acknowledge", "snooze", "resolve", "reopen"


def urgent_first(alerts: Iterable[Json]) -> list[Json]:
    """Open ones before those that somebody has taken up, the oldest first."""
    order = {"open": 0, "acknowledged": 1, "snoozed": 2}
    return sorted(alerts, key=lambda one: (order.get(one["state"], 3), one.get("opened_at") or "", one["alert_id"]))

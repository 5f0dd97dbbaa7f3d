"""Open alerts in words, and what may be done with each."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple
from urllib.parse import urlencode

from consumers.dashboard.views.account import reason, step
from consumers.dashboard.views.asked import called_of
from models.alerts import figures
from models.alerts.life import ACTIVE, COMMANDS, TABLE

Json = Mapping[str, Any]
STATES = {"open": "Open", "acknowledged": "Acknowledged", "snoozed": "Snoozed", "noted": "Noted", "over": "Over",
          "closed": "Closed"}  # fmt: skip
CLOSED = "closed"
URGENCY = {"open": 0, "acknowledged": 1, "snoozed": 2}


class Told(NamedTuple):
    """An alert in words. what: what it rests on. step: what to do next. unsent: of each message that could not be
    delivered, by which channel and why. may: the commands that its state takes. at: when something became of it last.
    verdict: of whoever has closed it. rests_on: when what it rests on was said; the account may have moved since, by
    less than an alert is told of."""

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
    at: str | None
    verdict: str
    rests_on: str | None


def told(alert: Json) -> Told:
    """An alert of `alerts:open` or `alerts:closed` in words."""
    evidence, state = alert.get("evidence") or {}, str(alert["state"])
    account_id = str(alert.get("account_id") or "")
    unsent = tuple(
        f"{one['channel']}: {one.get('error') or 'not said why'} (tried {figures.count(one.get('tries') or 0, 'time')})"
        for one in alert.get("deliveries") or () if one["state"] == "undeliverable"
    )  # fmt: skip
    return Told(
        str(alert["alert_id"]), account_id, called_of(alert), str(alert["rule"]),
        STATES.get(state, state), str(alert.get("owner") or ""), alert.get("opened_at"), alert.get("snoozed_until"),
        *said(evidence), tuple(alert.get("told") or ()), str(alert.get("held") or ""), str(alert.get("by") or ""),
        unsent, may(state, bool(unsent)), alert.get("at"), str(alert.get("verdict") or ""),
        evidence.get("at"),
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


def latest_first(alerts: Iterable[Json]) -> list[Json]:
    """What was closed, the last first."""
    return sorted(alerts, key=lambda one: (str(one.get("at") or ""), one["alert_id"]), reverse=True)


def urgent_first(alerts: Iterable[Json]) -> list[Json]:
    """Open ones before those that somebody has taken up, the oldest first."""
    return sorted(alerts, key=lambda one: brief(one).order)


class Brief(NamedTuple):
    """What an alert is found by: of the many that may be open no more is held than this."""

    id: str
    account_id: str
    owner: str
    rule: str
    state: str
    opened_at: str
    at: str
    undeliverable: bool

    @property
    def order(self) -> tuple[int, str, str]:
        """Open ones before those that somebody has taken up, the oldest first."""
        return URGENCY.get(self.state, len(URGENCY)), self.opened_at, self.id


def brief(alert: Json) -> Brief:
    unsent = any(one["state"] == "undeliverable" for one in alert.get("deliveries") or ())
    return Brief(
        str(alert["alert_id"]), str(alert.get("account_id") or ""), str(alert.get("owner") or ""), str(alert["rule"]),
        str(alert["state"]), str(alert.get("opened_at") or ""), str(alert.get("at") or ""), unsent,
    )  # fmt: skip


class Board:
    """All alerts that are shown, counted by what they may be looked for by, and those that are asked for."""

    def __init__(self, owner: str = "", state: str = "", rule: str = "") -> None:
        self.owner, self.state, self.rule = owner, state, rule
        self.owners: Counter[str] = Counter()
        self.rules: Counter[str] = Counter()
        self.states: Counter[str] = Counter()
        self.active = 0
        self._found: list[Brief] = []

    def take(self, alert: Json) -> None:
        one = brief(alert)
        self.active += one.state in ACTIVE
        if (one.state == CLOSED) == (self.state == CLOSED):
            self.owners[one.owner] += 1
            self.rules[one.rule] += 1
        self.states[one.state] += 1
        self.states["undeliverable"] += one.undeliverable and one.state != CLOSED
        state = one.undeliverable if self.state == "undeliverable" else not self.state or one.state == self.state
        if state and self.owner in ("", one.owner) and self.rule in ("", one.rule):
            self._found.append(one)

    def found(self) -> list[Brief]:
        """Those that are asked for, the most urgent first; of closed ones, the last."""
        if self.state == CLOSED:
            return sorted(self._found, key=lambda one: (one.at, one.id), reverse=True)
        return sorted(self._found, key=lambda one: one.order)

    def address(self, path: str = "/alerts", **other: str) -> str:
        """These alerts' address, with something else."""
        asked = {"owner": self.owner, "state": self.state, "rule": self.rule, **other}
        told = {name: value for name, value in asked.items() if value}
        return f"{path}?{urlencode(told)}" if told else path

"""Scores and signals as rules read them, and an account that lives through them."""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from models.alerts.alert import Alert, Refused
from models.alerts.book import Book
from models.alerts.decide import Command, Engine, Heard, of_command, of_time
from models.alerts.delivery import plan, sent
from models.alerts.evidence import decode_score, decode_signal
from models.alerts.rules import Rules, read_rules
from models.clock import HOUR, rfc3339
from models.messages import encode
from tests.support.build import T0, Json

AT_RISK = '[[rule]]\nid = "at-risk"\nwhen = { band = "at_risk" }\n'
CHANNEL = '[[channel]]\nid = "chat"\nurl = "http://127.0.0.1/hook"\n'


def score(points: float = 80.0, band: str | None = None, at: int = T0, account: str = "acme", **given: Any) -> Json:
    """A message of `account-scores`, as far as rules read it. band: by default that of the activity index."""
    named = band or ("healthy" if points >= 60 else "watch" if points >= 30 else "at_risk")
    return {"account_id": account, "at": rfc3339(at), "score": points, "band": named, "basis": "heuristic",
            "close": {"score": points, "band": named}, "closes": [], "basis_changed": False, "probability": None,
            "revenue_at_risk": None, "signs": {}, "traits": {"owner": "olga"}, "causes": [{"type": "session_started"}],
            **given}  # fmt: skip


def signal(user: str = "ann", task: str | None = "2", at: int = T0, account: str = "acme", **given: Any) -> Json:
    """A message of `journey-signals`; without a task the user is in no trouble."""
    return {"account_id": account, "user_id": user, "journey": "getting-started", "at": rfc3339(at), "position": "2",
            "stuck_since": rfc3339(at - 24 * HOUR), "trouble": {"yes": task is not None, "why": ["overdue"]},
            "next_step": {"task": task or "2", "do": "offer help" if task else "continue"}, **given}  # fmt: skip


class Desk:
    """The rule engine with the alerts that it has made, moved along by hand."""

    def __init__(self, rules: Rules | str, capacity: int | None = None) -> None:
        self.rules = read_rules(rules) if isinstance(rules, str) else rules
        self.engine, self.book, self.capacity = Engine(self.rules), Book(), capacity
        self.now = T0
        self.transitions: list[Alert] = []

    def take(self, *messages: Json, quietly: bool = False) -> list[str]:
        """What messages that come one after the other make of their accounts' alerts."""
        return [f"{one.rule}: {one.transition}" for message in messages for one in self._take(message, quietly)]

    def _take(self, message: Json, quietly: bool) -> Sequence[Alert]:
        raw = encode(message)
        held = self.book.alerts_of(message["account_id"])
        if "journey" in message or message.get("forgotten"):
            return self._put(
                self.engine.of_signal(held, decode_signal(raw), Heard(message, "olga", None, quietly), self.now)
            )
        found = decode_score(raw)
        found = msgspec.structs.replace(found, listed=message.get("listed"))
        heard = Heard(message, found.trait("owner"), found.score, quietly or found.only_the_model_changed)
        assert held or self.engine.concerns(found) or not self.engine.of_score(held, found, heard, self.now)
        return self._put(self.engine.of_score(held, found, heard, self.now))

    def _put(self, alerts: Iterable[Alert]) -> Sequence[Alert]:
        found = list(alerts)
        for alert in found:
            self.book.put(alert)
            self.transitions.append(alert)
        return found

    def after(self, days: float = 0, hours: float = 0) -> "Desk":
        """Let time pass."""
        self.now += round((days * 24 + hours) * HOUR)
        self._put(of_time(list(self.book.snoozed.values()), self.now))
        return self

    def told(self, taken: bool = True) -> list[tuple[str, str]]:
        """Who is told of which rules now: (owner, rules of one message). taken: by the channels, at once."""
        planned = self._put(
            plan(self.book.waiting.values(), self.book.told(self.now), self.rules, self.capacity, self.now, self.now)
        )
        messages: dict[str, list[Alert]] = {}
        for alert in planned:
            for one in alert.due[:1]:
                messages.setdefault(one.message, []).append(alert)
            for one in alert.due if taken else ():
                self._put([sent(self.book.by_id[alert.id], one.message, one.channel, self.now, self.now)])
        return [(alerts[0].owner, ", ".join(one.rule for one in alerts)) for alerts in messages.values()]

    def asks(self, do: str, alert: Alert | None = None, **given: Any) -> Alert | Refused:
        """A person's command on an alert, by default the only one there is."""
        one = alert or next(iter(self.book.by_id.values()))
        command = Command(alert_id=one.id, account_id=one.account_id, do=do, by="olga", at=self.now, **given)
        found = of_command(one, command, self.now)
        if isinstance(found, Alert):
            self._put([found])
        return found

    @property
    def only(self) -> Alert:
        (alert,) = self.book.by_id.values()
        return alert

"""Alerts with the messages that they rest on, as their forms are made of."""

from typing import Any

from models.alerts.alert import Alert
from models.alerts.rules import read_rules
from tests.support.build import T0, Json

RULES = read_rules("""
account_page = "https://crm.example.com/a?id={account_id}&tab=health"
[[rule]]
id = "at-risk"
when = { band = "at_risk" }
[[rule]]
id = "stuck"
when = { stuck = {} }
""")


def evidence(called: str = "Acme Ltd", **more: Any) -> Json:
    drivers = [
        {"feature": "active_days", "value": 0.5, "typical": [2.25, 4.5], "change_7d": -1.5, "contribution": -21.4},
        {"feature": "weekly_share", "value": 0.125, "typical": None, "change_7d": None, "contribution": -4.4},
    ]
    return {
        "account_id": "acme", "at": "2026-05-15T08:30:00Z", "score": 24.37, "name": "health score", "band": "at_risk",
        "basis": "logistic-7", "closes": [["2026-05-08", 43.12]], "probability": 0.2437, "revenue_at_risk": 1512.6,
        "signs": {"tickets_open": 4}, "causes": [{"type": "time passed"}], "traits": {"name": called}, "drivers": drivers,
        **more,
    }  # fmt: skip


def alert(given: Json | None = None, **more: Any) -> Alert:
    told = {"id": "a1", "account_id": "acme", "rule": "at-risk", "reason": "at_risk", "owner": "dana", "state": "open",
            "episode": 2, "evidence": evidence() if given is None else given, "told": (T0,)}  # fmt: skip
    return Alert(**told | more)


def signal(user: str = "ann", **more: Any) -> Alert:
    step = {"task": "invite", "do": "offer help"}
    given = {"account_id": "acme", "user_id": user, "journey": "start", "at": "2026-05-15T08:30:00Z", "next_step": step,
             "trouble": {"yes": True, "why": ["failed task invite 2 times"]}}  # fmt: skip
    return alert(given, id="b2", rule="stuck", **more)

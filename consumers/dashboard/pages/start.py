"""The start page: who needs somebody first and why, open alerts, what experiments say, whether all is well."""

from consumers.dashboard.page import Asked, Page, View
from consumers.dashboard.read import Read
from consumers.dashboard.views import alerts as alerting
from consumers.dashboard.views import start as words
from models.alerts.life import ACTIVE
from models.keys import ALERT_RULES, account_key

FIRST, ALERTS = 10, 5
"""Accounts of the capacity list, and alerts of theirs, that are shown."""
KEYS = "at-risk", "experiments", "model", ALERT_RULES


async def start(read: Read, _: Asked) -> View:
    """Today, in one look. However many alerts are open, only those of the first accounts are read."""
    at_risk, experiments, model, report, quality = await read.many([*KEYS, "quality"])
    entries = (at_risk or {}).get("accounts", [])[:FIRST]
    ids = [one["account_id"] for one in entries]
    accounts = await read.many([account_key(one) for one in ids])
    alerts = [one for one in await read.alerts_of(*ids) if one["state"] in ACTIVE]
    first_alerts = alerting.urgent_first(alerts)[:ALERTS]
    headlines = (experiments or {}).get("experiments", [])
    shown = {
        "at_risk": at_risk, "first": words.first(entries, accounts), "open": (report or {}).get("open", 0),
        "experiments": [words.said(one) for one in headlines],
        "alerts": [alerting.told(one) for one in first_alerts], "more": len(alerts) - len(first_alerts),
        "watched": report is not None, "well": quality, "waiting": words.lag_of(quality or {}),
        "worries": list(words.worries(quality, model, headlines, (report or {}).get("undeliverable", 0))),
        "by_index": any(one["probability"] is None for one in entries),
    }  # fmt: skip
    data = {"at-risk": at_risk, "accounts": accounts, "experiments": experiments, "model": model, "quality": quality,
            "alerts": {"open": shown["open"], "first": first_alerts}}  # fmt: skip
    return View("Today", "start.html", data, shown, (*KEYS, *map(account_key, ids)))


PAGES = (Page("/", "/", start, "Today, in one look"),)

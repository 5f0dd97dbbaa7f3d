"""The start page: who needs somebody first and why, open alerts, what experiments say, whether all is well."""

from consumers.dashboard.page import Asked, Page, View
from consumers.dashboard.read import Read
from consumers.dashboard.views import alerts as alerting
from consumers.dashboard.views import start as words
from models.keys import account_key

FIRST, ALERTS = 10, 5
"""Accounts of the capacity list, and alerts, that are shown."""
KEYS = "at-risk", "experiments", "model", "alerts:open"


async def start(read: Read, _: Asked) -> View:
    """Today, in one look."""
    at_risk, experiments, model, quality = await read.many(["at-risk", "experiments", "model", "quality"])
    entries = (at_risk or {}).get("accounts", [])[:FIRST]
    accounts = await read.many([account_key(one["account_id"]) for one in entries])
    board = alerting.Board()
    async for one in read.scanned("alerts:open"):
        board.take(one)
    alerts = await read.some("alerts:open", [one.id for one in board.found()[:ALERTS]])
    headlines = (experiments or {}).get("experiments", [])
    shown = {
        "at_risk": at_risk, "first": words.first(entries, accounts), "board": board,
        "experiments": [words.said(one) for one in headlines],
        "alerts": [alerting.told(one) for one in alerts if one is not None], "well": quality,
        "waiting": words.lag_of(quality or {}),
        "worries": list(words.worries(quality, model, headlines, board.states["undeliverable"])),
        "by_index": any(one["probability"] is None for one in entries),
    }  # fmt: skip
    data = {"at-risk": at_risk, "accounts": accounts, "experiments": experiments, "model": model, "quality": quality,
            "alerts": {"open": board.active, "first": alerts}}  # fmt: skip
    keys = (*KEYS, *(account_key(one["account_id"]) for one in entries))
    return View("Today", "start.html", data, shown, keys)


PAGES = (Page("/", "/", start, "Today, in one look"),)

"""The start page: who needs somebody first, what experiments say, whether all is well."""

from consumers.dashboard.page import Asked, Page, View
from consumers.dashboard.read import Read

FIRST = 10
"""Accounts of the capacity list that are shown."""
KEYS = "at-risk", "experiments", "model", "alerts:open"


async def start(read: Read, _: Asked) -> View:
    """Today, in one look."""
    at_risk, experiments, model, quality = await read.many(["at-risk", "experiments", "model", "quality"])
    alerts = await read.fields("alerts:open")
    accounts = (at_risk or {}).get("accounts", [])[:FIRST]
    return View(
        "Today",
        "start.html",
        {"at-risk": at_risk, "experiments": experiments, "model": model, "quality": quality, "alerts": alerts},
        {
            "at_risk": at_risk, "accounts": accounts, "experiments": (experiments or {}).get("experiments", []),
            "alerts": sorted(alerts.values(), key=lambda alert: alert["opened_at"]), "model": model,
        },
        KEYS,
    )  # fmt: skip


PAGES = (Page("/", "/", start, "Today, in one look"),)

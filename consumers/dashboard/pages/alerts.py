"""Alerts: what is open, what could not be delivered, and what each rule has come to."""

from consumers.dashboard.page import Asked, Page, View
from consumers.dashboard.read import Read
from consumers.dashboard.views import alerts as words
from models.alerts.alert import VERDICTS

PAGE = 25
ASKS = "owner", "state", "rule", "page"
STATES = "open", "acknowledged", "snoozed", "undeliverable"


async def alerts(read: Read, asked: Asked) -> View:
    """All open alerts, of one owner, state or rule where one is asked for, and the report of rules."""
    board = words.Board(asked.get("owner", ""), asked.get("state", ""), asked.get("rule", ""))
    async for one in read.scanned("alerts:open"):
        board.take(one)
    report = await read.get("alerts:rules")
    page = asked.get("page", "1")
    number = max(1, int(page)) if page.isascii() and page.isdigit() and len(page) < 8 else 1
    found = board.found()
    start = (number - 1) * PAGE
    ids = [one.id for one in found[start : start + PAGE]]
    held = await read.some("alerts:open", ids)
    shown = {
        "board": board, "alerts": [words.told(one) for one in held if one is not None], "of": len(found),
        "page": number, "pages": max(1, -(-len(found) // PAGE)), "verdicts": VERDICTS,
        "states": [(one, board.states[one]) for one in STATES],
        "rules": (report or {}).get("rules", []), "report": report,
    }  # fmt: skip
    data = {"of": len(found), "alerts": [one for one in held if one is not None], "rules": report}
    return View("Alerts", "alerts.html", data, shown, ("alerts:open", "alerts:rules"))


PAGES = (Page("/alerts", "/alerts", alerts, "Open alerts, and what each rule has come to", ASKS),)

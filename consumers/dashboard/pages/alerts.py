"""Alerts: what is open or was closed, what could not be delivered, what was refused, and what each rule has come to."""

from consumers.dashboard.page import Asked, Page, View
from consumers.dashboard.read import Json, Read
from consumers.dashboard.views import alerts as words
from consumers.dashboard.views.asked import asked_of, became, listed, refusals
from models.alerts.alert import VERDICTS
from models.keys import ALERT_RULES, CLOSED_ALERTS, OPEN_ALERTS, REFUSED_COMMANDS, account_key

PAGE, REFUSED = 25, 10
"""Alerts of a page, and refused commands that are shown at once; more of them are behind a fold."""
ASKS = "owner", "state", "rule", "page", "asked"
STATES = "open", "acknowledged", "snoozed", "undeliverable"
KEYS = OPEN_ALERTS, CLOSED_ALERTS, REFUSED_COMMANDS, ALERT_RULES


async def alerts(read: Read, asked: Asked) -> View:
    """All open alerts, of one owner, state or rule where one is asked for, or those that were closed; the commands that
    were refused; and the report of rules."""
    board = words.Board(asked.get("owner", ""), asked.get("state", ""), asked.get("rule", ""))
    closed = board.state == words.CLOSED
    for key in (OPEN_ALERTS, CLOSED_ALERTS) if closed else (OPEN_ALERTS,):
        async for one in read.scanned(key):
            board.take(one)
    report, refused = await read.many([ALERT_RULES, REFUSED_COMMANDS])
    page = asked.get("page", "1")
    number = max(1, int(page)) if page.isascii() and page.isdigit() and len(page) < 8 else 1
    found = board.found()
    start = (number - 1) * PAGE
    ids = [one.id for one in found[start : start + PAGE]]
    held = [one for one in await read.some(CLOSED_ALERTS if closed else OPEN_ALERTS, ids) if one is not None]
    command = asked_of(asked.get("asked", ""))
    what = None if command is None else became(command, await _named(read, command.alert_id), report, refused)
    shown = {
        "board": board, "alerts": [words.told(one) for one in held], "of": len(found),
        "page": number, "pages": max(1, -(-len(found) // PAGE)), "verdicts": VERDICTS,
        "states": [*((one, board.states[one]) for one in STATES), (words.CLOSED, _closed(report))],
        "closed": _closed(report), "refused": refusals(refused, await _accounts(read, refused)), "became": what,
        "shown_refused": REFUSED,
        "rules": (report or {}).get("rules", []), "report": report,
    }  # fmt: skip
    data = {"of": len(found), "alerts": held, "rules": report, "refused": refused,
            "asked": None if what is None else what._asdict()}  # fmt: skip
    return View("Alerts", "alerts.html", data, shown, KEYS)


def _closed(report: Json | None) -> int:
    """How many alerts were closed whose conditions hold."""
    return int((report or {}).get("closed", 0))


async def _named(read: Read, alert_id: str) -> list[Json]:
    """An alert wherever it stands."""
    held = [one for key in (OPEN_ALERTS, CLOSED_ALERTS) for one in await read.some(key, [alert_id])]
    return [one for one in held if one is not None]


async def _accounts(read: Read, refused: Json | None) -> list[Json | None]:
    """The accounts on whose alerts commands were refused."""
    ids = {one["account_id"] for one in listed(refused) if one["account_id"]}
    return await read.many([account_key(one) for one in sorted(ids)])


PAGES = (Page("/alerts", "/alerts", alerts, "Alerts, refused commands, and what each rule has come to", ASKS),)

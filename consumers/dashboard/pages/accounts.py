"""Accounts: one of them."""

from consumers.dashboard.page import Asked, Page, View
from consumers.dashboard.read import Read
from consumers.dashboard.views import account as words
from consumers.dashboard.views import alerts
from consumers.dashboard.views.account_chart import chart
from models.keys import account_key, journeys_key

PEOPLE = 100
"""Users of an account that a page shows at most, who is stuck first."""


async def account(read: Read, asked: Asked) -> View:
    """One account: its score and why, its people, its alerts."""
    account_id = asked["path:account_id"]
    held, model, education = await read.many([account_key(account_id), "model", "education"])
    keys = (account_key(account_id), journeys_key(account_id), "alerts:open")
    journeys = await read.journeys(account_id)
    if held is None and not journeys:
        return View("No such account", "trouble.html", None, keys=keys, missing=(
            f"Nothing has been told of an account {account_id}. Look for it by name under Accounts."
        ))  # fmt: skip
    history = await read.history(account_id)
    open_alerts = [one async for one in read.scanned("alerts:open") if one.get("account_id") == account_id]
    title = words.called(held or {"account_id": account_id})
    told = words.points(history, held)
    people = words.people(journeys)
    data = {"account": held, "history": history, "journeys": journeys, "alerts": open_alerts}
    shown = {
        "account": held, "account_id": account_id, "called": title, "to": words.address_of(account_id),
        "trait": {} if held is None else {one: words.trait(held, one) for one in ("owner", "segment", "crm_url")},
        "people": people[:PEOPLE], "users": len(people), "stuck": sum(one.stuck for one in people),
        "alerts": [alerts.told(one) for one in alerts.urgent_first(open_alerts)], "verdicts": alerts.VERDICTS,
    }  # fmt: skip
    if held is not None:
        shown |= {
            "facts": list(words.facts(held, (model or {}).get("label"))), "drivers": words.parts_of(held),
            "signs": words.signs(held), "causes": words.causes(held), "moved": words.moved(history, held),
            "training": words.training(held, education), "fell": words.falling(told),
            "largest": max((abs(one["contribution"]) for one in held.get("drivers") or ()), default=1.0) or 1.0,
            "chart": chart(told, held.get("name", "score")),
        }  # fmt: skip
    return View(title, "account.html", data, shown, keys)


PAGES = (Page("/accounts/{account_id:path}", "/accounts", account, "One account"),)

"""Accounts: whom to look at first, all of them, and one of them."""

from asyncio import gather
from collections.abc import AsyncIterator
from typing import Any, NamedTuple

from consumers.dashboard.page import Asked, File, Page, View
from consumers.dashboard.read import Json, Read
from consumers.dashboard.views import account as words
from consumers.dashboard.views import account_changes as changes
from consumers.dashboard.views import accounts as lists
from consumers.dashboard.views import alerts
from consumers.dashboard.views.account_chart import chart
from consumers.dashboard.views.asked import asked_of, became
from models.alerts.alert import VERDICTS
from models.capacity import ORDERS, by_owner, ranking_of, tenth, totals
from models.keys import (
    ALERT_RULES,
    CLOSED_ALERTS,
    ESCAPED,
    OPEN_ALERTS,
    RANKING,
    REFUSED_COMMANDS,
    account_key,
    journeys_key,
)

PARTS = 10
"""Drivers that are shown at once; the others behind a fold."""
PEOPLE = 100
"""Users of an account that a page shows at most, who is stuck first."""
CLOSED = 5
"""Closed alerts that are shown at once; the others behind a fold."""
LINES = 200
"""Accounts that are read at once for a file."""
LONGEST = 6_000
"""Letters of the keys that an open page names at most: beyond them it hears of every account."""
ASKS = "list", "by", "q", "owner", "unowned", "segment", "band", "change", "page"


class Found(NamedTuple):
    """The accounts of a list: ids of the page that is asked for, and how many there are in all."""

    ids: list[str]
    of: int


class Alerting(NamedTuple):
    """The part of an account's page that is about its alerts. any: whether it has some."""

    any: bool
    data: dict[str, Any]
    shown: dict[str, Any]
    keys: tuple[str, ...]


async def accounts(read: Read, asked: Asked) -> View:
    """The capacity list, or all accounts, filtered."""
    wanted = lists.wanted(asked)
    capacity = await read.get("at-risk")
    by = wanted.by or (capacity or {}).get("by", "risk")
    start = (wanted.page - 1) * lists.PAGE
    if wanted.list == "capacity":
        capacity = await _capacity(read, capacity, by)
        ids = [] if capacity is None else lists.owner_by_owner(capacity)
        found = Found(ids[start : start + lists.PAGE], len(ids))
    else:
        found = await _all(read, wanted, by, start, lists.PAGE)
    held = [one for one in await read.many([account_key(one) for one in found.ids]) if one is not None]
    rows = [lists.row(one) for one in held]
    index, known = read.index, await read.size(RANKING)
    shown: dict[str, Any] = {
        "wanted": wanted, "by": by, "rows": rows, "of": found.of, "start": start, "lists": lists.LISTS,
        "orders": lists.ORDERS, "changes": lists.WORDS, "pages": max(1, -(-found.of // lists.PAGE)),
        "index": index, "known": known, "capacity": capacity if wanted.list == "capacity" else None,
        "owned": lists.grouped(rows, capacity) if wanted.list == "capacity" and capacity is not None else [],
        "partial": _searched(wanted, by) and not index.full,
        "owners": index.shared("owner"), "segments": index.shared("segment"),
        "by_index": any(one.probability is None for one in rows),
    }  # fmt: skip
    data = {"list": wanted.list, "by": by, "of": found.of, "complete": not shown["partial"], "accounts": held,
            "capacity": capacity if wanted.list == "capacity" else None}  # fmt: skip
    return View("Accounts", "accounts.html", data, shown, ("quality",) if shown["partial"] else _keys(found.ids))


def _keys(ids: list[str]) -> tuple[str, ...]:
    """What changes a list: the accounts on it, and the capacity list, which is told of when places have changed."""
    keys = ("at-risk", *map(account_key, ids))
    return keys if sum(map(len, keys)) < LONGEST else ("at-risk", "account:*")


async def _capacity(read: Read, told: Json | None, by: str) -> Json | None:
    """The capacity list in an order: as it was published, or as the rankings have it in the other order."""
    if told is None or told["by"] == by:
        return told
    order, each = ORDERS[by], told["per_owner_per_week"]
    if each is None:
        first = await read.ranked(order, 0, tenth(await read.size(order)))
    else:
        owners = [ranking_of(order, (one["owner"] or "").translate(ESCAPED)) for one in told["totals"]["owners"]]
        first = [one for found in await gather(*(read.ranked(one, 0, each) for one in owners)) for one in found]
    ids = [account_id for account_id, _ in sorted(first, key=lambda one: (one[1], one[0]))]
    listed = [one for one in await read.known([account_key(one) for one in ids]) if one is not None]
    return {**told, "by": by, "accounts": [one.entry() for one in listed],
            "totals": {**totals(listed), "owners": by_owner(listed)}}  # fmt: skip


def _searched(wanted: lists.Wanted, by: str) -> bool:
    """Whether the index is needed: there is no ranking of such a list."""
    everyone = wanted.list == "everyone" and (by == "revenue" or wanted.sought.owner is not None)
    return wanted.list != "capacity" and (wanted.filtered or everyone)


async def _all(read: Read, wanted: lists.Wanted, by: str, start: int, count: int) -> Found:
    """Accounts by a ranking where there is one; else by the index, of what it has read so far."""
    if _searched(wanted, by):
        rows = read.index.find(wanted.sought)
        return Found(read.index.page(rows, by, start, count), len(rows))
    ranking, owner = RANKING if wanted.list == "everyone" else ORDERS[by], wanted.sought.owner
    if owner is not None:
        ranking = ranking_of(ranking, owner.translate(ESCAPED))
    return Found([one for one, _ in await read.ranked(ranking, start, count)], await read.size(ranking))


async def table(read: Read, asked: Asked) -> AsyncIterator[str] | None:
    """The same accounts as comma-separated values, all pages; None while the index does not know them all."""
    wanted = lists.wanted(asked)
    capacity = await read.get("at-risk")
    by = wanted.by or (capacity or {}).get("by", "risk")
    if wanted.list == "capacity":
        capacity = await _capacity(read, capacity, by)
        return _lines(read, [] if capacity is None else lists.owner_by_owner(capacity))
    if not read.index.full:
        return None
    rows = read.index.find(wanted.sought)
    return _lines(read, read.index.page(rows, by, 0, len(rows)))


async def _lines(read: Read, ids: list[str]) -> AsyncIterator[str]:
    yield lists.lines([], head=True)
    for start in range(0, len(ids), LINES):
        held = await read.many([account_key(one) for one in ids[start : start + LINES]])
        yield lists.lines([one for one in held if one is not None])


async def account(read: Read, asked: Asked) -> View:
    """One account: its score and why, its people, its alerts."""
    account_id = asked["path:account_id"]
    held, model, education = await read.many([account_key(account_id), "model", "education"])
    journeys, told_of = await read.journeys(account_id), await _alerts(read, account_id, asked)
    keys = (account_key(account_id), journeys_key(account_id), *told_of.keys)
    if held is None and not journeys and not told_of.any:
        return View("No such account", "trouble.html", None, keys=keys, missing=(
            f"Nothing has been told of an account {account_id}. Look for it by name under Accounts."
        ))  # fmt: skip
    history = await read.history(account_id)
    title = words.called(held or {"account_id": account_id})
    told = words.points(history, held)
    people = words.people(journeys)
    data = {"account": held, "history": history, "journeys": journeys, **told_of.data}
    shown: dict[str, Any] = {
        "account": held, "account_id": account_id, "called": title, "to": words.address_of(account_id),
        "trait": {} if held is None else {one: words.trait(held, one) for one in ("owner", "segment", "crm_url")},
        "people": people[:PEOPLE], "users": len(people), "stuck": sum(one.stuck for one in people),
        **told_of.shown,
    }  # fmt: skip
    if held is not None:
        shown |= {
            "facts": list(words.facts(held, (model or {}).get("label"))), "drivers": words.parts_of(held),
            "signs": words.signs(held), "causes": words.causes(held), "changed": changes.changed(history, held),
            "training": words.training(held, education), "fell": changes.falling(told),
            "compared": len(changes.comparable(told)) > 1,
            "most": PARTS,
            "largest": max((abs(one["contribution"]) for one in held.get("drivers") or ()), default=1.0) or 1.0,
            "chart": chart(told, held.get("name", "score")),
        }  # fmt: skip
    return View(title, "account.html", data, shown, keys)


async def _alerts(read: Read, account_id: str, asked: Asked) -> Alerting:
    """An account's alerts, and what has become of a command that was just sent from its page."""
    held, command = await read.alerts_of(account_id), asked_of(asked.get("asked", ""))
    opened = [one for one in held if one["state"] != alerts.CLOSED]
    closed = [one for one in held if one["state"] == alerts.CLOSED]
    keys = () if command is None else (ALERT_RULES, REFUSED_COMMANDS)
    what = became(command, held, *(await read.many(keys) or (None, None)))
    data = {"alerts": opened, "closed_alerts": closed, "asked": None if what is None else what._asdict()}
    shown = {
        "alerts": [alerts.told(one) for one in alerts.urgent_first(opened)], "verdicts": VERDICTS,
        "closed": [alerts.told(one) for one in alerts.latest_first(closed)], "shown_closed": CLOSED, "became": what,
    }  # fmt: skip
    return Alerting(bool(held), data, shown, (OPEN_ALERTS, CLOSED_ALERTS, *keys))


PAGES = (
    Page("/accounts", "/accounts", accounts, "Whom to look at first, and all accounts", ASKS),
    Page("/accounts/{account_id:path}", "/accounts", account, "One account", ("asked",)),
)
FILES = (File("/accounts.csv", "accounts.csv", "text/csv", table),)

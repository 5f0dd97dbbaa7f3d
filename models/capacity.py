"""The capacity list: whom customer success looks at first, as many for each owner as can be reached in a week.

Accounts stand in two orders, by risk and by revenue at risk, over all and owner by owner. Reading the first of each is
all that the list takes, however many there are. An account of which the label's event has come stands in none, nor one
that is held out of alerts (`[capacity] hold_out`).
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from math import fsum
from typing import Any, NamedTuple, Protocol

from msgspec import Struct

from models.keys import ESCAPED, SCHEMA
from models.product import Capacity
from models.snapshot import Snapshot

ORDERS = {"risk": "accounts:by-risk", "revenue": "accounts:by-revenue"}
"""The ranking of each order; of one owner's accounts it is this with `/OWNER`."""
NOT_TOLD = 1.0
"""Added to the scores of accounts without revenue at risk: their places are above 0, those of all others are not."""
SHARE, MOST = 0.10, 1_000
"""Until a capacity is set the list is this share of the accounts, and no longer than anybody could go through."""


class Listed(Struct, frozen=True):
    """What the list takes from an account's snapshot."""

    account_id: str
    score: float
    band: str
    probability: float | None
    mrr: float | None
    revenue_at_risk: float | None
    traits: dict[str, str | bool | int | float] = {}
    event_has_come: bool = False
    held_out: bool = False

    @property
    def owner(self) -> str | None:
        """Whose account it is, as text; None where nobody is told, or nobody any more."""
        told = self.traits.get("owner")
        if isinstance(told, float) and told.is_integer():
            return str(int(told))
        return None if told is None or told == "" else str(told)

    def entry(self) -> dict[str, Any]:
        """The account as it stands on the list."""
        return {
            "account_id": self.account_id,
            "name": self.traits.get("name"),
            "owner": self.owner,
            "score": self.score,
            "band": self.band,
            "probability": self.probability,
            "mrr": self.mrr,
            "revenue_at_risk": self.revenue_at_risk,
        }


class Place(NamedTuple):
    """Where an account stands in both orders, lowest first, and among whose accounts (empty: nobody's).

    By revenue those with the most at risk come first, then those of which none is known, by score.
    """

    owner: str
    risk: float
    revenue: float


def place_of(account: Listed) -> Place | None:
    """None for an account of which the label's event has come, and for one that is held out of alerts."""
    if account.event_has_come or account.held_out:
        return None
    lost = account.revenue_at_risk
    revenue = NOT_TOLD + account.score if lost is None else 0.0 - max(lost, 0.0)
    return Place((account.owner or "").translate(ESCAPED), account.score, revenue)


def ranking_of(order: str, owner: str) -> str:
    """The ranking of one owner's accounts, the owner written as in `Place`."""
    return f"{order}/{owner}"


class Rankings(Protocol):
    """Where accounts are ranked: Redis, or a dict."""

    def ranked(self, key: str) -> int:
        """How many members a ranking has."""
        ...

    def lowest(self, keys: Sequence[str], count: int) -> list[list[tuple[str, float]]]:
        """The first members of each ranking, lowest first, of equal ones by name."""
        ...

    def owners(self) -> list[str]:
        """Whose accounts are ranked, as in `Place`."""
        ...

    def listed(self, account_ids: Sequence[str]) -> list[Listed]:
        """These accounts, without those that are no longer there."""
        ...


def at_risk(held: Rankings, capacity: Capacity) -> Snapshot:
    """The capacity list, with what it adds up to."""
    order = ORDERS[capacity.by]
    accounts = held.ranked(order)
    if capacity.per_owner_per_week is None:
        found = held.lowest([order], tenth(accounts))
    else:
        keys = [ranking_of(order, owner) for owner in held.owners()]
        found = held.lowest(keys, capacity.per_owner_per_week)
    first = sorted(((place, account_id) for ranking in found for account_id, place in ranking))
    listed = held.listed([account_id for _, account_id in first])
    return {
        "schema": SCHEMA,
        "by": capacity.by,
        "per_owner_per_week": capacity.per_owner_per_week,
        "of": accounts,
        "accounts": [account.entry() for account in listed],
        "totals": {**totals(listed), "owners": by_owner(listed)},
    }


def tenth(accounts: int) -> int:
    """How long the list is until a capacity is set."""
    return min(-(-accounts // round(1 / SHARE)), MOST)


def totals(listed: Sequence[Listed]) -> dict[str, Any]:
    """What accounts add up to; revenue is None where none of theirs is known."""
    return {
        "accounts": len(listed),
        "mrr": _sum(account.mrr for account in listed),
        "revenue_at_risk": _sum(account.revenue_at_risk for account in listed),
    }


def by_owner(listed: Iterable[Listed]) -> list[dict[str, Any]]:
    """The totals of each owner's accounts, by name; those of nobody come last."""
    owned: dict[str | None, list[Listed]] = defaultdict(list)
    for account in listed:
        owned[account.owner].append(account)
    names = sorted(owned, key=lambda owner: (owner is None, owner or ""))
    return [{"owner": owner, **totals(owned[owner])} for owner in names]


def _sum(amounts: Iterable[float | None]) -> float | None:
    known = [amount for amount in amounts if amount is not None]
    return round(fsum(known), 2) if known else None


def rankings(accounts: Mapping[str, Listed]) -> dict[str, dict[str, float]]:
    """Every ranking that is not empty, with the places of its members."""
    found: dict[str, dict[str, float]] = defaultdict(dict)
    for account_id, account in accounts.items():
        place = place_of(account)
        if place is not None:
            for order, at in zip(ORDERS.values(), (place.risk, place.revenue), strict=True):
                found[order][account_id] = found[ranking_of(order, place.owner)][account_id] = at
    return dict(found)


class InMemory:
    """Rankings in a dict."""

    def __init__(self, accounts: Mapping[str, Listed]) -> None:
        self._accounts, self.rankings = accounts, rankings(accounts)

    def ranked(self, key: str) -> int:
        return len(self.rankings.get(key, ()))

    def lowest(self, keys: Sequence[str], count: int) -> list[list[tuple[str, float]]]:
        ranked = (sorted(self.rankings.get(key, {}).items(), key=lambda item: (item[1], item[0])) for key in keys)
        return [ranking[:count] for ranking in ranked]

    def owners(self) -> list[str]:
        return [key.partition("/")[2] for key in self.rankings if key.startswith(f"{ORDERS['risk']}/")]

    def listed(self, account_ids: Sequence[str]) -> list[Listed]:
        return [self._accounts[account_id] for account_id in account_ids]

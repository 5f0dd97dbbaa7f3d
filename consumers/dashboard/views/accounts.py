"""Lists of accounts: what is asked for by an address, the rows of a page, and the same as lines of a file."""

import csv
from collections.abc import Container, Mapping, Sequence
from io import StringIO
from typing import Any, NamedTuple
from urllib.parse import urlencode

from consumers.dashboard.index import CHANGES, Sought
from consumers.dashboard.views.account import called, reason, trait
from consumers.dashboard.words import BANDS

Json = Mapping[str, Any]
LISTS = {"capacity": "Capacity list", "all": "All accounts", "everyone": "Everyone, also who has left or is held out"}
ORDERS = {"risk": "by risk", "revenue": "by revenue at risk"}
WORDS = {
    "fell": "fell by 5 points or more", "rose": "rose by 5 points or more", "steady": "about the same",
    "unknown": "not known",
}  # fmt: skip
PAGE = 50
COLUMNS = (
    "account_id", "name", "owner", "segment", "band", "days_in_band", "score", "change_7d", "probability", "mrr",
    "revenue_at_risk", "renews_at", "renewal_probability", "basis", "event_has_come", "held_out", "because",
    "lowered_most_by",
)  # fmt: skip
FORMULA = "=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠"
"""With which a cell begins that spreadsheets would take for a formula."""


class Wanted(NamedTuple):
    """Which list, in which order, filtered by what, from which page (1 is the first) on."""

    list: str
    by: str | None
    sought: Sought
    page: int

    @property
    def filtered(self) -> bool:
        """Whether rankings alone cannot tell: they know only the owner."""
        sought = self.sought
        return bool(sought.text or sought.segment or sought.band or sought.change)

    def address(self, path: str = "/accounts", **other: str) -> str:
        """This list's address, with something else."""
        sought = self.sought
        asked = {
            "list": self.list, "by": self.by or "", "q": sought.text, "owner": sought.owner or "",
            "unowned": "1" if sought.owner == "" else "", "segment": sought.segment, "band": sought.band,
            "change": sought.change, "page": "" if self.page == 1 else str(self.page), **other,
        }  # fmt: skip
        told = {name: value for name, value in asked.items() if value}
        return f"{path}?{urlencode(told)}" if told else path


def wanted(asked: Mapping[str, str]) -> Wanted:
    """What an address asks for. Whatever is none of its words is as if it were not there."""

    def one_of(name: str, words: Container[str]) -> str:
        given = asked.get(name, "")
        return given if given in words else ""

    owner = "" if asked.get("unowned") else asked.get("owner") or None
    sought = Sought(asked.get("q", "").strip()[:200], owner, asked.get("segment", ""), one_of("band", BANDS),
                    one_of("change", CHANGES))  # fmt: skip
    narrowed = owner is not None or any(sought[2:5]) or bool(sought.text)
    which = one_of("list", LISTS) or ("all" if narrowed else "capacity")
    if which == "capacity" and narrowed:
        which = "all"
    page = asked.get("page", "1")
    number = int(page) if page.isascii() and page.isdigit() and len(page) < 8 else 1
    return Wanted(which, one_of("by", ORDERS) or None, sought._replace(everyone=which == "everyone"), max(1, number))


class Row(NamedTuple):
    """One account of a list. standing: why it is on no capacity list; empty where it may be."""

    account_id: str
    name: str
    owner: str | None
    segment: str | None
    band: str
    score: float
    change: float | None
    probability: float | None
    revenue_at_risk: float | None
    renews_at: str | None
    why: str
    standing: str


def row(account: Json) -> Row:
    """An account's snapshot as a row."""
    standing = str(account.get("because") or "the event has come") if account.get("event_has_come") else \
        "held out of alerts" if account.get("held_out") else ""  # fmt: skip
    return Row(
        account["account_id"], called(account), trait(account, "owner"), trait(account, "segment"), account["band"],
        account["score"], account.get("change_7d"), account.get("probability"), account.get("revenue_at_risk"),
        account.get("renews_at"), reason(account), standing,
    )  # fmt: skip


class Owned(NamedTuple):
    """One owner's accounts on a page of the capacity list, and what all of theirs on the list add up to."""

    owner: str | None
    accounts: int
    mrr: float | None
    revenue_at_risk: float | None
    rows: tuple[Row, ...]


def owner_by_owner(capacity: Json) -> list[str]:
    """The ids of the capacity list, owner by owner, in its order."""
    places = {one["owner"]: at for at, one in enumerate(capacity["totals"]["owners"])}
    return [one["account_id"] for one in sorted(capacity["accounts"], key=lambda one: places.get(one["owner"], 0))]


def grouped(rows: Sequence[Row], capacity: Json) -> list[Owned]:
    """The rows of a page under their owners."""
    found = []
    for one in capacity["totals"]["owners"]:
        own = tuple(row for row in rows if row.owner == one["owner"])
        if own:
            found.append(Owned(one["owner"], one["accounts"], one["mrr"], one["revenue_at_risk"], own))
    return found


# -- files -------------------------------------------------------------------------------------------------------------


def lines(accounts: Sequence[Json], head: bool = False) -> str:
    """Accounts as lines of comma-separated values (RFC 4180)."""
    out = StringIO()
    writer = csv.writer(out)
    if head:
        writer.writerow(COLUMNS)
    writer.writerows([harmless(_cell(account, column)) for column in COLUMNS] for account in accounts)
    return out.getvalue()


def _cell(account: Json, column: str) -> Any:
    if column in ("name", "owner", "segment"):
        return trait(account, column)
    return reason(account) if column == "lowered_most_by" else account.get(column)


def harmless(cell: Any) -> Any:
    """A text that a spreadsheet would take for a formula is written behind an apostrophe; numbers stay numbers."""
    return f"'{cell}" if isinstance(cell, str) and cell.lstrip(" \n\0").startswith(FORMULA) else cell

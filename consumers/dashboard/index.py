"""What every account's snapshot says that lists are filtered by, in columns: Redis ranks accounts but does not search
them, and a hundred thousand snapshots cannot be read for each request."""

from array import array
from collections.abc import Iterable, Mapping
from heapq import nsmallest
from math import isnan, nan
from typing import Any, NamedTuple

from models.capacity import Place, place_of
from models.readside import listed_of

MOVED = 5.0
"""Points in a week from which a score counts as fallen or risen."""
CHANGES = "fell", "rose", "steady", "unknown"
FACETS = 200
"""Owners and segments that are offered to choose from at most, those with the most accounts."""


class Sought(NamedTuple):
    """What a list is filtered by; None and empty ask for nothing. text: part of a name or an id. owner: "" for accounts
    of nobody. everyone: also those of which the event has come and those held out of alerts."""

    text: str = ""
    owner: str | None = None
    segment: str = ""
    band: str = ""
    change: str = ""
    everyone: bool = False


class Index:
    """One row for each account, in columns. `full` once all accounts of the ranking have been read."""

    def __init__(self) -> None:
        self.full = False
        self.clear()

    def clear(self) -> None:
        self.ids: list[str] = []
        self._row: dict[str, int] = {}
        self._texts: list[str] = []
        self._owners: list[str] = []
        self._segments: list[str] = []
        self._bands: list[str] = []
        self._changes, self._scores, self._revenue = array("f"), array("d"), array("d")
        self._listed = bytearray()
        self._same: dict[str, str] = {}

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def _columns(self) -> tuple[Any, ...]:
        return (self.ids, self._texts, self._owners, self._segments, self._bands, self._changes, self._scores,
                self._revenue, self._listed)  # fmt: skip

    def put(self, account: Mapping[str, Any]) -> None:
        """Take an account's snapshot, in place of the one before."""
        listed = listed_of(dict(account))
        change, place = account.get("change_7d"), place_of(listed)
        at = place or Place("", listed.score, listed.score + 1.0)
        name, segment = (str(listed.traits.get(one) or "") for one in ("name", "segment"))
        cells = (
            listed.account_id, name.casefold(), self._one(listed.owner or ""), self._one(segment),
            self._one(listed.band), nan if change is None else change, at.risk, at.revenue, place is not None,
        )  # fmt: skip
        row = self._row.setdefault(listed.account_id, len(self.ids))
        for column, cell in zip(self._columns, cells, strict=True):
            if row == len(column):
                column.append(cell)
            else:
                column[row] = cell

    def _one(self, text: str) -> str:
        """The same text is held once: accounts share owners, segments and bands."""
        return self._same.setdefault(text, text)

    def remove(self, account_id: str) -> None:
        """The account is gone; the last row takes its place."""
        row = self._row.pop(account_id, None)
        if row is None:
            return
        last = len(self.ids) - 1
        if row != last:
            self._row[self.ids[last]] = row
        for column in self._columns:
            column[row] = column[last]
            column.pop()

    # -- what is asked ------------------------------------------------------------------------------------------------

    def find(self, sought: Sought) -> list[int]:
        """The rows that are sought, in no order."""
        rows: Iterable[int] = range(len(self.ids))
        if not sought.everyone:
            rows = [row for row in rows if self._listed[row]]
        for asked, column in (
            (sought.owner, self._owners), (sought.segment or None, self._segments), (sought.band or None, self._bands),
        ):  # fmt: skip
            if asked is not None:
                rows = [row for row in rows if column[row] == asked]
        if sought.change:
            rows = [row for row in rows if change_of(self._changes[row]) == sought.change]
        if text := sought.text.casefold().strip():
            rows = [row for row in rows if text in self._texts[row] or text in self.ids[row].casefold()]
        return list(rows)

    def first(self, rows: list[int], by: str, until: int) -> list[str]:
        """The ids of the first rows in an order, `risk` or `revenue`; equal ones by id, as Redis has them."""
        column = self._revenue if by == "revenue" else self._scores
        key = lambda row: (column[row], self.ids[row])  # noqa: E731
        found = sorted(rows, key=key) if 4 * until > len(rows) else nsmallest(until, rows, key=key)
        return [self.ids[row] for row in found[:until]]

    def owners(self) -> list[str]:
        """Whose accounts there are, those with the most first."""
        return self._most(self._owners)

    def segments(self) -> list[str]:
        return self._most(self._segments)

    def _most(self, column: list[str]) -> list[str]:
        counts = dict.fromkeys(column, 0)
        for one in column:
            counts[one] += 1
        counts.pop("", None)
        return nsmallest(FACETS, counts, key=lambda one: (-counts[one], one))


def change_of(change: float) -> str:
    """A week's change as one of CHANGES."""
    return "unknown" if isnan(change) else "fell" if change <= -MOVED else "rose" if change >= MOVED else "steady"

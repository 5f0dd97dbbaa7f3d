"""What every account's snapshot says that lists are filtered by, in columns: Redis ranks accounts but does not search
them, and a hundred thousand snapshots cannot be read for each request."""

from collections import Counter
from heapq import nsmallest
from math import nan
from typing import Any, NamedTuple

import numpy as np

from models.capacity import Listed, Place, place_of

MOVED = 5.0
"""Points in a week from which a score counts as fallen or risen."""
CHANGES = "fell", "rose", "steady", "unknown"
FACETS = 200
"""Owners and segments that are offered to choose from at most, those with the most accounts."""
LEAST = 1_024
"""Rows that there is room for at first; twice as many whenever they do not suffice."""
Rows = Any
"""Numbers of rows, as an array."""


class Known(Listed, frozen=True):
    """What is read of an account's snapshot; the rest of it is passed over."""

    change_7d: float | None = None


class Sought(NamedTuple):
    """What a list is filtered by; None and empty ask for nothing. text: part of a name or an id. owner: "" for accounts
    of nobody. everyone: also those of which the event has come and those held out of alerts."""

    text: str = ""
    owner: str | None = None
    segment: str = ""
    band: str = ""
    change: str = ""
    everyone: bool = False


class Names:
    """Texts that many accounts share, as numbers, and how many share each."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._texts: list[str] = []
        self._counts: Counter[int] = Counter()

    def number(self, text: str) -> int:
        """The number of a text; -1 of one that nobody has had."""
        return self._numbers.get(text, -1)

    def taken(self, text: str) -> int:
        """An account has this text from now on."""
        number = self._numbers.setdefault(text, len(self._texts))
        if number == len(self._texts):
            self._texts.append(text)
        self._counts[number] += 1
        return number

    def left(self, number: int) -> None:
        """An account has this text no more."""
        self._counts[number] -= 1

    def most(self) -> list[str]:
        """Those that most accounts share first; without the empty one."""
        held = {self._texts[number]: count for number, count in self._counts.items() if count > 0}
        held.pop("", None)
        return nsmallest(FACETS, held, key=lambda one: (-held[one], one))


class Index:
    """One row for each account. `full` once all accounts of the ranking have been read."""

    def __init__(self) -> None:
        self.full = False
        self.ids: list[str] = []
        self._texts: list[str] = []
        self._row: dict[str, int] = {}
        self._names = {name: Names() for name in ("owner", "segment", "band")}
        self._columns: dict[str, Any] = {
            **{name: np.zeros(LEAST, np.int32) for name in self._names},
            "change": np.zeros(LEAST, np.float32), "risk": np.zeros(LEAST), "revenue": np.zeros(LEAST),
            "listed": np.zeros(LEAST, bool),
        }  # fmt: skip

    def __len__(self) -> int:
        return len(self.ids)

    def put(self, account: Known) -> None:
        """Take an account's snapshot, in place of the one before."""
        place = place_of(account)
        at = place or Place("", account.score, account.score + 1.0)
        name, segment = (str(account.traits.get(one) or "") for one in ("name", "segment"))
        text = f"{name}\0{account.account_id}".casefold()
        row = self._row.get(account.account_id)
        if row is None:
            row = self._row[account.account_id] = self._added(account.account_id)
        else:
            self._leave(row)
        self._texts[row] = text
        for column, shared in (("owner", account.owner or ""), ("segment", segment), ("band", account.band)):
            self._columns[column][row] = self._names[column].taken(shared)
        change = nan if account.change_7d is None else account.change_7d
        for column, value in (("change", change), ("risk", at.risk), ("revenue", at.revenue), ("listed", bool(place))):
            self._columns[column][row] = value

    def _added(self, account_id: str) -> int:
        self.ids.append(account_id)
        self._texts.append("")
        room = len(self._columns["risk"])
        if len(self.ids) > room:
            self._columns = {name: np.resize(column, 2 * room) for name, column in self._columns.items()}
        return len(self.ids) - 1

    def _leave(self, row: int) -> None:
        for column, names in self._names.items():
            names.left(int(self._columns[column][row]))

    def remove(self, account_id: str) -> None:
        """The account is gone; the last row takes its place."""
        row = self._row.pop(account_id, None)
        if row is None:
            return
        self._leave(row)
        last = len(self.ids) - 1
        if row != last:
            self._row[self.ids[last]] = row
        for column in (self.ids, self._texts):
            column[row] = column[last]
            column.pop()
        for values in self._columns.values():
            values[row] = values[last]

    # -- what is asked ------------------------------------------------------------------------------------------------

    def find(self, sought: Sought) -> Rows:
        """The rows that are sought, in no order."""
        columns = {name: column[: len(self.ids)] for name, column in self._columns.items()}
        mask = np.ones(len(self.ids), bool) if sought.everyone else columns["listed"].copy()
        for name, asked in (("owner", sought.owner), ("segment", sought.segment), ("band", sought.band)):
            if asked or (name == "owner" and asked is not None):
                mask &= columns[name] == self._names[name].number(asked)
        if sought.change:
            mask &= changed(columns["change"], sought.change)
        rows = np.flatnonzero(mask)
        text = sought.text.casefold().strip()
        return rows if not text else np.array([row for row in rows.tolist() if text in self._texts[row]], np.intp)

    def page(self, rows: Rows, by: str, start: int, count: int) -> list[str]:
        """Ids of rows in an order, `risk` or `revenue`, from one place on; equal ones by id, as Redis has them.

        Only rows around the page are sorted, whatever is before it.
        """
        if start >= len(rows):
            return []
        values, last = self._columns[by][rows], min(start + count, len(rows)) - 1
        low, high = np.partition(values, (start, last))[[start, last]]
        near = rows[(values >= low) & (values <= high)].tolist()
        before = int((values < low).sum())
        ordered = sorted(near, key=lambda row: (float(self._columns[by][row]), self.ids[row]))
        return [self.ids[row] for row in ordered[start - before : last + 1 - before]]

    def shared(self, name: str) -> list[str]:
        """Owners, or segments: those with the most accounts first."""
        return self._names[name].most()


def changed(changes: Any, asked: str) -> Any:
    """Which of the changes of a week are as asked, one of CHANGES."""
    if asked == "fell":
        return changes <= -MOVED
    if asked == "rose":
        return changes >= MOVED
    return np.isnan(changes) if asked == "unknown" else np.abs(changes) < MOVED

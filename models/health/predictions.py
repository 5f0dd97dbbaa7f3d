"""What was predicted and what then happened: the rows that a health score is judged by."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from models.inference.means import Array

Flags = NDArray[np.bool_]
Codes = NDArray[np.integer]


@dataclass(frozen=True)
class Predictions:
    """One row a prediction whose label is known, (n,) each; a prediction is as it was made, before learning.

    account: a code or a 64-bit hash, the cluster of a row. day: of the snapshot. p: probability of the event, 0 to 1.
    label: whether the event came. scored: counts in AUC and lift (False: the event came too soon after the snapshot
    for anybody to act). contacted: CS had contacted the account, so that the label may be CS's merit.
    Raises ValueError for lengths that differ and for p outside 0 to 1.
    """

    account: Codes
    day: Codes
    p: Array
    label: Flags
    scored: Flags
    contacted: Flags

    def __post_init__(self) -> None:
        if {getattr(self, field.name).shape for field in fields(self)} != {(len(self.p),)}:
            raise ValueError("predictions need one value a row in each column")
        if not ((self.p >= 0) & (self.p <= 1)).all():
            raise ValueError("a probability lies between 0 and 1")

    @classmethod
    def of(cls, account: NDArray[np.uint64], day: Codes, p: Array, flags: NDArray[np.uint8]) -> "Predictions":
        """From columns. flags: `Example.flags` of each row."""
        label, scored, contacted = (flags & bit != 0 for bit in (1, 2, 4))
        return cls(account, day, p, label, scored, contacted)

    def __len__(self) -> int:
        return len(self.p)

    def where(self, rows: Flags | Codes) -> "Predictions":
        """Some of the rows: those that are flagged, in their order, or those at some places, in the order of these."""
        return Predictions(*(getattr(self, field.name)[rows] for field in fields(self)))

    def window(self, first: int, last: int) -> "Predictions":
        """The rows whose snapshot was made from one day to another, both included."""
        return self.where((self.day >= first) & (self.day <= last))

    def of_fewer_accounts(self, most: int) -> "Predictions":
        """At most so many rows: all those of the accounts with the smallest codes, so the same of the same rows."""
        if len(self) <= most:
            return self
        accounts, counts = np.unique(self.account, return_counts=True)
        kept = accounts[: np.searchsorted(np.cumsum(counts), most, side="right")]
        return self.where(np.isin(self.account, kept))

    def without_contacted(self) -> "Predictions":
        """The rows of accounts that CS had left alone."""
        return self.where(~self.contacted)


def in_common(first: Predictions, second: Predictions) -> tuple[Predictions, Predictions]:
    """The rows, by account and day, that both have; in the same order."""
    one, other = (list(zip(rows.account.tolist(), rows.day.tolist(), strict=True)) for rows in (first, second))
    places = {row: at for at, row in enumerate(other)}
    pairs = [(at, places[row]) for at, row in enumerate(one) if row in places]
    here, there = np.array(pairs, np.int64).reshape(-1, 2).T
    return first.where(here), second.where(there)


def joined(parts: Sequence[Predictions]) -> Predictions:
    """Several lots of rows as one, in their order. Needs at least one; an empty lot is fine."""
    return Predictions(
        *(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Predictions))
    )

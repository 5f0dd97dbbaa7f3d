"""What was predicted and what then happened: the rows that a health score is judged by."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from models.inference.means import Array

Flags = NDArray[np.bool_]
Codes = NDArray[np.int64]


@dataclass(frozen=True)
class Predictions:
    """One row a prediction whose label is known, (n,) each; a prediction is as it was made, before learning.

    account: a code or a 64-bit hash, the cluster of a row. day: of the snapshot. p: probability of the event, 0 to 1.
    label: whether the event came. scored: counts in AUC and lift (False: the event came too soon after the snapshot
    for anybody to act). contacted: CS had contacted the account, so that the label may be CS's merit.
    Raises ValueError for lengths that differ and for p outside 0 to 1.
    """

    account: NDArray[np.integer]
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

    def where(self, rows: Flags) -> "Predictions":
        """Some of the rows, in their order."""
        return Predictions(*(getattr(self, field.name)[rows] for field in fields(self)))

    def window(self, first: int, last: int) -> "Predictions":
        """The rows whose snapshot was made from one day to another, both included."""
        return self.where((self.day >= first) & (self.day <= last))

    def without_contacted(self) -> "Predictions":
        """The rows of accounts that CS had left alone."""
        return self.where(~self.contacted)


def joined(parts: Sequence[Predictions]) -> Predictions:
    """Several lots of rows as one, in their order. Needs at least one; an empty lot is fine."""
    return Predictions(
        *(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Predictions))
    )

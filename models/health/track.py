"""A track record: everything that was said of snapshots before their labels were known, and the labels."""

from array import array
from collections.abc import Callable

import numpy as np
from scipy.stats import rankdata

from models.health.example import Example, hash_of
from models.health.predictions import Predictions
from models.inference.means import Array


class Track:
    """Rows in the order in which their labels were learned, nothing thinned out. said: a probability, or what only
    orders accounts."""

    def __init__(self) -> None:
        self.accounts: dict[int, str] = {}
        """64-bit hash -> account."""
        self._account, self._day = array("Q"), array("q")
        self._said, self._flags = array("d"), array("B")

    def add(self, example: Example, said: float) -> None:
        code = hash_of(example.account_id)
        self.accounts[code] = example.account_id
        self._account.append(code)
        self._day.append(example.day)
        self._said.append(said)
        self._flags.append(example.flags)

    def said(self) -> Array:
        """(n,) as it was said."""
        return np.array(self._said, dtype=float)

    def said_of(self, say: Callable[[str], float]) -> "Track":
        """The same rows, of each of which is said what there is to say of its account."""
        other = Track()
        other.accounts, other._account, other._day, other._flags = self.accounts, self._account, self._day, self._flags
        other._said = array("d", [say(self.accounts[code]) for code in self._account])
        return other

    def predictions(self) -> Predictions:
        """The rows of a model that says probabilities."""
        return self._with(self.said())

    def order(self) -> Predictions:
        """The rows of what only orders accounts: in place of a probability stands the share of rows at or below."""
        said = self.said()
        return self._with(rankdata(said) / max(len(said), 1))

    def _with(self, p: Array) -> Predictions:
        account, day = np.array(self._account, dtype=np.uint64), np.array(self._day, dtype=np.int64)
        return Predictions.of(account, day, p, np.array(self._flags, dtype=np.uint8))

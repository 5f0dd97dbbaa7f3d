"""Inputs that alone tell who will have the event: too good to be an observation made before it.

Such an input (a field filled in when the account is closed, say) makes every figure of the score look splendid and is
worth nothing on the day it is needed; so it is named, to be held out until a person allows it.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from models.health.discrimination import auc, ranked, ranking
from models.health.predictions import Codes, Flags
from models.inference.means import Array

SUSPICIOUS = 0.99
LEAST_ACCOUNTS = 20
"""Accounts with the event, and without, from which the alarm is given.

By simulation (3000 normal samples each), the chance of an AUC of .99 or more with 20 against 20 accounts, and 20
against 300: a worthless input below 1 in 3000 (in theory: 1e-10), an honest one of AUC .90 1.2 % and 0, of .95 9 % and
.5 %, a leak of AUC .999 98 % and 99 %. With 10 accounts an honest .95 would be accused in 28 % and 4 %.
"""


class Leak(NamedTuple):
    """An input under suspicion. by: `value`, or `presence` where being known at all tells the classes apart.

    auc: max(AUC, 1 - AUC) of it alone. with_event, without: the accounts this rests on.
    """

    feature: str
    by: str
    auc: float
    with_event: int
    without: int


def leaks(features: Sequence[Mapping[str, float]], label: Flags, account: Codes) -> list[Leak]:
    """The suspicious inputs among recent examples, by name. One mapping, label and account a row; absent is unknown.

    Give it the scored examples only: in the last days before the event much is known honestly. NaN is unknown too;
    infinities are the largest and smallest of values.
    """
    found = []
    for name in sorted({name for row in features for name in row}):
        values = np.array([row.get(name, np.nan) for row in features])
        known = ~np.isnan(values)
        for by, column, rows in (("value", values, known), ("presence", known.astype(float), np.ones_like(known))):
            leak = Leak(name, by, *_apart(column[rows], label[rows], account[rows]))
            if leak.auc >= SUSPICIOUS and min(leak.with_event, leak.without) >= LEAST_ACCOUNTS:
                found.append(leak)
    return found


def _apart(values: Array, label: Flags, account: Codes) -> tuple[float, int, int]:
    """How well values tell the labels apart, in either direction, and the accounts of each label."""
    found = ranking(values, label)
    area = float(auc(ranked(found, np.ones(len(values)))))
    return max(area, 1 - area), len(np.unique(account[label])), len(np.unique(account[~label]))

"""Predictions whose labels have come, as they are kept: what calibration and judgement rest on."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray
from scipy.stats import rankdata

from models.health.calibration import Calibration
from models.health.example import Example, hash_of
from models.health.predictions import Predictions, joined

MOST = 20_000
"""Accounts of a day that are kept, those with the smallest hashes: a record has to fit into a message."""


class Seen(Struct, frozen=True):
    """What a model had predicted for the snapshots whose labels came on one day, as columns of little-endian numbers.

    account: 64-bit hashes. day: of the snapshots. eta: raw log odds by the version of that day. p: calibrated by that
    version. flags: those of the examples. order: what the activity index said, higher is riskier.
    """

    account: bytes
    day: bytes
    eta: bytes
    p: bytes
    flags: bytes
    order: bytes = b""

    def etas(self) -> NDArray[np.float64]:
        return np.frombuffer(self.eta, "<f8")

    def accounts(self) -> NDArray[np.uint64]:
        return np.frombuffer(self.account, "<u8")

    def labels(self) -> NDArray[np.bool_]:
        return (np.frombuffer(self.flags, "u1") & 1).astype(bool)

    def orders(self) -> NDArray[np.float64]:
        return np.frombuffer(self.order, "<f8")

    def residual(self) -> float:
        """Mean of label minus prediction: how far the predictions were off, all in all."""
        return float((self.labels() - np.frombuffer(self.p, "<f8")).mean())

    def predictions(self) -> Predictions:
        columns = zip((self.account, self.day, self.p, self.flags), ("<u8", "<i8", "<f8", "u1"), strict=True)
        return Predictions.of(*(np.frombuffer(column, kind) for column, kind in columns))


decode_seen = msgspec.json.Decoder(Seen).decode


def seen_of(
    examples: Sequence[Example], etas: Sequence[float], calibrations: Sequence[Calibration], orders: Sequence[float]
) -> Seen:
    """The predictions for a day's examples; of very many accounts a sample that is the same every week."""
    hashes = [hash_of(one.account_id) for one in examples]
    highest = sorted(set(hashes))[:MOST][-1] if hashes else 0
    kept = [at for at, code in enumerate(hashes) if code <= highest]
    return Seen(
        account=np.array([hashes[at] for at in kept], "<u8").tobytes(),
        day=np.array([examples[at].day for at in kept], "<i8").tobytes(),
        eta=np.array([etas[at] for at in kept], "<f8").tobytes(),
        p=np.array([calibrations[at].probability(etas[at]) for at in kept], "<f8").tobytes(),
        flags=np.array([examples[at].flags for at in kept], "u1").tobytes(),
        order=np.array([orders[at] for at in kept], "<f8").tobytes(),
    )


def all_predictions(seen: Iterable[Seen]) -> Predictions | None:
    """Several days' predictions as one; None of none."""
    parts = [one.predictions() for one in seen]
    return joined(parts) if parts else None


def by_index(seen: Sequence[Seen]) -> Predictions:
    """The same rows by the activity index: in place of a probability stands the share of rows at or below."""
    rows = joined([one.predictions() for one in seen])
    order = np.concatenate([one.orders() for one in seen])
    return replace(rows, p=rankdata(order) / max(len(order), 1))

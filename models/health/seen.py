"""Predictions whose labels have come, as they are kept: what calibration and judgement rest on."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from models.health.example import Example, hash_of
from models.health.predictions import Predictions, joined

MOST = 20_000
"""Accounts of a day that are kept, those with the smallest hashes: a record has to fit into a message."""


HELD_OUT, AT_RISK = 8, 16
"""Flags of a prediction beside those of its example: nobody is alerted to the account; the model put it at risk."""


class Seen(Struct, frozen=True):
    """What a model had predicted for the snapshots whose labels came on one day, as columns of little-endian numbers.

    account: 64-bit hashes. day: of the snapshots. eta: raw log odds by the version of that day. p: calibrated by that
    version. flags: those of the examples, `HELD_OUT` and `AT_RISK`. order: what the activity index said, higher is
    riskier.
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


class Kept(NamedTuple):
    """A prediction to be kept. p: calibrated. order: what the activity index said. flags: beside those of the example
    `HELD_OUT` and `AT_RISK`."""

    example: Example
    eta: float
    p: float
    order: float
    flags: int = 0


def seen_of(predictions: Sequence[Kept]) -> Seen:
    """A day's predictions; of very many accounts a sample that is the same every week."""
    hashes = [hash_of(one.example.account_id) for one in predictions]
    highest = sorted(set(hashes))[:MOST][-1] if hashes else 0
    kept = [one for one, code in zip(predictions, hashes, strict=True) if code <= highest]
    return Seen(
        account=np.array([code for code in hashes if code <= highest], "<u8").tobytes(),
        day=np.array([one.example.day for one in kept], "<i8").tobytes(),
        eta=np.array([one.eta for one in kept], "<f8").tobytes(),
        p=np.array([one.p for one in kept], "<f8").tobytes(),
        flags=np.array([one.example.flags | one.flags for one in kept], "u1").tobytes(),
        order=np.array([one.order for one in kept], "<f8").tobytes(),
    )


def all_predictions(seen: Iterable[Seen]) -> Predictions | None:
    """Several days' predictions as one; None of none."""
    parts = [one.predictions() for one in seen]
    return joined(parts) if parts else None


def by_index(seen: Sequence[Seen]) -> Predictions:
    """The same rows by the activity index: in place of a probability stands the share of rows at or below."""
    from scipy.stats import rankdata  # noqa: PLC0415 - takes half a second, and a learner judges once a day

    rows = joined([one.predictions() for one in seen])
    order = np.concatenate([one.orders() for one in seen])
    return replace(rows, p=rankdata(order) / max(len(order), 1))

"""What stands in `health-models`: how far has been learned, versions of models, and predictions with their labels.

Keys: `taken`; `champion`; `monitoring`; `sample|DAY`; for each model `progress|MODEL`, `version|MODEL|DAY` and
`seen|MODEL|DAY`. A record is JSON; a version is packed, because a forest is large.
"""

import zlib
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from msgspec import Struct

from models.health.drift import Watched
from models.messages import Output, encode
from models.rows import NEVER

TAKEN_KEY, CHAMPION_KEY, MONITORING_KEY = b"taken", b"champion", b"monitoring"


class Taken(Struct):
    """What has come of `health-examples`, and has been learned by every model.

    markers: partition -> latest day of which it has sent every example. accounts: partition -> how many accounts that
    day was closed with, and how many of them had not told enough yet (`models.health.label.little_known`).
    """

    markers: dict[int, int] = {}
    accounts: dict[int, tuple[int, int]] = {}


class Progress(Struct):
    """How far a model has come.

    recipe: what it is learned by; by another one it has to be learned anew. learned: the last day whose labels have
    all been learned. sure: no version that could score will come for days up to this one but those that are there.
    labels: day -> labels that came then, with the event and without, of the last half year. residual: the watch over
    label minus prediction.
    """

    recipe: str = ""
    learned: int = NEVER
    sure: int = NEVER
    labels: dict[int, tuple[int, int]] = {}
    residual: Watched = msgspec.field(default_factory=Watched)


class Promotion(Struct, frozen=True):
    """A person's decision that a model scores from a day on. at: when it was taken, RFC 3339."""

    model: str
    day: int
    by: str
    at: str


def champion_on(promotions: Iterable[Promotion], day: int, first: str) -> str:
    """The model that a day is closed with; `first` before any promotion. Of two for one day the later one counts."""
    taken = [one for one in promotions if one.day <= day]
    return max(taken, key=lambda one: (one.day, one.at)).model if taken else first


def last_before(days: Iterable[int], day: int) -> int | None:
    """The last of some days before a day: a day is closed with what was learned last before it."""
    return max((one for one in days if one < day), default=None)


decode_taken = msgspec.json.Decoder(Taken).decode
decode_progress = msgspec.json.Decoder(Progress).decode
decode_promotions = msgspec.json.Decoder(tuple[Promotion, ...]).decode


def progress_key(model: str) -> bytes:
    return f"progress|{model}".encode()


def version_key(model: str, day: int) -> bytes:
    return f"version|{model}|{day}".encode()


def seen_key(model: str, day: int) -> bytes:
    return f"seen|{model}|{day}".encode()


def sample_key(day: int) -> bytes:
    return f"sample||{day}".encode()


def split_key(key: bytes) -> tuple[str, str, int]:
    """Kind, model and day of a record; model "" and no day where it is of none."""
    kind, model, day = [*key.decode().split("|"), "", ""][:3]
    return kind, model, int(day) if day else NEVER


def of_model(kept: Mapping[bytes, bytes], model: str) -> list[bytes]:
    """The keys of what is kept of a model day by day."""
    return [key for key in kept if split_key(key)[0] in {"version", "seen"} and split_key(key)[1] == model]


def packed(value: Any) -> bytes:
    """A large record as it is kept: JSON, compressed."""
    return zlib.compress(encode(value), 1)


unpacked = zlib.decompress


def kept(key: bytes, value: Any) -> Output:
    return Output("health-models", 0, key, encode(value))


def gone(key: bytes) -> Output:
    return Output("health-models", 0, key, None)

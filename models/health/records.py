"""What stands in `health-models`: how far has been learned, versions of models, and predictions with their labels.

Keys: `state`; `version|MODEL|DAY`; `seen|MODEL|DAY`. A record is JSON, below the 900 kB of a message.
"""

from collections.abc import Iterable

import msgspec
from msgspec import Struct

from models.rows import NEVER

STATE_KEY = b"state"


class State(Struct):
    """How far the learner has come.

    learned: the last day whose labels have all been learned. sure: no version that could score will come for days up to
    this one but those that are there. markers: partition -> latest day of which it has sent
    every example. labels: day -> labels that came then, with the event and without, of the last half year.
    """

    learned: int = NEVER
    sure: int = NEVER
    markers: dict[int, int] = {}
    labels: dict[int, tuple[int, int]] = {}


def last_before(days: Iterable[int], day: int) -> int | None:
    """The last of some days before a day: a day is closed with what was learned last before it."""
    return max((one for one in days if one < day), default=None)


decode_state = msgspec.json.Decoder(State).decode


def version_key(model: str, day: int) -> bytes:
    return f"version|{model}|{day}".encode()


def seen_key(model: str, day: int) -> bytes:
    return f"seen|{model}|{day}".encode()


def split_key(key: bytes) -> tuple[str, str, int]:
    """Kind, model and day of a record; model "" and no day for those that are of no model."""
    kind, _, rest = key.decode().partition("|")
    model, _, day = rest.rpartition("|")
    return kind, model, int(day) if day else NEVER

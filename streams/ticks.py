"""Ticks: the in-band event clock, on every partition of every source topic."""

import msgspec

from models.clock import rfc3339
from models.events import SOURCES
from models.messages import Output
from models.record import CLOCK


def tick_outputs(at: int, partitions: int, clock: str, headers: tuple[tuple[str, bytes], ...] = ()) -> list[Output]:
    """The tick "everything up to `at` has been sent", for every partition of every source topic."""
    value = msgspec.json.encode({"type": "tick", "at": rfc3339(at)})
    marked = [(CLOCK, clock.encode()), *headers]
    return [Output(topic, number, None, value, marked) for topic in SOURCES for number in range(partitions)]

"""A Kafka record as the core sees it, and the headers by which our own processes speak to each other.

Headers come from outside like everything else: one of ours that cannot be read counts as absent.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Protocol

from models.clock import DAY, LAST_INSTANT
from models.events import SOURCES

ORIGIN = "livelift-origin"
"""On a record that was sent on: `topic/partition/offset` of where it came in."""
ORIGINAL_TIME = "livelift-timestamp"
"""On a record that was sent on: Kafka's timestamp of the original, in milliseconds."""
RECORDING_END = "livelift-recording-end"
"""On a played record: the recording's last tick, in microseconds of event time."""
CLOCK = "livelift-clock"
"""On a tick: `live` or `log`."""


def position(topic: int, partition: int, offset: int) -> str:
    """Where a record stands, for people: `product-events/3/1208`."""
    return f"{SOURCES[topic]}/{partition}/{offset}"


Headers = Sequence[tuple[str, bytes | None]]
"""Kafka allows a header without a value."""


class Record(Protocol):
    """A Kafka record as the core needs it; aiokafka's and confluent's fit as they are. Timestamp in milliseconds."""

    @property
    def offset(self) -> int: ...
    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...
    @property
    def timestamp(self) -> int: ...
    @property
    def headers(self) -> Headers: ...


@lru_cache(maxsize=256)
def _number(value: bytes | None) -> int | None:
    readable = value is not None and value.isdigit() and len(value) <= len(str(LAST_INSTANT))
    return int(value) if value is not None and readable else None


def latest_plausible(record: Record, recorded: bool) -> int:
    """What event time may not run 23 h ahead of: Kafka's time of the record, or (recorded) the recording's end.

    Microseconds. A record that was sent on is judged by when the original reached Kafka, which cannot be later.
    """
    latest, headers = record.timestamp * 1000, record.headers
    if not headers:
        return latest
    for name, value in headers:
        if name == RECORDING_END and recorded:
            end = _number(value)
            if end is not None:
                return min(end, LAST_INSTANT - DAY)
        elif name == ORIGINAL_TIME:
            reached = _number(value)
            if reached is not None:
                return min(reached * 1000, latest)
    return latest

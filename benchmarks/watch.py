"""Watching from outside: the partials topic tells how far the sums are, and Kafka's timestamps tell when.

Start-up is left out in the same way for both contestants. The clock starts at the first `partials` record that is
made after the last process was ready; the events in the sums by then do not count. It stops at the record with which
the last partition reaches the log's end. The timestamps are those of the producing process at `produce`.
"""

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from time import monotonic
from typing import Any, NamedTuple

import msgspec
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, TopicPartition

from models.messages import split_partial_key

POLL_S = 0.05
TICKS_PER_S = os.sysconf("SC_CLK_TCK")
Ends = dict[str, dict[int, int]]


class Bookkeeping(msgspec.Struct):
    """The part of a partition's partial that says how far it is."""

    offsets: dict[str, int]
    accepted: int


class Measured(NamedTuple):
    """One run: events and wall seconds between the two marks, and the processes' CPU seconds there."""

    events: int
    seconds: float
    cpu: float
    partials: dict[bytes, bytes]
    """The last value of every key, for comparison."""

    @property
    def rate(self) -> float:
        return self.events / self.seconds

    @property
    def cpu_us(self) -> float:
        """CPU microseconds of the measured processes for an event."""
        return 1e6 * self.cpu / self.events


class TooSlow(RuntimeError):
    """The end of the log was not reached in time."""


def cpu_seconds(pids: Iterable[int]) -> float:
    """User and system time used so far; nothing for a process that has ended."""
    total = 0
    for pid in pids:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
        except OSError:
            continue
        total += int(fields[11]) + int(fields[12])
    return total / TICKS_PER_S


class Watch:
    """Follows one namespace's `partials` until every partition has reached its end."""

    def __init__(self, config: dict[str, Any], topic: str, ends: Ends) -> None:
        self._ends = ends
        self._consumer = Consumer({
            **config, "group.id": "livelift-bench", "enable.auto.commit": False, "fetch.wait.max.ms": 20,
        })  # fmt: skip
        self._consumer.assign([TopicPartition(topic, 0, OFFSET_BEGINNING)])
        self._messages: list[tuple[int, int, int]] = []
        """(milliseconds, partition, accepted by then)"""
        self._latest: dict[bytes, bytes] = {}
        self._reached: set[int] = set()

    def until_end(
        self, pids: Callable[[], list[int]], ready: Callable[[], float], check: Callable[[], None], timeout: float
    ) -> Measured:
        """Wait for the end. ready: when the last process was ready (epoch seconds); check: raises if one has fallen."""
        deadline = monotonic() + timeout
        cpu: list[tuple[int, float]] = []
        while len(self._reached) < len(self._everywhere()):
            if monotonic() > deadline:
                raise TooSlow(f"{len(self._reached)} of {len(self._everywhere())} partitions at the end: {timeout:g} s")
            if self._take():
                cpu.append((self._messages[-1][0], cpu_seconds(pids())))
            else:
                check()
        self._consumer.close()
        return self._measured(round(ready() * 1000), cpu)

    def _everywhere(self) -> set[int]:
        return {partition for counts in self._ends.values() for partition in counts}

    def _take(self) -> int:
        messages: Any = self._consumer.consume(1000, POLL_S)
        before = len(self._messages)
        for message in messages:
            if message.error():
                raise KafkaException(message.error())
            self._latest[message.key()] = message.value()
            kind, _, partition = split_partial_key(message.key())
            if kind == "partition":
                self._note(message.timestamp()[1], partition, msgspec.json.decode(message.value(), type=Bookkeeping))
        return len(self._messages) - before

    def _note(self, at: int, partition: int, found: Bookkeeping) -> None:
        self._messages.append((at, partition, found.accepted))
        if all(found.offsets[topic] >= counts.get(partition, -1) for topic, counts in self._ends.items()):
            self._reached.add(partition)

    def _measured(self, ready: int, cpu: list[tuple[int, float]]) -> Measured:
        first = next(at for at, _, _ in self._messages if at >= ready)
        last = self._messages[-1][0]
        before, after = dict[int, int](), dict[int, int]()
        for at, partition, accepted in self._messages:
            after[partition] = accepted
            if at <= first:
                before[partition] = accepted
        used = [seconds for at, seconds in cpu if at >= first]
        events = sum(after.values()) - sum(before.values())
        return Measured(events, (last - first) / 1000, used[-1] - used[0], self._latest)


class Volume(NamedTuple):
    """What a run has written to some topics: records, and bytes of keys and values."""

    records: int
    bytes: int


def volume(config: dict[str, Any], topics: dict[str, int]) -> Volume:
    """Count what these topics (name -> partitions) hold, by reading all of it."""
    consumer = Consumer({**config, "group.id": "livelift-bench", "enable.auto.commit": False})
    left = {}
    for topic, partitions in topics.items():
        for number in range(partitions):
            low, high = consumer.get_watermark_offsets(TopicPartition(topic, number), timeout=30)
            if high > low:
                left[topic, number] = high - 1
    consumer.assign([TopicPartition(topic, number, OFFSET_BEGINNING) for topic, number in left])
    records = size = 0
    while left:
        messages: Any = consumer.consume(10_000, 1.0)
        for message in messages:
            if message.error():
                raise KafkaException(message.error())
            records += 1
            size += len(message.key() or b"") + len(message.value() or b"")
            if message.offset() >= left.get((message.topic(), message.partition()), message.offset() + 1):
                del left[message.topic(), message.partition()]
    consumer.close()
    return Volume(records, size)

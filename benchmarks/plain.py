"""The limit: a plain confluent-kafka loop around the very same core, run as a process of its own.

It reads the log of LIVELIFT_NAMESPACE and writes to the scratch namespace that it is given, with the worker's sender,
batch size, fetch sizes and garbage collector settings. What it has not: Faust, asyncio, a consumer group, a lease.
"""

import gc
import sys
from collections import defaultdict
from collections.abc import Iterable
from typing import Any, NamedTuple

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, TopicPartition

from livelift.local.topics import rows_changelog_name
from livelift.settings import Settings
from livelift.surroundings import surroundings
from models.alignment import Alignment
from models.events import SOURCES
from models.partition import Effects, Partition
from models.rows import partition_key
from models.world import World
from streams.app import BATCH_RECORDS, GC_THRESHOLDS, announce_ready
from streams.config import Surroundings
from streams.placement import Placement
from streams.sender import Sender
from streams.transport import FETCH_WAIT_MS

FETCH_BYTES = 4 * 1024 * 1024
"""Of one partition at a time, as `streams.app` asks for."""
WAIT_S = 0.1
QUEUE_BACKOFF_MS = 5
"""librdkafka otherwise rests for a second whenever its queue is full: that would be no limit."""


class Received(NamedTuple):
    """A record by attributes, as the core takes it."""

    offset: int
    key: bytes | None
    value: bytes | None
    timestamp: int
    headers: list[tuple[str, bytes]] | None


class Token(NamedTuple):
    """The end of a batch: what is committed when it has been processed."""

    topic: int
    partition: int
    offset: int


class PlainLoop:
    """Partitions `numbers` of the three source topics, from their beginnings to where they end now."""

    def __init__(self, here: Surroundings, scratch: Settings, numbers: Iterable[int]) -> None:
        self.here, self.numbers = here, list(numbers)
        self.topics = {here.topic(name): index for index, name in enumerate(SOURCES)}
        self.names = {index: name for name, index in self.topics.items()}
        self.changelog = rows_changelog_name(scratch)
        self.rows: dict[bytes, bytes] = {}
        self.sender = Sender(here.confluent, scratch.topic, lambda: None, here.session_timeout_s)
        placement, world = Placement(here.partitions), World(here.product, {})
        self.alignments: dict[int, Alignment[Token]] = {}
        for number in self.numbers:
            partition = Partition(number, world, self.rows.get, placement.of, here.clock)
            partition.rebuild([])
            self.alignments[number] = Alignment(partition)
        self.consumer = Consumer({
            **here.confluent, "group.id": f"{here.namespace}plain-loop", "enable.auto.commit": False,
            "fetch.wait.max.ms": FETCH_WAIT_MS, "max.partition.fetch.bytes": FETCH_BYTES, "check.crcs": False,
            "fetch.queue.backoff.ms": QUEUE_BACKOFF_MS,
        })  # fmt: skip
        self.paused: set[tuple[int, int]] = set()

    def run(self) -> None:
        """Consume, process, flush and commit until everything up to the present ends has been processed."""
        left = self._ends()
        self.consumer.assign([TopicPartition(self.names[topic], number, OFFSET_BEGINNING) for topic, number in left])
        announce_ready(self.here)
        while left:
            done = self._round()
            for topic, number, offset in done:
                if offset >= left.get((topic, number), offset + 1):
                    del left[topic, number]
        self.consumer.close()

    def _ends(self) -> dict[tuple[int, int], int]:
        """(topic, partition) -> last offset, where there is anything."""
        ends = {}
        for topic, name in self.names.items():
            for number in self.numbers:
                _, high = self.consumer.get_watermark_offsets(TopicPartition(name, number), timeout=30)
                if high:
                    ends[topic, number] = high - 1
        return ends

    def _round(self) -> list[Token]:
        grouped: dict[tuple[int, int], list[Received]] = defaultdict(list)
        messages: Any = self.consumer.consume(BATCH_RECORDS, WAIT_S)
        topics = self.topics
        for message in messages:
            if message.error():
                raise KafkaException(message.error())
            grouped[message.partition(), topics[message.topic()]].append(
                Received(message.offset(), message.key(), message.value(), message.timestamp()[1], message.headers())
            )
        for (number, topic), records in grouped.items():
            self.alignments[number].offer(topic, records, Token(topic, number, records[-1].offset))
        pending: dict[int, Effects] = {}
        done: list[Token] = []
        for number in {number for number, _ in grouped}:
            for effects, finished in self.alignments[number].steps():
                if number in pending:  # a step of the same partition has to be stored before the next one
                    self._store(pending)
                    pending = {}
                pending[number] = effects
                done += finished
                self.sender.send(effects.outputs)
                self.sender.write(self.changelog, number, effects.rows.items())
                effects.keep(self.rows)  # the next step of the partition reads them
            self._pause(number)
        if pending:
            self._store(pending)
        if done:
            self.consumer.commit(
                offsets=[TopicPartition(self.names[topic], number, offset + 1) for topic, number, offset in done]
            )
        return done

    def _pause(self, number: int) -> None:
        """As the scorer: read no more of a topic whose batches wait for the others, so that batches stay batches."""
        for topic, name in self.names.items():
            waits, where = self.alignments[number].waiting(topic), [TopicPartition(name, number)]
            if waits and (topic, number) not in self.paused:
                self.consumer.pause(where)
                self.paused.add((topic, number))
            elif not waits and (topic, number) in self.paused:
                self.consumer.resume(where)
                self.paused.discard((topic, number))

    def _store(self, effects: dict[int, Effects]) -> None:
        """One flush for everything, then one for the partition rows, as the order of decision 3 asks."""
        self.sender.flush()
        for number, found in effects.items():
            if found.partition_row is not None:
                row = [(partition_key(number), found.partition_row)]
                self.sender.write(self.changelog, number, row)
                self.rows[row[0][0]] = found.partition_row
        self.sender.flush()


def main() -> None:
    """`python -m benchmarks.plain SCRATCH_NAMESPACE NUMBER...`"""
    scratch, *numbers = sys.argv[1:]
    gc.set_threshold(*GC_THRESHOLDS)
    settings = Settings()
    scratch_settings = settings.model_copy(update={"namespace": scratch})
    PlainLoop(surroundings(settings), scratch_settings, map(int, numbers)).run()


if __name__ == "__main__":
    main()

"""Foreign events on our source topics that the scorer ignores for want of a mapping, as rows for one."""

from collections.abc import Iterator
from typing import Any

import msgspec
from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from livelift.sources.row import Broken, Place, Row
from models.events import SOURCES
from models.foreign import binary_cloudevent, translate
from streams.config import Surroundings

ASK_S = 30.0


class IgnoredEvents:
    """From a place (or the topics' beginning) to where the topics end now. Records that are ours are no rows."""

    total = 0

    def __init__(self, here: Surroundings) -> None:
        self.here = here
        self._offsets: dict[str, int] = {}
        self._read = 0

    def rows(self, place: Place | None) -> Iterator[Row | Broken]:
        self._offsets = dict((place or {}).get("offsets", {}))
        consumer = Consumer({**self.here.confluent, "group.id": "livelift-reader", "enable.auto.commit": False,
                             "enable.partition.eof": True, "log_level": 3})  # fmt: skip
        try:
            yield from self._to_the_end(consumer)
        finally:
            consumer.close()

    def place(self) -> Place:
        return {"offsets": dict(self._offsets)}

    def done(self) -> int:
        return self._read

    def _to_the_end(self, consumer: Consumer) -> Iterator[Row]:
        ends: dict[tuple[str, int], int] = {}
        for topic in SOURCES:
            for number in range(self.here.partitions):
                where = TopicPartition(self.here.topic(topic), number)
                low, high = consumer.get_watermark_offsets(where, timeout=ASK_S)
                if max(low, self._offsets.get(f"{topic}/{number}", 0)) < high:
                    ends[where.topic, number] = high
        consumer.assign([TopicPartition(topic, number, self._from(topic, number)) for topic, number in ends])
        while ends:
            messages: Any = consumer.consume(1_000, 1.0)
            for message in messages:
                at = (message.topic(), message.partition())
                if message.error() is not None:
                    if message.error().code() != KafkaError._PARTITION_EOF:
                        raise KafkaException(message.error())
                    ends.pop(at, None)
                elif at in ends:
                    row = self._row(message)
                    if message.offset() + 1 >= ends[at]:
                        ends.pop(at)
                    if row is not None:
                        yield row

    def _row(self, message: Any) -> Row | None:
        name = f"{message.topic().removeprefix(self.here.namespace)}/{message.partition()}"
        self._offsets[name] = message.offset() + 1
        self._read += 1
        try:
            loose = msgspec.json.decode(message.value() or b"null")
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return None
        headers = message.headers() or ()
        foreign = binary_cloudevent(headers, loose) or (translate(loose) if isinstance(loose, dict) else None)
        if foreign is None or foreign.ours is not None or not isinstance(loose, dict):
            return None
        return Row(name, message.offset(), loose)

    def _from(self, topic: str, number: int) -> int:
        return self._offsets.get(f"{topic.removeprefix(self.here.namespace)}/{number}", 0)

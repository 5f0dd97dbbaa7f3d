"""Reading what the source topics hold of one account: all of its partition, from where it begins to where it ends now.

The topics are the truth and are kept. What came to a wrong partition has been sent on to the right one, so that one
holds everything. Nothing is kept here, and nothing decoded: others' records are passed over by their bytes.
"""

from collections.abc import Callable, Iterator, Sequence
from time import monotonic, sleep
from typing import Any, NamedTuple

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, Message, TopicPartition

from models.record import Headers

FETCHED = 5_000
POLL_S = 0.2
SILENCE_S = 30.0
"""Seconds without anything from Kafka after which reading is given up."""
Concerns = Callable[[bytes | None, bytes | None], bool]
"""Whether a record with this key and value is one that is looked for."""


class Kept(NamedTuple):
    """A record as it stands in a source topic; timestamp: in milliseconds, when it reached Kafka."""

    offset: int
    key: bytes | None
    value: bytes | None
    timestamp: int
    headers: Headers


class Past:
    """One of the `partitions` of some topics, as it is now. config: confluent-kafka's; topics: their real names, in
    order. Raises ValueError where they have another number of partitions: an account would be looked for elsewhere."""

    def __init__(self, config: dict[str, Any], topics: Sequence[str], partition: int, partitions: int) -> None:
        self._consumer = Consumer({
            **config, "group.id": "livelift-reader", "enable.auto.commit": False, "auto.offset.reset": "earliest",
        })  # fmt: skip
        for topic in topics:
            held = len(self._consumer.list_topics(topic, timeout=SILENCE_S).topics[topic].partitions)
            if held != partitions:
                raise ValueError(
                    f"topic {topic} has {held} partitions, not {partitions}: set LIVELIFT_PARTITIONS={held}"
                )
        self._topics = {topic: place for place, topic in enumerate(topics)}
        self._where = [TopicPartition(topic, partition, OFFSET_BEGINNING) for topic in topics]
        marks = [self._marks(TopicPartition(topic, partition)) for topic in topics]
        self._begins, self._ends = ([mark[at] for mark in marks] for at in (0, 1))

    def _marks(self, where: TopicPartition) -> tuple[int, int]:
        """Where a partition begins and ends. One just created, or of a broker just restarted, has no leader yet."""
        deadline = monotonic() + SILENCE_S
        while True:
            try:
                found: tuple[int, int] = self._consumer.get_watermark_offsets(where, timeout=SILENCE_S)
                return found
            except KafkaException:
                if monotonic() > deadline:
                    raise
                sleep(POLL_S)

    @property
    def records(self) -> int:
        """How many there are to read."""
        return sum(self._ends) - sum(self._begins)

    @property
    def cut(self) -> bool:
        """Whether the topics do not begin with their first record: then what was before is not known."""
        return any(self._begins)

    def of(self, concerns: Concerns, progress: Callable[[int], None]) -> Iterator[tuple[int, Kept]]:
        """The records looked for, each with its topic (by index), in the order of their offsets within a topic.

        progress: is told how many have been read. Raises KafkaException where nothing comes for half a minute.
        """
        read, heard = 0, monotonic()
        self._consumer.assign(self._where)
        try:
            while not self._at_end():
                messages = self._consumer.consume(FETCHED, POLL_S)
                for message in messages:
                    place = self._place(message)
                    if concerns(message.key(), message.value()):
                        yield place, kept(message)
                read += len(messages)
                progress(read)
                heard = monotonic() if messages else heard
                if monotonic() - heard > SILENCE_S:
                    raise KafkaException(f"read {read} of {self.records} records, and no more in {SILENCE_S:g} s")
        finally:
            self._consumer.close()

    def _at_end(self) -> bool:
        """Offsets may have gaps: what counts is how far the consumer is."""
        ahead = [end if end > begin else 0 for begin, end in zip(self._begins, self._ends, strict=True)]
        reached = [position.offset for position in self._consumer.position(self._where)]
        return all(at >= end for at, end in zip(reached, ahead, strict=True) if end)

    def _place(self, message: Message) -> int:
        if message.error():
            raise KafkaException(message.error())
        return self._topics[str(message.topic())]


def kept(message: Message) -> Kept:
    found: Any = message
    return Kept(found.offset(), found.key(), found.value(), found.timestamp()[1], found.headers() or ())

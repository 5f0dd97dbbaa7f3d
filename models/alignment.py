"""Reading the source topics in step: a backlog of one must not run weeks ahead of another in event time.

Kafka orders records within a partition of one topic only. Live, the topics are at the same hour anyway; after an
outage, or in a recording, one may be months ahead, and what days closed with would depend on chance. So batches wait
here until the event clocks of the other topics have come near (docs/decisions/0005).
"""

from collections import deque
from collections.abc import Iterator, Sequence
from typing import Generic, TypeVar

from models.events import SOURCES
from models.partition import Effects, Partition
from models.record import Record

Token = TypeVar("Token")


class Waiting(Generic[Token]):
    """A batch and how much of it has been taken; the token is what is to be acknowledged at its end."""

    __slots__ = ("records", "taken", "token")

    def __init__(self, records: Sequence[Record], token: Token) -> None:
        self.records, self.token, self.taken = records, token, 0


class Alignment(Generic[Token]):
    """The batches of one partition that wait for their turn, by source topic."""

    def __init__(self, partition: Partition) -> None:
        self.partition = partition
        self._queues: tuple[deque[Waiting[Token]], ...] = tuple(deque() for _ in SOURCES)
        self._done: list[Token] = []
        """Tokens of batches that have been taken, and not been given back yet."""

    def offer(self, topic: int, records: Sequence[Record], token: Token) -> None:
        """Put a batch behind those of its topic that wait already."""
        self._queues[topic].append(Waiting(records, token))

    def waiting(self, topic: int) -> bool:
        """Whether batches of this topic wait for the other topics: then reading more of it is of no use."""
        return bool(self._queues[topic])

    def steps(self) -> Iterator[tuple[Effects, list[Token]]]:
        """Process all that may be processed now, step by step: effects to carry out, then tokens to acknowledge.

        Carry out each step before asking for the next one. Nothing is acknowledged while days are left to close: what
        the partition's row says of these batches, their ticks above all, is stored behind the last of those days.
        """
        while True:
            self._process()
            more, unfinished = self.partition.interrupted, self.partition.days.unfinished
            effects = self.partition.effects()
            done, self._done = ([], self._done) if unfinished else (self._done, [])
            yield effects, done
            if not more:
                return

    def _process(self) -> None:
        """Process until nothing more may be processed, or not before what has been is stored."""
        while self.partition.days_are_over() and not self.partition.interrupted:
            topic = self._next()
            if topic is None:
                return
            batch = self._queues[topic][0]
            rest = batch.records[batch.taken :] if batch.taken else batch.records
            batch.taken += self.partition.process(topic, rest)
            if batch.taken == len(batch.records):
                self._queues[topic].popleft()
                self._done.append(batch.token)

    def _next(self) -> int | None:
        return next(
            (topic for topic, queue in enumerate(self._queues) if queue and self.partition.may_take(topic)), None
        )

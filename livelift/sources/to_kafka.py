"""The topics as a destination, resumed exactly: what a run that died has sent behind its state is read back first."""

from collections.abc import Iterator
from typing import Any

import msgspec
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from livelift.recording.ticks import daily, last_tick, tick_message
from livelift.sources.counts import Counts
from livelift.sources.identities import Held, Identity
from livelift.sources.shape import Made, whose
from models.events import SOURCES
from models.record import CLOCK
from streams.compacted import Compacted
from streams.config import Surroundings
from streams.history import whole
from streams.placement import Placement

SOURCE = "livelift-source"
"""Header: the name of the source that a record came from."""
IDENTITIES, UNRESOLVED = "identities", "unresolved"
FLUSH_TIMEOUT_S, ASK_S = 120.0, 30.0


class NotTaken(RuntimeError):
    """Kafka did not take everything; the state is where it last had, and the next run goes on from there."""


class Id(msgspec.Struct):
    id: str


ID = msgspec.json.Decoder(Id)


class ToKafka:
    """Sends with acknowledgement of all replicas. `name` is the source's."""

    def __init__(self, here: Surroundings, name: str) -> None:
        self.here, self.name = here, name
        self.known: dict[str, Identity] = {}
        self._headers = [(SOURCE, name.encode())]
        self._place = Placement(here.partitions).of
        self._names = {topic: here.topic(topic) for topic in (*SOURCES, UNRESOLVED, IDENTITIES)}
        self._failed: KafkaError | None = None
        self._sent_before: set[str] = set()
        self._ends: dict[str, int] = {}
        self._identities: Compacted | None = None
        self._producer = Producer({
            **here.confluent, "enable.idempotence": True, "linger.ms": 20, "compression.type": "lz4",
            "queue.buffering.max.messages": 50_000, "queue.buffering.max.kbytes": 65_536,
            "message.max.bytes": 2_000_000, "log_level": 3,
        })  # fmt: skip

    # -- taking up ---------------------------------------------------------------------------------------------------

    def begin(self, position: dict[str, Any] | None, at_rest: bool) -> None:
        now = self._ends_now()
        if position is not None and not at_rest:
            self._sent_before = set(self._ids_behind(position["ends"], now))
        self._ends = now
        self._identities = Compacted(self.here.confluent, self._names[IDENTITIES])
        self.known = {}
        for key, value in self._identities.catch_up().items():
            self.known[key.decode()] = msgspec.json.decode(value, type=Identity)

    def refresh(self) -> None:
        """Learn who has been linked in the meantime."""
        for key, value in (self._identities.poll() if self._identities is not None else {}).items():
            if value is None:
                self.known.pop(key.decode(), None)
            else:
                self.known[key.decode()] = msgspec.json.decode(value, type=Identity)

    def _ends_now(self) -> dict[str, int]:
        """`topic/partition` -> where it ends now."""
        partitions = [(topic, number) for topic in SOURCES for number in range(self.here.partitions)]
        asked = {
            TopicPartition(self._names[topic], number): OffsetSpec.latest()
            for topic, number in [*partitions, (UNRESOLVED, 0)]
        }
        admin = AdminClient({**self.here.confluent, "log_level": 3})  # held until the futures have their results
        found = admin.list_offsets(asked, request_timeout=ASK_S)
        return {f"{where.topic}/{where.partition}": future.result().offset for where, future in found.items()}

    def _ids_behind(self, ends: dict[str, int], now: dict[str, int]) -> Iterator[str]:
        """The ids of what this source has sent between the state's ends and the present ones."""
        wanted = {where: end for where, end in now.items() if end > ends.get(where, 0)}
        if not wanted:
            return
        consumer = Consumer({**self.here.confluent, "group.id": "livelift-reader", "enable.auto.commit": False,
                             "enable.partition.eof": True, "log_level": 3})  # fmt: skip
        try:
            consumer.assign([_where(name, ends.get(name, 0)) for name in wanted])
            while wanted:
                messages: Any = consumer.consume(1_000, 1.0)
                for message in messages:
                    name = f"{message.topic()}/{message.partition()}"
                    if message.error() is not None:
                        if message.error().code() != KafkaError._PARTITION_EOF:
                            raise KafkaException(message.error())
                        wanted.pop(name, None)
                    elif (SOURCE, self._headers[0][1]) in (message.headers() or ()):
                        yield ID.decode(message.value()).id
        finally:
            consumer.close()

    # -- sending -----------------------------------------------------------------------------------------------------

    def send(self, made: Made, value: bytes, account: str) -> None:
        if not self._was_sent(made.id):
            self._produce(SOURCES[made.topic], self._place(account), account.encode(), value, self._headers)

    def hold(self, made: Made) -> None:
        if not self._was_sent(made.id):
            held = Held(made.alias or "", SOURCES[made.topic], made.id, msgspec.Raw(made.value), self.name)
            self._produce(UNRESOLVED, 0, held.alias.encode(), msgspec.json.encode(held), self._headers)

    def _was_sent(self, id_: str) -> bool:
        """Whether the run that died has sent it already."""
        if id_ not in self._sent_before:
            return False
        self._sent_before.discard(id_)
        return True

    def link(self, alias: str, identity: Identity) -> None:
        self.known[alias] = identity
        self._produce(IDENTITIES, 0, alias.encode(), msgspec.json.encode(identity), [])

    def resolve(self) -> int:
        self.refresh()
        self.flush()  # what waits, and who is known, is in Kafka before it is looked at
        count, end = 0, 0
        for record in whole(self.here.confluent, self._names[UNRESOLVED]):
            end = record.offset + 1
            identity = self.known.get(record.key.decode())
            if identity is None or record.offset < identity.sent or record.value is None:
                continue
            held, account = msgspec.json.decode(record.value, type=Held), identity.account_id
            value = whose(bytes(held.event), account, identity.user_id)
            self._produce(held.topic, self._place(account), account.encode(), value, [(SOURCE, held.source.encode())])
            count += 1
        self.flush()
        for alias, identity in list(self.known.items()):
            if count and identity.sent < end:
                self.link(alias, msgspec.structs.replace(identity, sent=end))
        self.flush()
        return count

    def _produce(self, topic: str, partition: int, key: bytes, value: bytes, headers: list[Any]) -> None:
        produce: Any = self._producer.produce
        while True:
            try:
                produce(self._names[topic], value, key, partition, headers=headers, on_delivery=self._delivered)
                break
            except BufferError:
                self._producer.poll(0.1)
        self._producer.poll(0)
        self._check()

    def _delivered(self, error: KafkaError | None, message: Message) -> None:
        if error is not None:
            self._failed = error
            return
        where = f"{message.topic()}/{message.partition()}"
        self._ends[where] = max(self._ends.get(where, 0), (message.offset() or 0) + 1)

    def flush(self) -> None:
        left = self._producer.flush(FLUSH_TIMEOUT_S)
        self._check()
        if left:
            raise NotTaken(f"Kafka has not acknowledged {left} messages in {FLUSH_TIMEOUT_S:g} s")

    def _check(self) -> None:
        if self._failed is not None:
            raise NotTaken(f"Kafka did not take a message: {self._failed.str()}")

    def position(self) -> dict[str, Any]:
        return {"ends": dict(self._ends)}

    # -- the end of a history ----------------------------------------------------------------------------------------

    def close_history(self, counts: list[Counts]) -> int:
        """Send the ticks of a finished history, as `livelift play` does: one a day, the last when everything is known.

        Returns how many; none without an event.
        """
        from livelift.experiments import published_plans

        firsts = [one.first for one in counts if one.first is not None]
        lasts = [one.last for one in counts if one.last is not None]
        if not firsts or not lasts:
            return 0
        assigned = {name: at for one in counts for name, at in one.assigned.items()}
        plans = [one.plan for one in published_plans(self.here).values()]
        last = last_tick(max(lasts), assigned, plans, self.here.product.lateness)
        ticks = daily(min(firsts), last)
        for at in ticks:
            for topic in SOURCES:
                for number in range(self.here.partitions):
                    self._produce(topic, number, b"", tick_message(at), [(CLOCK, b"log")])
        self.flush()
        return len(ticks)

    def close(self) -> None:
        if self._identities is not None:
            self._identities.close()


def _where(name: str, offset: int) -> TopicPartition:
    topic, _, partition = name.rpartition("/")
    return TopicPartition(topic, int(partition), offset)

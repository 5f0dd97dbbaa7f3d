"""The two read sides under one face: what a partition sends goes in, snapshots come out.

`InMemory` is what `livelift replay` reads. `InRedis` is the publisher itself, with a real Kafka to read from and a
real Redis to write to; only Faust, which would hand it the batches, is left out.
"""

from collections import defaultdict
from itertools import count
from typing import Any, Protocol

from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from consumers.snapshots import RANKING, Snapshots
from livelift.experiments import publish_plan
from livelift.local.topics import wanted
from livelift.settings import Settings
from livelift.surroundings import surroundings
from models.events import SOURCES
from models.messages import Output, split_partial_key
from models.readside import ReadSide
from models.snapshot import Snapshot, canonical
from models.world import World
from streams.app import make_app
from streams.plain import Plain
from streams.publisher import AT_RISK_EVERY, PROJECTIONS, Publisher
from streams.sender import Sender
from tests.support.build import decoded_json
from tests.support.stack import until

READ = ("partials", "account-scores", "journey-signals")


class Side(Protocol):
    def take(self, outputs: list[Output]) -> None:
        """Take what was sent, as one batch."""

    def snapshot(self) -> Snapshot:
        """The canonical snapshot of all that has been taken."""


class InMemory:
    """Snapshots in a dict."""

    def __init__(self, world: World) -> None:
        self._read = ReadSide(world)

    def take(self, outputs: list[Output]) -> None:
        self._read.take(outputs)

    def snapshot(self) -> Snapshot:
        return canonical(self._read.snapshot())


class InRedis:
    """Snapshots in Redis, written by a publisher. Another one on the same settings is its successor."""

    def __init__(self, settings: Settings, world: World) -> None:
        until("every partition has its leader", lambda: led(settings))
        self.here = surroundings(settings, world.product)
        for published in world.plans.values():
            publish_plan(self.here, published.plan)
        self.held = Snapshots(settings.require_redis(), settings.redis_prefix)
        self.publisher = self.started()
        self._producer = Producer({**settings.confluent(), "linger.ms": 10})
        self._pulses = count()
        self._offsets: dict[int, dict[str, int]] = {}

    def started(self) -> Publisher:
        """A publisher that has just been started."""
        publisher = Publisher(self.here, make_app("publisher", self.here))
        # The lease comes with Faust's heartbeats; here nobody else could own the pulse.
        publisher.sender = Sender(self.here.confluent, self.here.topic, lambda: None, self.here.session_timeout_s)
        return publisher

    def succeed(self) -> None:
        """Another publisher takes over."""
        self.publisher = self.started()

    def take(self, outputs: list[Output]) -> None:
        for topic, partition, records in self._sent([output for output in outputs if output.topic in READ]):
            if topic in PROJECTIONS:
                self.publisher.take(topic, partition, records)

    def _sent(self, outputs: list[Output]) -> list[tuple[str, int, list[Plain]]]:
        """Send to Kafka; what came to lie in each partition, with the offsets it got."""
        short, batches = len(self.here.namespace), defaultdict(list)

        def delivered(error: Any, message: Any) -> None:
            assert error is None, error
            where = (message.topic()[short:], message.partition())
            batches[where].append(Plain(where[1], message.offset(), message.key(), message.value()))

        for topic, partition, key, value, _ in outputs:
            self._producer.produce(self.here.topic(topic), value, key, partition, on_delivery=delivered)
            if topic == "partials" and value is not None and key is not None:
                kind, _, number = split_partial_key(key)
                if kind == "partition":
                    self._offsets[number] = decoded_json(value)["offsets"]
        assert self._producer.flush(30) == 0
        return [(topic, partition, records) for (topic, partition), records in batches.items()]

    def pulse(self) -> None:
        self.publisher.pulse(self.next_pulse())

    def next_pulse(self) -> int:
        """The offset of a pulse that nobody has seen yet."""
        return next(self._pulses)

    def snapshot(self) -> Snapshot:
        until("the partials are in Redis", self._has_all)
        for _ in range(AT_RISK_EVERY):  # the capacity list is read again once in so many pulses
            self.pulse()
        return self.held_now()

    def held_now(self) -> Snapshot:
        """What Redis holds, without waiting for anything."""
        return {RANKING: {}, **canonical(self.held.everything())}  # Redis holds no empty ranking

    def _has_all(self) -> bool:
        self.pulse()
        wanted = {topic: {str(n): at[topic] for n, at in sorted(self._offsets.items())} for topic in SOURCES}
        return self.held.get("quality")["as_of"]["offsets"] == wanted


def led(settings: Settings) -> bool:
    """Whether all partitions answer: new ones need a moment."""
    topics = wanted(settings).items()
    asked = {TopicPartition(name, n): OffsetSpec.latest() for name, topic in topics
             for n in range(topic.partitions or settings.partitions)}  # fmt: skip
    admin = AdminClient(settings.confluent())  # it has to outlive its answers
    found = admin.list_offsets(asked, request_timeout=10)
    return all(future.exception() is None for future in found.values())

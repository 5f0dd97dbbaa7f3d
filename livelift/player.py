"""`livelift play`: a recording through the real topics, with its ticks and its plans."""

from collections.abc import Callable
from time import monotonic, sleep
from typing import Any, NamedTuple

from confluent_kafka import KafkaError, Message, Producer

from livelift.annotations import annotate
from livelift.experiments import publish_plan
from livelift.recording import Record, Recording
from models.clock import SECOND
from models.events import SOURCES
from models.plan import read_plan
from models.record import CLOCK, RECORDING_END
from streams.config import Surroundings
from streams.placement import Placement

FLUSH_TIMEOUT = 60.0
PROGRESS_EVERY = 2_000


class Played(NamedTuple):
    """What was sent: events, ticks (each counted once), and the seconds it took."""

    events: int
    ticks: int
    seconds: float

    @property
    def rate(self) -> float:
        """Events a second."""
        return self.events / self.seconds if self.seconds else 0.0


class PlayFailed(Exception):
    """Kafka did not take a message."""


class Player:
    """Sends recordings. speed: event seconds a wall second; None is as fast as Kafka takes them."""

    def __init__(self, here: Surroundings, speed: float | None = None) -> None:
        self.here, self.speed = here, speed
        self._placement = Placement(here.partitions)
        self._failed: KafkaError | None = None
        self._producer = Producer({
            **here.confluent, "enable.idempotence": True, "linger.ms": 20, "compression.type": "lz4",
            "queue.buffering.max.messages": 1_000_000, "message.max.bytes": 2_000_000,
        })  # fmt: skip
        self._started: tuple[float, int] | None = None

    def play(self, recording: Recording, progress: Callable[[int], None] | None = None) -> Played:
        """Publish plans and annotations, then send every record in order; returns when Kafka has acknowledged all."""
        for path in recording.plans:
            publish_plan(self.here, read_plan(path.read_bytes()))
        if recording.annotations:
            annotate(self.here, recording.annotations)
        headers = [(RECORDING_END, str(recording.last_tick).encode())]
        began, events, ticks = monotonic(), 0, 0
        for record in recording.records():
            self._keep_pace(record.at)
            if record.topic is None:
                ticks += 1
                self._send_tick(record, headers)
            else:
                events += 1
                self._send(record.topic, self._placement.of(record.key.decode()), record, headers)
            if progress is not None and (events + ticks) % PROGRESS_EVERY == 0:
                progress(events)
        self.flush()
        if progress is not None:
            progress(events)
        return Played(events, ticks, monotonic() - began)

    def _send_tick(self, record: Record, headers: list[tuple[str, bytes]]) -> None:
        for topic in SOURCES:
            for number in range(self.here.partitions):
                self._send(topic, number, record, [*headers, (CLOCK, b"log")])

    def _send(self, topic: str, partition: int, record: Record, headers: list[tuple[str, bytes]]) -> None:
        name = self.here.topic(topic)
        produce: Any = self._producer.produce
        while True:
            try:
                produce(name, record.value, record.key or None, partition, headers=headers, on_delivery=self._delivered)
            except BufferError:
                self._producer.poll(0.1)
                continue
            self._producer.poll(0)
            return

    def _delivered(self, error: KafkaError | None, message: Message) -> None:
        self._failed = error or self._failed

    def flush(self) -> None:
        left = self._producer.flush(FLUSH_TIMEOUT)
        if left or self._failed is not None:
            raise PlayFailed(f"Kafka did not take everything: {self._failed or f'{left} messages unanswered'}")

    def _keep_pace(self, at: int) -> None:
        """Wait until it is this record's turn at the chosen speed."""
        if self.speed is None:
            return
        if self._started is None:
            self._started = (monotonic(), at)
        wall, event = self._started
        ahead = (at - event) / SECOND / self.speed - (monotonic() - wall)
        if ahead > 0:
            self._producer.flush(0)
            sleep(ahead)

"""The `alerts` topic: every transition, in order. What it holds is the state; Redis shows it, memory works on it."""

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.errors import KafkaError

from models.alerts.alert import Alert, decode_alert, encode_alert

POLL_MS = 500
LINGER_MS, BATCH_BYTES = 1000, 512 * 1024
"""A step's transitions go out together when they are waited for: sent one by one, each wakes the client's thread."""
BACKOFF_MS = 5
"""A transaction that begins right after another has to ask again until that is through, which takes milliseconds."""
SILENCE_POLLS = 60
TIMEOUT_S = 30.0


class NotStored(RuntimeError):
    """Kafka has not taken a transition: nothing that follows from it may happen."""


class AlertLog:
    """Reading and writing the topic's one partition. writer: the name under which the installation's processes write,
    one at a time: whoever takes over fences off whoever wrote before (Kafka's transactions), so that a process that was
    paused for long can add nothing to what another has gone on from."""

    def __init__(self, kafka: dict[str, Any], topic: str, writer: str) -> None:
        self._kafka, self._topic, self._writer = kafka, topic, writer
        self._producer: Any = None

    def take_over(self) -> None:
        """From now on this process writes, and no other. Raises NotStored."""
        self.close()
        try:
            self._producer = KafkaProducer(
                **self._kafka, acks="all", linger_ms=LINGER_MS, batch_size=BATCH_BYTES, retry_backoff_ms=BACKOFF_MS,
                transactional_id=self._writer,
            )  # fmt: skip
            self._producer.init_transactions()
        except KafkaError as error:
            raise NotStored(f"{self._topic}: {type(error).__name__}: {error}") from error

    def read(self) -> Iterator[Alert]:
        """Every transition so far."""
        yield from read_alerts(self._kafka, self._topic)

    def write(self, alerts: Iterable[Alert]) -> None:
        """Write transitions, all or none, and wait until Kafka has them. Raises NotStored, also where another process
        has taken over."""
        values = [(alert.account_id.encode(), encode_alert(alert)) for alert in alerts]
        if not values:
            return
        try:
            self._producer.begin_transaction()
            sending = [self._producer.send(self._topic, key=key, value=value, partition=0) for key, value in values]
            self._producer.commit_transaction()
            for future in sending:
                future.get(timeout=TIMEOUT_S)
        except Exception as error:
            raise NotStored(f"{self._topic}: {type(error).__name__}: {error}") from error

    def close(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            producer.close(timeout=TIMEOUT_S)


def read_alerts(kafka: dict[str, Any], topic: str) -> Iterator[Alert]:
    """Every transition so far. Records that are no alert (another version's) are passed over."""
    for value in read_whole(kafka, topic):
        try:
            yield decode_alert(value)
        except msgspec.MsgspecError:
            continue


def read_whole(kafka: dict[str, Any], topic: str) -> Iterator[bytes]:
    """The values of a one-partition topic, from its beginning to where it ends now. Raises NotStored where nothing
    comes for half a minute."""
    where = TopicPartition(topic, 0)
    consumer: Any = KafkaConsumer(
        **kafka, enable_auto_commit=False, group_id=None, auto_offset_reset="earliest",
        isolation_level="read_committed",
    )  # fmt: skip
    try:
        consumer.assign([where])
        end = consumer.end_offsets([where])[where]
        consumer.seek(where, consumer.beginning_offsets([where])[where])
        silent = 0
        while consumer.position(where) < end:
            fetched = consumer.poll(timeout_ms=POLL_MS, max_records=5000).get(where, ())
            silent = 0 if fetched else silent + 1
            if silent > SILENCE_POLLS:
                raise NotStored(f"{topic}: read to {consumer.position(where)} of {end}, and no further")
            for record in fetched:
                if record.offset < end and record.value is not None:
                    yield record.value
    finally:
        consumer.close()

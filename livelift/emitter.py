"""Sending events from a product's own code: checked before they leave, keyed by account, acknowledged by Kafka."""

from collections.abc import Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

import msgspec
from kafka import KafkaProducer
from kafka.errors import KafkaError

from models.decode import Decode, Refusal
from models.events import HOME, SOURCES, Event

FLUSH_TIMEOUT_S = 30.0


class NotAnEvent(ValueError):
    """The scorer would refuse it; `reason` is the contract's."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason


class NotSent(RuntimeError):
    """Kafka did not take everything that was emitted."""


class Emitter:
    """Sends events to the source topics. One for the whole process, from any thread; closed, or left, it has sent all.

    bootstrap_servers: `host:port,host:port`. namespace: what the topics' names begin with. people_are_accounts: as in
    `livelift.toml`. kafka: further settings of kafka-python's producer (security). The producer retries by itself, and
    an event that is sent again has the same id.

    >>> with Emitter("localhost:9092") as emitter:                      # doctest: +SKIP
    ...     emitter.emit("task_completed", account_id="acme", user_id="ann", properties={"task": "1"})
    """

    def __init__(
        self, bootstrap_servers: str | list[str], *, namespace: str = "", people_are_accounts: bool = False,
        producer: Any = None, **kafka: Any,
    ) -> None:  # fmt: skip
        self._namespace = namespace
        self._decode = Decode(people_are_accounts)
        self._failed: BaseException | None = None
        # Its default partitioner is that of Kafka's Java client: murmur2 of the key, where accounts live.
        self._producer = producer or KafkaProducer(
            bootstrap_servers=bootstrap_servers, acks="all", enable_idempotence=True, linger_ms=20, **kafka
        )

    def emit(
        self,
        type: str,
        *,
        account_id: str,
        user_id: str | None = None,
        properties: Mapping[str, Any] | None = None,
        at: datetime | float | None = None,
        id: str | None = None,
    ) -> str:
        """Queue one event and return its id. at: a datetime with an offset or epoch seconds, by default now.

        Give an `id` of your own where you may emit the same thing twice: it counts once. Raises NotAnEvent for what the
        scorer would refuse, and NotSent where Kafka did not take an event before this one.
        """
        event: dict[str, Any] = {
            "id": id or str(uuid4()), "type": type, "at": datetime.now(UTC) if at is None else at,
            "account_id": account_id, "properties": dict(properties or {}),
        }  # fmt: skip
        if user_id is not None:
            event["user_id"] = user_id
        self.send(event)
        return event["id"]

    def send(self, event: Mapping[str, Any]) -> None:
        """Queue an event that is whole already, as the contract has it."""
        self._check()
        topic, value = checked(event, self._decode)
        key = str(event["account_id"]).encode()
        future = self._producer.send(self._namespace + SOURCES[topic], key=key, value=value)
        future.add_errback(self._note)

    def flush(self, timeout_s: float = FLUSH_TIMEOUT_S) -> None:
        """Wait until Kafka has acknowledged everything that was emitted; NotSent if it has not by then."""
        try:
            self._producer.flush(timeout=timeout_s)
        except KafkaError as error:
            raise NotSent(f"Kafka has not acknowledged everything in {timeout_s:g} s: {error}") from error
        self._check()

    def close(self, timeout_s: float = FLUSH_TIMEOUT_S) -> None:
        """Flush and disconnect."""
        try:
            self.flush(timeout_s)
        finally:
            self._producer.close(timeout=timeout_s)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _note(self, error: BaseException) -> None:
        self._failed = error

    def _check(self) -> None:
        if self._failed is not None:
            failed, self._failed = self._failed, None
            raise NotSent(f"Kafka did not take an event: {failed}") from failed


def checked(event: Mapping[str, Any], decode: Decode) -> tuple[int, bytes]:
    """The index of the event's topic and its JSON; raises NotAnEvent."""
    kind = event.get("type")
    topic = HOME.get(kind) if isinstance(kind, str) and kind != "forget" else None
    if topic is None:
        raise NotAnEvent("unplanned_event", f"no type of event: {kind!r}")
    try:
        value = msgspec.json.encode(event)
    except (TypeError, ValueError) as error:
        raise NotAnEvent("datatype_mismatch", str(error)) from error
    found = decode(topic, value)
    if isinstance(found, Refusal):
        raise NotAnEvent(found.reason, found.detail)
    if not isinstance(found, Event):
        raise NotAnEvent("unplanned_event", "no event of the contract")
    return topic, value

"""Records by attributes, read by a consumer without a group: for topics that are read whole."""

from collections.abc import Iterator
from typing import Any, NamedTuple, Protocol

from confluent_kafka import Consumer, KafkaException


class Keyed(Protocol):
    """A record that is about its key; Faust's and those read here fit."""

    @property
    def key(self) -> bytes: ...
    @property
    def value(self) -> bytes | None: ...
    @property
    def offset(self) -> int: ...


class Plain(NamedTuple):
    """A record as the readers take it."""

    partition: int
    offset: int
    key: bytes
    value: bytes | None


def received(consumer: Consumer, most: int, timeout: float) -> Iterator[Plain]:
    """Up to `most` records that come within the timeout; raises KafkaException on an error among them."""
    messages: Any = consumer.consume(most, timeout)
    for message in messages:
        if message.error():
            raise KafkaException(message.error())
        yield Plain(message.partition(), message.offset(), message.key() or b"", message.value())

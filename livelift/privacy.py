"""`livelift forget`: an ordinary record on the source topic, so that it takes its place in the order of events."""

from datetime import UTC, datetime
from uuid import uuid4

import msgspec
from confluent_kafka import Producer

from streams.config import Surroundings
from streams.placement import Placement

TIMEOUT = 30.0


class NotSent(RuntimeError):
    """Kafka did not take the request."""


def forget(here: Surroundings, account_id: str, user_id: str | None) -> None:
    """Ask the scorer to forget a user, or without one the whole account. Asking twice does no harm."""
    event = {"id": f"forget-{uuid4()}", "type": "forget", "at": datetime.now(UTC), "account_id": account_id}
    if user_id is not None:
        event["user_id"] = user_id
    producer = Producer({**here.confluent, "enable.idempotence": True})
    partition = Placement(here.partitions).of(account_id)
    producer.produce(here.topic("product-events"), msgspec.json.encode(event), account_id.encode(), partition)
    if producer.flush(TIMEOUT):
        raise NotSent(f"Kafka did not take the request in {TIMEOUT:g} s; nothing was forgotten")

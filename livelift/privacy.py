"""`livelift forget`: an ordinary record on the source topic, so that it takes its place in the order of events."""

from datetime import UTC, datetime
from uuid import uuid4

import msgspec

from livelift.sent import TIMEOUT, sent
from models.messages import Output, encode
from streams.compacted import Compacted
from streams.config import Surroundings
from streams.placement import Placement


class NotSent(RuntimeError):
    """Kafka did not take the request."""


class Linked(msgspec.Struct):
    """Whose an alias is, as `identities` has it."""

    account_id: str
    user_id: str | None = None


def forget(here: Surroundings, account_id: str, user_id: str | None) -> None:
    """Ask the scorer to forget a user, or without one the whole account. Asking twice does no harm."""
    event = {"id": f"forget-{uuid4()}", "type": "forget", "at": datetime.now(UTC), "account_id": account_id}
    if user_id is not None:
        event["user_id"] = user_id
    partition = Placement(here.partitions).of(account_id)
    if not sent(here, [Output("product-events", partition, account_id.encode(), encode(event))]):
        raise NotSent(f"Kafka did not take the request in {TIMEOUT:g} s; nothing was forgotten")


def forget_aliases(here: Surroundings, account_id: str, user_id: str | None) -> int:
    """Remove the aliases (emails, other systems' ids) that stand for a user, or for anybody of an account; how many."""
    topic = Compacted(here.confluent, here.topic("identities"))
    try:
        held = {key: msgspec.json.decode(value, type=Linked) for key, value in topic.catch_up().items()}
    finally:
        topic.close()
    theirs = [key for key, who in held.items() if who.account_id == account_id and user_id in (None, who.user_id)]
    if not sent(here, (Output("identities", 0, key, None) for key in theirs)):
        raise NotSent(f"Kafka did not take the request in {TIMEOUT:g} s; run it again to remove the aliases, too")
    return len(theirs)

"""What one account's messages become on the read side: `account:{id}`, `journeys:{account}`, and its ranks."""

from collections.abc import Iterable
from typing import Any

import msgspec

from models.capacity import InMemory, Listed, at_risk
from models.keys import RANKING, SCHEMA, account_key, journeys_key
from models.messages import Output
from models.snapshot import Partials, Snapshot, aggregates
from models.world import World


def account_value(message: bytes) -> dict[str, Any]:
    """The `account:{id}` snapshot from a score message."""
    value: dict[str, Any] = msgspec.json.decode(message)
    return {"schema": SCHEMA, "as_of": {"time": value["at"]}, **value}


def listed_of(account: dict[str, Any]) -> Listed:
    """What the capacity list takes from an `account:{id}` snapshot."""
    return msgspec.convert(account, Listed)


def journey_value(signal: dict[str, Any]) -> dict[str, Any]:
    """One field of the `journeys:{account}` snapshot from a signal."""
    return {"schema": SCHEMA, "as_of": {"time": signal["at"]}, **signal}


class ReadSide:
    """Snapshots kept in a dict instead of Redis: the read side of `livelift replay` and of tests."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.partials = Partials()
        self.accounts: dict[str, dict[str, Any]] = {}
        self.journeys: dict[str, dict[str, dict[str, Any]]] = {}

    def take(self, outputs: list[Output]) -> None:
        """Fold what a partition sends."""
        for topic, _, key, value, _ in outputs:
            match topic:
                case "partials" if key is not None:
                    self.partials.put(key, value)
                case "account-scores" if key is not None:
                    self._score(key.decode(), value)
                case "journey-signals" if key is not None:
                    self._signal(key.decode(), value)

    def _score(self, account_id: str, value: bytes | None) -> None:
        if value is None:
            self.accounts.pop(account_id, None)
        else:
            self.accounts[account_id] = account_value(value)

    def _signal(self, account_id: str, value: bytes | None) -> None:
        if value is None:
            self.journeys.pop(account_id, None)
            return
        signal = msgspec.json.decode(value)
        users = self.journeys.setdefault(account_id, {})
        if signal.get("forgotten"):
            for field in fields_of(signal["user_id"], list(users)):
                del users[field]
        elif signal.get("left"):
            users.pop(journey_field(signal), None)
        else:
            users[journey_field(signal)] = journey_value(signal)

    def snapshot(self) -> Snapshot:
        """Every snapshot by its key (without the Redis prefix)."""
        found = aggregates(self.partials, self.world)
        found |= {account_key(account_id): value for account_id, value in self.accounts.items()}
        found |= {journeys_key(account_id): users for account_id, users in self.journeys.items() if users}
        found[RANKING] = {account_id: value["score"] for account_id, value in self.accounts.items()}
        held = InMemory({account_id: listed_of(value) for account_id, value in self.accounts.items()})
        return {**found, **held.rankings, "at-risk": at_risk(held, self.world.product.capacity)}


def journey_field(signal: dict[str, Any]) -> str:
    """The field of `journeys:{account}` that a signal belongs in: one per user and journey (whose id has no slash)."""
    return f"{signal['journey']}/{signal['user_id']}"


def fields_of(user_id: str, fields: Iterable[str]) -> list[str]:
    """Those of an account's fields that are of this user, on whichever journey."""
    return [field for field in fields if field.split("/", 1)[1] == user_id]

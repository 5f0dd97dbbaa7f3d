"""What a message about an account becomes in Redis: `account:{id}`, its history, the ranking, `journeys:{account}`."""

from collections.abc import Callable, Sequence

import msgspec

from models.readside import (
    RANKING,
    account_key,
    account_value,
    history_key,
    journey_field,
    journey_value,
    journeys_key,
)
from streams.plain import Keyed
from streams.store import Change, Fence, published

Projection = Callable[[Sequence[Keyed], Fence], list[Change]]


def of_scores(records: Sequence[Keyed], fence: Fence) -> list[Change]:
    """The changes that records of `account-scores` make, in their order."""
    changes: list[Change] = []
    for record in records:
        account_id = record.key.decode()
        name, history = account_key(account_id), history_key(account_id)
        if record.value is None:
            changes += [
                Change("del", name),
                Change("del", history),
                Change("unrank", RANKING, account_id),
            ]
        else:
            account = account_value(record.value)
            full = published(account, fence)
            changes += [
                Change("set", name, full),
                Change("history", history, full),
                Change("rank", RANKING, account_id, str(account["score"])),
            ]
    return changes + told(account_key, records)


def of_signals(records: Sequence[Keyed], fence: Fence) -> list[Change]:
    """The changes that records of `journey-signals` make, in their order."""
    changes: list[Change] = []
    for record in records:
        key = journeys_key(record.key.decode())
        if record.value is None:
            changes.append(Change("del", key))
            continue
        signal = msgspec.json.decode(record.value)
        if signal.get("forgotten"):
            changes.append(Change("unuser", key, signal["user_id"]))
        elif signal.get("left"):
            changes.append(Change("unfield", key, journey_field(signal)))
        else:
            changes.append(Change("field", key, published(journey_value(signal), fence), journey_field(signal)))
    return changes + told(journeys_key, records)


def told(key_of: Callable[[str], str], records: Sequence[Keyed]) -> list[Change]:
    """One message on `updates` for each key that these records are about."""
    return [Change("tell", key_of(key.decode())) for key in {record.key: None for record in records}]

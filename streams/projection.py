"""What a message about an account becomes in Redis: `account:{id}`, its history, the ranking, `journeys:{account}`."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import msgspec

from models.capacity import Place, place_of
from models.keys import RANKING, account_key, history_key, journeys_key
from models.readside import account_value, fields_of, journey_field, journey_value, listed_of
from streams.plain import Keyed
from streams.store import Change, Fence, published

Latest = dict[tuple[bytes, str], Keyed]
"""(account, field) -> the record that tells of it last."""


class Projection(NamedTuple):
    """How a topic's records become changes, and which of many records still say something."""

    changes: Callable[[Sequence[Keyed], Fence], list[Change]]
    fold: Callable[[Latest, Keyed], None]


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
                Change("unplace", "", account_id),
            ]
        else:
            account = account_value(record.value)
            full = published(account, fence)
            changes += [
                Change("set", name, full),
                Change("history", history, published(without_causes(account), fence)),
                Change("rank", RANKING, account_id, str(account["score"])),
                placing(account_id, place_of(listed_of(account))),
            ]
    return changes + told(account_key, records)


def placing(account_id: str, place: Place | None) -> Change:
    """Puts an account where it belongs in the orders of the capacity list, or out of them."""
    if place is None:
        return Change("unplace", "", account_id)
    return Change("place", place.owner, account_id, f"{place.risk} {place.revenue}")


def without_causes(account: dict[str, Any]) -> dict[str, Any]:
    """What a history keeps of a score: the events behind it may be of somebody who is forgotten later."""
    return {name: value for name, value in account.items() if name != "causes"}


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


def fold_scores(latest: Latest, record: Keyed) -> None:
    """An account's last score is the only one that counts; after a tombstone there is none."""
    if record.value is None:
        latest.pop((record.key, ""), None)
    else:
        latest[record.key, ""] = record


def fold_signals(latest: Latest, record: Keyed) -> None:
    """A user's last signal on each journey counts, unless they left it, were forgotten, or the account was."""
    if record.value is None:
        gone = [where for where in latest if where[0] == record.key]
    else:
        signal = msgspec.json.decode(record.value)
        if signal.get("forgotten"):
            fields = fields_of(signal["user_id"], [field for key, field in latest if key == record.key])
            gone = [(record.key, field) for field in fields]
        elif signal.get("left"):
            gone = [(record.key, journey_field(signal))]
        else:
            latest[record.key, journey_field(signal)] = record
            return
    for where in gone:
        latest.pop(where, None)


def told(key_of: Callable[[str], str], records: Sequence[Keyed]) -> list[Change]:
    """One message on `updates` for each key that these records are about."""
    return [Change("tell", key_of(key.decode())) for key in {record.key: None for record in records}]

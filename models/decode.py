"""From raw bytes to an event, a tick, or a refusal with one of the contract's reasons.

The happy way is one msgspec call on the raw bytes. Only what fails there is looked at again, slowly, to say why.
A refusal is a value with a home (the dead-letter topic); nothing that arrives can raise out of here.
"""

from functools import reduce
from operator import or_
from typing import Any, Literal, NamedTuple

import msgspec

from models.clock import HOUR, YEAR_2000, rfc3339
from models.events import BY_TOPIC, HOME, SOURCES, Event, Personal, Tick, instant
from models.foreign import ForeignEvent, translate

Reason = Literal[
    "unplanned_event",
    "implausible_time",
    "required_missing",
    "datatype_mismatch",
    "out_of_range",
    "wrong_partition",
    "internal_error",
]

FUTURE = 23 * HOUR
"""How far event time may run ahead of the moment the record reached Kafka: a wrong clock, not a time zone."""
DETAIL_LIMIT = 300


class Refusal(NamedTuple):
    """Why a record is a dead letter; `detail` never quotes more than a path and a type from the payload."""

    reason: Reason
    detail: str


class Ignored(NamedTuple):
    """A well-formed event of somebody else's for which there is no mapping: counted by name, never a dead letter."""

    name: str


Decoded = Event | Tick | Refusal | Ignored


def _decoder(kinds: tuple[type[Event], ...]) -> msgspec.json.Decoder[Event | Tick]:
    return msgspec.json.Decoder(one_of((Tick, *kinds)))


def one_of(kinds: tuple[type, ...]) -> Any:
    """The tagged union of these types, as msgspec takes it."""
    return reduce(or_, kinds)


class Decode:
    """Decoders for the three source topics.

    people_are_accounts: in a product without organisations the account stands for a person that was not named.
    """

    def __init__(self, people_are_accounts: bool = False) -> None:
        self.people_are_accounts = people_are_accounts
        self._decoders = tuple(_decoder(kinds) for kinds in BY_TOPIC)

    def __call__(self, topic: int, value: bytes | None) -> Decoded:
        """Decode one record of the source topic with this index; any bytes at all give a value, never an exception."""
        try:
            event = self._decoders[topic].decode(value or b"")
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
            return self._explain(topic, value, error)
        return event if isinstance(event, Tick) else self.with_person(event)

    def with_person(self, event: Event) -> Event | Refusal:
        """The event, with the account as its person where that is the rule, or refused where a person is missing."""
        if event.user_id is None:
            if self.people_are_accounts:
                return msgspec.structs.replace(event, user_id=event.account_id)
            if isinstance(event, Personal):
                return Refusal("required_missing", f"{event.__struct_config__.tag} needs a user_id")
        return event

    def _explain(self, topic: int, value: bytes | None, error: Exception) -> Decoded:
        if not value:
            return Refusal("datatype_mismatch", "empty message" if value is not None else "tombstone (null value)")
        try:
            loose = msgspec.json.decode(value)
        except (msgspec.MsgspecError, UnicodeDecodeError) as unreadable:
            return Refusal("datatype_mismatch", f"not JSON: {unreadable}"[:DETAIL_LIMIT])
        except RecursionError:
            return Refusal("datatype_mismatch", "nested too deeply to be an event")
        if not isinstance(loose, dict):
            return Refusal("datatype_mismatch", f"not a JSON object: {type(loose).__name__}")
        foreign = translate(loose)
        match foreign:
            case ForeignEvent(name, None):
                return Ignored(name)
            case ForeignEvent(_, ours) if ours is not None:
                return self._convert(topic, ours)
        kind = loose.get("type")
        home = HOME.get(kind) if isinstance(kind, str) else None
        if kind is not None and home != topic and kind != "tick":
            where = "no such type" if home is None else f"belongs on {SOURCES[home]}"
            return Refusal("unplanned_event", f"type {str(kind)[:80]!r}: {where}")
        return classify(error)

    def _convert(self, topic: int, ours: dict[str, Any]) -> Event | Refusal:
        try:
            return self.with_person(msgspec.convert(ours, one_of(BY_TOPIC[topic])))
        except (msgspec.ValidationError, RecursionError) as error:
            return classify(error)


def classify(error: Exception) -> Refusal:
    """Which of the contract's reasons a msgspec error stands for; its message is the only place that tells."""
    text = str(error)[:DETAIL_LIMIT]
    if "missing required field" in text:
        return Refusal("required_missing", text)
    if "Invalid value" in text and "$.type" in text:
        return Refusal("unplanned_event", text)
    if any(sign in text for sign in (" of length ", ">=", "<=", "out of range", "Invalid enum value", "Invalid value")):
        return Refusal("out_of_range", text)
    return Refusal("datatype_mismatch", text)


def implausible(at: int, latest: int) -> Refusal | None:
    """Refuse an event time before 2000, or more than 23 h after `latest`: record time, or a recording's last tick."""
    if YEAR_2000 <= at <= latest + FUTURE:
        return None
    if at < YEAR_2000:
        return Refusal("implausible_time", "before the year 2000")
    return Refusal("implausible_time", f"{rfc3339(at)} is more than 23 h after {rfc3339(latest)}")


def event_time(event: Event | Tick) -> int | Refusal:
    """The event's instant in microseconds; a number no calendar has is refused as `implausible_time`."""
    try:
        return instant(event.at)
    except (OverflowError, ValueError):
        return Refusal("implausible_time", "not a time")

"""From raw bytes to an event, a tick, or a refusal with one of the contract's reasons.

The happy way is one msgspec call on the raw bytes. Only what fails there is looked at again, slowly, to say why.
A refusal is a value with a home (the dead-letter topic); nothing that arrives can raise out of here.
"""

import re
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Any, Literal, NamedTuple

import msgspec

from models.clock import HOUR, LAST_INSTANT, YEAR_2000, from_seconds, micros, rfc3339
from models.events import BY_TOPIC, HOME, SOURCES, Event, Personal, Tick
from models.foreign import ForeignEvent, binary_cloudevent, short_name, translate
from models.record import Headers

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
UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError)


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

    def __call__(self, topic: int, value: bytes | None, headers: Headers | None = ()) -> Decoded:
        """Decode one record of the source topic with this index; any bytes at all give a value, never an exception."""
        try:
            event = self._decoders[topic].decode(value or b"")
        except (*UNREADABLE, RecursionError) as error:
            return self._explain(topic, value, headers or (), error)
        if isinstance(event, Tick) or event.user_id is not None:
            return event
        return self.with_person(event)

    def with_person(self, event: Event) -> Event | Refusal:
        """The event, with the account as its person where that is the rule, or refused where a person is missing."""
        if event.user_id is None:
            if self.people_are_accounts:
                return msgspec.structs.replace(event, user_id=event.account_id)
            if isinstance(event, Personal):
                return Refusal("required_missing", f"{event.__struct_config__.tag} needs a user_id")
        return event

    def _explain(self, topic: int, value: bytes | None, headers: Headers, error: Exception) -> Decoded:
        try:
            loose = msgspec.json.decode(value) if value else None
        except RecursionError:
            return Refusal("datatype_mismatch", "nested too deeply to be an event")
        except UNREADABLE as unreadable:
            loose, error = None, unreadable
        foreign = binary_cloudevent(headers, loose) or (translate(loose) if isinstance(loose, dict) else None)
        if foreign is not None:
            return self._foreign(topic, foreign)
        if not value:
            return Refusal("datatype_mismatch", "empty message" if value is not None else "tombstone (null value)")
        if not isinstance(loose, dict):
            known = "not JSON" if loose is None else f"not a JSON object: {type(loose).__name__}"
            return Refusal("datatype_mismatch", known)
        return _wrong_type(topic, loose.get("type")) or classify(error)

    def _foreign(self, topic: int, foreign: ForeignEvent) -> Event | Refusal | Ignored:
        if foreign.ours is None:
            return Ignored(foreign.name)
        try:
            return self.with_person(msgspec.convert(foreign.ours, one_of(BY_TOPIC[topic])))
        except (msgspec.ValidationError, RecursionError) as error:
            return classify(error)


def _wrong_type(topic: int, kind: object) -> Refusal | None:
    """Refused for its type alone: there is none of that name, or it belongs on another topic."""
    home = HOME.get(kind) if isinstance(kind, str) else None
    if kind is None or kind == "tick" or home == topic:
        return None
    where = "no such type" if home is None else f"belongs on {SOURCES[home]}"
    return Refusal("unplanned_event", f"type {short_name(kind)!r}: {where}")


QUOTED = re.compile(r"^(Invalid (?:enum )?value) .*?( - at `\$[^`]*`)?$", re.DOTALL)
"""msgspec's messages that quote the payload: what somebody wrote must not stand in a header that is never masked."""
KINDS: tuple[tuple[re.Pattern[str], Reason], ...] = (
    (re.compile("Object missing required field"), "required_missing"),
    (re.compile(r"Invalid value.* at `\$\.type`$"), "unplanned_event"),
    (re.compile("Invalid (enum )?value"), "out_of_range"),
    (re.compile(r"Expected `[^`]*` (of length|>|<|matching|that)"), "out_of_range"),
    (re.compile(r"\w+ (value )?out of range"), "out_of_range"),
)
"""How msgspec's messages begin -> the contract's reason; the message is the only place that tells them apart."""


def classify(error: Exception) -> Refusal:
    """Which of the contract's reasons an msgspec error stands for; anything else is a wrong data type."""
    text = QUOTED.sub(lambda found: found[1] + (found[2] or ""), str(error))[:DETAIL_LIMIT]
    reason = next((reason for begins, reason in KINDS if begins.match(text)), "datatype_mismatch")
    return Refusal(reason, text)


def implausible(at: int, latest: int) -> Refusal | None:
    """Refuse an event time before 2000, or more than 23 h after `latest`: record time, or a recording's last tick."""
    if YEAR_2000 <= at <= latest + FUTURE:
        return None
    if at < YEAR_2000:
        return Refusal("implausible_time", "before the year 2000")
    written = rfc3339(at) if at <= LAST_INSTANT else "a time after the year 9999"
    return Refusal("implausible_time", f"{written} is more than 23 h after {rfc3339(min(latest, LAST_INSTANT))}")


def event_time(event: Event | Tick) -> int | Refusal:
    """The event's instant in microseconds; a number no calendar has is refused as `implausible_time`."""
    at = event.at
    if isinstance(at, datetime):
        return micros(at)
    try:
        return from_seconds(at)
    except (OverflowError, ValueError):
        return Refusal("implausible_time", "not a time")

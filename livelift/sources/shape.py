"""What a mapping makes of rows: events as the scorer takes them, judged by its own code before they are sent."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, cast

import msgspec
import xxhash

from livelift.sources.mapping import EventOf, Exercise, Mapping, Segment, Sql
from livelift.sources.row import Row, Unreadable
from livelift.sources.values import Take, Values, as_text
from models.clock import micros, rfc3339
from models.decode import Decode, Refusal, event_time
from models.events import HOME, MESSAGE_LIMIT, Event, ExperimentAssigned
from models.foreign import translate
from models.product import Product
from models.refused import untrue

ID_LIMIT = 128
OVERHEAD = 512
SOMEBODY = "?"
"""Stands for account and user while an event is judged that waits for its alias."""
Lookups = dict[str, Callable[[dict[str, Any]], dict[str, Any] | None]]


class Made(NamedTuple):
    """An event as it is sent: JSON by topic (its index). `account` is None while it waits for its `alias`; `links` are
    aliases that its account and user go by from now on; `assigned`: the experiment, where it puts somebody into an arm.
    """

    topic: int
    id: str
    account: str | None
    user: str | None
    value: bytes
    at: int
    alias: str | None = None
    links: tuple[str, ...] = ()
    assigned: str | None = None


def whose(value: bytes, account: str, user: str | None) -> bytes:
    """An event that waited for its alias, now that its account and user are known."""
    who = {"account_id": account} | ({"user_id": user} if user is not None else {})
    return msgspec.json.encode({**msgspec.json.decode(value), **who})


class Refused(Unreadable):
    """An event that the scorer would refuse; `reason` is the contract's."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.detail)
        self.reason = refusal.reason


class Judge:
    """Whether the scorer would take an event: decoding, plausible time, known tasks. `latest`: event time in
    microseconds that may not be passed by more than 23 h."""

    def __init__(self, product: Product, latest: int) -> None:
        self.decode, self.tasks, self.latest = Decode(product.people_are_accounts), product.tasks, latest

    def __call__(self, topic: int, value: dict[str, Any]) -> Made:
        """The event as it is sent; raises Refused."""
        try:
            encoded = msgspec.json.encode(value)
        except (TypeError, ValueError) as error:  # UnicodeEncodeError is a ValueError
            raise Refused(Refusal("datatype_mismatch", f"cannot be written as JSON: {error}")) from error
        if len(encoded) + OVERHEAD + len(str(value.get("account_id", ""))) * 4 > MESSAGE_LIMIT:
            raise Refused(Refusal("out_of_range", f"{len(encoded):,} bytes, more than a record holds"))
        event = self.decode(topic, encoded)
        if not isinstance(event, Event):
            known = isinstance(event, Refusal)
            raise Refused(event if known else Refusal("unplanned_event", "no event of the contract"))
        at = event_time(event)
        wrong = at if isinstance(at, Refusal) else untrue(event, at, self.latest, self.tasks)
        if isinstance(at, Refusal) or wrong is not None:
            raise Refused(cast(Refusal, wrong))
        assigned = event.properties.experiment if isinstance(event, ExperimentAssigned) else None
        return Made(topic, event.id, event.account_id, event.user_id, encoded, at, assigned=assigned)


class Shape:
    """Rows of one source to events."""

    def __init__(self, mapping: Mapping, judge: Judge, lookups: Lookups | None = None) -> None:
        self.mapping, self.judge, self.lookups = mapping, judge, lookups or {}
        self.values = Values(mapping.source, Path(mapping.folder))
        seen: dict[str, int] = {}
        self._events = []
        for event in mapping.event:
            seen[event.type] = seen.get(event.type, 0) + 1
            kind = event.type if seen[event.type] == 1 else f"{event.type}.{seen[event.type]}"
            self._events.append(_Event(event, kind, mapping, self.values))

    @property
    def columns(self) -> set[str]:
        """Those that a reader has to find; `#line` and `#file` say where the row stands, and come from nowhere."""
        return {name for name in self.values.columns if name[0] != "#" and name.split(".")[0] not in self.lookups}

    def __call__(self, row: Row) -> list[Made]:
        """The row's events, none where no `when` holds; raises Unreadable, and then no event of the row is sent."""
        if not row.values:
            return []
        whole = self._with_more(row)
        made = [event.made(whole, self.judge) for event in self._events if event.wanted(whole.values)]
        if not made and isinstance(self.mapping.source, Segment | Exercise):
            return self._as_contract(row)
        return made

    def _with_more(self, row: Row) -> Row:
        """The row with what the mapping names besides its columns: where it stands, and what lookups find."""
        if not self.lookups and not any(name[0] == "#" for name in self.values.columns):
            return row
        values = {**row.values, "#line": row.number, "#file": row.file}
        for name, find in self.lookups.items():
            values[name] = find(values)
        return row._replace(values=values)

    def _as_contract(self, row: Row) -> list[Made]:
        """What no [[event]] takes: an event in the contract's form, or a Segment object that maps onto one."""
        foreign = translate(row.values)
        ours = foreign.ours if foreign is not None else row.values
        if ours is None:
            return []
        kind = ours.get("type")
        topic = HOME.get(kind, 0) if isinstance(kind, str) else 0
        return [self.judge(topic, ours)]


class _Event:
    """One [[event]] of a mapping, put together."""

    def __init__(self, event: EventOf, kind: str, mapping: Mapping, values: Values) -> None:
        self.type, self.topic = event.type, HOME[event.type]
        self.wants = [values.condition(name, condition) for name, condition in event.when.items()]
        self.at = values.moment(event.at)
        self.account = self._optional(event.account_id, values)
        self.user = self._optional(event.user_id, values)
        self.alias = self._optional(event.alias, values)
        self.links = [values.value(link) for link in event.links]
        self.properties = [(name, values.value(value)) for name, value in event.properties.items()]
        self.prefix = f"{mapping.name}:{kind}"
        key = event.id
        if key is None and isinstance(mapping.source, Sql):
            key = f"{{{mapping.source.key}}}@{{{mapping.source.cursor}}}"
        elif key is None and isinstance(mapping.source, Segment):
            key = "{messageId}"
        self.key = None if key is None else values.template(key)

    @staticmethod
    def _optional(given: Any, values: Values) -> Take:
        return (lambda row: None) if given is None else values.value(given)

    def wanted(self, row: dict[str, Any]) -> bool:
        return all(wants(row) for wants in self.wants)

    def made(self, row: Row, judge: Judge) -> Made:
        """The event; raises Unreadable."""
        values = row.values
        value: dict[str, Any] = {"id": self._id(row), "type": self.type}
        at = self.at(values)
        if at is not None:
            value["at"] = rfc3339(micros(at))
        for name, take in (("account_id", self.account), ("user_id", self.user)):
            found = take(values)
            if found is not None:
                value[name] = as_text(found)
        value["properties"] = {name: found for name, take in self.properties if (found := take(values)) is not None}
        alias = self.alias(values)
        if alias is not None:
            made = judge(self.topic, {**value, "account_id": SOMEBODY, "user_id": SOMEBODY})
            return made._replace(account=None, user=None, alias=as_text(alias), value=msgspec.json.encode(value))
        made = judge(self.topic, value)
        links = tuple(as_text(link) for take in self.links if (link := take(values)) is not None)
        return made._replace(links=links) if links else made

    def _id(self, row: Row) -> str:
        """The same id for the same row on every reading."""
        if self.key is None:
            key: Any = f"{row.file}:{row.number}"
        else:
            key = self.key(row.values)
            if key is None:
                raise Unreadable("a column of `id` is empty")
        name = f"{self.prefix}:{as_text(key)}"
        if len(name) <= ID_LIMIT:
            return name
        return f"{self.prefix}:{xxhash.xxh3_128_hexdigest(name.encode())}"

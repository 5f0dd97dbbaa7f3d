"""Builders: a test states what matters to it, these fill in the rest.

Time starts on 2026-05-05, day 0 of every test. A timeline is a list of events and ticks in the order in which they
arrive; a `Worker` is one partition with the rows that it has stored and everything that it has sent.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import count
from typing import Any, NamedTuple
from zlib import crc32

import msgspec
from hypothesis import HealthCheck, settings

from livelift.recording import Record
from models.alignment import Alignment
from models.clock import DAY, HOUR, rfc3339, start_of
from models.decode import Decode, Ignored, Refusal, event_time
from models.events import HOME, SOURCES, Event, Tick
from models.facts import advance
from models.health.known import Known
from models.messages import Output
from models.partition import Effects, Partition
from models.plan import Plan, PublishedPlan, read_plan
from models.product import Journey, Product
from models.readside import ReadSide
from models.rows import NEVER, Row, partition_key
from models.working import ROWS
from models.world import World

FIRST_DAY = 20_578
"""2026-05-05."""
T0 = start_of(FIRST_DAY)
KAFKA_TIME = (T0 + 1000 * DAY) // 1000
"""When every record reached Kafka, in milliseconds: late enough that no event time is implausible by accident."""

Json = dict[str, Any]
_ids = count(1)


def instant(day: float = 0, hour: float = 0, minute: float = 0) -> int:
    """Microseconds, counted from the first day of every test."""
    return T0 + round(day * DAY + hour * HOUR + minute * HOUR / 60)


def event(kind: str, at: int = T0, account: str = "acme", user: str | None = "ann", id: str = "", **properties: Any) -> Json:  # fmt: skip
    """An event of the contract as a JSON object; its id is new unless one is given."""
    made = {"id": id or f"event-{next(_ids)}", "type": kind, "at": rfc3339(at), "account_id": account}
    return {**made, **({"user_id": user} if user is not None else {}), "properties": properties}


def tick(at: int) -> Json:
    return {"type": "tick", "at": rfc3339(at)}


def encoded(given: Json | bytes | None) -> bytes | None:
    return json.dumps(given).encode() if isinstance(given, dict) else given


def decoded(given: Json, people_are_accounts: bool = False) -> Event:
    """The typed event that these bytes are; fails where they are refused."""
    found = Decode(people_are_accounts)(HOME[given["type"]], encoded(given))
    assert isinstance(found, Event), found
    return found


def facts_of(*events: Json) -> Row:
    """The row of one user after these events, in this order."""
    row = Row([NEVER] * 3)
    for given in events:
        typed = decoded(given)
        at = event_time(typed)
        assert isinstance(at, int)
        advance(row, at, typed)
    return row


def plain(value: Any) -> bytes:
    """Any value as bytes that are equal when it is: 1 and 1.0 and true differ, the order of a mapping does not."""
    return msgspec.json.encode(msgspec.to_builtins(value, str_keys=True), order="deterministic")


def facts(row: bytes | Row) -> bytes:
    """What a row says happened, without how it came to be known: offsets, remembered ids, repeats."""
    known = ROWS.decode(row)[0] if isinstance(row, bytes) else row
    return plain(msgspec.structs.replace(known, offsets=[], seen=b"", duplicates=0))


PLAN = """
[experiment]
id = "{id}"
unit = "{unit}"
control = "control"
arms = {{ control = 0.7, test = 0.3 }}
starts_at = 2026-05-05T00:00:00Z
planned_units = 100
uptake = {uptake}
[[metric]]
name = "converted"
role = "primary"
window_days = {window}
"""


def plan(id: str = "widget", unit: str = "account", window: float = 3, uptake: str = '{ source = "CS" }',
         metrics: Iterable[str] = (), more: str = "") -> Plan:  # fmt: skip
    """A plan whose primary is conversion; further metrics by name, further lines of the experiment in TOML."""
    text = PLAN.format(id=id, unit=unit, window=window, uptake=uptake)
    text = text.replace("planned_units = 100", f"planned_units = 100\n{more}")
    return read_plan(text + "".join(f'[[metric]]\nname = "{name}"\nwindow_days = {window}\n' for name in metrics))


def world(*plans: Plan, **product: Any) -> World:
    """The product's settings and the published plans that rows are read against."""
    return World(Product(**product), {one.id: PublishedPlan(one, one.hash) for one in plans})


JOURNEY = Journey(id="getting-started", tasks=("1", "2", "3"))


class Rec(NamedTuple):
    """A Kafka record as the core takes it."""

    offset: int
    key: bytes | None
    value: bytes | None
    timestamp: int = KAFKA_TIME
    headers: Sequence[tuple[str, bytes]] = ()


Placed = tuple[int, Rec]
"""The index of a source topic, and a record of it."""


def records(timeline: Iterable[Json]) -> list[Placed]:
    """A timeline as records of one partition, in the order of arrival; a tick goes to every topic."""
    offsets = [count() for _ in SOURCES]
    found = []
    for given in timeline:
        topics = range(3) if given["type"] == "tick" else (HOME.get(given["type"], 0),)
        key = given.get("account_id", "").encode()
        found += [(topic, Rec(next(offsets[topic]), key, encoded(given))) for topic in topics]
    return found


def recorded(timeline: Iterable[Json]) -> list[Record]:
    """A timeline as `livelift replay` sends it."""
    return [
        Record(
            None if given["type"] == "tick" else SOURCES[HOME[given["type"]]],
            given.get("account_id", "").encode(),
            json.dumps(given).encode(),
            0,
        )
        for given in timeline
    ]


def in_batches(placed: Sequence[Placed], sizes: Iterable[int]) -> Iterator[list[Placed]]:
    """Cut records into batches of these sizes (the last batch is what is left)."""
    at = 0
    for size in sizes:
        yield list(placed[at : at + size])
        at += size
    yield list(placed[at:])


def place(partitions: int) -> Any:
    """Where an account lives among N partitions."""
    return lambda account_id: crc32(account_id.encode()) % partitions


class Worker:
    """One partition with its stored rows and all it has sent. A new `Worker` on old rows is a restart."""

    def __init__(self, given: World | None = None, rows: dict[bytes, bytes] | None = None, number: int = 0,
                 partitions: int = 1, clock: str = "log", known: Known | None = None) -> None:  # fmt: skip
        self.world = given or world()
        self.rows = {} if rows is None else rows
        self.partition = Partition(number, self.world, self.rows.get, place(partitions), clock, known)
        self.partition.rebuild(list(self.rows.items()))
        self.alignment: Alignment[int] = Alignment(self.partition)
        self.sent: list[Output] = []
        self.acknowledged: list[int] = []
        self._offsets = [count() for _ in SOURCES]

    def take(self, placed: Iterable[Placed]) -> Effects:
        """One fetch: each topic's records as one batch, and what follows from it stored. Returns all of that."""
        found = Effects([], {}, None)
        for effects in self.steps(placed):
            self.store(effects)
            found = Effects(found.outputs + effects.outputs, found.rows | effects.rows, effects.partition_row)
        return found

    def only_process(self, placed: Iterable[Placed]) -> Effects:
        """One fetch of which nothing has been sent or stored yet: a worker that dies in its first step."""
        return next(self.steps(placed))

    def steps(self, placed: Iterable[Placed]) -> Iterator[Effects]:
        """One fetch, step by step."""
        fetched: dict[int, list[Rec]] = defaultdict(list)
        for topic, record in placed:
            fetched[topic].append(record)
        for topic, batch in sorted(fetched.items()):
            self.alignment.offer(topic, batch, topic)
        for effects, done in self.alignment.steps():
            yield effects
            self.acknowledged += done

    def store(self, effects: Effects, partition_row: bool = True) -> None:
        self.sent += effects.outputs
        effects.keep(self.rows)
        if partition_row and effects.partition_row is not None:
            self.rows[partition_key(self.partition.number)] = effects.partition_row

    def given(self, *timeline: Json | bytes | None, topic: int | None = None, **record: Any) -> Effects:
        """Events and ticks as they are, in one batch; raw bytes go to `topic` (default: product-events)."""
        return self.take([placed for one in timeline for placed in self._place(one, topic, record)])

    def _place(self, given: Json | bytes | None, topic: int | None, record: Json) -> list[Placed]:
        if isinstance(given, dict) and given.get("type") == "tick":
            topics: Iterable[int] = range(3)
        else:
            home = HOME.get(given.get("type", ""), 0) if isinstance(given, dict) else 0
            topics = (home if topic is None else topic,)
        return [(one, Rec(next(self._offsets[one]), b"key", encoded(given), **record)) for one in topics]

    def restarted(self) -> "Worker":
        """Another worker on the rows that are stored now."""
        return Worker(self.world, dict(self.rows), self.partition.number)

    # -- what a test looks at ----------------------------------------------------------------------------------------

    def row(self, user: str | None = "ann", account: str = "acme") -> Row:
        key = b"a" + account.encode() if user is None else f"u{len(account)}:{account}{user}".encode()
        return ROWS.decode(self.rows[key])[0]

    def examples(self) -> dict[tuple[str, int], list[bytes]]:
        """(account, snapshot day) -> the example, each time it was sent."""
        found: dict[tuple[str, int], list[bytes]] = defaultdict(list)
        for value in (sent.value for sent in self.sent if sent.topic == "health-examples" and sent.value is not None):
            if (one := msgspec.json.decode(value)).get("account_id"):
                found[one["account_id"], one["day"]].append(value)
        return found

    def markers(self) -> list[int]:
        """The days up to which it has said that every example was sent."""
        return [one["marker"] for one in self.to("health-examples") if "marker" in one]

    def waiting(self) -> dict[bytes, bytes]:
        """The snapshots that wait for their labels."""
        return {key: value for key, value in self.rows.items() if key[:1] == b"s"}

    def facts(self) -> dict[bytes, bytes]:
        """Every user's and account's facts, and its closes, by row key."""
        return {key: facts(value) for key, value in self.rows.items() if key[:1] in b"au"}

    def to(self, topic: str) -> list[Any]:
        """The values sent to a topic, decoded."""
        return [msgspec.json.decode(sent.value) for sent in self.sent if sent.topic == topic and sent.value is not None]

    def dead_letters(self) -> list[tuple[bytes | None, str]]:
        """Dead letters as (original value, reason)."""
        return [(sent.value, dict(sent.headers or [])["reason"].decode()) for sent in self.sent
                if sent.topic == "dead-letters"]  # fmt: skip

    def snapshot(self) -> Any:
        return snapshot(self)


def snapshot(*workers: Worker) -> Any:
    """What is on the read side when all of these have sent."""
    read = ReadSide(workers[0].world)
    for worker in workers:
        read.take(worker.sent)
    return read.snapshot()


def sums_of(partition: Partition) -> Json:
    """Everything derived that a partition holds, as plain values; what adds up to nothing is left out."""
    sums = partition.ledger.sums
    return {
        "accounts": {
            id_: found for id_, account in sums.accounts.items() if any((found := _account(account)).values())
        },
        "parts": {key: msgspec.structs.replace(part, due=None) for key, part in sums.parts.items()},
        "funnel": {id_: dict(counts) for id_, counts in sums.funnel.items() if counts},
        "arms": {id_: share for id_, tally in sums.experiments.items() if (share := tally.share()).counts},
        "education": {id_: found for id_ in sums.education.counts if (found := sums.education.share(id_))},
        "authenticity": sums.authenticity.share(),
        "accepted": sums.accepted,
        "duplicates": sums.duplicates,
        "users": sums.users,
    }


def _account(account: Any) -> Json:
    kept = ("rows", "began", "days", "weekly", "features", "joined", "left", "subjects", "mrr", "renewals", "unit", "closes",
            "dated", "trained", "countries", "roles", "regular")  # fmt: skip
    found = {name: getattr(account, name) for name in kept}
    state = account.education.state()
    found["education"] = state if any(state.pop("histories")) or any(state.values()) else {}
    found["histories"] = [at for at in account.education.histories if at is not None]
    found["clusters"] = {key: value for key, value in account.clusters.items() if value}
    return found


def rebuilt(worker: Worker) -> Partition:
    """A partition that derives everything anew from the rows this worker has stored."""
    fresh = Partition(worker.partition.number, worker.world, worker.rows.get, place(1))
    fresh.rebuild(list(worker.rows.items()))
    return fresh


def reasons(letters: Iterable[tuple[bytes | None, str]]) -> Counter[str]:
    return Counter(reason for _, reason in letters)


def refused(found: Any) -> Refusal:
    assert isinstance(found, Refusal), found
    return found


Kinds = Event | Tick | Refusal | Ignored


def checked(examples: int) -> settings:
    """How hard a property is tried."""
    return settings(max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck))


def decoded_json(value: bytes | None) -> Any:
    """What a message says."""
    return None if value is None else msgspec.json.decode(value)


def told(what: str, *timeline: Json) -> list[Any]:
    """What every score message about acme tells under this name, when these come one by one."""
    worker = Worker(world())
    for one in timeline:
        worker.given(one)
    return [message[what] for message in worker.to("account-scores")]

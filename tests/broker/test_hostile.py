"""Other people's producers, good and bad, at a running scorer: every record goes where the contract says.

Each test sends its records among good neighbours and then accounts for all of them: accepted, dead letter, ignored or
sent on. Nothing may end the scorer: the last test looks at its process.
"""

import json
import random
import string
from collections import Counter
from typing import Any, NamedTuple

import pytest
from confluent_kafka import Producer
from kafka import KafkaProducer

from models.decode import Reason
from models.events import SOURCES
from models.record import ORIGIN, ORIGINAL_TIME
from streams.placement import Placement
from streams.ticks import tick_outputs
from streams.topics import MESSAGE_LIMIT
from tests.support.build import encoded, event, instant
from tests.support.stack import Reading, running, until

pytestmark = pytest.mark.broker
CODECS = ("none", "gzip", "snappy", "lz4", "zstd")
OVERHEAD = 200
"""Bytes of a record and its batch beside the value, at most."""
PRODUCT, HELP, _ = SOURCES


class Sent(NamedTuple):
    """A record as Kafka took it; `topic` as in the contract."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    time: int

    @property
    def origin(self) -> str:
        return f"{self.topic}/{self.partition}/{self.offset}"


class Installation:
    """A running scorer and publisher, and how to send to it as other people do."""

    def __init__(self, stack) -> None:
        self.stack, self.settings = stack, stack.settings
        self.reading = Reading(stack.settings)
        self.place = Placement(stack.settings.partitions).of

    def producer(self, **config: Any) -> Producer:
        return Producer({**self.settings.confluent(), "linger.ms": 50, "message.max.bytes": 10_000_000,
                         "message.timeout.ms": 20_000, **config})  # fmt: skip

    def send(self, producer: Producer, *records: dict[str, Any]) -> list[Sent]:
        """Send records (`produce`'s arguments; the topic as in the contract), in few batches; all must be taken."""
        short, sent = len(self.settings.namespace), []

        def delivered(error, message):
            assert error is None, error
            where = (message.topic()[short:], message.partition(), message.offset())
            sent.append(Sent(*where, message.key(), message.value(), message.timestamp()[1]))

        for record in records:
            topic = self.settings.topic(record.get("topic", PRODUCT))
            producer.produce(**{**record, "topic": topic}, on_delivery=delivered)
        assert producer.flush(30) == 0
        assert len(sent) == len(records)
        return sorted(sent, key=lambda one: (one.topic, one.partition, one.offset))

    def let_time_pass(self) -> None:
        """The ticks of two midnights, on every partition."""
        ticks = [one for day in (0, 1) for one in tick_outputs(instant(day), self.settings.partitions, "log")]
        self.send(self.producer(), *({"topic": one.topic, "partition": one.partition, "value": one.value, "headers": one.headers}
                                     for one in ticks))  # fmt: skip

    def counts(self) -> Counter[str]:
        """What `quality` counts, once everything sent is in it."""
        until("everything sent is acknowledged", self.acknowledged)
        self.reading.settled(with_list=False)
        quality = self.reading.quality()
        counted = {name: quality.get(name, 0) for name in ("accepted", "duplicate", "late", "suppressed", "forwarded")}
        counted |= {f"refused {reason}": number for reason, number in quality["refused"].items()}
        counted |= {f"ignored {name}": one["count"] for name, one in quality["ignored"].items()}
        return Counter(counted)

    def acknowledged(self) -> bool:
        """Whether the scorer has taken everything; raises with the end of its log if it has ended."""
        self.stack.check()
        held = self.reading.acknowledged()
        return all(held.get(where, -1) >= end for where, end in self.reading.ends(SOURCES).items())

    def letters(self) -> dict[str, Any]:
        """Dead letters by their origin; none may be there twice."""
        found: dict[str, Any] = {}
        for message in self.reading.messages(self.settings.topic("dead-letters")):
            headers = {name: value.decode() for name, value in message.headers()}
            origin = "{topic}/{partition}/{offset}".format(**headers)
            assert origin not in found, f"two dead letters of {origin}"
            found[origin] = (message.value(), message.key(), message.partition(), headers)
        return found

    def on(self, topic: str) -> list[Any]:
        return list(self.reading.messages(self.settings.topic(topic)))

    def completed(self, account: str) -> dict[str, int]:
        """How many tasks each user of an account has completed, as Redis has it."""
        journeys = self.reading.snapshots.get(f"journeys:{account}") or {}
        return {signal["user_id"]: signal["completed"] for signal in journeys.values()}


@pytest.fixture(scope="module")
def here(module_namespace):
    with running(module_namespace()) as stack:
        installation = Installation(stack)
        installation.let_time_pass()
        installation.pid = stack.workers["scorer"].pid
        yield installation


def completed(account: str, user: str, task: str = "1", at: int | None = None) -> bytes:
    return encoded(event("task_completed", instant(1) if at is None else at, account, user, task=task))


def at_home(here, account: str, value: bytes | None, topic: str = PRODUCT, **more: Any) -> dict[str, Any]:
    """A record where its account lives."""
    return {"topic": topic, "key": account.encode(), "value": value, "partition": here.place(account), **more}


def incompressible(size: int) -> str:
    return "".join(random.Random(size).choices(string.ascii_letters + string.digits, k=size))


def changed(before: Counter[str], after: Counter[str]) -> dict[str, int]:
    return {name: after[name] - before[name] for name in after if after[name] != before[name]}


# -- producers ---------------------------------------------------------------------------------------------------------


def test_every_compression_is_read(here):
    before = here.counts()
    for codec in CODECS:
        sending = here.producer(**{"compression.type": codec, "partitioner": "murmur2_random"})
        records = [
            {"key": f"{codec}-{n % 5}".encode(), "value": completed(f"{codec}-{n % 5}", f"user-{n}")}
            for n in range(100)
        ]
        here.send(sending, *records)
    assert changed(before, here.counts()) == {"accepted": 100 * len(CODECS)}
    for codec in CODECS:
        assert here.completed(f"{codec}-3") == {f"user-{n}": 1 for n in range(3, 100, 5)}


def test_kafka_pythons_own_partitioner_finds_the_accounts(here):
    before = here.counts()
    producer = KafkaProducer(**here.settings.kafka_python(), compression_type="gzip")
    for n in range(60):
        account = f"python-{n % 20}-é"
        producer.send(here.settings.topic(PRODUCT), key=account.encode(), value=completed(account, f"user-{n}"))
    producer.flush(30)
    producer.close()
    assert changed(before, here.counts()) == {"accepted": 60}


def test_what_librdkafkas_default_partitioner_or_a_users_key_misplaces_is_sent_on_once(here):
    """`consistent_random` hashes by CRC32; events keyed by user lie wherever their user's name falls."""
    before = here.counts()
    events = [(f"crc-{n % 12}", f"user-{n}") for n in range(60)]
    by_account = here.send(
        here.producer(), *({"key": account.encode(), "value": completed(account, user)} for account, user in events)
    )
    keyed_by_user = here.send(
        here.producer(partitioner="murmur2_random"),
        *({"key": user.encode(), "value": completed(account, user, "2")} for account, user in events),
    )
    without_key = here.send(here.producer(), *({"value": completed(account, user, "3")} for account, user in events))
    sent = [*by_account, *keyed_by_user, *without_key]
    misplaced = {one.origin: one for one in sent if one.partition != here.place(json.loads(one.value)["account_id"])}
    assert 60 < len(misplaced) < 180, "some of them lie where they belong"

    counted = changed(before, here.counts())
    arrived: dict[str, list[Any]] = {}
    for message in here.on(PRODUCT):
        headers = dict(message.headers() or [])
        if ORIGIN in headers and (origin := headers[ORIGIN].decode()) in misplaced:
            arrived.setdefault(origin, []).append((message, headers))
    assert {origin: len(found) for origin, found in arrived.items()} == dict.fromkeys(misplaced, 1), "each exactly once"
    for origin, [(message, headers)] in arrived.items():
        original, account = misplaced[origin], json.loads(message.value())["account_id"]
        assert message.value() == original.value
        assert (message.partition(), message.key()) == (here.place(account), account.encode())
        assert headers[ORIGINAL_TIME] == str(original.time).encode()
    for account in {account for account, _ in events}:
        assert here.completed(account) == {user: 3 for its, user in events if its == account}
    assert counted == {"accepted": len(sent), "forwarded": len(misplaced)}


def test_a_record_sent_on_keeps_its_own_headers(here):
    account = "own-headers"
    wrong = (here.place(account) + 1) % here.settings.partitions
    before = here.counts()
    [sent] = here.send(
        here.producer(),
        at_home(here, account, completed(account, "ann"), headers=[("trace", b"42")]) | {"partition": wrong},
    )
    counted = changed(before, here.counts())
    [found] = [
        dict(m.headers()) for m in here.on(PRODUCT) if dict(m.headers() or []).get(ORIGIN) == sent.origin.encode()
    ]
    assert found["trace"] == b"42"
    assert counted == {"accepted": 1, "forwarded": 1}


def test_what_is_misplaced_again_is_a_dead_letter(here):
    account = "lost"
    wrong = (here.place(account) + 1) % here.settings.partitions
    before = here.counts()
    [sent, _] = sorted(
        here.send(
            here.producer(),
            at_home(
                here,
                account,
                completed(account, "ann"),
                headers=[(ORIGIN, b"product-events/0/1"), (ORIGINAL_TIME, b"1")],
            )
            | {"partition": wrong},
            at_home(here, account, completed(account, "bob")),
        ),
        key=lambda one: one.partition != wrong,
    )
    assert changed(before, here.counts()) == {"accepted": 1, "refused wrong_partition": 1}
    assert_refused(here, sent, "wrong_partition")
    assert here.completed(account) == {"bob": 1}


def assert_refused(here, sent: Sent, reason: str) -> None:
    value, key, partition, headers = here.letters()[sent.origin]
    assert value == sent.value, "the original bytes"
    assert (key, partition) == (sent.key, sent.partition), "as received"
    assert headers["reason"] == reason
    assert headers["detail"]


# -- records -----------------------------------------------------------------------------------------------------------


def session(**fields: Any) -> bytes:
    """A good session_started with these fields changed; None removes one."""
    good = {**event("session_started", instant(1), "acme", "ann"), **fields}
    return json.dumps({name: value for name, value in good.items() if value is not None}).encode()


def task(**properties: Any) -> bytes:
    return session(type="task_completed", properties=properties)


JUST_UNDER = MESSAGE_LIMIT - OVERHEAD
# fmt: off
REFUSED: list[tuple[str, bytes | None, Reason]] = [
    ("an empty message", b"", "datatype_mismatch"),
    ("a tombstone", None, "datatype_mismatch"),
    ("1 MB of [", b"[" * 1_000_000, "datatype_mismatch"),
    ("1 MB of {\"a\":", b'{"a":' * 200_000, "datatype_mismatch"),
    ("deep inside an event", session(properties={})[:-2] + b'{"country":' + b"[" * 100_000 + b"]" * 100_000 + b"}}", "datatype_mismatch"),
    ("garbage just under the size limit", incompressible(JUST_UNDER).encode(), "datatype_mismatch"),
    ("broken UTF-8", session().replace(b"ann", b"\xff\xfe"), "datatype_mismatch"),
    ("UTF-16", session().decode().encode("utf-16"), "datatype_mismatch"),
    ("half an event", session()[:-1], "datatype_mismatch"),
    ("two events in one", session() + session(), "datatype_mismatch"),
    ("a list of events", b"[" + session() + b"]", "datatype_mismatch"),
    ("null", b"null", "datatype_mismatch"),
    ("Avro", b"\x00\x00\x00\x00\x07\x02\x06ann", "datatype_mismatch"),
    ("a number for a name", session(account_id=17), "datatype_mismatch"),
    ("a list for properties", session(properties=[1, 2]), "datatype_mismatch"),
    ("a bool for a time", session(at=True), "datatype_mismatch"),
    ("a word for a number", session(properties={"duration_s": "long"}), "datatype_mismatch"),
    ("NaN", session(properties={"duration_s": float("nan")}), "datatype_mismatch"),
    ("NaN for a time", session(at=float("nan")), "datatype_mismatch"),
    ("-Infinity", session(properties={"duration_s": float("-inf")}), "datatype_mismatch"),
    ("an unknown event", session(type="coffee_spilled"), "unplanned_event"),
    ("another topic's event", session(type="churned"), "unplanned_event"),
    ("no account", session(account_id=None), "required_missing"),
    ("no person", session(user_id=None), "required_missing"),
    ("no id", session(id=None), "required_missing"),
    ("no task", task(), "required_missing"),
    ("a nameless account", session(account_id=""), "out_of_range"),
    ("an endless account name", session(account_id="a" * 257), "out_of_range"),
    ("a task of no journey", task(task="99"), "out_of_range"),
    ("before 2000", session(at="1999-12-31T23:59:59Z"), "implausible_time"),
    ("far ahead", session(at="2999-01-01T00:00:00Z"), "implausible_time"),
]
# fmt: on


def test_what_is_no_event_is_a_dead_letter_and_its_neighbours_are_accepted(here):
    """All of them in one batch of one partition, each between two good events of users of its own."""
    before = here.counts()
    records = []
    for number, (_, value, _) in enumerate(REFUSED):
        records.append(at_home(here, "acme", completed("acme", f"user-{number}")))
        records.append(at_home(here, "acme", value))
    records.append(at_home(here, "acme", completed("acme", "user-last")))
    sent = here.send(here.producer(**{"compression.type": "lz4"}), *records)
    bad = sent[1::2]

    counted = changed(before, here.counts())
    letters = here.letters()
    wrong = []
    for one, (name, value, reason) in zip(bad, REFUSED, strict=True):
        found, key, partition, headers = letters[one.origin]
        if found != value or (key, partition, headers["reason"]) != (b"acme", here.place("acme"), reason):
            wrong.append(
                f"{name}: {headers['reason']} ({headers['detail']}), not {reason}; same bytes: {found == value}"
            )
    assert wrong == []
    expected = Counter(f"refused {reason}" for _, _, reason in REFUSED)
    assert counted == {"accepted": len(REFUSED) + 1, **expected}
    assert here.completed("acme") == {f"user-{name}": 1 for name in [*range(len(REFUSED)), "last"]}


def test_a_detail_quotes_nothing_of_the_payload(here):
    [sent] = here.send(here.producer(), at_home(here, "acme", session(account_id=["ann@example.com"])))
    here.counts()
    assert "ann@example.com" not in str(here.letters()[sent.origin][3])


def test_an_event_just_under_the_size_limit_is_accepted(here):
    before = here.counts()
    small = {**event("task_completed", instant(1), "large", "ann", task="1"), "text": ""}
    large = json.dumps({**small, "text": incompressible(JUST_UNDER - len(json.dumps(small)))}).encode()
    here.send(here.producer(), at_home(here, "large", large))
    assert changed(before, here.counts()) == {"accepted": 1}
    assert here.completed("large") == {"ann": 1}


FOREIGN = {
    "segment:page": {"type": "page", "messageId": "m1", "userId": "ann", "timestamp": "2026-05-06T00:00:00Z"},
    "segment:track:Coffee Spilled": {"type": "track", "messageId": "m2", "userId": "ann", "event": "Coffee Spilled"},
    "cloudevent:com.example.order": {"specversion": "1.0", "id": "c1", "source": "/shop", "type": "com.example.order"},
}


def test_other_peoples_events_are_ignored_by_name_and_are_no_dead_letters(here):
    before, letters = here.counts(), len(here.letters())
    sent = here.send(
        here.producer(),
        *(at_home(here, "acme", json.dumps(value).encode()) for value in FOREIGN.values()),
        *(at_home(here, "acme", json.dumps(value).encode(), topic=HELP) for value in FOREIGN.values()),
    )
    assert changed(before, here.counts()) == {f"ignored {name}": 2 for name in FOREIGN}
    assert len(here.letters()) == letters
    samples = {name: one["sample"] for name, one in here.reading.quality()["ignored"].items()}
    assert set(samples.values()) <= {one.origin for one in sent}


# -- records that a scorer could choke on: each has one of its own, and must be accounted for there --------------------


def misplaced(here, value: bytes) -> dict[str, Any]:
    return at_home(here, "acme", value) | {"partition": (here.place("acme") + 1) % here.settings.partitions}


def padded(size: int) -> bytes:
    return json.dumps(
        {**event("task_completed", instant(1), "acme", "big", task="1"), "text": incompressible(size)}
    ).encode()


POISON = {
    "3 MB of [ that compression brought below the limit": lambda here, who: at_home(here, who, b"[" * 3_000_000),
    "misplaced, and too large with an origin": lambda here, who: misplaced(here, padded(MESSAGE_LIMIT)),
    "a time no calendar has": lambda here, who: at_home(here, who, session(at=1e300)),
    "a time header that is none": lambda here, who: at_home(here, who, completed(who, "odd"), headers=[(ORIGINAL_TIME, b"yesterday")]),
    "a time header without a value": lambda here, who: at_home(here, who, completed(who, "odd"), headers=[(ORIGINAL_TIME, None)]),
}  # fmt: skip
"""Records of which a single one once ended the scorer, and ended it again after every restart."""


@pytest.mark.parametrize("name", POISON)
def test_no_single_record_stops_the_scorer(here, name):
    who, before, letters = f"beside {name}", here.counts(), len(here.letters())
    here.send(
        here.producer(**{"compression.type": "zstd"}),
        POISON[name](here, who),
        at_home(here, who, completed(who, "ann")),
    )
    counted = changed(before, here.counts())
    here.stack.check()
    assert here.completed(who)["ann"] == 1
    refused = sum(number for what, number in counted.items() if what.startswith("refused"))
    assert counted["accepted"] - 1 + refused == 1, "the odd one is accepted or refused, once"
    assert len(here.letters()) - letters == refused


def test_the_scorer_has_never_restarted(here):
    here.stack.check()
    assert here.stack.workers["scorer"].pid == here.pid
    log = here.stack.workers["scorer"].log.read_text()
    assert log.count("partitions taken over") == 1
    here.reading.settled()

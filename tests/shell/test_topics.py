"""The topic table is the contract's: names, keys, partitions and how long each is kept."""

from concurrent.futures import Future
from types import SimpleNamespace

import pytest

from livelift.local import topics
from livelift.settings import Settings
from models.events import SOURCES
from streams.topics import MESSAGE_LIMIT, ROWS_CHANGELOG, TOPICS

pytestmark = pytest.mark.shell

HOUR_MS, DAY_MS, FOR_EVER, COMPACTED = 3_600_000, 86_400_000, -1, "compacted"

# fmt: off
CONTRACT = {  # topic: (key, partitions (None: N), kept)
    "product-events":    ("account_id", None, FOR_EVER),
    "help-events":       ("account_id", None, FOR_EVER),
    "conversion-events": ("account_id", None, FOR_EVER),
    "account-scores":    ("account_id", None, 90 * DAY_MS),
    "journey-signals":   ("account_id", None, 90 * DAY_MS),
    "health-examples":   ("account_id", 1, FOR_EVER),
    "health-models":     ("model, version", 1, COMPACTED),
    "experiment-plans":  ("experiment", 1, COMPACTED),
    "partials":          ("kind, id, source partition", 1, COMPACTED),
    "pulse":             ("", 1, HOUR_MS),
    "dead-letters":      ("as received", None, 30 * DAY_MS),
    "alerts":            ("account_id", 1, 400 * DAY_MS),
    "alert-commands":    ("account_id", 1, 400 * DAY_MS),
    "annotations":       ("id", 1, COMPACTED),
    "identities":        ("alias", 1, COMPACTED),
    "unresolved":        ("alias", 1, 400 * DAY_MS),
}
# fmt: on


def test_the_table_is_the_contracts() -> None:
    found = {}
    for topic in TOPICS:
        config = topic.config()
        kept = COMPACTED if config["cleanup.policy"] == "compact" else int(config["retention.ms"])
        found[topic.name] = (topic.key, topic.partitions, kept)
    assert found == CONTRACT
    assert len(TOPICS) == len(CONTRACT)


def test_the_truth_for_replay_is_dated_by_kafka_and_nothing_else_is() -> None:
    dated = {topic.name for topic in TOPICS if topic.config().get("message.timestamp.type") == "LogAppendTime"}
    assert dated == set(SOURCES)


def test_a_dead_letter_may_carry_the_largest_source_record_and_64_kib_more() -> None:
    limits = {topic.name: int(topic.config()["max.message.bytes"]) for topic in TOPICS}
    assert {limits[name] for name in SOURCES} == {MESSAGE_LIMIT}
    assert limits["dead-letters"] == MESSAGE_LIMIT + 64 * 1024


def test_rows_are_compacted_as_many_partitions_as_the_sources_and_not_at_once() -> None:
    config = ROWS_CHANGELOG.config()
    assert (ROWS_CHANGELOG.partitions, config["cleanup.policy"]) == (None, "compact")
    assert int(config["min.compaction.lag.ms"]) >= HOUR_MS


class BusyBroker:
    """Shows what the controller has made only when it is asked for the third time."""

    def __init__(self, _config: object) -> None:
        self.made: list[str] = []
        self.asked = 0

    def list_topics(self, timeout: float) -> SimpleNamespace:
        self.asked += 1
        return SimpleNamespace(brokers={1: None}, topics=dict.fromkeys(self.made if self.asked >= 3 else []))

    def create_topics(self, new, operation_timeout: float) -> dict[str, Future[None]]:
        self.made = [topic.topic for topic in new]
        done: Future[None] = Future()
        done.set_result(None)
        return dict.fromkeys(self.made, done)


def test_topics_are_made_when_they_can_be_seen_so_that_a_worker_does_not_miss_them(monkeypatch) -> None:
    broker = BusyBroker({})
    monkeypatch.setattr(topics, "AdminClient", lambda _config: broker)
    settings = Settings(kafka="broker:9092")
    assert sorted(topics.create_topics(settings)) == sorted(topics.wanted(settings))
    assert broker.asked == 3


def test_topics_that_are_never_seen_are_named(monkeypatch) -> None:
    broker = BusyBroker({})
    broker.asked = -1_000_000
    monkeypatch.setattr(topics, "AdminClient", lambda _config: broker)
    monkeypatch.setattr(topics, "TIMEOUT", 0.1)
    with pytest.raises(RuntimeError, match=r"are not to be seen after 0\.1 s: \[.*'pulse'"):
        topics.create_topics(Settings(kafka="broker:9092"))

"""The product's own producer: it refuses what the scorer would, and says when Kafka has not taken something."""

import json
from datetime import UTC, datetime

import pytest
from kafka.errors import KafkaTimeoutError
from kafka.partitioner.default import DefaultPartitioner

import livelift
from livelift.emitter import Emitter, NotAnEvent, NotSent
from livelift.sources.suggest import guess, mapping, suggestions
from streams.placement import Placement

pytestmark = pytest.mark.shell


class Future:
    def __init__(self, error):
        self.error = error

    def add_errback(self, call):
        if self.error is not None:
            call(self.error)


class FakeProducer:
    """As much of kafka-python's producer as is used."""

    def __init__(self, fails=None, hangs=False):
        self.sent, self.fails, self.hangs, self.closed = [], fails, hangs, False

    def send(self, topic, key, value):
        self.sent.append((topic, key, json.loads(value)))
        return Future(self.fails)

    def flush(self, timeout):
        if self.hangs:
            raise KafkaTimeoutError("5 left")

    def close(self, timeout):
        self.closed = True


def test_an_event_goes_to_its_topic_keyed_by_its_account():
    producer = FakeProducer()
    with livelift.Emitter("", producer=producer, namespace="n-") as emitter:
        id_ = emitter.emit("help_engaged", account_id="acme", user_id="ann", properties={"source": "CS"})
        emitter.emit("trial_started", account_id="acme", id="t1", at=datetime(2026, 5, 5, tzinfo=UTC))
        emitter.emit("converted", account_id="acme", at=1777975200.5)
    assert producer.closed
    (first, second, third) = producer.sent
    assert first[:2] == ("n-help-events", b"acme")
    assert (first[2]["id"], first[2]["user_id"]) == (id_, "ann")
    assert (second[2]["id"], second[2]["at"]) == ("t1", "2026-05-05T00:00:00Z")
    assert (third[0], third[2]["at"]) == ("n-conversion-events", 1777975200.5)


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        ({"type": "nonsense"}, "unplanned_event"),
        ({"type": "forget"}, "unplanned_event"),
        ({"type": "tick"}, "unplanned_event"),
        ({"type": "task_completed", "properties": {"task": "1"}}, "required_missing"),
        ({"type": "task_completed", "user_id": "ann"}, "required_missing"),
        ({"type": "task_completed", "user_id": "ann", "properties": {"task": 1}}, "datatype_mismatch"),
        ({"type": "survey_answered", "user_id": "ann", "properties": {"survey": "nps", "score": 11}}, "out_of_range"),
        ({"type": "converted", "at": datetime(2026, 5, 5)}, "datatype_mismatch"),
        ({"type": "converted", "properties": {"plan": object()}}, "datatype_mismatch"),
    ],
)
def test_what_the_scorer_would_refuse_does_not_leave(event, reason):
    producer = FakeProducer()
    emitter = Emitter("", producer=producer)
    with pytest.raises(NotAnEvent) as error:
        emitter.emit(event.pop("type"), account_id="acme", **event)
    assert error.value.reason == reason
    assert producer.sent == []


def test_in_a_product_of_people_the_account_is_the_person():
    producer = FakeProducer()
    Emitter("", producer=producer, people_are_accounts=True).emit(
        "task_completed", account_id="ann", properties={"task": "1"}
    )
    assert len(producer.sent) == 1


def test_what_kafka_did_not_take_is_said_at_the_latest_at_the_end():
    emitter = Emitter("", producer=FakeProducer(fails=KafkaTimeoutError("no leader")))
    emitter.emit("converted", account_id="acme")
    with pytest.raises(NotSent, match="no leader"):
        emitter.emit("converted", account_id="acme")
    hanging = FakeProducer(hangs=True)
    with pytest.raises(NotSent, match="not acknowledged everything"), Emitter("", producer=hanging) as emitter:
        emitter.emit("converted", account_id="acme")
    assert hanging.closed


class Cluster:
    """Twelve partitions of every topic."""

    def topics(self):
        return {"product-events"}

    def partitions_for_topic(self, topic):
        return set(range(12))

    available_partitions_for_topic = partitions_for_topic


def test_kafka_pythons_partitioner_puts_accounts_where_they_live():
    place, partitioner = Placement(12).of, DefaultPartitioner()
    for account in ("acme", "Zoë", "C000001", "x" * 256):
        key = account.encode()
        assert partitioner.partition("product-events", account, key, None, None, Cluster()) == place(account)


# -- suggestions -------------------------------------------------------------------------------------------------------

RECORD = {"type": "track", "event": "Lesson Finished", "properties": {"lesson": "intro", "minutes": 3}}
IGNORED = {
    "segment:track:Lesson Finished": {"count": 7, "sample": "product-events/1/5"},
    "cloudevent:com.example.export": {"count": 70, "sample": None},
    "(others)": {"count": 700, "sample": None},
}


def test_the_commonest_come_first_with_a_mapping_that_can_be_read(tmp_path):
    from livelift.sources.mapping import read_mapping

    found = suggestions(IGNORED, {"product-events/1/5": RECORD}.get, 10)
    assert [(one.name, one.count) for one in found] == [
        ("cloudevent:com.example.export", 70), ("segment:track:Lesson Finished", 7),
    ]  # fmt: skip
    path = tmp_path / "m.toml"
    path.write_text('[source]\nkind = "segment"\nname = "x"\n' + "\n".join(one.mapping for one in found))
    use, lesson = read_mapping(path).event
    assert (use.type, use.when, use.properties) == (
        "core_action", {"type": "com.example.export"}, {"feature": "com.example.export"},
    )  # fmt: skip
    assert (lesson.type, lesson.properties) == ("lesson_completed", {"lesson": "{properties.lesson}"})
    assert "# there are: lesson, minutes" in found[1].mapping
    assert len(suggestions(IGNORED, {}.get, 1)) == 1


def test_names_are_guessed_by_words_and_quotes_in_them_do_no_harm(tmp_path):
    from livelift.sources.mapping import read_mapping

    assert [guess(name) for name in ("Signed Up", "ticket.created", "task_complete", "Exported a board")] == [
        "trial_started", "ticket_opened", "task_completed", "core_action",
    ]  # fmt: skip
    path = tmp_path / "m.toml"
    path.write_text('[source]\nkind = "segment"\nname = "x"\n' + mapping('segment:track:say "hi" \\ there', None))
    assert read_mapping(path).event[0].when["event"] == 'say "hi" \\ there'

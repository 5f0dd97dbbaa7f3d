"""What the source topics hold of one account, as it stands in Kafka: all of its partition's records, and no others'."""

import pytest
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from consumers.history import Past
from models.events import SOURCES

pytestmark = pytest.mark.broker


def sent(settings, values, partition=1):
    """Put (topic, key, value) into a partition, in this order."""
    producer = Producer(settings.confluent())
    for topic, key, value in values:
        producer.produce(settings.topic(topic), value, key, partition, headers=[("origin", b"here")])
    assert producer.flush(30) == 0


def test_an_accounts_records_are_read_in_order_to_where_the_topics_end_now(namespace):
    settings = namespace()
    products = [("product-events", b"acme" if number % 3 else b"bolt", b"%d" % number) for number in range(300)]
    sent(settings, [*products, ("help-events", b"acme", None), ("help-events", None, b"acme it is")])
    sent(settings, [("product-events", b"acme", b"elsewhere")], partition=0)
    names = [settings.topic(topic) for topic in SOURCES]
    past = Past(settings.confluent(), names, 1, 3)
    sent(settings, [("product-events", b"acme", b"later")])
    assert (past.records, past.cut) == (302, False)
    read = []
    found = list(past.of(lambda key, value: key == b"acme" or b"acme" in (value or b""), read.append))
    ours = [value for _, key, value in products if key == b"acme"]
    assert [record.value for place, record in found if place == 0 and record.value != b"later"] == ours
    assert [(record.key, record.value) for place, record in found if place == 1] == [
        (b"acme", None), (None, b"acme it is"),
    ]  # fmt: skip
    assert all(list(record.headers) == [("origin", b"here")] and record.timestamp > 0 for _, record in found)
    assert read == sorted(read) and read[-1] >= 302


def test_topics_that_have_lost_their_beginning_say_so(namespace):
    settings = namespace()
    sent(settings, [("product-events", b"acme", b"%d" % number) for number in range(10)])
    topic = settings.topic("product-events")
    admin = AdminClient(settings.confluent())
    for done in admin.delete_records([TopicPartition(topic, 1, 4)]).values():
        done.result(30)
    past = Past(settings.confluent(), [topic], 1, 3)
    assert (past.records, past.cut) == (6, True)
    found = [record.value for _, record in past.of(lambda key, value: True, lambda read: None)]
    assert found == [b"4", b"5", b"6", b"7", b"8", b"9"]


def test_where_there_is_nothing_nothing_is_waited_for(namespace):
    settings = namespace()
    past = Past(settings.confluent(), [settings.topic(topic) for topic in SOURCES], 0, 3)
    assert (past.records, past.cut) == (0, False)
    assert list(past.of(lambda key, value: True, lambda read: None)) == []


def test_another_number_of_partitions_is_named(namespace):
    settings = namespace()
    topic = settings.topic("help-events")
    with pytest.raises(ValueError, match=f"{topic} has 3 partitions, not 12: set LIVELIFT_PARTITIONS=3"):
        Past(settings.confluent(), [topic], 5, 12)

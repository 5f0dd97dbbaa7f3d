"""The collector: 200 only for what Kafka has, 400 with reasons, limits, and nobody without the key."""

import asyncio
import base64
import json

import pytest
from aiohttp.test_utils import TestClient, TestServer

from livelift.collector import BODY_LIMIT, IN_FLIGHT, Kafka, NotTaken, collector
from livelift.settings import Settings
from livelift.sources.row import SourceError
from models.clock import YEAR_2000, rfc3339
from models.product import Product
from streams.config import Surroundings
from tests.support.mappings import mapping, signed_up
from tests.support.sources import write

pytestmark = [pytest.mark.shell, pytest.mark.asyncio]
NOW = YEAR_2000 + 800_000_000_000_000
HERE = Surroundings(brokers="", confluent={}, product=Product())


class FakeKafka:
    """Takes what it is sent, or does not."""

    def __init__(self, answers=True):
        self.waiting, self.taken, self.answers = 0, [], answers
        self.released = asyncio.Event()
        self.released.set()

    async def send(self, records):
        await self.released.wait()
        if not self.answers:
            raise NotTaken("timed out")
        self.taken += [(one.topic, one.account, json.loads(one.value)) for one in records]


def client(kafka, mapping=None, **settings):
    served = collector(HERE, kafka, Settings(**settings), mapping, lambda: NOW)
    return TestClient(TestServer(served.app()))


def basic(name):
    return {"Authorization": f"Basic {base64.b64encode(f'{name}:'.encode()).decode()}"}


def track(number=1, event="task_completed", **other):
    return {"type": "track", "messageId": f"m{number}", "event": event, "userId": "ann", "timestamp": rfc3339(NOW),
            "context": {"groupId": "acme"}, "properties": {"task": "1"}, **other}  # fmt: skip


async def test_one_event_of_each_kind_goes_to_its_topic_with_segments_id():
    kafka = FakeKafka()
    async with client(kafka) as http:
        for kind, body in (
            ("track", track()),
            ("identify", {"messageId": "m2", "userId": "ann", "traits": {"role": "admin"}}),
            ("group", {"messageId": "m3", "groupId": "acme", "userId": "ann", "traits": {"seats": 5}}),
            ("track", track(4, "help_engaged", properties={"source": "CS"})),
        ):
            body.pop("type", None)
            answer = await http.post(f"/v1/{kind}", json=body)
            assert (answer.status, await answer.json()) == (200, {"success": True})
    assert [(topic, account, event["type"], event["id"]) for topic, account, event in kafka.taken] == [
        ("product-events", "acme", "task_completed", "m1"),
        ("product-events", "ann", "traits_set", "m2"),
        ("product-events", "acme", "traits_set", "m3"),
        ("help-events", "acme", "help_engaged", "m4"),
    ]
    assert kafka.taken[1][2]["at"] == rfc3339(NOW), "Segment's clients may leave the time to who receives"


async def test_what_one_event_lacks_is_said_and_the_others_are_sent():
    kafka = FakeKafka()
    async with client(kafka) as http:
        bad = [track(2, properties={}), track(3, messageId=None), "text", track(5, timestamp="1999-01-01T00:00:00Z")]
        answer = await http.post("/v1/batch", json={"batch": [track(1), *bad, track(6)]})
        said = await answer.json()
    assert (answer.status, said["success"], said["accepted"]) == (400, False, 2)
    assert [(one["index"], one["reason"]) for one in said["refused"]] == [
        (1, "required_missing"), (2, "datatype_mismatch"), (3, "datatype_mismatch"), (4, "implausible_time"),
    ]  # fmt: skip
    assert [event["id"] for _, _, event in kafka.taken] == ["m1", "m6"]


async def test_an_event_that_is_called_as_none_of_ours_is_passed_on_to_be_counted_or_mapped():
    kafka = FakeKafka()
    async with client(kafka) as http:
        assert (await http.post("/v1/track", json=track(event="Signed Up"))).status == 200
    ((topic, account, passed),) = kafka.taken
    assert (topic, account, passed["event"]) == ("product-events", "acme", "Signed Up")


MAPPING = mapping("segment", "app", None, signed_up(user="{userId}"))


async def test_a_mapping_gives_other_names_their_types(tmp_path):
    kafka = FakeKafka()
    async with client(kafka, write(tmp_path, "m.toml", MAPPING)) as http:
        for _ in range(2):
            assert (await http.post("/v1/track", json=track(event="Signed Up"))).status == 200
    assert [(event["type"], event["id"]) for _, _, event in kafka.taken] == [
        ("trial_started", "app:trial_started:m1")
    ] * 2
    other = MAPPING.replace('kind = "segment"', 'kind = "jsonl"\npath = "x"')
    with pytest.raises(SourceError, match="the collector takes Segment's objects"):
        client(kafka, write(tmp_path, "o.toml", other))


@pytest.mark.parametrize(
    ("path", "body", "said"),
    [("track", b"{", "not JSON"), ("track", b"[]", "not a JSON object"), ("batch", b"{}", "no list `batch`"),
     ("batch", b"\xff", "not JSON")],
)  # fmt: skip
async def test_what_cannot_be_read_at_all_is_400(path, body, said):
    async with client(FakeKafka()) as http:
        answer = await http.post(f"/v1/{path}", data=body)
        assert answer.status == 400
        assert said in (await answer.json())["refused"][0]["detail"]


async def test_nothing_is_answered_before_kafka_has_it():
    kafka = FakeKafka()
    kafka.released.clear()
    async with client(kafka) as http:
        asked = asyncio.ensure_future(http.post("/v1/track", json=track()))
        done, _ = await asyncio.wait([asked], timeout=0.3)
        assert not done
        kafka.released.set()
        assert (await asked).status == 200


async def test_where_kafka_does_not_answer_the_client_is_told_to_come_again():
    async with client(FakeKafka(answers=False)) as http:
        answer = await http.post("/v1/track", json=track())
        assert (answer.status, answer.headers["Retry-After"]) == (503, "5")


async def test_a_kafka_that_is_not_there_is_503_and_nothing_waits_for_it_any_more():
    here = Surroundings(brokers="", confluent={"bootstrap.servers": "127.0.0.1:9"}, product=Product())
    kafka = Kafka(here, answer_s=0.5)
    try:
        async with client(kafka) as http:
            answer = await http.post("/v1/batch", json={"batch": [track(1), track(2)]})
            assert answer.status == 503
            assert "Kafka does not answer" in (await answer.json())["detail"]
        assert kafka.waiting == 0
    finally:
        kafka.close()


async def test_limits():
    kafka = FakeKafka()
    async with client(kafka) as http:
        answer = await http.post("/v1/batch", data=b"x" * (BODY_LIMIT + 1))
        assert answer.status == 413
        kafka.waiting = IN_FLIGHT
        answer = await http.post("/v1/track", json=track())
        assert (answer.status, answer.headers["Retry-After"]) == (429, "5")
        assert (await (await http.get("/health")).json()) == {"waiting": IN_FLIGHT}
    assert kafka.taken == []


async def test_with_a_key_nobody_is_listened_to_without_it():
    kafka = FakeKafka()
    async with client(kafka, collector_write_key="k3y") as http:
        assert (await http.post("/v1/track", json=track())).status == 401
        for wrong in ("Basic !!!", "Bearer k3y", "Basic"):
            assert (await http.post("/v1/track", json=track(), headers={"Authorization": wrong})).status == 401
        assert (await http.post("/v1/track", json=track(), headers=basic("other"))).status == 401
        assert kafka.taken == []
        assert (await http.post("/v1/track", json=track(), headers=basic("k3y"))).status == 200

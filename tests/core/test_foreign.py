"""Segment objects and CloudEvents: read where they plainly are ours, ignored by name where they are not."""

from typing import Any

import pytest

from models import events as e
from models.decode import Decode, Ignored
from models.events import SOURCES, Event
from tests.support.build import Worker, encoded, instant, refused, world

pytestmark = pytest.mark.core
decode = Decode()
AT = "2026-05-05T10:00:00Z"


def segment(kind: str, **fields: Any) -> bytes | None:
    return encoded({"type": kind, "messageId": "m1", "userId": "ann", "timestamp": AT, **fields})


def cloud(kind: str, data: object) -> bytes | None:
    return encoded({"specversion": "1.0", "id": "c1", "source": "/shop", "type": kind, "time": AT, "data": data})


def test_a_segment_track_with_one_of_our_names_is_that_event() -> None:
    found = decode(0, segment("track", event="task_completed", groupId="acme", properties={"task": "2"}))
    assert isinstance(found, e.TaskCompleted)
    assert (found.id, found.account_id, found.user_id, found.properties.task) == ("m1", "acme", "ann", "2")


def test_the_group_may_stand_in_the_context_and_the_person_stands_for_a_missing_one() -> None:
    in_context = decode(0, segment("track", event="session_started", context={"groupId": "acme"}))
    without = decode(0, segment("track", event="session_started"))
    assert isinstance(in_context, Event) and in_context.account_id == "acme"
    assert isinstance(without, Event) and (without.account_id, without.user_id) == ("ann", "ann")


def test_identify_and_group_set_traits_of_the_person_and_of_the_account() -> None:
    traits = {"role": "admin", "seats": 3, "paying": True, "address": {"city": "Aarhus"}, "tags": ["x"], "nick": None}
    person = decode(0, segment("identify", groupId="acme", traits=traits))
    account = decode(0, segment("group", groupId="acme", traits=traits))
    assert isinstance(person, e.TraitsSet) and person.user_id == "ann"
    assert isinstance(account, e.TraitsSet) and (account.account_id, account.user_id) == ("acme", None)
    assert person.properties == account.properties == {"role": "admin", "seats": 3, "paying": True}


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (segment("track", event="Order Completed"), "segment:track:Order Completed"),
        (segment("page", name="Home"), "segment:page"),
        (segment("screen"), "segment:screen"),
        (segment("alias", previousId="x"), "segment:alias"),
        (segment("track", event="x" * 500), "segment:track:" + "x" * 80),
        (cloud("com.example.shipped", {"account_id": "acme"}), "cloudevent:com.example.shipped"),
        (cloud("converted", "no object"), "cloudevent:converted"),
        (cloud("tick", {}), "cloudevent:tick"),
    ],
)
def test_a_foreign_event_without_a_mapping_is_ignored_by_its_name(value: bytes, name: str) -> None:
    assert decode(0, value) == Ignored(name)


def test_a_cloudevent_of_our_type_is_that_event() -> None:
    found = decode(2, cloud("converted", {"account_id": "acme", "user_id": "ann", "properties": {"mrr": 49}}))
    assert isinstance(found, e.Converted)
    assert (found.id, found.account_id, found.properties.mrr) == ("c1", "acme", 49)


@pytest.mark.parametrize(
    ("topic", "value", "reason"),
    [
        (0, segment("track", event="task_completed", properties={}), "required_missing"),
        (0, segment("track", event="task_completed", properties={"task": 3}), "datatype_mismatch"),
        (1, segment("track", event="help_engaged", properties={"source": "cat"}), "out_of_range"),
        (1, segment("track", event="task_completed", properties={"task": "1"}), "unplanned_event"),
        (0, segment("track", event="session_started", timestamp="noon"), "datatype_mismatch"),
        (0, segment("identify", traits={"bio": "x" * 300}), "out_of_range"),
        (2, cloud("converted", {"user_id": "ann"}), "required_missing"),
        (0, cloud("converted", {"account_id": "acme"}), "unplanned_event"),
        (0, cloud("session_started", {"account_id": "acme"}), "required_missing"),
    ],
)
def test_a_foreign_event_that_is_ours_but_wrong_is_refused_like_ours(topic: int, value: bytes, reason: str) -> None:
    assert refused(decode(topic, value)).reason == reason


@pytest.mark.parametrize("value", [{"type": "track"}, {"type": "page", "path": "/"}, {"specversion": 1, "type": "x"}])
def test_what_only_resembles_a_foreign_event_is_ours_and_refused(value: dict[str, Any]) -> None:
    assert refused(decode(0, encoded(value))).reason == "unplanned_event"


def test_people_are_accounts_holds_for_foreign_events_too() -> None:
    found = Decode(people_are_accounts=True)(0, cloud("session_started", {"account_id": "ann"}))
    assert isinstance(found, Event) and found.user_id == "ann"


def test_ignored_events_are_counted_and_sampled_and_are_no_dead_letters() -> None:
    worker = Worker(world())
    worker.given(segment("track", event="Clicked"), segment("track", event="Clicked"), segment("page"))
    quality = worker.snapshot()["quality"]
    assert {name: found["count"] for name, found in quality["ignored"].items()} == {
        "segment:page": 1,
        "segment:track:Clicked": 2,
    }
    assert quality["ignored"]["segment:track:Clicked"]["sample"] == f"{SOURCES[0]}/0/1"
    assert worker.dead_letters() == [] and quality["accepted"] == 0


def test_a_segment_track_changes_the_row_as_our_own_event_does() -> None:
    worker = Worker(world())
    worker.given(segment("track", event="task_completed", groupId="acme", properties={"task": "2"}))
    assert worker.row().tasks["2"].completed == instant(hour=10)


def test_a_cloudevent_in_binary_mode_is_read_from_its_headers() -> None:
    worker = Worker(world())
    headers = [("ce_specversion", b"1.0"), ("ce_id", b"c1"), ("ce_source", b"/shop"), ("ce_type", b"converted"),
               ("ce_time", AT.encode()), ("content-type", b"application/json")]  # fmt: skip
    data = {"account_id": "acme", "user_id": "ann", "properties": {"mrr": 49}}
    worker.given(encoded(data), topic=2, headers=headers)
    assert worker.dead_letters() == []
    assert worker.row().converted_at == instant(hour=10)

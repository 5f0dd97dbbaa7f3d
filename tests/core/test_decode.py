"""Any bytes become an event, a tick, or a refusal with one of the contract's reasons; nothing raises."""

import json
import time
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import events as e
from models.clock import DAY, HOUR, YEAR_2000, rfc3339
from models.decode import FUTURE, Decode, Ignored, Reason, Refusal, event_time, implausible
from models.events import BY_TOPIC, HOME, SOURCES, Event, Tick
from tests.core.generated import KINDS, one_event
from tests.support.build import T0, checked, decoded, encoded, event, instant, refused

pytestmark = pytest.mark.core
PRODUCT, HELP, CONVERSION = range(3)
decode = Decode()


def changed(**fields: Any) -> bytes:
    """A good session_started with these fields changed; None removes one."""
    good = {**event("session_started"), **fields}
    return json.dumps({name: value for name, value in good.items() if value is not None}).encode()


def test_an_event_is_read_with_its_time_account_person_and_properties() -> None:
    found = decoded(event("task_completed", instant(1, 8), "acme", "ann", id="e1", task="2"))
    assert isinstance(found, e.TaskCompleted)
    assert (found.id, found.account_id, found.user_id, found.properties.task) == ("e1", "acme", "ann", "2")
    assert event_time(found) == instant(1, 8)


@pytest.mark.parametrize("at", [1777975200, 1777975200.25, "2026-05-05T10:00:00Z", "2026-05-05T12:00:00+02:00"])
def test_event_time_is_rfc_3339_with_an_offset_or_epoch_seconds(at: str | float) -> None:
    found = decode(PRODUCT, changed(at=at))
    assert isinstance(found, Event)
    at_micros = event_time(found)
    assert isinstance(at_micros, int) and rfc3339(at_micros)[:19] == "2026-05-05T10:00:00"


def test_unknown_extra_fields_are_dropped() -> None:
    found = decode(PRODUCT, changed(later_field=[1, {"a": 2}], properties={"country": "DK", "free_text": "hello"}))
    assert isinstance(found, e.SessionStarted) and found.properties.country == "DK"
    assert b"hello" not in msgspec.json.encode(found)


@given(one_event(st.just(T0)))
@checked(150)
def test_every_type_of_the_contract_is_read_on_its_topic(made: dict[str, Any]) -> None:
    found = decode(HOME[made["type"]], encoded(made))
    assert isinstance(found, Event) and found.__struct_config__.tag == made["type"]


@pytest.mark.parametrize("topic", range(3))
def test_a_tick_is_read_on_every_topic(topic: int) -> None:
    assert isinstance(decode(topic, b'{"type":"tick","at":"2026-05-05T00:00:00Z"}'), Tick)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (changed(type="coffee_spilled"), "unplanned_event"),
        (changed(type="help_engaged"), "unplanned_event"),
        (changed(type="converted"), "unplanned_event"),
        (changed(type=7), "unplanned_event"),
        (changed(type=["tick"]), "unplanned_event"),
        (changed(type=None), "required_missing"),
        (changed(id=None), "required_missing"),
        (changed(at=None), "required_missing"),
        (changed(account_id=None), "required_missing"),
        (changed(user_id=None), "required_missing"),
        (changed(type="task_started", properties=None), "required_missing"),
        (changed(type="task_started", properties={}), "required_missing"),
        (b'{"type":"tick"}', "required_missing"),
        (changed(id=7), "datatype_mismatch"),
        (changed(at="yesterday"), "datatype_mismatch"),
        (changed(at="2026-05-05T10:00:00"), "datatype_mismatch"),
        (changed(at=True), "datatype_mismatch"),
        (changed(account_id={"id": "acme"}), "datatype_mismatch"),
        (changed(properties=[]), "datatype_mismatch"),
        (changed(type="task_started", properties={"task": 1}), "datatype_mismatch"),
        (changed(type="core_action", properties={"feature": "x", "count": "1"}), "datatype_mismatch"),
        (changed(type="core_action", properties={"feature": "x", "count": 1.5}), "datatype_mismatch"),
        (changed(type="traits_set", properties={"role": ["admin"]}), "datatype_mismatch"),
        (b'{"type":"tick","at":"soon"}', "datatype_mismatch"),
        (changed(id=""), "out_of_range"),
        (changed(id="x" * 129), "out_of_range"),
        (changed(account_id="x" * 257), "out_of_range"),
        (changed(user_id=""), "out_of_range"),
        (changed(properties={"duration_s": -1}), "out_of_range"),
        (changed(type="core_action", properties={"feature": "x", "count": -1}), "out_of_range"),
        (changed(type="core_action", properties={"feature": "x", "count": 10**30}), "out_of_range"),
        (changed(type="help_needed", properties={"confidence": 1.01}), "out_of_range"),
        (changed(type="member_added", properties={"role": "king"}), "out_of_range"),
        (changed(type="usage_reported", properties={"rows": 1e16}), "out_of_range"),
    ],
)
def test_what_is_not_accepted_has_a_reason(value: bytes, reason: str) -> None:
    assert refused(decode(PRODUCT, value)).reason == reason


@pytest.mark.parametrize(
    ("kind", "properties", "reason"),
    [
        ("help_engaged", {"source": "cat"}, "out_of_range"),
        ("help_engaged", {}, "required_missing"),
        ("survey_answered", {"survey": "nps", "score": 11}, "out_of_range"),
        ("survey_answered", {"survey": "csat", "score": 0}, "out_of_range"),
        ("survey_answered", {"survey": "smiles", "score": 1}, "out_of_range"),
        ("survey_answered", {"score": 1}, "required_missing"),
        ("concept_checked", {"concept": "vat", "correct": "yes"}, "datatype_mismatch"),
        ("cs_contacted", {"sentiment": 2}, "out_of_range"),
    ],
)
def test_help_events_are_checked_by_type(kind: str, properties: dict[str, Any], reason: str) -> None:
    assert refused(decode(HELP, encoded({**event(kind), "properties": properties}))).reason == reason


@pytest.mark.parametrize("kind", KINDS)
def test_a_type_on_another_topic_is_unplanned_and_told_where_it_belongs(kind: str) -> None:
    for topic in {0, 1, 2} - {HOME[kind]}:
        refusal = refused(decode(topic, encoded(event(kind))))
        assert refusal.reason == "unplanned_event" and SOURCES[HOME[kind]] in refusal.detail


@pytest.mark.parametrize(
    "hostile",
    [
        None,
        b"",
        b" ",
        b"\x00",
        b"null",
        b"[]",
        b'"tick"',
        b"42",
        b"{}",
        b"{",
        b"[" * 1_000_000,
        b'{"a":' * 200_000,
        b'{"x":' + b"[" * 1_000_000,
        changed(x=0).replace(b'"x": 0', b'"x": ' + b"[" * 500_000 + b"]" * 500_000),
        b"\xff\xfe" * 10,
        b'{"type":"\xff"}',
        b'{"type":"\\ud800"}',
        changed(at=0).replace(b'"at": 0', b'"at": NaN'),
        changed(at=0).replace(b'"at": 0', b'"at": Infinity'),
        changed(at=0).replace(b'"at": 0', b'"at": 1e400'),
        changed(at=0).replace(b'"at": 0', b'"at": ' + b"9" * 5000),
        changed(type={"type": "tick"}),
        b'{"type":"tick","at":[]}',
    ],
    ids=lambda hostile: "tombstone" if hostile is None else repr(hostile[:24]),
)
def test_hostile_bytes_are_refused_on_every_topic(hostile: bytes | None) -> None:
    for topic in range(3):
        assert refused(decode(topic, hostile)).reason in get_args(Reason)


@pytest.mark.parametrize("name", [{}, [], {"a": 1}, 7, None, True, 1.5])
def test_a_segment_event_whose_name_is_no_text_is_ignored(name: object) -> None:
    assert isinstance(decode(PRODUCT, json.dumps({"type": "track", "messageId": "m", "event": name}).encode()), Ignored)


@pytest.mark.parametrize(
    "shell", ['{"specversion":"1.0","type":%s}', '{"type":%s}', '{"type":"page","userId":"a","event":%s}']
)
def test_nesting_of_any_depth_never_raises(shell: str) -> None:
    for depth in range(600, 1001):
        assert isinstance(decode(PRODUCT, (shell % ("[" * depth + "]" * depth)).encode()), Refusal | Ignored)


Loose = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=10,
)
FIELDS = ("id", "type", "at", "account_id", "user_id", "properties", "specversion", "data", "event", "messageId",
          "userId", "groupId", "traits", "context", "timestamp", "time")  # fmt: skip
Kind = st.sampled_from([*KINDS, "tick", "forget", "track", "identify", "group", "page"])
Almost = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(FIELDS, Loose) | {"type": Kind | Loose, "event": Kind | Loose}
)


@given(st.binary(max_size=200) | Loose.map(json.dumps).map(str.encode) | Almost.map(json.dumps).map(str.encode))
@checked(600)
def test_any_bytes_give_a_value(value: bytes) -> None:
    for topic in range(3):
        found = decode(topic, value)
        assert isinstance(found, Event | Tick | Refusal | Ignored)
        if isinstance(found, Event | Tick):
            assert isinstance(event_time(found), int | Refusal)


@pytest.mark.parametrize("kind", KINDS)
def test_a_missing_person_is_refused_where_the_type_needs_one_unless_people_are_accounts(kind: str) -> None:
    given = {
        "task_started": {"task": "1"}, "task_completed": {"task": "1"}, "task_failed": {"task": "1"},
        "core_action": {"feature": "x"}, "feature_configured": {"feature": "x"},
        "experiment_assigned": {"experiment": "x", "arm": "a"}, "experiment_exposed": {"experiment": "x"},
        "help_engaged": {"source": "CS"}, "ticket_opened": {"ticket": "1"}, "ticket_closed": {"ticket": "1"},
        "lesson_started": {"lesson": "1"}, "lesson_completed": {"lesson": "1"},
        "concept_checked": {"concept": "vat", "correct": True}, "survey_answered": {"survey": "nps", "score": 9},
        "outcome_observed": {"name": "x", "value": 1},
    }.get(kind, {})  # fmt: skip
    value = encoded(event(kind, user=None, **given))
    needs_person = {
        "session_started", "task_started", "task_completed", "task_failed", "help_needed", "member_added",
        "member_removed", "help_engaged", "lesson_started", "lesson_completed", "concept_checked", "survey_answered",
    }  # fmt: skip
    found = decode(HOME[kind], value)
    if kind in needs_person:
        assert refused(found).reason == "required_missing"
    else:
        assert isinstance(found, Event) and found.user_id is None
    person = Decode(people_are_accounts=True)(HOME[kind], value)
    assert isinstance(person, Event) and person.user_id == "acme"


def test_every_event_type_has_one_topic() -> None:
    assert len(HOME) == sum(map(len, BY_TOPIC))


@pytest.mark.parametrize(
    ("at", "fine"),
    [(YEAR_2000, True), (YEAR_2000 - 1, False), (0, False), (-(10**18), False), (T0, True), (T0 + FUTURE, True),
     (T0 + FUTURE + 1, False), (T0 + 50 * 365 * DAY, False)],
)  # fmt: skip
def test_event_time_lies_between_2000_and_23_hours_ahead(at: int, fine: bool) -> None:
    refusal = implausible(at, T0)
    assert (refusal is None) == fine
    assert refusal is None or refusal.reason == "implausible_time"
    assert FUTURE == 23 * HOUR


@pytest.mark.parametrize("seconds", [1777975200_000, 1e15, 1e18, 1e300])
def test_epoch_milliseconds_are_refused_as_implausible(seconds: float) -> None:
    found = decode(PRODUCT, changed(at=seconds))
    assert isinstance(found, Event)
    at = event_time(found)
    assert refused(at if isinstance(at, Refusal) else implausible(at, T0)).reason == "implausible_time"


@pytest.mark.parametrize("secret", ["mail ann@example.org", "missing required field"])
def test_a_refusal_quotes_nothing_of_the_payload_but_type_names(secret: str) -> None:
    for kind, name in (("help_engaged", "source"), ("survey_answered", "survey")):
        refusal = refused(decode(HELP, encoded({**event(kind), "properties": {name: secret, "score": 1}})))
        assert refusal.reason == "out_of_range"
        assert secret not in refusal.detail


def test_a_refusal_is_short_whatever_was_sent() -> None:
    assert len(refused(decode(HELP, changed(type="x" * 100_000))).detail) < 400
    assert len(refused(decode(PRODUCT, changed(id="x" * 100_000))).detail) < 400


def test_the_clock_is_never_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden() -> float:
        raise AssertionError("models/ has no clock")

    monkeypatch.setattr(time, "time", forbidden)
    assert isinstance(decode(PRODUCT, changed()), Event)

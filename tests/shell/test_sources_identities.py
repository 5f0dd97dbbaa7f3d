"""Events of which only an email is known wait, in order, until somebody says whose it is."""

import json

import pytest

from tests.support.mappings import LESSONS, event, lower, mapping
from tests.support.sources import send, write, written

pytestmark = pytest.mark.shell
PEOPLE = mapping(
    "jsonl", "crm", "crm.jsonl", event("traits_set", "{at}", "{account}", "{user}", links=[lower("{email}")])
)
AT = "2026-05-05T08:00:00Z"


def rows(folder, name, *given):
    write(folder, name, "".join(json.dumps({"at": AT, **row}) + "\n" for row in given))


def test_events_wait_for_their_alias_and_are_sent_on_once_in_order(tmp_path):
    lessons, people, out = write(tmp_path, "l.toml", LESSONS), write(tmp_path, "p.toml", PEOPLE), tmp_path / "out"
    taken = [{"email": "Ann@x.example", "lesson": f"l{n}"} for n in range(3)]
    rows(tmp_path, "lms.jsonl", *taken, {"email": "bob@x.example", "lesson": "l9"})
    counts = send(lessons, out).counts
    assert (counts.rows, counts.sent, counts.unresolved, counts.events) == (4, 0, 4, 0)
    assert "4 rows read = 0 sent + 4 unresolved + 0 refused" in str(counts)
    assert written(out) == []

    rows(tmp_path, "crm.jsonl", {"account": "acme", "user": "ann", "email": "ann@X.example"})
    assert send(people, out).counts.linked == 3
    assert send(people, out).counts.linked == 3, "once only"
    sent = [event for event in written(out) if event["type"] == "lesson_completed"]
    assert [(event["account_id"], event["user_id"], event["properties"]["lesson"]) for event in sent] == [
        ("acme", "ann", "l0"), ("acme", "ann", "l1"), ("acme", "ann", "l2"),
    ]  # fmt: skip
    assert all("alias" not in event and "email" not in json.dumps(event) for event in written(out))

    rows(
        tmp_path,
        "lms.jsonl",
        *taken,
        {"email": "bob@x.example", "lesson": "l9"},
        {"email": "ann@x.example", "lesson": "l4"},
    )
    later = send(lessons, out).counts
    assert (later.rows, later.sent, later.unresolved) == (5, 1, 4), "who is known by now does not wait"


def test_an_event_that_would_be_refused_whoever_it_is_does_not_wait(tmp_path):
    rows(tmp_path, "lms.jsonl", {"email": "ann@x.example"})
    counts = send(write(tmp_path, "l.toml", LESSONS), tmp_path / "out").counts
    assert (counts.refused, counts.unresolved) == ({"required_missing": 1}, 0)


def test_an_event_without_its_alias_is_refused(tmp_path):
    rows(tmp_path, "lms.jsonl", {"lesson": "l1"})
    assert send(write(tmp_path, "l.toml", LESSONS), tmp_path / "out").counts.refused == {"required_missing": 1}

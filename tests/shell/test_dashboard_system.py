"""The page of the system's health: counts, refusals, ages; and what is old is told as old on every page."""

import asyncio
import threading
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from consumers import dead_letters
from consumers.dashboard import ages
from consumers.dashboard.letters import NO_KAFKA, STILL, Letters, Told
from consumers.dashboard.pace import Pace
from consumers.dashboard.views.system import REASONS, troubles
from consumers.dead_letters import DeadLetter
from models.decode import Reason
from models.health.learning import Learning
from models.health.told import model_snapshot
from models.product import Product
from tests.support.pages import Given, dashboard, text_of

pytestmark = pytest.mark.shell
Json = dict[str, Any]
NOW = datetime(2026, 6, 5, 12, tzinfo=UTC)
HOSTILE = "<script>alert('x')</script>"


def quality(age_s: float = 0, now: datetime | None = None, **more: Any) -> Json:
    at = (datetime.now(UTC) if now is None else now) - timedelta(seconds=age_s)
    return {
        "schema": 1, "as_of": {"time": "2026-06-05T11:00:00Z"}, "published_at": at.isoformat(), "accepted": 9_168,
        "refused": {}, "ignored": {}, "late": 17, "duplicate": 23, "suppressed": 5, "forwarded": 7, "users": 1_042,
        "accounts": 311, "deduplication": "among the last 64", "lag": {"product-events": 0, "help-events": 0}, **more,
    }  # fmt: skip


def merged(age_s: float = 0, time: str = "2026-06-05T11:00:00Z", **more: Any) -> Json:
    at = datetime.now(UTC) - timedelta(seconds=age_s)
    return {"schema": 1, "as_of": {"time": time}, "published_at": at.isoformat(), **more}


def said(snapshots: Json, path: str = "/system") -> str:
    with dashboard(Given(snapshots)) as client:
        return text_of(client.get(path).text)


CHECK = {
    "check": "volume_break", "instrumentation": True, "state": "alarm", "units": 40, "unit": "days",
    "says": f"on 2026-05-30 2 came where 80 are usual {HOSTILE}", "p": 0.001, "p_adjusted": 0.004,
    "effect": {"name": "doublings", "value": 5.3, "alarm_if": "above", "edge": 3.0, "reason": "seasons stay within"},
}  # fmt: skip
UNEXAMINED = {"check": "sub_second", "instrumentation": True, "state": "not examined", "units": 8, "unit": "events",
              "because": "200 events are needed; there are 8"}  # fmt: skip
AUTHENTICITY = merged(day="2026-06-03", people=812, verdict="1 of 4 checks raise an alarm", alarms=["volume_break"],
                      checks=[CHECK, UNEXAMINED])  # fmt: skip
ITEMS: dict[str, tuple[Json, str]] = {
    "accepted": ({}, "Accepted 9,168"),
    "refused by reason": ({"refused": {"out_of_range": 12}}, "A value out of its range out_of_range 12"),
    "lag": ({"lag": {"help-events": 4}}, "Help, training and support help-events 4"),
    "ignored names": ({"ignored": {HOSTILE: {"count": 6, "sample": "help-events/2/9"}}}, f"{HOSTILE} 6 help-events/2/9"),
    "late": ({}, "Late 17"), "duplicates": ({}, "Repeated 23"), "suppressed": ({}, "Suppressed 5"),
    "forwarded": ({}, "Sent on 7"), "users": ({}, "Users 1,042"), "accounts": ({}, "Accounts 311"),
}  # fmt: skip
"""Items of the page in the issue: what of `quality` tells them, and what is shown."""


@pytest.mark.parametrize("item", ITEMS)
def test_every_item_of_the_page_is_a_field_of_quality_and_is_shown(item: str) -> None:
    more, shows = ITEMS[item]
    snapshots = {"quality": quality(**more)}
    assert shows in said(snapshots)
    with dashboard(Given(snapshots)) as client:
        assert HOSTILE not in client.get("/system").text
        assert client.get("/api/system").json()["quality"] == snapshots["quality"]


def test_whether_recording_is_broken_is_said_check_by_check() -> None:
    text = said({"quality": quality(), "authenticity": AUTHENTICITY})
    assert "1 of 4 checks raise an alarm" in text and "Of 812 people, up to 2026-06-03" in text
    assert f"Days lost or flooded Alarm on 2026-05-30 2 came where 80 are usual {HOSTILE}" in text
    assert "doublings: 5.3; alarm if above 3 (seasons stay within)" in text
    assert "Fractions of a second Not examined 200 events are needed; there are 8" in text
    assert "It has not been looked at yet." in said({"quality": quality()})
    early = merged(day=None, because="no event time is known yet")
    assert "no event time is known yet" in said({"quality": quality(), "authenticity": early})


def test_all_is_well_is_said_only_where_nothing_is_behind_refused_or_old() -> None:
    assert "All is well" in said({"quality": quality(), "funnel": merged()})
    for spoilt in (quality(refused={"out_of_range": 1}), quality(lag={"help-events": 1}), quality(age_s=60)):
        assert "All is well" not in said({"quality": spoilt, "funnel": merged()})
    assert "All is well" not in said({"quality": quality(), "funnel": merged(60, "2026-06-01T00:00:00Z")})


def test_every_reason_has_its_words() -> None:
    assert set(REASONS) == set(Reason.__args__)


# -- ages ---------------------------------------------------------------------------------------------------------------


def test_everything_is_old_when_nothing_has_been_published_for_a_while_also_without_javascript() -> None:
    with dashboard(Given({"quality": quality(age_s=300), "funnel": merged(300)})) as client:
        page = client.get("/system").text
    assert "nothing has been published for 5 minutes" in text_of(page) and '<html lang="en" class="stale"' in page
    with dashboard(Given({"quality": quality(age_s=5)})) as client:
        fresh = client.get("/system").text
    assert 'id="band" role="status" aria-live="polite" hidden' in fresh and 'class="stale"' not in fresh


@pytest.mark.parametrize("key", ["education", "model"])
def test_a_snapshot_that_stayed_behind_is_marked_on_every_page_that_shows_it(key: str) -> None:
    left = merged(3_600, "2026-06-01T00:00:00Z")
    whole = {"education": {"month": None, "because": "x"}, "model": model_snapshot(Learning(Product()), 5)}[key]
    snapshots = {"quality": quality(), key: {**whole, **left}}
    assert f"Old {ages.NAMES[key]} is of 2026-06-01 00:00 UTC" in said(snapshots, f"/{key}")
    assert f"Old {ages.NAMES[key]}" not in said({**snapshots, key: {**whole, **merged()}}, f"/{key}")


def test_a_snapshot_that_has_not_changed_for_long_is_not_old() -> None:
    same = {"quality": quality(), "funnel": merged(86_400)}
    assert not ages.behind(same["funnel"], same["quality"])
    assert "Old" not in said(same, "/education")


def test_a_page_that_reads_between_two_writings_calls_nothing_old() -> None:
    assert not ages.behind(merged(1, "2026-06-05T10:00:00Z"), quality())
    assert ages.behind(merged(20, "2026-06-05T10:00:00Z"), quality())


def test_a_learner_that_has_stopped_is_told_though_its_snapshot_is_written_anew() -> None:
    model = merged(learned="2026-05-28")
    aged = {one.key: one for one in ages.ages({"quality": quality(), "model": model}, datetime.now(UTC))}
    assert aged["model"].state == "bad" and "8 days ago" in aged["model"].says
    assert ages.learner_behind(merged(learned="2026-06-04")) == 0
    assert ages.learner_behind(merged(learned=None)) == 0


def test_ages_name_what_is_not_there_and_what_cannot_be_told() -> None:
    held = {"quality": quality(), "funnel": None, "at-risk": {"published_at": "2026-06-05T10:00:00Z", "as_of": {}}}
    aged = {one.key: (one.state, one.says) for one in ages.ages(held, datetime.now(UTC))}
    assert aged["funnel"] == ("", "Not there yet") and aged["at-risk"][0] == ""
    assert troubles(held, ages.ages(held, datetime.now(UTC)), "") == []


def test_the_age_is_json_only() -> None:
    with dashboard(Given({"quality": quality()})) as client:
        assert client.get("/age").status_code == 404 and client.get("/api/age").json()["published_at"]


# -- rates --------------------------------------------------------------------------------------------------------------


def test_rates_are_of_the_last_minute_and_not_known_before_two_readings() -> None:
    pace = Pace()
    assert pace.rates().because
    for second in range(0, 301, 5):
        pace.take(
            quality(now=NOW, age_s=-second, accepted=10 * second + max(0, second - 200) * 90, refused={"x": second})
        )
    rates = pace.rates()
    assert (rates.accepted, rates.refused, rates.seconds) == (100.0, 1.0, 60.0)


def test_counts_that_fall_belong_to_another_installation() -> None:
    pace = Pace()
    for second, accepted in ((0, 1_000), (10, 2_000), (20, 10)):
        pace.take(quality(now=NOW, age_s=-second, accepted=accepted))
    assert pace.rates().accepted is None
    pace.take(None)
    pace.take(quality(now=NOW, age_s=-30, accepted=60))
    assert pace.rates().accepted == 5.0


# -- dead letters -------------------------------------------------------------------------------------------------------

SECRET = b'{"email": "ann@example.com"}'
LETTER = DeadLetter("help-events/3/77", "out_of_range", "properties.score: 12 > 10", SECRET)


def test_samples_of_what_was_refused_are_masked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dead_letters, "latest", lambda *_: [LETTER])
    with dashboard(
        Given({"quality": quality(refused={"out_of_range": 1})}), kafka={"bootstrap_servers": ["x"]}
    ) as client:
        page, beside = client.get("/system").text, client.get("/api/system")
    assert "help-events/3/77 : properties.score: 12 > 10 , masked (28 bytes)" in text_of(page)
    assert "ann@example.com" not in page + beside.text
    assert beside.json()["dead-letters"]["letters"][0]["payload"] == "28 bytes"


def test_a_page_never_waits_long_for_kafka_and_shows_letters_when_they_have_come(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answered, changed = threading.Event(), asyncio.Event()
    monkeypatch.setattr(dead_letters, "latest", lambda *_: [LETTER] if answered.wait(30) else [])
    monkeypatch.setattr("consumers.dashboard.letters.WAIT_S", 0.01)

    async def looked() -> tuple[Told, Told]:
        letters = Letters({"bootstrap_servers": ["x"]}, changed=changed.set)
        first = await letters.latest()
        answered.set()
        await asyncio.wait_for(changed.wait(), 30)
        return first, await letters.latest()

    first, second = asyncio.run(looked())
    assert first == Told([], STILL) and [one["reason"] for one in second.letters] == ["out_of_range"]


def test_kafka_is_asked_once_for_all_who_look_and_its_failure_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def away(*_: Any) -> list[DeadLetter]:
        asked.append(1)
        raise OSError("no brokers")

    monkeypatch.setattr(dead_letters, "latest", away)

    async def looked() -> list[Told]:
        letters = Letters({"bootstrap_servers": ["x"]})
        return [*await asyncio.gather(*(letters.latest() for _ in range(5))), await letters.latest()]

    found = asyncio.run(looked())
    assert len(asked) == 1 and all("OSError" in (one.because or "") for one in found)


def test_without_kafka_it_is_said_where_letters_are_shown() -> None:
    assert asyncio.run(Letters().latest()) == Told([], NO_KAFKA)
    assert "livelift dead-letters list" in said({"quality": quality(refused={"out_of_range": 1})})


def test_a_page_is_not_changed_by_being_made() -> None:
    snapshots = {"quality": quality(), "authenticity": AUTHENTICITY, "funnel": merged()}
    before = deepcopy(snapshots)
    said(snapshots)
    assert snapshots == before

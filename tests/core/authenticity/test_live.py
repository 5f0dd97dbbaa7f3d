"""Authenticity while events come in: the sums against counting a timeline by hand, and what is said of them."""

import json
from collections import Counter, defaultdict
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.authenticity.live import counters_of_shares
from models.authenticity.sums import DRAWN_DAYS, REPEATED, SECONDS, VISIT_DAYS, WIDTH, Share
from models.clock import SECOND, date_of
from models.product import Authenticity
from models.readside import ReadSide
from tests.core.generated import intervals
from tests.core.reading import played
from tests.support.build import (
    FIRST_DAY,
    Json,
    Worker,
    checked,
    event,
    in_batches,
    instant,
    rebuilt,
    records,
    tick,
    world,
)

pytestmark = pytest.mark.core

CHECKS = ["second_of_minute", "sub_second", "duplicates", "volume_break"]
NOT_A_VISIT = {"help_engaged", "ticket_opened", "lesson_started", "lesson_completed", "concept_checked",
               "survey_answered"}  # fmt: skip


def share_of(worker: Worker) -> Share:
    return worker.partition.ledger.sums.authenticity.share()


def visiting(people: int, days: int, second: int | None = None, seed: int = 1) -> list[Json]:
    """People who come daily and do one thing at a moment of their own; the last days (a week) may all have one second."""
    draw = np.random.default_rng(seed)
    found = []
    for day in range(days):
        at = instant(day, 8) + draw.integers(1, 8 * 3_600_000, people) * 1000
        if second is not None and day >= days - 7:
            at = at // (60 * SECOND) * 60 * SECOND + second * SECOND + at % SECOND
        found += [
            event("session_started", int(one), account=f"a{who % 50}", user=f"u{who}") for who, one in enumerate(at)
        ]
        found.append(tick(instant(day + 1)))
    return [*found, tick(instant(days, 1))]


def said(timeline: list[Json], **product: object) -> Json:
    return played(timeline, given=world(**product)).snapshot()["authenticity"]


def by_check(snapshot: Json) -> dict[str, Json]:
    return {row["check"]: row for row in snapshot["checks"]}


# -- the sums --------------------------------------------------------------------------------------------------------


@given(intervals(days=5), st.lists(st.integers(1, 12), max_size=8))
@checked(60)
def test_the_sums_are_what_counting_by_hand_gives(by_interval: list[list[Json]], sizes: list[int]) -> None:
    timeline = [one for interval in by_interval for one in interval]
    share = share_of(played(timeline, sizes))
    visits = {
        (one["account_id"], one["user_id"], one["at"][:10]) for one in timeline
        if one["type"] in {"session_started", "task_started", "task_completed", "task_failed", "core_action",
                           "feature_configured", "usage_reported"}
        and "user_id" in one and not one["properties"].get("automated")
    }  # fmt: skip
    assert {date_of(day): people for day, people in share.visits.items()} == Counter(day for *_, day in visits)
    acting = defaultdict(list)
    for one in timeline:
        acts = one["type"] in NOT_A_VISIT | {"session_started", "task_started", "task_completed", "task_failed",
                                             "core_action", "feature_configured"}  # fmt: skip
        at = datetime.fromisoformat(one["at"]).astimezone(UTC)
        if acts and "user_id" in one and not one["properties"].get("automated") and at.time().isoformat() != "00:00:00":
            acting[one["account_id"], one["user_id"]].append(one)
    assert sum(share.drawn[:SECONDS]) == share.drawn[0] == len(acting), "generated events are on whole hours"
    assert sum(share.drawn[SECONDS:REPEATED]) == 0


@given(intervals(days=5, late=True), st.lists(st.integers(1, 12), max_size=8))
@checked(40)
def test_what_is_rebuilt_from_the_rows_is_what_was_kept(by_interval: list[list[Json]], sizes: list[int]) -> None:
    worker = Worker()
    for batch in in_batches(records([one for interval in by_interval for one in interval]), sizes):
        worker.take(batch)
        assert share_of(worker) == rebuilt(worker).ledger.sums.authenticity.share()


@given(intervals(days=4))
@checked(40)
def test_of_somebody_forgotten_nothing_is_left(by_interval: list[list[Json]]) -> None:
    timeline = [one for interval in by_interval for one in interval]
    forget = {"id": "f", "type": "forget", "at": "2026-05-05T00:00:00Z", "account_id": "acme", "user_id": "ann"}
    never = [one for one in timeline if (one.get("account_id"), one.get("user_id")) != ("acme", "ann")]
    assert share_of(played([*timeline, forget])) == share_of(played(never))


def test_what_is_longer_ago_than_is_kept_is_let_go_running_and_rebuilt() -> None:
    worker = played([event("session_started", instant(0, 9, 0.5)), tick(instant(1))])
    assert share_of(worker).visits == {FIRST_DAY: 1}
    assert share_of(worker).drawn[30] == 1
    for day, drawn, visits in (
        (DRAWN_DAYS - 1, 1, 1), (DRAWN_DAYS, 0, 1), (VISIT_DAYS - 1, 0, 1), (VISIT_DAYS, 0, 0),
    ):  # fmt: skip
        worker.given(tick(instant(day)))
        for share in (share_of(worker), share_of(worker.restarted()), rebuilt(worker).ledger.sums.authenticity.share()):
            assert (sum(share.drawn[:SECONDS]), sum(share.visits.values())) == (drawn, visits), day
    worker.given({"id": "f", "type": "forget", "at": "2026-05-05T00:00:00Z", "account_id": "acme"})
    assert share_of(worker) == Share([0] * WIDTH, {}), "what was let go is not taken out again"


def test_partitions_add_up() -> None:
    parts = [
        Share([1] * WIDTH, {FIRST_DAY: 2, FIRST_DAY + 1: 5}), Share([2] * WIDTH, {FIRST_DAY: 1, FIRST_DAY - 60: 9}),
    ]  # fmt: skip
    found = counters_of_shares(parts, until=FIRST_DAY)
    assert found.seconds.counts == (3,) * 60
    assert found.tenths.squares == found.tenths.totals == 30, "each person has one instant"
    assert found.repeated == (3,) * 5
    assert found.days == {FIRST_DAY: 3}, "days that are not over, and days longer ago than is kept, are not compared"


# -- what is said ----------------------------------------------------------------------------------------------------


def test_before_anything_has_come_it_says_so() -> None:
    assert Worker().snapshot()["authenticity"]["because"] == "no event time is known yet"


def test_of_people_on_their_own_clocks_nothing_is_found_and_it_never_says_real() -> None:
    found = said(visiting(250, 35))
    assert [row["check"] for row in found["checks"]] == CHECKS
    assert {row["state"] for row in found["checks"]} == {"nothing found"}
    assert found["verdict"].startswith("nothing found by 4 checks")
    assert (found["day"], found["people"]) == (date_of(FIRST_DAY + 34), 250)
    assert " real" not in json.dumps(found)


def test_a_clock_whose_seconds_stand_still_is_named_with_its_second() -> None:
    found = said(visiting(250, 20, second=17))
    assert found["alarms"] == ["second_of_minute"]
    assert "of 250 people's drawn events 250 fall on second 17" in found["verdict"]


def test_events_sent_again_under_new_ids_are_named() -> None:
    timeline = visiting(250, 9)
    again = [{**one, "id": f"again-{one['id']}"} for one in timeline if one["type"] != "tick"]
    found = said([*timeline[:-1], *again, timeline[-1]])
    assert found["alarms"] == ["duplicates"]
    assert "250 of 500 people's drawn events (50.00%) repeat another" in found["verdict"]


def test_a_day_on_which_nobody_came_is_named_with_its_date_the_last_one_too() -> None:
    for lost in (20, 34):
        day = date_of(FIRST_DAY + lost)
        kept = [one for one in visiting(250, 35) if one["type"] == "tick" or one["at"][:10] != day]
        found = said(kept)
        assert found["alarms"] == ["volume_break"]
        assert f"{day} has 0 people where its weekday usually has 250" in found["verdict"]


def test_times_written_to_the_second_have_no_tenths_and_dates_no_seconds() -> None:
    timeline = visiting(250, 9)
    to_the_second = [{**one, "at": one["at"][:19] + "Z"} for one in timeline]
    assert by_check(said(to_the_second))["sub_second"]["because"] == "60 events are needed; there are 0"
    to_the_day = [one if one["type"] == "tick" else {**one, "at": one["at"][:11] + "00:00:00Z"} for one in timeline]
    assert said(to_the_day)["people"] == 0


def test_milliseconds_that_stand_still_are_named() -> None:
    timeline = [
        one if one["type"] == "tick" else {**one, "at": f"{one['at'][:19]}.796Z"} for one in visiting(250, 9)
    ]  # fmt: skip
    assert said(timeline)["alarms"] == ["sub_second"]


def test_what_claims_minutes_is_not_asked_for_seconds_or_repeats() -> None:
    timeline = [one if one["type"] == "tick" else {**one, "at": one["at"][:17] + "00Z"} for one in visiting(250, 9)]
    assert said(timeline)["alarms"] == ["second_of_minute"]
    minutes = said(timeline, authenticity=Authenticity("minute"))
    assert minutes["alarms"] == []
    assert {row["state"] for row in minutes["checks"] if row["check"] != "volume_break"} == {"not examined"}


def test_one_script_among_many_people_counts_once() -> None:
    script = [
        event("core_action", instant(8) + minute * 60 * SECOND, user="cron", feature="sync") for minute in range(1, 300)
    ]
    timeline = visiting(250, 9)
    found = said([*timeline[:-1], *script, tick(instant(9, 1))])
    assert found["alarms"] == []
    assert found["people"] == 251


def test_it_is_examined_again_when_a_day_is_over_or_something_has_come_and_not_else() -> None:
    worker = played(visiting(20, 3), given=world())
    read_side, product = ReadSide(worker.world), worker.world.product

    def examined() -> Json:
        read_side.take(worker.sent)
        worker.sent.clear()
        return read_side.partials.authenticity(product)

    first = examined()
    worker.given(tick(instant(3, 5)))
    assert examined() is first
    worker.given(tick(instant(4, 5)))
    assert examined()["day"] == date_of(FIRST_DAY + 3)
    worker.given(event("session_started", instant(4, 6, 0.5), user="new"))
    assert examined()["people"] == first["people"] + 1

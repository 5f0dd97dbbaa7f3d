"""What a partition does with records that are wrong, misplaced or late; and that their neighbours never notice."""

import pytest

from models import facts as changes
from models.closing import score_on
from models.events import TaskFailed
from models.record import ORIGIN, ORIGINAL_TIME
from tests.core.reading import BEFORE_THE_PARTITION_ROW, end_of, played
from tests.support.build import (
    FIRST_DAY,
    KAFKA_TIME,
    Worker,
    encoded,
    event,
    instant,
    place,
    reasons,
    rebuilt,
    sums_of,
    tick,
)

pytestmark = pytest.mark.core

HALVES = place(2)
HOME, AWAY = (next(name for name in ("acme", "bolt", "chip", "dune") if HALVES(name) == number) for number in (0, 1))
"""An account of partition 0 of two, and one of partition 1."""


# -- a fault of ours -----------------------------------------------------------------------------------------------


def test_an_event_that_our_own_code_fails_on_is_a_dead_letter_and_its_neighbours_are_intact(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def half_way(row: changes.Row, at: int, given: TaskFailed) -> None:
        row.tasks.clear()
        raise ZeroDivisionError("ann@example.com")

    monkeypatch.setitem(changes.CHANGES, TaskFailed, half_way)
    before, bad, after = (
        event("task_started", instant(0, 1), task="1"),
        event("task_failed", instant(0, 2), task="1"),
        event("task_completed", instant(0, 3), task="1"),
    )
    worker = Worker()
    worker.given(before, bad, after)
    assert worker.dead_letters() == [(encoded(bad), "internal_error")]
    assert b"example.com" not in dict(worker.sent[0].headers or [])["detail"]
    alone = Worker()
    alone.given(before, after)
    assert worker.facts() == alone.facts()
    assert worker.snapshot()["quality"]["refused"] == {"internal_error": 1}


def test_a_dead_letter_is_the_original_bytes_with_where_they_came_in() -> None:
    worker = Worker()
    worker.given(event("session_started"), b'{"broken', topic=1)
    letter = next(sent for sent in worker.sent if sent.topic == "dead-letters" and sent.value == b'{"broken')
    headers = {name: value.decode() for name, value in letter.headers or []}
    assert headers.pop("detail")
    assert headers == {"topic": "help-events", "partition": "0", "offset": "1", "reason": "datatype_mismatch"}
    assert reasons(worker.dead_letters()) == {"unplanned_event": 1, "datatype_mismatch": 1}


def test_a_task_of_no_journey_is_refused() -> None:
    worker = Worker()
    worker.given(event("task_started", task="4"))
    assert [reason for _, reason in worker.dead_letters()] == ["out_of_range"]
    assert not worker.facts()


# -- a record in the wrong partition -------------------------------------------------------------------------------


def test_a_misplaced_record_is_sent_on_with_its_origin_and_time_and_counts_where_it_is_applied() -> None:
    stray = event("session_started", instant(0, 1), account=AWAY)
    wrong, right = Worker(partitions=2), Worker(number=1, partitions=2)
    wrong.given(stray)
    (sent,) = [one for one in wrong.sent if one.topic == "product-events"]
    assert (sent.partition, sent.key, sent.value) == (1, AWAY.encode(), encoded(stray))
    assert dict(sent.headers or []) == {ORIGIN: b"product-events/0/0", ORIGINAL_TIME: str(KAFKA_TIME).encode()}
    right.given(sent.value, headers=sent.headers)
    assert right.row(account=AWAY).accepted == 1
    assert (wrong.snapshot()["quality"]["accepted"], right.snapshot()["quality"]["accepted"]) == (0, 1)


def test_one_that_is_misplaced_again_is_a_dead_letter() -> None:
    worker = Worker(partitions=2)
    worker.given(event("session_started", account=AWAY), headers=[(ORIGIN, b"product-events/1/7")])
    assert [reason for _, reason in worker.dead_letters()] == ["wrong_partition"]
    assert not [one for one in worker.sent if one.topic == "product-events"]


def test_a_record_that_was_sent_on_is_judged_by_when_it_first_came() -> None:
    early = instant(1) // 1000
    headers = [(ORIGIN, b"product-events/1/7"), (ORIGINAL_TIME, str(early).encode())]
    worker = Worker(partitions=2)
    worker.given(event("session_started", instant(3), account=HOME), headers=headers)
    assert [reason for _, reason in worker.dead_letters()] == ["implausible_time"]


def test_a_misplaced_record_read_again_is_sent_on_again_and_counted_once() -> None:
    stray = event("session_started", account=AWAY)
    worker = Worker(partitions=2)
    worker.given(stray)
    again = Worker(rows=worker.rows, partitions=2)
    again.given(stray)
    assert len([one for one in again.sent if one.topic == "product-events"]) == 1
    assert again.snapshot()["quality"]["forwarded"] == 1


# -- late events ---------------------------------------------------------------------------------------------------

PUNCTUAL = event("session_started", instant(0, 12))
LATE = event("session_started", instant(0, 13), user="bob")


def test_a_late_event_is_counted_changes_its_row_and_no_closed_day() -> None:
    worker = Worker()
    worker.given(PUNCTUAL, tick(instant(2)))
    closed = worker.row(user=None).closes
    assert score_on(closed, FIRST_DAY) is not None
    worker.given(LATE, tick(instant(2, 0.5)))
    assert worker.row("bob").accepted == 1
    assert worker.row(user=None).closes == closed
    assert worker.snapshot()["quality"]["late"] == 1


def test_an_event_within_the_lateness_is_not_late() -> None:
    worker = Worker()
    worker.given(PUNCTUAL, tick(instant(1, 0.9)), LATE, tick(instant(2)))
    assert worker.snapshot()["quality"]["late"] == 0


def test_late_event_and_closing_tick_in_one_batch_and_a_death_before_the_partition_row() -> None:
    """Behind the tick that closes the day, it does not change how the day closes, not even when that is done again."""
    timeline = [PUNCTUAL, tick(instant(2)), LATE, tick(instant(3)), tick(instant(9))]
    whole = played(timeline)
    assert whole.snapshot()["quality"]["late"] == 1
    for step in range(3):
        crashed = played(timeline, (), {0: BEFORE_THE_PARTITION_ROW._replace(step=step)})
        assert end_of(crashed) == end_of(whole)


def test_a_late_event_read_again_after_a_crash_is_counted_once() -> None:
    timeline = [PUNCTUAL, tick(instant(2)), LATE]
    for step in range(2):
        crashed = played(timeline, (), {0: BEFORE_THE_PARTITION_ROW._replace(step=step)})
        assert crashed.snapshot()["quality"]["late"] == 1


def test_the_days_of_an_account_begin_with_its_first_event() -> None:
    """A day that closes before anything is known of an account has no close of it, whichever topic is read first."""
    first = event("churned", instant(3))
    ticks = [tick(instant(day)) for day in (1, 2, 3)]
    for sizes in ([], [1], [3], [5], [9]):
        worker = played([*ticks, first, tick(instant(4)), tick(instant(5)), tick(instant(9))], sizes)
        assert score_on(worker.row(user=None).closes, FIRST_DAY + 2) is None, sizes


def test_a_member_who_comes_back_does_not_change_days_before_it_whichever_topic_is_read_first() -> None:
    daily = [[event("session_started", instant(day, 1)), tick(instant(day + 1))] for day in range(8)]
    daily[0].insert(0, event("member_added", instant(0, 1), user="bob"))
    daily[1].insert(0, event("member_removed", instant(1, 1), user="bob"))
    daily[3].insert(0, event("member_added", instant(3, 1), user="bob"))
    timeline = [*[one for day in daily for one in day], tick(instant(12))]
    in_step = played(timeline, [1] * 40)
    assert played(timeline).row(user=None).closes == in_step.row(user=None).closes


def test_what_time_changes_is_read_again_also_in_a_row_that_was_only_used_meanwhile() -> None:
    """The task becomes overdue in the batch that also brings a session of the same user."""
    worker = Worker()
    worker.given(event("trial_started", instant(0)), event("task_started", instant(0), task="1"), tick(instant(0, 12)))
    worker.given(event("session_started", instant(1, 1)), tick(instant(1, 2)))
    assert worker.snapshot()["funnel"]["getting-started"]["tasks"]["1"]["stuck"] == 1
    assert sums_of(worker.partition) == sums_of(rebuilt(worker))

"""Source topics are read in step: one that is far ahead waits, and the end is the same whichever it is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.events import SOURCES
from tests.core.generated import intervals
from tests.core.reading import TWO_EXPERIMENTS, end_of, played
from tests.support.build import Json, Worker, checked, event, instant, records, tick

pytestmark = pytest.mark.core


def by_topic(timeline: list[Json]) -> list[list[tuple]]:
    """The records of each topic by themselves."""
    placed = records(timeline)
    return [[one for one in placed if one[0] == topic] for topic in range(len(SOURCES))]


def month() -> list[Json]:
    daily = [[event("session_started", instant(day, 1)), event("ticket_opened", instant(day, 2), ticket="t"),
              event("renewed", instant(day, 3), mrr=day), tick(instant(day + 1))] for day in range(30)]  # fmt: skip
    return [one for day in daily for one in day]


@pytest.mark.parametrize("ahead", range(3))
def test_a_topic_far_ahead_waits_unacknowledged_for_the_others(ahead: int) -> None:
    topics = by_topic(month())
    worker = Worker()
    worker.take(topics[ahead])
    assert worker.acknowledged == []
    assert worker.alignment.waiting(ahead)
    assert worker.row().accepted <= 3
    for topic in {0, 1, 2} - {ahead}:
        worker.take(topics[topic])
    assert not any(map(worker.alignment.waiting, range(3)))
    assert sorted(worker.acknowledged) == [0, 1, 2]
    assert end_of(worker) == end_of(played(month(), given=worker.world))


def test_topics_at_the_same_hour_do_not_wait() -> None:
    worker = Worker()
    worker.given(event("session_started", instant(0, 1)), tick(instant(1)), event("churned", instant(1, 1)))
    assert not any(map(worker.alignment.waiting, range(3)))
    assert worker.row().accepted == 2


@given(intervals(days=8, each=4), st.permutations(range(3)))
@checked(40)
def test_the_order_in_which_whole_topics_come_does_not_matter(by_interval: list[list[Json]], order: list[int]) -> None:
    timeline = [one for interval in by_interval for one in interval]
    topics = by_topic(timeline)
    worker = Worker(TWO_EXPERIMENTS)
    for topic in order:
        worker.take(topics[topic])
    assert end_of(worker) == end_of(played(timeline, [1] * len(records(timeline))))

"""Batches, crashes, repeats and order of arrival: whatever happens on the way, the same facts and snapshot."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.snapshot import HORIZON, canonical
from models.world import World
from tests.core.generated import MEMBERSHIP, intervals, shuffled
from tests.core.reading import (
    BEFORE_THE_ACKNOWLEDGEMENT,
    BEFORE_THE_PARTITION_ROW,
    NOTHING_WRITTEN,
    OF_CONVERSION,
    ONLY_OUTPUTS,
    TWO_EXPERIMENTS,
    Crash,
    counted,
    end_of,
    played,
)
from tests.support.build import (
    Json,
    Worker,
    checked,
    event,
    in_batches,
    instant,
    place,
    rebuilt,
    records,
    snapshot,
    sums_of,
    tick,
)

pytestmark = pytest.mark.core

Sizes = st.lists(st.integers(1, 12), max_size=12)
Crashes = st.dictionaries(
    st.integers(0, 12),
    st.one_of(
        st.sampled_from([NOTHING_WRITTEN, ONLY_OUTPUTS, BEFORE_THE_PARTITION_ROW, BEFORE_THE_ACKNOWLEDGEMENT]),
        st.builds(Crash, st.floats(0, 1), st.floats(0, 1), st.just(False), st.integers(0, 2)),
    ),
    min_size=1,
    max_size=3,
)
UNWANTED = [
    event("task_started", instant(0, 1), task="no such task"),
    event("task_started", instant(-10_000), task="1"),
    {"type": "page", "messageId": "m", "userId": "ann", "timestamp": "2026-05-05T10:00:00Z"},
]


def flat(by_interval: list[list[Json]]) -> list[Json]:
    return [one for interval in by_interval for one in interval]


@st.composite
def timelines(draw: st.DrawFn, late: bool = False, without: frozenset[str] = frozenset()) -> list[Json]:
    """Intervals with a few records among them that are refused or ignored."""
    found = draw(intervals(days=6, each=5, late=late, without=without))
    for interval in found:
        interval[:0] = draw(st.lists(st.sampled_from(UNWANTED), max_size=1))
    return flat(found)


@given(timelines(), Sizes)
@checked(40)
def test_any_batch_sizes_give_the_same_end(timeline: list[Json], sizes: list[int]) -> None:
    assert end_of(played(timeline, sizes)) == end_of(played(timeline))


@given(timelines(without=MEMBERSHIP), Sizes, Crashes)
@checked(60)
def test_a_worker_may_die_anywhere(timeline: list[Json], sizes: list[int], crashes: dict[int, Crash]) -> None:
    assert end_of(played(timeline, sizes, crashes)) == end_of(played(timeline, sizes))


@given(timelines(), Sizes, Crashes)
@checked(40)
def test_a_worker_may_die_anywhere_while_members_come_and_go(
    timeline: list[Json], sizes: list[int], crashes: dict[int, Crash]
) -> None:
    assert end_of(played(timeline, sizes, crashes)) == end_of(played(timeline, sizes))


@given(timelines(late=True, without=MEMBERSHIP), Sizes, Crashes)
@checked(60)
def test_a_worker_may_die_anywhere_with_late_events(
    timeline: list[Json], sizes: list[int], crashes: dict[int, Crash]
) -> None:
    assert end_of(played(timeline, sizes, crashes)) == end_of(played(timeline, sizes))


@given(st.data())
@checked(40)
def test_any_order_of_arrival_between_two_ticks_gives_the_same_end(data: st.DataObject) -> None:
    before = data.draw(intervals(days=5))
    other = [shuffled(data.draw, interval) for interval in before]
    sizes = data.draw(Sizes)
    assert end_of(played(flat(other), sizes)) == end_of(played(flat(before)))


@given(intervals(days=5), st.randoms(use_true_random=False))
@checked(40)
def test_events_sent_twice_change_nothing(by_interval: list[list[Json]], chance: object) -> None:
    """A producer's retry repeats the id; it comes on a new offset, later in the same interval."""
    twice = []
    for interval in by_interval:
        *arrived, ending = interval
        repeats = [one for one in arrived if chance.random() < 0.5]  # ty: ignore
        twice.append([*arrived, *repeats, ending])
    assert end_of(played(flat(twice))) == end_of(played(flat(by_interval)))


def test_a_repeat_is_counted_as_one() -> None:
    once = event("task_completed", instant(0, 2), task="1")
    worker = played([once, once, once])
    assert (worker.row().accepted, worker.row().duplicates) == (1, 2)
    assert worker.snapshot()["quality"]["duplicate"] == 2


def test_ids_are_remembered_for_64_events_of_a_user_and_the_horizon_is_published() -> None:
    first = event("task_failed", instant(0, 1), task="1")
    others = [event("session_started", instant(0, 2)) for _ in range(64)]
    recognised = played([first, *others[:63], first])
    forgotten = played([first, *others, first])
    assert (recognised.row().tasks["1"].failures, recognised.row().duplicates) == (1, 1)
    assert (forgotten.row().tasks["1"].failures, forgotten.row().duplicates) == (2, 0)
    assert forgotten.snapshot()["quality"]["deduplication"] == HORIZON and " 64 " in HORIZON


def test_two_users_may_use_the_same_event_id() -> None:
    worker = played([event("session_started", user=user, id="same") for user in ("ann", "bob")])
    assert worker.snapshot()["quality"]["accepted"] == 2


@given(intervals(days=5), st.integers(2, 4))
@checked(40)
def test_many_partitions_merged_are_one_partition(by_interval: list[list[Json]], partitions: int) -> None:
    timeline = flat(by_interval)
    workers = [Worker(TWO_EXPERIMENTS, number=number, partitions=partitions) for number in range(partitions)]
    for worker in workers:
        home = [one for one in timeline if one["type"] == "tick"
                or place(partitions)(one["account_id"]) == worker.partition.number]  # fmt: skip
        worker.take(records(home))
    whole = played(timeline)
    together: dict[bytes, bytes] = {}
    for worker in workers:
        together |= worker.facts()
    merged = snapshot(*workers)
    assert together == whole.facts()
    assert counted(merged) == counted(whole.snapshot())
    assert end_of(whole)["snapshot"] == canonical(merged)


@pytest.mark.parametrize("asking", [TWO_EXPERIMENTS, OF_CONVERSION], ids=["every kind of metric", "conversion only"])
@given(timelines(late=True), Sizes)
@checked(40)
def test_the_sums_equal_a_full_recount_after_every_batch(asking: World, timeline: list[Json], sizes: list[int]) -> None:
    worker = Worker(asking)
    for batch in in_batches(records(timeline), sizes):
        worker.take(batch)
        assert sums_of(worker.partition) == sums_of(rebuilt(worker))


@given(timelines(), Sizes, Crashes)
@checked(40)
def test_nothing_that_arrived_is_missing_from_the_count(
    timeline: list[Json], sizes: list[int], crashes: dict[int, Crash]
) -> None:
    quality = counted(played(timeline, sizes, crashes).snapshot())
    arrived = Counter("page" if one["type"] == "page" else "refused" if one in UNWANTED else "accepted"
                      for one in timeline if one["type"] != "tick")  # fmt: skip
    assert quality["accepted"] == arrived["accepted"] - repeated(timeline)
    assert sum(quality["refused"].values()) == arrived["refused"]
    assert sum(quality["ignored"].values()) == arrived["page"]


def repeated(timeline: list[Json]) -> int:
    """How many accepted events of a timeline carry an id that came before (generated ones never do)."""
    ids = [one["id"] for one in timeline if one["type"] not in ("tick", "page") and one not in UNWANTED]
    return len(ids) - len(set(ids))


def test_a_score_is_sent_again_after_a_crash_under_the_same_id() -> None:
    timeline = [event("session_started", instant(0, 1)), tick(instant(1))]
    whole, crashed = played(timeline, [1]), played(timeline, [1], {0: ONLY_OUTPUTS})
    ids = [score["score_id"] for score in crashed.to("account-scores")]
    assert len(ids) == len(set(ids)) + 1
    assert set(ids) == {score["score_id"] for score in whole.to("account-scores")}


@given(timelines(without=MEMBERSHIP), Sizes, Crashes, st.data())
@checked(40)
def test_a_worker_may_die_anywhere_while_people_are_forgotten(
    timeline: list[Json], sizes: list[int], crashes: dict[int, Crash], data: st.DataObject
) -> None:
    for number in range(data.draw(st.integers(1, 2))):
        account, user = data.draw(st.sampled_from(["acme", "bolt"])), data.draw(st.sampled_from(["ann", None]))
        person = {"user_id": user} if user else {}
        forget = {"id": f"f{number}", "type": "forget", "at": "2026-05-05T00:00:00Z", "account_id": account, **person}
        timeline = [*timeline]
        timeline.insert(data.draw(st.integers(0, len(timeline))), forget)
    assert end_of(played(timeline, sizes, crashes)) == end_of(played(timeline, sizes))


def test_what_was_told_of_somebody_forgotten_is_told_no_more_also_if_the_worker_dies_over_it() -> None:
    """The ticket's area has been sent; the worker dies when the rows are gone and nothing has been sent of that."""
    timeline = [
        tick(instant(1)),
        event("ticket_opened", instant(1), account="bolt", ticket="board", area="billing"),
        tick(instant(2)),
        tick(instant(6)),
        {"id": "f", "type": "forget", "at": "2026-05-05T00:00:00Z", "account_id": "bolt", "user_id": "ann"},
    ]
    crashed = end_of(played(timeline, [], {0: Crash(0.0, 1.0, False, 1)}))
    assert crashed == end_of(played(timeline, []))
    assert crashed["snapshot"]["education"]["tickets"]["areas"] == {}

"""Days closed in slices: whatever the size of a slice, and wherever a worker dies in between, the days end alike."""

from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.clock import DAY, HOUR
from models.health.example import decode_example
from models.health.features import features_of
from models.product import WEEKDAYS, Health, Label
from models.rows import partition_key
from models.working import PARTITION_ROWS, SNAPSHOT_ROWS
from models.world import World
from tests.core.generated import KINDS, hours, one_event
from tests.core.reading import PLANS, Crash, end_of, played
from tests.support.build import (
    FIRST_DAY,
    T0,
    Json,
    Rec,
    Worker,
    checked,
    encoded,
    event,
    in_batches,
    instant,
    place,
    rebuilt,
    records,
    sums_of,
    tick,
    world,
)

pytestmark = pytest.mark.core

ONE_WEEK = world(label=Label(horizon_days=7, unscored_days=2))
"""A label that is known after a week. The tests' first day is a Tuesday: weeks end on days 5, 12, 19."""
WHOLE = 10**9
Slices = st.sampled_from([1, 2, 30, WHOLE])
Sizes = st.lists(st.integers(1, 30), max_size=12)
Crashes = st.dictionaries(
    st.integers(0, 12),
    st.builds(Crash, st.floats(0, 1), st.floats(0, 1), st.just(False), st.integers(0, 12))
    | st.builds(Crash, st.just(1), st.just(1), st.booleans(), st.integers(0, 12)),
    min_size=1,
    max_size=3,
)


def sliced(size: int) -> Any:
    """While this lasts, others have their turn after so much work."""
    return patch("models.days.SLICE", size)


@st.composite
def timelines(draw: st.DrawFn) -> list[Json]:
    """Some weeks in which now and then something comes, late enough for labels; with days on which no clock ticks."""
    found: list[Json] = []
    for day in range(draw(st.integers(14, 22))):
        at = hours(T0 + day * DAY, T0 + day * DAY + 23 * HOUR)
        found += draw(st.lists(one_event(at, [*KINDS, *["churned"] * 6]), max_size=2))
        if draw(st.integers(0, 4)):
            found.append(tick(instant(day + 1, 1)))
    return [*found, tick(instant(30))]


def said(worker: Worker) -> dict[str, Any]:
    """All that has to be the same however days are sliced: facts and closes, the page, examples, what waits."""
    worker.take([])  # what was sent last need not be kept
    return {**end_of(worker), "waiting": worker.waiting(), "marker": max(worker.markers()),
            "examples": {key: set(values) for key, values in worker.examples().items()},
            "scores": {one["account_id"]: unnamed(one) for one in worker.to("account-scores")}}  # fmt: skip


def unnamed(score: Json) -> Json:
    """What a score says. Its id and causes depend on what came in the same step, and days in a band on when it was
    said: since when the account is in it does not."""
    return {name: value for name, value in score.items() if name not in ("score_id", "causes", "at", "days_in_band")}


@given(timelines(), Sizes, Slices)
@checked(40)
def test_slices_of_any_size_give_the_same_closes_examples_and_scores(
    timeline: list[Json], sizes: list[int], size: int
) -> None:
    with sliced(size):
        cut = played(timeline, sizes, given=ONE_WEEK)
    whole = played(timeline, given=ONE_WEEK)
    assert said(cut) == said(whole)
    assert all(len(values) == 1 for values in cut.examples().values())
    assert sums_of(cut.partition) == sums_of(rebuilt(cut))


@given(timelines(), Sizes, Slices, Crashes)
@checked(60)
def test_a_worker_may_die_in_the_middle_of_a_close(
    timeline: list[Json], sizes: list[int], size: int, crashes: dict[int, Crash]
) -> None:
    with sliced(size):
        crashed = played(timeline, sizes, crashes, given=ONE_WEEK)
    assert said(crashed) == said(played(timeline, given=ONE_WEEK))
    assert all(len(set(values)) == 1 for values in crashed.examples().values()), "sent again with equal bytes"


@given(timelines(), Slices)
@checked(25)
def test_three_partitions_send_the_examples_of_one(timeline: list[Json], size: int) -> None:
    workers = [Worker(ONE_WEEK, number=number, partitions=3) for number in range(3)]
    with sliced(size):
        for worker in workers:
            home = [one for one in timeline if one["type"] == "tick"
                    or place(3)(one["account_id"]) == worker.partition.number]  # fmt: skip
            worker.take(records(home))
    whole = played(timeline, given=ONE_WEEK)
    together: dict[Any, Any] = {}
    for worker in workers:
        together |= worker.examples()
        assert max(worker.markers()) == max(whole.markers()), "also of a partition that has no account"
    assert together == whole.examples()


@given(timelines(), st.integers(1, 30))
@checked(25)
def test_nothing_is_acknowledged_and_no_clock_stored_before_a_day_is_finished(timeline: list[Json], size: int) -> None:
    worker = Worker(ONE_WEEK)
    with sliced(size):
        for placed in records(timeline):
            before = len(worker.acknowledged)
            for effects in worker.steps([placed]):
                worker.store(effects)
                if worker.partition.days.unfinished:
                    assert effects.partition_row is None
                    assert len(worker.acknowledged) == before
                assert stored_day(worker) <= max(worker.markers(), default=-1), "closed without its marker"


def stored_day(worker: Worker) -> int:
    """The last day that is stored as closed."""
    value = worker.rows.get(partition_key(0))
    return -1 if value is None else PARTITION_ROWS.decode(value)[0].closed_day


@given(timelines(), st.integers(1, 30), st.integers(0, 40))
@checked(25)
def test_plans_may_be_published_between_slices(timeline: list[Json], size: int, when: int) -> None:
    planned = World(ONE_WEEK.product, world(*PLANS).plans)
    worker, step = Worker(ONE_WEEK), 0
    with sliced(size):
        for batch in in_batches(records(timeline), [20] * 10):
            for effects in worker.steps(batch):
                worker.store(effects)
                if step == when:
                    worker.store(worker.partition.with_plans(planned, list(worker.rows.items())))
                    worker.world = planned
                step += 1
    whole = played(timeline, given=planned if step > when else ONE_WEEK)
    assert said(worker) == said(whole)


# -- single cases --------------------------------------------------------------------------------------------------

VISITS = [event("session_started", instant(day, 12), account=account) for day in (0, 3) for account in ("acme", "bolt")]


def ticked(day: float, *topics: int, offset: int) -> list[tuple[int, Rec]]:
    return [(topic, Rec(offset, b"", encoded(tick(instant(day))))) for topic in topics]


def test_a_topic_that_runs_ahead_with_the_tick_that_closes_days_holds_none_of_them_up() -> None:
    """Two topics are at day 10, the third goes from day 1 to day 20: nothing more of it may be taken, days close."""
    worker = Worker(ONE_WEEK)
    worker.take(records(VISITS))
    with sliced(1):
        worker.take(ticked(1, 0, 1, 2, offset=100))
        worker.take([*ticked(2, 0, 1, offset=101), *ticked(10, 0, 1, offset=102)])
        worker.take(ticked(20, 2, offset=101))
    assert not worker.partition.days.unfinished
    assert stored_day(worker) == FIRST_DAY + 8


def test_a_snapshot_is_what_was_known_and_its_example_says_what_became_of_it() -> None:
    worker = played([*VISITS, tick(instant(6, 1))], given=ONE_WEEK)
    (snapshot,) = [SNAPSHOT_ROWS.decode(value)[0] for key, value in worker.waiting().items() if key.endswith(b":acme")]
    acme = worker.partition.ledger.sums.accounts["acme"]
    assert snapshot.features == features_of(acme, FIRST_DAY + 5)
    worker.given(event("churned", instant(8), user=None), tick(instant(12, 1)))
    assert not worker.examples(), "known early, and not learned early"
    worker.given(tick(instant(13, 1)))
    (sent,) = worker.examples()["acme", FIRST_DAY + 5]
    example = decode_example(sent)
    assert (example.release, example.label, example.scored) == (FIRST_DAY + 12, True, True)
    assert example.features == snapshot.features
    worker.take([])
    assert f"s{FIRST_DAY + 5}:acme".encode() not in worker.rows


def test_an_example_is_not_lost_when_rows_were_written_and_it_was_not() -> None:
    """Outputs and rows are written side by side: a snapshot goes only when its example is known to have come."""
    timeline = [*VISITS, tick(instant(6, 1)), tick(instant(13, 1)), tick(instant(14, 1))]
    crashed = played(timeline, [7], {1: Crash(outputs=0, rows=1)}, given=ONE_WEEK)
    assert ("acme", FIRST_DAY + 5) in crashed.examples()


def test_snapshots_whose_examples_have_been_sent_go_at_the_next_start_at_the_latest() -> None:
    worker = played([*VISITS, tick(instant(6, 1)), tick(instant(13, 1))], given=ONE_WEEK)
    key = f"s{FIRST_DAY + 5}:acme".encode()
    assert key in worker.rows and worker.examples()["acme", FIRST_DAY + 5]
    successor = worker.restarted()
    successor.take([])
    assert sorted(successor.rows.keys() ^ worker.rows.keys()) == [key, f"s{FIRST_DAY + 5}:bolt".encode()]


@pytest.mark.parametrize("week_ends_on", WEEKDAYS)
def test_what_waits_at_a_start_is_kept_on_whichever_day_weeks_end(week_ends_on: Any) -> None:
    given = world(label=Label(horizon_days=9, unscored_days=2), health=Health(week_ends_on=week_ends_on))
    worker = Worker(given)
    worker.given(*VISITS)
    for day in range(6, 40):
        worker.given(tick(instant(day, 1)))
        gone = {key for key, value in worker.restarted().partition.ledger.pending.items() if value is None}
        assert gone <= {f"s{taken}:{account}".encode() for account, taken in worker.examples()}, day
    assert worker.examples() and worker.waiting()


def test_a_tick_read_beside_a_close_that_a_worker_died_in_is_read_again() -> None:
    """It is in the partition's row, which is stored behind the close: so its batch may not be acknowledged before."""
    timeline = [*VISITS, tick(instant(13, 1))]
    with sliced(1):
        crashed = played(timeline, [], {0: Crash(1, 1, step=3)}, given=ONE_WEEK)
    assert crashed.partition.book.now == instant(13, 1)
    assert stored_day(crashed) == FIRST_DAY + 12


@pytest.mark.parametrize("day", [4.5, 5.5, 6.5, 11.5, 12.5])
def test_with_an_account_its_snapshots_are_forgotten(day: float) -> None:
    forget = {"id": "f", "type": "forget", "at": "2026-05-05T00:00:00Z", "account_id": "acme"}
    days = [tick(instant(number, 1)) for number in range(1, 30)]
    before, after = days[: round(day)], days[round(day) :]
    worker = played([*VISITS, *before, forget, *after], given=ONE_WEEK)
    assert not [key for key in worker.rows if b"acme" in key]
    assert ("bolt", FIRST_DAY + 5) in worker.examples()
    assert all(released <= FIRST_DAY + day for account, released in worker.examples() if account == "acme")


def test_of_a_user_forgotten_the_accounts_snapshots_stay() -> None:
    """What was known of the account is not the user's; it holds no name."""
    both = [event("session_started", instant(1), user=user) for user in ("ann", "bob")]
    forget = {"id": "f", "type": "forget", "at": "2026-05-05T00:00:00Z", "account_id": "acme", "user_id": "ann"}
    worker = played([*both, tick(instant(7)), forget, tick(instant(14))], given=ONE_WEEK)
    assert ("acme", FIRST_DAY + 5) in worker.examples()


def test_a_late_write_of_a_snapshot_of_somebody_forgotten_is_removed_at_the_next_start() -> None:
    forget = {"id": "f", "type": "forget", "at": "2026-05-05T00:00:00Z", "account_id": "acme"}
    worker = played([*VISITS, tick(instant(7))], given=ONE_WEEK)
    kept = worker.waiting()
    worker.given(forget)
    assert len(worker.waiting()) == 1
    worker.rows |= kept
    successor = worker.restarted()
    successor.given(tick(instant(8)))
    assert [key for key in successor.waiting() if key.endswith(b":acme")] == []


def test_a_stretch_in_which_nothing_moves_still_has_its_weeks() -> None:
    worker = played([*VISITS, tick(instant(7)), tick(instant(200))], given=ONE_WEEK)
    days = sorted(day - FIRST_DAY for account, day in worker.examples() if account == "acme")
    assert days == list(range(5, 188, 7))

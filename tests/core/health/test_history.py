"""An account's past told again: just what a partition knows that has been given only the events up to that day."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.clock import DAY
from models.events import Event, Forget
from models.events import instant as instant_of
from models.health.history import LATEST, AsOf, History
from tests.core.generated import hours, one_event
from tests.support.build import (
    FIRST_DAY,
    T0,
    Json,
    Placed,
    Rec,
    Worker,
    checked,
    decoded,
    encoded,
    event,
    instant,
    records,
    sums_of,
    world,
)

pytestmark = pytest.mark.core

DAYS = 12
PRODUCT = world().product


def forget(user: str | None = "ann") -> Json:
    return event("forget", instant(3), user=user)


@st.composite
def logs(draw: st.DrawFn) -> list[Json]:
    """What arrives of some accounts in any order of time: some of it twice, some wrong, now and then a forget."""
    found = draw(st.lists(one_event(hours(T0, T0 + DAYS * DAY)), min_size=1, max_size=40))
    found += draw(st.lists(st.sampled_from(found), max_size=5))
    found += draw(st.lists(st.builds(forget, st.sampled_from(["ann", "bob", None])), max_size=1))
    found += draw(st.lists(st.sampled_from([event("task_started", task="no such"), event("session_started", 1)])))
    return draw(st.permutations(found))


def told(log: list[Json], since: int, day: int, account: str = "acme") -> History:
    """The history of the days, counted from the first day of the tests."""
    history = History(account, PRODUCT, FIRST_DAY + since, FIRST_DAY + day, recorded=True)
    for topic, record in records(log):
        history.take(topic, record)
    return history


def sums(partition: Any, account: str = "acme") -> Any:
    return sums_of(partition)["accounts"].get(account)


def by_partition(log: list[Json], day: int) -> Worker:
    """A worker that has been given what is of the day or before, and whom to forget."""
    worker = Worker(world())
    kept = [one for one in log if one["type"] == "forget" or instant_of(decoded(one).at) < T0 + (day + 1) * DAY]
    worker.take(records(kept))
    return worker


def held(of: AsOf) -> Any:
    of.settle()
    return sums(of)


@given(logs(), st.integers(0, DAYS), st.integers(0, DAYS))
@checked(150)
def test_the_account_is_what_a_partition_knows_that_is_given_only_that(log: list[Json], since: int, day: int) -> None:
    history = told(log, since, day)
    assert held(history.before) == sums(by_partition(log, since).partition)
    assert held(history.after) == sums(by_partition(log, day).partition)


@given(logs(), st.permutations(range(3)))
@checked(50)
def test_topics_may_be_read_one_after_the_other_in_any_order(log: list[Json], order: list[int]) -> None:
    history = History("acme", PRODUCT, FIRST_DAY + 4, FIRST_DAY + 9, recorded=True)
    for topic, record in sorted(records(log), key=lambda placed: order[placed[0]]):
        history.take(topic, record)
    alike = told(log, 4, 9)
    assert held(history.after) == held(alike.after)
    assert {kind: came.count for kind, came in history.came().items()} == {
        kind: came.count for kind, came in alike.came().items()
    }


@given(logs(), st.integers(0, 5), st.integers(6, DAYS))
@checked(100)
def test_what_came_between_the_days_is_counted_once_and_the_latest_is_named(
    log: list[Json], since: int, day: int
) -> None:
    history = told(log, since, day)
    first, last = T0 + (since + 1) * DAY, T0 + (day + 1) * DAY
    left = between(log, first, last)
    assert {kind: came.count for kind, came in history.came().items()} == {
        kind: len(events) for kind, events in left.items()
    }
    for kind, came in history.came().items():
        times = sorted((instant_of(one.at) for one in left[kind].values()), reverse=True)
        assert [named.at for named in came.latest] == times[:LATEST]
        assert all(instant_of(left[kind][named.id].at) == named.at for named in came.latest)


def between(log: list[Json], first: int, last: int) -> dict[str, dict[str, Event]]:
    """Type -> id -> event of acme in [first, last), of those who are not to be forgotten, without what is refused."""
    events = [decoded(one) for one in log if one["account_id"] == "acme"]
    gone = {one.user_id for one in events if isinstance(one, Forget)}
    found: dict[str, dict[str, Event]] = {}
    for one in events:
        kept = None not in gone and (one.user_id is None or one.user_id not in gone)
        task = getattr(getattr(one, "properties", None), "task", None)
        if kept and first <= instant_of(one.at) < last and task != "no such" and not isinstance(one, Forget):
            found.setdefault(str(one.__struct_config__.tag), {})[one.id] = one
    return found


def test_midnight_belongs_to_the_day_that_begins() -> None:
    log = [event("session_started", at) for at in (instant(2) - 1, instant(2), instant(4) - 1, instant(4))]
    history = told(log, 1, 3)
    assert history.before.account is not None and history.before.account.days == {FIRST_DAY + 1: 1}
    assert history.came()["session_started"].count == 2


def test_somebodys_first_event_is_known_as_such() -> None:
    log = [
        event("session_started", instant(1)), event("session_started", instant(6)),
        event("core_action", instant(6, 2), user="bob", feature="board"), event("lesson_started", instant(7), user="bob", lesson="x"),
        event("member_added", instant(8), user="cleo"), event("session_started", instant(5), user="dora"),
        event("session_started", instant(30), user="emil"), event("converted", instant(7), user=None),
    ]  # fmt: skip
    firsts = told(log, 4, 9).firsts()
    assert {kind: came.count for kind, came in firsts.items()} == {
        "core_action": 1, "member_added": 1, "session_started": 1,
    }  # fmt: skip


def test_of_somebody_forgotten_nothing_is_left_wherever_it_stands() -> None:
    visits = [event("session_started", instant(day), user=user) for day in (1, 6) for user in ("ann", "bob")]
    history = told([*visits, forget("ann"), event("lesson_started", instant(7), lesson="x")], 4, 9)
    assert {kind: came.count for kind, came in history.came().items()} == {"session_started": 1}
    assert history.after.account is not None and history.after.account.users_on(FIRST_DAY + 9) == 1
    history = told([*visits, forget(None)], 4, 9)
    assert (history.forgotten, history.after.account, history.came()) == (True, None, {})


def test_refused_records_are_counted_with_their_reasons() -> None:
    placed: list[Placed] = records([event("task_started", task="no such"), event("session_started", 1)])
    history = told([], 1, 2)
    for topic, record in [
        *placed,
        (0, Rec(9, b"acme", b"{")),
        (0, Rec(10, b"bolt", b"{")),
        (0, Rec(11, b"acme", None)),
    ]:
        history.take(topic, record)
    assert history.refused == {"out_of_range": 1, "implausible_time": 1, "datatype_mismatch": 2}
    assert history.after.account is None


@pytest.mark.parametrize("account", ["acme", "café", 'say "hi"', "a\\b"])
def test_what_is_of_the_account_is_recognised_before_it_is_read(account: str) -> None:
    history = told([], 1, 2, account)
    (_, ours), (_, others) = records(
        [event("session_started", account=account), event("session_started", account="bolt")]
    )
    raw = json.dumps(event("session_started", account=account), ensure_ascii=False).encode()
    assert history.may_concern(account.encode(), None)
    assert history.may_concern(b"another key", ours.value) and history.may_concern(None, raw)
    assert not history.may_concern(others.key, others.value) and not history.may_concern(None, None)


def test_long_histories_are_settled_on_the_way() -> None:
    """Ten thousand visits of a user: not one of the events is still held."""
    history = History("acme", PRODUCT, FIRST_DAY, FIRST_DAY + 400, recorded=True)
    for number in range(10_000):
        one = event("session_started", instant(number / 30), id=f"visit {number}")
        history.take(0, Rec(number, b"acme", encoded(one)))
    assert history.came()["session_started"].count == 10_000 - 30
    assert len(history.after.ledger.row_of("acme", "ann").applied) < 3_000

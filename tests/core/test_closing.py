"""Daily closes: what each day ended with, the change over a week, and a closed day told again later."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.bands import band_of
from models.clock import date_of
from models.closing import DAYS_BACK, change_over, score_on, with_close
from models.index import BANDS, inputs_of, score_of
from models.rows import Close
from tests.core.generated import MEMBERSHIP, intervals
from tests.core.reading import played
from tests.support.build import FIRST_DAY, Json, checked, event, instant, tick

pytestmark = pytest.mark.core

Scores = st.lists(st.integers(0, 10_000), min_size=1, max_size=40)


@given(Scores, st.lists(st.booleans(), max_size=40))
@checked(100)
def test_of_the_last_week_every_days_score_is_known_and_the_change_over_it(scores: list[int], same: list[bool]) -> None:
    told: list[int] = []
    closes: list[Close] = []
    for day, score in enumerate(scores):
        told.append(told[-1] if told and day < len(same) and same[day] else score)
        closes = with_close(closes, day, told[-1])
        for back in range(min(day, DAYS_BACK - 1) + 1):
            assert score_on(closes, day - back) == told[day - back]
        assert change_over(closes, day, 7) == (told[day] - told[day - 7] if day >= 7 else None)
        assert len(closes) <= DAYS_BACK + 2


@given(Scores)
@checked(50)
def test_the_band_of_a_close_follows_from_the_close_before(scores: list[int]) -> None:
    closes: list[Close] = []
    band = None
    for day, score in enumerate(scores):
        closes, band = with_close(closes, day, score), band_of(score, band, BANDS)
        assert closes[-1].band == band


@given(st.lists(st.tuples(st.integers(0, 10_000), st.sampled_from(["heuristic", "logistic"])), min_size=1, max_size=40))
@checked(100)
def test_a_band_holds_since_the_first_of_the_days_that_closed_in_it_by_the_same_kind(days: list) -> None:
    closes: list[Close] = []
    told: list[tuple[str, str]] = []
    for day, (score, kind) in enumerate(days):
        closes = with_close(closes, day, score, BANDS, kind)
        told.append((closes[-1].band, kind))
        since = next(back for back in range(day, -1, -1) if back == 0 or told[back - 1] != told[day])
        assert closes[-1].since == since


def test_a_close_that_does_not_say_since_when_counts_from_its_own_day() -> None:
    old = [Close(10, 5000, "watch")]
    assert with_close(old, 11, 5100)[-1] == Close(11, 5100, "watch", since=10)
    assert with_close(old, 11, 9000)[-1] == Close(11, 9000, "healthy", since=11)


def test_a_day_is_closed_once() -> None:
    closes = with_close([], 10, 5000)
    assert with_close(closes, 10, 9000) is closes
    assert with_close(closes, 9, 9000) is closes
    assert with_close(closes, 11, 5000) is closes, "nothing is added while nothing changes"


def test_a_day_closes_when_all_topics_have_ticked_past_it_and_the_lateness() -> None:
    first = event("session_started", instant(0, 12))
    assert played([first, tick(instant(1, 1) - 1)]).partition.book.row.closed_day < FIRST_DAY
    assert played([first, tick(instant(1, 1))]).partition.book.row.closed_day == FIRST_DAY


def test_closes_and_the_change_over_seven_days_are_said_with_the_score() -> None:
    visits = [event("session_started", instant(day, 12)) for day in (0, 1, 2, 9)]
    worker = played([*visits[:3], tick(instant(3, 1)), visits[3], tick(instant(10, 1))])
    account = worker.snapshot()["account:acme"]
    row = worker.row(user=None)
    assert account["close"]["score"] == row.closes[-1].score / 100
    week_ago = score_on(row.closes, FIRST_DAY + 2)
    assert week_ago is not None
    assert account["change_7d"] == (row.closes[-1].score - week_ago) / 100


def test_a_score_says_since_when_the_account_is_in_its_band() -> None:
    worker = played([event("session_started", instant(0, 12))])
    assert (worker.snapshot()["account:acme"]["band_since"], worker.to("account-scores")[-1]["days_in_band"]) == (
        None,
        None,
    )
    worker.given(*(tick(instant(day, 1)) for day in range(1, 20)))
    account = worker.snapshot()["account:acme"]
    fell = min(close.day for close in worker.row(user=None).closes if close.band == account["band"])
    assert account["band"] == "at_risk" and account["band_since"] == date_of(fell)
    assert account["days_in_band"] == FIRST_DAY + 19 - fell
    worker.given(*(event("session_started", instant(19, 12), user=f"user {number}") for number in range(9)))
    today = worker.snapshot()["account:acme"]
    assert today["close"]["band"] == "at_risk" != today["band"]
    assert (today["band_since"], today["days_in_band"]) == (date_of(FIRST_DAY + 19), 0), "in no close yet"


def told_again(timeline: list[Json]) -> None:
    """Every close that is kept is what the rows as they are now say of its day."""
    worker = played(timeline)
    for account_id, account in worker.partition.ledger.sums.accounts.items():
        for close in account.closes:
            assert close.score == score_of(inputs_of(account, close.day, 2.0)), (account_id, close)


@given(intervals(days=8, each=5, without=MEMBERSHIP))
@checked(60)
def test_a_closed_day_told_again_later_has_the_same_score(by_interval: list[list[Json]]) -> None:
    told_again([one for interval in by_interval for one in interval])


def test_a_closed_day_told_again_after_a_member_was_removed_and_came_back() -> None:
    told_again([
        event("session_started", instant(0, 1)), event("member_added", instant(0, 1), user="bob"), tick(instant(1)),
        event("member_removed", instant(1, 1), user="bob"), tick(instant(2)), tick(instant(3)), tick(instant(4)),
        event("member_added", instant(4, 1), user="bob"), tick(instant(5)), tick(instant(9)),
    ])  # fmt: skip


def test_an_account_closes_on_the_same_days_whoever_else_lives_on_its_partition() -> None:
    alone = [tick(instant(1)), tick(instant(2)), event("churned", instant(2, 1), account="bolt"), tick(instant(6))]
    together = [alone[0], event("session_started", instant(1, 1)), *alone[1:]]
    one, other = (played(timeline, [1] * 20).row(user=None, account="bolt") for timeline in (alone, together))
    assert one.closes == other.closes

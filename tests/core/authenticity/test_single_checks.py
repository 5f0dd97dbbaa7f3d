"""Each check by another route: scipy, pandas, or counting by hand; and what it says of data that it is meant for."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, expon, norm, poisson, spearmanr, uniform

from models.authenticity.clock import second_of_minute, sub_second
from models.authenticity.counters import Counters, counters_of
from models.authenticity.dependence import dispersion, own_pace
from models.authenticity.duplicates import duplicates
from models.authenticity.gaps import equal_gaps, gap_grid, gap_spread, gaps_of
from models.authenticity.habits import copied_people, same_time_of_day
from models.authenticity.observed import MISSING, Assigned, Dated, Events, Measure, Observed, Tasks
from models.authenticity.orders import before_joining, impossible_orders
from models.authenticity.rhythm import hours, weekdays
from models.authenticity.splits import exact_split, quota, stays_within
from models.authenticity.tables import contradictions
from models.authenticity.tails import tail_weight, tails
from models.authenticity.values import off_scale, terminal_digits
from models.authenticity.volume import even_volume, volume_break
from models.clock import DAY, HOUR, SECOND
from tests.support.build import checked
from tests.support.forgeries import MINUTE, MONDAY, lives

pytestmark = pytest.mark.core


def ints(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.int64)


def frame(events: Events) -> pd.DataFrame:
    return pd.DataFrame({"user": events.user, "at": events.at}).sort_values(["user", "at"])


# -- clocks, rhythm, duplicates ----------------------------------------------------------------------------------------


def test_a_second_that_is_too_common_is_named() -> None:
    at = MONDAY + np.r_[np.arange(1200), np.full(300, 7)] * SECOND
    found = second_of_minute(counters_of(Events(np.arange(1500), at)), SECOND)
    assert found.says == "of 1,500 events 320 fall on second 7, where an even clock makes 25.0; least are 20"
    assert found.effect == pytest.approx(np.sqrt(60 * ((320 / 1500 - 1 / 60) ** 2 + 59 * (20 / 1500 - 1 / 60) ** 2)))


def test_one_person_on_the_minute_is_no_broken_clock() -> None:
    draw = np.random.default_rng(1)
    people, script = draw.integers(0, 86_400, 1000), np.arange(500) * 60
    counters = counters_of(Events(np.r_[np.arange(1000), np.full(500, 1000)], MONDAY + np.r_[people, script] * SECOND))
    found = second_of_minute(counters, SECOND)
    assert found.beyond
    assert found.p > 0.05


def test_clocks_are_not_examined_where_times_are_coarser() -> None:
    counters = counters_of(lives(np.random.default_rng(1)))
    assert "not written to the second" in (second_of_minute(counters, MINUTE).because or "")
    assert "parts of a second" in (sub_second(counters, SECOND).because or "")
    assert "no hours" in (hours(counters, DAY).because or "")
    assert "two events" in (duplicates(counters, MINUTE).because or "")


def test_rhythm_is_told_by_its_extremes() -> None:
    counters = counters_of(lives(np.random.default_rng(1)))
    found, days = hours(counters, SECOND), weekdays(counters, SECOND)
    at = pd.to_datetime(lives(np.random.default_rng(1)).at, unit="us")
    share = pd.Series(at.hour).value_counts(normalize=True).reindex(range(24), fill_value=0)
    assert found.effect == pytest.approx(24 * ((share - 1 / 24) ** 2).sum())
    assert f"{share.max():.1%} fall on the busiest hour of the day (UTC) ({share.idxmax()})" in found.says
    assert "quietest (Sunday)" in days.says
    assert not found.beyond
    assert not days.beyond


def test_repeated_rows_are_counted_with_their_kind_and_value() -> None:
    user, at = np.arange(100), MONDAY + np.arange(100) * SECOND
    again = Events(np.r_[user, user], np.r_[at, at], np.r_[user * 0, user * 0 + 1])
    assert duplicates(counters_of(again), SECOND).effect == 0
    again = Events(np.r_[user, user], np.r_[at, at], np.r_[user * 0, user * 0])
    assert duplicates(counters_of(again), SECOND).effect == 0.5


# -- volume ------------------------------------------------------------------------------------------------------------


def daily(counts: list[int]) -> Counters:
    at = np.concatenate([MONDAY + day * DAY + np.arange(count) * SECOND for day, count in enumerate(counts)])
    return counters_of(Events(np.arange(len(at)), at))


def test_a_day_is_compared_with_its_weekday() -> None:
    weeks = [100, 104, 98, 101, 97, 40, 35] * 6
    assert not volume_break(daily(weeks), SECOND).beyond
    weeks[16] = 3
    found = volume_break(daily(weeks), SECOND)
    assert found.says.startswith("2026-05-20 has 3 events where its weekday usually has 98;")
    assert found.effect == pytest.approx(np.log2(99 / 4))
    assert found.p < 0.001


def test_the_day_on_which_a_recording_begins_is_not_compared() -> None:
    busy_mondays = [1000, 40, 40, 40, 40, 40, 40] * 6
    assert not volume_break(daily([90, *busy_mondays[1:]]), SECOND).beyond
    assert volume_break(daily([*busy_mondays[:7], 90, *busy_mondays[8:]]), SECOND).beyond


def test_silence_at_the_end_counts_once_it_is_known_how_far_was_recorded() -> None:
    counters = daily([100, 104, 98, 101, 97, 90, 95] * 6)
    last = max(counters.days)
    assert not volume_break(counters, SECOND).beyond
    assert not volume_break(counters, SECOND, until=last).beyond
    found = volume_break(counters, SECOND, until=last + 2)
    assert found.beyond
    assert "has 0 events" in found.says


def test_days_of_independent_events_are_as_uneven_as_poisson() -> None:
    draw = np.random.default_rng(1)
    found = even_volume(daily(draw.poisson(50, 400).tolist()), SECOND)
    assert found.effect == pytest.approx(1, abs=0.25)
    assert found.p > 0.9
    assert even_volume(daily([50, 51] * 20), SECOND).p < 1e-9


# -- gaps and habits ---------------------------------------------------------------------------------------------------


def test_gaps_are_those_of_pandas() -> None:
    once = lives(np.random.default_rng(1), people=100)
    events = Events(np.r_[once.user, once.user[::3]], np.r_[once.at, once.at[::3]])
    gaps = frame(events).groupby("user")["at"].diff().dropna()
    assert gaps_of(events).gap.tolist() == gaps[gaps > 0].astype(int).tolist()


def test_greenwoods_statistic_is_one_for_independent_instants_and_half_for_a_beat() -> None:
    draw = np.random.default_rng(1)
    at = draw.integers(0, 10**15, (2000, 7))
    who = np.repeat(np.arange(2000), 7)
    assert gap_spread(gaps_of(Events(who, at.ravel())), 1).effect == pytest.approx(1, abs=0.02)
    beat = np.arange(7) * HOUR + np.zeros((2000, 1), dtype=np.int64)
    assert gap_spread(gaps_of(Events(who, beat.ravel())), 1).effect == pytest.approx((6 + 1) / 2 / 6)


def test_gaps_on_a_grid_and_equal_gaps_are_counted() -> None:
    draw = np.random.default_rng(1)
    steps = draw.integers(1, 50, (100, 10)) * 5 * MINUTE
    at = draw.integers(0, DAY // SECOND, 100)[:, None] * SECOND + np.cumsum(steps, axis=1)
    gaps = gaps_of(Events(np.repeat(np.arange(100), 10), at.ravel()))
    found = gap_grid(gaps, SECOND)
    on = {row["x"]: row["observed"] for row in found.figure["rows"]}
    assert on["minute"] == on["five minutes"] == 1
    assert on["hour"] == pytest.approx((gaps.gap % HOUR == 0).mean())
    same = [abs(b - a) <= SECOND for person in range(100) for a, b in pairwise(gaps.gap[gaps.person == person])]
    assert equal_gaps(gaps, SECOND).effect == pytest.approx(np.mean(same))


def test_the_same_time_of_day_is_found_across_midnight() -> None:
    usual = np.r_[np.zeros(30), np.full(30, 12 * HOUR)].astype(np.int64)[:, None]
    # Every second midnight, in turn a minute before and after it: no day has two beginnings.
    at = MONDAY + np.arange(1, 11) * 2 * DAY + usual + np.where(np.arange(10) % 2, MINUTE, -MINUTE)
    assert same_time_of_day(Events(np.repeat(np.arange(60), 10), at.ravel()), SECOND).effect == 1
    free = same_time_of_day(lives(np.random.default_rng(1), mean=40), SECOND)
    assert free.effect is not None
    assert free.effect < 0.01


def test_copies_are_those_that_comparing_all_pairs_finds() -> None:
    draw = np.random.default_rng(2)
    events = lives(draw, people=150, mean=12)
    copied = np.flatnonzero(np.bincount(events.user) >= 5)[:7]
    rows = np.isin(events.user, copied)
    both = Events(
        np.r_[events.user, events.user[rows] + 150],
        np.r_[events.at, events.at[rows] + draw.integers(-20, 21, int(rows.sum())) * SECOND],
    )
    times = frame(both).groupby("user")["at"].apply(np.array)
    times = times[times.map(len) >= 5]

    def near(one: np.ndarray, other: np.ndarray) -> float:
        return float((np.abs(one[:, None] - other).min(axis=1) <= MINUTE).mean())

    alike = {
        a for a in times.index for b in times.index
        if a != b and near(times[a], times[b]) >= 0.8 and len(times[b]) <= len(times[a]) / 0.8
    }  # fmt: skip
    found = copied_people(both, SECOND)
    assert alike == {*copied, *(copied + 150)}
    assert found.effect == pytest.approx(len(alike) / len(times))


# -- splits ------------------------------------------------------------------------------------------------------------


def test_the_chance_of_a_split_is_a_sum_of_binomial_chances() -> None:
    arm = np.r_[np.zeros(303, dtype=np.int64), np.ones(697, dtype=np.int64)]
    found = exact_split(Assigned(np.arange(1000), arm, (0.3, 0.7)))
    assert found.p == pytest.approx(sum(binom.pmf(k, 1000, 0.3) for k in range(297, 304)))
    assert found.effect == pytest.approx(3 / np.sqrt(210))


def test_brownian_motion_stays_within_its_bounds_as_often_as_walks_do() -> None:
    draw = np.random.default_rng(1)
    walks = np.abs(np.cumsum(draw.choice([-1, 1], (4000, 2500)), axis=1)).max(axis=1) / 50
    for x in (0.6, 1.0, 1.5):
        assert stays_within(x + 0.5826 / 50) == pytest.approx(float((walks <= x).mean()), abs=0.025)
    assert stays_within(0.0) == 0
    assert stays_within(50.0) == pytest.approx(1)
    assert stays_within(1 - 1e-9) == pytest.approx(stays_within(1.0))


@pytest.mark.parametrize("shares", [(0.3, 0.7), (0.2, 0.3, 0.5)])
def test_coins_raise_the_quota_alarm_as_rarely_as_they_should(shares: tuple[float, ...]) -> None:
    draw, who = np.random.default_rng(3), np.arange(1000)
    coins = [Assigned(who, draw.choice(len(shares), 1000, p=shares), shares) for _ in range(500)]
    for check in (quota, exact_split):
        p_values = np.array([check(one).p for one in coins], dtype=float)
        assert np.mean(p_values <= 0.05) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 500)


def test_the_quotas_chance_allows_for_steps() -> None:
    draw, who = np.random.default_rng(4), np.arange(200)
    coins = [Assigned(who, (draw.random(200) < 0.7).astype(np.int64), (0.3, 0.7)) for _ in range(3000)]
    p_values = np.array([quota(one).p for one in coins], dtype=float)
    assert np.mean(p_values <= 0.2) == pytest.approx(0.2, abs=0.022)


def test_splits_of_unknown_shares_are_not_examined() -> None:
    arm = np.zeros(200, dtype=np.int64)
    for shares in ((0.5, 0.6), (np.nan, 0.5), (1.0,), (0.0, 1.0)):
        assert exact_split(Assigned(np.arange(200), arm, shares)).because == "the planned shares are not known"
    assert "no planned share" in (quota(Assigned(np.arange(200), arm + 2, (0.5, 0.5))).because or "")


# -- tails and dependence ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("law", "weight"), [(norm(), 0.1226), (uniform(), 0.0), (expon(), 1 / 3 + 1 / 6)], ids=["normal", "uniform", "exp"]
)
def test_tail_weight_is_hoskings_of_known_laws(law, weight: float) -> None:
    values = law.ppf((np.arange(200_000) + 0.5) / 200_000)
    assert tail_weight(values * 3 - 7) == pytest.approx(weight, abs=0.002)
    assert tail_weight(-values) == pytest.approx(weight, abs=0.002)


def test_the_lightest_series_is_named_and_scores_are_none() -> None:
    draw, who = np.random.default_rng(1), np.arange(800)
    measures = (
        Measure("minutes", "duration", who, draw.lognormal(0, 1, 800)),
        Measure("days", "duration", who, draw.normal(30, 5, 800)),
        Measure("stars", "score", who, draw.integers(1, 99, 800).astype(float)),
    )
    found = tails(Observed(measures=measures))
    assert found.says.startswith("days has the lightest tails of 2 series")
    assert found.beyond
    assert tails(Observed(measures=measures[:1])).p == pytest.approx(1)


def test_own_pace_is_spearmans_correlation() -> None:
    draw = np.random.default_rng(1)
    pace = np.exp(draw.normal(size=(300, 1)) + draw.normal(size=(300, 2)))
    took = np.ceil(pace * 600).astype(np.int64) * SECOND
    started = np.full(600, MONDAY)
    tasks = Tasks(np.repeat(np.arange(300), 2), np.tile([0, 1], 300), started, started + took.ravel())
    assert own_pace(tasks).effect == pytest.approx(spearmanr(took[:, 0], took[:, 1]).statistic)


@pytest.mark.parametrize("rate", [1.2, 4.0])
def test_counts_of_one_rate_have_a_ratio_of_one_with_and_without_zeros(rate: float) -> None:
    counts = poisson(rate).rvs(20_000, random_state=1)
    events = Events(np.repeat(np.arange(20_000), counts), np.full(int(counts.sum()), MONDAY))
    found = dispersion(Observed(events=events), counters_of(events))
    assert found.effect == pytest.approx(1, abs=0.03)
    everybody = Observed(measures=(Measure("clicks", "count", np.arange(20_000), counts + 1.0),))
    assert dispersion(everybody, Counters()).effect == pytest.approx(counts.var(ddof=1) / (counts.mean() + 1))


def test_steps_of_a_course_are_not_counted_as_use() -> None:
    events = Events(np.repeat(np.arange(200), 3), np.full(600, MONDAY), free=False)
    assert dispersion(Observed(events=events), counters_of(events)).because


# -- orders, values, tables --------------------------------------------------------------------------------------------

ATTEMPTS = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 9), st.integers(0, 9)), min_size=220, max_size=240)


@given(ATTEMPTS)
@checked(30)
def test_impossible_orders_are_those_that_pandas_finds(rows: list[tuple[int, int, int]]) -> None:
    task, started, completed = (ints(*column) for column in zip(*rows, strict=True))
    user = np.arange(len(rows)) % 110
    found = impossible_orders(Observed(tasks=Tasks(user, task, started, completed)))
    table = pd.DataFrame({"user": user, "task": task, "started": started, "completed": completed})
    late = set(table.user[table.completed < table.started])
    first = table.groupby(["user", "task"]).completed.min().reset_index()
    back = set(first.user[first.groupby("user").completed.diff() < 0])
    assert found.effect == pytest.approx(len(late | back) / 110)


def test_converting_and_using_before_joining_is_counted_per_person() -> None:
    who = np.arange(200)
    joined = Dated(np.r_[who, who[:50]], np.r_[np.full(200, 100), np.full(50, 90)])
    observed = Observed(
        joined=joined,
        converted=Dated(np.r_[0, 1, 150, 999, 2:150, 151:200], np.r_[95, 80, 99, 0, np.full(197, 500)]),
        events=Events(ints(2, 2, 151, 160, 999), ints(50, 60, 99, 100, 0)),
        help=Dated(ints(2, 3, 170), ints(91, 89, MISSING)),
        tasks=Tasks(who, who * 0, np.full(200, MISSING), np.full(200, 500)),
    )
    # 0 joined at 90 already; 999 never did.
    assert impossible_orders(observed).says == "2 of 200 people (1.00%): 2 of 200 converted before joining"
    assert before_joining(observed).says == (
        "3 of 200 people (1.50%): 2 of 3 used it before joining; 0 of 200 completed a task before joining; "
        "1 of 2 had help before joining"
    )


def test_last_digits_of_large_numbers_only_and_a_common_value_is_one_reason() -> None:
    draw, who = np.random.default_rng(1), np.arange(1500)
    spread = draw.integers(100, 1000, 1500).astype(float)
    due = np.where(who < 500, 170.0, spread)

    def digits(value: np.ndarray, step: float = 1.0) -> tuple[float, float]:
        found = terminal_digits(Observed(measures=(Measure("minutes", "duration", who, value * step, None, step),)))
        assert found.effect is not None
        assert found.p is not None
        return found.effect, found.p

    assert digits(spread)[0] < 0.15
    assert digits(due)[1] > 0.05
    rounded = np.where(who % 2, spread, np.round(spread, -1))
    assert digits(rounded)[1] < 1e-6
    assert digits(rounded, 0.1) == digits(rounded)
    assert terminal_digits(Observed(measures=(Measure("clicks", "count", who, spread / 10),))).because


def test_values_off_their_scale_are_counted_in_events_and_measures() -> None:
    value = np.r_[np.full(390, 5.0), [11.0, -1.0, np.inf], np.full(7, np.nan)]
    who = np.arange(400)
    observed = Observed(
        events=Events(who, who, None, value, (0, 10)), measures=(Measure("m", "score", who, who % 5.0, (0, 4)),)
    )
    found = off_scale(observed)
    assert found.says == "3 of 393 values of events' values (0.76%) are outside 0 to 10"
    assert found.figure["rows"][1] == {"x": "m", "observed": 0.0}


def test_tables_that_disagree_are_told_apart() -> None:
    who = np.arange(200)
    observed = Observed(
        joined=Dated(np.r_[who[:-3], 5], np.zeros(198, dtype=np.int64)),
        assigned=Assigned(np.r_[who[:-4], 7], np.r_[who[:-4] % 2, 0], (0.5, 0.5)),
        converted=Dated(ints(1, 1, 2), ints(5, 6, 7)),
        tasks=Tasks(ints(3, 4), ints(0, 0), ints(MISSING, 1), ints(5, 5)),
        events=Events(who, who),
    )
    rows = {row["x"]: row["observed"] for row in contradictions(observed).figure["rows"]}
    assert {name: count for name, count in rows.items() if count} == {
        "have events but are not among the customers": 3,
        "joined but were not assigned": 1,
        "are in two arms": 1,
        "converted twice": 1,
        "joined twice": 1,
        "completed a task that they never began": 1,
    }
    assert contradictions(observed).effect == pytest.approx(8 / 200)

"""Event times in bins: the fold is what the list of units says, at any time, in any order of what happened."""

import json
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.adding import add_rows
from models.clock import DAY, HOUR
from models.inference.durations import Durations, bin_width, bins_of, edges, fold
from tests.support.build import checked

pytestmark = pytest.mark.core

BINS = 5
Unit = tuple[int, int | None]
Units = st.tuples(st.integers(0, 30), st.none() | st.integers(0, BINS - 1))
Steps = st.lists(st.one_of(st.tuples(st.just("add"), Units), st.tuples(st.just("remove"), Units),
                           st.tuples(st.just("now"), st.integers(0, 45))), max_size=60)  # fmt: skip


def recount(units: Counter[Unit], now: int) -> dict[str, int]:
    """The same from instants: a unit assigned at the very end of its cohort's bin has been watched the least."""
    found: Counter[str] = Counter()
    for (cohort, exit), count in units.items():
        ages_over = [age for age in range(BINS) if (cohort + 1) + age + 1 <= now]
        visible = exit is not None and exit in ages_over
        found[f"{exit}:event" if visible else f"{len(ages_over)}:censored"] += count
    return {name: count for name, count in found.items() if count}


def named(row: list[int]) -> dict[str, int]:
    """What of a row is not 0."""
    names = [f"{at}:event" for at in range(BINS)] + [f"{at}:censored" for at in range(BINS + 1)]
    return {name: count for name, count in zip(names, row, strict=True) if count}


def said(arm: Durations) -> dict[str, int]:
    return named(arm.row())


@given(Steps)
@checked(300)
def test_the_fold_is_what_the_units_say_whatever_happened(steps: list[tuple[str, object]]) -> None:
    arm, units, latest = Durations(BINS), Counter(), 0
    for what, value in steps:
        if what == "now":
            assert isinstance(value, int)
            arm.advance(value)
            latest = max(latest, value)
        else:
            sign = 1 if what == "add" else -1
            arm.add(*value, sign=sign)
            units[value] += sign
        assert said(arm) == recount(units, latest)


@given(st.lists(Units, max_size=30), st.lists(st.integers(0, 45), max_size=5))
@checked(100)
def test_when_units_came_and_how_time_jumped_does_not_matter(units: list[Unit], times: list[int]) -> None:
    once, gradually = Durations(BINS), Durations(BINS)
    once.advance(max(times, default=0))
    for unit in units:
        once.add(*unit)
        gradually.add(*unit)
    for now in sorted(times):
        gradually.advance(now)
    assert once.row() == gradually.row()
    for unit in units:
        gradually.add(*unit, sign=-1)
    assert not any(gradually.row())
    assert not gradually.kept


@given(st.lists(st.tuples(Units, st.integers(0, 3)), max_size=30), st.integers(0, 45))
@checked(60)
def test_partitions_add_up_and_travel_as_json(placed: list[tuple[Unit, int]], now: int) -> None:
    parts = [Durations(BINS) for _ in range(4)]
    for unit, place in placed:
        parts[place].add(*unit)
    for part in parts:
        part.advance(now)
    row = add_rows(*(json.loads(json.dumps(part.row())) for part in parts))
    total = named(row)
    assert total == recount(Counter(unit for unit, _ in placed), now)
    arm = fold(row)
    assert arm.events.sum() + arm.censored.sum() == len(placed)
    exits = [total.get(f"{at}:event", 0) for at in range(BINS)]
    assert arm.events.tolist() == exits
    # At risk in a bin of age: watched throughout it, and nothing happened before it.
    watched = [(min(max(now - cohort - 1, 0), BINS), exit) for (cohort, exit), _ in placed]
    assert arm.at_risk.tolist() == [
        sum(age < k and (exit is None or exit >= age) for k, exit in watched) for age in range(BINS)
    ]


def test_news_that_comes_at_once_is_not_seen_before_silence_is_sure() -> None:
    arm = Durations(BINS)
    arm.add(10, 0)
    arm.add(10, None)
    arm.advance(11)
    assert said(arm) == {"0:censored": 2}
    arm.advance(12)
    assert said(arm) == {"0:event": 1, "1:censored": 1}


def test_memory_is_bounded_by_the_window_however_long_it_runs() -> None:
    arm = Durations(BINS)
    exits = [None, *range(BINS)]
    for now in range(2000):
        arm.advance(now)
        for exit in exits:
            for _ in range(3):
                arm.add(now, exit)
        assert arm.kept <= (BINS + 1) * (BINS + 1)
    assert sum(said(arm).values()) == 2000 * len(exits) * 3


def test_a_bin_outside_the_window_is_refused() -> None:
    for wrong in (-1, BINS):
        with pytest.raises(ValueError, match="not one of the window's 5"):
            Durations(BINS).add(3, wrong)


@pytest.mark.parametrize(
    ("days", "hours"), [(0.01, 1), (1, 1), (7, 2), (14, 3), (21, 4), (30, 6), (42, 8), (60, 12), (90, 24), (365, 96)]
)
def test_bins_are_of_a_natural_width(days: float, hours: int) -> None:
    window = round(days * DAY)
    assert bin_width(window) == hours * HOUR
    assert bins_of(window, bin_width(window)) <= 128


def test_the_last_bin_ends_with_the_window() -> None:
    assert np.allclose(np.diff(edges(30 * DAY)), 6)
    assert edges(365 * DAY)[[-2, -1]].tolist() == [91 * 96, 365 * 24]
    with pytest.raises(ValueError, match="1000 days"):
        bin_width(1000 * DAY)

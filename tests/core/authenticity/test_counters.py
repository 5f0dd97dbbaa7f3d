"""Sums of events: against counting by hand, and parts add up to the whole."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.authenticity.counters import Counters, counters_of
from models.authenticity.observed import MISSING, Events
from models.clock import DAY, EPOCH, LAST_INSTANT, SECOND, micros
from tests.support.build import checked

pytestmark = pytest.mark.core

INSTANTS = st.integers(-(10**13), 2 * 10**15) | st.integers(0, 50).map(lambda second: second * SECOND)
ROWS = st.lists(
    st.tuples(st.integers(0, 4), INSTANTS, st.integers(0, 1), st.sampled_from([0.0, 1.0, np.nan])), max_size=40
)
Row = tuple[int, int, int, float]


def events_of(rows: list[Row]) -> Events:
    user, at, kind, value = zip(*rows, strict=True) if rows else ((), (), (), ())
    return Events(
        np.array(user, dtype=np.int64), np.array(at, dtype=np.int64), np.array(kind, dtype=np.int64),
        np.array(value, dtype=float),
    )  # fmt: skip


@given(ROWS)
@checked(150)
def test_counters_are_what_counting_by_hand_gives(rows: list[Row]) -> None:
    found = counters_of(events_of(rows))
    moments = [(user, np.datetime64(at, "us").astype(object)) for user, at, _, _ in rows]
    by_second = Counter(moment.second for _, moment in moments)
    by_weekday = Counter((user, moment.weekday()) for user, moment in moments)
    assert found.seconds.counts == tuple(by_second[second] for second in range(60))
    assert found.hours.counts == tuple(sum(moment.hour == hour for _, moment in moments) for hour in range(24))
    assert found.tenths.counts == tuple(sum(m.microsecond // 100_000 == t for _, m in moments) for t in range(10))
    assert found.weekdays.squares == sum(count**2 for count in by_weekday.values())
    assert found.weekdays.totals == sum(n**2 for n in Counter(user for user, _ in moments).values())
    assert found.days == Counter(micros(m.replace(tzinfo=EPOCH.tzinfo)) // DAY for _, m in moments)
    distinct = {(user, at, kind, repr(value)) for user, at, kind, value in rows}
    assert found.repeated.r == len(rows) - len(distinct)
    assert found.repeated.n == found.events == len(rows)


@given(ROWS)
@checked(100)
def test_parts_by_person_add_up_to_the_whole(rows: list[Row]) -> None:
    parts = [counters_of(events_of([row for row in rows if row[0] % 3 == part])) for part in range(3)]
    assert sum(parts, Counters()) == counters_of(events_of(rows))


def test_events_without_a_plausible_instant_do_not_count() -> None:
    found = counters_of(events_of([(0, MISSING, 0, 1.0), (0, LAST_INSTANT + 1, 0, 1.0), (1, 5 * SECOND, 0, 1.0)]))
    assert found.events == found.repeated.n == 1

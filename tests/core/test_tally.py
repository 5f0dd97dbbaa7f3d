"""An experiment's sums: whatever was put in, taken out, moved and merged, they are those of the units that are there."""

import hashlib
from collections import defaultdict
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.arms import Part, Unit, stacked
from models.clock import DAY, HOUR
from models.inference.durations import bin_width, bins_of
from models.inference.moments import Moments
from models.messages import encode, partial_key
from models.snapshot import Partials
from models.tally import Clusters, Counts, Share, Tally, Total
from tests.support.build import checked, instant
from tests.support.subjects import metric, plan_of, published

pytestmark = pytest.mark.core

PLAN = plan_of(metric("converted", "primary", 3), metric("time_to:1", window=20))
BINS = {one.name: bins_of(one.window, bin_width(one.window)) for one in PLAN.metric}
COLUMNS = {"converted": (2, 4), "time_to:1": (2, 2), "converted/with/other": (4, 2), "converted/dose": (1, 3)}
"""Moments by name: blocks and columns."""
Amounts = st.integers(-(10**18), 10**18)
Step = tuple[int, Unit | None]
"""Which of a few units, and what it adds from now on."""


@st.composite
def parts(draw: st.DrawFn) -> dict[str, Part]:
    found = {}
    for name in draw(st.sets(st.sampled_from(sorted(COLUMNS)))):
        blocks, columns = COLUMNS[name]
        amounts = (1, *draw(st.lists(Amounts, min_size=columns - 1, max_size=columns - 1)))
        found[name] = Part(blocks, stacked(blocks, draw(st.integers(0, blocks - 1)), amounts))
    return found


@st.composite
def units(draw: st.DrawFn) -> Unit:
    arm = draw(st.sampled_from(["control", "test"]))
    lasting = {
        (name, arm): (instant(draw(st.integers(0, 30))) // bin_width(one.window),
                      draw(st.none() | st.integers(0, BINS[name] - 1)))
        for one in PLAN.metric if (name := one.name) and draw(st.booleans())
    }  # fmt: skip
    counts = draw(
        st.dictionaries(st.sampled_from([(arm, "assigned"), (arm, "exposed"), ("dose", "1:sum")]), Amounts.filter(bool))
    )
    return Unit(arm, counts, draw(parts()), lasting, None)


Steps = st.lists(st.tuples(st.integers(0, 7), st.none() | units()), max_size=24)


def account(unit: int) -> int:
    """Three accounts hold the units."""
    return unit % 3


class Played:
    """A partition's sums after these steps, time going on between them as it likes."""

    def __init__(self, steps: list[Step], times: list[int]) -> None:
        self.tally = Tally(PLAN, instant(0))
        self.clusters: dict[int, Clusters] = defaultdict(dict)
        self.there: dict[int, Unit] = {}
        for at, (name, unit) in enumerate(steps):
            if at < len(times):
                self.tally.advance(times[at])
            self.tally.replace(self.clusters[account(name)], self.there.pop(name, None), unit)
            if unit is not None:
                self.there[name] = unit
        self.tally.advance(instant(60))

    @property
    def held(self) -> dict[int, Clusters]:
        return {name: clusters for name, clusters in self.clusters.items() if clusters}


Times = st.lists(st.integers(0, 60 * 24).map(lambda hour: instant(0) + hour * HOUR), max_size=24)


@given(Steps, Times, st.randoms())
@checked(40)
def test_after_any_replacing_the_sums_are_those_of_the_units_there(
    steps: list[Step], times: list[int], any_: Any
) -> None:
    played = Played(steps, times)
    left = list(played.there.items())
    any_.shuffle(left)
    fresh = Played([(name, unit) for name, unit in left], [])
    assert played.tally.share() == fresh.tally.share()
    assert played.held == fresh.held
    assert recounted(played.there) == {name: Moments.decode(one) for name, one in played.tally.share().moments.items()}


def recounted(there: dict[int, Unit]) -> dict[str, Moments]:
    """Moments from the units themselves: each account's vector added up, then put in once."""
    found = {}
    for name, (blocks, columns) in COLUMNS.items():
        moments, nothing = Moments(blocks, columns), (0,) * (blocks * columns)
        for one in range(3):
            vectors = [
                unit.parts[name].vector for at, unit in there.items() if account(at) == one and name in unit.parts
            ]
            moments.replace(nothing, tuple(map(sum, zip(*vectors, strict=True))) or nothing)
        if not moments.empty:
            found[name] = moments
    return found


@given(Steps)
@checked(20)
def test_taking_everybody_out_leaves_nothing(steps: list[Step]) -> None:
    played = Played([*steps, *[(name, None) for name in range(8)]], [])
    assert played.tally.share() == Share({}, {}, {})
    assert played.held == {}


def whole_of(total: Total) -> tuple[Counts, dict[str, Moments], dict[str, list[int]]]:
    return total.counts, total.moments, total.times


def sent(share: Share) -> Share:
    """A share as it arrives."""
    return msgspec.json.decode(msgspec.json.encode(share), type=Share)


@given(Steps, st.lists(st.tuples(st.integers(0, 3), Steps), max_size=6), st.randoms())
@checked(40)
def test_shares_put_replaced_and_removed_in_any_order_are_the_whole(
    steps: list[Step], before: list[tuple[int, list[Step]]], any_: Any
) -> None:
    """Accounts live in partitions; partitions' shares come again and again, and the last one of each counts."""
    partials = Partials()

    def put(partition: int, share: Share | None) -> None:
        partials.put(partial_key("experiment", "widget", partition), None if share is None else encode(share))

    for partition, others in before:
        put(partition, Played(others, []).tally.share())
    places = [0, 1, 2, 3]
    any_.shuffle(places)
    for partition in places:
        here = [step for step in steps if account(step[0]) == partition]
        put(partition, Played(here, []).tally.share() if partition < 3 else None)
    assert whole_of(partials.total("widget")) == whole_of(Total([Played(steps, []).tally.share()]))
    for partition in places:
        put(partition, None)
    assert whole_of(partials.total("widget")) == ({}, {}, {})


@given(Steps)
@checked(40)
def test_what_travels_is_what_arrives(steps: list[Step]) -> None:
    share = Played(steps, []).tally.share()
    assert sent(share) == share


def times(tally: Tally) -> dict[str, dict[int, int]]:
    """Where its rows are not 0: events by bin, of 72 in three days; from there on, bins watched without one."""
    return {name: {at: n for at, n in enumerate(row) if n} for name, row in tally.share().times.items()}


def test_time_that_shows_something_new_is_a_change_and_other_time_is_not() -> None:
    tally = Tally(PLAN, instant(0))
    tally.replace({}, None, Unit("test", {}, {}, {("converted", "test"): (instant(0) // HOUR, 5)}, None))
    assert not tally.advance(instant(0, 1.9)), "the first whole hour of its age is not over"
    assert tally.advance(instant(0, 2))
    assert not tally.advance(instant(0, 2.5))
    assert not tally.advance(instant(0, 1)), "time does not go back"
    assert times(tally) == {"test:converted": {72 + 1: 1}}
    assert tally.advance(instant(0) + 9 * DAY)
    assert times(tally) == {"test:converted": {5: 1}}
    assert not tally.advance(instant(0) + 99 * DAY)


def test_a_share_of_a_former_form_is_not_counted_and_waits_to_be_told_anew() -> None:
    """Rows are the truth: a scorer tells everything when it takes over, and only then are the sums called whole."""
    former = b'{"counts":{"test:assigned":3},"moments":{"assigned":[[3,0,3],"0 3","0 0 9","0 81"]}}'
    partials = Partials()
    partials.put(partial_key("experiment", "widget", 0), former)
    assert whole_of(partials.total("widget")) == ({}, {}, {})
    told = Share({"test": {"assigned": 3}}, {}, {})
    partials.put(partial_key("experiment", "widget", 0), encode(told))
    assert partials.total("widget").group("test") == {"assigned": 3}
    partials.put(partial_key("experiment", "widget", 0), former)
    assert whole_of(partials.total("widget")) == ({}, {}, {})
    said = f"{PLAN.hash} {published(PLAN).begins} None"  # what a fingerprint was made of then
    partials.put(partial_key("partition", "", 0), encode({"plans": [hashlib.sha256(said.encode()).hexdigest()[:16]]}))
    assert not partials.knows(published(PLAN).fingerprint)
    partials.put(partial_key("partition", "", 0), encode({"plans": [published(PLAN).fingerprint]}))
    assert partials.knows(published(PLAN).fingerprint)

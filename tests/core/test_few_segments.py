"""A trait with hundreds of values: 64 stay apart, the rest together, and partitions agree on which."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.inference.moments import Moments, merged
from models.segments import OTHER_SEGMENTS, SEGMENTS_KEPT, few_segments
from tests.support.build import checked

pytestmark = pytest.mark.core

Labels = st.sets(st.integers(0, 400), max_size=150)


def share(labels: set[int], trait: str = "city") -> dict[str, Moments]:
    """One unit in each segment, and one in the whole metric."""
    found = {}
    for name in ["converted", *(f"converted/segment/{trait}/{label}" for label in labels)]:
        found[name] = Moments(2, 2)
        found[name].replace((0,) * 4, (1, 1, 0, 0))
    return found


@given(st.lists(Labels, min_size=1, max_size=4))
@checked(30)
def test_partitions_that_keep_few_merge_to_the_few_of_all(partitions: list[set[int]]) -> None:
    whole = few_segments(merged(share(labels) for labels in partitions))
    parts = few_segments(merged(few_segments(share(labels)) for labels in partitions))
    assert parts == whole


@given(Labels)
@checked(30)
def test_nobody_is_lost_and_no_more_than_64_stay_apart(labels: set[int]) -> None:
    found = few_segments(share(labels) | share({1, 2}, "plan"))
    cities = {name: one for name, one in found.items() if "/segment/city/" in name}
    assert sum(one.sums[0] for one in cities.values()) == len(labels)
    assert len(cities) <= SEGMENTS_KEPT + 1
    assert (f"converted/segment/city/{OTHER_SEGMENTS}" in cities) == (len(labels) > SEGMENTS_KEPT)
    assert {"converted", "converted/segment/plan/1", "converted/segment/plan/2"} <= found.keys()

"""Arms as exact moments: any order of adding, replacing, removing and merging gives what the units themselves give."""

from itertools import accumulate

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.inference.moments import Moments, Vector, add_vectors, merged, shifted
from tests.support.build import checked

pytestmark = pytest.mark.core

AMOUNTS = st.integers(-(10**18), 10**18)
NOBODY: Vector = (0,) * 6


def blocks(draw: st.DrawFn) -> Vector:
    """One cluster's vector of two blocks of three; a block without units holds nothing."""
    found: list[int] = []
    for _ in range(2):
        units = draw(st.integers(0, 50))
        found += [units, draw(AMOUNTS), draw(AMOUNTS)] if units else [0, 0, 0]
    return tuple(found)


Vectors = st.composite(blocks)()


def recount(vectors: list[Vector]) -> Moments:
    """The same, by brute force from the vectors themselves."""
    moments = Moments(2, 3)
    there = np.array([vector for vector in vectors if any(vector)], dtype=object).reshape(-1, 6)
    moments.clusters = [len(there), int((there[:, 0] > 0).sum()), int((there[:, 3] > 0).sum())]
    moments.sums = [int(there[:, i].sum()) for i in range(6)]
    moments.products = [int((there[:, i] * there[:, j]).sum()) for i in range(6) for j in range(i, 6)]
    moments.fourths = [int((there[:, 0] ** 4).sum()), int((there[:, 3] ** 4).sum())]
    return moments


def of(vectors: list[Vector]) -> Moments:
    moments = Moments(2, 3)
    for vector in vectors:
        moments.replace(NOBODY, vector)
    return moments


@given(st.lists(Vectors, max_size=12), st.lists(Vectors, max_size=12))
@checked(60)
def test_replacing_leaves_what_is_there_now(before: list[Vector], after: list[Vector]) -> None:
    length = max(len(before), len(after))
    before += [NOBODY] * (length - len(before))
    after += [NOBODY] * (length - len(after))
    moments = of(before)
    for old, new in zip(before, after, strict=True):
        moments.replace(old, new)
    assert moments == of(after) == recount(after)


@given(st.lists(st.tuples(Vectors, st.integers(0, 3)), max_size=20))
@checked(60)
def test_merged_parts_are_the_whole_and_come_apart_again(placed: list[tuple[Vector, int]]) -> None:
    parts = [of([vector for vector, place in placed if place == here]) for here in range(4)]
    whole = merged({"converted": part} for part in parts)["converted"]
    assert whole == recount([vector for vector, _ in placed])
    whole -= parts[0]
    assert whole == recount([vector for vector, place in placed if place])


@given(st.lists(Vectors, max_size=6))
@checked(40)
def test_what_travels_is_what_arrives(vectors: list[Vector]) -> None:
    moments = of(vectors)
    assert Moments.decode(moments.encode()) == moments


@given(st.lists(Vectors, min_size=1, max_size=6), Vectors)
@checked(40)
def test_a_cluster_follows_its_units(units: list[Vector], new: Vector) -> None:
    assert add_vectors(units) == list(accumulate(units, lambda one, other: add_vectors([one, other])))[-1]
    assert shifted(add_vectors(units), units[0], new) == add_vectors([new, *units[1:]])


def test_moments_of_different_shapes_are_not_added() -> None:
    with pytest.raises(ValueError, match="2 x 4 cannot be added to 2 x 3"):
        merged([{"converted": Moments(2, 3)}, {"converted": Moments(2, 4)}])


def test_a_million_additions_and_removals_leave_a_fresh_arm() -> None:
    amounts = np.random.default_rng(1).integers(-(10**18), 10**18, 2000).tolist()
    moments = Moments(2, 3)
    vectors = [(1, amount, 0, 0, 0, 0) if i % 3 else (0, 0, 0, 2, amount, 1) for i, amount in enumerate(amounts)]
    for _ in range(500):
        for vector in vectors:
            moments.replace(NOBODY, vector)
        for vector in reversed(vectors):
            moments.replace(vector, NOBODY)
    assert moments == Moments(2, 3)

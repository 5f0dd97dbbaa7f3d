"""What changed a score between two readings, by input: it adds up, and what stands still has no part in it."""

from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.account import Account
from models.basis import ActivityIndex, Judged
from models.health.calibration import Calibration
from models.health.champion import Champion, Version
from models.health.classifier import KINDS, fresh
from models.health.features import Features
from models.index import WEIGHTS, Inputs, difference_of, score_of
from tests.support.build import checked

pytestmark = pytest.mark.core

NAMES = ("active_days", "tickets", "usage", "visitors")
Known = st.dictionaries(st.sampled_from([*NAMES, "never_seen"]), st.integers(0, 12).map(float))
Shares = st.builds(Inputs, *[st.integers(0, 28).map(lambda part: part / 28)] * 4)


@cache
def learned(kind: str) -> Version:
    """A model for which activity is worth something, and tickets are worth the opposite."""
    model = fresh(kind, {})
    for number in range(900):
        features = {name: float(number * step % 11) for name, step in zip(NAMES, (1, 3, 5, 7), strict=True)}
        model.learn(features, features["active_days"] + 2 * features["visitors"] < 9 + features["tickets"])
    return Version(kind, 0, model.state(), Calibration(0.2, 0.9, 50, 50), False, -1.0, 50, 50)


def judged(kind: str, features: Features) -> tuple[Champion, Judged]:
    """An account of which this is known, as judged by a basis that has been shown nothing else."""
    basis = Champion(learned(kind), lambda account, day: features)
    return basis, basis.judge(Account(), 1)


@pytest.mark.parametrize("kind", sorted(KINDS))
@given(before=Known, after=Known)
@checked(60)
def test_the_parts_add_up_to_the_change(kind: str, before: Features, after: Features) -> None:
    (basis, was), (_, now) = judged(kind, before), judged(kind, after)
    assert sum(basis.difference(was, now).values()) == now.score - was.score


@given(Known, Known)
@checked(60)
def test_an_input_that_is_as_it_was_has_no_part_though_its_driver_has_another(
    before: Features, after: Features
) -> None:
    (basis, was), (_, now) = judged("logistic", before), judged("logistic", after)
    found = basis.difference(was, now)
    assert all(before.get(name) != after.get(name) for name in found)
    there_and_back = basis.difference(now, was)
    assert found.keys() == there_and_back.keys()
    assert all(abs(found[name] + there_and_back[name]) <= 2 for name in found), "but for the rounding"


def test_differences_of_drivers_would_blame_what_stands_still() -> None:
    """Why the way from one reading to the other is taken instead."""
    before, after = {"active_days": 12.0, "tickets": 9.0}, {"active_days": 12.0, "tickets": 0.0}
    (basis, was), (_, now) = judged("logistic", before), judged("logistic", after)
    parts = [{one.feature: one.contribution for one in basis.drivers(Account(), 1, read)} for read in (was, now)]
    assert abs(parts[0]["active_days"] - parts[1]["active_days"]) > 10
    assert basis.difference(was, now) == {"tickets": now.score - was.score}


@given(Shares, Shares)
@checked(200)
def test_the_index_changes_by_the_weights_of_what_has_changed(before: Inputs, after: Inputs) -> None:
    found = difference_of(before, after)
    assert sum(found.values()) == score_of(after) - score_of(before)
    for (name, weight), was, now in zip(WEIGHTS.items(), before, after, strict=True):
        assert (name in found) == (was != now)
        assert found.get(name, 0) == pytest.approx(100 * weight * (now - was), abs=1)
    readings = [Judged(score_of(inputs), None, inputs._asdict()) for inputs in (before, after)]
    assert ActivityIndex(2).difference(*readings) == found

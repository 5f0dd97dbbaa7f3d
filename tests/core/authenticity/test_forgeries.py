"""Each kind of forgery is seen by the check that is meant to; benchmarks/authenticity.py measures how often."""

import numpy as np
import pytest

from models.authenticity.examine import examine
from tests.support.forgeries import FORGERIES, UNSEEN, Forgery, honest
from tests.support.shared_data import needs

pytestmark = pytest.mark.core
RUNS = 5


def seen(forgery: Forgery, run: int) -> bool:
    found = examine(forgery.made(np.random.default_rng([11, run])))
    return any(one.check in forgery.seen_by for one in found.alarms)


@pytest.mark.parametrize(
    "forgery",
    [pytest.param(one, id=one.name, marks=[needs(one.needs)] if one.needs else []) for one in FORGERIES],
)
def test_a_forgery_is_seen(forgery: Forgery) -> None:
    assert sum(seen(forgery, run) for run in range(RUNS)) >= 4


@pytest.mark.parametrize("forgery", UNSEEN, ids=lambda one: one.name)
def test_what_is_said_not_to_be_seen_is_not(forgery: Forgery) -> None:
    assert not any(seen(forgery, run) for run in range(RUNS))


def test_what_forgeries_start_from_is_no_alarm() -> None:
    assert [examine(honest(np.random.default_rng([12, run]))).alarms for run in range(RUNS)] == [()] * RUNS

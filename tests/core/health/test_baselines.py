"""The activity index read from a model's inputs is the activity index; baselines never learn."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.health.baselines import BASELINES, Index
from models.health.features import features_of
from models.index import inputs_of, score_of
from tests.core.generated import histories
from tests.support.build import FIRST_DAY, Json, Worker, checked

pytestmark = pytest.mark.core


@given(histories(days=60, size=25), st.integers(0, 62), st.sampled_from([0.5, 2.0, 7.0]))
@checked(80)
def test_the_index_from_inputs_is_that_of_the_account(history: list[Json], day: int, regular: float) -> None:
    worker = Worker()
    worker.given(*history)
    index = Index.fresh({"regular_days": regular})
    for account in worker.partition.ledger.sums.accounts.values():
        eta = index.log_odds(features_of(account, FIRST_DAY + day))
        score = score_of(inputs_of(account, FIRST_DAY + day, regular))
        assert 100 * (50 - 10 * eta) == pytest.approx(score, abs=0.5 + 1e-6)


def test_an_account_at_its_best_and_one_asleep() -> None:
    best = {"days_since_visit": 0.0, "active_days": 2.0, "breadth": 8.0, "weekly_share": 1.0}
    asleep = {"days_since_visit": 28.0, "active_days": 0.0, "breadth": 0.0, "weekly_share": 0.0}
    assert Index().log_odds(best) == pytest.approx(-5)
    assert Index().log_odds(asleep) == Index().log_odds({}) == pytest.approx(5)


@pytest.mark.parametrize("kind", BASELINES)
def test_it_never_learns_and_its_state_is_all_of_it(kind: type) -> None:
    rng = np.random.default_rng(1)
    model = kind.fresh({"wanted": True, "regular_days": 3.0})
    rows = [dict(zip(Index.needs, values, strict=True)) for values in rng.uniform(0, 10, (50, 4)).tolist()]
    before = [model.log_odds(row) for row in rows]
    for row in rows:
        model.learn(row, True)
    assert [model.log_odds(row) for row in rows] == before
    assert [kind.restored(model.state()).log_odds(row) for row in rows] == before
    for row, eta in zip(rows, before, strict=True):
        eta0, phi = model.parts(row)
        assert eta0 + sum(phi.values()) == eta and phi.keys() <= row.keys()


@pytest.mark.parametrize("kind", BASELINES)
def test_busy_accounts_leave_last_and_convert_first(kind: type) -> None:
    busy = {"days_since_visit": 0.0, "active_days": 5.0, "breadth": 4.0, "weekly_share": 0.5}
    idle = {"days_since_visit": 20.0, "active_days": 0.25, "breadth": 1.0, "weekly_share": 0.0}
    leaving, converting = kind.fresh({}), kind.fresh({"wanted": True})
    assert leaving.log_odds(busy) < leaving.log_odds(idle)
    assert converting.log_odds(busy) == -leaving.log_odds(busy)
    assert converting.log_odds(idle) == -leaving.log_odds(idle)

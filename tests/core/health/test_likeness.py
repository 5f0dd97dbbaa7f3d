"""How alike two series are within accounts, against pandas; and what has no shape is left out."""

import numpy as np
import pandas as pd
import pytest

from models.health.likeness import LEAST_ROWS, likeness, within

pytestmark = pytest.mark.core


def drawn(seed: int, accounts: int = 40) -> pd.DataFrame:
    """Accounts of 1 to 30 rows; y follows x in some, not in others; one account is constant."""
    rng = np.random.default_rng(seed)
    account = np.repeat(rng.permutation(accounts), rng.integers(1, 31, accounts))
    x = rng.normal(size=len(account)) + account
    y = (account % 3) * x + rng.normal(size=len(account)) * rng.uniform(0.1, 3, accounts)[account]
    x[account == account[0]] = 5.0
    return pd.DataFrame({"account": account, "x": x, "y": y}).sample(frac=1, random_state=seed)


@pytest.mark.parametrize("seed", range(5))
def test_it_is_what_pandas_says(seed: int) -> None:
    rows = drawn(seed)
    found = likeness(*(rows[name].to_numpy() for name in ("account", "x", "y")))
    moving = [part for _, part in rows.groupby("account") if len(part) >= LEAST_ROWS and part["x"].std() > 0]
    expected = np.array([part["x"].corr(part["y"]) for part in moving])
    assert found.accounts == len(expected) > 10
    assert (found.low, found.median, found.high) == pytest.approx(tuple(np.quantile(expected, (0.25, 0.5, 0.75))))
    assert found.alike == pytest.approx((expected > 0.9).mean())
    assert found.pooled == pytest.approx(rows["x"].corr(rows["y"]))


def test_too_few_rows_or_nothing_that_moves_is_no_shape() -> None:
    few = np.arange(LEAST_ROWS - 1.0)
    assert len(within(np.zeros(len(few), int), few, few)) == 0
    many = np.arange(float(LEAST_ROWS))
    assert within(np.zeros(len(many), int), many, -many) == pytest.approx([-1])
    assert len(within(np.zeros(len(many), int), many, np.ones(len(many)))) == 0
    nothing = likeness(np.zeros(0, int), np.zeros(0), np.zeros(0))
    assert nothing.accounts == 0 and np.isnan([nothing.median, nothing.alike, nothing.pooled]).all()

"""Predictions for tests: accounts with several rows each, as risky as said or not."""

import numpy as np
from scipy.special import expit

from models.health.predictions import Predictions


def predictions(
    p: list[float] | np.ndarray, label: list[int] | np.ndarray, account: np.ndarray | None = None
) -> Predictions:
    """Rows of one account each, unless said otherwise; all scored, none contacted."""
    n = len(p)
    return Predictions(
        account=np.arange(n) if account is None else account,
        day=np.arange(n),
        p=np.asarray(p, dtype=float),
        label=np.asarray(label, dtype=bool),
        scored=np.ones(n, dtype=bool),
        contacted=np.zeros(n, dtype=bool),
    )


def population(seed: int, accounts: int, rows: int = 4, base: float = -2.0, skill: float = 1.0) -> Predictions:
    """Accounts of `rows` weekly rows; p is right for each row, and log odds vary by `skill` between accounts."""
    rng = np.random.default_rng(seed)
    account = np.repeat(rng.permutation(accounts), rows)
    eta = base + skill * rng.normal(size=accounts)[account] + 0.3 * skill * rng.normal(size=len(account))
    found = predictions(expit(eta), rng.random(len(account)) < expit(eta), account)
    day = np.tile(7 * np.arange(rows), accounts)
    return Predictions(found.account, day, found.p, found.label, found.scored, rng.random(len(account)) < 0.2)

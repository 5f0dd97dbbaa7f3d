"""Predictions made ready to be read under any weights of accounts: sorted and summed once, read a thousand times."""

import numpy as np
from scipy.sparse import coo_array
from scipy.special import xlog1py, xlogy

from models.health.discrimination import auc, lift, ranked, ranking
from models.health.predictions import Predictions
from models.health.recalibration import SUREST, intercept, log_odds, slope
from models.inference.means import Array

Figures = dict[str, Array]
FINENESS = 128
"""Log odds are read to 1/128 in replicates: ten times faster, and a hundredth of a slope's standard error or less."""


class Measured:
    """The figures of predictions as functions of the accounts' weights, (r, accounts), in the order of their codes."""

    def __init__(self, predictions: Predictions) -> None:
        names, self._code = np.unique(predictions.account, return_inverse=True)
        self.predictions = predictions
        self.accounts = len(names)
        p, label = predictions.p, predictions.label.astype(float)
        safe = np.clip(p, SUREST, 1 - SUREST)
        loss = -(xlogy(label, safe) + xlog1py(1 - label, -safe))
        columns = (np.ones(len(p)), label, p, loss, (p - label) ** 2)
        self._sums = np.stack([np.bincount(self._code, column, self.accounts) for column in columns], -1)
        self._x = log_odds(p)
        self._cells, cell = np.unique(np.rint(self._x * FINENESS) / FINENESS, return_inverse=True)
        shape = len(self._cells), self.accounts
        self._rows, self._events = (
            coo_array((column, (cell, self._code)), shape).tocsr() for column in (np.ones(len(p)), label)
        )
        scored = predictions.scored
        self._ranking = ranking(p[scored], predictions.label[scored])
        self._ranked_code = self._code[scored][self._ranking.order]
        self.alone = np.ones((1, self.accounts))

    def ranks(self, weights: Array) -> Figures:
        """AUC and lift under (r, accounts) weights, (r,) each."""
        found = ranked(self._ranking, weights[:, self._ranked_code])
        return {"auc": auc(found), "lift": lift(found)}

    def means(self, weights: Array) -> Figures:
        """What follows from sums, (r,) each.

        log_loss: mean of -log of the chance given to what happened. brier: mean of (p - label)² (Brier 1950).
        brier_skill: 1 - brier/(that of the base rate said of everybody). observed_over_expected: events over Σp.
        """
        rows, events, expected, loss, squares = (weights @ self._sums).T
        with np.errstate(invalid="ignore", divide="ignore"):
            rate = events / rows
            varies = np.where((rate > 0) & (rate < 1), rate * (1 - rate), np.nan)
            return {
                "log_loss": loss / rows,
                "brier": squares / rows,
                "brier_skill": 1 - squares / rows / varies,
                "observed_over_expected": np.where(expected > 0, events / expected, np.nan),
            }

    def recalibration(self) -> Figures:
        """Intercept (with the slope held at 1) and slope of the labels on the predicted log odds, (1,) each."""
        label = self.predictions.label.astype(float)[None]
        return _recalibrated(self._x, label, np.ones_like(label))

    def recalibrations(self, weights: Array) -> Figures:
        """The same under weights, (r,) each, with rounded log odds."""
        return _recalibrated(self._cells, (self._events @ weights.T).T, (self._rows @ weights.T).T)


def _recalibrated(x: Array, events: Array, rows: Array) -> Figures:
    return {"intercept": intercept(x, events, rows), "slope": slope(x, events, rows)}

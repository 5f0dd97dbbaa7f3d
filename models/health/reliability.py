"""Does what was said 3 % happen 3 % of the time? Reliability in bins of equal mass, and what chance makes of it."""

from typing import NamedTuple

import numpy as np
from scipy.special import ndtri

from models.health.predictions import Codes, Predictions
from models.health.replicates import ALPHA, REPLICATES, SEED
from models.inference.means import Array

BINS = 10


class Bins(NamedTuple):
    """Rows in the order of p, cut into bins. order: (n,) the rows' places; starts: (B,) where each bin begins."""

    order: Codes
    starts: Codes


class Reliability(NamedTuple):
    """The table, (B,) each, from the safest bin to the riskiest. low, high: of `observed`."""

    rows: Array
    accounts: Array
    mean_p: Array
    observed: Array
    low: Array
    high: Array


class Expected(NamedTuple):
    """ECE of the labels seen, and its mean and 95 % quantile over labels drawn from p."""

    ece: float
    mean: float
    quantile: float


def bins_of(p: Array, bins: int = BINS) -> Bins:
    """Cut (n,) probabilities into at most `bins` bins of about equal mass; equal p are never parted."""
    order = np.argsort(p, kind="stable")
    _, first, count = np.unique(p[order], return_index=True, return_counts=True)
    place = (bins * (first + count / 2) // max(len(p), 1)).astype(np.int64)
    return Bins(order, first[np.unique(place, return_index=True)[1]])


def table(predictions: Predictions, bins: int = BINS) -> Reliability:
    """Mean p against the observed rate by bin, with a 95 % interval that knows of accounts. Empty without rows.

    Wilson's interval (1927) on the effective number of rows, rate·(1 - rate)/variance, the variance clustered by
    account (Korn and Graubard 1998, Survey Methodology 24), and on the accounts where all labels are alike: drawing
    accounts again cannot doubt a bin without events, and most bins of a good score have none.
    """
    order, starts = bins_of(predictions.p, bins)
    if not len(order):
        return Reliability(*(np.zeros(0) for _ in Reliability._fields))
    p, label = predictions.p[order], predictions.label[order].astype(float)
    rows = np.diff([*starts, len(order)])
    observed = np.add.reduceat(label, starts) / rows
    bin_of = np.repeat(np.arange(len(starts)), rows)
    pairs, cell = np.unique(
        np.stack([bin_of, predictions.account[order].astype(np.int64)]), axis=1, return_inverse=True
    )
    accounts = np.bincount(pairs[0])
    influence = np.bincount(cell.ravel(), label - observed[bin_of]) / rows[pairs[0]]
    with np.errstate(invalid="ignore", divide="ignore"):
        variance = np.bincount(pairs[0], influence**2) * accounts / (accounts - 1)
        effective = observed * (1 - observed) / variance
    worth = np.where(effective > 0, np.minimum(effective, rows), accounts)
    return Reliability(
        rows.astype(float),
        accounts.astype(float),
        np.add.reduceat(p, starts) / rows,
        observed,
        *_wilson(observed, worth),
    )


def calibration_error(
    predictions: Predictions, spell: int = 1, replicates: int = REPLICATES, seed: int = SEED
) -> Expected:
    """Expected calibration error, Σ rows/n·|observed - mean p| over bins, and what it is for a calibrated score.

    It is never 0: so labels are drawn from p (Bröcker and Smith 2007, Weather and Forecasting 22), and the error is
    remarkable only above their quantile. Snapshots of an account within the same `spell` days share one draw, as labels
    whose horizons overlap share one event; 1: every row its own. NaN without rows.
    """
    n = len(predictions)
    if not n:
        return Expected(np.nan, np.nan, np.nan)
    order, starts = bins_of(predictions.p)
    p, label = predictions.p[order], predictions.label[order]
    clusters = np.stack([predictions.account.astype(np.int64), predictions.day // spell])
    pairs, shared = np.unique(clusters, axis=1, return_inverse=True)
    shared = shared.ravel()[order]
    rng = np.random.default_rng(seed)

    def error(labels: Array) -> float:
        return float(np.abs(np.add.reduceat(labels - p, starts)).sum() / n)

    drawn = [error(rng.random(pairs.shape[1])[shared] < p) for _ in range(replicates)]
    return Expected(error(label.astype(float)), float(np.mean(drawn)), float(np.quantile(drawn, 0.95)))


def _wilson(rate: Array, n: Array) -> tuple[Array, Array]:
    square = ndtri(1 - ALPHA / 2) ** 2
    middle = (rate + square / (2 * n)) / (1 + square / n)
    reach = np.sqrt(square * (rate * (1 - rate) + square / (4 * n)) / n) / (1 + square / n)
    return middle - reach, middle + reach

"""Does the score put the accounts with the event before the others? AUC and top-decile lift, under weights.

Every figure takes weights of rows, (..., n), so that a bootstrap replicate is one weighted reading; the rows are
sorted once. Ties count by expectation over the orders in which tied rows could stand.
"""

from typing import NamedTuple

import numpy as np

from models.health.predictions import Codes, Flags
from models.inference.means import Array

TOP = 0.1
"""The share of rows that is looked at: those with the highest risk."""


class Runs(NamedTuple):
    """For each row with the event, (E,), where the run of rows with its p begins and ends."""

    first: Codes
    end: Codes


class Ranking(NamedTuple):
    """n rows from the highest p to the lowest.

    order: (n,) their places. events: (E,) the ranks of those with the event. among_all, among_events: the run of equal
    p around each of these, by rank and by number among them.
    """

    order: Codes
    events: Codes
    among_all: Runs
    among_events: Runs


class Ranked(NamedTuple):
    """Weights as each row with the event sees them, (..., E): of events and of others above it, and tied with it.

    event: its own weight. rows: of all rows, (...).
    """

    event: Array
    events_above: Array
    events_tied: Array
    others_above: Array
    others_tied: Array
    rows: Array


def ranking(p: Array, label: Flags) -> Ranking:
    """Sort rows by their risk. p, label: (n,). Only the order of p matters."""
    order = np.argsort(-p, kind="stable")
    falling, events = -p[order], np.flatnonzero(label[order])
    at = falling[events]
    return Ranking(order, events, _runs(falling, at), _runs(at, at))


def ranked(ranking: Ranking, weights: Array) -> Ranked:
    """Read weights, (..., n) in the ranking's order."""
    event = weights[..., ranking.events]
    rows_through, events_through = _through(weights), _through(event)
    rows_above, rows_tied = _split(rows_through, ranking.among_all)
    events_above, events_tied = _split(events_through, ranking.among_events)
    others_above, others_tied = rows_above - events_above, rows_tied - events_tied
    return Ranked(event, events_above, events_tied, others_above, others_tied, rows_through[..., -1])


def auc(found: Ranked) -> Array:
    """Chance that a row with the event has the higher p than one without, (...); a tie counts half.

    Mann and Whitney's U over the pairs (Hanley and McNeil 1982, Radiology 143). NaN without rows of both kinds.
    """
    events = found.event.sum(-1)
    lost = (found.event * (found.others_above + found.others_tied / 2)).sum(-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return 1 - lost / (events * (found.rows - events))


def lift(found: Ranked, top: float = TOP) -> Array:
    """How many times more events the riskiest tenth holds than a tenth drawn blindly, (...): 0 to 10.

    top: the share that is looked at, above 0, if not a tenth. The tenth is one of the weight, not rounded to whole
    rows: with 35 rows it is three and a half. The run of equal p at its boundary gives the share of its events that
    fits, which is the mean over the orders of its rows (so if all are tied: 1). NaN without events.
    """
    room = top * found.rows[..., None] - found.events_above - found.others_above
    tied = found.events_tied + found.others_tied
    caught = (found.event * np.clip(room / np.where(tied > 0, tied, 1), 0, 1)).sum(-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return caught / (top * found.event.sum(-1))


def _runs(rising: Array, values: Array) -> Runs:
    return Runs(np.searchsorted(rising, values, "left"), np.searchsorted(rising, values, "right"))


def _through(weights: Array) -> Array:
    """Sums of the first 0, 1, ..., n weights, (..., n + 1)."""
    found = np.zeros((*weights.shape[:-1], weights.shape[-1] + 1))
    np.cumsum(weights, -1, out=found[..., 1:])
    return found


def _split(through: Array, runs: Runs) -> tuple[Array, Array]:
    """Weight above each run, and in it."""
    above = through[..., runs.first]
    return above, through[..., runs.end] - above

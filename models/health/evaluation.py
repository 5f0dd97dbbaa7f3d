"""How good a score is: figures with intervals, two models on the same rows, and whether there is skill at all.

AUC and lift count the rows that were `scored`; calibration, log-loss and Brier score count every row. Intervals are
95 % percentiles over accounts drawn again (`models.health.replicates`).
"""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np

from models.health.measured import Figures, Measured
from models.health.predictions import Predictions
from models.health.reliability import calibration_error, table
from models.health.replicates import LEAST_ACCOUNTS, REPLICATES, SEED, draws, percentiles
from models.inference.means import Array
from models.readout.written import bounds, explained, number

Snapshot = dict[str, Any]
RANKED = ("auc", "lift")
"""Figures of the order of accounts alone."""
COMPARED = ("auc", "lift", "log_loss", "brier")
ONE_SIDED = "the predictions do not vary, or separate the labels wholly"


class Figure(NamedTuple):
    """A figure and its 95 % interval; NaN where it cannot be known yet."""

    estimate: float
    low: float
    high: float


class Skill(NamedTuple):
    """Whether the score is known to do better than drawing accounts blindly, in words with the numbers."""

    has: bool
    words: str


def ranks(predictions: Predictions, replicates: int = REPLICATES, seed: int = SEED) -> dict[str, Figure]:
    """AUC and top-decile lift of the scored rows."""
    scored = predictions.where(predictions.scored)
    measured = Measured(scored)
    return _intervals(measured.ranks(measured.alone), measured.ranks, _drawn(scored, measured, replicates, seed))


def probabilities(predictions: Predictions, replicates: int = REPLICATES, seed: int = SEED) -> dict[str, Figure]:
    """Log-loss, Brier score and skill, observed over expected, intercept and slope of recalibration, of every row."""
    measured = Measured(predictions)
    seen = measured.means(measured.alone) | measured.recalibration()

    def read(weights: Array) -> Figures:
        return measured.means(weights) | measured.recalibrations(weights)

    return _intervals(seen, read, _drawn(predictions, measured, replicates, seed))


def compare(
    champion: Predictions, challenger: Predictions, replicates: int = REPLICATES, seed: int = SEED
) -> dict[str, Figure]:
    """Challenger minus champion in AUC, lift, log-loss and Brier score, both read under the same draws of accounts.

    Both have predicted the same rows, in the same order; ValueError if not.
    """
    for column in ("account", "day", "label", "scored"):
        if not np.array_equal(getattr(champion, column), getattr(challenger, column)):
            raise ValueError(f"two models are compared on the same rows; they differ in {column}")
    first, second = Measured(champion), Measured(challenger)

    def difference(weights: Array) -> Figures:
        one = first.ranks(weights) | first.means(weights)
        other = second.ranks(weights) | second.means(weights)
        return {name: other[name] - one[name] for name in COMPARED}

    drawn = _drawn(champion.where(champion.scored), first, replicates, seed)
    return _intervals(difference(first.alone), difference, drawn)


def has_skill(found: dict[str, Figure]) -> Skill:
    """Skill is shown by a lift wholly above 1 and an AUC wholly above .5: of worthless scores 1 in 40 passes.

    found: what `ranks` gave.
    """
    auc, lift = found["auc"], found["lift"]
    has = lift.low > 1 and auc.low > 0.5
    words = f"top-decile lift {_in_words(lift)}, AUC {_in_words(auc)}"
    return Skill(has, f"{'has skill' if has else 'has no skill yet'}: {words}")


def summary(predictions: Predictions, spell: int = 1, replicates: int = REPLICATES, seed: int = SEED) -> Snapshot:
    """Everything above for the `model` snapshot, JSON-able. spell: the label's horizon in days (`calibration_error`).

    What cannot be known is null, with `because`.
    """
    every, alone = (ordering(rows, replicates, seed) for rows in (predictions, predictions.without_contacted()))
    calibration = probabilities(predictions, replicates, seed)
    error = calibration_error(predictions, spell, replicates, seed)
    return {
        **every,
        **{name: _written(figure, predictions) for name, figure in calibration.items()},
        "calibration_error": {
            "estimate": number(error.ece),
            "if_calibrated": {"mean": number(error.mean), "q95": number(error.quantile)},
        },
        "reliability": [
            {
                "rows": int(rows), "accounts": int(accounts), "mean_p": number(mean_p),
                "observed": number(observed), "ci": bounds(low, high),
            }
            for rows, accounts, mean_p, observed, low, high in zip(*table(predictions), strict=True)
        ],
        "without_contacted": alone,
    }  # fmt: skip


def ordering(predictions: Predictions, replicates: int = REPLICATES, seed: int = SEED) -> Snapshot:
    """What is said of the accounts' order, JSON-able: counts, AUC, lift and skill. Only the order of p matters."""
    scored = predictions.where(predictions.scored)
    found = ranks(predictions, replicates, seed)
    because, skill = unknown_because(scored), has_skill(found)
    return {
        "rows": len(predictions),
        "scored": len(scored),
        "accounts": len(np.unique(predictions.account)),
        "accounts_with_event": len(np.unique(scored.account[scored.label])),
        **{name: _written(figure, scored) for name, figure in found.items()},
        "has_skill": skill.has,
        "skill": skill.words if because is None else f"has no skill yet: {because}",
    }


def comparison(champion: Predictions, found: dict[str, Figure]) -> Snapshot:
    """What `compare` found, JSON-able; champion: the rows that both were read on."""
    return {name: _written(figure, champion.where(champion.scored)) for name, figure in found.items()}


def unknown_because(predictions: Predictions) -> str | None:
    """Why these rows cannot say how good a score is, or not with an interval; None if they can."""
    label, account = predictions.label, predictions.account
    with_event, without = len(np.unique(account[label])), len(np.unique(account[~label]))
    if not len(predictions):
        return "no prediction has a label yet"
    if not with_event or not without:
        return f"the event came {'for none' if not with_event else 'each time'} in {len(predictions)} predictions"
    if min(with_event, without) < LEAST_ACCOUNTS:
        return (
            f"an interval needs {LEAST_ACCOUNTS} accounts with the event and {LEAST_ACCOUNTS} without; "
            f"there are {with_event} and {without}"
        )
    return None


def _drawn(counted: Predictions, measured: Measured, replicates: int, seed: int) -> Iterable[Array]:
    """Weights of the measured accounts; none if the rows that count are too few for an interval."""
    if unknown_because(counted) is not None:
        return ()
    return draws(measured.accounts, len(measured.predictions), replicates, seed)


def _intervals(seen: Figures, read: Callable[[Array], Figures], drawn: Iterable[Array]) -> dict[str, Figure]:
    parts = [read(weights) for weights in drawn]
    return {name: Figure(float(value[0]), *percentiles([part[name] for part in parts])) for name, value in seen.items()}


def _written(figure: Figure, predictions: Predictions) -> Snapshot:
    found = {"estimate": number(figure.estimate), "ci": bounds(figure.low, figure.high)}
    return explained(found, unknown_because(predictions) or ONE_SIDED)


def _in_words(figure: Figure) -> str:
    return f"{figure.estimate:.3g} ({figure.low:.3g} to {figure.high:.3g})"

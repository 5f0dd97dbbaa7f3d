"""The `model` snapshot: what scores rest on, how much has been learned, and how good it has been."""

from typing import Any

from models.basis import HEURISTIC
from models.clock import rfc3339, start_of
from models.health.champion import ENOUGH, Version
from models.health.evaluation import summary
from models.health.learning import CALIBRATED_ON, Learning
from models.health.odds import probability
from models.health.seen import all_predictions
from models.readout.written import number
from models.rows import NEVER

Snapshot = dict[str, Any]
METHOD = "logistic calibration (Platt 1999) with weak priors, fitted to what was predicted before the labels were known"
REPLICATES = 200
"""Draws of accounts that the intervals of a running system rest on; `livelift backtest` takes more."""
NOTHING_YET = "no prediction has a label yet"


def model_snapshot(learning: Learning, replicates: int) -> Snapshot:
    """What is known of the model that scores, from all it has learned and from its predictions of the last year.

    replicates: draws of accounts that intervals rest on; they take most of the time.
    """
    version, label = learning.latest, learning.label
    known = all_predictions(learning.seen.values())
    return {
        "model": learning.model,
        "basis": version.name if version is not None and version.enough else HEURISTIC,
        "learned": _date(learning.state.learned),
        "label": {
            "kind": label.kind, "horizon_days": label.horizon_days, "unscored_days": label.unscored_days,
        },
        "labels": {
            "with_event": 0 if version is None else version.events,
            "without": 0 if version is None else version.others,
            "needed": ENOUGH,
        },
        **({"because": because} if (because := why_heuristic(version)) is not None else {}),
        "usual_rate": None if version is None else number(probability(version.usual)),
        "calibration": {
            "method": METHOD,
            "a": None if version is None else number(version.calibration.a),
            "b": None if version is None else number(version.calibration.b),
        },
        "judged_over_days": CALIBRATED_ON,
        "judged": {"because": NOTHING_YET} if known is None else summary(known, label.horizon_days, replicates),
    }  # fmt: skip


def why_heuristic(version: Version | None) -> str | None:
    """Why scores are an activity index still, with what is missing; None where the model scores."""
    if version is None:
        return f"no label is known yet: a model needs {ENOUGH} with the event and {ENOUGH} without"
    if version.enough:
        return None
    missing = {"with": ENOUGH - version.events, "without": ENOUGH - version.others}
    lacking = [f"{count} labels {which} the event" for which, count in missing.items() if count > 0]
    if lacking:
        return f"{' and '.join(lacking)} are missing until a model scores"
    return "labels enough are known, but too few of what the model predicted before they were: it is not calibrated yet"


def _date(day: int) -> str | None:
    return None if day == NEVER else rfc3339(start_of(day))[:10]

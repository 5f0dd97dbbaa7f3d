"""The `model` snapshot: what scores rest on, how much has been learned, how good it has been, and what is odd."""

from typing import Any

import msgspec

from models.basis import HEURISTIC
from models.clock import date_of
from models.health.baselines import Index
from models.health.champion import ENOUGH, why_heuristic
from models.health.contender import CALIBRATED_ON, Contender
from models.health.drift import DriftWatch
from models.health.evaluation import RANKED, compare, comparison, ordering, summary
from models.health.hold_out import alerting
from models.health.inputs import chosen_of
from models.health.learning import Learning
from models.health.listed import input_of
from models.health.odds import probability
from models.health.predictions import Predictions, in_common
from models.health.seen import all_predictions, by_index
from models.readout.written import number
from models.rows import NEVER

Snapshot = dict[str, Any]
METHOD = "logistic calibration (Platt 1999) with weak priors, fitted to what was predicted before the labels were known"
REPLICATES = 200
"""Draws of accounts that the intervals of a running system rest on; `livelift backtest` takes more."""
MOST = 100_000
"""Predictions that are judged: of more, those of the accounts with the smallest hashes, so that it takes seconds."""
NOTHING_YET = "no prediction has a label yet"


def model_snapshot(learning: Learning, replicates: int = REPLICATES) -> Snapshot:
    """What is known of the models, from all they have learned and from their predictions of the last year.

    replicates: draws of accounts that intervals rest on; they take most of the time.
    """
    champion, label = learning.champion, learning.product.label
    version, rows = champion.latest, judged_rows(champion)
    accounts, little_known = learning.accounts
    return {
        "model": champion.kind,
        "basis": version.name if version is not None and version.enough else HEURISTIC,
        "learned": _date(champion.learned),
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
        "judged": {"because": NOTHING_YET} if rows is None else summary(rows, label.horizon_days, replicates),
        "contenders": contenders(learning, replicates),
        "drift": drift(learning),
        "held_out": held_out(learning),
        "inputs": inputs_read(learning),
        "alerting": alerting([*champion.seen.values()], learning.product.capacity.hold_out),
        "little_known": {
            "accounts": accounts, "of_them": little_known,
            "share": number(little_known / accounts) if accounts else None,
            "because": "younger than four weeks, or nothing heard of their use for eight",
        },
    }  # fmt: skip


def judged_rows(contender: Contender) -> Predictions | None:
    """A model's predictions whose labels have come; None without any."""
    known = all_predictions(contender.seen.values())
    return None if known is None else known.of_fewer_accounts(MOST)


def contenders(learning: Learning, replicates: int = REPLICATES) -> Snapshot:
    """Every model and the activity index, each beside the champion on the rows that both have predicted.

    `minus_champion` is the difference with its interval, both read under the same draws of accounts; below 0 is better
    for log-loss and Brier score, above 0 for AUC and lift.
    """
    champion = learning.champion
    rows = judged_rows(champion)
    found: Snapshot = {}
    for one in learning.contenders.values():
        version = one.latest
        found[one.kind] = {
            "role": "champion" if one is champion else "challenger",
            "basis": None if version is None else version.name,
            **({"because": because} if (because := why_heuristic(version)) is not None else {}),
            "labels": [0, 0] if version is None else [version.events, version.others],
        }
        mine = rows if one is champion else judged_rows(one)
        if rows is not None and mine is not None:
            found[one.kind] |= _ranked(rows, replicates) if one is champion else _beside(rows, mine, replicates)
    if rows is not None:
        index = by_index([*champion.seen.values()]).of_fewer_accounts(MOST)
        differences = compare(rows, index, replicates)
        minus = comparison(rows, {name: differences[name] for name in RANKED})
        found[Index.kind] = {"role": "baseline", **_ranked(index, replicates), "minus_champion": minus}
    return found


def _ranked(rows: Predictions, replicates: int) -> Snapshot:
    told = ordering(rows, replicates)
    return {"rows": len(rows), **{name: told[name] for name in (*RANKED, "has_skill", "skill")}}


def _beside(champion: Predictions, challenger: Predictions, replicates: int) -> Snapshot:
    """A challenger's figures on the rows that the champion has predicted as well."""
    first, second = in_common(champion, challenger)
    if not len(first):
        return {"minus_champion": {"because": "no row has been predicted by both"}}
    return {**_ranked(second, replicates), "minus_champion": comparison(first, compare(first, second, replicates))}


def drift(learning: Learning) -> Snapshot:
    """What has moved: inputs, by name, and what the champion gets wrong (`residual`, label minus prediction).

    flag: seen in the last four weeks. Inputs that never moved are counted only.
    """
    watched = learning.monitoring.state.watches
    told = {name: DriftWatch(one).written() for name, one in watched.items() if one.drift is not None}
    return {
        "watched": len(watched),
        "flagged": sorted(name for name, one in told.items() if one["flag"]),
        "inputs": told,
        "residual": DriftWatch(learning.champion.progress.residual).written(),
    }


def held_out(learning: Learning) -> Snapshot:
    """Inputs that tell the event almost by themselves, with what was seen, and whether a person has allowed them."""
    allowed = learning.product.health.allowed
    return {
        name: {
            **msgspec.to_builtins(why), "since": _date(why.since), "auc": number(why.auc), "allowed": name in allowed,
        }
        for name, why in sorted(learning.monitoring.state.held_out.items())
    }  # fmt: skip


def inputs_read(learning: Learning) -> Snapshot:
    """What the champion reads. chosen: names and patterns of `[health] inputs`, none for all. withheld: those held out
    of it. of: for each listed input, how many names under it were ever told of, and how many of them it reads."""
    version, told = learning.champion.latest, learning.monitoring.state.watches
    chosen = learning.product.health.inputs if version is None else version.inputs
    withheld = () if version is None else version.withheld
    read = chosen_of(dict.fromkeys(told, 0.0), chosen, withheld)
    of: dict[str, dict[str, int]] = {}
    for name in sorted(told):
        listed = input_of(name)
        counts = of.setdefault(name if listed is None else listed.name, {"told": 0, "read": 0})
        counts["told"] += 1
        counts["read"] += name in read
    return {"chosen": list(chosen), "withheld": list(withheld), "of": of}


def _date(day: int) -> str | None:
    return None if day == NEVER else date_of(day)

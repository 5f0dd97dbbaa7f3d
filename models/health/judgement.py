"""What came out of a backtest, JSON-able: every figure with its interval, and the champion against each of the others.

Figures of probabilities are those of `models.health.evaluation`. Baselines order accounts only, so they have AUC and
lift. All are read on the same rows, and the differences under the same draws of accounts.
"""

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

import numpy as np

from models.clock import date_of
from models.closing import week_end
from models.health.backtest import Backtest
from models.health.baselines import NO_PROBABILITY, Index, Visits
from models.health.champion import ENOUGH, why_heuristic
from models.health.contender import LEAST_SEEN
from models.health.discrimination import lift, ranked, ranking
from models.health.evaluation import RANKED, Snapshot, compare, comparison, ordering, summary
from models.health.likeness import ALIKE, LEAST_ROWS, Likeness, likeness
from models.health.predictions import Flags, Predictions
from models.health.replicates import REPLICATES
from models.index import WEEK
from models.product import Label
from models.readout.written import explained, number

SHARES = (0.01, 0.02, 0.05, *(step / 20 for step in range(2, 21)))
"""Of the riskiest accounts, at which the lift curve is read."""
LOOK_AHEAD = "uses what happened after the snapshot: not available in reality"
TELLS = {
    "churn": "`churned` events tell of it",
    "conversion": "`converted` events tell of it",
    "inactivity": "it is a whole horizon without a visit",
}


class NothingToJudge(ValueError):
    """The history has no labels that anything could be judged by; the message says what is missing."""


class Judgement:
    """A backtest's rows from a day on. totals: each account's usage in the whole recording, if it was reported.

    first: the day from which on snapshots are judged. weeks: those of every so many weeks are. Raises NothingToJudge.
    """

    def __init__(
        self,
        backtest: Backtest,
        first: int | None = None,
        totals: Mapping[str, float] | None = None,
        replicates: int = REPLICATES,
        weeks: int = 1,
    ) -> None:
        self._backtest, self._totals, self._replicates = backtest, totals or {}, replicates
        self._label = backtest.product.label
        every = backtest.champion.track.predictions()
        self._because_of_labels(len(every))
        begin = int(every.day.min()) if first is None else first
        begin = week_end(begin, backtest.product.health.week_ends)
        self._rows: Flags = (every.day >= begin) & ((every.day - begin) % (WEEK * weeks) == 0)
        if not self._rows.any():
            assert first is not None
            raise NothingToJudge(
                f"no snapshot from {date_of(first)} on has a label; "
                f"the last that has is of {date_of(int(every.day.max()))}"
            )

    def _because_of_labels(self, predictions: int) -> None:
        """Raise for a history without labels of both kinds, saying what to do."""
        label, (events, others) = self._label, self._backtest.champion.labels
        if not events + others:
            raise NothingToJudge(
                f"no label is known: a snapshot at the end of a week gets its label {label.horizon_days} days later. "
                f"Record for longer, or set a shorter horizon_days under [label] in livelift.toml{_customers(label)}"
            )
        if not events or not others:
            which = "none is" if not events else "each is"
            raise NothingToJudge(
                f"of {events + others} labels {which} the event ({label.kind}): {TELLS[label.kind]}. "
                "Record what tells of it, or choose another kind under [label] in livelift.toml"
            )
        if not predictions:
            raise NothingToJudge(
                f"{events} labels with the event and {others} without are known, but no snapshot was made after "
                f"{LEAST_SEEN} of each and has its label: record for longer"
            )

    # -- rows --------------------------------------------------------------------------------------------------------

    @cached_property
    def learned(self) -> dict[str, Predictions]:
        """What each learned model said, the champion first."""
        return {kind: walk.track.predictions().where(self._rows) for kind, walk in self._backtest.models.items()}

    @cached_property
    def baselines(self) -> dict[str, Predictions]:
        tracks = self._backtest.champion.baselines
        return {kind: track.order().where(self._rows) for kind, track in tracks.items()}

    @property
    def champion(self) -> Predictions:
        return next(iter(self.learned.values()))

    # -- the report --------------------------------------------------------------------------------------------------

    def report(self, progress: Callable[[int], None] = lambda done: None) -> Snapshot:
        """Everything. progress: is told how many of `steps` are done."""
        champion = self._backtest.product.health.model
        models: Snapshot = {}
        for kind, rows in self.learned.items():
            role = "champion" if kind == champion else "challenger"
            models[kind] = {
                "role": role,
                **self._since(kind),
                **summary(rows, self._spell, self._replicates),
                "once_scoring": self._once_scoring(kind, rows),
            }
            progress(len(models))
        for kind, rows in self.baselines.items():
            said = ordering(rows, self._replicates)
            without = ordering(rows.without_contacted(), self._replicates)
            models[kind] = {"role": "baseline", "because": NO_PROBABILITY, **said, "without_contacted": without}
            progress(len(models))
        return {
            "label": {
                "kind": self._label.kind,
                "horizon_days": self._label.horizon_days,
                "unscored_days": self._label.unscored_days,
            },
            "champion": champion,
            "labels": self._labels(),
            "judged": self._judged(),
            "replicates": self._replicates,
            "models": models,
            "champion_minus": {kind: self._difference(kind) for kind in models if kind != champion},
            "like_visits": self._like_visits(),
            "whole_history": self._whole_history(),
            "lift_curve": self._lift_curve(),
        }

    @property
    def steps(self) -> int:
        return len(self.learned) + len(self.baselines)

    @property
    def _spell(self) -> int:
        return self._label.horizon_days

    def _since(self, kind: str) -> Snapshot:
        """From which day the model would have scored, or what it lacked."""
        walk = self._backtest.models[kind]
        if walk.scores_since is not None:
            return {"scores_since": date_of(walk.scores_since)}
        return {"scores_since": None, "no_score_because": why_heuristic(walk.contender.latest)}

    def _once_scoring(self, kind: str, rows: Predictions) -> Snapshot | None:
        """The figures of what people would have been shown as the model's score; None if it was not yet."""
        since = self._backtest.models[kind].scores_since
        shown = rows.where(rows.day >= since) if since is not None else None
        return summary(shown, self._spell, self._replicates) if shown is not None and len(shown) else None

    def _labels(self) -> Snapshot:
        events, others = self._backtest.champion.labels
        return {"with_event": events, "without": others, "needed": ENOUGH}

    def _judged(self) -> Snapshot:
        """The rows that figures rest on."""
        rows = self.champion
        return {
            "from": date_of(int(rows.day.min())),
            "to": date_of(int(rows.day.max())),
            "rows": len(rows),
            "accounts": len(np.unique(rows.account)),
            "with_event": int(rows.label.sum()),
            "accounts_with_event": len(np.unique(rows.account[rows.label])),
            "unscored": int((~rows.scored).sum()),
            "contacted": int(rows.contacted.sum()),
            "contacted_with_event": int((rows.contacted & rows.label).sum()),
        }

    def _difference(self, other: str) -> Snapshot:
        learned = other in self.learned
        rows = self.learned[other] if learned else self.baselines[other]
        found = compare(rows, self.champion, self._replicates)
        return comparison(self.champion, found if learned else {name: found[name] for name in RANKED})

    def _like_visits(self) -> Snapshot:
        """How alike each score is to visits; what is correlated are risks, of which visits have one as well."""
        tracks = self._backtest.champion.baselines
        if Visits.kind not in tracks:
            return {}
        visits = tracks[Visits.kind].said()[self._rows]
        said = {kind: rows.p for kind, rows in self.learned.items()}
        if Index.kind in tracks:
            said = {Index.kind: tracks[Index.kind].said()[self._rows], **said}
        account = self.champion.account
        return {kind: _alike(likeness(account, one, visits)) for kind, one in said.items()}

    def _whole_history(self) -> Snapshot | None:
        """What usage tells if all of it is counted, the future too, and what it tells until the snapshot."""
        if not self._totals:
            return None
        champion = self._backtest.champion

        def auc(rows: Predictions) -> Snapshot:
            found: Snapshot = ordering(rows.where(self._rows), self._replicates)["auc"]
            return found

        return {
            "look_ahead": LOOK_AHEAD,
            "auc": auc(champion.looking_ahead(self._totals).order()),
            "until_snapshot": auc(champion.usage.order()),
        }

    def _lift_curve(self) -> list[Snapshot]:
        """Of the scored rows: the riskiest share, and how many times more events it holds than one drawn blindly."""
        found = {}
        for kind, rows in {**self.learned, **self.baselines}.items():
            scored = rows.where(rows.scored)
            order = ranking(scored.p, scored.label)
            found[kind] = ranked(order, np.ones(len(scored)))
        return [
            {"share": share, "lift": {kind: number(lift(one, share)) for kind, one in found.items()}}
            for share in SHARES
        ]  # fmt: skip

    def predictions(self) -> Snapshot:
        """The judged rows, column by column. p: by model. order: by baseline, higher is riskier."""
        rows, track = self.champion, self._backtest.champion.track
        tracks = self._backtest.champion.baselines
        return {
            "account": [track.accounts[code] for code in rows.account.tolist()],
            "day": [date_of(day) for day in rows.day.tolist()],
            "label": rows.label.tolist(),
            "scored": rows.scored.tolist(),
            "contacted": rows.contacted.tolist(),
            "p": {kind: one.p.tolist() for kind, one in self.learned.items()},
            "order": {kind: one.said()[self._rows].tolist() for kind, one in tracks.items()},
        }


def _alike(found: Likeness) -> dict[str, Any]:
    written = {
        "accounts": found.accounts,
        "median": number(found.median),
        "middle_half": [number(found.low), number(found.high)] if found.accounts else None,
        "share_above": {"correlation": ALIKE, "accounts": number(found.alike)},
        "pooled": number(found.pooled),
    }
    return explained(written, f"no account has {LEAST_ROWS} snapshots between which both move")


def _customers(label: Label) -> str:
    """Whose snapshots there are, where that may be why there are none."""
    return "; only paying customers can churn" if label.kind == "churn" else ""

"""One model that learns from what became of accounts: the champion, or a challenger beside it.

First each example is predicted by the version that was known at its snapshot; only then is it learned. So calibration
and judgement rest on what was said when it was not yet known.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import xxhash

from models.assignment import is_held_out
from models.health.baselines import Index, index_parameters
from models.health.calibration import Calibration, fitted
from models.health.champion import AT_RISK, Typical, Version, decode_version, size_class
from models.health.classifier import Classifier, fresh, restore
from models.health.drift import DriftWatch
from models.health.example import Example
from models.health.inputs import chosen_of
from models.health.odds import log_odds_of
from models.health.records import (
    Progress,
    decode_progress,
    gone,
    kept,
    last_before,
    of_model,
    packed,
    progress_key,
    seen_key,
    split_key,
    version_key,
)
from models.health.seen import AT_RISK as AT_RISK_FLAG
from models.health.seen import HELD_OUT, Kept, Seen, decode_seen, seen_of
from models.health.state import State
from models.index import WEEK
from models.messages import Output, encode
from models.product import Product

CALIBRATED_ON, USUAL_OF = 364, 182
"""Days of labels that a model is calibrated on, and that the usual rate of the event is counted in."""
HALF_LIFE = 120
"""Days after which a label counts half in calibration: the rate of the event changes with the seasons."""
LEAST_SEEN = 10
"""Events, and accounts without, that a version has to have learned from for its predictions to count: those of one that
has seen less tell nothing of the ones to come."""
LEAST_ALIKE = 8
"""Accounts of a size from which on their middle half is told as typical."""


class Predicted(NamedTuple):
    """An example, and what the version that was known at its snapshot says of it: raw log odds eta."""

    example: Example
    version: Version
    eta: float


class Contender:
    """A model with its versions and what they predicted.

    kind: of the classifier, and the model's name. held: what is kept in `health-models`, by key; the state is data, and
    is never unpickled. told: is given a day's predictions, all of them, before the day is learned. parameters: those of
    a fresh classifier that are not as by default.
    """

    def __init__(
        self,
        kind: str,
        product: Product,
        held: Mapping[bytes, bytes] = {},
        told: Callable[[list[Predicted]], None] | None = None,
        parameters: State | None = None,
    ) -> None:
        self.kind, self.label, self._inputs, self._told = kind, product.label, product.health.inputs, told
        self._hold_out = product.capacity.hold_out
        self.versions: dict[int, Version] = {}
        self.seen: dict[int, Seen] = {}
        self.progress = Progress(recipe_of(kind, product))
        self._outdated: set[bytes] = set()
        """What was learned by another recipe, until the same has been learned by this one."""
        self._take_up(held)
        self._index = Index(index_parameters(product))
        latest = self.latest
        self._classifier: Classifier = fresh(kind, parameters or {}) if latest is None else restore(kind, latest.state)

    def _take_up(self, held: Mapping[bytes, bytes]) -> None:
        mine, key = of_model(held, self.kind), progress_key(self.kind)
        progress = decode_progress(held[key]) if key in held else None
        if progress is None or progress.recipe != self.progress.recipe:
            self._outdated = set(mine)
            return
        self.progress = progress
        for key in mine:
            kind, _, day = split_key(key)
            if day > self.learned:  # of a day that was not finished
                continue
            if kind == "version":
                self.versions[day] = decode_version(held[key])
            else:
                self.seen[day] = decode_seen(held[key])

    @property
    def learned(self) -> int:
        """The last day whose labels have been learned."""
        return self.progress.learned

    @property
    def latest(self) -> Version | None:
        """What has been learned last."""
        return self.versions[max(self.versions)] if self.versions else None

    def version_before(self, day: int) -> Version | None:
        """The version that a day is closed with, if its predictions count."""
        known = last_before(self.versions, day)
        version = None if known is None else self.versions[known]
        return version if version is not None and predicts(version) else None

    # -- a day -------------------------------------------------------------------------------------------------------

    def learn_day(self, day: int, examples: list[Example], withheld: tuple[str, ...]) -> list[Output]:
        """Predict and learn a day's examples. withheld: inputs that are held out. What is to be kept of it."""
        if day <= self.learned:
            return []
        self._predict(day, examples)
        for example in examples:
            self._classifier.learn(chosen_of(example.features, self._inputs, withheld), example.label)
        self.versions[day] = version = self._version(day, examples, withheld)
        outputs = [Output("health-models", 0, version_key(self.kind, day), packed(version))]
        if day in self.seen:
            outputs.append(kept(seen_key(self.kind, day), self.seen[day]))
        return outputs

    def _predict(self, day: int, examples: list[Example]) -> None:
        """What the versions known at the snapshots say; nothing where none had seen both ends by then."""
        by_version: dict[int, Classifier] = {}
        found: list[Predicted] = []
        for example in examples:
            version = self.version_before(example.day)
            if version is None:
                continue
            if version.day not in by_version:
                by_version[version.day] = restore(version.kind, version.state)
            found.append(Predicted(example, version, by_version[version.day].log_odds(version.read(example.features))))
        if found:
            self.seen[day] = seen_of([self._kept(one) for one in found])
            watch = DriftWatch(self.progress.residual)
            watch.update(day, self.seen[day].residual())
            self.progress.residual = watch.watched
            if self._told is not None:
                self._told(found)

    def _kept(self, one: Predicted) -> Kept:
        example, p = one.example, one.version.calibration.probability(one.eta)
        flags = AT_RISK_FLAG * (one.version.times_usual(p) >= AT_RISK)
        flags |= HELD_OUT * is_held_out(example.account_id, self._hold_out)
        return Kept(example, one.eta, p, self._index.log_odds(example.features), flags)

    def _version(self, day: int, examples: list[Example], withheld: tuple[str, ...]) -> Version:
        before = self.latest
        events = sum(example.label for example in examples)
        others = len(examples) - events
        self.progress.labels[day] = (events, others)
        return Version(
            kind=self.kind,
            day=day,
            state=self._classifier.state(),
            calibration=self._calibrated(day),
            wanted=self.label.kind == "conversion",
            usual=self._usual(day),
            events=events + (0 if before is None else before.events),
            others=others + (0 if before is None else before.others),
            typical=typical(examples),
            inputs=self._inputs,
            withheld=withheld,
        )

    def _calibrated(self, day: int) -> Calibration:
        recent = {learned: one for learned, one in self.seen.items() if learned > day - CALIBRATED_ON}
        if not recent:
            return Calibration()
        eta = np.concatenate([one.etas() for one in recent.values()])
        label = np.concatenate([one.labels() for one in recent.values()])
        account = np.concatenate([one.accounts() for one in recent.values()])
        ages = [np.full(len(one.etas()), day - learned) for learned, one in recent.items()]
        return fitted(eta, label, 0.5 ** (np.concatenate(ages) / HALF_LIFE), account)

    def _usual(self, day: int) -> float:
        """Log odds of the event among the labels of the last half year."""
        recent = [count for learned, count in self.progress.labels.items() if learned > day - USUAL_OF]
        return log_odds_of(sum(events for events, _ in recent), sum(others for _, others in recent))

    # -- behind the days -----------------------------------------------------------------------------------------------

    def reach(self, day: int) -> Output:
        """Every day up to this one has been learned. To be kept behind what was learned."""
        if day > self.learned:
            self.progress.learned, self.progress.sure = day, self._sure(day)
            last = max(self.versions, default=day)
            labels = self.progress.labels
            self.progress.labels = {learned: count for learned, count in labels.items() if learned > last - USUAL_OF}
        return kept(progress_key(self.kind), self.progress)

    def _sure(self, learned: int) -> int:
        """Until when no version can come that scores. One is calibrated on predictions whose labels have come, and
        while no version's predictions count none has been made: the first that scores is a horizon away or more."""
        made = any(predicts(version) for version in self.versions.values())
        return learned if made else learned + self.label.horizon_days

    def let_go(self, day: int) -> list[Output]:
        """Forget versions that no snapshot waits for any more, and predictions that nothing rests on. To be kept last:
        whatever of it has not come when the learner dies is learned again from the same."""
        oldest = day - self.label.horizon_days - 2 * WEEK
        needed = last_before(self.versions, oldest)
        versions = [] if needed is None else [learned for learned in self.versions if learned < needed]
        seen = [learned for learned in self.seen if learned <= day - CALIBRATED_ON]
        for learned in versions:
            del self.versions[learned]
        for learned in seen:
            del self.seen[learned]
        keys = [version_key(self.kind, learned) for learned in versions]
        keys += [seen_key(self.kind, learned) for learned in seen]
        return [gone(key) for key in keys]

    def replaced(self) -> list[Output]:
        """What was learned by a former recipe and has not been learned anew goes."""
        mine = {version_key(self.kind, day) for day in self.versions} | {seen_key(self.kind, day) for day in self.seen}
        outdated, self._outdated = self._outdated - mine, set()
        return [gone(key) for key in sorted(outdated)]


def recipe_of(kind: str, product: Product) -> str:
    """What a model is learned by. Examples hold every input; which are read is part of the recipe."""
    health = product.health
    return xxhash.xxh3_64_hexdigest(encode([kind, health.inputs, health.allowed]))


def predicts(version: Version) -> bool:
    """Whether a version has seen enough of both ends for its predictions to count."""
    return min(version.events, version.others) >= LEAST_SEEN


def typical(examples: Sequence[Example]) -> Typical:
    """For each input the middle half of the accounts of a size, where there are enough of them."""
    alike: dict[str, dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
    for example in examples:
        size = size_class(example.features.get("members", 0))
        for name, value in example.features.items():
            alike[name][size].append(value)
    return {
        name: {
            size: (float(low), float(high))
            for size, values in sorted(by_size.items())
            if len(values) >= LEAST_ALIKE
            for low, high in [np.quantile(values, (0.25, 0.75))]
        }
        for name, by_size in sorted(alike.items())
    }

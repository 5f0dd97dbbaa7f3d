"""Learning from what became of accounts: a day's examples at a time, in an order that never depends on arrival.

A day is learned when every partition has sent its marker, in the order (release day, account, snapshot day), so the
same log gives the same models, byte for byte. First each example is predicted by the version that was known at its
snapshot; only then is it learned. So calibration and judgement rest on what was said when it was not yet known.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
import numpy as np

from models.health.calibration import Calibration, fitted
from models.health.champion import Typical, Version, decode_version, size_class
from models.health.classifier import Classifier, fresh, restore
from models.health.example import Example, decode_example
from models.health.odds import log_odds_of
from models.health.records import STATE_KEY, State, decode_state, last_before, seen_key, split_key, version_key
from models.health.seen import Seen, seen_of
from models.index import WEEK
from models.messages import Output, encode
from models.product import Product
from models.rows import NEVER

CALIBRATED_ON, USUAL_OF = 364, 182
"""Days of labels that a model is calibrated on, and that the usual rate of the event is counted in."""
HALF_LIFE = 120
"""Days after which a label counts half in calibration: the rate of the event changes with the seasons."""
LEAST_SEEN = 10
"""Events, and accounts without, that a version has to have learned from for its predictions to count: those of one that
has seen less tell nothing of the ones to come."""
LEAST_ALIKE = 8
"""Accounts of a size from which on their middle half is told as typical."""
decode_seen = msgspec.json.Decoder(Seen).decode


class Predicted(NamedTuple):
    """An example, and what the version that was known at its snapshot says of it: raw log odds eta."""

    example: Example
    version: Version
    eta: float


class Learning:
    """The learner's state.

    kept: what stands in `health-models`, by key; the state is data, and is never unpickled. told: is given a day's
    predictions, all of them, before the day is learned.
    """

    def __init__(
        self,
        product: Product,
        kept: Mapping[bytes, bytes] = {},
        told: Callable[[list[Predicted]], None] | None = None,
    ) -> None:
        self.label, self.model, self._told = product.label, product.health.model, told
        self.state = decode_state(kept[STATE_KEY]) if STATE_KEY in kept else State()
        self.versions: dict[int, Version] = {}
        self.seen: dict[int, Seen] = {}
        for key, value in kept.items():
            self._take_up(key, value)
        self._classifier = self._as_learned()
        self._pending: dict[int, dict[tuple[str, int], Example]] = defaultdict(dict)
        """Release day -> (account, snapshot day) -> example."""
        self._heard = False
        """Whether a marker has come that is not among what is kept."""

    def _take_up(self, key: bytes, value: bytes) -> None:
        kind, model, day = split_key(key)
        if model == self.model and day <= self.state.learned:  # a later one is of a day that was not finished
            if kind == "version":
                self.versions[day] = decode_version(value)
            elif kind == "seen":
                self.seen[day] = decode_seen(value)

    def _as_learned(self) -> Classifier:
        return fresh(self.model, {}) if self.latest is None else restore(self.model, self.latest.state)

    # -- taking ------------------------------------------------------------------------------------------------------

    def take(self, message: bytes) -> None:
        """Take one record of `health-examples`. What comes again changes nothing."""
        value: dict[str, Any] = msgspec.json.decode(message)
        if "marker" in value:
            partition = value["partition"]
            if value["marker"] > self.state.markers.get(partition, NEVER):
                self.state.markers[partition] = value["marker"]
                self._heard = True
            return
        example = decode_example(message)
        if example.release > self.state.learned:
            self._pending[example.release][example.account_id, example.day] = example

    @property
    def has_all(self) -> bool:
        """Whether nothing waits to be learned: then what was taken may be acknowledged."""
        return not self._pending

    def learn(self, partitions: int) -> list[Output]:
        """Learn every day of which all partitions have sent all; what is to be kept of it.

        The state stands behind what has been learned and before what is let go. So whichever beginning of it has come
        when the learner dies, the rest is learned again from the same. It is kept, too, when only markers have come:
        they may be acknowledged, and never come again.
        """
        markers, heard = self.state.markers, self._heard
        self._heard = False
        ready = min(markers.values()) if len(markers) == partitions else NEVER
        if ready <= self.state.learned:
            return [_kept(STATE_KEY, self.state)] if heard else []
        outputs, let_go = list[Output](), list[Output]()
        days = sorted(day for day in self._pending if day <= ready)
        for day in days:
            outputs += self._learn_day(day, sorted(self._pending.pop(day).values(), key=lambda one: one.place))
        if days:
            let_go = self._let_go(days[-1])
        self.state.learned, self.state.sure = ready, self._sure(ready)
        return [*outputs, _kept(STATE_KEY, self.state), *let_go]

    def _sure(self, learned: int) -> int:
        """Until when no version can come that scores. One is calibrated on predictions whose labels have come, and
        while no version's predictions count none has been made: the first that scores is a horizon away or more."""
        made = any(predicts(version) for version in self.versions.values())
        return learned if made else learned + self.label.horizon_days

    # -- a day -------------------------------------------------------------------------------------------------------

    def _learn_day(self, day: int, examples: list[Example]) -> list[Output]:
        self._predict(day, examples)
        for example in examples:
            self._classifier.learn(example.features, example.label)
        self.versions[day] = self._version(day, examples)
        outputs = [_kept(version_key(self.model, day), self.versions[day])]
        if day in self.seen:
            outputs.append(_kept(seen_key(self.model, day), self.seen[day]))
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
            found.append(Predicted(example, version, by_version[version.day].log_odds(example.features)))
        if found:
            self.seen[day] = seen_of(
                [one.example for one in found],
                [one.eta for one in found],
                [one.version.calibration for one in found],
            )
            if self._told is not None:
                self._told(found)

    @property
    def latest(self) -> Version | None:
        """What has been learned last."""
        return self.versions[max(self.versions)] if self.versions else None

    def version_before(self, day: int) -> Version | None:
        """The version that a day is closed with, if its predictions count."""
        known = last_before(self.versions, day)
        version = None if known is None else self.versions[known]
        return version if version is not None and predicts(version) else None

    def _version(self, day: int, examples: list[Example]) -> Version:
        before = self.latest
        events = sum(example.label for example in examples)
        others = len(examples) - events
        self.state.labels[day] = (events, others)
        return Version(
            kind=self.model,
            day=day,
            state=self._classifier.state(),
            calibration=self._calibrated(day),
            wanted=self.label.kind == "conversion",
            usual=self._usual(day),
            events=events + (0 if before is None else before.events),
            others=others + (0 if before is None else before.others),
            typical=typical(examples),
        )

    def _calibrated(self, day: int) -> Calibration:
        recent = {learned: one for learned, one in self.seen.items() if learned > day - CALIBRATED_ON}
        if not recent:
            return Calibration()
        eta = np.concatenate([one.etas() for one in recent.values()])
        label = np.concatenate([one.labels() for one in recent.values()])
        ages = [np.full(len(one.etas()), day - learned) for learned, one in recent.items()]
        return fitted(eta, label, 0.5 ** (np.concatenate(ages) / HALF_LIFE))

    def _usual(self, day: int) -> float:
        """Log odds of the event among the labels of the last half year."""
        recent = [count for learned, count in self.state.labels.items() if learned > day - USUAL_OF]
        return log_odds_of(sum(events for events, _ in recent), sum(others for _, others in recent))

    def _let_go(self, day: int) -> list[Output]:
        """Forget versions that no snapshot waits for any more, and predictions that nothing rests on."""
        state = self.state
        state.labels = {learned: count for learned, count in state.labels.items() if learned > day - USUAL_OF}
        oldest = day - self.label.horizon_days - 2 * WEEK
        needed = last_before(self.versions, oldest)
        versions = [] if needed is None else [learned for learned in self.versions if learned < needed]
        seen = [learned for learned in self.seen if learned <= day - CALIBRATED_ON]
        for learned in versions:
            del self.versions[learned]
        for learned in seen:
            del self.seen[learned]
        keys = [version_key(self.model, learned) for learned in versions]
        keys += [seen_key(self.model, learned) for learned in seen]
        return [Output("health-models", 0, key, None) for key in keys]


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


def _kept(key: bytes, value: Any) -> Output:
    return Output("health-models", 0, key, encode(value))

"""What is watched of the inputs, whichever model learns from them: whether they move, and whether one tells too much.

An input that alone tells who will have the event is held out from the day on which that is seen, of every model, until
a person allows it (`[health] allowed` in livelift.toml).
"""

from collections.abc import Mapping

import msgspec
import numpy as np
from msgspec import Struct

from models.health.drift import DriftWatch, Watched, watch_inputs
from models.health.example import Example, hash_of
from models.health.leakage import Leak, leaks
from models.health.records import MONITORING_KEY, gone, kept, sample_key, split_key
from models.messages import Output
from models.rows import NEVER

MOST = 50
"""Accounts with the event, and without, of each day that are looked at for leaks."""
SHORT, LONG = 56, 182
"""Days of labels that are looked at together: an input that has just begun to leak shows in the short time, one that
tells of a rare event only in the long one."""


class HeldOut(Struct, frozen=True):
    """Why an input is held out. since: the first day of whose labels it is not learned. by, auc and counts: those of
    `models.health.leakage.Leak`."""

    since: int
    by: str
    auc: float
    with_event: int
    without: int


class Watching(Struct):
    """What has been seen of the inputs, up to the day whose labels were looked at last."""

    learned: int = NEVER
    watches: dict[str, Watched] = {}
    held_out: dict[str, HeldOut] = {}


class Sampled(Struct, frozen=True):
    """A sampled example: the account's hash, whether the event came, and what was known."""

    account: int
    label: bool
    features: dict[str, float]


Sample = list[Sampled]
decode_watching = msgspec.json.Decoder(Watching).decode
decode_sample = msgspec.json.Decoder(Sample).decode


class Monitoring:
    """The watch over the inputs. allowed: inputs that a person has looked at, and that are not held out. held: what is
    kept in `health-models`, by key."""

    def __init__(self, allowed: tuple[str, ...] = (), held: Mapping[bytes, bytes] = {}) -> None:
        self._allowed = allowed
        self.state = decode_watching(held[MONITORING_KEY]) if MONITORING_KEY in held else Watching()
        self._watches = {name: DriftWatch(watched) for name, watched in self.state.watches.items()}
        self._samples: dict[int, Sample] = {}
        for key, value in held.items():
            kind, _, day = split_key(key)
            if kind == "sample" and day <= self.learned:
                self._samples[day] = decode_sample(value)

    @property
    def learned(self) -> int:
        """The last day whose labels have been looked at."""
        return self.state.learned

    def withheld(self, day: int) -> tuple[str, ...]:
        """The inputs that a day's labels are learned without."""
        held_out = self.state.held_out.items()
        return tuple(sorted(name for name, why in held_out if why.since <= day and name not in self._allowed))

    def look_at(self, day: int, examples: list[Example]) -> list[Output]:
        """Look at a day's examples before they are learned. What is to be kept of it."""
        if day <= self.learned:
            return []
        watch_inputs(self._watches, day, [one.features for one in examples])
        self._samples[day] = sample = sample_of(examples)
        for window in (SHORT, LONG):
            for leak in self._leaks(day - window):
                why = HeldOut(day, leak.by, leak.auc, leak.with_event, leak.without)
                self.state.held_out.setdefault(leak.feature, why)
        return [kept(sample_key(day), sample)]

    def _leaks(self, since: int) -> list[Leak]:
        every = [one for learned, sample in self._samples.items() if learned > since for one in sample]
        label = np.array([one.label for one in every], bool)
        return leaks([one.features for one in every], label, np.array([one.account for one in every], np.uint64))

    def reach(self, day: int) -> Output:
        """Every day up to this one has been looked at. To be kept behind the samples."""
        self.state.learned = max(self.learned, day)
        self.state.watches = {name: watch.watched for name, watch in self._watches.items()}
        return kept(MONITORING_KEY, self.state)

    def let_go(self, day: int) -> list[Output]:
        """Forget samples that are no longer looked at. To be kept last."""
        old = [learned for learned in self._samples if learned <= day - LONG]
        for learned in old:
            del self._samples[learned]
        return [gone(sample_key(learned)) for learned in old]


def sample_of(examples: list[Example]) -> Sample:
    """Of the scored examples of each label those of the accounts with the smallest hashes: the same whoever draws."""
    found: Sample = []
    for label in (True, False):
        mine = [one for one in examples if one.scored and one.label == label]
        mine.sort(key=lambda one: (hash_of(one.account_id), one.day))
        found += [Sampled(hash_of(one.account_id), label, one.features) for one in mine[:MOST]]
    return found

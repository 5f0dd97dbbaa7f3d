"""A version of the model that scores: what scorers need of it, and how it judges an account."""

from collections.abc import Callable, Mapping
from functools import cached_property
from math import exp, log

import msgspec
from msgspec import Struct

from models.account import Account
from models.bands import Band, Bands
from models.basis import Driver, Judged, Risk
from models.health.calibration import Calibration
from models.health.classifier import Classifier, restore
from models.health.drivers import explained, shared_out
from models.health.features import Features
from models.health.inputs import chosen_of
from models.health.odds import probability
from models.health.records import unpacked
from models.health.state import State

ENOUGH = 30
"""Labels with the event, and without, that a model has to have learned from before it scores."""
AT_RISK, WATCH = 4.0, 2.0
"""How many times the usual odds of the bad end put an account into a band."""
CLEARLY = 1.25
"""The factor of the odds beyond an edge at which a band is left (hysteresis)."""
Typical = dict[str, dict[int, tuple[float, float]]]
"""input -> class of size -> the middle half of accounts of that size."""


class Version(Struct, frozen=True):
    """What a model had learned when a day had closed.

    kind: of the classifier. day: the day whose labels it learned last. wanted: whether the event is what one hopes for.
    usual: log odds of the event among the examples of late. events, others: labels it has learned from. inputs: names
    or patterns of what it reads, none for all; withheld: inputs that are held out of it.
    """

    kind: str
    day: int
    state: State
    calibration: Calibration
    wanted: bool
    usual: float
    events: int
    others: int
    typical: Typical = {}
    inputs: tuple[str, ...] = ()
    withheld: tuple[str, ...] = ()

    def read(self, features: Mapping[str, float]) -> Mapping[str, float]:
        """What it reads of an account's features."""
        return chosen_of(features, self.inputs, self.withheld)

    def times_usual(self, event: float) -> float:
        """How many times the usual odds of the bad end an account has, by its probability of the event."""
        event = min(max(event, 1e-9), 1 - 1e-9)
        above = log(event / (1 - event)) - self.usual
        return exp(-above if self.wanted else above)

    @property
    def enough(self) -> bool:
        """Whether enough has been learned to score by: below that it is mostly chance."""
        return min(self.events, self.others) >= ENOUGH and self.calibration.enough

    @property
    def name(self) -> str:
        """What score messages name as their basis."""
        return f"{self.kind}@{self.day}"


_decoder = msgspec.json.Decoder(Version)


def decode_version(value: bytes) -> Version:
    """A version as it is kept."""
    return _decoder.decode(unpacked(value))


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


def size_class(members: float) -> int:
    """Accounts of similar size: up to 1, 3, 7, 15, ... users."""
    return int(max(members, 0)).bit_length()


class Champion:
    """The basis of scores once a model has learned: judges accounts by one version of it.

    features: reads an account's inputs at the end of a day.
    """

    def __init__(self, version: Version, features: Callable[[Account, int], Features]) -> None:
        self.version, self._features = version, features
        self.name, self.kind, self.because = version.name, version.kind, None
        self._classifier: Classifier = restore(version.kind, version.state)

    @cached_property
    def baseline(self) -> int:
        eta0, _ = self._classifier.parts({})
        return explained(eta0, {}, self.version.calibration, self.version.wanted).baseline

    @cached_property
    def bands(self) -> Bands:
        """Edges are multiples of the usual odds of the bad end, so that a band means the same at every base rate."""
        usual_of_bad = self._usual_of_bad

        def score(times: float) -> int:
            return round(10_000 * probability(-(usual_of_bad + log(times))))

        def band(name: str, times: float) -> Band:
            return Band(name, score(times), score(times * CLEARLY), score(times / CLEARLY))

        return band("healthy", WATCH), band("watch", AT_RISK), Band("at_risk", 0, 0, 0)

    def inputs(self, account: Account, day: int) -> Mapping[str, float]:
        return self.version.read(self._features(account, day))

    def judge(self, account: Account, day: int) -> Judged:
        known = self.inputs(account, day)
        eta, calibration = self._classifier.log_odds(known), self.version.calibration
        event, (low, high) = calibration.probability(eta), calibration.interval(eta)
        if self.version.wanted:
            return Judged(round(10_000 * event), event, known, (low, high))
        return Judged(round(10_000 * (1 - event)), 1 - event, known, (1 - high, 1 - low))

    def drivers(self, account: Account, day: int, judged: Judged) -> list[Driver]:
        """The parts of the score, the weightiest first."""
        known = judged.inputs
        eta0, phi = self._classifier.parts(known)
        found = explained(eta0, phi, self.version.calibration, self.version.wanted)
        size = size_class(account.users_on(day))  # whether or not the model reads how many there are
        drivers = [
            Driver(name, known.get(name), points, self.version.typical.get(name, {}).get(size))
            for name, points in found.contributions.items()
        ]
        return sorted(drivers, key=lambda driver: (-abs(driver.contribution), driver.feature))

    def difference(self, before: Judged, after: Judged) -> dict[str, int]:
        """Explained as a score is, with the account as it was before in the place of the typical one.

        Differences of two readings' drivers would add up, too, but give a part to inputs that are as they were: what an
        input's log odds are worth in points depends on all the others.
        """
        (eta0, was), (_, now) = (self._classifier.parts(one.inputs) for one in (before, after))
        phi = {name: now.get(name, 0.0) - was.get(name, 0.0) for name in sorted(was.keys() | now.keys())}
        moved = {name: part for name, part in phi.items() if part}
        calibration, total = self.version.calibration, after.score - before.score
        return shared_out(eta0 + sum(was.values()), moved, calibration, self.version.wanted, total)

    def times_usual(self, judged: Judged) -> float:
        """How many times the usual odds of the bad end the account has: "4 times the usual risk"."""
        assert judged.probability is not None
        return self.version.times_usual(judged.probability if self.version.wanted else 1 - judged.probability)

    def risk(self, judged: Judged) -> Risk | None:
        return Risk(self.times_usual(judged), WATCH, AT_RISK, probability(self._usual_of_bad))

    @property
    def _usual_of_bad(self) -> float:
        """Log odds of the bad end among the examples of late."""
        return -self.version.usual if self.version.wanted else self.version.usual

"""What a score rests on: the activity index, or a model that has learned. Both judge an account at the end of a day."""

from collections.abc import Mapping
from typing import NamedTuple, Protocol

from models.account import Account
from models.bands import Bands
from models.index import BANDS, BASELINE, Inputs, difference_of, drivers_of, inputs_of, score_of

HEURISTIC = "heuristic"
NO_MODEL = "no model has learned yet; the score is an activity index"


class Judged(NamedTuple):
    """An account as judged at the end of a day.

    score: in hundredths of points, 0 to 10000. probability: of the good end (staying, or converting); None where the
    score is no probability. inputs: what was known of it, by name. interval: between which values the probability lies,
    at 95 %, given how well its calibration is known.
    """

    score: int
    probability: float | None
    inputs: Mapping[str, float]
    interval: tuple[float, float] | None = None


class Driver(NamedTuple):
    """One signed part of a score.

    value: None where nothing is known of the input, or the part is no input. contribution: hundredths of points.
    typical: what the middle half of accounts of similar size have.
    """

    feature: str
    value: float | None
    contribution: int
    typical: tuple[float, float] | None = None


class Risk(NamedTuple):
    """An account's risk beside everybody's, and where bands begin.

    times_usual: how many times the usual odds of the bad end it has. watch_from, at_risk_from: the multiples at which
    these bands begin. usual_rate: the share of accounts that has come to the bad end of late.
    """

    times_usual: float
    watch_from: float
    at_risk_from: float
    usual_rate: float


class Basis(Protocol):
    """A way to judge accounts."""

    @property
    def name(self) -> str:
        """What a score message names as its basis: `heuristic`, or the model and its version."""
        ...

    @property
    def kind(self) -> str:
        """Scores of one kind may be compared over time; those of another may not."""
        ...

    @property
    def because(self) -> str | None:
        """Why its scores are no probabilities; None where they are."""
        ...

    @property
    def bands(self) -> Bands: ...

    @property
    def baseline(self) -> int:
        """The score of a typical account, in hundredths: the drivers add up to score minus baseline."""
        ...

    def inputs(self, account: Account, day: int) -> Mapping[str, float]:
        """What is known of an account at the end of a day, by name: a judgement's inputs."""
        ...

    def judge(self, account: Account, day: int) -> Judged: ...

    def drivers(self, account: Account, day: int, judged: Judged) -> list[Driver]: ...

    def difference(self, before: Judged, after: Judged) -> dict[str, int]:
        """What changed the score between two readings of an account, in hundredths: by input, adding up exactly."""
        ...

    def risk(self, judged: Judged) -> Risk | None:
        """None where the score is no probability."""
        ...


class ActivityIndex:
    """The basis until a model has learned from enough labels."""

    name = kind = HEURISTIC
    bands = BANDS
    baseline = 100 * BASELINE

    def __init__(self, regular_days: float, because: str | None = NO_MODEL) -> None:
        self._regular, self.because = regular_days, because

    def inputs(self, account: Account, day: int) -> Mapping[str, float]:
        return inputs_of(account, day, self._regular)._asdict()

    def judge(self, account: Account, day: int) -> Judged:
        inputs = inputs_of(account, day, self._regular)
        return Judged(score_of(inputs), None, inputs._asdict())

    def drivers(self, account: Account, day: int, judged: Judged) -> list[Driver]:
        return [Driver(*one) for one in drivers_of(Inputs(**judged.inputs))]

    def difference(self, before: Judged, after: Judged) -> dict[str, int]:
        return difference_of(Inputs(**before.inputs), Inputs(**after.inputs))

    def risk(self, judged: Judged) -> Risk | None:
        return None

"""What makes a score what it is: signed points of each feature, that add up exactly."""

from collections.abc import Mapping
from typing import NamedTuple

from models.health.calibration import Calibration
from models.rounding import largest_remainder

POINT = 100
"""Hundredths of a point."""
NEAR = 1e-4
"""Log odds so close to the typical account's that the limit is used: it is then exact to their square."""


class Explained(NamedTuple):
    """A score and its parts, all in hundredths of points: score = baseline + sum(contributions).

    baseline: the score of a typical account, of which nothing is known but the model.
    """

    score: int
    baseline: int
    contributions: dict[str, int]


def explained(eta0: float, phi: Mapping[str, float], calibration: Calibration, wanted: bool) -> Explained:
    """The score of an account whose log odds of the event are eta0 + sum(phi).

    wanted: the event is what one hopes for (conversion): the score is 100 times its probability; otherwise (churn,
    inactivity) 100 times the probability of its absence, and what raises the risk counts negative.

    Each feature gets 100·phi·(f(eta) - f(eta0)) / (eta - eta0), f being the calibrated probability: its share of the
    way along the chord, in points; at eta = eta0 the chord is the tangent, f'(eta0).
    """
    eta = eta0 + sum(phi.values())
    score, baseline = _score(calibration, eta, wanted), _score(calibration, eta0, wanted)
    return Explained(score, baseline, shared_out(eta0, phi, calibration, wanted, score - baseline))


def shared_out(
    eta0: float, phi: Mapping[str, float], calibration: Calibration, wanted: bool, total: int
) -> dict[str, int]:
    """The way from log odds eta0 to eta0 + sum(phi), which changes the score by `total`, by feature (`explained`)."""
    chord = (100 * POINT if wanted else -100 * POINT) * _chord(calibration, eta0, eta0 + sum(phi.values()))
    parts = largest_remainder([chord * part for part in phi.values()], total)
    return dict(zip(phi, parts, strict=True))


def _score(calibration: Calibration, eta: float, wanted: bool) -> int:
    p = calibration.probability(eta)
    return round(100 * POINT * (p if wanted else 1 - p))


def _chord(calibration: Calibration, eta0: float, eta: float) -> float:
    if abs(eta - eta0) < NEAR:
        return calibration.slope((eta0 + eta) / 2)
    return (calibration.probability(eta) - calibration.probability(eta0)) / (eta - eta0)

"""What is true about the offer in a made-up exercise: the effects that an analysis should find.

Read from both potential courses of every customer, which only a simulation has. Of the sample at hand, from the
outcomes as they fall; of the population, from 200,000 customers and the chances behind their outcomes.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from models.simulated_people import Course, Parameters, draw, live

POPULATION = 200_000
POPULATION_SEED = 20_260_505


@dataclass(frozen=True, slots=True)
class ArmTruth:
    """What everybody would do if everybody were in this arm: shares, and tasks completed per customer."""

    conversion: float
    uptake: float
    tasks_completed: float
    stuck: float


@dataclass(frozen=True, slots=True)
class Truth:
    """The effects of being in the test arm, test minus control, averaged over `customers`."""

    customers: int
    control: ArmTruth
    test: ArmTruth
    itt: float
    """Effect of being offered help on conversion, over everybody."""
    first_stage: float
    """Effect of the offer on using CS: the share of compliers."""
    complier_effect: float | None
    """Effect on conversion of using CS among those who use it only when offered; None without such customers."""
    tasks_effect: float
    stuck_effect: float


def truth_of(control: Course, test: Course, expected: bool = False) -> Truth:
    """Compare both courses of the same people; `expected`: by chances of converting instead of what was drawn."""
    outcomes = [course.probability if expected else course.converted.astype(float) for course in (control, test)]
    gain = outcomes[1] - outcomes[0]
    compliers = test.took_cs & ~control.took_cs
    arms = [_arm(course, float(outcome.mean())) for course, outcome in zip((control, test), outcomes, strict=True)]
    return Truth(
        customers=len(gain),
        control=arms[0],
        test=arms[1],
        itt=float(gain.mean()),
        first_stage=arms[1].uptake - arms[0].uptake,
        complier_effect=float(gain[compliers].mean()) if compliers.any() else None,
        tasks_effect=arms[1].tasks_completed - arms[0].tasks_completed,
        stuck_effect=arms[1].stuck - arms[0].stuck,
    )


def _arm(course: Course, conversion: float) -> ArmTruth:
    return ArmTruth(
        conversion=conversion,
        uptake=float(course.took_cs.mean()),
        tasks_completed=float(course.tasks_completed.mean()),
        stuck=float(course.stuck.mean()),
    )


@lru_cache(maxsize=64)
def population_truth(parameters: Parameters) -> Truth:
    """The truth that estimates from many samples should average to (simulation error of the ITT below 0.001)."""
    people = draw(POPULATION, np.random.default_rng(POPULATION_SEED))
    return truth_of(live(people, False, parameters), live(people, True, parameters), expected=True)

"""The trial exercise, made up with known truth: a one-day cohort, a help widget for some, three tasks, 30 days.

The same situation as in the published exercise (a widget offers Customer Success when the product sees a trial
customer in trouble), so that the whole system can be tried, shown and checked against effects that are known.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np

from models.clock import DAY, SECOND
from models.simulated_people import SEGMENTS, TASKS, Course, Flags, Parameters, People, draw, live
from models.simulated_truth import Truth, population_truth, truth_of

COHORT_DAY = 20_578
"""2026-05-05 as days since 1970: everybody joins on this UTC day."""
EXPERIMENT = "getting-started-widget"
CS_CHANNELS = (("article", 0.40), ("video", 0.60), ("chatbot", 0.85), ("call", 1.0))
OTHER_CHANNELS = (("search", 0.55), ("accountant", 0.85), ("colleague", 1.0))
"""(channel, cumulative share)."""


class Attempt(NamedTuple):
    """A task begun, and completed or not; microseconds."""

    task: str
    started_at: int
    completed_at: int | None


class Rescue(NamedTuple):
    """Help used: for trouble at a task that the product saw, or (no task, not needed) from curiosity."""

    at: int
    source: str
    channel: str
    needed_at: int | None
    task: str | None


class Customer(NamedTuple):
    """One simulated customer as the product would have recorded them; an account of one person."""

    id: str
    arm: str
    joined_at: int
    employees: int
    segment: str
    attempts: tuple[Attempt, ...]
    rescues: tuple[Rescue, ...]
    converted: bool
    decided_at: int


@dataclass(frozen=True, slots=True)
class SimulatedExercise:
    """Both potential courses of every customer, which arm each was really in, and what is true about them."""

    seed: int
    parameters: Parameters
    people: People
    in_test: Flags
    control: Course
    test: Course

    def customers(self) -> Iterator[Customer]:
        """Every customer as they would have been recorded, in the order in which they joined."""
        return (_customer(self, index) for index in range(len(self.in_test)))

    @property
    def sample(self) -> Truth:
        """The truth about these very customers, from the outcomes that fell."""
        return truth_of(self.control, self.test)

    @property
    def population(self) -> Truth:
        """The truth about the endless supply of customers that these were drawn from."""
        return population_truth(self.parameters)

    @property
    def left_stuck(self) -> int:
        """Customers who, in the arm they were in, began a task and never completed it."""
        return int(np.where(self.in_test, self.test.stuck, self.control.stuck).sum())

    def truth(self) -> dict[str, Any]:
        """What the sidecar file states, as plain values."""
        return {
            "simulated": True,
            "experiment": EXPERIMENT,
            "seed": self.seed,
            "customers": len(self.in_test),
            "in_test": int(self.in_test.sum()),
            "left_stuck": self.left_stuck,
            "population": asdict(self.population),
            "sample": asdict(self.sample),
            "parameters": asdict(self.parameters),
        }


def simulate(
    customers: int = 1000, seed: int = 1, share_test: float = 0.30, effect: float = 1.0, offer: float = 1.0
) -> SimulatedExercise:
    """Make up one exercise. effect=0: CS help is no better than other help, so the offer changes no outcome;
    offer=0: the widget is not seen, so the arms differ in nothing at all. The same arguments give the same exercise."""
    parameters = Parameters(share_test=share_test, effect=effect, offer=offer)
    people = draw(customers, np.random.default_rng(seed))
    in_test = people.arm_luck < share_test
    return SimulatedExercise(
        seed, parameters, people, in_test, live(people, False, parameters), live(people, True, parameters)
    )


def _customer(exercise: SimulatedExercise, index: int) -> Customer:
    people, in_test = exercise.people, bool(exercise.in_test[index])
    course = exercise.test if in_test else exercise.control
    return Customer(
        id=f"C{index + 1:06d}",
        arm="test" if in_test else "control",
        joined_at=_instant(people, index, 0.0),
        employees=int(people.employees[index]),
        segment=SEGMENTS[people.segment[index]],
        attempts=tuple(_attempts(people, course, index)),
        rescues=tuple(_rescues(people, course, index)),
        converted=bool(course.converted[index]),
        decided_at=_instant(people, index, float(course.decided[index])),
    )


def _attempts(people: People, course: Course, index: int) -> Iterator[Attempt]:
    for column, task in enumerate(TASKS):
        started = _known(people, index, course.started[index, column])
        if started is not None:
            yield Attempt(task, started, _known(people, index, course.completed[index, column]))


def _rescues(people: People, course: Course, index: int) -> Iterator[Rescue]:
    source = "CS" if course.cs[index] else "OTHER"
    luck = float(people.channel_luck[index])
    browsed = _known(people, index, course.browsed[index])
    if browsed is not None:
        yield Rescue(browsed, "CS", "article", None, None)
    for column, task in enumerate(TASKS):
        needed = _known(people, index, course.needed[index, column])
        if needed is not None:
            at = _instant(people, index, float(course.helped[index, column]))
            # A customer's luck with channels, turned by a third each time: not always the same channel.
            yield Rescue(at, source, _channel(source, (luck + column / 3) % 1), needed, task)


def _channel(source: str, luck: float) -> str:
    shares = CS_CHANNELS if source == "CS" else OTHER_CHANNELS
    return next(channel for channel, share in shares if luck <= share)


def _known(people: People, index: int, hours: float) -> int | None:
    return _instant(people, index, float(hours)) if np.isfinite(hours) else None


def _instant(people: People, index: int, hours: float) -> int:
    """Microseconds, down to the whole second in both parts: products log seconds, and order survives rounding."""
    joined = COHORT_DAY * DAY + int(people.joined[index] * 3600) * SECOND
    return joined + int(hours * 3600) * SECOND

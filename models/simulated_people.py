"""Made-up trial customers: who they are, the luck they will have, and how a trial goes with and without the offer.

Every customer carries their own luck into both arms (common random numbers), so both potential outcomes exist for
each of them and the effect of the offer is known, not estimated. Motivation is latent: it makes people try, manage,
ask Customer Success (CS) by themselves *and* subscribe, which is why comparing help takers with others misleads.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import expit, ndtr, ndtri

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Indices = npt.NDArray[np.int64]
Pull = tuple[float, float]
"""A chance on the logit scale: where it lies at average motivation, and what one s.d. more of motivation adds."""

TASKS = ("1", "2", "3")
TRIAL_HOURS = 30 * 24.0
LAST_ACTIVITY = 29 * 24.0
"""Nobody works on tasks later than this, so that every decision can come after the last activity."""
LAST_DECISION = 29.9 * 24
SEGMENTS = ("retail", "services", "trades")
HOURLY = np.array([2, 1, 1, 1, 1, 2, 5, 11, 20, 27, 29, 27, 22, 25, 28, 27, 24, 20, 15, 12, 10, 8, 6, 3], float)
"""Sign-ups by UTC hour: offices open, lunch, evenings."""


@dataclass(frozen=True, slots=True)
class Parameters:
    """What is true in the made-up world. `effect` scales how much better CS help is than other help (0: no better,
    so nothing after the help differs between the arms); `offer` scales how far the widget pulls people towards CS."""

    share_test: float = 0.30
    effect: float = 1.0
    offer: float = 1.0
    tries: Pull = (2.3, 0.8)
    goes_on: Pull = (2.9, 0.5)
    trouble: tuple[Pull, Pull, Pull] = ((0.4, -0.4), (0.0, -0.4), (0.2, -0.4))
    manages: Pull = (2.6, 0.5)
    asks_cs: Pull = (-1.9, 1.5)
    offered_pull: float = 3.0
    browses: float = 0.5
    recovers: Pull = (-0.9, 0.4)
    cs_gain: float = 3.2
    cs_speed: float = 3.0
    converts: tuple[float, float, float, float] = (-3.8, -2.9, -2.0, -0.1)
    converts_motivation: float = 0.9


@dataclass(frozen=True, slots=True)
class People:
    """Everything about n customers that no experiment changes. Arrays are (n,) or (n, 3 tasks); luck is uniform."""

    motivation: Floats
    employees: Indices
    segment: Indices
    joined: Floats
    """Hours after the midnight that begins the cohort's day."""
    arm_luck: Floats
    try_luck: Floats
    source_luck: Floats
    browse_luck: Floats
    browse_time: Floats
    convert_luck: Floats
    decide_luck: Floats
    channel_luck: Floats
    on_luck: Floats
    trouble_luck: Floats
    end_luck: Floats
    pause: Floats
    work: Floats
    notice: Floats
    reach: Floats
    """Hours, log-normal: before starting, working, until trouble is noticed, until help is reached."""


@dataclass(frozen=True, slots=True)
class Course:
    """How n trials go in one arm. Times in hours since joining, infinite for never; (n,) or (n, 3 tasks)."""

    started: Floats
    completed: Floats
    needed: Floats
    helped: Floats
    cs: Flags
    """Whether CS is whom they turn to when in trouble."""
    browsed: Floats
    """When they used CS material without being in trouble."""
    probability: Floats
    converted: Flags
    decided: Floats

    @property
    def tasks_completed(self) -> Indices:
        return np.isfinite(self.completed).sum(axis=1)

    @property
    def took_cs(self) -> Flags:
        """Used CS at all: uptake."""
        return (self.cs & np.isfinite(self.needed).any(axis=1)) | np.isfinite(self.browsed)

    @property
    def stuck(self) -> Flags:
        """Began a task and never completed it."""
        return (np.isfinite(self.started) & np.isinf(self.completed)).any(axis=1)


def draw(customers: int, rng: np.random.Generator) -> People:
    """Draw customers, in the order in which they join."""
    n = customers
    arm_luck = rng.random(n)
    size = rng.standard_normal(n)
    hour = rng.choice(24, n, p=HOURLY / HOURLY.sum())
    return People(
        motivation=0.4 * size + np.sqrt(1 - 0.4**2) * rng.standard_normal(n),
        employees=np.clip(np.exp(2.0 + 1.1 * size), 1, 5000).astype(np.int64),
        segment=rng.choice(len(SEGMENTS), n, p=(0.45, 0.35, 0.20)),
        joined=np.sort(hour + rng.random(n)),
        arm_luck=arm_luck,
        try_luck=rng.random(n),
        source_luck=rng.random(n),
        browse_luck=rng.random(n),
        browse_time=_times(rng, (n,), median=3.0, spread=1.2),
        convert_luck=rng.random(n),
        decide_luck=rng.random(n),
        channel_luck=rng.random(n),
        on_luck=rng.random((n, 3)),
        trouble_luck=rng.random((n, 3)),
        end_luck=rng.random((n, 3)),
        pause=_times(rng, (n, 3), median=0.5, spread=1.6),
        work=_times(rng, (n, 3), median=0.5, spread=1.0),
        notice=_times(rng, (n, 3), median=0.4, spread=0.8),
        reach=_times(rng, (n, 3), median=0.6, spread=1.0),
    )


def _times(rng: np.random.Generator, shape: tuple[int, ...], median: float, spread: float) -> Floats:
    return median * np.exp(spread * rng.standard_normal(shape))


def live(people: People, offered: bool, parameters: Parameters) -> Course:
    """Let every customer go through the trial, with the widget offered or not, on the same luck."""
    n, m = len(people.motivation), people.motivation
    asks = _logit(parameters.asks_cs, m)
    alone = people.source_luck < expit(asks)
    # One choice a customer for the whole trial: so the offer moves people towards CS and nobody away from it
    # (monotonicity), and changes nothing for those who go to CS anyway or never do (exclusion).
    cs = people.source_luck < expit(asks + parameters.offer * parameters.offered_pull * offered)
    started, completed, needed, helped = (np.full((n, 3), np.inf) for _ in range(4))
    free = np.zeros(n)
    able = people.try_luck < expit(_logit(parameters.tries, m))
    for task in range(3):
        if task:
            goes_on = people.on_luck[:, task] < expit(_logit(parameters.goes_on, m))
            able = np.isfinite(completed[:, task - 1]) & goes_on
        started[:, task] = _when(able, free + people.pause[:, task])
        able = np.isfinite(started[:, task])
        trouble = able & (people.trouble_luck[:, task] < expit(_logit(parameters.trouble[task], m)))
        needed[:, task] = _when(trouble, started[:, task] + people.notice[:, task])
        trouble_seen = np.isfinite(needed[:, task])
        reached = np.minimum(needed[:, task] + people.reach[:, task], LAST_ACTIVITY)
        helped[:, task] = np.where(trouble_seen, reached, np.inf)
        completed[:, task] = _completion(people, parameters, task, cs, able & ~trouble, started, helped)
        free = completed[:, task]
    browsed = _when(alone & np.isfinite(started[:, 0]) & (people.browse_luck < parameters.browses), people.browse_time)
    by_tasks = np.array(parameters.converts)[np.isfinite(completed).sum(axis=1)]
    probability = expit(by_tasks + parameters.converts_motivation * m)
    converted = people.convert_luck < probability
    last = _last_activity(started, completed, needed, helped, browsed[:, None])
    decided = np.where(converted, _decision(last, people.decide_luck), TRIAL_HOURS)
    return Course(started, completed, needed, helped, cs, browsed, probability, converted, decided)


def _logit(pull: Pull, motivation: Floats) -> Floats:
    return pull[0] + pull[1] * motivation


def _when(happens: Flags, at: Floats) -> Floats:
    """The time of what happens, infinite for what does not or would come too late."""
    return np.where(happens & (at <= LAST_ACTIVITY), at, np.inf)


def _completion(
    people: People, parameters: Parameters, task: int, cs: Flags, smooth: Flags, started: Floats, helped: Floats
) -> Floats:
    """When the task is completed: by oneself, or after help, where CS raises both the chance and the speed."""
    m, luck, work = people.motivation, people.end_luck[:, task], people.work[:, task]
    gain = parameters.effect * cs
    alone = smooth & (luck < expit(_logit(parameters.manages, m)))
    rescued = np.isfinite(helped[:, task]) & (luck < expit(_logit(parameters.recovers, m) + parameters.cs_gain * gain))
    # Working on after help takes 6 times as long as without trouble, and cs_speed times less of it after CS.
    after_help = helped[:, task] + 6 * work / parameters.cs_speed**gain
    return np.where(alone, _when(alone, started[:, task] + work), _when(rescued, after_help))


def _last_activity(*times: Floats) -> Floats:
    every = np.concatenate(times, axis=1)
    return np.max(np.where(np.isfinite(every), every, 0.0), axis=1)


def _decision(last: Floats, luck: Floats) -> Floats:
    """Minds are made up early: median 20 h after the last activity, log-normal, cut off at the trial's end."""
    median, spread = 20.0, 1.3
    most = ndtr(np.log((LAST_DECISION - last) / median) / spread)
    return last + median * np.exp(spread * ndtri(luck * most))

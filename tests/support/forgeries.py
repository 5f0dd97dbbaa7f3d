"""Data that somebody made up or that broke on the way, one kind of trace each; N = 1,000 of what the check counts.

From the shared data where it has what is forged, else from scratch. `lives` is what such a forger starts from: it has the
rhythm, bursts and differences that people have, and is itself no alarm.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from models.authenticity.observed import Assigned, Dated, Events, Ints, Measure, Observed, Tasks
from models.clock import DAY, HOUR, SECOND
from tests.support.observed_sets import MINUTE, answers, learners, people_of, players, subset

N = 1000
Draw = np.random.Generator
MONDAY = 20_577 * DAY
"""2026-05-04."""
BUSY = np.array([1, 1, 1, 1, 1, 2, 4, 8, 14, 18, 18, 16, 13, 15, 17, 17, 15, 12, 9, 8, 7, 6, 4, 2], dtype=float)
"""Of a day's hours."""


class Forgery(NamedTuple):
    """made: the data. seen_by: checks, any of which may raise the alarm. needs: folder of the shared data, if any."""

    name: str
    made: Callable[[Draw], Observed]
    seen_by: tuple[str, ...]
    needs: str | None = None


def lives(draw: Draw, people: int = N, weeks: int = 6, mean: float = 8) -> Events:
    """Events of people who differ, sleep, rest at weekends and act in bursts; at least one each."""
    sessions = 1 + draw.poisson(draw.gamma(0.7, mean / 3 / 0.7, people))
    session_of = np.repeat(np.arange(people), sessions)
    days = draw.choice(7 * weeks, len(session_of), p=np.tile([1, 1, 1, 1, 1, 0.4, 0.3], weeks) / (5.7 * weeks))
    hours = draw.choice(24, len(session_of), p=BUSY / BUSY.sum())
    begin = MONDAY + days * DAY + hours * HOUR + draw.integers(0, 3600, len(session_of)) * SECOND
    length = draw.geometric(1 / 3, len(session_of))
    pauses = np.ceil(draw.lognormal(4, 1.2, int(length.sum()))).astype(np.int64) * SECOND
    ends = np.cumsum(length)
    within = np.cumsum(pauses) - np.repeat(np.cumsum(pauses)[ends - length] - pauses[ends - length], length)
    return Events(np.repeat(session_of, length), np.repeat(begin, length) + within)


def honest(draw: Draw) -> Observed:
    """A whole study without a trace: lives, a coin, tasks done at people's own pace."""
    events = lives(draw)
    who = np.arange(N)
    joined = np.full(N, MONDAY)
    return Observed(
        events=events,
        assigned=_by_coin(draw),
        joined=Dated(who, joined),
        tasks=_tasks(joined, *_paces(draw, 0.4)),
    )


def uniform_instants(draw: Draw) -> Observed:
    return Observed(events=Events(draw.integers(0, 200, N), MONDAY + draw.integers(0, 28 * 86_400, N) * SECOND))


def rounded_minutes(draw: Draw) -> Observed:
    """A tenth of the times is to the minute."""
    events = _some(draw, answers()).events
    assert events is not None
    return Observed(events=replace(events, at=np.where(draw.random(N) < 0.1, events.at // MINUTE * MINUTE, events.at)))


def whole_seconds(draw: Draw) -> Observed:
    """Written to the millisecond, but a generator advanced by whole seconds from where it began."""
    events = _cut(lives(draw), N)
    return Observed(events=replace(events, at=events.at + 796_000), resolution=1000)


def exponential_gaps(draw: Draw) -> Observed:
    """50 people with 20 events, each with a rate of their own, day and night."""
    gaps = draw.exponential(1, (50, 20)) * draw.lognormal(0, 1, 50)[:, None] * 12 * HOUR
    at = MONDAY + np.cumsum(gaps, axis=1).astype(np.int64) // SECOND * SECOND
    return Observed(events=Events(np.repeat(np.arange(50), 20), at.ravel()))


def heartbeat(draw: Draw) -> Observed:
    """A fifth of 100 people are scripts that call every ten minutes."""
    events = lives(draw, 80, mean=8)
    begin = MONDAY + draw.integers(0, 20 * 86_400, 20) * SECOND
    at = begin[:, None] + np.arange(20) * 10 * MINUTE
    return Observed(events=Events(np.r_[events.user, np.repeat(80 + np.arange(20), 20)], np.r_[events.at, at.ravel()]))


def same_minute_daily(draw: Draw) -> Observed:
    """One person in twenty comes at the same time every day, give or take a minute."""
    events = lives(draw, mean=30)
    begin = draw.integers(8 * 60, 18 * 60, 50) * MINUTE
    at = MONDAY + np.arange(14) * DAY + begin[:, None] + draw.integers(-60, 60, (50, 14)) * SECOND
    return Observed(events=Events(np.r_[events.user, np.repeat(N + np.arange(50), 14)], np.r_[events.at, at.ravel()]))


def copied_people(draw: Draw) -> Observed:
    """One in twenty is another person, give or take 20 seconds."""
    events = lives(draw, mean=12)
    copied = draw.permutation(np.flatnonzero(np.bincount(events.user) >= 5))[:50]
    rows = np.isin(events.user, copied)
    jitter = draw.integers(-20, 21, int(rows.sum())) * SECOND
    return Observed(
        events=Events(np.r_[events.user, events.user[rows] + N], np.r_[events.at, events.at[rows] + jitter])
    )


def quota_split(draw: Draw) -> Observed:
    """30/70 to the unit: three of every ten who come, in random order."""
    block = np.r_[np.zeros(3, dtype=np.int64), np.ones(7, dtype=np.int64)]
    arm = np.concatenate([draw.permutation(block) for _ in range(N // 10)])
    return Observed(assigned=Assigned(np.arange(N), arm, (0.3, 0.7)))


def shuffled_split(draw: Draw) -> Observed:
    """30/70 to the unit, the whole list shuffled once: what no check can tell from a coin at this size."""
    arm = draw.permutation(np.r_[np.zeros(300, dtype=np.int64), np.ones(700, dtype=np.int64)])
    return Observed(assigned=Assigned(np.arange(N), arm, (0.3, 0.7)))


def impossible_order(draw: Draw) -> Observed:
    """Of learners, 2 % have their first two submissions exchanged."""
    observed = _some(draw, learners())
    tasks = observed.tasks
    assert tasks is not None
    last = tasks.user[tasks.task == 1]
    wrong = draw.choice(last, int(0.02 * N), replace=False)
    swapped = np.isin(tasks.user, wrong) & (tasks.task < 2)
    return replace(observed, tasks=replace(tasks, task=np.where(swapped, 1 - tasks.task, tasks.task)))


def use_before_joining(draw: Draw) -> Observed:
    """Of learners, 3 % registered after what they handed in."""
    observed = _some(draw, learners())
    joined, tasks = observed.joined, observed.tasks
    assert joined is not None
    assert tasks is not None
    wrong = draw.choice(np.unique(tasks.user), int(0.03 * N), replace=False)
    late = np.where(np.isin(joined.user, wrong), 300 * DAY, joined.at)
    return replace(observed, joined=joined._replace(at=late), converted=None)


def contradictory_tables(draw: Draw) -> Observed:
    """Of learners, 1 % converted twice and 1 % never registered."""
    observed = _some(draw, learners())
    joined, converted = observed.joined, observed.converted
    assert joined is not None
    assert converted is not None
    again = draw.choice(len(converted.user), N // 100, replace=False)
    kept = draw.permutation(N)[N // 100 :]
    return replace(
        observed,
        joined=Dated(joined.user[kept], joined.at[kept]),
        converted=Dated(np.r_[converted.user, converted.user[again]], np.r_[converted.at, converted.at[again]]),
    )


def normal_durations(draw: Draw) -> Observed:
    """Minutes that are normal, 30 ± 8, and go with each other."""
    pace = draw.normal(0, 1, (N, 3)) * 0.8 + draw.normal(0, 1, (N, 1)) * 0.6
    hours = np.maximum(1, 30 + 8 * pace) / 60
    return Observed(tasks=_tasks(np.full(N, MONDAY), hours, draw.lognormal(0, 1, (N, 3))))


def independent_tasks(draw: Draw) -> Observed:
    """Lognormal durations, each task of its own."""
    return Observed(tasks=_tasks(np.full(N, MONDAY), *_paces(draw, 0.0)))


def poisson_counts(draw: Draw) -> Observed:
    """Everybody clicks at the same rate, four times on average."""
    return Observed(measures=(Measure("clicks", "count", np.arange(N), draw.poisson(4, N).astype(float)),))


def duplicated_block(draw: Draw) -> Observed:
    """50 successive answers of 1,000 are there twice."""
    events = _some(draw, answers()).events
    assert events is not None
    assert events.value is not None
    order = np.argsort(events.at, kind="stable")
    begin = int(draw.integers(0, N - 50))
    rows = np.r_[order, order[begin : begin + 50]]
    return Observed(events=replace(events, user=events.user[rows], at=events.at[rows], value=events.value[rows]))


def off_the_scale(draw: Draw) -> Observed:
    """2 % of the answers are an 11 on a scale to 10."""
    observed = _some(draw, answers())
    events = observed.events
    assert events is not None
    wrong = draw.permutation(N) < 0.02 * N
    return Observed(events=replace(events, value=np.where(wrong, 11.0, events.value)))


def favourite_digits(draw: Draw) -> Observed:
    """Of players' rounds with three digits, a quarter was rounded to ten."""
    measure = players().measures[0]
    value = draw.choice(measure.value[measure.value >= 100], N, replace=False)
    value = np.where(draw.random(N) < 0.25, np.round(value, -1), value)
    return Observed(measures=(replace(measure, user=np.arange(N), value=value),))


def quota_a_day(draw: Draw) -> Observed:
    """1,000 events, 36 on each of 28 days and at hours when people are up; who does them is drawn."""
    days = np.repeat(np.arange(28), 36)[:N]
    hours = draw.choice(24, N, p=BUSY / BUSY.sum())
    at = MONDAY + days * DAY + hours * HOUR + draw.integers(0, 3600, N) * SECOND
    return Observed(events=Events(draw.integers(0, 200, N), at))


def lost_day(draw: Draw) -> Observed:
    """About 60 events a day, and nearly nothing on one working day of six weeks."""
    events = lives(draw, people=320)
    day = MONDAY + (7 * int(draw.integers(1, 5)) + int(draw.integers(0, 5))) * DAY
    lost = (events.at >= day) & (events.at < day + DAY) & (draw.random(len(events)) < 0.98)
    return Observed(events=Events(events.user[~lost], events.at[~lost]))


FORGERIES = (
    Forgery("instants drawn evenly", uniform_instants, ("hours",)),
    Forgery(
        "a tenth of the times rounded to minutes", rounded_minutes, ("second_of_minute",), "nps_service_appointments"
    ),
    Forgery("milliseconds of a clock that makes whole seconds", whole_seconds, ("sub_second",)),
    Forgery("30/70 to the unit, by quota", quota_split, ("quota", "exact_split")),
    Forgery("exponential gaps, no rhythm", exponential_gaps, ("gap_spread",)),
    Forgery("a fifth are scripts on a ten-minute grid", heartbeat, ("gap_grid", "equal_gaps")),
    Forgery("one in twenty begins at the same minute daily", same_minute_daily, ("same_time_of_day",)),
    Forgery("one in twenty is a jittered copy", copied_people, ("copied_people",)),
    Forgery("normal durations", normal_durations, ("tails",)),
    Forgery("independent tasks", independent_tasks, ("own_pace",)),
    Forgery("everybody at the same rate", poisson_counts, ("dispersion",)),
    Forgery("a block of 5 % of the rows twice", duplicated_block, ("duplicates",), "nps_service_appointments"),
    Forgery("impossible order in 2 %", impossible_order, ("impossible_orders",), "oulad_subset"),
    Forgery("use before joining in 3 %", use_before_joining, ("before_joining",), "oulad_subset"),
    Forgery("2 % of the values off the scale", off_the_scale, ("off_scale",), "nps_service_appointments"),
    Forgery("tables disagree about 2 %", contradictory_tables, ("contradictions",), "oulad_subset"),
    Forgery("a quarter of the counts rounded to ten", favourite_digits, ("terminal_digits",), "cookie_cats"),
    Forgery("the same number of events every day", quota_a_day, ("even_volume",)),
    Forgery("a day lost", lost_day, ("volume_break",)),
)
UNSEEN = (Forgery("30/70 to the unit, shuffled once", shuffled_split, ("exact_split",)),)
"""What is known not to be seen, so that nobody relies on it."""


def _some(draw: Draw, observed: Observed) -> Observed:
    return subset(observed, draw.choice(people_of(observed), N, replace=False))


def _cut(events: Events, rows: int) -> Events:
    return Events(events.user[:rows], events.at[:rows])


def _by_coin(draw: Draw) -> Assigned:
    return Assigned(np.arange(N), (draw.random(N) >= 0.3).astype(np.int64), (0.3, 0.7))


def _paces(draw: Draw, shared: float) -> tuple[np.ndarray, np.ndarray]:
    """Hours at three tasks, whose logarithms share this part of their variance; and hours between them."""
    own = draw.normal(0, np.sqrt(shared), (N, 1)) + draw.normal(0, np.sqrt(1 - shared), (N, 3))
    return np.exp(own - 1), draw.lognormal(0, 1, (N, 3))


def _tasks(joined: Ints, hours: np.ndarray, waits: np.ndarray) -> Tasks:
    """Three tasks in series."""
    length, wait = (np.ceil(one * 3600).astype(np.int64) * SECOND for one in (hours, waits))
    completed = joined[:, None] + np.cumsum(length + wait, axis=1)
    who, task = np.repeat(np.arange(len(joined)), 3), np.tile(np.arange(3), len(joined))
    return Tasks(who, task, (completed - length).ravel(), completed.ravel())

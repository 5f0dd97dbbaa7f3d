"""People who repeat themselves, or somebody else: days that begin at the same minute, and lives that were copied."""

import numpy as np
from scipy.special import bdtrc

from models.authenticity.chances import share_above
from models.authenticity.finding import Finding, drawn, found, too_few, unexamined
from models.authenticity.observed import Events, Ints, known
from models.authenticity.thresholds import THRESHOLDS
from models.clock import DAY, HOUR, SECOND
from models.inference.means import Array

MINUTE = 60 * SECOND
LEAST_DAYS = 5
"""Days with events from which on a person has a habit."""
SAME = 2 * MINUTE
SPREADS = np.array([0, 2, 5, 15, 30, 60, 120, 240, 720])
"""Minutes."""
LEAST_EVENTS = 5
NEAR = MINUTE
"""Copies are looked for so near the original."""
NEIGHBOURS = 3
ALIKE = 0.8
"""Share of a person's events that another has to have, too."""
CERTAIN = 1e-3
"""Chance, over all pairs of people, from which on two lives are not alike by accident."""


def same_time_of_day(events: Events, resolution: int) -> Finding:
    """The share of people whose days begin within two minutes of the same time (median distance from their middle)."""
    check = "same_time_of_day"
    if resolution > MINUTE:
        return unexamined(check, "the times are not written to the minute")
    person, begin = _beginnings(events)
    days = np.bincount(person) if len(person) else np.zeros(0, dtype=np.int64)
    habitual = np.flatnonzero(days >= LEAST_DAYS)
    few = too_few(check, len(habitual))
    if few:
        return few
    spread = np.array([_spread(one) for one in np.split(begin, np.cumsum(days)[:-1]) if len(one) >= LEAST_DAYS])
    same = int((spread <= SAME).sum())
    says = (
        f"{same:,} of {len(spread):,} people with {LEAST_DAYS} days or more ({same / len(spread):.1%}) begin them "
        f"within two minutes of the same time; the middle person's days within {np.median(spread) / MINUTE:,.0f}"
    )
    counts, _ = np.histogram(spread / MINUTE, SPREADS)
    names = [f"{low} to {high}" for low, high in zip(SPREADS[:-1].tolist(), SPREADS[1:].tolist(), strict=True)]
    figure = drawn("bar", "minutes about the usual beginning", "people", names, counts)
    p = share_above(same, len(spread), THRESHOLDS[check].edge)
    return found(check, len(spread), same / len(spread), p, says, figure)


def _beginnings(events: Events) -> tuple[Ints, Ints]:
    """Each person's first event of each day: person, time of day; by person."""
    seen = known(events.at)
    user, at = events.user[seen], events.at[seen]
    order = np.lexsort((at, user))
    user, at = user[order], at[order]
    first = np.ones(len(at), dtype=np.bool_)
    first[1:] = (np.diff(user) != 0) | (np.diff(at // DAY) != 0)
    _, person = np.unique(user[first], return_inverse=True)
    return person, at[first] % DAY


def _spread(begin: Ints) -> float:
    """Median distance from the middle, around the clock."""
    angle = begin * (2 * np.pi / DAY)
    middle = np.arctan2(np.sin(angle).mean(), np.cos(angle).mean())
    away = (angle - middle + np.pi) % (2 * np.pi) - np.pi
    away -= np.median(away)
    return float(np.median(np.abs(away))) * DAY / (2 * np.pi)


def copied_people(events: Events, resolution: int) -> Finding:
    """The share of people nearly all of whose events lie within a minute of another person's, always the same one's.

    Two people are taken for alike when independent lives in the same busy hours would come so near each other less than
    once in a thousand such data sets.
    """
    check = "copied_people"
    if resolution > MINUTE:
        return unexamined(check, "the times are not written to the minute")
    seen = known(events.at)
    _, person = np.unique(events.user[seen], return_inverse=True)
    at = events.at[seen]
    n = np.bincount(person) if len(person) else np.zeros(0, dtype=np.int64)
    several = int((n >= LEAST_EVENTS).sum())
    few = too_few(check, several)
    if few:
        return few
    one, other, shared = _meetings(person, at)
    enough = (n[one] >= LEAST_EVENTS) & (shared >= ALIKE * n[one]) & (n[other] <= n[one] / ALIKE)
    one, other, shared = one[enough], other[enough], shared[enough]
    by_accident = np.minimum(1.0, n[other] * 2 * (NEAR + resolution) / _busy(at))
    chance: Array = bdtrc(shared - 1, n[one], by_accident)
    copies = len(np.unique(one[chance * several**2 < CERTAIN]))
    says = (
        f"{copies:,} of {several:,} people with {LEAST_EVENTS} events or more ({copies / several:.1%}) did nearly all "
        "of them within a minute of one other person"
    )
    figure = drawn("bar", "times", "people", ("their own", "another's"), (several - copies, copies))
    p = share_above(copies, several, THRESHOLDS[check].edge)
    return found(check, several, copies / several, p, says, figure)


def _meetings(person: Ints, at: Ints) -> tuple[Ints, Ints, Ints]:
    """Pairs (one, other) that come within NEAR of each other, and how many events of `one` do, next in order."""
    order = np.argsort(at, kind="stable")
    person, at = person[order], at[order]
    people = int(person.max()) + 1 if len(person) else 1
    met = []
    for step in range(1, NEIGHBOURS + 1):
        a, b = np.arange(max(0, len(at) - step)), np.arange(step, max(step, len(at)))
        near = (at[b] - at[a] <= NEAR) & (person[a] != person[b])
        met += [a[near] * people + person[b[near]], b[near] * people + person[a[near]]]
    # An event counts once for a pair, however many of the other's it is near to.
    event, other = np.divmod(np.unique(np.concatenate(met)), people)
    pairs, shared = np.unique(person[event] * people + other, return_counts=True)
    return pairs // people, pairs % people, shared


def _busy(at: Ints) -> float:
    """How much time the events would fill if they were spread evenly: 1/Σp² of hours, in microseconds."""
    _, counts = np.unique(at // HOUR, return_counts=True)
    return float(HOUR * counts.sum() ** 2 / (counts.astype(float) ** 2).sum())

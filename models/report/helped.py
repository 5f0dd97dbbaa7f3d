"""Is help from CS better than other help? What went with each, among those in trouble; nobody drew lots for it."""

from collections.abc import Sequence
from math import log
from typing import Any, NamedTuple

import numpy as np
from scipy.special import ndtri, stdtrit

from models.clock import DAY, HOUR, SECOND
from models.inference import survival
from models.inference.durations import Fold
from models.readout.written import bounds, chance, number
from models.report.people import Person
from models.report.shares import at_level, difference, share

Answer = dict[str, Any]
SOURCES = ("OTHER", "CS")
"""The difference is that of the second minus the first."""
FOLLOWED = 7 * DAY
"""How long time to completion is followed at most."""
MINUTE = 60 * SECOND
DRAWN = (0, 0.25, 0.5, 1, 2, 3, 4, 6, 8, 12, 18, 24, 36, 48, 72, 96, 120, 144, 168)
"""Hours after help at which the curves are told."""
NO_HELP = "no event says that anybody in trouble used help"


class Rescued(NamedTuple):
    """A person's first help after the first trouble. took: microseconds from help to the completion of the task in
    trouble, None if that did not come within the trial; watched: how long it could have been seen."""

    account: str
    group: int
    took: int | None
    watched: int
    all_done: bool
    converted: bool


def rescued(person: Person, now: int, tasks: Sequence[str]) -> Rescued | None:
    """None for who was in no trouble, used no help after it, or had every task done by then.

    The task in trouble is the one that the help was for; where none is named, the first that was not completed.
    """
    if person.trouble is None:
        return None
    first = min((one for one in person.helps if person.trouble <= one.at < person.trial.end), default=None)
    if first is None:
        return None
    still_open = [at for at, done in enumerate(person.completed) if done is None or done > first.at]
    if not still_open:
        return None
    named = tasks.index(first.task) if first.task in tasks else -1
    done = person.completed[named if named in still_open else still_open[0]]
    end = min(person.trial.end, now)
    in_time = done is not None and done < person.trial.end
    return Rescued(
        account=person.account,
        group=SOURCES.index(first.source),
        took=done - first.at if in_time and done is not None else None,
        watched=end - first.at,
        all_done=person.all_done,
        converted=person.converted_at is not None,
    )


def read_help(people: Sequence[Person], tasks: Sequence[str], now: int, alpha: float) -> Answer:
    """Completion, speed and conversion by where the first help after trouble came from."""
    found = [one for person in people if (one := rescued(person, now, tasks)) is not None]
    counts = [sum(one.group == group for one in found) for group in (0, 1)]
    in_trouble = sum(person.trouble is not None for person in people)
    base = {"in_trouble": in_trouble, "helped": len(found), "without_help": in_trouble - len(found)}
    if not found:
        return {"answered": False, "because": NO_HELP, **base}
    if not all(counts):
        missing = SOURCES[counts.index(0)]
        return {"answered": False, "because": f"nobody's first help after trouble came from {missing}", **base}
    outcomes = {
        "task": [one.took is not None for one in found],
        "all_tasks": [one.all_done for one in found],
        "converted": [one.converted for one in found],
    }
    return {
        "answered": True,
        **base,
        "outcomes": {name: _outcome(found, came, alpha) for name, came in outcomes.items()},
        "speed": read_speed(found, alpha),
    }


def _outcome(found: Sequence[Rescued], came: Sequence[bool], alpha: float) -> Answer:
    answer: Answer = {}
    for group, source in enumerate(SOURCES):
        mine = [one for who, one in zip(found, came, strict=True) if who.group == group]
        answer[source] = share(sum(mine), len(mine), alpha)
    units = ((who.account, who.group, one) for who, one in zip(found, came, strict=True))
    return {**answer, "difference": difference(units, alpha)}


# -- speed -----------------------------------------------------------------------------------------------------------


def read_speed(found: Sequence[Rescued], alpha: float) -> Answer:
    """Hours from help to completion: of everybody (who never completed counts as not yet), and of those who did."""
    until = min(FOLLOWED, max(one.watched for one in found) // MINUTE * MINUTE)
    if until < MINUTE:
        return {"curves": None, "because": "nobody was watched for a minute after help"}
    edges = np.arange(until // MINUTE + 1) * MINUTE / HOUR
    folds = [folded([one for one in found if one.group == group], until) for group in (0, 1)]
    curves = [survival.survival(fold) for fold in folds]
    medians = [float(survival.median(fold, edges)) for fold in folds]
    means = survival.restricted_means(folds[0], folds[1], edges)
    p = survival.log_rank(folds[0].events, folds[0].at_risk, folds[1].events, folds[1].at_risk)
    half = ndtri(1 - alpha / 2)
    interval = bounds(means.difference - half * means.se, means.difference + half * means.se)
    return {
        "until_hours": number(means.until),
        "median_hours": {source: number(one) for source, one in zip(SOURCES, medians, strict=True)},
        "restricted_mean_hours": {
            "OTHER": number(means.control),
            "CS": number(means.treatment),
            "difference": number(means.difference),
            "ci": interval,
            "at_level": at_level(interval),
        },
        "log_rank_p": chance(p),
        "curves": {source: _curve(curve, until) for source, curve in zip(SOURCES, curves, strict=True)},
        "of_completers": of_completers(found, alpha),
    }


def folded(found: Sequence[Rescued], until: int) -> Fold:
    """The times in bins of a minute, followed up to `until`."""
    bins = until // MINUTE
    events, censored = np.zeros(bins, np.int64), np.zeros(bins + 1, np.int64)
    for one in found:
        seen = min(one.watched, until)
        if one.took is not None and one.took < seen:
            events[one.took // MINUTE] += 1
        else:
            censored[min(max(seen, 0) // MINUTE, bins)] += 1
    return Fold(events, censored)


def _curve(curve: survival.Array, until: int) -> list[Answer]:
    """The share that has completed by so many hours after help."""
    found = []
    for hours in DRAWN:
        at = round(hours * HOUR)
        if at <= until:
            done = 0.0 if not at else 1 - float(curve[at // MINUTE - 1])
            found.append({"hours": hours, "share": number(done)})
    return found


def of_completers(found: Sequence[Rescued], alpha: float) -> Answer:
    """Hours of those who completed the task, and the ratio of geometric means, CS over OTHER, by Welch's interval of
    the logarithms (1947). Who completes at all is another question, so these are not the same kind of people."""
    hours = [np.array([one.took / HOUR for one in found if one.group == group and one.took]) for group in (0, 1)]
    medians = {
        source: {"completers": len(one), "median_hours": number(np.median(one)) if len(one) else None}
        for source, one in zip(SOURCES, hours, strict=True)
    }
    if min(map(len, hours)) < 2:
        return {**medians, "ratio": None, "ci": None, "because": "each of the two needs two who completed"}
    logs = [np.log(one) for one in hours]
    parts = [one.var(ddof=1) / len(one) for one in logs]
    variance = float(sum(parts))
    if not variance > 0:
        return {**medians, "ratio": None, "ci": None, "because": "all took as long"}
    df = variance**2 / sum(part**2 / (len(one) - 1) for part, one in zip(parts, logs, strict=True))
    gain, half = float(logs[1].mean() - logs[0].mean()), float(stdtrit(df, 1 - alpha / 2)) * variance**0.5
    interval = [float(np.exp(gain - half)), float(np.exp(gain + half))]
    return {
        **medians,
        "ratio": number(np.exp(gain)),
        "ci": bounds(*interval),
        "at_level": at_level([log(one) for one in interval]),
    }

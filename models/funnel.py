"""The onboarding funnel: what each user adds to it, and how the sums read.

A user adds one to each of a handful of named counters per journey. Counters are integers and add up across users,
partitions and workers; taking a user's old contribution out and putting the new one in keeps them exact.
"""

from collections.abc import Mapping
from math import log2
from typing import Any, NamedTuple

from models.clock import HOUR
from models.journey import HelpAround, Standing, by, ever_in_trouble, help_around, on_journey, standing
from models.product import Journey
from models.rows import Row

Counts = Mapping[str, int]

BINS_PER_DOUBLING = 4
MINUTE = HOUR // 60
MEDIAN_ERROR = round(2 ** (0.5 / BINS_PER_DOUBLING) - 1, 3)
"""A median read from the bins is within this share of the true one (half a bin, geometrically)."""


def time_bin(duration: int) -> int:
    """The bin of a time to complete: geometric, four bins a doubling, everything under a minute in bin 0."""
    return 0 if duration <= MINUTE else int(BINS_PER_DOUBLING * log2(duration / MINUTE)) + 1


def bin_hours(bin_: int) -> float:
    """The geometric middle of a bin, in hours."""
    return 0.0 if bin_ == 0 else 2 ** ((bin_ - 0.5) / BINS_PER_DOUBLING) / 60


def counters(row: Row, journey: Journey, now: int, at: Standing) -> tuple[str, ...]:
    """The counters this user adds one to on this journey at `now` (dose and conversion are added by `Sums`)."""
    names = ["users"]
    for task, state in zip(journey.tasks, at.states, strict=True):
        if state != "untouched":
            names.append(f"started:{task}")
        if state == "completed":
            names.append(f"completed:{task}")
            took = time_to_complete(row, journey, task)
            if took is not None:
                names.append(f"hours:{task}:{time_bin(took)}")
    names += [f"stuck:{task}" for task in at.stuck]
    names += [f"skipped:{task}" for task in at.skipped]
    if at.out_of_order:
        names.append("out_of_order")
    if row.helps:
        names += [f"helped:{source}" for source in sorted({engaged.source for engaged in row.helps})]
    end = None if row.trial_at is None else row.trial_at + journey.trial
    if end is not None and end <= now:
        rule = "trouble" if ever_in_trouble(row, journey, end) else "calm"
        names.append(f"{rule}:{'completed' if completed_by(row, journey, end) else 'not_completed'}")
    return tuple(names)


def completed_by(row: Row, journey: Journey, end: int) -> bool:
    """Whether every task was completed by a moment, e.g. the end of the trial: later is too late to be a success."""
    return all(by(row.tasks[task].completed, end) if task in row.tasks else False for task in journey.tasks)


def time_to_complete(row: Row, journey: Journey, task: str) -> int | None:
    """From the task's first start (else the task before's completion, else the trial's start) to its completion."""
    facts = row.tasks[task]
    begun = facts.started
    if begun is None:
        index = journey.tasks.index(task)
        before = row.tasks.get(journey.tasks[index - 1]) if index else None
        begun = before.completed if before is not None else row.trial_at
    if begun is None or facts.completed is None or facts.completed < begun:
        return None
    return facts.completed - begun


class Share(NamedTuple):
    """One user's part in one journey: the counters they add one to, where they stand, and what help they used."""

    journey: str
    counters: tuple[str, ...]
    standing: Standing
    help: HelpAround


def user_share(row: Row, journeys: tuple[Journey, ...], now: int) -> tuple[Share, ...]:
    """The user's part in every journey that they are on."""
    found = []
    for journey in journeys:
        if journey.applies_to and not on_journey(row, journey):
            continue
        at = standing(row, journey, now)
        found.append(Share(journey.id, counters(row, journey, now, at), at, help_around(row, journey)))
    return tuple(found)


def read(counts: Counts, journey: Journey) -> dict[str, Any]:
    """The journey's funnel as published, from the merged counters (EVENTS.md, `funnel`)."""
    return {
        "users": counts.get("users", 0),
        "tasks": {task: read_task(counts, task) for task in journey.tasks},
        "dose": [read_dose(counts, completions) for completions in range(len(journey.tasks) + 1)],
        "out_of_order": counts.get("out_of_order", 0),
        "skipped": {task: counts[f"skipped:{task}"] for task in journey.tasks if f"skipped:{task}" in counts},
        "helped": {source: counts.get(f"helped:{source}", 0) for source in ("CS", "OTHER")},
        "trouble_rule": trouble_rule(counts),
    }


def read_task(counts: Counts, task: str) -> dict[str, Any]:
    prefix = f"hours:{task}:"
    times = {int(name[len(prefix) :]): count for name, count in counts.items() if name.startswith(prefix)}
    return {
        "started": counts.get(f"started:{task}", 0),
        "completed": counts.get(f"completed:{task}", 0),
        "median_hours": median_hours(times),
        "stuck": counts.get(f"stuck:{task}", 0),
    }


def median_hours(times: Mapping[int, int]) -> float | None:
    """The median time to complete in hours, within MEDIAN_ERROR; None when nobody completed."""
    half = (sum(times.values()) + 1) // 2
    for bin_ in sorted(times):
        half -= times[bin_]
        if half <= 0:
            return round(bin_hours(bin_), 6)
    return None


def read_dose(counts: Counts, completions: int) -> dict[str, Any]:
    users, converted = counts.get(f"dose:{completions}", 0), counts.get(f"converted:{completions}", 0)
    rate = round(converted / users, 6) if users else None
    return {"completions": completions, "users": users, "converted": converted, "rate": rate}


def trouble_rule(counts: Counts) -> dict[str, Any]:
    """How well "was in trouble" tells "did not complete within the trial": precision and recall, trials over only."""
    hit, miss = counts.get("trouble:not_completed", 0), counts.get("calm:not_completed", 0)
    false_alarm, calm = counts.get("trouble:completed", 0), counts.get("calm:completed", 0)
    if hit + miss + false_alarm + calm == 0:
        return {"users": 0, "precision": None, "recall": None, "because": "no trial has ended yet"}
    return {
        "users": hit + miss + false_alarm + calm,
        "precision": round(hit / (hit + false_alarm), 4) if hit + false_alarm else None,
        "recall": round(hit / (hit + miss), 4) if hit + miss else None,
    }

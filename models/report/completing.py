"""Do those who complete more tasks convert more? Doses, steps and landmarks; associated with, nobody drew lots."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from models.clock import DAY
from models.inference.doses import Converted, Step, landmark, steps
from models.inference.proportions import wilson
from models.product import Journey
from models.readout.written import bounds, number
from models.report.people import Person
from models.report.shares import Tried, alike, rise, share

Answer = dict[str, Any]
LANDMARKS = (1, 3, 7, 14)
"""Days of a trial of 30; longer and shorter trials are looked at after the same parts of them."""
TRIAL = 30 * DAY


def read_completing(people: Sequence[Person], journey: Journey, now: int, alpha: float) -> Answer:
    """Conversion by tasks completed before it, what one more goes with, and the same with time put in order."""
    if not any(person.converted_at is not None for person in people):
        return {"answered": False, "because": "nobody converted in this recording"}
    if not any(person.done_at for person in people):
        return {"answered": False, "because": "nobody completed a task in this recording"}
    tries = [Tried(one.account, dose(one, now), one.converted_at is not None) for one in people]
    return {
        "answered": True,
        "dose": doses(tries, len(journey.tasks), alpha),
        "trend": rise(tries, alpha),
        "landmark": [found for day in landmark_days(journey) if (found := at_landmark(people, day, now, alpha))],
    }


def dose(person: Person, until: int) -> int:
    """Tasks completed before the conversion; without one, so far."""
    end = until if person.converted_at is None else person.converted_at
    return sum(at < end for at in person.done_at)


def doses(tries: Sequence[Tried], most: int, alpha: float) -> list[Answer]:
    """Conversion by dose, and its difference to one task fewer with Newcombe's interval."""
    units = Counter(one.group for one in tries)
    converted = Counter(one.group for one in tries if one.success)
    by_dose = {at: Converted(units[at], converted[at]) for at in range(most + 1) if units[at]}
    differences = {step.dose + 1: step for step in steps(by_dose, alpha)}
    return [
        {"completions": at, **share(one.converted, one.units, alpha), **_step(differences.get(at))}
        for at, one in by_dose.items()
    ]


def _step(step: Step | None) -> Answer:
    if step is None:
        return {"step": None, "step_ci": None}
    return {"step": number(step.difference), "step_ci": bounds(step.low, step.high)}


def landmark_days(journey: Journey) -> list[int]:
    """Days since the trial's start."""
    return sorted({max(1, round(day * journey.trial / TRIAL)) for day in LANDMARKS})


def at_landmark(people: Sequence[Person], day: int, now: int, alpha: float) -> Answer | None:
    """Of those unconverted so many days into their trial: who converted later, by tasks completed before; None
    without anybody."""
    units, converted = Counter[int](), Counter[int]()
    for person in people:
        at = person.trial.start + day * DAY
        if at >= min(person.trial.end, now) or (person.converted_at is not None and person.converted_at < at):
            continue
        by_then = sum(done < at for done in person.done_at)
        units[by_then] += 1
        converted[by_then] += person.converted_at is not None
    rows = landmark({at: Converted(units[at], converted[at]) for at in units})
    if not rows:
        return None
    found = [
        {"completions": row.dose, "units": row.units, "successes": row.converted, "rate": number(row.rate),
         "ci": bounds(*wilson(row.converted, row.units, alpha))}
        for row in rows
    ]  # fmt: skip
    return {"day": day, "rows": found, "alike": alike(found)}

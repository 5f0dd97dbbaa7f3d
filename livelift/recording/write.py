"""Writing a simulated exercise as a recording: four tables, a plan, settings, and the truth beside them."""

import csv
import json
from collections.abc import Iterable
from pathlib import Path

from livelift.recording.folder import CONFIG, PLANS, TRUTH, is_simulated
from livelift.recording.record import RecordingError
from livelift.recording.tables import ACTIVITY, COHORTS, CONVERSION, HELP
from models.clock import rfc3339, start_of
from models.simulation import COHORT_DAY, EXPERIMENT, Customer, SimulatedExercise

SETTINGS = """\
# Written by `livelift simulate`: these customers are made up.
simulated = true
people_are_accounts = true

[[journey]]
id = "getting-started"
tasks = ["1", "2", "3"]
order = "series"
trial_days = 30
stuck_after_hours = 24
"""
PLAN = """\
[experiment]
id = "{id}"
hypothesis = "Offering CS help when a trial user gets stuck raises conversion"
unit = "account"
randomised_by = "account"
control = "control"
arms = {{ control = {control}, test = {test} }}
starts_at = {starts_at}
planned_units = {units}
min_days = 7
analysis = "sequential"
alpha = 0.05
uptake = {{ type = "help_engaged", source = "CS" }}
covariates = ["employees"]
segments = ["segment"]

[srm]
alpha = 0.01
concentration = 100

[[metric]]
name = "converted"
role = "primary"
window_days = 30
minimum_effect = 0.05
higher_is_better = true

[[metric]]
name = "tasks_completed"
role = "secondary"
window_days = 30
"""


def write_exercise(exercise: SimulatedExercise, folder: Path) -> None:
    """Write the exercise; again with the same one writes the same bytes. Never over anything that was not simulated."""
    if folder.exists() and any(folder.iterdir()) and not is_simulated(folder):
        raise RecordingError(f"{folder} is not empty and holds no simulation: name a new folder")
    (folder / PLANS).mkdir(parents=True, exist_ok=True)
    # The label goes first: should the writing be cut short, what is there is marked as made up.
    _write(folder / TRUTH, json.dumps(exercise.truth(), indent=2) + "\n")
    _write(folder / CONFIG, SETTINGS)
    _write(folder / PLANS / f"{EXPERIMENT}.toml", _plan(exercise))
    customers = list(exercise.customers())
    _table(folder / COHORTS, COHORT_COLUMNS, map(_cohort, customers))
    _table(folder / ACTIVITY, ("customer_id", "task", "started_at", "at"), _activity(customers))
    _table(folder / HELP, ("customer_id", "needed_at", "at", "help", "channel", "task"), _help(customers))
    _table(folder / CONVERSION, ("customer_id", "converted", "at"), map(_conversion, customers))


def _plan(exercise: SimulatedExercise) -> str:
    test = round(exercise.parameters.share_test, 6)
    return PLAN.format(
        id=EXPERIMENT,
        control=round(1 - test, 6),
        test=test,
        starts_at=rfc3339(start_of(COHORT_DAY)),
        units=max(2, len(exercise.in_test)),
    )


COHORT_COLUMNS = ("customer_id", "cohort", "joined_at", "employees", "segment")


def _cohort(customer: Customer) -> tuple[object, ...]:
    joined = rfc3339(customer.joined_at)
    return customer.id, customer.arm.capitalize(), joined, customer.employees, customer.segment


def _activity(customers: Iterable[Customer]) -> Iterable[tuple[object, ...]]:
    return (
        (customer.id, attempt.task, rfc3339(attempt.started_at), _time(attempt.completed_at))
        for customer in customers
        for attempt in customer.attempts
    )


def _help(customers: Iterable[Customer]) -> Iterable[tuple[object, ...]]:
    return (
        (customer.id, _time(rescue.needed_at), rfc3339(rescue.at), rescue.source, rescue.channel, rescue.task or "")
        for customer in customers
        for rescue in customer.rescues
    )


def _conversion(customer: Customer) -> tuple[object, ...]:
    return customer.id, int(customer.converted), rfc3339(customer.decided_at)


def _time(at: int | None) -> str:
    return "" if at is None else rfc3339(at)


def _table(path: Path, columns: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")

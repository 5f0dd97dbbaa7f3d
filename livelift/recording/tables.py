"""The four tables of the trial exercise, read as the events that they record (EVENTS.md, "Recording")."""

import csv
from collections import Counter
from collections.abc import Callable, Iterator
from hashlib import blake2b
from math import isnan
from pathlib import Path
from typing import Any

import msgspec

from livelift.recording.record import Log, RecordingError
from livelift.recording.times import instant_of
from models.clock import rfc3339
from models.events import HOME
from models.plan import Plan

COHORTS, ACTIVITY, HELP, CONVERSION = TABLES = (
    "test_cohorts.csv", "product_activity.csv", "help_activity.csv", "conversion.csv",
)  # fmt: skip
NEEDED = {
    COHORTS: ("customer_id", "cohort", "joined_at"),
    ACTIVITY: ("customer_id", "task", "at"),
    HELP: ("customer_id", "at", "help"),
    CONVERSION: ("customer_id", "converted", "at"),
}
EVENTS = "events.jsonl"
NO_PLAN = "trial-exercise"
"""The experiment's id where no plan says another."""
Row = dict[str, str]


def read_tables(folder: Path, plan: Plan | None, log: Log) -> None:
    """Append the events of the four tables to the log; RecordingError names file and line of what is wrong."""
    tables = Tables(plan, log)
    readers = (tables.cohort, tables.activity, tables.help, tables.conversion)
    for name, read in zip(TABLES, readers, strict=True):
        _read(folder / name, read)


def _read(path: Path, read: Callable[[Row], None]) -> None:
    if not path.is_file():
        raise RecordingError(f"{path.name} is missing: a recording has {EVENTS} or all of {', '.join(TABLES)}")
    with path.open(encoding="utf-8-sig", newline="") as lines:
        rows = csv.DictReader(lines, restval="")
        missing = [column for column in NEEDED[path.name] if column not in (rows.fieldnames or ())]
        if missing:
            raise RecordingError(f"{path.name} line 1: no column {', '.join(missing)}; add it to the header")
        try:
            for row in rows:
                read(row)
        except (ValueError, KeyError, AttributeError, csv.Error) as error:
            raise RecordingError(f"{path.name} line {rows.line_num}: {error}; correct the row or remove it") from error


class Tables:
    """Turns rows into events with ids that are the same on every reading."""

    def __init__(self, plan: Plan | None, log: Log) -> None:
        self.log = log
        self.experiment = plan.id if plan else NO_PLAN
        self.arms = {
            "test": plan.treatment if plan else "test",
            "control": plan.experiment.control if plan else "control",
        }
        self.accounts: dict[str, str] = {}
        self.ids: Counter[str] = Counter()

    def cohort(self, row: Row) -> None:
        """A customer joined and was put into an arm; whatever else the table says of them are traits."""
        customer, at = _text(row, "customer_id"), _time(row, "joined_at")
        arm = self.arms.get(_text(row, "cohort").lower())
        if arm is None:
            raise ValueError(f"cohort is {row['cohort']!r}, neither Test nor Control")
        self.accounts[customer] = row.get("account_id") or customer
        traits = dict(_traits(row))
        self.event("trial_started", customer, at, {})
        if traits:
            self.event("traits_set", customer, at, traits)
        self.event("experiment_assigned", customer, at, {"experiment": self.experiment, "arm": arm})
        self.log.assign(self.experiment, at)

    def activity(self, row: Row) -> None:
        """A task was completed; or, with `started_at` and an empty `at`, begun and never completed."""
        customer, task = _text(row, "customer_id"), _text(row, "task")
        started, done = row.get("started_at"), row["at"]
        if not started and not done:
            raise ValueError("neither at nor started_at is filled in")
        if started:
            self.event("task_started", customer, _time(row, "started_at"), {"task": task}, task)
        if done:
            self.event("task_completed", customer, _time(row, "at"), {"task": task}, task)

    def help(self, row: Row) -> None:
        """The product saw trouble and the customer chose help. A table that has `needed_at` may leave it empty for
        help that was sought without trouble."""
        customer, at, source = _text(row, "customer_id"), _time(row, "at"), _text(row, "help").upper()
        if source not in ("CS", "OTHER"):
            raise ValueError(f"help is {row['help']!r}, neither CS nor OTHER")
        about = {"task": row["task"]} if row.get("task") else {}
        if "needed_at" not in row or row["needed_at"]:
            needed = _time(row, "needed_at") if "needed_at" in row else at
            self.event("help_needed", customer, needed, about, rfc3339(needed))
        channel = {"channel": row["channel"]} if row.get("channel") else {}
        self.event("help_engaged", customer, at, {"source": source, **channel, **about}, rfc3339(at))

    def conversion(self, row: Row) -> None:
        """The customer subscribed, or the trial ended without."""
        kinds = {"1": "converted", "0": "trial_lapsed"}
        kind = kinds.get(_text(row, "converted"))
        if kind is None:
            raise ValueError(f"converted is {row['converted']!r}, neither 0 nor 1")
        self.event(kind, _text(row, "customer_id"), _time(row, "at"), {})

    def event(self, kind: str, customer: str, at: int, properties: dict[str, Any], detail: str = "") -> None:
        """Append one event of a customer; without accounts in the tables, people are accounts."""
        account = self.accounts.get(customer, customer)
        event = {
            "id": self._id(kind, customer, detail), "type": kind, "at": rfc3339(at),
            "account_id": account, "user_id": customer, "properties": properties,
        }  # fmt: skip
        self.log.add(HOME[kind], account.encode(), msgspec.json.encode(event), at)

    def _id(self, kind: str, customer: str, detail: str) -> str:
        """The same id on every reading; identical rows are counted through, so that each keeps its own."""
        name = ":".join(part for part in (kind, customer, detail) if part)
        if len(name) > 110:
            name = f"{kind}:{blake2b(name.encode(), digest_size=16).hexdigest()}"
        self.ids[name] += 1
        return name if self.ids[name] == 1 else f"{name}:{self.ids[name]}"


def _text(row: Row, column: str) -> str:
    text = row[column].strip()
    if not text:
        raise ValueError(f"{column} is empty")
    return text


def _time(row: Row, column: str) -> int:
    try:
        return instant_of(row[column])
    except ValueError:
        raise ValueError(f"{column} is {row[column]!r}, not a time like 2026-05-05T08:30:00Z") from None


def _traits(row: Row) -> Iterator[tuple[str, str | float | bool]]:
    """The further columns of the cohort table: numbers and truth values where they read as such, else text."""
    for name, text in row.items():
        if name and text and name not in (*NEEDED[COHORTS], "account_id"):
            yield name, _value(text.strip())


def _value(text: str) -> str | float | bool:
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    try:
        number = float(text)
    except ValueError:
        return text
    if abs(number) > 1e15 or isnan(number):
        return text
    return int(number) if number.is_integer() else number

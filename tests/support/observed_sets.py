"""The shared data as `Observed`: which column is what, and nothing invented. Read from where it lies, never copied."""

import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import cache
from typing import NamedTuple, TypeVar

import numpy as np
import pandas as pd

from models.authenticity.observed import MISSING, Assigned, Dated, Events, Ints, Measure, Observed, Tasks
from models.clock import DAY, SECOND
from models.simulation import simulate
from tests.support import oulad
from tests.support.shared_data import DATA

MINUTE = 60 * SECOND
Table = TypeVar("Table")


class RealSet(NamedTuple):
    """A set, the folder it lies in, and how many accounts a subsample of it has."""

    folder: str
    read: Callable[[], Observed]
    accounts: int
    tuned: bool
    """Whether thresholds were set while looking at it; on the others they were only tried."""


@cache
def learners() -> Observed:
    """7,685 learners; results carried over from an earlier attempt ("banked", day -1) were not made then and are out.

    A day without a date is counted from the presentation's start. When a task was begun is not recorded.
    """
    users, made = oulad.learners(), oulad.submissions()
    made = made[made.day != -1]
    names = users.presentation + "/" + users.student
    code = dict(zip(names, range(len(names)), strict=True))
    who = (made.presentation + "/" + made.student).map(code).to_numpy()
    at, task = made.day.to_numpy() * DAY, made.task.astype(int).to_numpy() - 1
    everybody, passed = np.arange(len(users)), users.passed.to_numpy()
    days = [Measure(f"days to submission {k + 1}", "duration", who[task == k], at[task == k] / DAY) for k in range(3)]
    return Observed(
        resolution=DAY,
        joined=Dated(everybody, users.registered.to_numpy() * DAY),
        tasks=Tasks(who, task, np.full(len(who), MISSING), at),
        converted=Dated(everybody[passed], users.length.to_numpy()[passed] * DAY),
        measures=tuple(days),
    )


@cache
def lateness() -> Tasks:
    """The learners' submissions, each begun 100 days before it was due: for ranks of lateness, in the order of due dates."""
    exams = oulad._csv("assessments")
    exams = exams[exams.assessment_type == "TMA"].sort_values([*oulad.COURSE, "date"])
    exams = exams.assign(task=exams.groupby(oulad.COURSE).cumcount())
    made = oulad._csv("studentAssessment").merge(
        exams[["id_assessment", *oulad.COURSE, "date", "task"]], on="id_assessment"
    )
    made = made[made.is_banked == 0]
    _, who = np.unique(made.code_module + made.code_presentation + made.id_student.astype(str), return_inverse=True)
    started = (made.date.to_numpy() - 100).astype(np.int64) * DAY
    return Tasks(who, made.task.to_numpy(), started, made.date_submitted.to_numpy() * DAY)


@cache
def appointments() -> Observed:
    """18,421 arrivals of 207 experts, written to the minute, and the days that customers waited for them."""
    rows = _csv("nps_service_appointments", "serviceappointments").dropna(subset=["on_site"])
    who = _codes(rows.serviceresource_id)
    waited = (pd.to_datetime(rows.appointment_date) - pd.to_datetime(rows.created_date)).dt.days.to_numpy(dtype=float)
    return Observed(
        events=Events(who, _instants(rows.on_site), _codes(rows.work_type)),
        resolution=MINUTE,
        measures=(Measure("days waited", "duration", who, waited),),
    )


@cache
def answers() -> Observed:
    """3,145 answers to "would you recommend us?", 0 to 10; each customer answers once. Two answers are 11."""
    rows = _csv("nps_service_appointments", "nps")
    return Observed(
        events=Events(
            _codes(rows.serviceappointment_id),
            _instants(rows.submitted_at),
            None,
            rows.nps.to_numpy(dtype=float),
            (0, 10),
        )
    )


@cache
def answered_visits() -> Observed:
    """The answers as a task that begins when the expert arrives."""
    rows = _csv("nps_service_appointments", "nps")
    visits = _csv("nps_service_appointments", "serviceappointments")[["serviceappointment_id", "on_site"]]
    rows = rows.merge(visits, on="serviceappointment_id").dropna(subset=["on_site"])
    who = _codes(rows.serviceappointment_id)
    answered = Tasks(who, np.zeros(len(who), dtype=np.int64), _instants(rows.on_site), _instants(rows.submitted_at))
    return replace(answers(), tasks=answered)


@cache
def freemium() -> Observed:
    """25,387 weekly reports of 3,569 accounts, what was used in all of them, and when some became customers."""
    rows, customers = _csv("hubspot_freemium", "usage_actions"), _csv("hubspot_freemium", "customers")
    who = rows.id.to_numpy(dtype=np.int64)
    actions = [name for name in rows.columns if name.startswith("ACTIONS")]
    totals = rows.groupby("id")[actions].sum()
    return Observed(
        events=Events(who, _instants(rows.WHEN_TIMESTAMP), None, rows[actions].sum(axis=1).to_numpy(dtype=float)),
        resolution=7 * DAY,
        converted=Dated(customers.id.to_numpy(dtype=np.int64), _instants(customers.CLOSEDATE)),
        measures=tuple(
            Measure(name.lower(), "count", totals.index.to_numpy(dtype=np.int64), totals[name].to_numpy(dtype=float))
            for name in actions
        ),
    )


@cache
def players() -> Observed:
    """90,189 players of a game, a gate at level 30 or 40, and rounds played."""
    rows = _csv("cookie_cats", "cookie_cats")
    who = np.arange(len(rows))
    arm = (rows.version == "gate_40").to_numpy().astype(np.int64)
    rounds = Measure("rounds", "count", who, rows.sum_gamerounds.to_numpy(dtype=float))
    return Observed(assigned=Assigned(who, arm, (0.5, 0.5)), measures=(rounds,))


@cache
def job_seekers() -> Observed:
    """899 people, two thirds offered a seminar, and scores of questionnaires from 1 to 5."""
    rows = _csv("rct_noncompliance_cluster", "jobs2_jobs")
    who = np.arange(len(rows))
    scores = ("econ_hard", "depress1", "depress2", "job_seek")
    return Observed(
        assigned=Assigned(who, 1 - rows.treat.to_numpy(dtype=np.int64), (2 / 3, 1 / 3)),
        measures=tuple(Measure(name, "score", who, rows[name].to_numpy(dtype=float), (1, 5), 0.01) for name in scores),
    )


@cache
def subscribers() -> Observed:
    """2,000 customers of a software service; its source says that they look simulated."""
    rows = _csv("pysurvival_churn", "churn")
    who = np.arange(len(rows))
    counts = (
        "articles_viewed",
        "smartphone_notifications_viewed",
        "marketing_emails_clicked",
        "social_media_ads_viewed",
    )
    return Observed(
        measures=(
            *(Measure(name, "count", who, rows[name].to_numpy(dtype=float)) for name in counts),
            Measure("minutes_customer_support", "duration", who, rows.minutes_customer_support.to_numpy(), None, 0.1),
            Measure("months_active", "duration", who, rows.months_active.to_numpy()),
            Measure("csat_score", "score", who, rows.csat_score.to_numpy(dtype=float), (0, 10)),
        )
    )


@cache
def listeners() -> Observed:
    """8,056 page views of 97 users and visitors, simulated by eventsim and written to the millisecond."""
    with (DATA / "sparkify_dend_logs" / "log_data_2018-11.jsonl").open() as lines:
        rows = pd.DataFrame([json.loads(line) for line in lines])
    who = _codes(rows.userId.astype(str))
    return Observed(
        events=Events(who, rows.ts.to_numpy(dtype=np.int64) * 1000, _codes(rows.page)),
        resolution=1000,
    )


def trial(customers: int, seed: int) -> Observed:
    """livelift's own simulated exercise: the four tables of the published one, with known truth."""
    people = list(simulate(customers, seed).customers())
    who = np.arange(len(people))
    attempts = [(at, int(one.task) - 1, one) for at, person in enumerate(people) for one in person.attempts]
    completed = [MISSING if one.completed_at is None else one.completed_at for _, _, one in attempts]
    helped = [(at, one.at) for at, person in enumerate(people) for one in person.rescues]
    converted = [(at, person.decided_at) for at, person in enumerate(people) if person.converted]
    arm = np.array([int(person.arm == "control") for person in people])
    tasks = Tasks(
        _column(row[0] for row in attempts),
        _column(row[1] for row in attempts),
        _column(row[2].started_at for row in attempts),
        _column(completed),
    )
    return Observed(
        events=Events(tasks.user, tasks.started, tasks.task, free=False),
        assigned=Assigned(who, arm, (0.3, 0.7)),
        joined=Dated(who, _column(person.joined_at for person in people)),
        tasks=tasks,
        help=Dated(_column(row[0] for row in helped), _column(row[1] for row in helped)),
        converted=Dated(_column(row[0] for row in converted), _column(row[1] for row in converted)),
    )


SETS = {
    "learners": RealSet("oulad_subset", learners, 1000, True),
    "appointments": RealSet("nps_service_appointments", appointments, 100, True),
    "answers": RealSet("nps_service_appointments", answers, 1000, True),
    "freemium": RealSet("hubspot_freemium", freemium, 1000, False),
    "players": RealSet("cookie_cats", players, 1000, False),
    "job seekers": RealSet("rct_noncompliance_cluster", job_seekers, 500, False),
}
"""Made by people; any alarm is to be explained."""
SUSPECT = {
    "answered visits": RealSet("nps_service_appointments", answered_visits, 1000, False),
    "subscribers": RealSet("pysurvival_churn", subscribers, 1000, False),
    "listeners": RealSet("sparkify_dend_logs", listeners, 50, False),
}
"""Where an alarm is right."""


def people_of(observed: Observed) -> Ints:
    """Everybody in any table."""
    tables = [observed.events, observed.assigned, observed.joined, observed.tasks, observed.help, observed.converted]
    columns = [table.user for table in [*tables, *observed.measures] if table is not None]
    return np.unique(np.concatenate(columns))


def subset(observed: Observed, people: Ints) -> Observed:
    """Everything about these people only."""
    return Observed(
        _kept(observed.events, people),
        observed.resolution,
        _kept(observed.assigned, people),
        _kept(observed.joined, people),
        _kept(observed.tasks, people),
        _kept(observed.help, people),
        _kept(observed.converted, people),
        tuple(kept for kept in (_kept(one, people) for one in observed.measures) if kept is not None),
    )


def _kept(table: Table, people: Ints) -> Table:
    if table is None:
        return table
    rows = np.isin(table.user, people, kind="table")
    columns = {name: value[rows] for name in _fields(table) if isinstance(value := getattr(table, name), np.ndarray)}
    return table._replace(**columns) if isinstance(table, Dated) else replace(table, **columns)


def _fields(table: object) -> tuple[str, ...]:
    return table._fields if isinstance(table, Dated) else tuple(table.__dataclass_fields__)


def _column(values: Iterable[int]) -> Ints:
    return np.array(list(values), dtype=np.int64)


def _codes(names: pd.Series) -> Ints:
    return np.unique(names.to_numpy(dtype=str), return_inverse=True)[1]


def _instants(texts: pd.Series) -> Ints:
    return pd.to_datetime(texts).to_numpy(dtype="datetime64[us]").astype(np.int64)


def _csv(folder: str, name: str) -> pd.DataFrame:
    return pd.read_csv(DATA / folder / f"{name}.csv")

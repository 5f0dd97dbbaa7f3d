"""Real learners as a recording, and what a batch computation says about them.

The seven presentations of the Open University subset with exactly three tutor-marked assessments (TMAs): registering
is a trial started, TMA k is task k, passing is converting at the presentation's end. The presentation is the account.
"""

import json
from collections.abc import Collection, Iterator
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "oulad_subset"
COURSE = ["code_module", "code_presentation"]
LEARNER = ["presentation", "student"]
Learner = tuple[str, str]
"""(presentation, student) as they appear as account_id and user_id, e.g. ("AAA-2013J", "11391")."""

SETTINGS = """\
people_are_accounts = false

[[journey]]
id = "getting-started"
tasks = ["1", "2", "3"]
order = "series"
trial_days = 300
"""


def is_there() -> bool:
    """Whether the data is on this machine; tests skip with a reason where it is not."""
    return (DATA / "studentInfo.csv").is_file()


@cache
def learners() -> pd.DataFrame:
    """All 7,685 learners: presentation, student, passed, registered (day), length (days). Days count from the start."""
    info = _csv("studentInfo").merge(_tasks()[COURSE].drop_duplicates(), on=COURSE)
    info = info.merge(_csv("studentRegistration"), on=[*COURSE, "id_student"], how="left")
    info = info.merge(_csv("courses"), on=COURSE)
    return pd.DataFrame({
        "presentation": _presentation(info),
        "student": info.id_student.astype(str),
        "passed": info.final_result.isin(["Pass", "Distinction"]),
        "registered": info.date_registration.fillna(0).astype(int),
        "length": info.module_presentation_length,
    })  # fmt: skip


@cache
def submissions() -> pd.DataFrame:
    """Their 20,742 submissions: presentation, student, task ("1" to "3"), day.

    Results banked from an earlier attempt count (all 318 dated day -1): without them the published figures do not
    come out (337 learners without any submission would be 430).
    """
    made = _csv("studentAssessment").merge(_tasks(), on="id_assessment")
    made = pd.DataFrame({
        "presentation": _presentation(made),
        "student": made.id_student.astype(str),
        "task": made.task.astype(str),
        "day": made.date_submitted,
    })  # fmt: skip
    return made.merge(learners()[LEARNER], on=LEARNER)


def write_oulad(folder: Path, learners: Collection[Learner] | None = None) -> int:
    """Write the recording of these learners (default: all); returns the number of events."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "livelift.toml").write_text(SETTINGS, encoding="utf-8")
    lines = [json.dumps(event, separators=(",", ":")) for event in _events(learners)]
    (folder / "events.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return len(lines)


def reference(learners: Collection[Learner] | None = None) -> dict[str, Any]:
    """The same learners counted by pandas, in the words of the `funnel` snapshot.

    skipped: {task: learners who submitted the next task but never this one}; "2": 45 and "1": 40 for all of them.
    out_of_order: learners with a task submitted on an earlier day than a task before it that they also submitted
    (5; same-day submissions, 184 of them, are in order as far as anyone can know).
    """
    users, made = _kept(*_all(), learners)
    days = made.pivot_table(index=LEARNER, columns="task", values="day", aggfunc="min")
    days = days.reindex(index=pd.MultiIndex.from_frame(users[LEARNER]), columns=["1", "2", "3"])
    done = days.notna()
    by_dose = users.set_index(LEARNER).passed.groupby(done.sum(axis=1)).agg(["size", "sum"])
    by_dose = by_dose.reindex(range(4), fill_value=0)
    skipped = {task: int((done[after] & ~done[task]).sum()) for task, after in (("1", "2"), ("2", "3"))}
    back = (days["2"] < days["1"]) | (days["3"] < days["2"]) | (days["3"] < days["1"])
    return {
        "users": len(users),
        "events": 2 * len(users) + len(made),
        "dose": [
            {"completions": int(dose), "users": int(row["size"]), "converted": int(row["sum"])}
            for dose, row in by_dose.iterrows()
        ],
        "completed": {task: int(count) for task, count in done.sum().items()},
        "skipped": {task: count for task, count in skipped.items() if count},
        "out_of_order": int(back.sum()),
    }


def _events(kept: Collection[Learner] | None) -> Iterator[dict[str, Any]]:
    users, made = _kept(*_all(), kept)
    people: list[Any] = list(users.itertuples())
    submitted: list[Any] = list(made.itertuples())
    for user in people:
        ended = ("converted", {}) if user.passed else ("trial_lapsed", {"reason": "Fail"})
        yield _event("product-events", "trial_started", user, user.registered, {})
        yield _event("conversion-events", ended[0], user, user.length, ended[1])
    for submission in submitted:
        yield _event("product-events", "task_completed", submission, submission.day, {"task": submission.task})


def _event(topic: str, kind: str, who: Any, day: int, properties: dict[str, str]) -> dict[str, Any]:
    name = ":".join([kind, who.presentation, who.student, *(properties[k] for k in properties if k == "task")])
    return {
        "topic": topic, "id": name, "type": kind, "at": f"{_date(who.presentation, int(day))}T00:00:00Z",
        "account_id": who.presentation, "user_id": who.student, "properties": properties,
    }  # fmt: skip


def _date(presentation: str, day: int) -> date:
    # The data has days since the presentation's start and no dates. "J" presentations start in October: its first
    # day is taken. Midnight stands for the day, because the data has no hours and none are invented.
    year = int(presentation.split("-")[1][:4])
    return date(year, 10, 1) + timedelta(days=day)


def _all() -> tuple[pd.DataFrame, pd.DataFrame]:
    return learners(), submissions()


def _kept(
    users: pd.DataFrame, made: pd.DataFrame, kept: Collection[Learner] | None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    if kept is None:
        return users, made
    wanted = pd.DataFrame(sorted(set(kept)), columns=LEARNER)
    return users.merge(wanted, on=LEARNER), made.merge(wanted, on=LEARNER)


@cache
def _tasks() -> pd.DataFrame:
    """The TMAs of presentations that have exactly three, numbered by their due dates."""
    exams = _csv("assessments")
    exams = exams[exams.assessment_type == "TMA"].sort_values([*COURSE, "date"])
    groups = exams.groupby(COURSE).id_assessment
    exams = exams.assign(task=groups.cumcount() + 1, of=groups.transform("size"))
    return exams.loc[exams.of == 3, [*COURSE, "id_assessment", "task"]]


def _presentation(frame: pd.DataFrame) -> pd.Series:
    return frame.code_module + "-" + frame.code_presentation


def _csv(name: str) -> pd.DataFrame:
    return pd.read_csv(DATA / f"{name}.csv")

"""The real data beside the project as sources: a mapping each, as their owners would have written it.

Where the data has days and no dates, or no times at all, what is invented is in the mapping for everybody to see: the
first of October for presentations that begin in October, one day for a trial that tells none.
"""

from functools import cache
from typing import Any

import pandas as pd

from tests.support.mappings import event, lookup, mapping
from tests.support.shared_data import DATA


def csv(name: str, path: str, *events: str, zone: str = "UTC", **more: Any) -> str:
    """A table below the shared data that nobody adds to any more."""
    return mapping("csv", name, f"{DATA}/{path}.csv", *events, zone=zone, finished=True, **more)


def _log(kind: str, pages: Any, properties: dict[str, Any], **more: str) -> str:
    at = {"from": "{ts}", "format": "epoch_ms"}
    return event(kind, at, "{userId}", "{userId}", when={"page": pages, **more}, properties=properties)


USED = ["NextSong", "Home", "Settings", "Save Settings", "Downgrade", "Upgrade", "About", "Error"]
"""The pages by which the service is used."""
SPARKIFY = mapping(
    "jsonl", "sparkify", f"{DATA}/sparkify_dend_logs/log_data_2018-11.jsonl",
    _log("core_action", USED, {"feature": "{page}"}, auth="Logged In"),
    # also of those who are not logged in: they are refused, not overlooked
    _log("help_engaged", "Help", {"source": "OTHER", "channel": "help page"}),
    _log("converted", "Submit Upgrade", {"plan": "paid"}, auth="Logged In"),
    _log("churned", "Submit Downgrade", {"reason": "downgraded"}, auth="Logged In"),
    finished=True,
)  # fmt: skip
"""An application's log, one JSON object a line."""

APPOINTMENT = "{serviceappointment_id}"
NPS = csv(
    "nps", "nps_service_appointments/nps",
    event("survey_answered", "{submitted_at}", "{appointment.service_territory}", APPOINTMENT,
          properties={"survey": "nps", "score": {"from": "{nps}", "as": "integer"}, "about": "support"}),
    zone="Europe/Brussels", ambiguous="earlier",
    lookups=lookup("appointment", f"{DATA}/nps_service_appointments/serviceappointments.csv", "serviceappointment_id"),
)  # fmt: skip
APPOINTMENTS = csv(
    "appointments", "nps_service_appointments/serviceappointments",
    event("ticket_opened", "{created_date}", "{service_territory}", id=APPOINTMENT,
          properties={"ticket": APPOINTMENT, "area": "{work_type}"}),
    zone="Europe/Brussels",
)  # fmt: skip

STARTS = {"2013J": "2013-10-01", "2014J": "2014-10-01"}
COURSE, LEARNER = "{code_module}-{code_presentation}", "{id_student}"
THREE = {COURSE: ["AAA-2013J", "AAA-2014J", "BBB-2013J", "BBB-2014J", "EEE-2013J", "FFF-2013J", "FFF-2014J"]}
"""Presentations with exactly three tutor-marked assessments."""
FOLDER = f"{DATA}/oulad_subset"


@cache
def three_tasks() -> dict[str, str]:
    """id_assessment -> task: the tutor-marked assessments of presentations with exactly three, by their dates."""
    exams = pd.read_csv(DATA / "oulad_subset" / "assessments.csv")
    exams = exams[exams.assessment_type == "TMA"].sort_values(["code_module", "code_presentation", "date"])
    groups = exams.groupby(["code_module", "code_presentation"]).id_assessment
    kept = exams[groups.transform("size") == 3]
    return {
        str(exam): str(task + 1) for exam, task in zip(kept.id_assessment, groups.cumcount()[kept.index], strict=True)
    }


def _day(presentation: str, days: Any) -> dict[str, Any]:
    """A day counted from the start of a presentation."""
    return {"from": {"from": presentation, "map": STARTS}, "days": days}


def oulad(tasks: dict[str, str]) -> tuple[str, str, str]:
    """Registrations, submissions and results. tasks: id_assessment -> task, of the presentations taken."""
    enrolment = f"{COURSE}-{LEARNER}"
    registered = csv(
        "registrations", "oulad_subset/studentInfo",
        event("trial_started", _day("{code_presentation}", {"from": "{registration.date_registration}", "default": 0}),
              COURSE, LEARNER, when=THREE, id=enrolment),
        lookups=lookup("registration", f"{FOLDER}/studentRegistration.csv", enrolment),
    )  # fmt: skip
    submitted = csv(
        "submissions", "oulad_subset/studentAssessment",
        event("task_completed", _day("{exam.code_presentation}", "{date_submitted}"),
              "{exam.code_module}-{exam.code_presentation}", LEARNER, when={"id_assessment": [int(exam) for exam in tasks]},
              properties={"task": {"from": "{id_assessment}", "map": tasks}}),
        lookups=lookup("exam", f"{FOLDER}/assessments.csv", "id_assessment"),
    )  # fmt: skip
    passed = ["Pass", "Distinction"]
    over = (_day("{code_presentation}", "{course.module_presentation_length}"), COURSE, LEARNER)
    ended = csv(
        "results", "oulad_subset/studentInfo",
        event("converted", *over, when={**THREE, "final_result": passed}),
        event("trial_lapsed", *over, when={**THREE, "final_result": {"not": passed}},
              properties={"reason": "{final_result}"}),
        lookups=lookup("course", f"{FOLDER}/courses.csv", COURSE),
    )  # fmt: skip
    return registered, submitted, ended


def _assigned(who: tuple[Any, str], experiment: str, column: str, arms: dict[str, str], **more: Any) -> str:
    arm = {"from": column, "map": arms}
    return event("experiment_assigned", "2026-01-01", *who, properties={"experiment": experiment, "arm": arm}, **more)


PLAYER = ("{userid}", "{userid}")
COOKIE_CATS = csv(
    "cats", "cookie_cats/cookie_cats",
    _assigned(PLAYER, "gate", "{version}", {"gate_30": "control", "gate_40": "test"}),  # it tells no time
    *(event("core_action", f"2026-01-{day + 1:02}", *PLAYER, when={f"retention_{day}": "TRUE"},
            properties={"feature": f"day-{day}"}) for day in (1, 7)),
)  # fmt: skip

SEEKER = ("{#line}", "{#line}")
JOBS = csv(
    "jobs", "rct_noncompliance_cluster/jobs2_jobs",
    _assigned(SEEKER, "seminar", "{treat}", {"0": "control", "1": "test"}),
    event("help_engaged", "2026-01-02", *SEEKER, when={"comply": 1}, properties={"source": "CS"}),
    *(event("outcome_observed", "2026-01-10", *SEEKER,
            properties={"name": name, "value": {"from": f"{{{name}}}", "as": "number"}})
      for name in ("job_seek", "job_dich")),
)  # fmt: skip

VILLAGER = ({"from": "{villnum}", "as": "text", "default": "unknown"}, "{#line}")
TOLD = {"empty": False}
THORNTON = csv(
    "thornton", "rct_noncompliance_cluster/thornton_hiv",
    _assigned(VILLAGER, "incentive", "{any}", {"0.0": "control", "1.0": "test"}, when={"any": TOLD, "got": TOLD}),
    event("converted", "2026-01-02", *VILLAGER, when={"any": TOLD, "got": "1.0"}),
)  # fmt: skip


def plan(id_: str, metrics: str, extra: str = "") -> str:
    """A plan over one day of assignment, read when its windows are over."""
    return f"""
[experiment]
id = "{id_}"
unit = "user"
randomised_by = "user"
control = "control"
arms = {{ control = 0.5, test = 0.5 }}
starts_at = 2026-01-01T00:00:00Z
planned_units = 1000
analysis = "fixed"
analyse_at = 2026-01-20T00:00:00Z
{extra}
{metrics}
"""

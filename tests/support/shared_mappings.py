"""The real data beside the project as sources: a mapping each, as their owners would have written it.

Where the data has days and no dates, or no times at all, what is invented is in the mapping for everybody to see: the
first of October for presentations that begin in October, one day for a trial that tells none.
"""

from functools import cache
from pathlib import Path

import pandas as pd

from tests.support.shared_data import DATA

SPARKIFY = f"""
[source]
kind = "jsonl"                      # an application's log, one JSON object a line
name = "sparkify"
path = "{DATA}/sparkify_dend_logs/log_data_2018-11.jsonl"
finished = true

[[event]]                           # the pages by which the service is used
type = "core_action"
when = {{ page = ["NextSong", "Home", "Settings", "Save Settings", "Downgrade", "Upgrade", "About", "Error"], auth = "Logged In" }}
at = {{ from = "{{ts}}", format = "epoch_ms" }}
account_id = "{{userId}}"
user_id = "{{userId}}"
properties = {{ feature = "{{page}}" }}

[[event]]
type = "help_engaged"
when = {{ page = "Help" }}           # also of those who are not logged in: they are refused, not overlooked
at = {{ from = "{{ts}}", format = "epoch_ms" }}
account_id = "{{userId}}"
user_id = "{{userId}}"
properties = {{ source = "OTHER", channel = "help page" }}

[[event]]
type = "converted"
when = {{ page = "Submit Upgrade", auth = "Logged In" }}
at = {{ from = "{{ts}}", format = "epoch_ms" }}
account_id = "{{userId}}"
user_id = "{{userId}}"
properties = {{ plan = "paid" }}

[[event]]
type = "churned"
when = {{ page = "Submit Downgrade", auth = "Logged In" }}
at = {{ from = "{{ts}}", format = "epoch_ms" }}
account_id = "{{userId}}"
user_id = "{{userId}}"
properties = {{ reason = "downgraded" }}
"""
NPS = f"""
[source]
kind = "csv"
name = "nps"
path = "{DATA}/nps_service_appointments/nps.csv"
zone = "Europe/Brussels"
ambiguous = "earlier"
finished = true

[lookup.appointment]
path = "{DATA}/nps_service_appointments/serviceappointments.csv"
key = "serviceappointment_id"
by = "serviceappointment_id"

[[event]]
type = "survey_answered"
at = "{{submitted_at}}"
account_id = "{{appointment.service_territory}}"
user_id = "{{serviceappointment_id}}"
properties = {{ survey = "nps", score = {{ from = "{{nps}}", as = "integer" }}, about = "support" }}
"""
APPOINTMENTS = f"""
[source]
kind = "csv"
name = "appointments"
path = "{DATA}/nps_service_appointments/serviceappointments.csv"
zone = "Europe/Brussels"
finished = true

[[event]]
type = "ticket_opened"
at = "{{created_date}}"
account_id = "{{service_territory}}"
id = "{{serviceappointment_id}}"
properties = {{ ticket = "{{serviceappointment_id}}", area = "{{work_type}}" }}
"""
STARTS = '{ 2013J = "2013-10-01", 2014J = "2014-10-01" }'
THREE = '["AAA-2013J", "AAA-2014J", "BBB-2013J", "BBB-2014J", "EEE-2013J", "FFF-2013J", "FFF-2014J"]'
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


def oulad(tasks: dict[str, str]) -> tuple[str, str, str]:
    """Registrations, submissions and results. tasks: id_assessment -> task, of the presentations taken."""
    registered = f"""
[source]
kind = "csv"
name = "registrations"
path = "{FOLDER}/studentInfo.csv"
zone = "UTC"
finished = true
[lookup.registration]
path = "{FOLDER}/studentRegistration.csv"
key = "{{code_module}}-{{code_presentation}}-{{id_student}}"
by = "{{code_module}}-{{code_presentation}}-{{id_student}}"
[[event]]
type = "trial_started"
when = {{ "{{code_module}}-{{code_presentation}}" = {THREE} }}
at = {{ from = {{ from = "{{code_presentation}}", map = {STARTS} }}, days = {{ from = "{{registration.date_registration}}", default = 0 }} }}
account_id = "{{code_module}}-{{code_presentation}}"
user_id = "{{id_student}}"
id = "{{code_module}}-{{code_presentation}}-{{id_student}}"
"""
    numbers = ", ".join(f'{exam} = "{task}"' for exam, task in tasks.items())
    submitted = f"""
[source]
kind = "csv"
name = "submissions"
path = "{FOLDER}/studentAssessment.csv"
zone = "UTC"
finished = true
[lookup.exam]
path = "{FOLDER}/assessments.csv"
key = "id_assessment"
by = "id_assessment"
[[event]]
type = "task_completed"
when = {{ id_assessment = [{", ".join(tasks)}] }}
at = {{ from = {{ from = "{{exam.code_presentation}}", map = {STARTS} }}, days = "{{date_submitted}}" }}
account_id = "{{exam.code_module}}-{{exam.code_presentation}}"
user_id = "{{id_student}}"
properties = {{ task = {{ from = "{{id_assessment}}", map = {{ {numbers} }} }} }}
"""
    common = f"""
at = {{ from = {{ from = "{{code_presentation}}", map = {STARTS} }}, days = "{{course.module_presentation_length}}" }}
account_id = "{{code_module}}-{{code_presentation}}"
user_id = "{{id_student}}"
"""
    ended = f"""
[source]
kind = "csv"
name = "results"
path = "{FOLDER}/studentInfo.csv"
zone = "UTC"
finished = true
[lookup.course]
path = "{FOLDER}/courses.csv"
key = "{{code_module}}-{{code_presentation}}"
by = "{{code_module}}-{{code_presentation}}"
[[event]]
type = "converted"
when = {{ "{{code_module}}-{{code_presentation}}" = {THREE}, final_result = ["Pass", "Distinction"] }}
{common}
[[event]]
type = "trial_lapsed"
when = {{ "{{code_module}}-{{code_presentation}}" = {THREE}, final_result = {{ not = ["Pass", "Distinction"] }} }}
{common}
properties = {{ reason = "{{final_result}}" }}
"""
    return registered, submitted, ended


COOKIE_CATS = f"""
[source]
kind = "csv"
name = "cats"
path = "{DATA}/cookie_cats/cookie_cats.csv"
zone = "UTC"
finished = true

[[event]]
type = "experiment_assigned"
at = "2026-01-01"                   # the table tells no time: one day stands for all
account_id = "{{userid}}"
user_id = "{{userid}}"
properties = {{ experiment = "gate", arm = {{ from = "{{version}}", map = {{ gate_30 = "control", gate_40 = "test" }} }} }}

[[event]]
type = "core_action"
when = {{ retention_1 = "TRUE" }}
at = "2026-01-02"
account_id = "{{userid}}"
user_id = "{{userid}}"
properties = {{ feature = "day-1" }}

[[event]]
type = "core_action"
when = {{ retention_7 = "TRUE" }}
at = "2026-01-08"
account_id = "{{userid}}"
user_id = "{{userid}}"
properties = {{ feature = "day-7" }}
"""
JOBS = f"""
[source]
kind = "csv"
name = "jobs"
path = "{DATA}/rct_noncompliance_cluster/jobs2_jobs.csv"
zone = "UTC"
finished = true

[[event]]
type = "experiment_assigned"
at = "2026-01-01"
account_id = "{{#line}}"
user_id = "{{#line}}"
properties = {{ experiment = "seminar", arm = {{ from = "{{treat}}", map = {{ 0 = "control", 1 = "test" }} }} }}

[[event]]
type = "help_engaged"
when = {{ comply = 1 }}
at = "2026-01-02"
account_id = "{{#line}}"
user_id = "{{#line}}"
properties = {{ source = "CS" }}

[[event]]
type = "outcome_observed"
at = "2026-01-10"
account_id = "{{#line}}"
user_id = "{{#line}}"
properties = {{ name = "job_seek", value = {{ from = "{{job_seek}}", as = "number" }} }}

[[event]]
type = "outcome_observed"
at = "2026-01-10"
account_id = "{{#line}}"
user_id = "{{#line}}"
properties = {{ name = "job_dich", value = {{ from = "{{job_dich}}", as = "number" }} }}
"""
THORNTON = f"""
[source]
kind = "csv"
name = "thornton"
path = "{DATA}/rct_noncompliance_cluster/thornton_hiv.csv"
zone = "UTC"
finished = true

[[event]]
type = "experiment_assigned"
when = {{ any = {{ empty = false }}, got = {{ empty = false }} }}
at = "2026-01-01"
account_id = {{ from = "{{villnum}}", as = "text", default = "unknown" }}
user_id = "{{#line}}"
properties = {{ experiment = "incentive", arm = {{ from = "{{any}}", map = {{ "0.0" = "control", "1.0" = "test" }} }} }}

[[event]]
type = "converted"
when = {{ any = {{ empty = false }}, got = "1.0" }}
at = "2026-01-02"
account_id = {{ from = "{{villnum}}", as = "text", default = "unknown" }}
user_id = "{{#line}}"
"""


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


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path

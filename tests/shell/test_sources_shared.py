"""The real data beside the project comes in through mappings and out with the figures of ../shared/data/README.md."""

import json

import pandas as pd
import pytest
from scipy.stats import chi2_contingency, chisquare

from livelift.recording import open_recording
from livelift.replay import replay
from models.product import Product, read_product
from tests.support import shared_mappings as given
from tests.support.oulad import SETTINGS, reference
from tests.support.shared_data import DATA, needs
from tests.support.sources import events, outcomes, refusals, send, write, written

pytestmark = pytest.mark.shell
JOB_SEARCH = """
[[metric]]
name = "outcome:job_seek"
role = "primary"
window_days = 14
[[metric]]
name = "outcome:job_dich"
window_days = 14
"""
COLLECTED = '[[metric]]\nname = "converted"\nrole = "primary"\nwindow_days = 14\n'
TOOK_UP = 'uptake = { type = "help_engaged", source = "CS" }\n'


def replayed(folder):
    recording = open_recording(folder)
    product = Product() if recording.config is None else read_product(recording.config.read_bytes())
    return replay(recording, product)


@needs("sparkify_dend_logs")
def test_sparkify_as_an_application_log(tmp_path):
    sending = send(write(tmp_path, "sparkify.toml", given.SPARKIFY), tmp_path / "out")
    counts = sending.counts
    assert (counts.rows, counts.refused) == (8056, {"required_missing": 9}), "nine looked for help without logging in"
    assert counts.rows == counts.sent + counts.filtered + 9
    made = pd.DataFrame(written(tmp_path / "out"))
    songs = made.properties.map(lambda one: one.get("feature")) == "NextSong"
    assert (songs.sum(), (made.type == "converted").sum()) == (6820, 8)
    assert (made.type == "help_engaged").sum() + counts.refused["required_missing"] == 47
    features = made.properties.map(lambda one: one.get("feature")).value_counts()
    assert features["Upgrade"] == 21
    assert made.account_id.nunique() == 97
    paid, back = (set(made[made.type == kind].account_id) for kind in ("converted", "churned"))
    assert (len(paid), len(paid - back)) == (8, 7), "seven users end the month paid who began it free"
    snapshot = replayed(tmp_path / "out")
    assert snapshot["quality"]["accepted"] == counts.events
    assert (snapshot["quality"]["refused"], snapshot["quality"]["late"]) == ({}, 0)


@needs("nps_service_appointments")
def test_nps_refuses_the_two_answers_of_eleven_with_their_lines(tmp_path):
    """-29.95 is the figure of all 3,145 answers with the two of 11 taken for promoters; without them it is -30.03."""
    found = outcomes(write(tmp_path, "nps.toml", given.NPS))
    assert refusals(found) == [
        f"nps.csv line {line}: out_of_range: Expected `int` <= 10 - at `$.properties.score`" for line in (2450, 2882)
    ]
    answers = pd.DataFrame(events(found))
    scores = answers.properties.map(lambda one: one["score"])
    balance = int((scores >= 9).sum() - (scores <= 6).sum())
    assert len(answers) == 3143
    assert round(100 * balance / 3143, 2) == -30.03
    assert round(100 * (balance + 2) / 3145, 2) == -29.95
    assert answers.account_id.nunique() == pd.read_csv(
        DATA / "nps_service_appointments" / "serviceappointments.csv").service_territory.nunique()  # fmt: skip


@needs("nps_service_appointments")
def test_appointments_are_tickets(tmp_path):
    sending = send(write(tmp_path, "appointments.toml", given.APPOINTMENTS), tmp_path / "out")
    assert (sending.counts.rows, sending.counts.sent) == (18_425, 18_425)
    send(write(tmp_path, "nps.toml", given.NPS), tmp_path / "out")
    snapshot = replayed(tmp_path / "out")
    assert snapshot["quality"]["accepted"] == 18_425 + 3_143


@needs("oulad_subset")
def test_oulad_by_three_mappings(tmp_path):
    out = tmp_path / "out"
    write(out, "livelift.toml", SETTINGS)
    (out / ".sources").mkdir()
    sent = [
        send(write(tmp_path, f"{number}.toml", text), out).counts
        for number, text in enumerate(given.oulad(given.three_tasks()))
    ]
    assert [(counts.sent, counts.refused) for counts in sent] == [(7685, {}), (20_742, {}), (7685, {})]
    assert [counts.rows for counts in sent] == [12_489, 36_184, 12_489]
    funnel = replayed(out)["funnel"]["getting-started"]
    assert [(step["converted"], step["users"]) for step in funnel["dose"]] == [
        (4, 337), (4, 378), (84, 546), (5484, 6424),
    ]  # fmt: skip
    assert (funnel["skipped"], funnel["out_of_order"]) == ({"1": 40, "2": 45}, 5)
    completed = {task: counts["completed"] for task, counts in funnel["tasks"].items()}
    assert completed == reference()["completed"]


def trial(tmp_path, mapping: str, plan: str) -> dict:
    """What a recording made of a mapping says of its one experiment."""
    out = tmp_path / "out"
    write(out, "plans/plan.toml", plan)
    write(out, "livelift.toml", "people_are_accounts = false\n")
    (out / ".sources").mkdir()
    send(write(tmp_path, "mapping.toml", mapping), out)
    snapshot = replayed(out)
    return next(value for key, value in snapshot.items() if key.startswith("experiment:"))


@needs("cookie_cats")
def test_cookie_cats(tmp_path):
    """Read from the recording's events by scipy: to close 90,189 accounts day by day would take minutes."""
    sending = send(write(tmp_path, "cats.toml", given.COOKIE_CATS), tmp_path / "out")
    assert (sending.counts.rows, sending.counts.sent) == (90_189, 90_189)
    made = pd.DataFrame(written(tmp_path / "out"))
    assert made.id.is_unique and len(made) == sending.counts.events
    said = pd.DataFrame(made.properties.tolist(), index=made.user_id)
    arms = said.arm.dropna()
    players = arms.value_counts()
    assert (players["control"], players["test"]) == (44_700, 45_489)
    assert round(chisquare([44_700, 45_489]).pvalue, 4) == 0.0086
    for feature, shares, p in (("day-1", [44.82, 44.23], 0.0744), ("day-7", [19.02, 18.20], 0.0016)):
        back = arms[said.index[said.feature == feature]].value_counts()
        assert [round(100 * back[arm] / players[arm], 2) for arm in ("control", "test")] == shares
        table = [[back[arm], players[arm] - back[arm]] for arm in ("control", "test")]
        assert round(chi2_contingency(table, correction=False).pvalue, 4) == p


@needs("rct_noncompliance_cluster")
def test_jobs_ii(tmp_path):
    found = trial(tmp_path, given.JOBS, given.plan("seminar", JOB_SEARCH, TOOK_UP))
    assert {arm: counts["took_up"] for arm, counts in found["arms"].items()} == {"control": 0, "test": 372}
    seek, dich = found["metrics"]["outcome:job_seek"], found["metrics"]["outcome:job_dich"]
    assert [seek["itt"][name] for name in ("estimate", "se")] == pytest.approx([0.0675, 0.0503], abs=1e-4)
    assert [seek["cace"][name] for name in ("estimate", "se")] == pytest.approx([0.1088, 0.0809], abs=1e-4)
    assert round(seek["cace"]["first_stage"], 3) == 0.620
    assert (round(dich["itt"]["estimate"], 4), round(dich["itt"]["p"], 3)) == (0.0781, 0.025)
    assert [round(dich["cace"][name], 3) for name in ("estimate", "se")] == [0.126, 0.056]


@needs("rct_noncompliance_cluster")
def test_thornton(tmp_path):
    found = trial(tmp_path, given.THORNTON, given.plan("incentive", COLLECTED))
    collected = found["metrics"]["converted"]
    means = [round(100 * collected["arms"][arm]["mean"], 1) for arm in ("control", "test")]
    assert means == [33.9, 78.9]
    assert round(100 * collected["itt"]["estimate"], 1) == 45.1
    assert round(collected["itt"]["se"], 4) == 0.0228
    assert json.dumps(found)

"""Real answers after service appointments, through a recording."""

import csv
import json
from pathlib import Path

import pytest

from livelift.recording import open_recording
from livelift.replay import replay
from models.product import Product
from tests.support.shared_data import DATA, needs

pytestmark = [pytest.mark.core, needs("nps_service_appointments")]
FOLDER = DATA / "nps_service_appointments"


def table(name: str) -> list[dict[str, str]]:
    with (FOLDER / name).open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def nps(folder: Path, work: str | None = None) -> tuple[dict, dict]:
    """The product's NPS and what was refused, of one kind of work or of all. A territory is an account."""
    visits = {row["serviceappointment_id"]: row for row in table("serviceappointments.csv")}
    lines = []
    for row in table("nps.csv"):
        visit = visits.get(row["serviceappointment_id"])
        if work is None or (visit is not None and visit["work_type"] == work):
            lines.append({
                "topic": "help-events", "id": row["serviceappointment_id"], "type": "survey_answered",
                "at": row["submitted_at"].replace(" ", "T") + "Z",
                "account_id": visit["service_territory"] if visit else "unknown", "user_id": row["response_id"],
                "properties": {"survey": "nps", "score": int(float(row["nps"]))},
            })  # fmt: skip
    (folder / "events.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    found = replay(open_recording(folder), Product())
    return found["education"]["nps"]["product"], found["quality"]["refused"]


def counted(work: str | None, most: int) -> float:
    """The NPS of the table itself, of answers up to `most`."""
    visits = {row["serviceappointment_id"]: row["work_type"] for row in table("serviceappointments.csv")}
    scores = [
        float(row["nps"]) for row in table("nps.csv") if work in (None, visits.get(row["serviceappointment_id"]))
    ]  # fmt: skip
    kept = [score for score in scores if score <= most]
    return 100 * (sum(score >= 9 for score in kept) - sum(score <= 6 for score in kept)) / len(kept)


@pytest.mark.parametrize(("work", "published", "refused"), [
    (None, -29.95, 2), ("installation", 3.6, 1), ("repair", -87.0, 1)
])  # fmt: skip
def test_answers_of_11_are_refused_and_the_rest_is_what_the_table_gives(
    tmp_path: Path, work: str | None, published: float, refused: int
) -> None:
    """The published figures count the two answers of 11 as promoters; without them it is -30.03, +3.5 and -87.2."""
    found, letters = nps(tmp_path, work)
    assert letters == {"out_of_range": refused}
    assert counted(work, most=11) == pytest.approx(published, abs=0.05)
    assert found["nps"] == pytest.approx(counted(work, most=10), rel=1e-9)
    assert found["nps"] == pytest.approx(published, abs=0.2)
    assert found["ci"][0] < found["nps"] < found["ci"][1]


def test_the_error_is_nearly_the_multinomial_s(tmp_path: Path) -> None:
    """Somebody has answered twice."""
    found, _ = nps(tmp_path)
    assert (found["answers"], found["respondents"]) == (3143, 3142)
    assert found["nps"] == pytest.approx(-30.035, abs=0.001)
    p, d, n = found["promoters"] / 3143, found["detractors"] / 3143, 3143
    assert found["se"] == pytest.approx(100 * ((p + d - (p - d) ** 2) / n) ** 0.5, rel=1e-3)

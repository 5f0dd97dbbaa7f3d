"""`livelift score explain` on a recording: what a day was closed with, what has changed it, and what cannot be said."""

import json
import re
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest
from rich.console import Console

from livelift.explain import Asked, closed_with, day_asked, explain_recorded, last_closed, told, until_closed
from livelift.explained import page
from livelift.recording import Recording, open_recording
from livelift.replay import Replay
from livelift.surroundings import product_of
from models.clock import DAY, HOUR, day_of, micros, rfc3339, start_of
from models.closing import close_on
from models.health.explanation import Unexplained, date, explain
from models.product import Product
from models.rows import NEVER, Close
from tests.support.leaving import START, write_leaving

pytestmark = pytest.mark.shell
DEADLINE_S = 90
QUICK = """\
[label]
horizon_days = 14
unscored_days = 0

[health]
inputs = ["days_since_visit", "active_days", "active_days_trend", "visitors", "usage", "age", "members"]
"""
ACCOUNT = "account-003"


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return write_leaving(tmp_path_factory.mktemp("explained") / "leaving", accounts=60, days=140, settings=QUICK)


@pytest.fixture(scope="module")
def recording(folder) -> Recording:
    return open_recording(folder)


@pytest.fixture(scope="module")
def product(recording) -> Product:
    return product_of(recording.config)


@pytest.fixture
def livelift(tmp_path):
    """Runs the command in an empty folder."""

    def run(*arguments):
        return subprocess.run(
            [sys.executable, "-m", "livelift", "score", "explain", *map(str, arguments)], cwd=tmp_path,
            capture_output=True, text=True, check=False, timeout=DEADLINE_S,
        )  # fmt: skip

    return run


def test_every_account_is_explained_as_its_day_was_closed(recording, product):
    """All events of this recording come in time: so the score told again is that of the close, for everybody."""
    day = last_closed(recording, product)
    replay = Replay(product, {})
    replay.feed(until_closed(recording, product, day), recording.last_tick)
    accounts = replay.partition.ledger.sums.accounts
    assert len(accounts) == 60 and replay.known.before(day).kind == "logistic"
    compared = 0
    for account_id, account in sorted(accounts.items())[::3]:
        history = told(recording, account_id, product, day - 7, day)
        found = explain(history, replay.known, day - 7, day, close_on(account.closes, day))
        assert found.closed is not None and not found.otherwise_closed, account_id
        before = close_on(account.closes, day - 7)
        assert found.change is not None and before is not None
        assert found.change.before == before.score
        compared += 1
    assert compared == 20


def test_for_programs(livelift, folder, recording, product):
    ended = livelift("--account", ACCOUNT, "--recording", folder, "--json")
    assert (ended.returncode, ended.stderr) == (0, "")
    found = json.loads(ended.stdout)
    assert (found["account_id"], found["name"], found["refused"], found["lacks"]) == (ACCOUNT, "health score", {}, [])
    assert found["day"] == date(last_closed(recording, product))
    assert (datetime.fromisoformat(found["day"]) - datetime.fromisoformat(found["since"])).days == 7
    assert found["closed"]["score"] == found["score"]
    assert sum(one["contribution"] for one in found["drivers"]) == pytest.approx(found["score"] - found["baseline"])
    change = found["change"]
    assert change["before"] + sum(cause["points"] for cause in change["causes"]) == pytest.approx(found["score"])
    lines = map(json.loads, (folder / "events.jsonl").read_text().splitlines())
    events = {one["id"]: one for one in lines}
    for part in change["causes"][2]["inputs"]:
        for kind in part["events"]:
            for named in kind["latest"]:
                event = events[named["event"]]
                assert (event["account_id"], event["type"]) == (ACCOUNT, kind["type"])
                assert found["since"] < event["at"][:10] <= found["day"]


def test_for_people(livelift, folder):
    """Whoever was the last to use the product on the day: the event is named where an input has changed with it."""
    lines = map(json.loads, (folder / "events.jsonl").read_text().splitlines())
    last = [one for one in lines if one["type"] == "core_action" and one["at"] < "2026-05-19"][-1]
    account = last["account_id"]
    ended = livelift("--account", account, "--recording", folder, "--as-of", "2026-05-19T12:00:00Z")
    assert (ended.returncode, ended.stderr) == (0, "")
    said = ended.stdout
    assert re.search(rf"^{account}: health score [\d.]+ \(\w+, probability of\s+staying", said)
    assert "2026-05-18" in said and "days with a visit" in said
    assert re.search(r"[\d.]+ points (higher|lower) than a week before", said)
    for cause in ("model changed", "time passed", "events"):
        assert re.search(rf"^{cause} +[+-]\d", said, re.MULTILINE), said
    assert re.search(rf"^    \d+ core_action, the latest {last['id']} at {last['at']}$", said, re.MULTILINE), said


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--account", "nobody"], 1, "no event of account 'nobody' has come: is the id written as in `account_id`?"),
        (["--account", ACCOUNT, "--as-of", "yesterday"], 2, "neither YYYY-MM-DD nor RFC 3339"),
    ],
    ids=["nobody", "no time"],
)  # fmt: skip
def test_what_cannot_be_explained_is_said_in_a_line(livelift, folder, arguments, code, said):
    ended = livelift(*arguments, "--recording", folder)
    assert (ended.returncode, ended.stdout) == (code, "")
    assert said in " ".join(re.sub(r"[│\n]", " ", ended.stderr).split())
    assert code == 2 or len(ended.stderr.splitlines()) == 1


def test_what_came_late_is_in_the_score_and_the_close_stands_beside_it(tmp_path):
    """Uses of other features on the last closed day that come at the very end: its close did not know of them."""
    folder = write_leaving(tmp_path / "late", accounts=3, days=40)
    product = product_of(folder / "livelift.toml")
    day = last_closed(open_recording(folder, as_written=True), product)
    name, at = "account-000", start_of(day) + 10 * HOUR
    late = [{"topic": "product-events", "id": f"late-{number}", "type": "core_action", "at": rfc3339(at),
             "account_id": name, "properties": {"feature": f"late-{number}"}} for number in range(9)]  # fmt: skip
    with (folder / "events.jsonl").open("a") as file:
        file.writelines(json.dumps(one) + "\n" for one in [{"type": "tick", "at": rfc3339(start_of(day + 2))}, *late])
    recording = open_recording(folder, as_written=True)
    asked = Asked(name, date(day))
    found = explain_recorded(asked, recording, product)
    assert found.otherwise_closed
    assert found.change is not None
    assert {one.feature for one in found.change.events} >= {"breadth"}
    console = Console(width=120)
    with console.capture() as said:
        console.print(page(found, "churn"))
    assert f"The day was closed with {found.closed.score / 100:.2f}: what came later" in said.get()
    in_time = explain_recorded(asked, open_recording(folder), product)
    assert not in_time.otherwise_closed and in_time.judged.score == found.judged.score


# -- which days ----------------------------------------------------------------------------------------------------


def test_a_day_is_itself_and_an_instant_means_the_last_close_by_then():
    noon = micros(datetime.fromisoformat("2026-05-30T12:00:00Z"))
    assert day_asked("2026-05-30", HOUR) == day_of(noon)
    assert day_asked("2026-05-30T12:00:00Z", HOUR) == day_of(noon) - 1
    assert day_asked("2026-05-30T00:59:59Z", HOUR) == day_of(noon) - 2, "the day before closes at one"
    assert day_asked("2026-05-30T02:30:00+02:00", HOUR) == day_of(noon) - 2
    with pytest.raises(ValueError, match="say in which zone"):
        day_asked("2026-05-30T12:00:00", HOUR)


def test_days_asked_for():
    assert Asked("acme").days(START, HOUR) == (START - 7, START)
    assert Asked("acme", date(START - 3), START - 30).days(START, HOUR) == (START - 30, START - 3)
    with pytest.raises(Unexplained, match="no day has been closed yet"):
        Asked("acme").days(NEVER, HOUR)
    with pytest.raises(Unexplained, match="2026-01-02 has not been closed yet: the last day that has is 2026-01-01"):
        Asked("acme", "2026-01-02").days(START, HOUR)
    with pytest.raises(Unexplained, match="--since 2026-01-01 is not before 2026-01-01, the day whose score is"):
        Asked("acme", since=START).days(START, HOUR)


def test_what_a_day_was_closed_with_is_what_was_last_said_before_the_next_close():
    def said(day: float, score: float | None, basis: str = "logistic@20000"):
        at = rfc3339(round(start_of(START) + day * DAY))
        return {"as_of": {"time": at}, "basis": basis, "close": {"score": score, "band": "watch"}}

    scores = [said(0.5, 10), said(1.2, 20.01), said(1.9, 20.01), said(2.04, 20.01), said(2.05, 30, "heuristic")]
    assert closed_with(scores, START, HOUR) == Close(START, 2001, "watch", "logistic")
    assert closed_with(scores, START + 1, HOUR) == Close(START + 1, 3000, "watch", "heuristic")
    assert closed_with(scores, START + 2, HOUR) is None, "nothing was sent then"
    assert closed_with([said(1.2, None)], START, HOUR) is None

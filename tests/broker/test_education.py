"""Education and authenticity on a real Kafka and Redis: as in replay, with what is annotated, and without those who are
forgotten."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from livelift.recording import open_recording
from models.education.tickets import NOT_OVER
from models.events import HOME, SOURCES
from tests.support.education_log import ACTIONS, timeline
from tests.support.stack import Reading, differences, play, replayed, running, until

pytestmark = pytest.mark.broker
ROOT = Path(__file__).resolve().parents[2]
ARTICLE = {"id": "a1", "at": "2026-06-14T09:00:00Z", "what": "article published", "area": "billing"}


def recording_of(folder: Path):
    events = [
        one if one["type"] == "tick" else {"topic": SOURCES[HOME[one["type"]]], **one} for one in timeline(seed=3)
    ]
    folder.mkdir()
    (folder / "events.jsonl").write_text("".join(f"{json.dumps(one)}\n" for one in events))
    (folder / "annotations.jsonl").write_text(f"{json.dumps(ARTICLE)}\n")
    (folder / "livelift.toml").write_text(f"[actions]\nkey = {json.dumps(ACTIONS)}\n")
    return open_recording(folder)


def livelift(settings, *arguments):
    names = ("kafka", "redis", "namespace", "redis_prefix", "partitions", "clock")
    ours = {f"LIVELIFT_{name.upper()}": str(getattr(settings, name)) for name in names}
    ended = subprocess.run(
        [sys.executable, "-m", "livelift", *arguments], env={**os.environ, "PYTHONPATH": str(ROOT), **ours},
        cwd=settings.data_dir.parent, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert (ended.returncode, ended.stderr) == (0, ""), ended.stderr
    return ended.stdout


def test_it_is_as_in_replay_knows_what_is_annotated_and_forgets(namespace, tmp_path):
    recording = recording_of(tmp_path / "year")
    settings = namespace(config=recording.config)
    with running(settings) as stack:
        play(settings, recording)
        reading = Reading(settings)
        held = reading.settled(recording.events, recording.last_tick)
        assert differences(held, replayed(recording)) == []
        drawn = held["authenticity"]
        assert (drawn["day"], drawn["people"] > 20) == ("2026-08-29", True), "a day is over an hour after it"
        assert json.loads(livelift(settings, "snapshot", "authenticity"))["checks"] == drawn["checks"]
        (found,) = held["education"]["tickets"]["annotations"]
        assert (found["id"], found["before"], found["after"]) == ("a1", "2026-05", "2026-07")
        assert found["ratio"] > 0

        printed = livelift(settings, "annotate", "--what", "menu renamed", "--at", "2026-08-20T10:00:00+02:00")
        assert printed.startswith("2026-08-20T08:00:00Z  all areas: menu renamed")

        def second():
            told = reading.snapshots.get("education")["tickets"]["annotations"]
            return told[1] if len(told) > 1 else None

        assert until("the annotation is told of", second)["because"] == NOT_OVER

        before, people = held["education"]["adoption"]["users"], drawn["people"]
        livelift(settings, "forget", "--account", "account-0")
        until("the account is forgotten", lambda: reading.snapshots.get("education")["adoption"]["users"] < before)
        until("nothing of it is drawn", lambda: reading.snapshots.get("authenticity")["people"] < people)
        stack.check()

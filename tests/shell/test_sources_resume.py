"""A source that stops anywhere goes on at the exact row: killed, interrupted, or because its database went away."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from time import monotonic, sleep

import pytest
from sqlalchemy.exc import OperationalError

from livelift.sources.database import Database, from_json, to_json
from livelift.sources.mapping import read_mapping
from livelift.sources.row import SourceError
from livelift.sources.run import state_file
from livelift.sources.to_folder import STATES, ToFolder
from tests.support.mappings import USED
from tests.support.sources import send, write, written

pytestmark = pytest.mark.shell
FILE = f'[source]\nkind = "csv"\nname = "use"\npath = "use.csv"\n{USED}'
SQL = f"""
[source]
kind = "sql"
name = "use"
url = "sqlite:///{{folder}}/app.db"
query = "SELECT id, at, account, feature FROM use"
cursor = "at"
key = "id"
{USED}
"""
AT = "2026-05-05T08:00:{:02d}Z"


def features(folder):
    return [event["properties"]["feature"] for event in written(folder)]


# -- files -------------------------------------------------------------------------------------------------------------


def use(folder, rows):
    lines = "".join(f"{AT.format(n % 60)},acme,f{n}\n" for n in range(rows))
    write(folder, "use.csv", f"at,account,feature\n{lines}")
    return write(folder, "use.toml", FILE)


def test_killed_half_way_and_started_again_every_row_is_written_once(tmp_path):
    rows, out = 40_000, tmp_path / "out"
    path = use(tmp_path, rows)
    command = [sys.executable, "-m", "livelift", "sources", "run", str(path), "--to", str(out), "--json"]
    kills = 0
    for _ in range(20):
        before = (out / "events.jsonl").stat().st_size if (out / "events.jsonl").exists() else 0
        running = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ})
        deadline = monotonic() + 60
        while running.poll() is None and monotonic() < deadline and kills < 2:
            if (out / "events.jsonl").exists() and (out / "events.jsonl").stat().st_size > before + 1_000_000:
                running.send_signal(signal.SIGKILL)
                kills += 1
                break
            sleep(0.005)
        said, _ = running.communicate(timeout=60)
        if running.returncode == 0:
            break
    count = json.loads(said)
    assert kills == 2
    assert (count["rows"], count["sent"], count["new_rows"] < rows) == (rows, rows, True)
    assert features(out) == [f"f{n}" for n in range(rows)]


@pytest.mark.parametrize("where", ["send", "flush"])
def test_interrupted_within_a_row_it_goes_on_with_that_row(tmp_path, where, monkeypatch):
    path, calls = use(tmp_path, 12_000), iter(range(10**6))
    real = getattr(ToFolder, where)

    def interrupted(self, *given):
        if next(calls) == (7_777 if where == "send" else 1):
            raise KeyboardInterrupt
        return real(self, *given)

    monkeypatch.setattr(ToFolder, where, interrupted)
    with pytest.raises(KeyboardInterrupt):
        send(path, tmp_path / "out")
    rest = send(path, tmp_path / "out")
    assert 0 < rest.new_rows < 12_000, "noted every 5,000 rows or 5 seconds"
    assert (rest.counts.rows, rest.counts.sent) == (12_000, 12_000)
    assert features(tmp_path / "out") == [f"f{n}" for n in range(12_000)]


def test_how_often_is_checked_before_anything_is_sent(tmp_path):
    command = [sys.executable, "-m", "livelift", "sources", "run", str(use(tmp_path, 3)), "--to", str(tmp_path / "out")]
    ended = subprocess.run([*command, "--every", "soon"], capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, (tmp_path / "out").exists()) == (2, False)
    assert "30s, 5m or 2h" in ended.stderr


def test_two_runs_of_one_source_at_once_are_refused(tmp_path):
    path = use(tmp_path, 3)
    with (
        state_file(tmp_path / "out" / STATES, "use").held(),
        pytest.raises(SourceError, match="by another run already"),
    ):
        send(path, tmp_path / "out")


def test_a_source_that_was_stopped_half_way_is_finished_before_another_is_written(tmp_path):
    path, out = use(tmp_path, 3), tmp_path / "out"
    send(path, out)
    file = state_file(out / STATES, "use")
    state = file.read()
    state.at_rest = False
    file.write(state)
    other = write(tmp_path, "other.toml", FILE.replace('name = "use"', 'name = "other"'))
    with pytest.raises(SourceError, match="use was stopped half-way; run it again first"):
        send(other, out)
    assert send(path, out).new_rows == 0
    assert send(other, out).new_rows == 3


def test_again_begins_at_the_first_row_and_a_changed_mapping_is_told(tmp_path):
    path = use(tmp_path, 3)
    send(path, tmp_path / "out")
    write(tmp_path, "use.toml", FILE.replace('"{feature}"', '"x{feature}"'))
    told: list[str] = []
    send(path, tmp_path / "out", told)
    assert told == ["use: the mapping has changed; 3 rows stay as sent"]
    assert send(path, tmp_path / "out", again=True).new_rows == 3
    assert features(tmp_path / "out") == ["f0", "f1", "f2", "xf0", "xf1", "xf2"]


def test_a_folder_that_holds_another_recording_is_left_alone(tmp_path):
    write(tmp_path, "out/events.jsonl", "{}\n")
    with pytest.raises(SourceError, match="was not written from sources"):
        send(use(tmp_path, 3), tmp_path / "out")


# -- queries -----------------------------------------------------------------------------------------------------------


def table(folder, *rows):
    with closing(sqlite3.connect(folder / "app.db")) as database:
        database.execute("CREATE TABLE IF NOT EXISTS use (id INTEGER PRIMARY KEY, at TEXT, account TEXT, feature TEXT)")
        database.executemany("INSERT INTO use VALUES (?, ?, 'acme', ?)", rows)
        database.commit()
    return write(folder, "use.toml", SQL.replace("{folder}", str(folder)))


def test_rows_with_equal_cursors_are_neither_lost_nor_repeated(tmp_path):
    path = table(tmp_path, (1, AT.format(1), "a"), (2, AT.format(2), "b"), (4, AT.format(2), "d"))
    out = tmp_path / "out"
    assert send(path, out).new_rows == 3
    assert send(path, out).new_rows == 0
    table(tmp_path, (3, AT.format(2), "c"), (5, AT.format(3), "e"), (6, None, "without a cursor"))
    assert send(path, out).new_rows == 2
    assert features(out) == ["a", "b", "d", "c", "e"]
    assert {event["id"] for event in written(out)} == {
        f"use:core_action:{key}@{AT.format(at)}" for key, at in ((1, 1), (2, 2), (4, 2), (3, 2), (5, 3))
    }


class Away:
    """A database that goes away after so many rows, each time it is asked, a number of times."""

    def __init__(self, database, after, times):
        self.select, self.after, self.times = database._selected, after, times

    def __call__(self, connection):
        for count, row in enumerate(self.select(connection)):
            if count == self.after and self.times:
                self.times -= 1
                raise OperationalError("SELECT", {}, Exception("server closed the connection"))
            yield row


def database(path, after, times, give_up_after=None):
    source = read_mapping(path).source
    told, pauses = [], []
    opened = Database(source, path.parent, told.append, pauses.append, clock=lambda: sum(pauses))
    opened._selected = Away(opened, after, times)
    return opened, told, pauses


def test_a_database_that_goes_away_is_waited_for_and_asked_from_there_on(tmp_path):
    path = table(tmp_path, *((n, AT.format(n // 4), f"f{n}") for n in range(20)))
    opened, told, pauses = database(path, after=7, times=4)
    assert [row.values["feature"] for row in opened.rows(None)] == [f"f{n}" for n in range(20)]
    assert told[0] == "use: the database does not answer after row 7 (server closed the connection); again in 1 s"
    assert all(pause == 1 for pause in pauses[:2])


def test_one_that_stays_away_is_given_up_with_its_words(tmp_path):
    path = table(tmp_path, (1, AT.format(1), "a"))
    opened, _, pauses = database(path, after=0, times=10**6)
    with pytest.raises(SourceError, match="use: the database has not answered for 10m: server closed the connection"):
        list(opened.rows(None))
    assert pauses[:7] == [1, 2, 4, 8, 16, 32, 60] and sum(pauses) < 800


def test_a_query_that_is_wrong_is_not_asked_again(tmp_path):
    path = table(tmp_path, (1, AT.format(1), "a"))
    write(tmp_path, "use.toml", path.read_text().replace("FROM use", "FROM user"))
    with pytest.raises(SourceError, match="use: the database says: no such table: user"):
        send(path, tmp_path / "out")
    write(tmp_path, "use.toml", path.read_text().replace("FROM user", "FROM use").replace("SELECT id, at", "SELECT at"))
    with pytest.raises(SourceError, match=r"use: .*\bid\b"):
        send(path, tmp_path / "out")


def test_cursors_keep_their_type_in_the_state():
    from datetime import UTC, date, datetime
    from decimal import Decimal

    for value in (
        1,
        1.5,
        "x",
        None,
        datetime(2026, 5, 5, tzinfo=UTC),
        datetime(2026, 5, 5),
        date(2026, 5, 5),
        Decimal("1.20"),
    ):
        there = from_json(json.loads(json.dumps(to_json(value))))
        assert (there, type(there)) == (value, type(value))

"""A query on a real PostgreSQL that crashes in the middle of it and comes back."""

import psycopg
import pytest

from livelift.sources.database import Database
from livelift.sources.mapping import read_mapping
from tests.support.postgres import postgres
from tests.support.sources import send, write, written

pytestmark = pytest.mark.shell
MAPPING = """
[source]
kind = "sql"
name = "orders"
url = "env:ORDERS_DB"
query = "SELECT * FROM orders"
cursor = "updated_at"
key = "id"
[[event]]
type = "mrr_changed"
at = "{updated_at}"
account_id = "{account}"
properties = { mrr = "{mrr}" }
"""
ROWS = 5_000


def test_rows_come_once_through_a_crash_and_a_second_run(tmp_path, monkeypatch):
    path = write(tmp_path, "orders.toml", MAPPING)
    with postgres() as server:
        monkeypatch.setenv("ORDERS_DB", server.url)
        with psycopg.connect(server.url, autocommit=True) as database:
            database.execute(
                "CREATE TABLE orders (id uuid PRIMARY KEY, account text, mrr numeric, updated_at timestamptz)"
            )
            database.execute(
                "INSERT INTO orders SELECT gen_random_uuid(), 'a' || n, n / 4.0, "
                "timestamptz '2026-05-05 08:00Z' + make_interval(secs => n / 100) FROM generate_series(0, %s) n",
                [ROWS - 1],
            )
        told: list[str] = []
        opened = Database(read_mapping(path).source, tmp_path, told.append, pause=lambda _: server.start())
        seen = []
        for row in opened.rows(None):
            seen.append(row.values["account"])
            if len(seen) == 2_345:
                server.stop()
        assert len(seen) == ROWS and set(seen) == {f"a{n}" for n in range(ROWS)}
        assert len(told) >= 1 and told[0].startswith("orders: the database does not answer after row ")

        counts = send(path, tmp_path / "out").counts
        assert (counts.rows, counts.sent, counts.refused) == (ROWS, ROWS, {})
        with psycopg.connect(server.url, autocommit=True) as database:
            database.execute("INSERT INTO orders SELECT gen_random_uuid(), 'late', 1, max(updated_at) FROM orders")
        more = send(path, tmp_path / "out")
    assert (more.new_rows, more.counts.rows) == (1, ROWS + 1)
    made = written(tmp_path / "out")
    assert len({event["id"] for event in made}) == len(made) == ROWS + 1
    assert made[-1]["account_id"] == "late"
    assert {event["account_id"]: event["properties"]["mrr"] for event in made}["a7"] == 1.75

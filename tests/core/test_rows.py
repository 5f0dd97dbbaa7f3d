"""Rows on the wire: versions old and new, and keys that cannot be mistaken."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.rows import MAJOR, NEVER, NewerRow, PartitionRow, Row, owner_of, partition_key, row_key
from models.working import PARTITION_ROWS, ROWS
from tests.core.generated import histories
from tests.support.build import Json, Worker, checked, event, facts_of, instant

pytestmark = pytest.mark.core

Name = st.one_of(st.text(min_size=1, max_size=30), st.text("0123456789:u", min_size=1, max_size=8)).filter(
    lambda text: text.isprintable() or not any("\ud800" <= letter <= "\udfff" for letter in text)
)
Tail = st.lists(st.one_of(st.none(), st.integers(0, 9), st.text(max_size=3), st.lists(st.integers(-9, 9), max_size=2)),
                min_size=1, max_size=20)  # fmt: skip


def written_by_a_newer_worker(row: Row | PartitionRow, tail: list) -> bytes:
    fields = msgspec.msgpack.decode(msgspec.msgpack.encode(row), strict=False)
    return bytes([MAJOR]) + msgspec.msgpack.encode([*fields, *tail])


@given(Name, st.none() | Name)
@checked(300)
def test_a_key_tells_whose_row_it_is(account_id: str, user_id: str | None) -> None:
    assert owner_of(row_key(account_id, user_id)) == (account_id, user_id)


@given(st.lists(st.tuples(Name, st.none() | Name), unique=True, max_size=6), st.integers(0, 99))
@checked(100)
def test_no_two_have_the_same_key(owners: list[tuple[str, str | None]], number: int) -> None:
    keys = {row_key(*owner) for owner in owners} | {partition_key(number)}
    assert len(keys) == len(owners) + 1
    assert all(key[:1] in (b"a", b"u") for key in keys - {partition_key(number)})


@given(histories(size=10))
@checked(50)
def test_a_row_begins_with_its_version_and_reads_as_written(history: list[Json]) -> None:
    row = facts_of(*history)
    value = ROWS.encode(row)
    assert value[0] == MAJOR
    assert ROWS.decode(value) == (row, None)


@given(histories(size=6), Tail)
@checked(50)
def test_what_a_newer_minor_version_wrote_is_kept(history: list[Json], tail: list) -> None:
    value = written_by_a_newer_worker(facts_of(*history), tail)
    row, kept = ROWS.decode(value)
    assert kept == tail
    assert ROWS.encode(row, kept) == value


def test_a_worker_keeps_what_a_newer_one_wrote_through_an_event_and_a_crash() -> None:
    worker = Worker()
    worker.given(event("session_started"))
    key = row_key("acme", "ann")
    worker.rows[key] = written_by_a_newer_worker(ROWS.decode(worker.rows[key])[0], ["new", 1])
    worker.given(event("session_started", instant(1)))
    row, tail = ROWS.decode(worker.rows[key])
    assert (row.accepted, tail) == (2, ["new", 1])


def test_the_partition_row_keeps_a_newer_tail_too() -> None:
    value = written_by_a_newer_worker(PartitionRow([NEVER] * 3, [NEVER] * 3), [7])
    row, tail = PARTITION_ROWS.decode(value)
    assert PARTITION_ROWS.encode(row, tail) == value


def test_a_row_of_an_older_minor_version_has_the_new_fields_default() -> None:
    fields = msgspec.msgpack.decode(ROWS.encode(facts_of(event("session_started")))[1:], strict=False)
    row, tail = ROWS.decode(bytes([MAJOR]) + msgspec.msgpack.encode(fields[:8]))
    assert (row.accepted, row.tasks, row.closes, tail) == (1, {}, [], None)


@pytest.mark.parametrize("version", [0, MAJOR + 1, 255])
def test_a_row_of_another_major_version_is_refused_before_anything_is_done(version: int) -> None:
    value = bytes([version]) + ROWS.encode(Row([NEVER] * 3))[1:]
    with pytest.raises(NewerRow, match=f"version {version}"):
        ROWS.decode(value)
    with pytest.raises(NewerRow):
        Worker(rows={b"aacme": value})

"""A row being worked on: a copy of what is stored, put in place when the step it belongs to has succeeded."""

from typing import Any

from msgspec import Struct

from models.dated import is_dated
from models.education.learner import TOLD_BY
from models.events import SOURCES, Event
from models.facts import USAGE, advance
from models.rows import NEVER, Codec, PartitionRow, Row, SnapshotRow

ROWS = Codec(Row)
PARTITION_ROWS = Codec(PartitionRow)
SNAPSHOT_ROWS = Codec(SnapshotRow)
DIGEST_BYTES = 8
SEEN_BYTES = 64 * DIGEST_BYTES
"""Event ids are remembered as 64-bit hashes, the last 64 of each row: the published horizon of deduplication."""


def progress_of(key: bytes, value: bytes) -> list[int]:
    """How far a stored row had come when it was written: of two of one key, the one behind was written too late."""
    match key[:1]:
        case b"p":
            return PARTITION_ROWS.decode(value)[0].offsets
        case b"s":
            return SNAPSHOT_ROWS.decode(value)[0].offsets
        case _:
            return ROWS.decode(value)[0].offsets


class Happening(Struct, frozen=True, gc=False):
    """One accepted event with what is needed to apply it, and to apply it once. at: its time in microseconds."""

    topic: int
    offset: int
    digest: bytes
    at: int
    event: Event


class Working:
    """The copy of one row, with the events applied to it so far in this step."""

    __slots__ = ("account_id", "again", "applied", "before", "dated", "key", "only_usage", "outcomes", "row", "tail",
                 "taught", "user_id")  # fmt: skip

    def __init__(self, key: bytes, account_id: str, user_id: str | None, before: bytes | None) -> None:
        self.key, self.account_id, self.user_id, self.before = key, account_id, user_id, before
        self.row, self.tail = fresh(before)
        self.applied: list[Happening] = []
        self.again: list[Happening] = []
        """Redelivered: the facts have them, but what is said of them has to be said again."""
        self.only_usage = True
        """Whether nothing but usage has been applied, so that standings and experiments need not be read again."""
        self.taught = False
        """Whether anything has been applied that tells of education."""
        self.dated = False
        """Whether anything has been applied that changes dated sums."""
        self.outcomes: dict[str, dict[int, int]] = {}
        """The outcomes before that, where nothing but usage has been applied."""

    def repeats(self, digest: bytes) -> bool:
        """Whether an event id's hash is among those remembered (hashes lie at multiples of their length)."""
        seen = self.row.seen
        at = seen.find(digest)
        while at > 0 and at % DIGEST_BYTES:
            at = seen.find(digest, at + 1)
        return at >= 0

    def apply(self, happening: Happening) -> None:
        """Change the facts. An event that fails half-way leaves the row as it was before it, and raises."""
        try:
            self._apply(happening)
        except Exception:
            self.row, self.tail = fresh(self.before)
            for earlier in self.applied:
                self._apply(earlier)
            raise
        self.applied.append(happening)

    def _apply(self, happening: Happening) -> None:
        row, event = self.row, happening.event
        if not self.dated and is_dated(event):
            self.dated = True
            if self.before is not None and event.__class__ in USAGE:
                self.outcomes = {name: days.copy() for name, days in row.outcomes.items()}
        advance(row, happening.at, event)
        row.offsets[happening.topic] = happening.offset
        row.seen = (row.seen + happening.digest)[-SEEN_BYTES:]
        if event.__class__ not in USAGE:
            self.only_usage = False
        elif event.__class__ in TOLD_BY:
            self.taught = True

    def came(self) -> list[Happening]:
        """What came for this row in this step, in the order of arrival."""
        return self.again + self.applied

    def repeated(self, topic: int, offset: int) -> None:
        """Note that an event came whose id has been applied before: it counts as a repeat, and changes nothing."""
        self.row.duplicates += 1
        self.row.offsets[topic] = offset

    def encoded(self) -> bytes | None:
        """The row to store, or None if it is what is stored already."""
        value = ROWS.encode(self.row, self.tail)
        return None if value == self.before else value


def fresh(value: bytes | None) -> tuple[Row, list[Any] | None]:
    return (Row([NEVER] * len(SOURCES)), None) if value is None else ROWS.decode(value)

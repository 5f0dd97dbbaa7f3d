"""Rows: the durable truth. One of facts per user and per account, one for each snapshot of an account that waits for
its label, one of bookkeeping per partition, and a hash for everybody who was forgotten (`models.forgetting`).

A row stores what happened, never what it means: assignments, dated traits, dated outcomes, without asking which
journeys or experiments exist. Everything on a page is derived from rows and can be rebuilt from them.

On the wire a row is a major-version byte and a msgpack array. Fields are only ever appended; a tail written by a
newer minor version is kept as it is, a newer major version stops the worker (DESIGN.md, decision 11).
"""

from typing import Any, Generic, TypeVar

import msgspec
from msgspec import Struct

MAJOR = 1
NEVER = -1
"""An offset, day or instant that has not been yet."""
PARTITION_KEY, ACCOUNT_KEY, USER_KEY, SNAPSHOT_KEY = b"p", b"a", b"u", b"s"
"""How the keys of the kinds of rows begin."""


class TaskFacts(Struct, array_like=True, gc=False):
    """What one user did at one task; instants in microseconds, the earliest of each kind."""

    started: int | None = None
    completed: int | None = None
    help_needed: int | None = None
    attempts: int = 0
    failures: int = 0
    failed: int | None = None
    failed_at: list[int] = []
    """The first 8 failures, in order."""


class Help(Struct, array_like=True, frozen=True, order=True, gc=False):
    """One help engagement: when, from CS or from elsewhere, through which channel, on which task."""

    at: int
    source: str
    channel: str = ""
    task: str = ""


class Membership(Struct, array_like=True, frozen=True, order=True, gc=False):
    """One word on a user's place in the account; of one instant, removal counts as the later word."""

    at: int
    removed: bool = False
    role: str = ""


class Terms(Struct, array_like=True, gc=False):
    """The contract: for each term, when it was last told of and what was said then (money in millionths)."""

    plan: tuple[int, str] = (NEVER, "")
    mrr: tuple[int, int] = (NEVER, 0)
    renews_at: tuple[int, int] = (NEVER, 0)


class Close(Struct, array_like=True, frozen=True, gc=False):
    """The score a day ended with, in hundredths, kept for the days on which it changed."""

    day: int
    score: int
    band: str
    basis: str = "heuristic"
    """The kind of score that it is: scores of different kinds are not compared."""
    since: int = NEVER
    """The day since which every day has closed in this band; NEVER where that was not yet kept."""


class Row(Struct, array_like=True, gc=False):
    """Facts of one user, or of an account where no person is named, with what makes repeats safe.

    offsets: per source topic, the highest offset applied. seen: the last 64 event ids as 64-bit hashes.
    """

    offsets: list[int]
    seen: bytes = b""
    accepted: int = 0
    duplicates: int = 0
    first_at: int | None = None
    last_at: int = NEVER
    top_day: int = NEVER
    """The latest active day; the masks below count back from it, bit 0 being this day."""
    days: int = 0
    features: dict[str, int] = {}
    """feature -> mask of days, like `days`; 0 once its days are longer ago than are kept."""
    tasks: dict[str, TaskFacts] = {}
    trial_at: int | None = None
    lapsed_at: int | None = None
    converted_at: int | None = None
    churned_at: int | None = None
    assignments: dict[str, dict[str, int]] = {}
    """experiment -> arm -> earliest assignment."""
    exposures: dict[str, list[int]] = {}
    """experiment -> when the offer was shown, in order."""
    helps: list[Help] = []
    help_needed: int | None = None
    traits: dict[str, list[tuple[int, Any]]] = {}
    """name -> (instant, value), the last 16 in order of time."""
    outcomes: dict[str, dict[int, int]] = {}
    """name -> day -> sum in millionths, 400 days."""
    members: list[Membership] = []
    """The last 16 words on this user's membership, in order of time."""
    terms: Terms = msgspec.field(default_factory=Terms)
    closes: list[Close] = []
    earlier: bytes = b""
    """`days` further back, as a number: bit 0 is 64 days before the top day."""
    first_uses: dict[str, int] = {}
    """feature -> its first use."""
    needs: list[int] = []
    """When help was needed, for whatever task, in order."""
    churns: list[int] = []
    mrrs: dict[int, int] = {}
    """When a monthly revenue was told, and what it was (millionths): the last 64 words."""
    dated: dict[str, dict[int, int]] = {}
    """name -> instant -> sum in millionths: the last 512 instants of what experiments may ask to the instant."""
    countries: dict[str, int] = {}
    """country of visits -> mask of days, like `features`."""
    firsts: dict[str, int] = {}
    """The first event of each source (`product`, `training`, `support`), lesson completed (`trained`) and contact with
    support (`contacted`)."""
    first_checks: dict[str, tuple[int, bool]] = {}
    """concept -> when it was first answered, and whether that was right; of one instant, wrong counts."""
    areas: dict[str, dict[int, int]] = {}
    """area of the product -> day -> tickets, 400 days."""
    drawn_at: int = NEVER
    """Of a person: an instant drawn among those of the last day on which they did anything (`authenticity.drawing`)."""
    drawn: dict[int, int] = {}
    """hash of what they did at that instant -> how often: more than once is a repeat under another id."""


class PartitionRow(Struct, array_like=True):
    """One partition's bookkeeping: how far it is counted, its clock, and what it did not accept."""

    offsets: list[int]
    ticks: list[int]
    closed_day: int = NEVER
    refused: dict[str, int] = {}
    ignored: dict[str, int] = {}
    late: int = 0
    suppressed: int = 0
    ignored_samples: dict[str, str] = {}
    forwarded: int = 0


class SnapshotRow(Struct, array_like=True):
    """What was known of an account at the end of a week whose horizon has not passed: input -> value.

    A row of its own, because events never need it. offsets: the one day at whose close it was written.
    """

    offsets: list[int]
    features: dict[str, float] = {}


AnyRow = TypeVar("AnyRow", Row, PartitionRow, SnapshotRow)


def row_key(account_id: str, user_id: str | None) -> bytes:
    """The row's key in the table: a user's, or the account's own when no person is named (unambiguous by length)."""
    if user_id is None:
        return ACCOUNT_KEY + account_id.encode()
    return f"u{len(account_id)}:{account_id}{user_id}".encode()


def snapshot_key(account_id: str, day: int) -> bytes:
    """The key of the row that holds an account's snapshot of a day."""
    return f"s{day}:{account_id}".encode()


def snapshot_day(key: bytes) -> int:
    """The day of the snapshot that a row with this key holds."""
    return int(key.removeprefix(SNAPSHOT_KEY).partition(b":")[0])


def owner_of(key: bytes) -> tuple[str, str | None]:
    """The (account, user) a row key was made from."""
    if key.startswith(ACCOUNT_KEY):
        return key[1:].decode(), None
    if key.startswith(SNAPSHOT_KEY):
        return key.decode().split(":", 1)[1], None
    length, rest = key.removeprefix(USER_KEY).decode().split(":", 1)
    return rest[: int(length)], rest[int(length) :]


def partition_key(number: int) -> bytes:
    """The key of a partition's own row."""
    return PARTITION_KEY + str(number).encode()


class NewerRow(Exception):
    """A row of a newer major version: this worker is older than its data and must not touch it."""


class Codec(Generic[AnyRow]):
    """Encodes one kind of row; keeps an unknown tail beside the row and puts it back."""

    def __init__(self, kind: type[AnyRow]) -> None:
        self._decoder = msgspec.msgpack.Decoder(kind)
        self._encoder = msgspec.msgpack.Encoder()
        self._known = len(kind.__struct_fields__)

    def decode(self, value: bytes) -> tuple[AnyRow, list[Any] | None]:
        """The row and, if a newer minor version wrote more fields than we know, those."""
        if value[0] != MAJOR:
            raise NewerRow(f"row of version {value[0]}, this worker reads {MAJOR}: upgrade it before it starts")
        body = memoryview(value)[1:]
        tail = None
        if self._length(value) > self._known:
            tail = msgspec.msgpack.decode(body)[self._known :]
        return self._decoder.decode(body), tail

    def encode(self, row: AnyRow, tail: list[Any] | None = None) -> bytes:
        body = self._encoder.encode(row)
        if tail:
            body = self._encoder.encode([*msgspec.msgpack.decode(body), *tail])
        return b"\x01" + body

    @staticmethod
    def _length(value: bytes) -> int:
        """Number of fields, from the msgpack array header (fixarray or array 16)."""
        return value[1] & 0x0F if value[1] & 0xF0 == 0x90 else int.from_bytes(value[2:4], "big")

"""A source's mapping: where its rows come from, and which events each row becomes. Read once into frozen values.

In texts, `{column}` stands for the row's value (`{a.b}`: a field within, or a column of the lookup `a`); everything
else is meant as it is written. `{#line}` and `{#file}` say where the row stands.
"""

import re
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from livelift.sources.row import SourceError
from models.events import HOME

Constant = str | int | float | bool
Name = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$")]
Secret = Annotated[str, Meta(pattern=r"^(env|file):.+")]
"""Where a secret is, never the secret: `env:NAME` or `file:PATH`."""
Ambiguous = Literal["refuse", "earlier", "later"]
Missing = Literal["refuse", "forward"]
Duration = Annotated[str, Meta(pattern=r"^[0-9]+[smhd]$")]


class Taken(Struct, frozen=True, forbid_unknown_fields=True, rename={"from_": "from", "as_": "as"}):
    """A value, and what is made of it: lower case, then `map`, then `as`; `hash` comes last.

    default: where the column is empty or the map knows no such value. hash: HMAC-SHA256 by the source's `hash_key`.
    """

    from_: str
    as_: Literal["text", "integer", "number", "boolean"] | None = None
    map: dict[str, Constant] = {}
    default: Constant | None = None
    lower: bool = False
    hash: bool = False


Value = Constant | Taken


class Moment(Struct, frozen=True, forbid_unknown_fields=True, rename={"from_": "from"}):
    """A time. format: `rfc3339` (the offset may be missing where a zone is named), `epoch`, `epoch_ms`, `excel` (days
    since 1899-12-30), `excel1904`, or as `strptime` takes it. days: a number of days to add, for data that counts from
    a start. zone, ambiguous, missing: instead of the source's."""

    from_: Value
    format: str = "rfc3339"
    days: Value | None = None
    zone: str | None = None
    ambiguous: Ambiguous | None = None
    missing: Missing | None = None


class Test(Struct, frozen=True, forbid_unknown_fields=True, rename={"not_": "not"}):
    """A condition on a value that is more than being one of some."""

    not_: Constant | tuple[Constant, ...] | None = None
    matches: str | None = None
    empty: bool | None = None
    least: float | None = None
    below: float | None = None


Condition = Constant | tuple[Constant, ...] | Test


class EventOf(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One event that a row becomes, where `when` holds. `alias` stands for account and user that are not known here;
    `links` are aliases that this event's account and user go by from now on. `id` makes the event's id, besides the
    source's name and the type: by default the row's place (of a query, its key and cursor)."""

    type: str
    at: str | Moment
    account_id: Value | None = None
    user_id: Value | None = None
    alias: Value | None = None
    links: tuple[Value, ...] = ()
    id: str | None = None
    when: dict[str, Condition] = {}
    properties: dict[str, Value] = {}


class Lookup(Struct, frozen=True, forbid_unknown_fields=True):
    """A small CSV table held in memory: `{NAME.column}` is of its first row whose `key` is the row's `by`."""

    path: str
    key: str
    by: str
    encoding: str | tuple[str, ...] = "utf-8"
    delimiter: str | None = None


class Base(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="kind"):
    """What every source says. finished: a history; where the clock is a recording's, closing ticks follow it."""

    name: Name
    finished: bool = False
    zone: str | None = None
    ambiguous: Ambiguous = "refuse"
    missing: Missing = "refuse"
    decimal: Literal[".", ","] = "."
    thousands: Literal["", ".", ",", " ", "'"] = ""
    hash_key: Secret | None = None


class File(Base, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="kind"):
    """Files: path may hold * and ?, is taken from the mapping's folder, and files are read in order of their names.
    encoding: several are tried in this order, line by line."""

    path: str
    encoding: str | tuple[str, ...] = "utf-8"


class Csv(File, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="kind", tag="csv"):
    """columns: names to use instead of the header's. header: whether there is one."""

    delimiter: Annotated[str, Meta(min_length=1, max_length=1)] | None = None
    quote: Annotated[str, Meta(max_length=1)] = '"'
    header: bool = True
    columns: tuple[str, ...] = ()


class JsonLines(File, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="kind", tag="jsonl"):
    pass


class Segment(File, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="kind", tag="segment"):
    """Segment objects, one a line. What no [[event]] takes is read as EVENTS.md says; path may be left out for the
    collector."""

    path: str = ""


class AccessLog(File, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="kind", tag="access-log"):
    """Apache's and nginx's common and combined formats: ip, user, time, method, path, query, status, bytes, referer,
    agent."""


class Log(File, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="kind", tag="log"):
    """Lines by a regular expression with named groups; lines that it does not match are filtered unless `strict`."""

    pattern: str
    strict: bool = False


class Parquet(Base, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="kind", tag="parquet"):
    path: str


class Xlsx(Base, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="kind", tag="xlsx"):
    """One sheet of spreadsheets. sheet: needed where there are several. first_row: as Excel counts, that of the header;
    what stands above is left out. header, columns: as of CSV; a column without a name is called by its letters."""

    path: str
    sheet: str | None = None
    first_row: Annotated[int, Meta(ge=1)] = 1
    header: bool = True
    columns: tuple[str, ...] = ()


class Exercise(Base, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="kind", tag="exercise"):
    """The trial exercise's four tables in a folder, with its plan where there is one; needs no [[event]]."""

    path: str


class Sql(Base, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="kind", tag="sql"):
    """A query, read in order of its column `cursor` (never smaller in later rows), then of `key` (unique)."""

    url: Annotated[str, Meta(pattern="^(env|file|sqlite):.+")]
    query: str
    cursor: str
    key: str
    give_up_after: Duration = "10m"


class Topic(Base, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="kind", tag="topic"):
    """Foreign events on our source topics that are ignored for want of a mapping."""


Source = Csv | JsonLines | Segment | AccessLog | Log | Parquet | Xlsx | Exercise | Sql | Topic


class Mapping(Struct, frozen=True, forbid_unknown_fields=True):
    """A whole mapping file; `folder` is where it lies, which paths are taken from."""

    source: Source
    event: tuple[EventOf, ...] = ()
    lookup: dict[str, Lookup] = {}
    folder: str = "."

    @property
    def name(self) -> str:
        return self.source.name


def read_mapping(path: Path) -> Mapping:
    """Read a mapping; SourceError names the file and the field that is wrong."""
    try:
        mapping = msgspec.toml.decode(path.read_bytes(), type=Mapping)
    except msgspec.MsgspecError as error:
        raise SourceError(f"{path}: {error}") from error
    except UnicodeDecodeError as error:
        raise SourceError(f"{path}: not UTF-8: {error}") from error
    _check(mapping, path)
    return msgspec.structs.replace(mapping, folder=str(path.parent))


def _check(mapping: Mapping, path: Path) -> None:
    if isinstance(mapping.source, Exercise):
        if mapping.event:
            raise SourceError(f"{path}: the exercise's tables need no [[event]]; remove it")
    elif not mapping.event and not isinstance(mapping.source, Segment):
        raise SourceError(f"{path}: no [[event]] in it, so nothing would be sent")
    for number, event in enumerate(mapping.event, start=1):
        if event.type not in HOME or event.type == "forget":
            raise SourceError(f"{path}: event {number}: {event.type!r} is no type of event; see `livelift schema`")
        if (event.alias is None) == (event.account_id is None):
            raise SourceError(f"{path}: event {number}: give account_id, or alias where the account is not known")
        if event.alias is not None and (event.user_id is not None or event.links):
            raise SourceError(f"{path}: event {number}: an alias stands for account and user; leave out user_id, links")
        for name, condition in event.when.items():
            if isinstance(condition, Test) and condition.matches is not None:
                regex(condition.matches, f"{path}: event {number}: when {name}")


def regex(pattern: str, where: str) -> re.Pattern[str]:
    """The expression; SourceError if it is none."""
    try:
        return re.compile(pattern)
    except re.error as error:
        raise SourceError(f"{where}: {pattern!r} is no regular expression: {error}") from error

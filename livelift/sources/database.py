"""A query by a cursor column: read in order of (cursor, key), and again from the last cursor when it is asked again.

The keys that were seen at the last cursor value are remembered, so that rows with equal cursors are neither lost nor
repeated, wherever reading stopped. A database that goes away is waited for, longer each time, and asked from there on.
"""

from collections.abc import Callable, Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from time import monotonic, sleep
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError

from livelift.sources.mapping import Sql
from livelift.sources.row import Broken, Place, Row, SourceError, Tell
from livelift.sources.values import read_secret

BATCH = 1_000
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 60.0
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
FOR_GOOD = ("no such", "syntax error", "does not exist", "authentication failed", "permission denied", "unknown column")
"""What a database says of a query or a login that will not be better in a minute."""


class Database:
    """The rows of a query behind a cursor. `pause` and `clock` wait and tell the time, in seconds."""

    total = 0

    def __init__(
        self, source: Sql, folder: Path, tell: Tell, pause: Callable[[float], None] = sleep,
        clock: Callable[[], float] = monotonic,
    ) -> None:  # fmt: skip
        self.source, self.tell, self.pause, self.clock = source, tell, pause, clock
        self._engine = engine_of(source, folder)
        self._cursor: Any = None
        self._keys: set[str] = set()
        self._read = 0

    def rows(self, place: Place | None) -> Iterator[Row | Broken]:
        """Every row behind the place, to the query's end now; SourceError where the database stays away."""
        if place is not None:
            self._cursor, self._keys = from_json(place["cursor"]), set(place["keys"])
            self._read = place.get("row", 0)
        self._failed_since: float | None = None
        pause_s = FIRST_PAUSE_S
        while True:
            before = self._read
            try:
                yield from self._query()
                return
            except DBAPIError as error:
                pause_s = FIRST_PAUSE_S if self._read > before else pause_s
                self._wait(error, pause_s)
                pause_s = min(2 * pause_s, LONGEST_PAUSE_S)

    def place(self) -> Place:
        return {"cursor": to_json(self._cursor), "keys": sorted(self._keys), "row": self._read}

    def done(self) -> int:
        return self._read

    def _query(self) -> Iterator[Row]:
        with self._engine.connect() as connection:
            for values in self._selected(connection):
                self._failed_since = None
                cursor, key = self._place_of(values)
                if cursor == self._cursor:
                    if key in self._keys:
                        continue
                    self._keys.add(key)
                else:
                    self._cursor, self._keys = cursor, {key}
                self._read += 1
                yield Row(self.source.name, self._read, values)

    def _selected(self, connection: Connection) -> Iterator[dict[str, Any]]:
        source, quote = self.source, self._engine.dialect.identifier_preparer.quote
        cursor, key = quote(source.cursor), quote(source.key)
        behind = f"{cursor} IS NOT NULL" if self._cursor is None else f"{cursor} >= :cursor"
        query = source.query.strip().rstrip(";")
        # The query is the operator's own, like the mapping that it stands in; the cursor is a bound parameter.
        statement = text(f"SELECT * FROM ({query}) AS livelift_rows WHERE {behind} ORDER BY {cursor}, {key}")
        options = {"stream_results": True, "yield_per": BATCH}
        given = {} if self._cursor is None else {"cursor": self._cursor}
        for row in connection.execution_options(**options).execute(statement, given).mappings():
            yield dict(row)

    def _place_of(self, values: dict[str, Any]) -> tuple[Any, str]:
        try:
            return values[self.source.cursor], str(values[self.source.key])
        except KeyError as error:
            there = ", ".join(values)
            raise SourceError(f"{self.source.name}: the query gives no column {error}; there are {there}") from error

    def _wait(self, error: DBAPIError, pause_s: float) -> None:
        """Pause before the database is asked again; SourceError where that would not help, or has not for too long."""
        said = " ".join(str(error.orig).split())
        now = self.clock()
        self._failed_since = now if self._failed_since is None else self._failed_since
        limit = self.source.give_up_after
        if any(sign in said.lower() for sign in FOR_GOOD):
            raise SourceError(f"{self.source.name}: the database says: {said}") from error
        if now - self._failed_since >= int(limit[:-1]) * UNITS[limit[-1]]:
            raise SourceError(f"{self.source.name}: the database has not answered for {limit}: {said}") from error
        where = f"{self.source.name}: the database does not answer after row {self._read}"
        self.tell(f"{where} ({said}); again in {pause_s:g} s")
        self.pause(pause_s)


def engine_of(source: Sql, folder: Path) -> Engine:
    """The engine that the mapping's url means; SourceError, without the password, if there is none."""
    url = source.url if source.url.startswith("sqlite:") else read_secret(source.url, folder, "url")
    if url.startswith("postgresql://"):
        url = url.replace("postgresql://", "postgresql+psycopg://", 1)
    try:
        return create_engine(url, pool_pre_ping=True, hide_parameters=True)
    except (ArgumentError, NoSuchModuleError) as error:
        raise SourceError(f"{source.name}: url: no database address: {type(error).__name__}") from error
    except ModuleNotFoundError as error:
        raise SourceError(f"{source.name}: url: install the database's driver: pip install {error.name}") from error
    except SQLAlchemyError as error:
        raise SourceError(f"{source.name}: url: {error}") from error


def to_json(value: Any) -> Any:
    """A cursor for the state file; its type comes back with `from_json`."""
    if isinstance(value, datetime):
        return {"datetime": value.isoformat()}
    if isinstance(value, date):
        return {"date": value.isoformat()}
    if isinstance(value, Decimal):
        return {"decimal": str(value)}
    if value is None or isinstance(value, int | float | str):
        return value
    return {"text": str(value)}


def from_json(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    ((kind, held),) = value.items()
    kinds: dict[str, Callable[[str], Any]] = {
        "datetime": datetime.fromisoformat, "date": date.fromisoformat, "decimal": Decimal, "text": str,
    }  # fmt: skip
    return kinds[kind](held)

"""A mapping as a stream of what became of each row: its events, why it was refused, or that it was filtered."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from livelift.sources.mapping import (
    AccessLog,
    Csv,
    Exercise,
    JsonLines,
    Log,
    Lookup,
    Mapping,
    Parquet,
    Segment,
    Sql,
    Xlsx,
)
from livelift.sources.row import Broken, Place, Reader, SourceError, Tell, Unreadable
from livelift.sources.shape import Judge, Lookups, Made, Refused, Shape
from livelift.sources.values import Take, Values, as_text
from models.product import Product

UNREADABLE = "unreadable"
"""The reason of a row that does not even become an event."""


class Outcome(NamedTuple):
    """What became of a row. No events and no reason: it was filtered."""

    file: str
    number: int
    where: str
    made: list[Made]
    reason: str | None = None
    detail: str = ""


class Stream:
    """Rows of a mapping's source from a place on. reader: of a source that is not told by its mapping alone."""

    def __init__(
        self, mapping: Mapping, product: Product, latest: int, tell: Tell, reader: Reader | None = None
    ) -> None:
        self.mapping = mapping
        self.judge = Judge(product, latest)
        folder = Path(mapping.folder)
        self.shape = Shape(mapping, self.judge, lookups(mapping, folder, tell))
        self.reader: Reader = reader or reader_of(mapping, self.shape.columns, tell)

    def outcomes(self, place: Place | None = None) -> Iterator[Outcome]:
        for row in self.reader.rows(place):
            if isinstance(row, Broken):
                yield Outcome(row.file, row.number, row.where, [], UNREADABLE, row.reason)
                continue
            try:
                made = self.shape(row)
            except Refused as error:
                yield Outcome(row.file, row.number, row.where, [], error.reason, str(error))
            except Unreadable as error:
                yield Outcome(row.file, row.number, row.where, [], UNREADABLE, str(error))
            else:
                yield Outcome(row.file, row.number, row.where, made)


def reader_of(mapping: Mapping, used: set[str], tell: Tell) -> Reader:
    """What reads the source; heavy libraries are imported only where they are needed."""
    from livelift.sources.delimited import Delimited
    from livelift.sources.exercise import ExerciseRows
    from livelift.sources.texts import texts

    source, folder = mapping.source, Path(mapping.folder)
    match source:
        case Csv():
            return Delimited(source, folder, used, tell)
        case JsonLines() | Segment() | AccessLog() | Log():
            if isinstance(source, Segment) and not source.path:
                raise SourceError(f"source {source.name}: no `path`; without one it is for `livelift collect`")
            return texts(source, folder, tell)
        case Exercise():
            return ExerciseRows(source, folder)
        case Parquet():
            from livelift.sources.parquet import ParquetRows

            return ParquetRows(source, folder, used, tell)
        case Xlsx():
            from livelift.sources.xlsx import XlsxRows

            return XlsxRows(source, folder, used, tell)
        case Sql():
            from livelift.sources.database import Database

            return Database(source, folder, tell)
        case _:
            raise SourceError(f"source {source.name}: only Kafka holds what it reads")


def lookups(mapping: Mapping, folder: Path, tell: Tell) -> Lookups:
    """The mapping's lookups, read into memory. Each sees the columns of the row and of lookups named before it."""
    return {name: _lookup(name, given, mapping, folder, tell) for name, given in mapping.lookup.items()}


def _lookup(name: str, given: Lookup, mapping: Mapping, folder: Path, tell: Tell) -> Any:
    from livelift.sources.delimited import Delimited

    held = Values(mapping.source, folder)
    key = held.template(given.key if "{" in given.key else f"{{{given.key}}}")
    by = Values(mapping.source, folder).template(given.by if "{" in given.by else f"{{{given.by}}}")
    source = Csv(name=mapping.name, path=given.path, encoding=given.encoding, delimiter=given.delimiter)
    table: dict[str, dict[str, Any]] = {}
    for row in Delimited(source, folder, held.columns, tell).rows(None):
        if isinstance(row, Broken):
            raise SourceError(f"lookup {name}: {row.where}: {row.reason}")
        found = key(row.values)
        if found is not None:
            table.setdefault(as_text(found), row.values)
    return _finder(table, by)


def _finder(table: dict[str, dict[str, Any]], by: Take) -> Any:
    def find(values: dict[str, Any]) -> dict[str, Any] | None:
        found = by(values)
        return None if found is None else table.get(as_text(found))

    return find

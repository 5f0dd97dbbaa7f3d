"""CSV, whatever it is separated by: what is wrong with it is said with its line, and reading goes on behind it.

A row may go over several lines where it is quoted. A quote that is never closed would swallow the rest of the file: a
row is at most 100 lines long, and one over several lines that does not come out with as many fields as the header is
refused by its first line alone.
"""

import csv
from collections import deque
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from livelift.sources.columns import check_columns
from livelift.sources.files import Files
from livelift.sources.lines import BOM, Lines, beginning, decoded, not_in
from livelift.sources.mapping import Csv
from livelift.sources.row import Broken, Place, Row, SourceError, Tell

DELIMITERS = ",;\t|"
SAMPLE_LINES = 50
MOST_LINES = 100
UNCLOSED = "unexpected end of data"


class Dialect(NamedTuple):
    """How the file is written: what stands between fields, the columns, and where the first row begins."""

    delimiter: str
    columns: list[str]
    offset: int
    number: int


class Delimited(Files):
    """Rows by the columns of the header. `used`: the columns that the mapping names."""

    def __init__(self, source: Csv, folder: Path, used: Collection[str], tell: Tell) -> None:
        super().__init__(folder, source.path, tell)
        self.source, self.used = source, used
        self.encodings = (source.encoding,) if isinstance(source.encoding, str) else source.encoding
        self._where: dict[str, Any] = {"bytes": 0, "line": 0}

    def where(self) -> dict[str, Any]:
        return self._where

    def read(self, path: Path, place: Place | None) -> Iterator[Row | Broken]:
        dialect = self.dialect(path)
        at = place or {"bytes": dialect.offset, "line": dialect.number}
        self._where = {"bytes": at["bytes"], "line": at["line"]}
        for number, fields, offset, line in self._records(path, dialect, at):
            self._where = {"bytes": offset, "line": line}
            if isinstance(fields, str):
                yield Broken(path.name, number, fields)
            elif fields:
                yield Row(path.name, number, dict(zip(dialect.columns, fields, strict=True)))

    def _records(self, path: Path, dialect: Dialect, at: Place) -> Iterator[tuple[int, list[str] | str, int, int]]:
        """(line, fields or what is wrong, where the next row begins: offset and lines before)."""
        lines = Lines(path, at["bytes"], at["line"])
        source = ((raw, lines.number, lines.offset) for raw in lines)
        waiting: deque[tuple[bytes | None, int, int]] = deque()
        width = len(dialect.columns)
        while (first := waiting.popleft() if waiting else next(source, None)) is not None:
            raw, number, end = first
            text = None if raw is None else decoded(raw, self.encodings)
            if text is None:
                yield number, "longer than 1 MiB" if raw is None else not_in(self.encodings, raw), end, number
                continue
            fields = self._fields([text], dialect.delimiter)
            if fields is None:  # a quote is open at the end of the line
                fields, last = self._over_lines(text, dialect, source, waiting)
                if not isinstance(fields, str):
                    yield number, fields, last[2], last[1]
                    continue
            elif not isinstance(fields, str) and fields and len(fields) != width:
                fields = _miscounted(fields, width, dialect.delimiter)
            yield number, fields, end, number

    def _over_lines(
        self, text: str, dialect: Dialect, source: Iterator[Any], waiting: deque[Any]
    ) -> tuple[list[str] | str, Any]:
        """The fields of a row over several lines, and its last line; or what is wrong, and then the lines behind its
        first are waiting again."""
        taken: list[Any] = []
        texts = [text + "\n"]
        while len(taken) < MOST_LINES:
            following = waiting.popleft() if waiting else next(source, None)
            if following is None:
                break
            taken.append(following)
            further = None if following[0] is None else decoded(following[0], self.encodings)
            if further is None:
                break
            texts.append(further)
            if self.source.quote not in further:
                texts[-1] += "\n"
                continue
            fields = self._fields(texts, dialect.delimiter)
            if isinstance(fields, list) and len(fields) == len(dialect.columns):
                return fields, following
            if fields is not None:
                break
            texts[-1] += "\n"
        waiting.extendleft(reversed(taken))
        return "a quote is opened and not closed", None

    def _fields(self, texts: list[str], delimiter: str) -> list[str] | str | None:
        """The fields of one row; what is wrong with it; or None where a quote is still open."""
        quote = self.source.quote
        try:
            quoting = csv.QUOTE_MINIMAL if quote else csv.QUOTE_NONE
            found = csv.reader(texts, delimiter=delimiter, quotechar=quote or None, quoting=quoting, strict=True)
            return next(found, [])
        except csv.Error as error:
            return None if str(error) == UNCLOSED else f"broken quotes: {error}"

    # -- the header --------------------------------------------------------------------------------------------------

    def dialect(self, path: Path) -> Dialect:
        """What the file is separated by and its columns; SourceError, with the line, where no row could be read."""
        start = beginning(path)
        sample, offset, number = self._sample(start)
        if not sample:
            raise SourceError(f"{path}: empty")
        delimiter = self.source.delimiter or detect(sample, self.source.quote)
        columns = self._fields([sample[0]], delimiter)
        if not isinstance(columns, list):
            raise SourceError(f"{path} line 1: the header cannot be read: {columns or 'a quote is not closed'}")
        if not self.source.header:
            columns = list(self.source.columns) or [str(position) for position, _ in enumerate(columns, start=1)]
            offset, number = len(BOM) if start.startswith(BOM) else 0, 0
        elif self.source.columns:
            columns = list(self.source.columns)
        else:
            columns = [column.strip() for column in columns]
        self._check(path, columns, sample, delimiter)
        return Dialect(delimiter, columns, offset, number)

    def _sample(self, start: bytes) -> tuple[list[str], int, int]:
        """The first lines, the offset behind the first of them, and its number. Empty lines before it do not count."""
        skipped = len(BOM) if start.startswith(BOM) else 0
        lines = start[skipped:].splitlines(keepends=True)
        first = next((index for index, line in enumerate(lines) if line.strip()), None)
        if first is None:
            return [], 0, 0
        offset = skipped + sum(map(len, lines[: first + 1]))
        texts = [decoded(line.rstrip(b"\r\n"), (*self.encodings, "latin-1")) or "" for line in lines[first:]]
        return texts[:SAMPLE_LINES], offset, first + 1

    def _check(self, path: Path, columns: list[str], sample: list[str], delimiter: str) -> None:
        """SourceError for a header by which the mapping cannot be read."""
        other = detect(sample, self.source.quote)
        if len(columns) == 1 and other != delimiter:
            raise SourceError(
                f"{path} line 1: one column only by delimiter {delimiter!r}; it seems to be separated by {other!r}"
            )
        places = [str(position) for position, _ in enumerate(columns, start=1)]
        check_columns(f"{path} line 1", columns, self.used, self.tell, places)


def detect(sample: list[str], quote: str) -> str:
    """The delimiter by which most of the sample's lines have as many fields as the first, and more than one."""

    def agreeing(delimiter: str) -> tuple[int, int]:
        counts = [_count(line, delimiter, quote) for line in sample if line.strip()]
        return (sum(count == counts[0] for count in counts), counts[0]) if counts and counts[0] else (0, 0)

    return max(DELIMITERS, key=agreeing)


def _count(line: str, delimiter: str, quote: str) -> int:
    """Delimiters outside quotes."""
    if not quote or quote not in line:
        return line.count(delimiter)
    return sum(part.count(delimiter) for part in line.split(quote)[::2])


def _miscounted(fields: list[str], width: int, delimiter: str) -> str:
    there = f"{len(fields)} field{'s' if len(fields) != 1 else ''} where the header has {width}"
    other = next((sign for sign in DELIMITERS if sign != delimiter and fields[0].count(sign) == width - 1), None)
    return (
        f"{there}; the line seems to be separated by {other!r}" if other and width > 1 and len(fields) == 1 else there
    )

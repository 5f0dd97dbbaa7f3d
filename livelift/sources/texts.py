"""JSON lines, Segment exports, access logs and application logs: one row a line."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from livelift.sources.files import Files
from livelift.sources.lines import BOM, Lines, beginning, decoded, not_in
from livelift.sources.mapping import AccessLog, File, JsonLines, Log, Segment, regex
from livelift.sources.row import Broken, Place, Row, Tell, Unreadable

COMBINED = re.compile(
    r"(?P<ip>\S+) \S+ (?P<user>.+?) \[(?P<time>[^\]]+)\] "
    r'"(?:(?P<method>[A-Z]+) (?P<target>\S+)(?: HTTP/[0-9.]+)?|[^"]*)" (?P<status>\d{3}) (?P<bytes>\d+|-)'
    r'(?: "(?P<referer>(?:[^"\\]|\\.)*)" "(?P<agent>(?:[^"\\]|\\.)*)")?'
)
"""Apache, "Log Files: Common Log Format, Combined Log Format"; nginx, `log_format combined`. More may follow."""
ACCESS_TIME = "%d/%b/%Y:%H:%M:%S %z"
Parse = Callable[[str], dict[str, Any] | None]
"""A line -> the row's values, or None for a line that is none of the source's business; raises Unreadable."""


class Texts(Files):
    """The rows of files that have one a line. `passed` counts lines that are none of the source's business."""

    def __init__(self, source: File, folder: Path, parse: Parse, tell: Tell, whole_only: bool = False) -> None:
        super().__init__(folder, source.path, tell)
        self.encodings = (source.encoding,) if isinstance(source.encoding, str) else source.encoding
        self.parse, self.whole_only = parse, whole_only
        self._where: dict[str, Any] = {"bytes": 0, "line": 0}

    def where(self) -> dict[str, Any]:
        return self._where

    def read(self, path: Path, place: Place | None) -> Iterator[Row | Broken]:
        start = len(BOM) if beginning(path).startswith(BOM) else 0
        at = place or {"bytes": start, "line": 0}
        lines = Lines(path, at["bytes"], at["line"], self.whole_only)
        self._where = {"bytes": lines.offset, "line": lines.number}
        for raw in lines:
            self._where = {"bytes": lines.offset, "line": lines.number}
            if raw is None:
                yield Broken(path.name, lines.number, "longer than 1 MiB")
            elif raw.strip():
                yield self._row(path.name, lines.number, raw)

    def _row(self, file: str, number: int, raw: bytes) -> Row | Broken:
        text = decoded(raw, self.encodings)
        if text is None:
            return Broken(file, number, not_in(self.encodings, raw))
        try:
            values = self.parse(text)
        except Unreadable as error:
            return Broken(file, number, str(error))
        return Row(file, number, {} if values is None else values)


def texts(source: JsonLines | Segment | AccessLog | Log, folder: Path, tell: Tell) -> Texts:
    """The reader of a source whose rows are lines."""
    match source:
        case JsonLines() | Segment():
            return Texts(source, folder, json_object, tell)
        case AccessLog():
            return Texts(source, folder, access, tell, whole_only=not source.finished)
        case Log():
            return Texts(source, folder, by_pattern(source), tell, whole_only=not source.finished)


def json_object(text: str) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(text)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise Unreadable(f"not JSON: {error}") from error
    if not isinstance(found, dict):
        raise Unreadable(f"not a JSON object: {type(found).__name__}")
    return found


def access(text: str) -> dict[str, Any]:
    """A line of an access log; `-` stands for nothing."""
    found = COMBINED.match(text)
    if found is None:
        raise Unreadable("not a line of the common or combined log format")
    values: dict[str, Any] = {name: None if value == "-" else value for name, value in found.groupdict().items()}
    values["path"], _, values["query"] = (values.pop("target") or "").partition("?")
    return values


def by_pattern(source: Log) -> Parse:
    """What a line's named groups are; lines that the pattern does not match are passed over, or refused if strict."""
    pattern = regex(source.pattern, f"source {source.name}: pattern")

    def values(text: str) -> dict[str, Any] | None:
        found = pattern.search(text)
        if found is None and source.strict:
            raise Unreadable("the pattern does not match")
        return None if found is None else found.groupdict()

    return values

"""From a row's columns to a field's value: templates, value maps, numbers as people write them, keyed hashes.

Everything here is put together once for a mapping and then called for every row.
"""

import hmac
import os
import re
from collections.abc import Callable
from datetime import UTC, timedelta
from decimal import Decimal
from math import isfinite, isnan
from pathlib import Path
from typing import Any

from livelift.sources.mapping import Base, Condition, Moment, Taken, Test, Value
from livelift.sources.row import SourceError, Unreadable
from livelift.sources.times import Local, quoted, reader, zone_of

Take = Callable[[dict[str, Any]], Any]
"""A row's values -> a value, or None where there is none."""
COLUMN = re.compile(r"\{([^{}]+)\}")
TRUE, FALSE = ("true", "t", "yes", "y", "1"), ("false", "f", "no", "n", "0")
SHORTEST_KEY = 16


class Values:
    """Puts together what a mapping says of values. `columns`: every column that is named, for readers to look for."""

    def __init__(self, source: Base, folder: Path) -> None:
        self.source, self.folder = source, folder
        self.columns: set[str] = set()
        self.local = Local(zone_of(source.zone), source.ambiguous, source.missing)
        self._key: bytes | None = None

    def value(self, given: Value) -> Take:
        if isinstance(given, Taken):
            return self._taken(given)
        return self.template(given) if isinstance(given, str) else lambda row: given

    def template(self, text: str) -> Take:
        """`{column}` alone keeps the value's type; within other text it is written out, and all must be there."""
        parts = COLUMN.split(text)
        if "{" in "".join(parts[::2]) or "}" in "".join(parts[::2]):
            raise SourceError(f"{text!r}: a brace without its other half")
        columns = [self._column(name.strip()) for name in parts[1::2]]
        if not columns:
            return lambda row: text
        if len(columns) == 1 and parts[0] == parts[2] == "":
            return columns[0]

        def filled(row: dict[str, Any]) -> str | None:
            found = [column(row) for column in columns]
            if any(value is None for value in found):
                return None
            texts = [*parts]
            texts[1::2] = map(as_text, found)
            return "".join(texts)

        return filled

    def moment(self, given: str | Moment) -> Take:
        """A time, with its offset. Raises Unreadable."""
        if isinstance(given, str):
            given = Moment(given)
        held = self.source
        local = Local(
            zone_of(given.zone or held.zone), given.ambiguous or held.ambiguous, given.missing or held.missing
        )
        take, read = self.value(given.from_), reader(given.format, local)
        if given.days is None:
            return lambda row: None if (value := take(row)) is None else read(value)
        days, plain = self.value(given.days), reader(given.format, Local(UTC))

        def counted(row: dict[str, Any]) -> Any:
            start, after = take(row), days(row)
            if start is None or after is None:
                return None
            # Days are added on the calendar, and only then read as local time: a day may have 23 or 25 hours.
            return local(plain(start).replace(tzinfo=None) + timedelta(days=self.number(after)))

        return counted

    def condition(self, name: str, given: Condition) -> Callable[[dict[str, Any]], bool]:
        """Whether a value (a column's, or a template's) is one of some, or passes a test."""
        take = self.template(name) if "{" in name else self._column(name)
        if isinstance(given, Test):
            return self._test(take, given)
        among = _texts(given)
        return lambda row: (value := take(row)) is not None and as_text(value) in among

    def number(self, value: Any) -> float:
        """A number, by the source's decimal and thousands signs; Unreadable if it is none."""
        if isinstance(value, str):
            value = self._plain(value)
        try:
            number = float(value)
        except (TypeError, ValueError) as error:
            raise Unreadable(f"{quoted(value)} is not a number") from error
        if not isfinite(number):
            raise Unreadable(f"{quoted(value)} is not a number")
        return number

    def _plain(self, text: str) -> str:
        decimal, thousands = self.source.decimal, self.source.thousands
        if thousands and thousands in text:
            if not re.fullmatch(rf"[+-]?\d{{1,3}}({re.escape(thousands)}\d{{3}})+({re.escape(decimal)}\d*)?", text):
                raise Unreadable(f"{quoted(text)} is not a number with {thousands!r} between thousands")
            text = text.replace(thousands, "")
        if decimal == ",":
            if "." in text:
                raise Unreadable(f"{quoted(text)} has a dot, and `decimal` is a comma: is the dot `thousands`?")
            text = text.replace(",", ".")
        if "_" in text:
            raise Unreadable(f"{quoted(text)} is not a number")
        return text

    def _column(self, name: str) -> Take:
        self.columns.add(name)
        if "." not in name:
            return lambda row: present(row.get(name))
        path = name.split(".")

        def within(row: dict[str, Any]) -> Any:
            if name in row:
                return present(row[name])
            found: Any = row
            for step in path:
                found = found.get(step) if isinstance(found, dict) else None
            return present(found)

        return within

    def _taken(self, given: Taken) -> Take:
        take = self.template(given.from_)
        steps: list[Callable[[Any], Any]] = []
        if given.lower:
            steps.append(lambda value: as_text(value).lower())
        if given.map:
            steps.append(lambda value: given.map.get(as_text(value)))
        convert = {"text": as_text, "integer": self._integer, "number": self.number, "boolean": _boolean}
        if given.as_ is not None:
            steps.append(convert[given.as_])
        if given.hash:
            steps.append(self._hashed)

        def value(row: dict[str, Any]) -> Any:
            found = take(row)
            for step in steps:
                if found is None:
                    break
                found = step(found)
            return given.default if found is None else found

        return value

    def _integer(self, value: Any) -> int:
        number = self.number(value)
        if number != int(number):
            raise Unreadable(f"{quoted(value)} is not a whole number")
        return int(number)

    def _hashed(self, value: Any) -> str:
        """HMAC-SHA256 in hex: without the key nobody can tell whose id it was, nor try emails one by one."""
        if self._key is None:
            self._key = read_key(self.source.hash_key, self.folder)
        return _hmac(self._key, as_text(value))

    def _test(self, take: Take, test: Test) -> Callable[[dict[str, Any]], bool]:
        checks: list[Callable[[Any], bool]] = []
        if test.not_ is not None:
            unlike = _texts(test.not_)
            checks.append(lambda value: value is None or as_text(value) not in unlike)
        if test.matches is not None:
            pattern = re.compile(test.matches)
            checks.append(lambda value: value is not None and pattern.search(as_text(value)) is not None)
        if test.empty is not None:
            checks.append(lambda value: (value is None) is test.empty)
        if test.least is not None:
            least = test.least
            checks.append(lambda value: value is not None and self.number(value) >= least)
        if test.below is not None:
            below = test.below
            checks.append(lambda value: value is not None and self.number(value) < below)
        return lambda row: all(check(value) for value in (take(row),) for check in checks)


def present(value: Any) -> Any:
    """The value, text without the space around it; None for what is empty or is no number (NaN)."""
    if isinstance(value, str):
        return value.strip() or None
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, float) and isnan(value):
        return None
    return value


def as_text(value: Any) -> str:
    """A value within other text, in a map or a condition: `true`, `5` (also of 5.0), times as RFC 3339."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def read_secret(where: str | None, folder: Path, name: str) -> str:
    """What `env:NAME` or `file:PATH` leads to; SourceError if nothing is there."""
    if where is None:
        raise SourceError(f"`hash` needs a `{name}` in [source]: env:NAME or file:PATH")
    how, _, place = where.partition(":")
    held = os.environ.get(place, "") if how == "env" else (folder / place).read_text(encoding="utf-8").strip()
    if not held:
        raise SourceError(f"{name}: nothing in {where}")
    return held


def read_key(where: str | None, folder: Path) -> bytes:
    """The key of keyed hashes; SourceError for one that could be guessed."""
    key = read_secret(where, folder, "hash_key").encode()
    if len(key) < SHORTEST_KEY:
        raise SourceError(f"{where}: a hash_key has at least {SHORTEST_KEY} bytes")
    return key


def keyed_hash(text: str, where: str, folder: Path) -> str:
    """The text as `hash = true` writes it, by the key that is there."""
    return _hmac(read_key(where, folder), text)


def _hmac(key: bytes, text: str) -> str:
    return hmac.digest(key, text.encode(), "sha256").hex()


def _boolean(value: Any) -> bool:
    text = as_text(value).lower()
    if text not in TRUE and text not in FALSE:
        raise Unreadable(f"{quoted(value)} is neither true nor false")
    return text in TRUE


def _texts(given: Any) -> frozenset[str]:
    return frozenset(map(as_text, given if isinstance(given, tuple) else (given,)))

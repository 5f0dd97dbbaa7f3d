"""A row of a source, as every reader gives it, and what readers have in common."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, Protocol

Place = dict[str, Any]
"""Where reading goes on, as JSON; only the reader that made it understands it."""
Tell = Callable[[str], None]
"""Says something to the person who looks on."""


class SourceError(ValueError):
    """The source cannot be read at all; the message names the file, where it can the line, and what to do."""


class Unreadable(ValueError):
    """One row cannot be read; the message says why, the row is refused, and reading goes on."""


class Row(NamedTuple):
    """What a row holds, by column; `number` is its line, row or offset in `file`."""

    file: str
    number: int
    values: dict[str, Any]

    @property
    def where(self) -> str:
        return at_line(self.file, self.number)


class Broken(NamedTuple):
    """A row that could not even be taken apart, and why."""

    file: str
    number: int
    reason: str

    @property
    def where(self) -> str:
        return at_line(self.file, self.number)


class Reader(Protocol):
    """Reads a source from a place on. `place` is behind the row that was given last."""

    total: int
    """How much there is, in the unit of `done`; 0 where nobody knows."""

    def rows(self, place: Place | None) -> Iterator[Row | Broken]: ...
    def place(self) -> Place: ...
    def done(self) -> int: ...


def at_line(file: str, number: int) -> str:
    """`nps.csv line 12`; of what has no lines, `orders row 12`, `nps.xlsx [Answers] row 12`."""
    return f"{file} {'row' if file.endswith(('.parquet', ']')) or '.' not in file else 'line'} {number}"

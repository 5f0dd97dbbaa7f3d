"""The lines of a file with their numbers, one at a time and at most a megabyte each, from any place on."""

import gzip
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import IO, cast

from livelift.sources.row import SourceError

LINE_LIMIT = 1024 * 1024
BOM = b"\xef\xbb\xbf"
WIDE = (b"\xff\xfe", b"\xfe\xff")
START = 64 * 1024


class Lines:
    """Gives lines as bytes without their ends. After each, `offset` and `number` say where the next one begins.

    A line longer than the limit is given as None: nobody reads it, and memory does not grow with it. `whole_only`: a
    last line without its end is still being written, and is left for the next time.
    """

    def __init__(self, path: Path, offset: int = 0, number: int = 0, whole_only: bool = False) -> None:
        self.path, self.offset, self.number, self.whole_only = path, offset, number, whole_only

    def __iter__(self) -> Iterator[bytes | None]:
        with opened(self.path) as file:
            file.seek(self.offset)
            for raw in iter(partial(file.readline, LINE_LIMIT), b""):
                if raw.endswith(b"\n"):
                    self._advance(len(raw))
                    yield raw.rstrip(b"\r\n")
                elif len(raw) == LINE_LIMIT:
                    self._advance(len(raw) + _skip(file))
                    yield None
                elif not self.whole_only:
                    self._advance(len(raw))
                    yield raw.rstrip(b"\r")

    def _advance(self, length: int) -> None:
        self.offset += length
        self.number += 1


def opened(path: Path) -> IO[bytes]:
    """The file as bytes, unpacked where it is a .gz."""
    return cast(IO[bytes], gzip.open(path)) if path.suffix == ".gz" else path.open("rb")


def beginning(path: Path) -> bytes:
    """The first bytes of a text file; SourceError for files whose lines nobody can find."""
    with opened(path) as file:
        start = file.read(START)
    if start.startswith(WIDE) or b"\0" in start:
        what = "UTF-16" if start.startswith(WIDE) else "no text (zero bytes in it)"
        raise SourceError(f"{path} line 1: {what}; save it as UTF-8: iconv -f UTF-16 -t UTF-8 {path.name} > new.csv")
    if b"\r" in start and b"\n" not in start:
        raise SourceError(f"{path} line 1: lines end with CR alone; convert it: tr '\\r' '\\n' < {path.name} > new.csv")
    return start


def decoded(line: bytes, encodings: tuple[str, ...]) -> str | None:
    """The line in the first of the encodings in which it can be read; None if it cannot."""
    for encoding in encodings:
        try:
            return line.decode(encoding)
        except UnicodeDecodeError:
            continue
        except LookupError as error:
            raise SourceError(f"no encoding {encoding!r}; give one like utf-8 or cp1252") from error
    return None


def not_in(encodings: tuple[str, ...], line: bytes) -> str:
    """Why a line could not be read, with what it may be instead."""
    byte = next((position for position, byte in enumerate(line, start=1) if byte >= 0x80), 1)
    return (
        f"not {' or '.join(encodings)} at byte {byte} of the line; if the file mixes encodings, "
        'set encoding = ["utf-8", "cp1252"]'
    )


def _skip(file: IO[bytes]) -> int:
    """Read to the end of the line; its length."""
    length = 0
    for raw in iter(partial(file.readline, LINE_LIMIT), b""):
        length += len(raw)
        if raw.endswith(b"\n"):
            break
    return length

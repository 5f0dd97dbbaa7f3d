"""Several files read one after the other, from any place on; each kind of file says how one is read."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path
from typing import Any

from livelift.sources.lines import opened
from livelift.sources.row import Broken, Place, Row, SourceError, Tell

FINGERPRINT = 1024


class Files(ABC):
    """The files of a pattern in order of their names.

    A place names the file, where in it, and how the file began: one that was replaced in the meantime is noticed.
    """

    def __init__(self, folder: Path, pattern: str, tell: Tell) -> None:
        self.paths = found(folder, pattern)
        self.tell = tell
        self.total = sum(path.stat().st_size for path in self.paths)
        self._finished: dict[str, Place] = {}
        self._path = self.paths[0]
        self._before = 0

    def rows(self, place: Place | None) -> Iterator[Row | Broken]:
        self._finished = dict((place or {}).get("files", {}))
        for path in self.paths:
            held = self._finished.get(path.name)
            if held is not None:
                self.check(path, held)
            self._path = path
            yield from self.read(path, held)
            self._finished[path.name] = self._here()
            self._before += path.stat().st_size

    def place(self) -> Place:
        return {"files": {**self._finished, self._path.name: self._here()}}

    def done(self) -> int:
        return self._before + self.where().get("bytes", 0)

    def _here(self) -> Place:
        return {**self.where(), "began": self.began(self._path)}

    def began(self, path: Path) -> str:
        """How the file began, to know it again."""
        return began(path, self.where().get("bytes", FINGERPRINT))

    def check(self, path: Path, place: Place) -> None:
        """SourceError where a file is not the one any more that was read."""
        check_unchanged(path, place)

    @abstractmethod
    def read(self, path: Path, place: Place | None) -> Iterator[Row | Broken]:
        """The rows of one file, from its beginning or from a place that `where` gave."""

    @abstractmethod
    def where(self) -> dict[str, Any]:
        """Where in the file the row after the last one given begins."""


def found(folder: Path, pattern: str) -> list[Path]:
    """The files of a pattern in order of their names; SourceError if there are none, or two of one name."""
    if not any(sign in pattern for sign in "*?["):
        paths = [folder / pattern]
    else:
        start = Path(pattern).anchor or "."
        paths = sorted((folder / start).glob(str(Path(pattern).relative_to(start))), key=lambda path: path.name)
    missing = [path for path in paths if not path.is_file()]
    if missing or not paths:
        raise SourceError(f"{missing[0] if missing else folder / pattern}: no such file")
    names = [path.name for path in paths]
    if len(set(names)) < len(names):
        raise SourceError(f"{folder / pattern}: two files have the same name; ids are made of it")
    return paths


def began(path: Path, length: int) -> str:
    """A hash of the file's beginning, as far as it was read, and how much that was."""
    with opened(path) as file:
        start = file.read(min(length, FINGERPRINT))
    return f"{len(start)}:{blake2b(start, digest_size=8).hexdigest()}"


def check_unchanged(path: Path, place: Place) -> None:
    """SourceError where a file does not begin any more as it did when it was read."""
    length = int(place["began"].partition(":")[0])
    if began(path, length) != place["began"] or (path.suffix != ".gz" and path.stat().st_size < place.get("bytes", 0)):
        where = f"line {place['line']}" if "line" in place else f"row {place['row']}"
        raise changed(path, where)


def changed(path: Path, where: str) -> SourceError:
    return SourceError(
        f"{path} is not the file any more that was read to {where}: give it another name, or begin again with --again"
    )

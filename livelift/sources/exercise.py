"""The trial exercise's four tables as a source: their events as `livelift replay` reads them, whole in memory."""

from collections.abc import Iterator
from pathlib import Path

import msgspec

from livelift.recording.record import Log, RecordingError
from livelift.recording.tables import read_tables
from livelift.sources.mapping import Exercise
from livelift.sources.row import Broken, Place, Row, SourceError
from models.plan import PlanError, read_plan


class ExerciseRows:
    """Each event is a row."""

    def __init__(self, source: Exercise, folder: Path) -> None:
        self.name, self.folder = source.name, folder / source.path
        self._log = Log()
        plans = sorted((self.folder / "plans").glob("*.toml"))
        try:
            plan = read_plan(plans[0].read_bytes()) if len(plans) == 1 else None
            read_tables(self.folder, plan, self._log)
        except (RecordingError, PlanError) as error:
            raise SourceError(f"{self.folder}: {error}") from error
        self.total = len(self._log)
        self._next = 0

    def rows(self, place: Place | None) -> Iterator[Row | Broken]:
        self._next = place["row"] if place else 0
        for index in range(self._next, len(self._log)):
            self._next = index + 1
            yield Row(self.name, index + 1, msgspec.json.decode(self._log.values[index]))

    def place(self) -> Place:
        return {"row": self._next}

    def done(self) -> int:
        return self._next

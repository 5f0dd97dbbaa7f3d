"""One thing to send, and the log of all of them before they are put in order."""

from array import array
from dataclasses import dataclass, field

from models.events import SOURCES

TICK = -1
"""Stands in the log for "no one topic": a tick goes to every partition of every source topic."""
INT64 = 2**63 - 1


class RecordingError(ValueError):
    """The recording cannot be read; the message names the file, the line, and what to do."""


@dataclass(frozen=True, slots=True)
class Record:
    """One message as it is sent. A topic of None is a tick; `at` (microseconds) is what it is ordered by."""

    topic: str | None
    key: bytes
    value: bytes
    at: int


@dataclass(slots=True)
class Log:
    """Everything in a recording in the order of its files, column by column: millions of events fit in memory."""

    at: "array[int]" = field(default_factory=lambda: array("q"))
    topics: "array[int]" = field(default_factory=lambda: array("b"))
    keys: list[bytes] = field(default_factory=list)
    values: list[bytes] = field(default_factory=list)
    assigned: dict[str, int] = field(default_factory=dict)
    """experiment -> the last assignment seen: its outcome is known a whole window later."""
    _known: dict[bytes, bytes] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.values)

    def add(self, topic: int, key: bytes, value: bytes, at: int) -> None:
        """Append one message; a time that no calendar has is kept as the earliest or latest there is."""
        self.at.append(max(-INT64, min(at, INT64)))
        self.topics.append(topic)
        self.keys.append(self._known.setdefault(key, key))  # an account's many events share one key
        self.values.append(value)

    def assign(self, experiment: str, at: int) -> None:
        """Remember the last assignment to an experiment."""
        self.assigned[experiment] = max(at, self.assigned.get(experiment, at))

    def record(self, index: int) -> Record:
        topic = self.topics[index]
        name = None if topic == TICK else SOURCES[topic]
        return Record(name, self.keys[index], self.values[index], self.at[index])

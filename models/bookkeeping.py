"""What a partition keeps of itself: how far it has read, its event clock, and everything that it did not accept.

Records that are refused, ignored, suppressed or sent on have no row. They are counted here, each together with the
offset up to which has been counted, so that reading them again does not count them again (docs/decisions/0001).
"""

from typing import Any

from models.clock import start_of
from models.events import SOURCES
from models.rows import NEVER, PartitionRow
from models.working import PARTITION_ROWS

IGNORED_NAMES = 256
OTHERS = "(others)"


class Bookkeeping:
    """The partition row, and whether it has to be written."""

    def __init__(self) -> None:
        self.row = PartitionRow([NEVER] * len(SOURCES), [NEVER] * len(SOURCES))
        self.reached = [NEVER] * len(SOURCES)
        """Per source topic, the last offset that is in the sums; the row's own offsets are how far it has counted."""
        self.open_from = 0
        """The first instant of the first day that has not been closed; what is earlier is late."""
        self._tail: list[Any] | None = None
        self._changed = False

    def load(self, value: bytes) -> None:
        """Take up a stored partition row."""
        self.row, self._tail = PARTITION_ROWS.decode(value)
        self.open_from = start_of(self.row.closed_day + 1)
        self.reach(self.row.offsets)

    def reach(self, offsets: list[int]) -> None:
        """A row has applied these offsets."""
        self.reached = [max(held, offset) for held, offset in zip(self.reached, offsets, strict=True)]

    def through(self, topic: int, offset: int) -> None:
        """Everything up to this offset has been dealt with."""
        self.row.offsets[topic] = max(self.row.offsets[topic], offset)
        self.reached[topic] = max(self.reached[topic], offset)

    @property
    def now(self) -> int:
        """The partition's event time: the least of its topics', -1 before all have told theirs."""
        return min(self.row.ticks)

    def tick(self, topic: int, at: int) -> None:
        self.row.ticks[topic] = max(self.row.ticks[topic], at)
        self._changed = True

    def ahead(self, topic: int, limit: int) -> bool:
        """Whether a topic's clock is more than `limit` before the slowest of the others."""
        ticks = self.row.ticks
        return ticks[topic] > min(ticks[other] for other in range(len(ticks)) if other != topic) + limit

    def close(self, day: int) -> None:
        self.row.closed_day = day
        self.open_from = start_of(day + 1)
        self._changed = True

    # -- counts: each only for records that have not been counted yet ------------------------------------------------

    def is_new(self, topic: int, offset: int) -> bool:
        """Whether this record has not been counted yet."""
        return offset > self.row.offsets[topic]

    def refused(self, topic: int, offset: int, reason: str) -> None:
        if self.is_new(topic, offset):
            self._add(self.row.refused, reason)

    def ignored(self, topic: int, offset: int, name: str, sample: str) -> None:
        """Count by name, with the position of the latest one; names beyond the first 256 are counted together."""
        if self.is_new(topic, offset):
            known = name in self.row.ignored or len(self.row.ignored) < IGNORED_NAMES
            name = name if known else OTHERS
            self._add(self.row.ignored, name)
            self.row.ignored_samples[name] = sample

    def late(self, topic: int, offset: int) -> None:
        if self.is_new(topic, offset):
            self.row.late += 1
            self._changed = True

    def suppressed(self, topic: int, offset: int) -> None:
        if self.is_new(topic, offset):
            self.row.suppressed += 1
            self._changed = True

    def forwarded(self, topic: int, offset: int) -> None:
        if self.is_new(topic, offset):
            self.row.forwarded += 1
            self._changed = True

    def _add(self, counts: dict[str, int], name: str) -> None:
        counts[name] = counts.get(name, 0) + 1
        self._changed = True

    # -- what leaves ---------------------------------------------------------------------------------------------

    def taken(self) -> bytes | None:
        """The partition row to write, or None if nothing but offsets has changed (rows tell those, too)."""
        changed, self._changed = self._changed, False
        return PARTITION_ROWS.encode(self.row, self._tail) if changed else None

    def share(self) -> dict[str, Any]:
        """This partition's part of the `quality` snapshot and of every snapshot's `as_of`."""
        row = self.row
        return {
            "time": self.now,
            "closed_day": row.closed_day,
            "offsets": dict(zip(SOURCES, self.reached, strict=True)),
            "refused": row.refused,
            "ignored": row.ignored,
            "ignored_samples": row.ignored_samples,
            "late": row.late,
            "suppressed": row.suppressed,
            "forwarded": row.forwarded,
        }

"""The honest count: every row that was read was sent, waits for its alias, was refused, or was filtered."""

from typing import Any

import msgspec

from livelift.sources.shape import Made
from livelift.sources.stream import Outcome


class Counts(msgspec.Struct):
    """Rows by what became of them, and the events they made. first, last: event time of what was sent, microseconds.
    assigned: experiment -> its last assignment."""

    rows: int = 0
    sent: int = 0
    unresolved: int = 0
    filtered: int = 0
    refused: dict[str, int] = {}
    events: int = 0
    linked: int = 0
    first: int | None = None
    last: int | None = None
    assigned: dict[str, int] = {}

    def add(self, outcome: Outcome, waits: bool) -> None:
        """One row more. waits: at least one of its events does."""
        self.rows += 1
        if outcome.reason is not None:
            self.refused[outcome.reason] = self.refused.get(outcome.reason, 0) + 1
        elif not outcome.made:
            self.filtered += 1
        elif waits:
            self.unresolved += 1
        else:
            self.sent += 1

    def note(self, made: Made) -> None:
        """An event that was sent."""
        self.events += 1
        self.first = made.at if self.first is None else min(self.first, made.at)
        self.last = made.at if self.last is None else max(self.last, made.at)
        if made.assigned is not None:
            self.assigned[made.assigned] = max(made.at, self.assigned.get(made.assigned, made.at))

    def shown(self) -> dict[str, Any]:
        """For programs; `refused` by reason."""
        return {"rows": self.rows, "sent": self.sent, "unresolved": self.unresolved, "refused": self.refused,
                "filtered": self.filtered, "events": self.events}  # fmt: skip

    def __str__(self) -> str:
        refused = sum(self.refused.values())
        by_reason = ", ".join(f"{count:,} {reason}" for reason, count in sorted(self.refused.items()))
        waiting = f" + {self.unresolved:,} unresolved" if self.unresolved else ""
        return (
            f"{self.rows:,} rows read = {self.sent:,} sent{waiting} + {refused:,} refused"
            + (f" ({by_reason})" if refused else "")
            + f" + {self.filtered:,} filtered; {self.events:,} events"
        )

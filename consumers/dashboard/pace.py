"""How fast events come in: `quality` counts from the beginning, so two readings of it are held against each other."""

from collections import deque
from collections.abc import Mapping
from typing import Any, NamedTuple

from consumers.dashboard.ages import moment_of

KEPT_S = 60.0
EVERY_S = 5.0
"""Between two readings."""
LEAST_S = 1.0
TOO_SOON = "what came in was read once so far: look again in a few seconds"


class Counted(NamedTuple):
    """What had come in when `quality` was published (epoch seconds)."""

    at: float
    accepted: int
    refused: int


class Rates(NamedTuple):
    """Events a second, by wall time over the last `seconds`; None with the reason."""

    accepted: float | None
    refused: float | None
    seconds: float
    because: str | None = None


class Pace:
    """The readings of the last minute. Counts that fall belong to another installation, and begin anew."""

    def __init__(self) -> None:
        self._seen: deque[Counted] = deque()

    def take(self, quality: Mapping[str, Any] | None) -> None:
        at = moment_of((quality or {}).get("published_at"))
        if quality is None or at is None:
            return
        now = Counted(at.timestamp(), quality["accepted"], sum(quality["refused"].values()))
        if self._seen and (now.accepted < self._seen[-1].accepted or now.refused < self._seen[-1].refused):
            self._seen.clear()
        if not self._seen or now.at > self._seen[-1].at:
            self._seen.append(now)
        while len(self._seen) > 1 and self._seen[1].at <= now.at - KEPT_S:
            self._seen.popleft()

    def rates(self) -> Rates:
        if len(self._seen) < 2 or (seconds := self._seen[-1].at - self._seen[0].at) < LEAST_S:
            return Rates(None, None, 0.0, TOO_SOON)
        first, last = self._seen[0], self._seen[-1]
        return Rates((last.accepted - first.accepted) / seconds, (last.refused - first.refused) / seconds, seconds)

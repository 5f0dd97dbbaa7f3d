"""Whether this worker may still speak for its partitions: only while its group has heard from it in time."""

from collections.abc import Callable
from time import monotonic

MARGIN = 0.2
"""Share of the session timeout that is left unused, for the way between this check and the broker."""


class LeaseLost(Exception):
    """The group has not heard from this worker within the session time; another may own its partitions by now."""


class Lease:
    """Held for a little less than the session timeout since the last heartbeat the group answered.

    The moment counted is when the heartbeat was *sent*: the broker counts from a later one. The clock goes on while
    the process is stopped, so a worker that wakes up after a pause finds its lease gone before it can write.
    """

    def __init__(self, session_timeout: float, clock: Callable[[], float] = monotonic) -> None:
        self._held_for = session_timeout * (1 - MARGIN)
        self._clock = clock
        self._until = float("-inf")

    def renew(self, asked_at: float) -> None:
        """The group answered a heartbeat that was sent at `asked_at`."""
        self._until = max(self._until, asked_at + self._held_for)

    def check(self) -> None:
        """Raise LeaseLost unless the lease is still held."""
        late = self._clock() - self._until
        if late > 0:
            raise LeaseLost(f"no heartbeat answered in time (lease ended {late:.1f} s ago): leaving without writing")

"""What comes of `health-examples`: examples a day at a time, each day whole, in an order that never depends on arrival.

A day is whole when every partition has sent its marker. Its examples are taken in the order (release day, account,
snapshot day), so the same log gives the same models, byte for byte.
"""

from collections import defaultdict
from collections.abc import Iterator

import msgspec

from models.health.example import Example, decode_example
from models.health.records import TAKEN_KEY, Taken, kept
from models.messages import Output
from models.rows import NEVER


class Marker(msgspec.Struct, frozen=True, kw_only=True):
    """A partition's word that it has sent every example up to a day, and how many accounts that day was closed with.

    little_known: those of them that had not told enough yet.
    """

    marker: int
    partition: int
    accounts: int = 0
    little_known: int = 0


decode_marker = msgspec.json.Decoder(Marker).decode
MARKER_KEY = b"marker|"
"""Begins the key of a marker; an example's key is its account."""


class Intake:
    """Examples that wait for their day to be whole."""

    def __init__(self, taken: Taken | None = None) -> None:
        self._taken = taken or Taken()
        self._pending: dict[int, dict[tuple[str, int], Example]] = defaultdict(dict)
        """Release day -> (account, snapshot day) -> example."""
        self._heard = False

    def take(self, message: bytes, learned: int) -> None:
        """Take one record; of days up to `learned` nothing more is wanted. What comes again changes nothing."""
        if message.startswith(b'{"marker"'):
            self._mark(decode_marker(message))
            return
        example = decode_example(message)
        if example.release > learned:
            self._pending[example.release][example.account_id, example.day] = example

    def _mark(self, marker: Marker) -> None:
        partition, taken = marker.partition, self._taken
        if marker.marker > taken.markers.get(partition, NEVER):
            taken.markers[partition] = marker.marker
            taken.accounts[partition] = (marker.accounts, marker.little_known)
            self._heard = True

    def heard(self) -> bool:
        """Whether a marker has come since this was asked last: it may be acknowledged when it is kept."""
        heard, self._heard = self._heard, False
        return heard

    @property
    def accounts(self) -> tuple[int, int]:
        """Accounts at the last close, and those of them that had not told enough yet."""
        counts = self._taken.accounts.values()
        return sum(all_ for all_, _ in counts), sum(little for _, little in counts)

    @property
    def latest(self) -> int:
        """The last day that any partition has closed."""
        return max(self._taken.markers.values(), default=NEVER)

    @property
    def empty(self) -> bool:
        return not self._pending

    def whole_until(self, partitions: int) -> int:
        """The last day of which everything has come."""
        markers = self._taken.markers
        return min(markers.values()) if len(markers) == partitions else NEVER

    def days(self, until: int) -> Iterator[tuple[int, list[Example]]]:
        """The days up to one, in their order, each with its examples; they wait no longer."""
        for day in sorted(day for day in self._pending if day <= until):
            yield day, sorted(self._pending.pop(day).values(), key=lambda one: one.place)

    def record(self) -> Output:
        """To be kept when all that has come before has been learned."""
        return kept(TAKEN_KEY, self._taken)

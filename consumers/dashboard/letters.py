"""The last dead letters, their payloads masked, without any page ever waiting long for Kafka."""

import asyncio
from collections.abc import Callable, Mapping
from time import monotonic
from typing import Any, NamedTuple

from consumers import dead_letters

TOPIC, KEY = "dead-letters", "dead-letters"
LAST = 20
"""Of each partition."""
CACHED_S, WAIT_S = 10.0, 1.0
PATIENCE = {"session_timeout_ms": 6_000, "request_timeout_ms": 8_000}
NO_KAFKA = "The dashboard knows no Kafka (LIVELIFT_KAFKA): `livelift dead-letters list` shows them where there is one."
STILL = "Kafka has not answered yet; they are shown here when it has."


class Told(NamedTuple):
    """letters: as `DeadLetter.shown` gives them. because: why there are none, or why these may be old."""

    letters: list[dict[str, str]]
    because: str | None = None


class Letters:
    """One reading at a time, in a thread, for all who look. changed: is called when there is something else to show."""

    def __init__(
        self, kafka: Mapping[str, Any] | None = None, topic: str = TOPIC, changed: Callable[[], None] = lambda: None
    ) -> None:
        self._kafka, self._topic, self._changed = kafka or {}, topic, changed
        self._told = Told([], STILL)
        self._read_at: float | None = None
        self._reading: asyncio.Task[None] | None = None

    async def latest(self) -> Told:
        """What was read last; waits a moment only where nothing has been read at all."""
        if not self._kafka:
            return Told([], NO_KAFKA)
        old = self._read_at is None or monotonic() - self._read_at >= CACHED_S
        if old and self._reading is None:
            self._reading = asyncio.create_task(self._read())
        if self._reading is not None and self._read_at is None:
            await asyncio.wait({self._reading}, timeout=WAIT_S)
        return self._told

    async def _read(self) -> None:
        try:
            found = await asyncio.to_thread(dead_letters.latest, {**self._kafka, **PATIENCE}, self._topic, LAST)
            told = Told([one.shown(False) for one in found])
        except Exception as error:
            told = Told(self._told.letters, f"Kafka does not tell them ({type(error).__name__}); it is asked again.")
        self._read_at, self._reading = monotonic(), None
        if told != self._told:
            self._told = told
            self._changed()

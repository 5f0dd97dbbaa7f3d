"""A recording that is sent step by step, so that a fault can be placed in the middle of it, however slow the machine."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from threading import Condition
from time import monotonic

from livelift.player import Played, Player
from livelift.recording import Record, Recording
from livelift.settings import Settings
from livelift.surroundings import surroundings

REACHED_S = 240.0


class Given(Exception):
    """The test is over before the play is."""


class Steps:
    """To the player it is a recording; its records come only as far as has been allowed."""

    def __init__(self, recording: Recording) -> None:
        self.recording, self.plans, self.last_tick = recording, recording.plans, recording.last_tick
        self.annotations = recording.annotations
        self.of = recording.events + recording.ticks
        self.sent = 0
        self._allowed, self._moved, self._over = 0, Condition(), False

    def records(self) -> Iterator[Record]:
        for number, record in enumerate(self.recording.records(), start=1):
            with self._moved:
                self._moved.wait_for(lambda number=number: number <= self._allowed or self._over)
                if self._over:
                    raise Given
                self.sent = number
                self._moved.notify_all()
            yield record

    def allow(self, number: int | None = None) -> None:
        """Let records up to this number be sent; None is all of them."""
        with self._moved:
            self._allowed = self.of if number is None else number
            self._moved.notify_all()

    def until(self, number: int) -> None:
        """Wait until this record is being sent."""
        with self._moved:
            reached = self._moved.wait_for(lambda: self.sent >= number, REACHED_S)
        assert reached, f"record {number} of {self.of} was not sent within {REACHED_S:g} s, only {self.sent}"

    def give_up(self) -> None:
        with self._moved:
            self._over = True
            self._moved.notify_all()


class Play:
    """A play that goes on beside the test."""

    def __init__(self, steps: Steps, future: Future[Played]) -> None:
        self.steps, self._future, self.began = steps, future, monotonic()

    @property
    def running(self) -> bool:
        return not self._future.done()

    def finish(self) -> Played:
        """Send the rest; raises what the player raised."""
        self.steps.allow()
        return self._future.result(REACHED_S)


@contextmanager
def playing(settings: Settings, recording: Recording, seconds: float) -> Iterator[Play]:
    """Play a recording, spread over these seconds if nobody holds it up."""
    records = list(recording.records())
    speed = (records[-1].at - records[0].at) / 1e6 / seconds
    steps = Steps(recording)
    with ThreadPoolExecutor(1, thread_name_prefix="play") as pool:
        try:
            yield Play(steps, pool.submit(Player(surroundings(settings), speed).play, steps))
        finally:
            steps.give_up()

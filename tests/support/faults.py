"""The faults that livelift promises to survive, told once: `make test` plays short versions, `make chaos` long ones.

Each scenario plays a recording to running workers, strikes while there is work in hand, and brings back an `Outcome`.
What it must come to is the same for all of them: the canonical snapshot is that of `livelift replay`, every event was
accepted once, and no row in the changelog went back.
"""

import random
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from time import monotonic, sleep
from typing import TypeVar

from confluent_kafka import KafkaException

from livelift.local.process import Child
from livelift.local.stack import Stack
from livelift.recording import Recording
from models.events import SOURCES
from streams.fatal import CRASHED
from tests.support.stack import DEADLINE_S, POLL_S, Reading, differences, replayed, start_scorer, until
from tests.support.steps import Play, playing

SHARE_WHILE_STARTING = 0.25
"""Share of the kills that do not wait until the scorer holds its partitions again: they hit it starting, recovering."""
STARTING_S, WORKING_S = (0.8, 3.0), (0.0, 1.5)
"""Seconds after the play went on, within which a scorer that is starting or at work is struck: commits are 1 s apart."""
Ends = dict[tuple[str, int], int]
"""(topic, partition) -> offset of the last record."""
Found = TypeVar("Found")


@dataclass(frozen=True)
class Struck:
    """One fault: when it fell, and what was left undone by it."""

    what: str
    sent: int
    """Records of the recording that had been sent."""
    unfinished: int
    """Records in the source topics, those of that moment, that the scorers' group had not acknowledged."""
    back_s: float
    """Seconds until the scorers (or what was struck) held everything again; 0 where nobody waited."""


@dataclass
class Outcome:
    """What a scenario came to. Nothing is wrong when `complaints` is empty."""

    scenario: str
    records: int
    events: int
    struck: list[Struck] = field(default_factory=list)
    seconds: float = 0.0
    accepted: int = 0
    complaints: list[str] = field(default_factory=list)


class Scene:
    """A recording on its way through running workers, the faults that strike it, and the comparison at the end."""

    def __init__(
        self, scenario: str, stack: Stack, recording: Recording, seed: int, tell: Callable[[str], None]
    ) -> None:
        self.stack, self.recording, self.tell = stack, recording, tell
        self.chance = random.Random(f"{scenario} {seed}")
        self.reading = Reading(stack.settings)
        self.outcome = Outcome(scenario, recording.events + recording.ticks, recording.events)
        self.play: Play | None = None
        self._then: int | None = None

    @contextmanager
    def playing(self, seconds: float) -> Iterator[Play]:
        """Play beside what the block does; then send the rest, wait until all is in Redis, and compare."""
        began = monotonic()
        with playing(self.stack.settings, self.recording, seconds) as self.play:
            yield self.play
            self.play.finish()
        self._compare()
        self.outcome.seconds = monotonic() - began

    def points(self, count: int) -> list[int]:
        """Random records of the recording at which to strike, in order; behind the last one there is still work to do."""
        return sorted(self.chance.sample(range(self.outcome.records // 50, self.outcome.records * 3 // 4), count))

    def each(self, points: list[int]) -> Iterator[int]:
        """Go from point to point: the play waits at each of them until the fault is at hand, and goes on with it."""
        for number, point in enumerate(points):
            self.hold_at(point, points[number + 1] if number + 1 < len(points) else None)
            yield number

    def hold_at(self, point: int, then: int | None) -> None:
        """Play to this record; the next fault has the play go on to `then` (None: to the end)."""
        assert self.play is not None
        self.play.steps.allow(point)
        self.play.steps.until(point)
        self._then = then

    def unfinished(self, there: Ends) -> int:
        """Of the records that were there, those that the scorers' group has not acknowledged."""
        done = self.reading.acknowledged()
        return sum(max(0, end - done.get(where, -1)) for where, end in there.items())

    def strike(
        self, what: str, fault: Callable[[], None], back: Callable[[], None] | None = None, hits: Sequence[Child] = (),
        within: tuple[float, float] = WORKING_S,
    ) -> Struck:  # fmt: skip
        """Let the play go on, do it, and remember it.

        The scorers it `hits` are struck at a random instant `within` so many seconds, and never idle: that would prove
        nothing. Other workers are struck as the play goes on, which must not have come to its end.
        """
        assert self.play is not None
        there = self._stopped_at_work(within) if hits else self._ends()
        sent = self.play.steps.sent
        if not hits:
            self.play.steps.allow(self._then)
        fault()
        unfinished = patiently("the group's offsets", lambda: self.unfinished(there))
        if hits:
            self._signal(signal.SIGCONT, [child for child in self._scorers() if child not in hits])
            self.play.steps.allow(self._then)
        began = monotonic()
        if back is not None:
            back()
        struck = Struck(what, sent, unfinished, monotonic() - began if back is not None else 0.0)
        self.outcome.struck.append(struck)
        if not unfinished and (hits or sent == self.outcome.records):
            self.complain(f"{what} at record {sent} found nothing unfinished")
        self.tell(
            f"{what} at record {sent:,} of {self.outcome.records:,}: {unfinished:,} unfinished, {struck.back_s:.1f} s"
        )
        return struck

    def _stopped_at_work(self, within: tuple[float, float]) -> Ends:
        """Stop all scorers (SIGSTOP) at a random instant at which something is unacknowledged; what was there then.

        Half of the way to the next fault is played at once, and from there on record by record: something has always
        just come. What a stopped scorer has not acknowledged it never does if it is killed now. Were they stopped
        idle, which happens just behind a commit, they go on until more has come.
        """
        assert self.play is not None
        steps = self.play.steps
        halfway = (steps.sent + (self._then or self.outcome.records)) // 2
        instant = monotonic() + self.chance.uniform(*within)

        def stopped_at_work() -> Ends:
            steps.allow(max(halfway, steps.sent + 1))
            if monotonic() < instant:
                return {}
            there = self._ends()
            self._signal(signal.SIGSTOP, self._scorers())
            sleep(POLL_S)  # an acknowledgement that is on its way arrives
            if patiently("the group's offsets", lambda: self.unfinished(there)):
                return there
            self._signal(signal.SIGCONT, self._scorers())
            return {}

        return until("the scorers are stopped at work", stopped_at_work)

    def _ends(self) -> Ends:
        return patiently("the topics' ends", lambda: self.reading.ends(SOURCES))

    def _scorers(self) -> list[Child]:
        """Those that run."""
        return [child for name, child in self.stack.workers.items() if name != "publisher" and child.ended() is None]

    def _signal(self, number: int, children: Sequence[Child]) -> None:
        for child in children:
            child.process.send_signal(number)

    def complain(self, text: str) -> None:
        self.tell(f"WRONG: {text}")
        self.outcome.complaints.append(f"{self.outcome.scenario}: {text}")

    def kill(self, child: Child) -> None:
        """kill -9; a worker that had left by itself before is a complaint."""
        if child.ended() is not None:
            self.complain(f"{child.name} had left by itself with exit code {child.ended()}: {child.last_lines()}")
        child.process.kill()
        child.process.wait()

    def forget(self, child: Child) -> None:
        """It has ended and nobody misses it."""
        self.stack.workers.pop(child.name)

    def left(self, child: Child, code: int) -> None:
        """Wait until a worker has ended by itself, and for this reason."""
        until(f"{child.name} has left", lambda: child.ended() is not None)
        if child.ended() != code:
            self.complain(f"{child.name} ended with exit code {child.ended()}, not {code}: {child.last_lines()}")
        self.forget(child)

    def left_or_anew(self, child: Child, taken_over: int) -> None:
        """Wait until a worker has left as another has its partitions, or has taken some over more often than so."""
        until(
            f"{child.name} has left or holds partitions again",
            lambda: child.ended() is not None or times_taken_over(child) > taken_over,
        )
        if child.ended() is not None:
            self.left(child, CRASHED)

    def _compare(self) -> None:
        try:
            held = self.reading.settled(self.recording.events, self.recording.last_tick)
        except AssertionError as error:
            self.complain(str(error))
            held = self.reading.canonical()
        fallen = self.stack.fallen()
        if fallen is not None:
            self.complain(f"{fallen.name} ended with exit code {fallen.ended()}: {fallen.last_lines()}")
        for difference in differences(held, replayed(self.recording)):
            self.complain(difference)
        for row in self.reading.rows_gone_back():
            self.complain(f"a row went back: {row}")
        self.outcome.accepted = self.reading.quality().get("accepted", 0)


def patiently(what: str, ask: Callable[[], Found]) -> Found:
    """The answer of a Kafka that may be starting up."""

    def answer() -> list[Found]:
        try:
            return [ask()]
        except KafkaException:
            return []

    return until(what, answer)[0]


def times_taken_over(scorer: Child) -> int:
    """How often it has been given partitions."""
    return scorer.log.read_text().count("partitions taken over")


def quiet(text: str) -> None:
    """Progress that nobody reads."""


def kills(
    stack: Stack, recording: Recording, count: int, seconds: float, instance: str | None = None, seed: int = 1,
    tell: Callable[[str], None] = quiet,
) -> Outcome:  # fmt: skip
    """kill -9 of the only scorer at random instants, each followed by a restart.

    With an `instance` the restarted one resumes at once; without one it waits until the dead one's session has ended.
    """
    scene = Scene("kills", stack, recording, seed, tell)
    start_scorer(stack, "scorer", instance)
    stack.wait_ready()
    starting = False

    def restart() -> None:
        start_scorer(stack, "scorer", instance)
        if not starting:
            stack.wait_ready(("scorer",))

    with scene.playing(seconds):
        for _ in scene.each(scene.points(count)):
            what, within = ("kill -9 while starting", STARTING_S) if starting else ("kill -9", WORKING_S)
            starting = scene.chance.random() < SHARE_WHILE_STARTING
            scorer = stack.workers["scorer"]
            scene.strike(what, partial(scene.kill, scorer), restart, [scorer], within)
        stack.wait_ready(("scorer",))
    return scene.outcome


def pause(
    stack: Stack, recording: Recording, pause_s: float, seconds: float, seed: int = 1, tell: Callable[[str], None] = quiet
) -> Outcome:  # fmt: skip
    """SIGSTOP of the scorer with work in hand, for longer than its session; a second takes over; then SIGCONT.

    The paused one has to leave without writing: what it still holds is another's by now. Only if it had finished all
    it held, and had nothing left but to acknowledge it, may it join the group anew.
    """
    assert pause_s > stack.settings.session_timeout_s, "a pause within the session time changes no owner"
    scene = Scene("pause", stack, recording, seed, tell)
    paused = start_scorer(stack, "paused")
    stack.wait_ready()
    first, last = scene.points(2)

    def second() -> None:
        before = scene.reading.acknowledged()
        start_scorer(stack, "second")
        stack.wait_ready(("second",))
        until("the second scorer acknowledges", lambda: scene.reading.acknowledged() != before)

    with scene.playing(seconds):
        scene.hold_at(first, last)
        struck = scene.strike("SIGSTOP", lambda: paused.process.send_signal(signal.SIGSTOP), second, [paused])
        sleep(max(0.0, pause_s - struck.back_s))  # the pause itself: nothing is waited for
        scene.hold_at(last, None)
        before = times_taken_over(paused)
        scene.strike(
            "SIGCONT", lambda: paused.process.send_signal(signal.SIGCONT), lambda: scene.left_or_anew(paused, before)
        )
    return scene.outcome


COMINGS: tuple[tuple[str, int], ...] = (
    ("join", 1), ("join", 1), ("SIGKILL", 1), ("join", 1), ("SIGTERM", 2), ("join", 2), ("SIGKILL", 2),
)  # fmt: skip
"""From one scorer to two and three, down to one and up again: what comes or goes, and how many at once."""


def comings(
    stack: Stack, recording: Recording, seconds: float, plan: tuple[tuple[str, int], ...] = COMINGS, seed: int = 1,
    tell: Callable[[str], None] = quiet,
) -> Outcome:  # fmt: skip
    """Scorers joining and leaving, asked to (SIGTERM) or not (SIGKILL), one to three of them at work."""
    scene = Scene("comings", stack, recording, seed, tell)
    names = iter(f"scorer-{number}" for number in range(100))
    here = [start_scorer(stack, next(names)).name]
    stack.wait_ready()

    def join(count: int) -> None:
        here.extend(start_scorer(stack, next(names)).name for _ in range(count))

    def leave(how: str, going: list[Child]) -> None:
        for child in going:
            if how == "SIGKILL":
                scene.kill(child)
                scene.forget(child)
            else:
                child.process.send_signal(signal.SIGTERM)
                scene.left(child, 0)

    def all_ready() -> None:
        stack.wait_ready(tuple(here))

    with scene.playing(seconds):
        for number in scene.each(scene.points(len(plan))):
            how, count = plan[number]
            if how == "join":
                scene.strike(f"join of {count}, then {len(here) + count} at work", partial(join, count), all_ready)
                continue
            going = [stack.workers[here.pop(scene.chance.randrange(len(here)))] for _ in range(count)]
            hits = going if how == "SIGKILL" else ()
            scene.strike(f"{how} of {count}, then {len(here)} at work", partial(leave, how, going), all_ready, hits)
    return scene.outcome


def readers(
    stack: Stack, recording: Recording, count: int, seconds: float, seed: int = 1, tell: Callable[[str], None] = quiet
) -> Outcome:  # fmt: skip
    """kill -9 of the publisher, Redis emptied, and both at once: what people read comes back whole."""
    scene = Scene("readers", stack, recording, seed, tell)
    start_scorer(stack, "scorer")
    stack.wait_ready()

    def kill() -> None:
        scene.kill(stack.workers["publisher"])

    def empty() -> None:
        names = list(scene.reading.snapshots.client.scan_iter(stack.settings.redis_prefix + "*", count=10_000))
        scene.reading.snapshots.client.delete(*names)

    def filled() -> None:
        until("Redis is written again", scene.reading.quality)

    def empty_and_kill() -> None:
        """The publisher is killed as soon as it has seen that Redis is empty: it has begun to write again, not ended."""
        fences, pulse = f"{stack.settings.redis_prefix}fences", stack.settings.topic("pulse")
        empty()
        deadline = monotonic() + DEADLINE_S
        while not scene.reading.snapshots.client.hexists(fences, pulse) and monotonic() < deadline:
            pass  # to the millisecond: the time between this mark and the last key is short
        kill()

    def again() -> None:
        stack.start_worker("publisher")
        stack.wait_ready(("publisher",))
        filled()

    faults = (
        ("kill -9 of the publisher", kill, again),
        ("Redis emptied", empty, filled),
        ("Redis emptied, kill -9 of the publisher", empty_and_kill, again),
    )
    with scene.playing(seconds):
        for number in scene.each(scene.points(count)):
            scene.strike(*faults[number % len(faults)])
    return scene.outcome

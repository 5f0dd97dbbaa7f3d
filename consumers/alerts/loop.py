"""The alerts process as a member of its group: one of them holds all partitions and is on duty, the others stand by."""

import gc
from collections.abc import Callable, Iterable
from queue import Queue
from threading import Event, Lock
from time import monotonic, time
from typing import Any, NamedTuple

import structlog
from kafka import ConsumerRebalanceListener, KafkaConsumer, TopicPartition
from kafka.errors import CommitFailedError, IllegalGenerationError, RebalanceInProgressError, UnknownMemberIdError

from consumers.alerts.channels import Result
from consumers.alerts.config import Here
from consumers.alerts.duty import Duty
from consumers.alerts.group import OldestTakesAll
from consumers.alerts.log import AlertLog, NotStored
from models.alerts.book import Book
from models.alerts.evidence import COMMANDS, SCORES, SIGNALS

READ = SCORES, SIGNALS, COMMANDS
AT_ONCE = 20_000
POLL_MS, SENDING_POLL_MS = 100, 5
COMMIT_EVERY_S = 1.0
GC_THRESHOLDS = (50_000, 20, 50)
"""A step's records are many objects that are gone with it: looking through them takes a tenth of the time."""
REBALANCE_MS = 60_000
"""How long the group waits for a member that was killed while it joined."""
UNKNOWN_S = 0.2
log = structlog.get_logger()


class NotGiven(RuntimeError):
    """The group does not say which partitions this process holds."""


class Alerts:
    """One process. `run` ends when `stop` is called, from a signal handler."""

    def __init__(self, here: Here, wall: Callable[[], float] = time) -> None:
        self.here, self.wall = here, wall
        self.stopped = Event()
        self._heard_of_group = monotonic()
        self._results: Queue[Result] = Queue()
        self._log = AlertLog(here)
        self._consumer: Any = KafkaConsumer(
            **here.kafka, group_id=here.group, enable_auto_commit=False, auto_offset_reset="earliest",
            partition_assignment_strategy=(OldestTakesAll,), session_timeout_ms=int(here.session_timeout_s * 1000),
            heartbeat_interval_ms=int(here.session_timeout_s * 1000 / 3), max_poll_records=AT_ONCE,
            fetch_max_wait_ms=POLL_MS, group_instance_id=here.instance, max_poll_interval_ms=REBALANCE_MS,
        )  # fmt: skip
        self._duty: Duty | None = None
        self._working = Lock()
        """Held during a step: partitions are given up between steps only."""
        self._decided, self._committed_at = False, 0.0
        """Whether anything has been decided on that is not acknowledged, and when something was last."""
        self._held: Held = Held(0, ())
        self._taken_at: float | None = None
        """When the group took the partitions, to give them anew."""
        self._seen = 0

    def stop(self) -> None:
        """Come to an end when what is being done has been done."""
        self.stopped.set()

    def run(self) -> None:
        """Work until stopped. Raises NotStored, NotGiven, and whatever Kafka's client raises: then nothing has been
        said that was not written down, and a new process goes on from there."""
        gc.set_threshold(*GC_THRESHOLDS)
        topics = [self.here.topic(name) for name in READ]
        try:
            know(self._consumer, topics, self.stopped)
            self._consumer.subscribe(topics, listener=_Listener(self))
            self._consumer.topics()  # else it joins twice: it asks for its topics again, and takes the answer for news
            while not self.stopped.is_set():
                records = self._consumer.poll(timeout_ms=self._patience, max_records=AT_ONCE)
                self._heard_of_group = monotonic()
                self._check_given()
                held = self._held
                if held.generation != self._seen:
                    self._take_over(held)
                with self._working:
                    if self._duty is None or self._held is not held:
                        self._decided = False
                        continue
                    self._duty.step(records)
                self._decided = self._decided or bool(records)
                if self._decided and monotonic() - self._committed_at > COMMIT_EVERY_S:
                    self._commit()
            self._off_duty()
            if self._decided:
                self._commit()
        finally:
            if self._duty is not None:
                self._duty.stop()
            self._consumer.close()

    @property
    def _patience(self) -> int:
        """How long to wait for records, in milliseconds: channels wait for what they have sent to be written down."""
        return SENDING_POLL_MS if self._duty is not None and self._duty.book.due else POLL_MS

    def alive(self) -> bool:
        """Whether this process may send: it holds the partitions, and has polled within the session time."""
        held = self._held.generation == self._seen and self._duty is not None
        return held and monotonic() - self._heard_of_group < self.here.session_timeout_s

    def holds(self, partitions: Iterable[TopicPartition], taken: bool = False) -> None:
        """The group has given these partitions, or taken all until it gives anew. Called by the client's own thread,
        which may not wait for Kafka; it waits for the step that is being done."""
        with self._working:
            self._held = Held(self._held.generation + 1, tuple(sorted(partitions)))
            self._taken_at = monotonic() if taken else None

    def _check_given(self) -> None:
        """The client may miss that its group has given partitions (kafka-python 3.0.12, where it joins because topics
        have changed and a poll ends meanwhile), and then waits for ever. Raises NotGiven."""
        if self._taken_at is not None and monotonic() - self._taken_at > 2 * REBALANCE_MS / 1000:
            raise NotGiven(f"the group {self.here.group} has taken the partitions and given none: start again")

    def _take_over(self, held: "Held") -> None:
        """Begin anew with what the group has given: everything is in the topic."""
        self._off_duty()
        self._seen = held.generation
        if not held.partitions:
            log.info("standing by: another process of the group sends alerts")
            return
        self._log.take_over()
        book = Book()
        for alert in self._log.read():
            book.put(alert)
        duty = Duty(self.here, book, self._log, self._results, self.alive, self.wall)
        first = not book.by_id and all(self._consumer.committed(where) is None for where in held.partitions)
        if first:
            duty.begin(self._consumer.end_offsets(held.partitions))
        self._duty, self._heard_of_group = duty, monotonic()
        if self.here.ready_file is not None:
            self.here.ready_file.touch()
        log.info("sending alerts", rules=len(self.here.rules.rule), open=sum(1 for _ in book.open()), first=first)

    def _off_duty(self) -> None:
        """Send nothing more: another process may be about to take over, or has."""
        duty, self._duty = self._duty, None
        if duty is None:
            return
        try:
            duty.end()
        except NotStored as error:
            log.warning("not written down: what was being sent may come again", error=str(error))

    def _commit(self) -> None:
        """What has been decided on is acknowledged. If the group has moved on, whoever holds the partitions reads it
        again and finds it decided on."""
        self._decided, self._committed_at = False, monotonic()
        try:
            self._consumer.commit()
        except (CommitFailedError, RebalanceInProgressError, IllegalGenerationError, UnknownMemberIdError) as error:
            log.info("not acknowledged: the group has changed", error=type(error).__name__)


def know(consumer: Any, topics: Iterable[str], stopped: Event) -> None:
    """Wait until the client knows the topics' partitions. What it subscribes to while it still connects it may not hear
    of for minutes (kafka-python 3.0.12: an answer that was under way counts as the one asked for); it would then give
    out no partitions, and stand by for nobody."""
    while not all(consumer.partitions_for_topic(topic) for topic in topics):
        if stopped.wait(UNKNOWN_S):
            return


class Held(NamedTuple):
    """The partitions that the group has given. generation: counts up with every change."""

    generation: int
    partitions: tuple[TopicPartition, ...]


class _Listener(ConsumerRebalanceListener):
    def __init__(self, alerts: Alerts) -> None:
        self._alerts = alerts

    def on_partitions_revoked(self, revoked: Any) -> None:
        self._alerts.holds((), taken=True)

    def on_partitions_assigned(self, assigned: Any) -> None:
        self._alerts.holds(assigned)

"""Workers on the session's services, as tests need them: started, fed, waited for, read.

Nothing here sleeps to be on the safe side: `until` polls a condition and gives up at a deadline, and `settled` states
in terms of Kafka's offsets when everything that was sent has reached Redis.
"""

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from time import monotonic, sleep
from typing import Any, TypeVar

from confluent_kafka import OFFSET_BEGINNING, Consumer, ConsumerGroupTopicPartitions, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from consumers.snapshots import Snapshots
from livelift.experiments import published_plans
from livelift.local.process import Child
from livelift.local.stack import Stack
from livelift.local.topics import rows_changelog_name
from livelift.player import Played, Player
from livelift.recording import Recording
from livelift.replay import replay
from livelift.settings import Settings
from livelift.surroundings import product_of, surroundings
from models.capacity import at_risk
from models.clock import day_of, rfc3339, start_of
from models.events import SOURCES, instant
from models.snapshot import Snapshot, canonical
from models.working import progress_of
from streams.store import Store

DEADLINE_S = 180.0
"""For what does not come: on a busy machine a worker may need a minute to start."""
POLL_S = 0.1
ROLES = ("scorer", "learner", "publisher")
READ_BY_PUBLISHER = ("account-scores", "journey-signals")

Found = TypeVar("Found")


def until(what: str, condition: Callable[[], Found], deadline_s: float = DEADLINE_S) -> Found:
    """The first true value of a condition; AssertionError if there is none in time."""
    deadline = monotonic() + deadline_s
    while not (found := condition()):
        assert monotonic() < deadline, f"not within {deadline_s:g} s: {what}"
        sleep(POLL_S)
    return found


@contextmanager
def running(settings: Settings, roles: tuple[str, ...] = ROLES) -> Iterator[Stack]:
    """One worker of each role, ready; all ended afterwards."""
    with Stack(settings, roles) as stack:
        stack.wait_ready()
        yield stack


def start_scorer(stack: Stack, name: str, instance: str | None = None) -> Child:
    """One more scorer, or one anew under a name that was used before. `instance`: LIVELIFT_INSTANCE."""
    given = [f"LIVELIFT_INSTANCE={instance}"] if instance else []
    return stack.start_worker(
        "scorer", name, ["env", *given, sys.executable, "-m", "livelift", "worker", "--role", "scorer"]
    )


def play(settings: Settings, recording: Recording, speed: float | None = None) -> Played:
    return Player(surroundings(settings), speed).play(recording)


def replayed(recording: Recording) -> Snapshot:
    """What the same recording reads to without Kafka and Redis."""
    assert recording.config is not None, "the tests' recordings bring their settings"
    return canonical(replay(recording, product_of(recording.config)))


def differences(got: Snapshot, want: Snapshot) -> list[str]:
    """The snapshots that differ, each shortened: pytest would take minutes to compare thousands of journeys."""
    found = []
    for key in sorted({*got, *want}):
        if got.get(key) != want.get(key):
            path, ours, theirs = _first_difference(key, got.get(key), want.get(key))
            found.append(f"{path}: {json.dumps(ours)[:300]} instead of {json.dumps(theirs)[:300]}")
    return found


def _first_difference(path: str, ours: Any, theirs: Any) -> tuple[str, Any, Any]:
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key in [*theirs, *ours]:
            if ours.get(key) != theirs.get(key):
                return _first_difference(f"{path}.{key}", ours.get(key), theirs.get(key))
    return path, ours, theirs


class Reading:
    """Looks at one installation from outside: Kafka's offsets, the scorers' group, and what Redis holds."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.snapshots = Snapshots(settings.require_redis(), settings.redis_prefix)
        self._admin = AdminClient({**settings.confluent(), "log_level": 0})
        self._store = Store(settings.require_redis(), settings.redis_prefix)
        self._product = product_of(settings.config)

    def ends(self, topics: Iterable[str]) -> dict[tuple[str, int], int]:
        """(topic, partition) -> offset of its last record, for the N-partition topics that hold anything."""
        asked = {
            TopicPartition(self.settings.topic(topic), number): OffsetSpec.latest()
            for topic in topics
            for number in range(self.settings.partitions)
        }
        found = self._admin.list_offsets(asked)
        short = len(self.settings.namespace)
        ends = {(tp.topic[short:], tp.partition): future.result().offset for tp, future in found.items()}
        return {where: end - 1 for where, end in ends.items() if end}

    def quality(self) -> dict[str, Any]:
        return self.snapshots.get("quality") or {}

    def canonical(self) -> Snapshot:
        return canonical(self.snapshots.everything())

    def settled(self, accepted: int | None = None, time: int | None = None, deadline_s: float = DEADLINE_S,
                with_list: bool = True) -> Snapshot:  # fmt: skip
        """The canonical snapshot, once everything sent is in it. Give what `quality` must then say.

        with_list: also in the capacity list, which is read every five seconds only.
        """
        missing = ["nothing looked at"]
        deadline = monotonic() + deadline_s
        while missing:
            if monotonic() > deadline:
                raise AssertionError(f"not settled within {deadline_s:g} s: {'; '.join(missing)}")
            sleep(POLL_S)
            try:
                missing = [*self._not_yet(accepted, time, with_list)]
            except KafkaException as error:
                missing = [f"Kafka: {error}"]
        return self.canonical()

    def _not_yet(self, accepted: int | None, time: int | None, with_list: bool) -> Iterator[str]:
        quality = self.quality()
        as_of = quality.get("as_of", {})
        if accepted is not None and quality.get("accepted") != accepted:
            yield f"{accepted} to accept, {quality.get('accepted')} accepted"
        if time is not None and as_of.get("time") != rfc3339(time):
            yield f"event time is {as_of.get('time')}, not {rfc3339(time)}"
        sources, applied = self.ends(SOURCES), as_of.get("offsets", {})
        behind = [f"{t}/{p} at {applied.get(t, {}).get(str(p))} of {end}" for (t, p), end in sources.items()
                  if applied.get(t, {}).get(str(p), -1) < end]  # fmt: skip
        if not behind:
            done = self.acknowledged()
            behind = [f"{t}/{p} acknowledged to {at} of {end}" for (t, p), end in sources.items()
                      if (at := done.get((t, p), -1)) < end]  # fmt: skip
        yield from behind[:3]
        if behind:
            return
        fences = self.snapshots.client.hgetall(f"{self.settings.redis_prefix}fences")
        for (topic, number), end in self.ends(READ_BY_PUBLISHER).items():
            fence = fences.get(f"{self.settings.topic(topic)}/{number}".encode(), b"|-1")
            if int(fence.rsplit(b"|", 1)[1]) < end:
                yield f"{topic}/{number} is in Redis to {fence!r} of {end}"
                return
        if with_list:
            expected = at_risk(self._store, self._product.capacity)
            held = self.snapshots.get("at-risk") or {}
            if {name: held.get(name) for name in expected} != expected:
                yield "at-risk is not that of the accounts"
        if as_of.get("time") is not None:  # else no clock has ticked, and no day is over
            over = day_of(instant(datetime.fromisoformat(as_of["time"])) - self._product.lateness) - 1
            learned = (self.snapshots.get("model") or {}).get("learned")
            if learned != rfc3339(start_of(over))[:10]:
                yield f"the model has learned to {learned}, not to day {over}"
        held = self.snapshots.keys()
        read = {key.removeprefix("experiment:") for key in held if key.startswith("experiment:")}
        counted = {id_ for id_, one in published_plans(surroundings(self.settings)).items() if one.counted}
        unread = counted - read
        if unread:
            yield f"not read yet: experiments {sorted(unread)}"

    def acknowledged(self, group: str = "livelift-scorer") -> dict[tuple[str, int], int]:
        """(topic, partition) -> last offset that a group, by default the scorers', has committed."""
        group = self.settings.topic(group)
        asked = ConsumerGroupTopicPartitions(group)
        held = self._admin.list_consumer_group_offsets([asked])[group].result().topic_partitions
        short = len(self.settings.namespace)
        return {(tp.topic[short:], tp.partition): tp.offset - 1 for tp in held if tp.offset >= 0}

    def messages(self, topic: str) -> Iterator[Any]:
        """Every record of a topic (its real name) up to its present end; in offset order within a partition."""
        consumer = Consumer({**self.settings.confluent(), "group.id": "livelift-tests", "enable.auto.commit": False})
        try:
            numbers = consumer.list_topics(topic, timeout=30).topics[topic].partitions
            marks = {
                number: consumer.get_watermark_offsets(TopicPartition(topic, number), timeout=30) for number in numbers
            }
            left = {number: high for number, (low, high) in marks.items() if high > low}
            consumer.assign([TopicPartition(topic, number, OFFSET_BEGINNING) for number in left])
            while left:
                for message in consumer.consume(5000, 0.05):  # it waits that long for more, whatever has come
                    if message.error():
                        raise KafkaException(message.error())
                    yield message
                at = {tp.partition: tp.offset for tp in consumer.position([TopicPartition(topic, n) for n in left])}
                left = {number: high for number, high in left.items() if at[number] < high}
        finally:
            consumer.close()

    def rows_gone_back(self) -> list[str]:
        """Rows in the changelog that say less than an earlier one of the same key: written without the partition."""
        latest: dict[bytes, list[int]] = {}
        back = []
        for message in self.messages(rows_changelog_name(self.settings)):
            key, value = message.key(), message.value()
            if value is None or key[:1] == b"x":
                latest.pop(key, None)
                continue
            offsets = progress_of(key, value)
            before = latest.get(key, offsets)
            if any(new < old for new, old in zip(offsets, before, strict=True)):
                back.append(f"{key!r} at {message.partition()}/{message.offset()}: {offsets} after {before}")
            else:
                latest[key] = offsets
        return back


def gone(pid: int) -> bool:
    """Whether a process has ended (it may be a child that nobody has waited for)."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] == "Z"
    except FileNotFoundError:
        return True


def descendants(pid: int) -> set[int]:
    """All processes below this one, as they are now."""
    parents: dict[int, list[int]] = {}
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{entry}/stat", encoding="utf-8") as stat:
                parents.setdefault(int(stat.read().rsplit(")", 1)[1].split()[1]), []).append(int(entry))
        except (FileNotFoundError, ProcessLookupError):
            continue
    found: set[int] = set()
    waiting = [pid]
    while waiting:
        below = parents.get(waiting.pop(), [])
        found.update(below)
        waiting += below
    return found

"""Records that are not accepted here: a dead letter with its reason, or sent on to where the account lives."""

from typing import cast

from models.clock import YEAR_2000
from models.decode import FUTURE, Refusal, implausible
from models.events import (
    MESSAGE_LIMIT,
    SOURCES,
    Event,
    HelpNeeded,
    TaskCompleted,
    TaskFailed,
    TaskStarted,
)
from models.messages import Output
from models.record import ORIGIN, ORIGINAL_TIME, Record, position

HEADER_ROOM = 4_096
"""Bytes that framing and our two headers may add to a record that is sent on."""
TASK_EVENTS = frozenset({TaskStarted, TaskCompleted, TaskFailed, HelpNeeded})


def untrue(event: Event, at: int, latest: int, tasks: frozenset[str]) -> Refusal | None:
    """Why an event of this time cannot be true: an implausible time, a task that no journey has.

    latest: what its time may not run far ahead of. tasks: those of all journeys.
    """
    if event.__class__ in TASK_EVENTS:
        task = cast(TaskStarted | HelpNeeded, event).properties.task
        if task is not None and task not in tasks:
            return Refusal("out_of_range", "task is in no journey of livelift.toml")
    return None if YEAR_2000 <= at <= latest + FUTURE else implausible(at, latest)


def dead_letter(topic: int, partition: int, record: Record, refusal: Refusal) -> Output:
    """The original bytes, with where they came in and why they were refused.

    What came in compressed and is larger than a record may be is cut; `cut-from` tells its size.
    """
    headers: list[tuple[str, bytes | None]] = [
        ("topic", SOURCES[topic].encode()),
        ("partition", str(partition).encode()),
        ("offset", str(record.offset).encode()),
        ("reason", refusal.reason.encode()),
        ("detail", refusal.detail.encode()),
    ]
    key, value = record.key or b"", record.value or b""
    if len(key) + len(value) > MESSAGE_LIMIT:
        headers.append(("cut-from", str(len(key) + len(value)).encode()))
        key = key[: MESSAGE_LIMIT // 2]
        value = value[: MESSAGE_LIMIT - len(key)]
    return Output(
        "dead-letters",
        partition,
        None if record.key is None else key,
        None if record.value is None else value,
        headers,
    )


def sent_on(topic: int, partition: int, record: Record, account_id: str, home: int) -> Output | Refusal:
    """A misplaced record on its way home, once: with its origin and original time. The second time it is refused."""
    carried = list(record.headers or ())
    if any(name == ORIGIN for name, _ in carried):
        return Refusal("wrong_partition", "misplaced again after being sent on")
    key, value = account_id.encode(), record.value or b""
    size = len(key) + len(value) + sum(len(name) + len(held or b"") for name, held in carried)
    if size + HEADER_ROOM > MESSAGE_LIMIT:
        return Refusal("wrong_partition", "too large to be sent on")
    origin = position(topic, partition, record.offset).encode()
    headers = [*carried, (ORIGIN, origin), (ORIGINAL_TIME, str(record.timestamp).encode())]
    return Output(SOURCES[topic], home, key, record.value, headers)

"""Publishers with real Kafka and Redis: from a pulse's record to the snapshots, and the memory it takes.

`python -m benchmarks.pulses` is the publisher's process: the one of `livelift worker --role publisher`, but for its
timer, so that a pulse comes when the shares that it shall find are in Kafka.
"""

import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from time import monotonic, sleep, time
from typing import Any, NamedTuple

import redis
from confluent_kafka import KafkaError, Message, Producer
from confluent_kafka.admin import AdminClient
from msgspec import Struct
from msgspec.json import Decoder

from benchmarks.merging import Moments, Records, records_of
from benchmarks.people import Sums, assigned, plans_of
from benchmarks.watch import cpu_seconds
from livelift.local.process import Child
from livelift.local.stack import Stack
from livelift.local.topics import create_topics, wanted
from livelift.settings import Settings
from livelift.workers import run_worker
from models.messages import encode
from streams import publisher

POLL_S = 0.002
SETTLE_S = 1.0
"""Between the last share in Kafka and the pulse: the publisher's client fetches them in the meantime."""
TIMEOUT_S = 180.0
NEVER_S = 1e6


class Row(Struct):
    assigned: int = -1


class Headlines(Struct):
    """What is read of the list of experiments: the units of each."""

    experiments: list[Row]


read_headlines = Decoder(Headlines).decode


class Measured(NamedTuple):
    """A change of shares: wall seconds until it is in Redis, CPU seconds of the publisher, pulses."""

    seconds: float
    cpu: float
    pulses: int


class Memory(NamedTuple):
    """Megabytes of a publisher: before it had read anything, and at most."""

    empty: float
    peak: float


class Published(NamedTuple):
    """What a number of experiments took, by kind of change and round; memory and first pulse of small and large."""

    experiments: int
    small: dict[str, list[Measured]]
    large: dict[str, list[Measured]]
    memory: tuple[Memory, Memory]
    first: tuple[float, float]


class Publishing:
    """One publisher process with topics and keys of its own."""

    def __init__(self, settings: Settings, name: str, sums: list[Sums], experiments: int, exits: ExitStack) -> None:
        plans = plans_of(experiments)
        self.records: Moments = records_of(sums, plans)
        each = [sums[number % len(sums)] for number in range(experiments)]
        self.held, self.all_moved = ([assigned(share) for share in one] for one in (
            [found.held for found in each], [found.all_moved for found in each],
        ))  # fmt: skip
        self.one_moved = [units + 1 for units in self.held]
        self.settings = settings.model_copy(update={"namespace": f"{name}-", "redis_prefix": f"{name}:"})
        create_topics(self.settings)
        exits.callback(self._delete_topics)
        self.producer = Producer({
            **self.settings.confluent(), "linger.ms": 1, "compression.type": "lz4", "enable.idempotence": True,
            "queue.buffering.max.kbytes": 1_000_000, "on_delivery": _delivered,
        })  # fmt: skip
        self.redis: Any = redis.Redis.from_url(self.settings.require_redis())
        self.stack = exits.enter_context(Stack(self.settings, roles=()))
        command = [sys.executable, "-m", "benchmarks.pulses"]
        self.child: Child = self.stack.start_worker("publisher", name, command)
        self.stack.wait_ready((name,))
        self.pulse()  # without experiments: for a publisher that has read nothing but the list of none
        self.empty = memory(self.child.pid, "VmRSS")
        self._send("experiment-plans", [(id_.encode(), encode(one)) for id_, one in plans.items()])
        self.first = self.until(self.records.held, self.held).seconds

    def _send(self, topic: str, records: Records) -> None:
        name = self.settings.topic(topic)
        for key, value in records:
            while True:
                try:
                    self.producer.produce(name, value, key, 0)
                    break
                except BufferError:
                    self.producer.poll(0.05)
        if self.producer.flush(TIMEOUT_S):
            raise RuntimeError(f"{name} was not taken by Kafka in {TIMEOUT_S:g} s")

    def pulse(self) -> tuple[float, float]:
        """Send one pulse and wait until Redis has what it caused; when its record was made, and when that was."""
        offsets: list[int] = []

        def sent(error: KafkaError | None, message: Message) -> None:
            _delivered(error, message)
            offsets.append(message.offset() or 0)

        topic, began = self.settings.topic("pulse"), time()
        self.producer.produce(topic, encode({"at": began}), None, 0, on_delivery=sent)
        self.producer.flush(TIMEOUT_S)
        deadline = monotonic() + TIMEOUT_S
        while self._reached(topic) < offsets[0]:
            if self.child.ended() is not None:
                raise self.child.failed("ended")
            if monotonic() > deadline:
                raise self.child.failed(f"did not publish in {TIMEOUT_S:g} s")
            sleep(POLL_S)
        return began, time()

    def _reached(self, topic: str) -> int:
        """The last pulse that Redis has the snapshots of."""
        held = self.redis.hget(f"{self.settings.redis_prefix}fences", topic)
        return -1 if held is None else int(held.rpartition(b"|")[2])

    def until(self, records: Records, units: list[int]) -> Measured:
        """Send shares, and pulses until every experiment has these units."""
        self._send("partials", records)
        sleep(SETTLE_S)
        cpu = cpu_seconds([self.child.pid])
        began, seen = self.pulse()
        pulses = 1
        while self._units() != units:
            _, seen = self.pulse()
            pulses += 1
        return Measured(seen - began, cpu_seconds([self.child.pid]) - cpu, pulses)

    def _units(self) -> list[int]:
        value = self.redis.get(f"{self.settings.redis_prefix}experiments")
        return [] if value is None else [row.assigned for row in read_headlines(value).experiments]

    def everything(self) -> list[Measured]:
        """All shares of all experiments change, and change back."""
        return [self.until(self.records.all_moved, self.all_moved), self.until(self.records.held, self.held)]

    def one(self) -> list[Measured]:
        """One partition's share of each experiment changes, and changes back."""
        return [self.until(self.records.one_moved, self.one_moved), self.until(self.records.one_back, self.held)]

    def memory(self) -> Memory:
        return Memory(self.empty, memory(self.child.pid, "VmHWM"))

    def _delete_topics(self) -> None:
        admin = AdminClient(self.settings.confluent())
        for future in admin.delete_topics(list(wanted(self.settings))).values():
            future.result()
        keys = list(self._keys())
        for at in range(0, len(keys), 100):
            self.redis.unlink(*keys[at : at + 100])

    def _keys(self) -> Iterator[bytes]:
        yield from self.redis.scan_iter(f"{self.settings.redis_prefix}*", count=1000)


def publishers(settings: Settings, sums: tuple[list[Sums], list[Sums]], experiments: int, rounds: int) -> Published:
    """Two publishers, one with small and one with large experiments, by turns."""
    with ExitStack() as exits:
        small, large = (
            Publishing(settings, f"{name}{experiments}", one, experiments, exits)
            for name, one in zip(("small", "large"), sums, strict=True)
        )
        found: dict[str, dict[str, list[Measured]]] = {"small": {}, "large": {}}
        for number in range(rounds):
            turn = [("small", small), ("large", large)]
            for kind in ("everything", "one"):
                for name, publishing in turn if number % 2 else reversed(turn):
                    found[name].setdefault(kind, []).extend(getattr(publishing, kind)())
        return Published(
            experiments, found["small"], found["large"], (small.memory(), large.memory()), (small.first, large.first)
        )


def memory(pid: int, field: str) -> float:
    """Megabytes that the kernel tells of a process."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise RuntimeError(f"the kernel tells no {field}")


def _delivered(error: KafkaError | None, _: Message) -> None:
    if error is not None:
        raise RuntimeError(str(error))


def main() -> None:
    """The publisher's process."""
    publisher.PULSE_S = NEVER_S  # ty: ignore[invalid-assignment]
    run_worker("publisher", Settings())


if __name__ == "__main__":
    main()

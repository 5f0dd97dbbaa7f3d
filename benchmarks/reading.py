"""Score messages read and decided on by the alerts process, and read only, by the same client: each in a process of its
own, that says how long it took.

`python -m benchmarks.reading (plain|alerts) RESULT-FILE EXPECTED [PROFILE-FILE]`, with the settings in the environment.
With CHECKED in it the client checks Kafka's checksums as it does by default; without the package `crc32c` in Python.
Both clocks begin when the first records have come, which are not counted, and end when the last ones are done with.
"""

import cProfile
import gc
import os
import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import kafka
import msgspec

from consumers.alerts import loop
from livelift.alerting import here_of
from livelift.settings import Settings


class Took(msgspec.Struct):
    """Records, wall and CPU seconds of the process."""

    records: int
    seconds: float
    cpu: float

    @property
    def rate(self) -> float:
        return self.records / self.seconds

    @property
    def cpu_us(self) -> float:
        return 1e6 * self.cpu / self.records


class Counting(kafka.KafkaConsumer):
    """Counts what it fetches; what was fetched is done with when it is asked for more."""

    expected = 0
    done: Callable[[Took], None]

    def __init__(self, *topics: str, **given: Any) -> None:
        super().__init__(*topics, **given, check_crcs="CHECKED" in os.environ)
        self._first = self._seen = 0
        self._began = (0.0, 0.0)

    def poll(self, *given: Any, **named: Any) -> Any:
        if self._seen >= self.expected:
            wall, cpu = perf_counter(), process_time()
            type(self).done(Took(self._seen - self._first, wall - self._began[0], cpu - self._began[1]))
            return {}
        found = super().poll(*given, **named)
        count = sum(map(len, found.values()))
        if count and not self._seen:
            self._first, self._began = count, (perf_counter(), process_time())
        self._seen += count
        return found


def main() -> None:
    what, path, expected, *profile = sys.argv[1:]
    took: list[Took] = []
    Counting.expected, Counting.done = int(expected), took.append
    measured = {"plain": read_only, "alerts": read_and_decide}[what]
    profiler = cProfile.Profile()
    if profile:
        profiler.enable()
    measured(took)
    if profile:
        profiler.dump_stats(profile[0])
    Path(path).write_bytes(msgspec.json.encode(took[0]))


def read_only(took: list[Took]) -> None:
    here = here_of(Settings())
    consumer: Any = Counting(
        **here.kafka, group_id=f"{here.namespace}plain", enable_auto_commit=False, auto_offset_reset="earliest",
        max_poll_records=loop.AT_ONCE, fetch_max_wait_ms=loop.POLL_MS,
    )  # fmt: skip
    consumer.subscribe([here.topic("account-scores")])
    while not took:
        consumer.poll(timeout_ms=loop.POLL_MS, max_records=loop.AT_ONCE)
    consumer.close()


def read_and_decide(took: list[Took]) -> None:
    loop.KafkaConsumer = Counting
    alerts = loop.Alerts(here_of(Settings()))

    def done(found: Took) -> None:
        took.append(found)
        alerts.stop()

    Counting.done = done
    alerts.run()


if __name__ == "__main__":
    gc.collect()
    main()

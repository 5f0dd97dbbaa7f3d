"""The core alone, without Kafka: microseconds an event by size of batch and number of accounts.

`python -m benchmarks.core` prints a table; `--profile` runs one case under cProfile and prints where the time goes.
"""

import argparse
import cProfile
import gc
import pstats
from collections.abc import Iterator, Mapping
from time import perf_counter
from typing import NamedTuple

from benchmarks.load import Size, events_in, generate
from benchmarks.plain import Received
from models.alignment import Alignment
from models.events import SOURCES
from models.messages import Output
from models.partition import Partition
from models.product import Product
from models.world import World
from streams.app import GC_THRESHOLDS
from streams.placement import Placement

BATCHES = (100, 1_000, 5_000)
ACCOUNTS = (500, 20_000)
EVENTS = 60_000
TIMESTAMP_MS = 1_900_000_000_000
SORTED = "tottime"


class Case(NamedTuple):
    """One measurement: how many events, rows and outputs, and how long it took."""

    events: int
    rows: int
    outputs: int
    seconds: float

    @property
    def us(self) -> float:
        return 1e6 * self.seconds / self.events


def batches(
    load: list[Output], size: int, sent: Mapping[str, int] | None = None
) -> Iterator[tuple[int, list[Received]]]:
    """The log of partition 0 in batches of `size`, each of one topic, as fetches would bring them in step.

    sent: records that its topics had before.
    """
    index = {name: topic for topic, name in enumerate(SOURCES)}
    pending: list[list[Received]] = [[] for _ in SOURCES]
    offsets = [(sent or {}).get(name, 0) for name in SOURCES]
    for topic_name, _, key, value, headers in load:
        topic = index[topic_name]
        pending[topic].append(Received(offsets[topic], key, value, TIMESTAMP_MS, headers))
        offsets[topic] += 1
        if sum(map(len, pending)) >= size:
            yield from ((topic, records) for topic, records in enumerate(pending) if records)
            pending = [[] for _ in SOURCES]
    yield from ((topic, records) for topic, records in enumerate(pending) if records)


def run(given: list[tuple[int, list[Received]]], events: int) -> Case:
    """Feed the batches to a fresh partition that keeps its rows in memory."""
    stored: dict[bytes, bytes] = {}
    partition = Partition(0, World(Product()), stored.get, Placement(1).of)
    partition.rebuild([])
    alignment: Alignment[None] = Alignment(partition)
    rows = outputs = 0
    began = perf_counter()
    for topic, records in given:
        alignment.offer(topic, records, None)
        for effects, _ in alignment.steps():
            effects.keep(stored)
            rows += len(effects.rows)
            outputs += len(effects.outputs)
    return Case(events, rows, outputs, perf_counter() - began)


def case(accounts: int, size: int, events: int, hours: int) -> tuple[list[tuple[int, list[Received]]], int]:
    load = generate(Size(events, accounts, hours, partitions=1))
    return list(batches(load, size)), events_in(load)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.core", description=__doc__)
    parser.add_argument("--events", type=int, default=EVENTS)
    parser.add_argument("--hours", type=int, default=Size().hours)
    parser.add_argument("--batch", type=int, nargs="*", default=BATCHES)
    parser.add_argument("--accounts", type=int, nargs="*", default=ACCOUNTS)
    parser.add_argument("--repeat", type=int, default=3, help="the best of so many runs is shown")
    parser.add_argument("--profile", action="store_true", help="cProfile of the last case instead of the table")
    parser.add_argument("--lines", type=int, default=45)
    args = parser.parse_args()
    gc.set_threshold(*GC_THRESHOLDS)
    if args.profile:
        given, events = case(args.accounts[-1], args.batch[-1], args.events, args.hours)
        profiler = cProfile.Profile()
        profiler.runcall(run, given, events)
        pstats.Stats(profiler).sort_stats(SORTED).print_stats(args.lines)
        return
    print("| accounts in the partition | batch | µs an event | events/s | rows an event | outputs an event |")
    print("|---|---|---|---|---|---|")
    for accounts in args.accounts:
        for size in args.batch:
            given, events = case(accounts, size, args.events, args.hours)
            found = min((run(given, events) for _ in range(args.repeat)), key=lambda measured: measured.seconds)
            print(
                f"| {accounts:,} | {size:,} | {found.us:.1f} | {1e6 / found.us:,.0f} | "
                f"{found.rows / events:.2f} | {found.outputs / events:.2f} |"
            )


if __name__ == "__main__":
    main()

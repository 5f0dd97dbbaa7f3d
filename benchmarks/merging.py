"""A pulse without Kafka and Redis: shares in, every experiment read, snapshots as bytes. Small and large take turns."""

import cProfile
import pstats
from collections.abc import Iterable
from time import process_time
from typing import NamedTuple

from benchmarks.people import PARTITIONS, Sums, plans_of
from models.bookkeeping import Bookkeeping
from models.messages import encode, partial_key
from models.plan import PublishedPlan
from models.product import Product
from models.snapshot import Partials, Snapshot, aggregates
from models.sums import Sums as PartitionSums
from models.world import World
from streams.store import Fence, published

Records = list[tuple[bytes, bytes]]
FENCE = Fence("cluster", "pulse", 1)


class Moments(NamedTuple):
    """What a publisher is sent, as keys and values of `partials`, and the units that there are then."""

    held: Records
    all_moved: Records
    one_moved: Records
    one_back: Records


def records_of(sums: list[Sums], plans: dict[str, PublishedPlan]) -> Moments:
    """The experiments take the sums in turn: in these they are alike, as far as the work of reading them goes."""
    sums = [sums[number % len(sums)] for number in range(len(plans))]
    held, moved, one = Records(), Records(), Records()
    encoded = {id(share): encode(share) for found in sums for share in (*found.held, *found.all_moved, found.one_moved)}
    for id_, found in zip(plans, sums, strict=True):
        keys = [partial_key("experiment", id_, number) for number in range(PARTITIONS)]
        held += [(key, encoded[id(share)]) for key, share in zip(keys, found.held, strict=True)]
        moved += [(key, encoded[id(share)]) for key, share in zip(keys, found.all_moved, strict=True)]
        one.append((keys[0], encoded[id(found.one_moved)]))
    now = sums[0].now
    return Moments(
        held + list(partition_records(range(PARTITIONS), plans, now, 0)),
        moved + list(partition_records(range(PARTITIONS), plans, now, 1)),
        one + list(partition_records(range(1), plans, now, 2)),
        held[::PARTITIONS] + list(partition_records(range(1), plans, now, 0)),
    )


def partition_records(
    numbers: Iterable[int], plans: dict[str, PublishedPlan], now: int, accepted: int
) -> Iterable[tuple[bytes, bytes]]:
    """What partitions say of themselves: that they have read their rows against these plans, up to `now`."""
    book, totals = Bookkeeping(), PartitionSums(World(Product())).totals()
    book.row.ticks = [now] * len(book.row.ticks)
    read = sorted(one.fingerprint for one in plans.values())
    for number in numbers:
        yield (
            partial_key("partition", "", number),
            encode({**book.share(), **totals, "accepted": accepted, "plans": read}),
        )


class Taken(NamedTuple):
    """CPU seconds for a pulse's parts: one thread does it all, and other people use the machine, too."""

    put: float
    read: float
    encode: float

    @property
    def total(self) -> float:
        return sum(self)


class Merging:
    """A publisher's sums in this process."""

    def __init__(self, sums: list[Sums], experiments: int) -> None:
        plans = plans_of(experiments)
        self.records = records_of(sums, plans)
        self.partials, self.world = Partials(PARTITIONS), World(Product(), plans)
        self.pulse(self.records.held)

    def pulse(self, records: Records) -> Taken:
        began = process_time()
        for key, value in records:
            self.partials.put(key, value)
        put = process_time()
        found = aggregates(self.partials, self.world)
        read = process_time()
        offsets = self.partials.offsets()
        size = sum(len(published(value, FENCE, offsets)) for value in found.values())
        done = process_time()
        self._check(found, size)
        return Taken(put - began, read - put, done - read)

    def _check(self, found: Snapshot, size: int) -> None:
        """Every experiment has to have been read in earnest, or nothing was measured."""
        rows = found["experiments"]["experiments"]
        if not size or len(rows) != len(self.world.plans) or any(row["estimate"] is None for row in rows):
            raise RuntimeError("an experiment was not read")

    def everything(self) -> list[Taken]:
        """All shares of all experiments change, and change back."""
        return [self.pulse(self.records.all_moved), self.pulse(self.records.held)]

    def one(self) -> list[Taken]:
        """One partition's share of each experiment changes, and changes back."""
        return [self.pulse(self.records.one_moved), self.pulse(self.records.one_back)]


def profile(sums: list[Sums], experiments: int, lines: int, order: str) -> None:
    """Where the time of a pulse goes in which everything has changed."""
    merging, profiler = Merging(sums, experiments), cProfile.Profile()
    profiler.runcall(merging.pulse, merging.records.all_moved)
    pstats.Stats(profiler).sort_stats(order).print_stats(lines)

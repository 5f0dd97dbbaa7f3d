"""The core with experiments running: CPU of an event, and memory of a unit, by how many there are.

`python -m benchmarks.running N (each|one) USAGE DAYS EVENTS` is one case in a process of its own, for its memory.
"""

import gc
import random
import sys
from pathlib import Path
from subprocess import run as run_process
from time import process_time
from typing import Any, Literal, NamedTuple

import msgspec

from benchmarks.core import batches
from benchmarks.load import STARTS_AT, Size, events_in, generate
from benchmarks.people import SEGMENTS, plans_of
from benchmarks.plain import Received
from models.alignment import Alignment
from models.clock import HOUR, rfc3339
from models.messages import Output
from models.partition import Partition
from models.plan import PublishedPlan
from models.product import Product
from models.world import World
from streams.app import GC_THRESHOLDS
from streams.placement import Placement

ACCOUNTS, BATCH, HOURS = 500, 1_000, 48


class Case(NamedTuple):
    """So many experiments, on users; in each of them or in one; with a metric of usage or not; their windows."""

    experiments: int
    each: Literal["each", "one"]
    usage: bool = False
    days: float = 30

    @property
    def label(self) -> str:
        if not self.experiments:
            return "none"
        more = ", one metric of usage" if self.usage else ""
        return f"{self.experiments}, every user in {self.each}{more}" + (", windows of 1 day" if self.days == 1 else "")


class Running(msgspec.Struct):
    """CPU microseconds an event; bytes of partials about experiments; bytes of memory a unit; units."""

    us: float
    partial_bytes: int
    unit_bytes: float
    units: int


def run_apart(case: Case, events: int) -> Running:
    """Run a case in processes of their own: one with the plans, one without them, to compare memory."""
    with_plans, without = (_apart(case, events, plans) for plans in (True, False))
    units = with_plans["units"]
    each = (with_plans["memory"] - without["memory"]) / units if units else 0.0
    return Running(with_plans["us"], with_plans["partial_bytes"], each, units)


def _apart(case: Case, events: int, plans: bool) -> dict[str, Any]:
    words = [sys.executable, "-m", "benchmarks.running", msgspec.json.encode((case, events, plans)).decode()]
    found: dict[str, Any] = msgspec.json.decode(run_process(words, check=True, capture_output=True).stdout)
    return found


def run(case: Case, events: int, plans: bool) -> dict[str, Any]:
    """Assign everybody, then measure the log."""
    load = generate(Size(events, ACCOUNTS, HOURS, partitions=1))
    published = plans_of(case.experiments, "user", case.days, case.usage)
    before = assignments(load, published, case)
    stored: dict[bytes, bytes] = {}
    partition = Partition(0, World(Product(), published if plans else {}), stored.get, Placement(1).of)
    partition.rebuild([])
    alignment: Alignment[None] = Alignment(partition)
    feed(alignment, stored, list(batches(before, BATCH)))
    given = list(batches(load, BATCH, {"product-events": len(before)}))
    began = process_time()
    partial_bytes = feed(alignment, stored, given)
    seconds = process_time() - began
    if plans:
        check(partition, len(before), published)
    gc.collect()
    return {
        "us": 1e6 * seconds / events_in(load),
        "partial_bytes": partial_bytes,
        "memory": resident(),
        "units": sum(
            group.get("assigned", 0)
            for tally in partition.ledger.sums.experiments.values()
            for group in tally.counts.values()
        ),
    }


def check(partition: Partition, assigned: int, published: dict[str, PublishedPlan]) -> None:
    if published and (not assigned or set(partition.ledger.sums.experiments) != set(published)):
        raise RuntimeError("nobody was assigned")


def feed(alignment: Alignment[None], stored: dict[bytes, bytes], given: list[tuple[int, list[Received]]]) -> int:
    """Process batches, keep the rows; returns bytes of experiments' partials."""
    size = 0
    for topic, records in given:
        alignment.offer(topic, records, None)
        for effects, _ in alignment.steps():
            effects.keep(stored)
            size += sum(
                len(output.value or b"")
                for output in effects.outputs
                if output.topic == "partials" and (output.key or b"").startswith(b"experiment|")
            )
    return size


def assignments(load: list[Output], published: dict[str, PublishedPlan], case: Case) -> list[Output]:
    """Traits and arms of every user of the log, in the hour before it begins."""
    users: dict[tuple[str, str], None] = {}
    for output in load:
        if output.key is not None and output.value is not None:
            event = msgspec.json.decode(output.value)
            if "user_id" in event:
                users[event["account_id"], event["user_id"]] = None
    if not published:
        return []
    draw, found = random.Random(1), list[Output]()
    names = list(published)
    for account_id, user_id in users:
        traits = {"employees": draw.randrange(5000), "segment": draw.choice(SEGMENTS)}
        said: list[tuple[str, dict[str, Any]]] = [("traits_set", traits)]
        said += [
            ("experiment_assigned", {"experiment": name, "arm": draw.choice(("control", "test"))})
            for name in (names if case.each == "each" else [draw.choice(names)])
        ]
        for kind, properties in said:
            at = rfc3339(STARTS_AT - HOUR + draw.randrange(HOUR // 2))
            event = {"type": kind, "id": f"a{len(found)}", "at": at, "account_id": account_id, "user_id": user_id,
                     "properties": properties}  # fmt: skip
            found.append(Output("product-events", 0, account_id.encode(), msgspec.json.encode(event)))
    return found


def resident() -> int:
    """Bytes of memory of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def main() -> None:
    gc.set_threshold(*GC_THRESHOLDS)
    case, events, plans = msgspec.json.decode(sys.argv[1], type=tuple[Case, int, bool])
    print(msgspec.json.encode(run(case, events, plans)).decode())


if __name__ == "__main__":
    main()

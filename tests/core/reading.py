"""A partition read as a consumer reads it: from the acknowledged offsets, and again from there after a crash."""

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from models.partition import Effects
from models.snapshot import canonical
from models.world import World
from tests.support.build import Json, Placed, Worker, in_batches, plan, records, world

KINDS = ("tasks_completed", "task_completed:1", "time_to:2", "helped:CS", "retained", "mrr", "adopted:board", "tickets",
         "concept_correct:board", "outcome:report")  # fmt: skip
ASKS = 'covariates = ["segment"]\nsegments = ["role"]'
PLANS = (
    plan("by-account", metrics=[*KINDS, "utilisation"], more=ASKS),
    plan("by-user", unit="user", window=2, uptake='{ type = "experiment_exposed" }', metrics=KINDS, more=ASKS),
)
TWO_EXPERIMENTS = world(*PLANS)
"""One experiment on accounts and one on users, with every kind of metric, beside the default journey."""
OF_CONVERSION = world(plan("by-account"), plan("by-user", unit="user", window=2))
"""Experiments that nothing but conversion matters to: events of mere usage are not read for them."""


class Crash(NamedTuple):
    """A worker's death while it carries out a fetch: in which step, and what of it had been written by then.

    outputs, rows: the share written; everything is written in order, so it is a beginning of each.
    """

    outputs: float
    rows: float
    partition_row: bool = False
    step: int = 0


NOTHING_WRITTEN, ONLY_OUTPUTS, BEFORE_THE_PARTITION_ROW = Crash(0, 0), Crash(1, 0), Crash(1, 1)
BEFORE_THE_ACKNOWLEDGEMENT = Crash(1, 1, partition_row=True)


def played(timeline: Iterable[Json], sizes: Iterable[int] = (), crashes: Mapping[int, Crash] | None = None,
           given: World = TWO_EXPERIMENTS) -> Worker:  # fmt: skip
    """The worker that is left when all has been read in batches of these sizes, with these crashes (by batch)."""
    worker = Worker(given)
    unacknowledged: dict[int, deque[list[Placed]]] = defaultdict(deque)
    for number, fetched in enumerate(in_batches(records(timeline), sizes)):
        batch = fetched
        for topic in {topic for topic, _ in batch}:
            unacknowledged[topic].append([one for one in batch if one[0] == topic])
        if crashes and number in crashes:
            acknowledged = dies(worker, batch, crashes[number])
            worker = successor_of(worker)
            for topic in acknowledged:
                unacknowledged[topic].popleft()
            again = {topic: [one for each in waiting for one in each] for topic, waiting in unacknowledged.items()}
            unacknowledged = defaultdict(deque, {topic: deque([found]) for topic, found in again.items() if found})
            batch = [one for found in again.values() for one in found]
        before = len(worker.acknowledged)
        worker.take(batch)
        for topic in worker.acknowledged[before:]:
            unacknowledged[topic].popleft()
    return worker


def dies(worker: Worker, batch: list[Placed], crash: Crash) -> list[int]:
    """The topics of the batches that were still acknowledged."""
    before = len(worker.acknowledged)
    for step, effects in enumerate(worker.steps(batch)):
        if step == crash.step:
            worker.store(part_of(effects, crash), crash.partition_row)
            break
        worker.store(effects)
    return worker.acknowledged[before:]


def part_of(effects: Effects, crash: Crash) -> Effects:
    rows = list(effects.rows.items())
    return Effects(
        effects.outputs[: round(crash.outputs * len(effects.outputs))],
        dict(rows[: round(crash.rows * len(rows))]),
        effects.partition_row,
    )


def successor_of(worker: Worker) -> Worker:
    """The next owner of the partition: the rows that were stored, and nothing else but what readers have been sent."""
    successor = worker.restarted()
    successor.sent = worker.sent
    return successor


def end_of(worker: Worker) -> dict[str, Any]:
    """All that two runs over the same events must agree on."""
    snapshot = worker.snapshot()
    return {"facts": worker.facts(), "snapshot": canonical(snapshot), "quality": counted(snapshot)}


def counted(snapshot: Any) -> dict[str, Any]:
    """Accepted, refused by reason and ignored by name: exact after any crash."""
    quality = snapshot["quality"]
    ignored = {name: found["count"] for name, found in quality["ignored"].items()}
    return {"accepted": quality["accepted"], "refused": quality["refused"], "ignored": ignored}

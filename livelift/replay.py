"""`livelift replay`: a recording through the same core in one process, without Kafka and Redis."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from livelift.recording import Record, Recording
from models.alignment import Alignment
from models.education.annotations import Annotation
from models.events import SOURCES
from models.health.known import Known
from models.health.learning import Learning
from models.health.told import model_snapshot
from models.inference.discoveries import level
from models.lifecycle import Registration, apply, next_place
from models.messages import MODEL_KEY, Output, encode
from models.partition import Effects, Partition
from models.plan import Plan, PublishedPlan, read_plan
from models.product import Product
from models.readside import ReadSide
from models.record import RECORDING_END
from models.rows import partition_key
from models.snapshot import Snapshot
from models.world import World

BATCH = 2_000


class Replayed(NamedTuple):
    """A record as the core takes it; its Kafka time plays no part in a recording."""

    offset: int
    key: bytes | None
    value: bytes | None
    timestamp: int
    headers: list[tuple[str, bytes]]


class Replay:
    """One partition that holds every account, fed from a recording; `snapshot()` reads what Redis would hold.

    learning: the models that learn. by_index: accounts are scored by the activity index only, which takes a fraction of
    the time: for those who want what is learned, not what is said. annotations: what was done that tickets may follow.
    """

    def __init__(
        self,
        product: Product,
        plans: dict[str, PublishedPlan],
        learning: Learning | None = None,
        by_index: bool = False,
        annotations: tuple[Annotation, ...] = (),
    ) -> None:
        world = World(product, plans, annotations)
        self.rows: dict[bytes, bytes] = {}
        self.known, self.by_index = Known(product, waits=not by_index), by_index
        self.learning = learning or Learning(product)
        self.partition = Partition(0, world, self.rows.get, lambda account_id: 0, known=self.known)
        self.read_side = ReadSide(world)
        self.dead_letters = 0
        self._alignment: Alignment[None] = Alignment(self.partition)
        self._offsets = [0] * len(SOURCES)
        self._events = 0

    def feed(self, records: Iterable[Record], last_tick: int, progress: Callable[[int], None] | None = None) -> None:
        """Take records in send order, in batches as a fetch would bring them. progress: is told the events so far."""
        headers = [(RECORDING_END, str(last_tick).encode())]
        pending: list[list[Replayed]] = [[] for _ in SOURCES]
        for record in records:
            self._events += record.topic is not None
            topics = range(len(SOURCES)) if record.topic is None else (SOURCES.index(record.topic),)
            for topic in topics:
                pending[topic].append(self._replayed(topic, record, headers))
            if sum(map(len, pending)) >= BATCH:
                self._flush(pending, progress)
        self._flush(pending, progress)

    def _replayed(self, topic: int, record: Record, headers: list[tuple[str, bytes]]) -> Replayed:
        offset = self._offsets[topic]
        self._offsets[topic] += 1
        return Replayed(offset, record.key, record.value, 0, headers)

    def _flush(self, pending: list[list[Replayed]], progress: Callable[[int], None] | None) -> None:
        for topic, records in enumerate(pending):
            if records:
                self._alignment.offer(topic, records, None)
        pending[:] = [[] for _ in SOURCES]
        self._step()
        while self._learn():
            self._step()
        if progress is not None:
            progress(self._events)

    def _step(self) -> None:
        for effects, _ in self._alignment.steps():
            self._keep(effects)

    def _learn(self) -> bool:
        """Learn what can be learned now; whether a day waited for it."""
        waited = self.partition.waiting
        for output in self.learning.learn(partitions=1):
            if output.key is not None and not self.by_index:
                self.known.take(output.key, output.value)
        return waited and not self.partition.waiting

    def _keep(self, effects: Effects) -> None:
        effects.keep(self.rows)
        if effects.partition_row is not None:
            self.rows[partition_key(0)] = effects.partition_row
        self.dead_letters += sum(output.topic == "dead-letters" for output in effects.outputs)
        for output in effects.outputs:
            if output.topic == "health-examples" and output.value is not None:
                self.learning.take(output.value)
        self.read_side.take(effects.outputs)

    def snapshot(self) -> Snapshot:
        said = encode(model_snapshot(self.learning))
        self.read_side.take([Output("partials", 0, MODEL_KEY, said)])
        return self.read_side.snapshot()


def replay(recording: Recording, product: Product, progress: Callable[[int], None] | None = None) -> Snapshot:
    """Every snapshot of a recording, by its key."""
    plans = applied(read_plan(path.read_bytes()) for path in recording.plans)
    running = Replay(product, plans, annotations=recording.annotations)
    running.feed(recording.records(), recording.last_tick, progress)
    return running.snapshot()


def applied(plans: Iterable[Plan]) -> dict[str, PublishedPlan]:
    """A recording's experiments, each applied from its start in the order of their files, as `play` does."""
    found: dict[str, PublishedPlan] = {}
    for plan in plans:
        place = next_place(found)
        registration = Registration(place, level(plan.experiment.alpha, place, 0))
        found[plan.id] = apply(None, plan, "recording", plan.starts_at, registration, list(found.values()))
    return found

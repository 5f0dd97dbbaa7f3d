"""The scorer: one agent over the three source topics. Reads a batch, calls the core, sends, writes, acknowledges.

Per batch: outputs and rows are flushed with every delivery checked, then the partition row, then the ack. Whatever
happens in between, reading the batch again changes no fact and sends the same outputs under the same ids.
"""

from asyncio import Lock, sleep
from collections.abc import Iterator
from typing import Any

import faust
import structlog
from faust.types import TP

from models.alignment import Alignment
from models.events import SOURCES
from models.partition import Effects, Partition
from models.rows import partition_key
from models.world import World
from streams.app import announce_ready, batches, lease_of, make_app
from streams.config import Surroundings
from streams.fatal import or_leave
from streams.models import Models
from streams.placement import Placement
from streams.plans import Plans
from streams.rows import Raw, RowTable
from streams.sender import Sender
from streams.topics import ROWS_TABLE

PLANS_EVERY_S, MODELS_EVERY_S = 1.0, 0.02
PATIENCE = 1_000
"""Looks at the models in a row at which a day waits to be closed, until that is said."""
log = structlog.get_logger()


class Scorer:
    """Holds the partitions that this worker owns."""

    def __init__(self, here: Surroundings, app: faust.App, table: RowTable) -> None:
        self.here, self.app, self.table = here, app, table
        self.topics = {here.topic(name): index for index, name in enumerate(SOURCES)}
        self.placement = Placement(here.partitions)
        self.plans, self.models = Plans(here), Models(here)
        self.world = World(here.product, self.plans.published)
        self.partitions: dict[int, Alignment[Any]] = {}
        self.paused: set[TP] = set()
        self._stream: Any = None
        self._turn = Lock()
        """One step at a time: a day that waited goes on by a timer, between batches."""
        self._waited = 0
        self.sender = Sender(here.confluent, here.topic, lambda: lease_of(app).check(), here.session_timeout_s)

    def take_over(self) -> None:
        """After recovery: derive every owned partition's sums from its rows, and tell them.

        Whatever a former owner has sent last, from here on the partials are those of the rows.
        """
        owned = {tp.partition for tp in self.app.assignor.assigned_actives() if tp.topic in self.topics}
        grouped = self.table.by_partition()
        self.paused = set()
        self.partitions = {number: self._partition(number, grouped.get(number, [])) for number in sorted(owned)}
        for number, partition in self.partitions.items():
            self.carry_out(number, partition.partition.effects())
        log.info("partitions taken over", partitions=sorted(owned), rows=len(self.table.rows))
        announce_ready(self.here)

    def _partition(self, number: int, rows: list[tuple[bytes, bytes]]) -> Alignment[Any]:
        partition = Partition(
            number, self.world, self.table.rows.get, self.placement.of, self.here.clock, self.models.known
        )
        partition.rebuild(rows)
        return Alignment(partition)

    def let_go(self) -> None:
        """On revocation: batches that wait were not acknowledged, the new owner reads them again."""
        self.partitions = {}

    async def take(self, stream: Any, event: Any) -> None:
        """Process a batch and what it lets go on.

        A batch of a partition that is not ours (any more) is not processed and never acknowledged.
        """
        self._stream, message = stream, event.message
        partition = self.partitions.get(message.partition)
        if partition is not None:
            partition.offer(self.topics[message.topic], message.value, event)
            await self._go_on(message.partition)

    async def _go_on(self, number: int) -> None:
        """Carry out what may be, step by step, and acknowledge it. Others have their turn in between: a day of very
        many accounts must not keep this worker from being heard of."""
        async with self._turn:
            partition = self.partitions.get(number)
            if partition is None:
                return
            steps = partition.steps()
            while (done := or_leave(lambda: self._step(number, steps))) is not None:
                for event in done:
                    await self._stream.ack(event)
                await sleep(0)
                if self.partitions.get(number) is not partition:
                    return  # it went to another worker meanwhile, and so does what is left of it
            self._pause(number, partition)

    def _step(self, number: int, steps: Iterator[tuple[Effects, list[Any]]]) -> list[Any] | None:
        """Carry out the next step: the batches that are done with it, None when there is no step any more."""
        for effects, done in steps:
            self.carry_out(number, effects)
            return done
        return None

    def _pause(self, number: int, partition: Alignment[Any]) -> None:
        """Read no more of a topic whose batches wait for the other topics; go on with it when they have caught up."""
        names = {index: name for name, index in self.topics.items()}
        waiting = {TP(names[index], number) for index in names if partition.waiting(index)}
        paused = {tp for tp in self.paused if tp.partition == number}
        if waiting != paused:
            self.app.consumer.pause_partitions(waiting - paused)
            self.app.consumer.resume_partitions(paused - waiting)
            self.paused = (self.paused - paused) | waiting

    def carry_out(self, number: int, effects: Effects) -> None:
        """Send outputs and rows, then the partition row; keep the rows when Kafka has them."""
        sender, changelog = self.sender, self.table.changelog_topic_name
        sender.send(effects.outputs)
        sender.write(changelog, number, effects.rows.items())
        sender.flush()
        self.table.put(number, effects.rows.items())
        if effects.partition_row is not None:
            row = [(partition_key(number), effects.partition_row)]
            sender.write(changelog, number, row)
            sender.flush()
            self.table.put(number, row)

    async def look_for_models(self) -> None:
        """Take what has been learned, and go on with days that waited for it."""
        or_leave(self.models.refresh)
        waiting = [number for number, one in self.partitions.items() if one.partition.days.unfinished]
        stuck = [number for number in waiting if self.partitions[number].partition.waiting]
        self._waited = self._waited + 1 if stuck else 0
        if self._waited % PATIENCE == PATIENCE - 1:
            log.warning("days wait until what is known before them is learned: is a learner running?", partitions=stuck)
        for number in waiting:
            if number not in stuck:
                await self._go_on(number)

    async def look_for_plans(self) -> None:
        """Take newly published plans: every sum is read from the rows again, and sent."""
        async with self._turn:
            or_leave(self._take_plans)

    def _take_plans(self) -> None:
        if not self.plans.refresh():
            return
        self.world = World(self.here.product, self.plans.published)
        grouped = self.table.by_partition()
        for number, partition in self.partitions.items():
            self.carry_out(number, partition.partition.with_plans(self.world, grouped.get(number, [])))
        log.info("plans taken", experiments=sorted(self.world.plans))


def make_scorer(here: Surroundings) -> faust.App:
    """The scorer's Faust app, ready to run."""
    app = make_app("scorer", here)
    table = RowTable(app, name=ROWS_TABLE, key_type=bytes, value_type=bytes, schema=Raw(), partitions=here.partitions)
    app.tables.add(table)
    scorer = Scorer(here, app, table)

    @app.on_partitions_revoked.connect
    async def _revoked(*_: Any, **__: Any) -> None:
        scorer.let_go()

    @table.on_recover
    async def _recovered() -> None:
        or_leave(scorer.take_over)

    @app.agent(batches(app, *scorer.topics), concurrency=1, name="scorer")
    async def _score(stream: Any) -> None:
        async for event in stream.noack().events():
            await scorer.take(stream, event)

    @app.timer(PLANS_EVERY_S)
    async def _plans() -> None:
        await scorer.look_for_plans()

    @app.timer(MODELS_EVERY_S)
    async def _models() -> None:
        await scorer.look_for_models()

    return app

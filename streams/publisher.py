"""The publisher: on each pulse it merges the partials and writes Redis; between pulses it writes accounts and journeys.

Pulses are wall time, one a second, sent by whichever publisher owns the pulse partition; they never enter `models/`.
A snapshot that did not change is not written again, except for `quality`, whose age shows that the publisher lives.
"""

from time import time
from typing import Any

import faust
import structlog
from confluent_kafka.admin import AdminClient

from models.capacity import at_risk
from models.clock import HOUR
from models.messages import Output, partial_key
from models.readout.looks import Looks
from models.snapshot import Partials, Snapshot, aggregates
from models.world import World
from streams.annotations import Annotations
from streams.app import announce_ready, batches, lease_of, make_app
from streams.compacted import Compacted
from streams.config import Surroundings
from streams.fatal import or_leave
from streams.lag import Lag
from streams.plans import Plans
from streams.projection import Projection, fold_scores, fold_signals, of_scores, of_signals
from streams.refill import refill
from streams.sender import Sender
from streams.store import Change, Fence, Store, encode, published
from streams.ticks import tick_outputs

PULSE_S = 1.0
PROJECTIONS = {
    "account-scores": Projection(of_scores, fold_scores),
    "journey-signals": Projection(of_signals, fold_signals),
}
AT_RISK_EVERY = LAG_EVERY = 5
"""Pulses between two readings of the capacity list, and of how far the scorers are behind."""
log = structlog.get_logger()


class Publisher:
    """One publisher process."""

    def __init__(self, here: Surroundings, app: faust.App) -> None:
        self.here, self.app = here, app
        self.store = Store(here.redis_url, here.redis_prefix)
        self.cluster = str(AdminClient(here.confluent).list_topics(timeout=10).cluster_id)
        self.plans, self.annotations = Plans(here), Annotations(here)
        self.world = self._world()
        self.sender = Sender(here.confluent, here.topic, lambda: lease_of(app).check(), here.session_timeout_s)
        self._partials_topic: Compacted | None = None
        self._partials = Partials(here.partitions)
        self._said: Snapshot = {}
        self._stored_looks: dict[str, Looks] = {}
        self._ticked_hour = 0
        self._aggregates: Snapshot = {}
        self._changed = True
        self.lag = Lag(here)
        self._pulses = 0

    def _world(self) -> World:
        return World(self.here.product, self.plans.published, self.annotations.known, self.plans.waiting)

    # -- pulses: aggregates --------------------------------------------------------------------------------------

    def send_pulse(self, now: float) -> None:
        """Send a pulse if this worker owns the pulse partition; live, also the hourly ticks."""
        if not any(tp.topic == self.here.topic("pulse") for tp in self.app.consumer.assignment()):
            return
        outputs = [Output("pulse", 0, None, encode({"at": now}))]
        hour = int(now * 1_000_000) // HOUR
        if self.here.clock == "live" and hour != self._ticked_hour:
            outputs += tick_outputs(hour * HOUR, self.here.partitions, "live")
            self._ticked_hour = hour
        self.sender.send(outputs)
        self.sender.flush()

    def pulse(self, offset: int) -> None:
        """Merge what has changed and write it, all at once, behind the fence."""
        self._read_partials()
        if self.plans.refresh() | self.annotations.refresh() or self.plans.waiting != self.world.waiting:
            self.world = self._world()
            self._changed = True
        fence = Fence(self.cluster, self.here.topic("pulse"), offset)
        self._pulses += 1
        if self._pulses % LAG_EVERY == 1:
            self.lag.measure(self._partials.offsets())
        changes = self._aggregate_changes(fence)
        if self._pulses % AT_RISK_EVERY == 1:
            changes += self._at_risk_changes(fence)
        answer = self.store.write(fence, changes)
        if answer == "unfilled":
            written = {change.key for change in changes if change.op == "set"}
            self._said = {key: value for key, value in self._said.items() if key in written}
            self._publish_everything(fence)
        elif answer == "stale":
            self.let_go()

    def let_go(self) -> None:
        """Another publisher has written, or may: what this one said last is no longer what Redis holds."""
        self._said.clear()

    def _read_partials(self) -> None:
        if self._partials_topic is None:
            self._partials_topic = Compacted(self.here.confluent, self.here.topic("partials"))
            changed: Any = self._partials_topic.catch_up()
        else:
            changed = self._partials_topic.poll()
        for key, value in changed.items():
            self._partials.put(key, value)
        self._changed = self._changed or bool(changed)

    def _aggregate_changes(self, fence: Fence) -> list[Change]:
        """Snapshots that changed, and `quality` in any case: its age shows that the publisher is alive."""
        if self._changed:
            self._aggregates = aggregates(self._partials, self.world)
            self._store_looks()
            self._changed = False
        self._aggregates["quality"] = {**self._aggregates["quality"], "lag": self.lag.records}
        offsets = self._partials.offsets()
        changes = []
        for key, value in self._aggregates.items():
            before = self._said.get(key)
            if value == before and key != "quality":
                continue
            full = published(value, fence, offsets)
            changes.append(Change("set", key, full))
            if before is None or untimed(value) != untimed(before):
                changes.append(Change("tell", key))
                if key.startswith("experiment:"):
                    changes.append(Change("history", f"{key}:history", full))
            self._said[key] = value
        return changes

    def _store_looks(self) -> None:
        """What looking has found once and for all goes to its topic before anybody can read it."""
        new = {id_: looks for id_, looks in self._partials.looks.items() if self._stored_looks.get(id_) != looks}
        if new:
            self.sender.send(
                [Output("partials", 0, partial_key("looks", id_, 0), encode(looks)) for id_, looks in new.items()]
            )
            self.sender.flush()
            self._stored_looks |= new

    def _at_risk_changes(self, fence: Fence) -> list[Change]:
        value = at_risk(self.store, self.here.product.capacity)
        if value == self._said.get("at-risk"):
            return []
        self._said["at-risk"] = value
        return [Change("set", "at-risk", published(value, fence)), Change("tell", "at-risk")]

    def _publish_everything(self, fence: Fence) -> None:
        """Redis is new or was emptied: write every aggregate, and read scores and signals again from their topics."""
        log.warning("redis holds nothing of ours: writing everything again")
        mark = self.store.filling()
        self.store.write(fence, self._aggregate_changes(fence))
        for topic, projection in PROJECTIONS.items():
            refill(self.here, self.store, self.cluster, topic, projection)
        self.store.write(fence, self._at_risk_changes(fence))
        self.store.filled(mark)

    # -- scores and signals --------------------------------------------------------------------------------------

    def take(self, topic: str, partition: int, records: list[Any]) -> None:
        """Write what a batch of scores or signals changes."""
        fence = Fence(self.cluster, f"{self.here.topic(topic)}/{partition}", records[-1].offset)
        self.store.write(fence, PROJECTIONS[topic].changes(records, fence))


def untimed(value: Snapshot) -> Snapshot:
    """A snapshot without the moment it is of: what has to differ for it to be news."""
    return {name: inner for name, inner in value.items() if name != "as_of"}


def make_publisher(here: Surroundings) -> faust.App:
    """The publisher's Faust app, ready to run."""
    app = make_app("publisher", here)
    publisher = Publisher(here, app)
    topics = {here.topic(topic): topic for topic in PROJECTIONS}

    @app.agent(batches(app, here.topic("pulse")), concurrency=1, name="pulses")
    async def _pulses(stream: Any) -> None:
        async for event in stream.noack().events():
            or_leave(lambda offset=event.message.offset: publisher.pulse(offset))
            await stream.ack(event)

    @app.agent(batches(app, *topics), concurrency=1, name="accounts")
    async def _accounts(stream: Any) -> None:
        async for event in stream.noack().events():
            message = event.message
            or_leave(lambda m=message: publisher.take(topics[m.topic], m.partition, m.value))
            await stream.ack(event)

    @app.on_partitions_revoked.connect
    async def _revoked(*_: Any, **__: Any) -> None:
        publisher.let_go()

    @app.timer(PULSE_S)
    async def _send_pulse() -> None:
        if not app.rebalancing:
            or_leave(lambda: publisher.send_pulse(time()))

    @app.on_rebalance_complete.connect
    async def _ready(*_: Any, **__: Any) -> None:
        announce_ready(here)

    return app

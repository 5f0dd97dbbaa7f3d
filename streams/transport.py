"""The batched transport: Faust sees one message per partition and fetch, whose value is the list of records.

What costs in Faust is handling each message; a batch of four thousand costs as much as one event. The batch carries
its last offset, and what is committed is the last offset of the last batch acknowledged (docs/decisions/0002).
"""

from collections.abc import Iterable, Mapping
from time import monotonic
from typing import Any, cast

import aiokafka
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from streams.lease import Lease

FETCH_WAIT_MS = 100
"""Faust hard-codes 1.5 s, in which idle partitions starve busy ones."""


class Batch:
    """All records of one partition from one fetch, in the shape of a single Kafka record."""

    __slots__ = ("offset", "partition", "timestamp", "topic", "value")

    timestamp_type = 0
    headers: tuple[()] = ()
    key = None
    checksum = None
    serialized_key_size = 0
    serialized_value_size = 0

    def __init__(self, tp: TP, records: list[Any]) -> None:
        self.topic, self.partition, self.value = tp.topic, tp.partition, records
        self.offset = records[-1].offset
        self.timestamp = records[-1].timestamp


class ConsumerThread(driver.AIOKafkaConsumerThread):
    """Faust's consumer thread with a short fetch wait and a lease renewed by heartbeats."""

    def _create_worker_consumer(self, transport: Any) -> aiokafka.AIOKafkaConsumer:
        consumer = super()._create_worker_consumer(transport)
        consumer._fetch_max_wait_ms = FETCH_WAIT_MS
        return consumer

    async def on_start(self) -> None:
        await super().on_start()
        coordinator: Any = self._ensure_consumer()._coordinator
        heartbeat = coordinator._do_heartbeat
        lease = cast(Transport, self.consumer.transport).lease

        async def renewing() -> bool:
            asked_at = monotonic()
            alive = await heartbeat()
            if alive:
                lease.renew(asked_at)
            return alive

        coordinator._do_heartbeat = renewing


class RebalanceListener(driver.ConsumerRebalanceListener):
    """Joining the group is the first sign of life that it answers; heartbeats follow."""

    async def on_partitions_assigned(self, assigned: Iterable[Any]) -> None:
        cast(Transport, self._thread.consumer.transport).lease.renew(monotonic())
        await super().on_partitions_assigned(assigned)


class Consumer(driver.Consumer):
    """Hands every topic's records to Faust as batches."""

    RebalanceListener = RebalanceListener

    def _new_consumer_thread(self) -> ConsumerThread:
        return ConsumerThread(self, loop=self.loop, beacon=self.beacon)

    async def _wait_next_records(self, timeout: float) -> tuple[Mapping[TP, list[Batch]] | None, set[TP] | None]:
        """What one fetch brought. All of it is delivered, also of a partition that is paused before its turn comes:
        Faust compares with its present set of active partitions and would drop what has been fetched already.
        """
        records, active = await super()._wait_next_records(timeout)
        batches = {tp: [Batch(tp, batch)] for tp, batch in (records or {}).items() if batch}
        return batches, {tp for tp in batches if active is None or tp in active or not self._is_changelog_tp(tp)}

    async def perform_seek(self) -> None:
        """Back to where was committed, after a rebalance. Faust does not go back in a partition without a commit, and
        what had been fetched of it and not been processed would be lost.
        """
        self.stop_flow()  # nothing may be fetched that the recovery, which lets it flow again, would throw away
        await super().perform_seek()
        sources = [tp for tp in self.assignment() if not self._is_changelog_tp(tp)]
        uncommitted = [tp for tp in sources if self._committed_offset[tp] is None]
        if uncommitted:
            await self.seek_wait(dict.fromkeys(uncommitted, 0))

    def _new_offset(self, tp: TP) -> int | None:
        """Where to commit: behind the last batch acknowledged, since batches of a partition are processed in order.

        Faust would look for gaps between the offsets of batches, and not see the one behind a batch at offset 0.
        """
        acknowledged = self._acked[tp]
        if not acknowledged:
            return None
        last = max(acknowledged)
        self._acked_index[tp].difference_update(acknowledged)
        acknowledged.clear()
        return last + 1

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """Nothing is missing between the offsets of two batches."""


class Transport(driver.Transport):
    """`livelift://`: Faust's Kafka transport with batches. `lease` tells whether this worker may still produce."""

    Consumer = Consumer

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.lease = Lease(self.app.conf.broker_session_timeout)

"""What the batched transport hands on: every batch that was fetched, also of a partition that was paused meanwhile."""

import asyncio
from types import SimpleNamespace
from unittest.mock import MagicMock

import pytest
from faust.transport.utils import DefaultSchedulingStrategy
from faust.types import TP

from streams.transport import Consumer

pytestmark = pytest.mark.shell
PRODUCT, HELP = TP("product-events", 0), TP("help-events", 0)


def record(tp, offset):
    return SimpleNamespace(topic=tp.topic, partition=tp.partition, offset=offset, timestamp=0)


class OneFetch(Consumer):
    """A consumer without a broker: one fetch brings these records, and `meanwhile` happens before it returns."""

    flow_active = True
    should_stop = False
    app = MagicMock(client_only=False, consumer_generation_id=1)
    scheduler = DefaultSchedulingStrategy()

    def __init__(self, fetched, meanwhile):
        self.fetched, self.meanwhile = fetched, meanwhile
        self.not_waiting_next_records = asyncio.Event()
        self._active_partitions, self._paused_partitions, self._buffered_partitions = set(fetched), set(), set()

    async def _getmany(self, active_partitions, timeout):
        self.meanwhile(self)
        return self.fetched

    def highwater(self, tp):
        return 0

    def _to_message(self, tp, record):
        return record

    def _is_changelog_tp(self, tp):
        return False


def handed_on(fetched, meanwhile):
    async def all_of_it():
        return {
            tp: [record.offset for record in batch.value] async for tp, batch in OneFetch(fetched, meanwhile).getmany(1)
        }

    return asyncio.run(all_of_it())


def test_a_fetch_is_handed_on_in_one_batch_a_partition():
    fetched = {PRODUCT: [record(PRODUCT, offset) for offset in (7, 8, 9)], HELP: [record(HELP, 3)]}
    assert handed_on(fetched, lambda consumer: None) == {PRODUCT: [7, 8, 9], HELP: [3]}


def test_what_was_fetched_of_a_partition_paused_meanwhile_is_not_lost():
    """Nobody fetches it again: Kafka's position is behind it already, and the next batch's ack covers it."""
    fetched = {PRODUCT: [record(PRODUCT, offset) for offset in (7, 8, 9)], HELP: [record(HELP, 3)]}
    assert handed_on(fetched, lambda consumer: consumer.pause_partitions([PRODUCT])) == {PRODUCT: [7, 8, 9], HELP: [3]}

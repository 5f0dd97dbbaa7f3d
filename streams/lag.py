"""How far the scorers are behind: records in the source topics that are in no sum yet."""

import structlog
from confluent_kafka import KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from models.events import SOURCES
from streams.config import Surroundings

log = structlog.get_logger()


class Lag:
    """Records behind by source topic, as last measured."""

    def __init__(self, here: Surroundings) -> None:
        self.here = here
        self.records: dict[str, int] = {}
        self._admin = AdminClient(here.confluent)

    def measure(self, applied: dict[str, dict[str, int]]) -> None:
        """Measure anew. applied: topic -> partition -> last offset that is in the sums.

        While Kafka cannot be asked, what was measured last stands: nothing is published wrongly for want of it.
        """
        try:
            ends = self._ends()
        except KafkaException as error:
            log.warning("lag cannot be measured", error=str(error))
            self._admin = AdminClient(self.here.confluent)  # the old one never recovers from a restart of the broker
            return
        self.records = {
            topic: sum(
                max(0, ends[topic, number] - 1 - applied.get(topic, {}).get(str(number), -1))
                for number in range(self.here.partitions)
            )
            for topic in SOURCES
        }

    def _ends(self) -> dict[tuple[str, int], int]:
        """(topic, partition) -> offset of the next record."""
        asked = {
            (topic, number): TopicPartition(self.here.topic(topic), number)
            for topic in SOURCES
            for number in range(self.here.partitions)
        }
        found = self._admin.list_offsets({where: OffsetSpec.latest() for where in asked.values()})
        return {key: found[where].result().offset for key, where in asked.items()}

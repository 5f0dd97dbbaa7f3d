"""How far the scorers are behind: records in the source topics that are in no sum yet."""

from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from models.events import SOURCES
from streams.config import Surroundings


def lag(admin: AdminClient, here: Surroundings, applied: dict[str, dict[str, int]]) -> dict[str, int]:
    """Records behind by source topic. `applied`: topic -> partition -> last offset that is in the sums."""
    latest = {
        TopicPartition(here.topic(topic), number): OffsetSpec.latest()
        for topic in SOURCES
        for number in range(here.partitions)
    }
    ends = {(tp.topic, tp.partition): future.result().offset for tp, future in admin.list_offsets(latest).items()}
    return {
        topic: sum(
            max(0, ends[here.topic(topic), number] - 1 - applied.get(topic, {}).get(str(number), -1))
            for number in range(here.partitions)
        )
        for topic in SOURCES
    }

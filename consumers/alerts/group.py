"""One process of the group does all the work, the others stand by: alerts of an owner are counted in one place."""

from time import time
from typing import Any

from kafka.coordinator.assignors.abstract import AbstractPartitionAssignor
from kafka.protocol.consumer.metadata import ConsumerProtocolAssignment, ConsumerProtocolSubscription

VERSION = 0


class OldestTakesAll(AbstractPartitionAssignor):
    """Gives every partition to the member that has been there longest; the next one takes over when it is gone."""

    name = "livelift-oldest-takes-all"
    started = f"{time():020.6f}".encode()

    @classmethod
    def metadata(cls, topics: Any) -> Any:
        return ConsumerProtocolSubscription(VERSION, sorted(topics), cls.started)

    @classmethod
    def assign(cls, cluster: Any, members: Any) -> dict[str, Any]:
        oldest = min(members, key=lambda member: (bytes(member.metadata.user_data or b""), member.member_id))
        topics = sorted({topic for member in members for topic in member.metadata.topics})
        everything = [(topic, sorted(cluster.partitions_for_topic(topic) or ())) for topic in topics]
        return {
            member.member_id: ConsumerProtocolAssignment(VERSION, everything if member is oldest else [], b"")
            for member in members
        }

    @classmethod
    def on_assignment(cls, assignment: Any, generation: Any) -> None:
        """Nothing is remembered between assignments."""

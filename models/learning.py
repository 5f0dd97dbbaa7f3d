"""When a day may be learned: as soon as every partition has sent its marker, and in the order of days.

This is the clock of learning. No model learns yet: the scores are an activity index, and the state says so. Learning
itself plugs in at `Learning.take`, on the examples of the days that `ready` names.
"""

from typing import Any

import msgspec
from msgspec import Struct

from models.rows import NEVER


class Learning(Struct):
    """What the learner knows, as it stands in `health-models`: the state is data, and is never unpickled.

    markers: partition -> latest day of which it has sent every example.
    """

    model: str = "heuristic"
    version: int = 0
    labels: int = 0
    markers: dict[int, int] = {}

    def take(self, message: bytes) -> None:
        """Take one record of `health-examples`. A marker that comes again changes nothing."""
        value: dict[str, Any] = msgspec.json.decode(message)
        if "marker" in value:
            partition = value["partition"]
            self.markers[partition] = max(self.markers.get(partition, NEVER), value["marker"])

    def ready(self, partitions: int) -> int:
        """The last day that all partitions have completed; -1 while one has sent nothing."""
        return min(self.markers.values()) if len(self.markers) == partitions else NEVER

"""The published experiment plans, read whole from their topic by every worker that needs them."""

import msgspec

from models.plan import PublishedPlan
from streams.compacted import Compacted
from streams.config import Surroundings

decode = msgspec.json.Decoder(PublishedPlan).decode


class Plans:
    """All published plans by experiment id; `refresh` says whether any have come since."""

    def __init__(self, here: Surroundings) -> None:
        self._topic = Compacted(here.confluent, here.topic("experiment-plans"))
        self.published = {key.decode(): decode(value) for key, value in self._topic.catch_up().items()}

    def refresh(self) -> bool:
        changes = self._topic.poll()
        if not changes:
            return False
        self.published = {key.decode(): decode(value) for key, value in self._topic.values.items()}
        return True

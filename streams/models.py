"""The models that score, read whole from `health-models` by every scorer."""

from models.health.known import Known
from streams.compacted import Compacted
from streams.config import Surroundings


class Models:
    """Keeps `known` up with the topic. With clock = log, days wait for what has to be learned before them."""

    def __init__(self, here: Surroundings) -> None:
        self.known = Known(here.product, waits=here.clock == "log")
        self._topic = Compacted(here.confluent, here.topic("health-models"))
        for key, value in self._topic.catch_up().items():
            self.known.take(key, value)

    def refresh(self) -> bool:
        """Read on; whether a model has come or more has been learned."""
        taken = [self.known.take(key, value) for key, value in self._topic.poll().items()]
        return any(taken)

"""What was done that tickets may follow, read whole from its topic by the publisher."""

from models.education.annotations import read_all
from streams.compacted import Compacted
from streams.config import Surroundings


class Annotations:
    """The annotations of the topic, in order of time; what is no annotation is left out."""

    def __init__(self, here: Surroundings) -> None:
        self._topic = Compacted(here.confluent, here.topic("annotations"))
        self._topic.catch_up()
        self.known = read_all(self._topic.values)

    def refresh(self) -> bool:
        """Read on; whether any has come, changed or gone since."""
        if not self._topic.poll():
            return False
        before, self.known = self.known, read_all(self._topic.values)
        return self.known != before

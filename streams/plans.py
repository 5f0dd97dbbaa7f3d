"""The experiment plans that count, read whole from their topic by every worker that needs them."""

import msgspec

from models.plan import PublishedPlan
from streams.compacted import Compacted
from streams.config import Surroundings

decode = msgspec.json.Decoder(PublishedPlan).decode


class Plans:
    """published: the plans of experiments that run or have run, by id. waiting: all others, which are nothing to a
    worker; who publishes lists them."""

    def __init__(self, here: Surroundings) -> None:
        self._topic = Compacted(here.confluent, here.topic("experiment-plans"))
        self._topic.catch_up()
        self.published, self.waiting = self._read()

    def refresh(self) -> bool:
        """Read on; whether any of the plans that count has come, changed or gone since."""
        if not self._topic.poll():
            return False
        before = self.published
        self.published, self.waiting = self._read()
        return self.published != before

    def _read(self) -> tuple[dict[str, PublishedPlan], dict[str, PublishedPlan]]:
        held = {key.decode(): decode(value) for key, value in self._topic.values.items()}
        counted = {id_: published for id_, published in held.items() if published.counted}
        return counted, {id_: published for id_, published in held.items() if id_ not in counted}

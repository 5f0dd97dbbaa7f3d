"""The learner: reads examples and day markers, and keeps its state in `health-models`."""

from typing import Any

import faust
import msgspec

from models.learning import Learning
from models.messages import Output
from streams.app import announce_ready, batches, lease_of, make_app
from streams.compacted import Compacted
from streams.config import Surroundings
from streams.fatal import or_leave
from streams.sender import Sender

KEY = b"heuristic|0"


class Learner:
    """One learner process; the single partition of `health-examples` sits on one of them."""

    def __init__(self, here: Surroundings, app: faust.App) -> None:
        self.here = here
        self.sender = Sender(here.confluent, here.topic, lambda: lease_of(app).check(), here.session_timeout_s)
        self._state: Learning | None = None

    def state(self) -> Learning:
        """What was kept last, read when the first batch comes: by then this worker owns the topic."""
        if self._state is None:
            topic = Compacted(self.here.confluent, self.here.topic("health-models"))
            kept = topic.catch_up().get(KEY)
            topic.close()
            self._state = Learning() if kept is None else msgspec.json.decode(kept, type=Learning)
        return self._state

    def let_go(self) -> None:
        self._state = None

    def take(self, records: list[Any]) -> None:
        """Take a batch; the state is in Kafka before the batch is acknowledged."""
        state = self.state()
        for record in records:
            if record.value is not None:
                state.take(record.value)
        self.sender.send([Output("health-models", 0, KEY, msgspec.json.encode(state))])
        self.sender.flush()


def make_learner(here: Surroundings) -> faust.App:
    """The learner's Faust app, ready to run."""
    app = make_app("learner", here)
    learner = Learner(here, app)

    @app.on_partitions_revoked.connect
    async def _revoked(*_: Any, **__: Any) -> None:
        learner.let_go()

    @app.agent(batches(app, here.topic("health-examples")), concurrency=1, name="learner")
    async def _learn(stream: Any) -> None:
        async for event in stream.noack().events():
            or_leave(lambda records=event.message.value: learner.take(records))
            await stream.ack(event)

    @app.on_rebalance_complete.connect
    async def _ready(*_: Any, **__: Any) -> None:
        announce_ready(here)

    return app

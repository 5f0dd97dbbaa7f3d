"""The learner: reads examples and day markers, and keeps what it has learned in `health-models`.

An example is acknowledged when it has been learned, so whatever is lost with a process is read again. Learning it again
gives the same bytes.
"""

from typing import Any

import faust

from models.health.learning import Learning
from models.health.told import REPLICATES, model_snapshot
from models.messages import MODEL_KEY, Output, encode
from streams.app import announce_ready, batches, lease_of, make_app
from streams.compacted import Compacted
from streams.config import Surroundings
from streams.fatal import or_leave
from streams.sender import Sender

SAY_EVERY_S = 1.0


class Learner:
    """One learner process; the single partition of `health-examples` sits on one of them."""

    def __init__(self, here: Surroundings, app: faust.App) -> None:
        self.here = here
        self.sender = Sender(here.confluent, here.topic, lambda: lease_of(app).check(), here.session_timeout_s)
        self._learning: Learning | None = None
        self._waiting: list[Any] = []
        """Batches of which something has not been learned yet."""
        self._news, self._quiet = True, False
        """Whether something has been learned that has not been said, and whether nothing has come for a while."""

    @property
    def learning(self) -> Learning:
        """What was kept last, read when the first batch comes: by then this worker owns the topic."""
        if self._learning is None:
            topic = Compacted(self.here.confluent, self.here.topic("health-models"))
            self._learning = Learning(self.here.product, topic.catch_up())
            topic.close()
        return self._learning

    def let_go(self) -> None:
        """On revocation: what has not been learned is read again by whoever has the topic next."""
        self._learning, self._waiting = None, []

    def _send(self, outputs: list[Output]) -> None:
        self.sender.send(outputs)
        self.sender.flush()

    def say(self) -> None:
        """Tell the publisher what the model is like, once nothing new has come since the last look: measuring it takes
        seconds, and history that is played brings a new week many times a second."""
        if self._learning is not None and self._news and self._quiet:
            said = encode(model_snapshot(self._learning, REPLICATES))
            self._send([Output("partials", 0, MODEL_KEY, said)])
            self._news = False
        self._quiet = True

    def take(self, event: Any) -> list[Any]:
        """Take a batch and learn what can be; returns the batches of which everything is in Kafka as learned."""
        learning = self.learning
        for record in event.message.value:
            if record.value is not None:
                learning.take(record.value)
        outputs = learning.learn(self.here.partitions)
        if outputs:
            self._send(outputs)
            self._news, self._quiet = True, False
        self._waiting.append(event)
        if not learning.has_all:
            return []
        done, self._waiting = self._waiting, []
        return done


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
            for done in or_leave(lambda event=event: learner.take(event)):
                await stream.ack(done)

    @app.timer(SAY_EVERY_S)
    async def _say() -> None:
        or_leave(learner.say)

    @app.on_rebalance_complete.connect
    async def _ready(*_: Any, **__: Any) -> None:
        announce_ready(here)

    return app

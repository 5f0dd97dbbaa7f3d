"""The learner: reads examples and day markers, and keeps what it has learned in `health-models`.

An example is acknowledged when it has been learned, so whatever is lost with a process is read again. Learning it again
gives the same bytes. A model that is new, or that is learned by another recipe than before, is learned from the whole
of `health-examples` first. Learning and measuring may take long, so they are done beside the loop, which Kafka has to
hear of.
"""

from asyncio import Lock, to_thread
from typing import Any

import faust
import structlog

from models.health.learning import Learning
from models.health.records import CHAMPION_KEY, decode_promotions
from models.health.told import model_snapshot
from models.messages import MODEL_KEY, Output, encode
from streams.app import announce_ready, batches, lease_of, make_app
from streams.compacted import Compacted
from streams.config import Surroundings
from streams.fatal import awaited_or_leave
from streams.history import whole
from streams.sender import Sender

SAY_EVERY_S = 1.0
log = structlog.get_logger()


class Learner:
    """One learner process; the single partition of `health-examples` sits on one of them."""

    def __init__(self, here: Surroundings, app: faust.App) -> None:
        self.here = here
        self.sender = Sender(here.confluent, here.topic, lambda: lease_of(app).check(), here.session_timeout_s)
        self._models: Compacted | None = None
        self._learning: Learning | None = None
        self._waiting: list[Any] = []
        """Batches of which something has not been learned yet."""
        self._news, self._quiet = True, False
        """Whether something has been learned that has not been said, and whether nothing has come for a while."""
        self._turn = Lock()
        """One thing at a time: what is being learned must not be measured."""

    def let_go(self) -> None:
        """On revocation: what has not been learned is read again by whoever has the topic next."""
        self._learning, self._models, self._waiting = None, None, []

    async def take(self, event: Any) -> list[Any]:
        """Take a batch and learn what can be; returns the batches of which everything is in Kafka as learned."""
        async with self._turn:
            learning = self._learning or await self._take_up()
            messages = [record.value for record in event.message.value if record.value is not None]
            outputs = await to_thread(self._learn, learning, messages)
            if self._learning is not learning:
                return []  # it went to another worker meanwhile
            if outputs:
                self._send(outputs)
                self._news, self._quiet = True, False
            self._waiting.append(event)
            if not learning.has_all:
                return []
            done, self._waiting = self._waiting, []
            return done

    async def _take_up(self) -> Learning:
        """What was kept last, read when the first batch comes: by then this worker owns the topic."""
        self._models = models = Compacted(self.here.confluent, self.here.topic("health-models"))
        self._learning = learning = Learning(self.here.product, models.catch_up())
        if learning.wants_all:
            log.info("learning from all examples", models=[*learning.contenders])
            outputs = await to_thread(self._relearn, learning)
            if self._learning is learning:
                self._send(outputs)
            log.info("learned from all examples", records=len(outputs))
        return learning

    def _learn(self, learning: Learning, messages: list[bytes]) -> list[Output]:
        for message in messages:
            learning.take(message)
        return learning.learn(self.here.partitions)

    def _relearn(self, learning: Learning) -> list[Output]:
        records = whole(self.here.confluent, self.here.topic("health-examples"))
        return learning.relearn((one.value for one in records if one.value is not None), self.here.partitions)

    async def say(self) -> None:
        """Tell the publisher what the models are like, once nothing new has come since the last look: measuring it
        takes seconds, and history that is played brings a new week many times a second."""
        async with self._turn:
            learning = self._learning
            if learning is not None:
                self._look_for_promotions(learning)
            if learning is not None and self._news and self._quiet:
                said = await to_thread(model_snapshot, learning)
                if self._learning is learning:
                    self._send([Output("partials", 0, MODEL_KEY, encode(said))])
                    self._news = False
            self._quiet = True

    def _look_for_promotions(self, learning: Learning) -> None:
        promotions = None if self._models is None else self._models.poll().get(CHAMPION_KEY)
        if promotions is not None:
            learning.promotions = decode_promotions(promotions)
            self._news = True

    def _send(self, outputs: list[Output]) -> None:
        self.sender.send(outputs)
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
            for done in await awaited_or_leave(learner.take(event)):
                await stream.ack(done)

    @app.timer(SAY_EVERY_S)
    async def _say() -> None:
        await awaited_or_leave(learner.say())

    @app.on_rebalance_complete.connect
    async def _ready(*_: Any, **__: Any) -> None:
        announce_ready(here)

    return app

"""Learning from what became of accounts: the champion and its challengers, from the same examples in the same order.

Whatever a learner has sent when it dies, its successor learns the rest again from the same. Records of models come
first, how far each has come behind them, then what has been taken of the topic, and last what is let go.
"""

from collections.abc import Callable, Iterable, Mapping

from models.health.contender import Contender, Predicted
from models.health.intake import Intake
from models.health.monitoring import Monitoring
from models.health.records import CHAMPION_KEY, TAKEN_KEY, Promotion, champion_on, decode_promotions, decode_taken
from models.messages import Output
from models.product import Product
from models.rows import NEVER

RELEARNED_AT_ONCE = 50_000
"""Records of `health-examples` between two times that what is whole of them is learned, when all are read again."""


class Learning:
    """The learner's state.

    held: what is kept in `health-models`, by key. told: is given the predictions of the champion of the product.
    """

    def __init__(
        self,
        product: Product,
        held: Mapping[bytes, bytes] = {},
        told: Mapping[str, Callable[[list[Predicted]], None]] = {},
    ) -> None:
        self.product = product
        self.promotions: tuple[Promotion, ...] = ()
        if CHAMPION_KEY in held:
            self.promotions = decode_promotions(held[CHAMPION_KEY])
        health = product.health
        kinds = dict.fromkeys((health.model, *health.challengers, *(one.model for one in self.promotions[-1:])))
        self.contenders = {kind: Contender(kind, product, held, told.get(kind)) for kind in kinds}
        self.monitoring = Monitoring(health.allowed, held)
        self._intake = Intake(decode_taken(held[TAKEN_KEY]) if TAKEN_KEY in held else None)

    @property
    def champion(self) -> Contender:
        """The model that scores on the days to come."""
        last = max((one.day for one in self.promotions), default=NEVER)
        return self.contenders[champion_on(self.promotions, last, self.product.health.model)]

    @property
    def learned(self) -> int:
        """The last day that every model has learned."""
        return min(self.monitoring.learned, *(one.learned for one in self.contenders.values()))

    @property
    def accounts(self) -> tuple[int, int]:
        """Accounts at the last close, and those of them that had not told enough yet."""
        return self._intake.accounts

    @property
    def heard_of(self) -> int:
        """The last day that any partition has closed."""
        return self._intake.latest

    # -- taking ------------------------------------------------------------------------------------------------------

    def take(self, message: bytes) -> None:
        """Take one record of `health-examples`. What comes again changes nothing."""
        self._intake.take(message, self.learned)

    @property
    def has_all(self) -> bool:
        """Whether nothing waits to be learned: then what was taken may be acknowledged."""
        return self._intake.empty

    def learn(self, partitions: int) -> list[Output]:
        """Learn every day of which all partitions have sent all; what is to be kept of it, in this order.

        What has been taken is kept, too, when only markers have come: they may be acknowledged, and never come again.
        """
        heard, whole = self._intake.heard(), self._intake.whole_until(partitions)
        if whole <= self.learned:
            return [self._intake.record()] if heard else []
        outputs, let_go, last = list[Output](), list[Output](), NEVER
        for last, examples in self._intake.days(whole):
            outputs += self.monitoring.look_at(last, examples)
            for one in self.contenders.values():
                outputs += one.learn_day(last, examples, self.monitoring.withheld(last))
        parts = (*self.contenders.values(), self.monitoring)
        outputs += [part.reach(whole) for part in parts]
        if last != NEVER:
            let_go = [output for part in parts for output in part.let_go(last)]
        return [*outputs, self._intake.record(), *let_go]

    # -- from the beginning --------------------------------------------------------------------------------------------

    @property
    def wants_all(self) -> bool:
        """Whether a model is new, or is learned by another recipe than before: then all examples are to be read."""
        return self.learned == NEVER

    def relearn(self, messages: Iterable[bytes], partitions: int) -> list[Output]:
        """Learn from the whole of `health-examples` what has not been learned of it; what is to be kept of that.

        What a former recipe made stands until then, and is replaced at once.
        """
        self._intake, found = Intake(), dict[bytes, Output]()

        def learn() -> None:
            for output in self.learn(partitions):
                assert output.key is not None
                found.pop(output.key, None)
                found[output.key] = output

        for count, message in enumerate(messages, 1):
            self.take(message)
            if count % RELEARNED_AT_ONCE == 0:
                learn()
        learn()
        return [*found.values(), *(output for one in self.contenders.values() for output in one.replaced())]

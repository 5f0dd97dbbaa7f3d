"""The versions of the champion that a scorer knows, and which of them a day is closed with."""

from collections.abc import Callable
from functools import partial

from models.account import Account
from models.basis import ActivityIndex, Basis
from models.closing import week_end
from models.health.champion import Champion, decode_version
from models.health.features import Features, features_of
from models.health.records import STATE_KEY, decode_state, last_before, split_key
from models.index import WEEK
from models.product import Product
from models.rows import NEVER


def inputs_for(product: Product) -> Callable[[Account, int], Features]:
    """How this product's accounts are read: the inputs it has chosen, with its key actions."""
    return partial(features_of, chosen=product.health.inputs, key_actions=product.actions.key)


class Known:
    """What a scorer has read of `health-models`. Days are closed with the last version learned before them.

    waits: whether a day's close waits until the labels known before it have been learned: then the same log gives the
    same closes, however far scorers and learner are apart. Live, nobody waits: a label is weeks old, and a learner that
    is down must not hold up anybody.
    """

    def __init__(self, product: Product, waits: bool = False) -> None:
        self.sure = NEVER
        """The last day of which it is known which version was learned before the next."""
        self._ends = product.health.week_ends
        self._waits, self._model = waits, product.health.model
        self._features = inputs_for(product)
        self._index = ActivityIndex(product.actions.regular_days_per_week)
        self._versions: dict[int, Basis] = {}
        """Day -> what was learned when it had closed, or the index where that is not enough to score by."""

    def take(self, key: bytes, value: bytes | None) -> bool:
        """Take one record; whether it was one of the champion's versions or of how far has been learned."""
        if key == STATE_KEY:
            self.sure = NEVER if value is None else decode_state(value).sure
            return True
        kind, model, day = split_key(key)
        if kind != "version" or model != self._model:
            return False
        if value is None:
            self._versions.pop(day, None)
        else:
            version = decode_version(value)
            self._versions[day] = Champion(version, self._features) if version.enough else self._index
        return True

    def before(self, day: int) -> Basis:
        """What a day is closed with: the last version learned before it. No older one stands in for one that is not
        enough to score by: it would be let go at some time or other."""
        known = last_before(self._versions, day)
        return self._index if known is None else self._versions[known]

    def may_close(self, day: int) -> bool:
        """Whether all that has to be learned before a day is closed has been: labels become known at ends of weeks."""
        return not self._waits or self.sure >= week_end(day, self._ends) - WEEK

"""The models that a scorer knows, and which version of which of them a day is closed with."""

from collections import defaultdict
from collections.abc import Callable
from functools import partial

from models.account import Account
from models.basis import HEURISTIC, ActivityIndex, Basis
from models.closing import week_end
from models.health.champion import Champion, decode_version, why_heuristic
from models.health.features import Features, features_of
from models.health.records import (
    Promotion,
    champion_on,
    decode_progress,
    decode_promotions,
    last_before,
    split_key,
)
from models.index import WEEK
from models.product import Product
from models.rows import NEVER


def inputs_for(product: Product) -> Callable[[Account, int], Features]:
    """How this product's accounts are read."""
    return partial(features_of, key_actions=product.actions.key)


class Known:
    """What a scorer has read of `health-models`. Days are closed with the champion's last version learned before them.

    waits: whether a day's close waits until the labels known before it have been learned: then the same log gives the
    same closes, however far scorers and learner are apart. Live, nobody waits: a label is weeks old, and a learner that
    is down must not hold up anybody.
    """

    def __init__(self, product: Product, waits: bool = False) -> None:
        self._product, self._waits = product, waits
        self._features = inputs_for(product)
        self._index = self._index_because(why_heuristic(None))
        self._promotions: tuple[Promotion, ...] = ()
        self._sure: dict[str, int] = {}
        """Model -> the last day of which it is known which version was learned before the next."""
        self._versions: dict[str, dict[int, bytes]] = defaultdict(dict)
        """Model -> day -> what it had learned when the day had closed."""
        self._bases: dict[tuple[str, int], Basis] = {}
        """Versions that have been asked for: an index where a version is not enough to score by."""

    def take(self, key: bytes, value: bytes | None) -> bool:
        """Take one record; whether what days are closed with may differ for it."""
        kind, model, day = split_key(key)
        match kind:
            case "version":
                self._bases.pop((model, day), None)
                if value is None:
                    self._versions[model].pop(day, None)
                else:
                    self._versions[model][day] = value
            case "progress":
                self._sure[model] = NEVER if value is None else decode_progress(value).sure
            case "champion":
                self._promotions = () if value is None else decode_promotions(value)
            case _:
                return False
        return True

    def champion(self, day: int) -> str:
        """The model that a day is closed with."""
        return champion_on(self._promotions, day, self._product.health.model)

    def before(self, day: int) -> Basis:
        """What a day is closed with: the champion's last version learned before it. No older one stands in for one that
        is not enough to score by: it would be let go at some time or other."""
        model = self.champion(day)
        known = last_before(self._versions[model], day)
        return self._index if known is None else self._basis(model, known)

    def _basis(self, model: str, day: int) -> Basis:
        found = self._bases.get((model, day))
        if found is None:
            version = decode_version(self._versions[model][day])
            because = why_heuristic(version)
            found = Champion(version, self._features) if because is None else self._index_because(because)
            self._bases[model, day] = found
        return found

    def _index_because(self, because: str | None) -> ActivityIndex:
        return ActivityIndex(self._product.actions.regular_days_per_week, f"{because}; the score is an activity index")

    def kept_from(self, day: int) -> int:
        """From which day on it is still known what days were closed with, by the model that closed this one. The first
        version of all never scores, since none has been predicted by yet: an oldest one that does had others before it,
        which have been let go."""
        model = self.champion(day)
        oldest = min(self._versions[model], default=NEVER)
        return NEVER if oldest == NEVER or self._basis(model, oldest).kind == HEURISTIC else oldest + 1

    def may_close(self, day: int) -> bool:
        """Whether all that has to be learned before a day is closed has been: labels become known at ends of weeks."""
        ends = self._product.health.week_ends
        return not self._waits or self._sure.get(self.champion(day), NEVER) >= week_end(day, ends) - WEEK

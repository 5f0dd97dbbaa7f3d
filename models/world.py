"""What rows are read against: the product's settings and what has been published for its workers."""

from dataclasses import dataclass, field
from functools import cached_property
from math import ceil

import xxhash

from models.account import REGULAR_DAYS, WEEKLY_DAYS
from models.arms import Asked, Unit, units_of
from models.education.annotations import Annotation
from models.outcomes import FROM_USAGE, kind_of
from models.plan import PublishedPlan
from models.product import Product
from models.subject import Subject

COMPANIONS = 8
"""Other experiments on the same kind of unit that an experiment's units are looked for in."""


@dataclass(frozen=True)
class World:
    """What rows are read against: the product's settings and the published experiment plans, by id."""

    product: Product
    plans: dict[str, PublishedPlan] = field(default_factory=dict)
    annotations: tuple[Annotation, ...] = ()
    """What was done that tickets may follow: only what is published looks at them."""
    waiting: dict[str, PublishedPlan] = field(default_factory=dict)
    """Drafts, the queue, and what was stopped before it began: no row is read against them, the list names them."""

    @cached_property
    def asks_accounts(self) -> bool:
        """Whether any experiment has accounts as its units."""
        return any(published.plan.experiment.unit == "account" for published in self.plans.values())

    @cached_property
    def asks_usage(self) -> bool:
        """Whether any experiment has a metric that events of mere usage change."""
        return any(kind_of(metric) in FROM_USAGE for one in self.plans.values() for metric in one.plan.metric)

    @cached_property
    def regular_days(self) -> int:
        """Days of use in four weeks from which a user counts as regular."""
        return ceil(self.product.actions.regular_days_per_week * REGULAR_DAYS / WEEKLY_DAYS)

    @cached_property
    def tasks(self) -> dict[str, tuple[str, ...]]:
        """journey -> its tasks."""
        return {journey.id: journey.tasks for journey in self.product.journey}

    @cached_property
    def asked(self) -> dict[str, Asked]:
        """experiment -> what its units are read against. Of many others some are companions, chosen by hash: all
        experiments on the same kind of unit would be as many pairs as their square."""
        found = {}
        for id_, published in self.plans.items():
            unit = published.plan.experiment.unit
            others = [one for one in self.plans.values() if one.plan.id != id_ and one.plan.experiment.unit == unit]
            nearest = sorted(others, key=lambda one: (xxhash.xxh3_64_intdigest(one.plan.id.encode()), one.plan.id))
            found[id_] = Asked(published, tuple(nearest[:COMPANIONS]), self.product)
        return found

    @cached_property
    def asked_of(self) -> dict[str, dict[str, Asked]]:
        """unit -> experiment -> what its units are read against."""
        found: dict[str, dict[str, Asked]] = {"account": {}, "user": {}}
        for id_, asked in self.asked.items():
            found[asked.published.plan.experiment.unit][id_] = asked
        return found

    def units(self, subject: Subject, unit: str, now: int) -> dict[str, Unit]:
        """The subject's part in every experiment that has its kind of unit (`account` or `user`)."""
        return units_of(subject, self.asked_of[unit], now)

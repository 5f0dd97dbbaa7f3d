"""`livelift.toml`: what this product's journeys, key actions and labels are, read once into a frozen value."""

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from models.clock import DAY, HOUR

Days = Annotated[float, Meta(gt=0, le=3660)]
Hours = Annotated[float, Meta(gt=0, le=24 * 3660)]
Task = Annotated[str, Meta(min_length=1, max_length=256)]


class Journey(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A way through onboarding: its tasks, their order, the trial around it, and whose journey it is."""

    id: Annotated[str, Meta(min_length=1, max_length=128)]
    tasks: Annotated[tuple[Task, ...], Meta(min_length=1, max_length=64)]
    order: Literal["series", "any"] = "series"
    trial_days: Days = 30.0
    stuck_after_hours: Hours = 24.0
    failures_for_trouble: Annotated[int, Meta(ge=1)] = 2
    applies_to: dict[str, str | float | bool] = {}

    @property
    def stuck_after(self) -> int:
        """How long a started task may stay open before its user counts as in trouble, in microseconds."""
        return round(self.stuck_after_hours * HOUR)

    @property
    def trial(self) -> int:
        """The trial window in microseconds."""
        return round(self.trial_days * DAY)


class Actions(Struct, frozen=True, forbid_unknown_fields=True):
    key: tuple[str, ...] = ()
    regular_days_per_week: Annotated[float, Meta(gt=0, le=7)] = 2.0


class Label(Struct, frozen=True, forbid_unknown_fields=True):
    kind: Literal["churn", "conversion", "inactivity"] = "churn"
    horizon_days: Annotated[int, Meta(ge=1)] = 56
    unscored_days: Annotated[int, Meta(ge=0)] = 28


LONGEST_INACTIVITY = 56
"""Days of visits are kept for 64, back from a user's latest: those behind the horizon may not push out those in it."""

WEEKDAYS = ("thursday", "friday", "saturday", "sunday", "monday", "tuesday", "wednesday")


Kind = Literal["logistic", "forest", "tree", "bayes"]
Inputs = tuple[Annotated[str, Meta(min_length=1)], ...]


class Health(Struct, frozen=True, forbid_unknown_fields=True):
    """What the health score is learned by, and from.

    model: that which scores until another is promoted. challengers: those that learn beside it. inputs: names or
    patterns (`usage:*`) of docs/generated/health-inputs.md; none means all. allowed: inputs that tell the event almost
    by themselves, and that a person has found to be honest. snapshot_weeks: how many weeks apart accounts are looked
    at for learning.
    """

    model: Kind = "logistic"
    challengers: tuple[Kind, ...] = ()
    inputs: Inputs = ()
    allowed: Inputs = ()
    snapshot_weeks: Annotated[int, Meta(ge=1, le=13)] = 1
    week_ends_on: Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"] = "sunday"

    @property
    def week_ends(self) -> int:
        """The last day of a week, as day % 7; day 0, 1970-01-01, was a Thursday."""
        return WEEKDAYS.index(self.week_ends_on)


class Capacity(Struct, frozen=True, forbid_unknown_fields=True):
    """How many accounts each owner can look at in a week, and which come first: those most at risk, or those with the
    most revenue at risk. hold_out: share of accounts, drawn at random, that nobody is alerted to: what becomes of them
    says what alerts change."""

    per_owner_per_week: Annotated[int, Meta(ge=1)] | None = None
    by: Literal["risk", "revenue"] = "risk"
    hold_out: Annotated[float, Meta(ge=0, le=0.5)] = 0.0


Instant = Annotated[datetime, Meta(tz=True)]


class Education(Struct, frozen=True, forbid_unknown_fields=True):
    """history_since: since when a source (`product`, `training`, `support`) has been sent whole, of every account.
    Without it, an account's first event of a source is as far back as it is known."""

    history_since: dict[Literal["product", "training", "support"], Instant] = {}


class Authenticity(Struct, frozen=True, forbid_unknown_fields=True):
    """resolution: what events' times claim to be written to. To the minute, seconds are not looked at, nor repeats."""

    resolution: Literal["millisecond", "second", "minute"] = "millisecond"


GETTING_STARTED = Journey(id="getting-started", tasks=("1", "2", "3"))


class Product(Struct, frozen=True, forbid_unknown_fields=True):
    """The whole of `livelift.toml`; every field has a default, so an absent file is a valid product."""

    people_are_accounts: bool = False
    simulated: bool = False
    lateness_hours: Annotated[float, Meta(ge=0, le=168)] = 1.0
    journey: tuple[Journey, ...] = (GETTING_STARTED,)
    actions: Actions = Actions()
    label: Label = Label()
    health: Health = Health()
    capacity: Capacity = Capacity()
    education: Education = Education()
    authenticity: Authenticity = Authenticity()

    @property
    def lateness(self) -> int:
        """How late an event may come before its day closes, in microseconds."""
        return round(self.lateness_hours * HOUR)

    @property
    def tasks(self) -> frozenset[str]:
        """Every task of every journey; a task event that names another is refused as `out_of_range`."""
        return frozenset(task for journey in self.journey for task in journey.tasks)


RESERVED = frozenset({"schema", "as_of", "published_at", "fence", "simulated"})
"""Names that a snapshot itself uses beside its journeys."""


class ProductError(ValueError):
    """`livelift.toml` is wrong; the message names the field and what was expected there."""


def read_product(text: bytes | str) -> Product:
    """Parse `livelift.toml`; raises ProductError naming the field that is wrong."""
    try:
        product = msgspec.toml.decode(text, type=Product)
    except msgspec.MsgspecError as error:
        raise ProductError(f"livelift.toml: {error}") from error
    if product.label.kind == "inactivity" and product.label.horizon_days > LONGEST_INACTIVITY:
        raise ProductError(f"livelift.toml: inactivity is told for a horizon_days of at most {LONGEST_INACTIVITY}")
    names = [journey.id for journey in product.journey]
    if len(set(names)) != len(names):
        raise ProductError("livelift.toml: two journeys have the same id")
    for journey in product.journey:
        if journey.id in RESERVED:
            raise ProductError(f"livelift.toml: a journey cannot be called {journey.id!r}")
        if "/" in journey.id:
            raise ProductError(f"livelift.toml: journey id {journey.id!r}: a slash is not allowed")
        if len(set(journey.tasks)) != len(journey.tasks):
            raise ProductError(f"livelift.toml: journey {journey.id!r} names a task twice")
    return product

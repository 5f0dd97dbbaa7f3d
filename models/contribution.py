"""What one row adds to every sum, at one moment. Taking it out again is subtracting the very same value."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import zip_longest
from math import ceil
from typing import NamedTuple, TypeVar

import xxhash

from models.account import (
    REGULAR_DAYS,
    WEEKLY_DAYS,
    Account,
    regular_mask,
    shift_days,
    shift_named,
    weekly_mask,
)
from models.adding import add
from models.arms import Asked, Unit, units_of
from models.clock import day_of
from models.dated import trained_on
from models.education.annotations import Annotation
from models.education.learner import NOBODY, Learner, learner_of, only_used
from models.funnel import Share, user_share
from models.journey import next_due
from models.membership import membership, roles
from models.outcomes import FROM_USAGE, kind_of
from models.plan import PublishedPlan
from models.product import Product
from models.rows import NEVER, Row
from models.subject import NOTHING_SHARED, Shared, Subject, shared_of, subject_of

Kept = TypeVar("Kept")
COMPANIONS = 8
"""Other experiments on the same kind of unit that an experiment's units are looked for in."""


@dataclass(frozen=True)
class World:
    """What rows are read against: the product's settings and the published experiment plans, by id."""

    product: Product
    plans: dict[str, PublishedPlan] = field(default_factory=dict)
    annotations: tuple[Annotation, ...] = ()
    """What was done that tickets may follow: only what is published looks at them."""

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


class Contribution(NamedTuple):
    """One row's part in the sums of its account and its partition."""

    account_id: str
    user_id: str | None
    days: tuple[int, int]
    regular: tuple[int, int]
    """Days on which the user counts as one who uses the product regularly, like `days`."""
    trained: tuple[int, int]
    """Days on which the user counts as trained and active, like `days`."""
    roles: Mapping[str, tuple[int, int]]
    """Likewise those on which they were active in a role (`champion`), and trained, too (`trained:champion`)."""
    features: dict[str, int]
    countries: dict[str, int]
    began: int | None
    """The day of the row's first event; None for a row that holds nothing but closes."""
    joined: tuple[int, ...]
    left: tuple[int, ...]
    """Days on which the user joined or came back, and days on which they left: as each day ended."""
    journeys: tuple[Share, ...]
    converted_at: int | None
    units: dict[str, Unit]
    subject: Subject | None
    shared: Shared
    """Of an account's own row: what it says of every user in it."""
    mrr: tuple[int, int] | None
    renewal: tuple[int, int] | None
    earlier: bytes
    """The row's days of visits before those in `days`."""
    learner: Learner
    """What the row says of education."""
    accepted: int
    duplicates: int
    due: int | None
    """The next moment at which this contribution changes without an event."""


def after_usage(row: Row, before: Contribution, world: World, taught: bool) -> Contribution:
    """Read a row again after events that only used the product (`facts.USAGE`): all else is as before.

    taught: whether any of them tells of education (`education.learner.TOLD_BY`).
    """
    began, joined, left = first_day(row), before.joined, before.left
    if began != before.began:
        joined, left = _membership(row, began, before.user_id)
    days, regular = (row.top_day, row.days), before.regular
    if days != before.days or began != before.began:
        regular = _regular(row, joined, left, world)
    trained = _trained(row, joined, left)
    return before._replace(
        days=days,
        regular=regular,
        trained=trained,
        roles=_roles(row, trained),
        features=row.features,
        countries=row.countries,
        began=began,
        joined=joined,
        left=left,
        earlier=row.earlier,
        learner=_learner(row, before.user_id, joined, left, world, None if taught else before),
        accepted=row.accepted,
        duplicates=row.duplicates,
    )


def contribution_of(
    row: Row,
    account_id: str,
    user_id: str | None,
    world: World,
    now: int,
    shared: Shared = NOTHING_SHARED,
    untaught: Contribution | None = None,
) -> Contribution:
    """Read one row at event time `now`. `shared` is what the account's own row says of its users: a user has converted,
    too, when the account has as a whole. untaught: the row's part before, if nothing since has told of education."""
    product = world.product
    converted_at = min((at for at in (row.converted_at, shared.converted_at) if at is not None), default=None)
    subject = subject_of(row, user_id is not None, shared, world.asks_usage) if world.plans else None
    journeys: tuple[Share, ...] = ()
    units: dict[str, Unit] = {}
    dues: list[int] = []
    if user_id is not None:
        journeys = user_share(row, product.journey, now)
        dues = _dues(row, product, now)
        if subject is not None and subject.assignments:
            units = world.units(subject, "user", now)
            dues += [unit.matures_at for unit in units.values() if unit.matures_at is not None]
    began = first_day(row)
    joined, left = _membership(row, began, user_id)
    trained = _trained(row, joined, left)
    return Contribution(
        account_id=account_id,
        user_id=user_id,
        days=(row.top_day, row.days),
        regular=_regular(row, joined, left, world),
        trained=trained,
        roles=_roles(row, trained),
        features=row.features,
        countries=row.countries,
        began=began,
        joined=joined,
        left=left,
        journeys=journeys,
        converted_at=converted_at,
        units=units,
        subject=subject if world.asks_accounts else None,
        shared=shared_of(row) if user_id is None else NOTHING_SHARED,
        mrr=row.terms.mrr if row.terms.mrr[0] != NEVER else None,
        renewal=row.terms.renews_at if row.terms.renews_at[0] != NEVER else None,
        earlier=row.earlier,
        learner=_learner(row, user_id, joined, left, world, untaught),
        accepted=row.accepted,
        duplicates=row.duplicates,
        due=min(dues, default=None),
    )


def first_day(row: Row) -> int | None:
    """The day of the row's first event; None for a row that holds nothing but closes."""
    return None if row.first_at is None else day_of(row.first_at)


def _learner(
    row: Row,
    user_id: str | None,
    joined: tuple[int, ...],
    left: tuple[int, ...],
    world: World,
    untaught: Contribution | None,
) -> Learner:
    """What the row says of education: mostly what it said before, after events that do not tell of it."""
    key_actions = world.product.actions.key
    if untaught is not None and (joined, left) == (untaught.joined, untaught.left):
        visits_moved = (row.top_day, row.days) != untaught.days or row.earlier != untaught.earlier
        if only_used(row, untaught.learner, visits_moved, key_actions):
            return untaught.learner
    return learner_of(row, user_id is not None, joined, left, key_actions)


def _membership(row: Row, began: int | None, user_id: str | None) -> tuple[tuple[int, ...], tuple[int, ...]]:
    return ((), ()) if user_id is None or began is None else membership(began, row.members)


def _weekly(days: tuple[int, int]) -> tuple[int, int]:
    """The days on which a user counts as active within the week up to them."""
    top, mask = days
    return top + WEEKLY_DAYS - 1, weekly_mask(mask)


def _trained(row: Row, joined: tuple[int, ...], left: tuple[int, ...]) -> tuple[int, int]:
    """The days, counted back from the first number, on which the user was active within the week up to it, had
    completed a lesson, and belonged to the account."""
    learned = trained_on(row)
    if learned is None or not row.days:
        return NO_DAYS
    top, mask = _weekly((row.top_day, row.days))
    return top, mask & _since(learned, top) & _here(top, joined, left)


def _regular(row: Row, joined: tuple[int, ...], left: tuple[int, ...], world: World) -> tuple[int, int]:
    """The days on which the user had used the product as often as is regular, and belonged to the account."""
    mask = regular_mask(row.days, world.regular_days) if joined else 0
    top = row.top_day + REGULAR_DAYS - 1
    return (top, mask & _here(top, joined, left)) if mask else NO_DAYS


def _here(top: int, joined: tuple[int, ...], left: tuple[int, ...]) -> int:
    """All days but those on which the user, having been removed, did not belong to the account."""
    mask = -1
    for away, back in zip_longest(left, joined[1:]):
        mask &= ~_since(away, top) | _since(back, top)
    return mask


def _roles(row: Row, trained: tuple[int, int]) -> Mapping[str, tuple[int, int]]:
    """role -> the days on which the user was active within the week up to it and had it, by the last word on it;
    `trained:role` -> those of them on which they had completed a lesson."""
    if not row.members or not row.days:
        return NO_ROLES
    top, mask = _weekly((row.top_day, row.days))
    found: dict[str, tuple[int, int]] = {}
    for role, since, until in roles(row.members):
        held = _since(since, top) & ~_since(until, top)
        for name, days in ((role, mask), (f"trained:{role}", trained[1])):
            if days & held:
                found[name] = top, found.get(name, NO_DAYS)[1] | days & held
    return found


def _since(day: int | None, top: int) -> int:
    """The days from one on, as a mask that counts back from the top day; None where there is no such day."""
    return 0 if day is None else (1 << max(0, top - day + 1)) - 1


def _dues(row: Row, product: Product, now: int) -> list[int]:
    """Moments ahead at which a standing changes by itself: a task overdue, a trial over."""
    found = []
    for journey in product.journey:
        overdue = next_due(row, journey, now)
        if overdue is not None:
            found.append(overdue)
        if row.trial_at is not None and row.trial_at + journey.trial > now:
            found.append(row.trial_at + journey.trial)
    return found


NO_DAYS = (NEVER, 0)
NO_ROLES: Mapping[str, tuple[int, int]] = {}
NOTHING = Contribution(
    "", None, NO_DAYS, NO_DAYS, NO_DAYS, NO_ROLES, {}, {}, None, (), (), (), None, {}, None, NOTHING_SHARED, None, None,
    b"", NOBODY, 0, 0, None,
)  # fmt: skip


def roll_up(account: Account, key: bytes, old: Contribution, new: Contribution) -> bool:
    """Put a row's new part into its account's sums in place of the old one; whether what is said of it may move."""
    used, told = _roll_use(account, old, new), _roll_words(account, key, old, new)
    return used or told


def _roll_use(account: Account, old: Contribution, new: Contribution) -> bool:
    moved = False
    if old.days != new.days:
        shift_days(account.days, old.days, new.days)
        shift_days(account.weekly, _weekly(old.days), _weekly(new.days))
        moved = True
    if old.regular != new.regular:
        shift_days(account.regular, old.regular, new.regular)
        moved = True
    if old.trained != new.trained:
        shift_days(account.trained, old.trained, new.trained)
        moved = True
    if old.roles != new.roles:
        for name in old.roles.keys() | new.roles.keys():
            shift_named(account.roles, name, old.roles.get(name, NO_DAYS), new.roles.get(name, NO_DAYS))
        moved = True
    old_top, new_top = old.days[0], new.days[0]
    if old.features != new.features or old_top != new_top:
        for name, before, now in _moved(old_top, old.features, new_top, new.features):
            account.shift_feature(name, before, now)
        moved = True
    if old.countries != new.countries or (new.countries and old_top != new_top):
        for name, before, now in _moved(old_top, old.countries, new_top, new.countries):
            shift_named(account.countries, name, before, now)
        moved = True
    return moved


def _roll_words(account: Account, key: bytes, old: Contribution, new: Contribution) -> bool:
    moved = False
    if old.began != new.began:
        _move(account.began, (old.began,), (new.began,))
        moved = True
    if old.joined != new.joined:
        _move(account.joined, old.joined, new.joined)
        moved = True
    if old.left != new.left:
        _move(account.left, old.left, new.left)
        moved = True
    if old.mrr != new.mrr:
        _keep(account.mrr, key, new.mrr)
        moved = True
    if old.renewal != new.renewal:
        _keep(account.renewals, key, new.renewal)
        moved = True
    if new.user_id is None and old.shared != new.shared:
        account.shared = new.shared
        moved = moved or old.shared.traits != new.shared.traits
    _keep(account.subjects, key, new.subject)
    return moved


def _keep(kept: dict[bytes, Kept], key: bytes, value: Kept | None) -> None:
    if value is None:
        kept.pop(key, None)
    else:
        kept[key] = value


def _move(sums: dict[int, int], old: Iterable[int | None], new: Iterable[int | None]) -> None:
    for sign, days in ((-1, old), (1, new)):
        for day in days:
            if day is not None:
                add(sums, day, sign)


def _moved(
    old_top: int, old: dict[str, int], new_top: int, new: dict[str, int]
) -> Iterator[tuple[str, tuple[int, int], tuple[int, int]]]:
    """Names whose days are others, with their (top day, mask) before and now; most are the same."""
    ahead = new_top - old_top if old else 0
    for name in old.keys() | new.keys():
        before, after = old.get(name, 0), new.get(name, 0)
        if ahead < 0 or before << ahead != after:
            yield name, (old_top, before), (new_top, after)

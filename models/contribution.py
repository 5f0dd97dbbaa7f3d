"""What one row adds to every sum, at one moment. Taking it out again is subtracting the very same value."""

from collections.abc import Mapping

from msgspec import Struct
from msgspec.structs import replace

from models.arms import Unit
from models.clock import day_of
from models.education.learner import NOBODY, Learner, learner_of, only_used
from models.funnel import Share, user_share
from models.journey import next_due
from models.keeping import earliest
from models.membership import membership
from models.presence import NO_DAYS, NO_ROLES, Days, regular_days, role_days, trained_days
from models.product import Product
from models.rows import NEVER, Row
from models.subject import NOTHING_SHARED, Shared, Subject, shared_of, subject_of
from models.world import World


class Contribution(Struct, frozen=True, gc=False):
    """One row's part in the sums of its account and its partition."""

    account_id: str
    user_id: str | None
    days: Days
    regular: Days
    """Days on which the user counts as one who uses the product regularly, like `days`."""
    trained: Days
    """Days on which the user counts as trained and active, like `days`."""
    roles: Mapping[str, Days]
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
        regular = regular_days(row, joined, left, world.regular_days)
    trained = trained_days(row, joined, left)
    return replace(
        before,
        days=days,
        regular=regular,
        trained=trained,
        roles=role_days(row, trained),
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
    own, accounts = row.converted_at, shared.converted_at
    converted_at = own if accounts is None else earliest(own, accounts)
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
    trained = trained_days(row, joined, left)
    return Contribution(
        account_id=account_id,
        user_id=user_id,
        days=(row.top_day, row.days),
        regular=regular_days(row, joined, left, world.regular_days),
        trained=trained,
        roles=role_days(row, trained),
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
    if untaught is not None and joined == untaught.joined and left == untaught.left:
        visits_moved = (row.top_day, row.days) != untaught.days or row.earlier != untaught.earlier
        if only_used(row, untaught.learner, visits_moved, key_actions):
            return untaught.learner
    return learner_of(row, user_id is not None, joined, left, key_actions)


def _membership(row: Row, began: int | None, user_id: str | None) -> tuple[tuple[int, ...], tuple[int, ...]]:
    return ((), ()) if user_id is None or began is None else membership(began, row.members)


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


NOTHING = Contribution(
    "", None, NO_DAYS, NO_DAYS, NO_DAYS, NO_ROLES, {}, {}, None, (), (), (), None, {}, None, NOTHING_SHARED, None, None,
    b"", NOBODY, 0, 0, None,
)  # fmt: skip

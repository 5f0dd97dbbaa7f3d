"""A snapshot of what was known of an account, and the example that it becomes when its horizon has passed.

Every snapshot is released then, whatever became of the account: a churn that is known early is not learned early, or
the model would believe that most accounts churn while the others are still waiting for their label.
"""

import msgspec
import xxhash
from msgspec import Struct

from models.account import Account
from models.closing import week_end
from models.health.features import Features
from models.health.label import outcome_of
from models.index import WEEK
from models.product import Health, Label, Product

CONTACT = 28
"""Days before a snapshot within which a contact by customer success may still be at work."""


class Example(Struct, frozen=True):
    """What was known of an account at the end of a day, and what became of it.

    release: the day at whose close the label was known. scored: False where the event came so soon that nobody could
    have done anything: it is learned from and calibrated on, but not counted in AUC and lift. contacted: whether
    customer success was in contact with the account in the four weeks before the snapshot or within its horizon; an
    account that was saved teaches that its risk was low.
    """

    account_id: str
    day: int
    release: int
    features: Features
    label: bool
    scored: bool = True
    contacted: bool = False

    @property
    def flags(self) -> int:
        """What became of it, as kept with a prediction: 1 for the event, 2 for `scored`, 4 for `contacted`."""
        return self.label | self.scored << 1 | self.contacted << 2

    @property
    def place(self) -> tuple[int, int, str, int]:
        """Its place in the order of learning: release day, account, day (DESIGN.md, decision 8).

        Accounts are ordered by a hash: their ids may say how old or how large they are, and a model that meets the
        customers of one kind one after the other drifts towards them.
        """
        return self.release, hash_of(self.account_id), self.account_id, self.day


def hash_of(account_id: str) -> int:
    """An account's 64-bit hash: its place in orders and samples, and its name among kept predictions."""
    return xxhash.xxh3_64_intdigest(account_id.encode())


encode_example = msgspec.json.Encoder().encode
decode_example = msgspec.json.Decoder(Example).decode


def is_snapshot_day(day: int, health: Health) -> bool:
    """Whether accounts are looked at for learning at the close of this day: the end of every so many weeks."""
    return day % WEEK == health.week_ends and day // WEEK % health.snapshot_weeks == 0


def due(day: int, product: Product) -> int:
    """The end of the week whose snapshots become examples at the close of a day, itself the end of a week."""
    return week_end(day - product.label.horizon_days - WEEK + 1, product.health.week_ends)


def waiting_days(day: int, product: Product) -> range:
    """The ends of weeks whose snapshots wait for their labels when a day has been closed."""
    last_week_end = day - (day - product.health.week_ends) % WEEK
    return range(due(last_week_end, product) + WEEK, day + 1, WEEK)


def example_of(account_id: str, account: Account, day: int, features: Features, release: int, label: Label) -> Example:
    """The example that a snapshot becomes, from what became of the account."""
    outcome = outcome_of(account, day, label)
    last = day + label.horizon_days
    return Example(
        account_id,
        day,
        release,
        features,
        outcome.happened,
        scored=not outcome.happened or outcome.after > label.unscored_days,
        contacted=any(day - CONTACT < when <= last for when in account.dated.get("cs_contacts", ())),
    )

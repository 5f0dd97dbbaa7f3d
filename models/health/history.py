"""One account's past, told again from its events: what was known of it at the end of two days, and what came between.

The events are the truth, and are kept. So a day can be read as its events say it was, also those that came when it had
been closed. The facts are those of `models.facts`, put together by the same ledger as in a partition.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable
from heapq import nlargest
from typing import NamedTuple

import xxhash

from models.account import Account
from models.clock import start_of
from models.decode import Decode, Ignored, Refusal, event_time
from models.events import Event, Forget, Tick
from models.ledger import Ledger
from models.product import Product
from models.record import Record, latest_plausible
from models.refused import untrue
from models.working import Happening
from models.world import World

LATEST = 3
"""Events of a type that are named; all are counted."""
SETTLED_EVERY = 2_000
"""Events after which those that have been applied are let go."""


class Named(NamedTuple):
    """An event, as it is named where it is the cause of something."""

    at: int
    id: str
    type: str


class Came:
    """Events of one kind: how many there were, and the latest of them."""

    def __init__(self) -> None:
        self.count = 0
        self.latest: list[Named] = []
        """The latest first."""

    def add(self, events: Iterable[Named], count: int = 1) -> None:
        """Count so many more, the latest of which are these."""
        self.count += count
        self.latest = nlargest(LATEST, [*self.latest, *events])


class AsOf:
    """The account as known by the events before an instant, whenever they came."""

    def __init__(self, account_id: str, product: Product, until: int) -> None:
        self.account_id, self.until = account_id, until
        self.ledger = Ledger(World(product), lambda key: None)
        self._applied = 0

    def take(self, happening: Happening) -> bool:
        """Apply an event; whether it counts: it is early enough and not a repeat."""
        if happening.at >= self.until:
            return False
        working = self.ledger.row_of(self.account_id, happening.event.user_id)
        if working.repeats(happening.digest):
            return False
        working.apply(happening)
        self._applied += 1
        if self._applied % SETTLED_EVERY == 0:
            self.settle()
        return True

    def settle(self) -> None:
        """Put into the sums what has been applied."""
        for _ in self.ledger.settle():
            pass

    def remove(self, user_id: str | None) -> None:
        """Remove a user, or (None) everybody."""
        self.settle()
        self.ledger.remove(self.account_id, user_id)

    @property
    def account(self) -> Account | None:
        """The account; None if it had no events by then."""
        self.settle()
        return self.ledger.sums.accounts.get(self.account_id)


class History:
    """Takes an account's records: those of one topic in their order, the topics in any, and others' in between.

    since, day: at the end of which it is looked at. recorded: whether records are of a recording, as in `Partition`.
    """

    def __init__(self, account_id: str, product: Product, since: int, day: int, recorded: bool) -> None:
        self.account_id, self._product, self._recorded = account_id, product, recorded
        self._decode = Decode(product.people_are_accounts)
        self._key = account_id.encode()
        self._spelt = {json.dumps(account_id, ensure_ascii=ascii)[1:-1].encode() for ascii in (True, False)}
        """The id as JSON writes it, with or without escapes."""
        self.before, self.after = (AsOf(account_id, product, start_of(one + 1)) for one in (since, day))
        """The account at the end of either day."""
        self._came: dict[str | None, dict[str, Came]] = defaultdict(lambda: defaultdict(Came))
        """User -> event type -> what came after `since`, up to `day`."""
        self._first: dict[str | None, Named] = {}
        """User -> their first event, up to `day`."""
        self._forgotten: set[str | None] = set()
        self.first: int | None = None
        """When the first of its events was, be it after the day."""
        self.refused: Counter[str] = Counter()
        """Reason -> records of the account that were not accepted."""

    def may_concern(self, key: bytes | None, value: bytes | None) -> bool:
        """Whether a record may be of the account. It costs less to ask than to take it: most are not.

        What counts is the account that an event names; a key says the same where producers do as they are told.
        """
        return key == self._key or (value is not None and any(spelt in value for spelt in self._spelt))

    def take(self, topic: int, record: Record) -> None:
        """Take one record of a source topic (by index). Those of other accounts change nothing."""
        found = self._decode(topic, record.value, record.headers)
        if isinstance(found, Refusal):
            if record.key == self._key:
                self._refuse(found)
        elif not isinstance(found, (Tick, Ignored)) and found.account_id == self.account_id:
            self._take(topic, record, found)

    def _take(self, topic: int, record: Record, event: Event) -> None:
        at = event_time(event)
        if isinstance(at, Refusal):
            return self._refuse(at)
        wrong = untrue(event, at, latest_plausible(record, self._recorded), self._product.tasks)
        if wrong is not None:
            return self._refuse(wrong)
        if isinstance(event, Forget):
            return self._forget(event.user_id)
        if self._forgotten.isdisjoint((None, event.user_id)):
            digest = xxhash.xxh3_64_digest(event.id.encode())
            self._apply(Happening(topic, record.offset, digest, at, event))
        return None

    def _refuse(self, refusal: Refusal) -> None:
        self.refused[refusal.reason] += 1

    def _apply(self, happening: Happening) -> None:
        event, at = happening.event, happening.at
        self.first = at if self.first is None else min(self.first, at)
        try:
            self.before.take(happening)
            counts = self.after.take(happening)
        except Exception as error:  # the partition has refused it, too: a fault of ours, to be seen in `quality`
            return self._refuse(Refusal("internal_error", type(error).__name__))
        if counts:
            named, user = Named(at, event.id, str(event.__struct_config__.tag)), event.user_id
            if user is not None:
                self._first[user] = min(self._first.get(user, named), named)
            if at >= self.before.until:
                self._came[user][named.type].add([named])
        return None

    def _forget(self, user_id: str | None) -> None:
        """As a partition does: a user's events, or all of the account's, have never been."""
        whole = user_id is None or self._product.people_are_accounts
        self._forgotten.add(None if whole else user_id)
        for one in (self.before, self.after):
            one.remove(None if whole else user_id)
        for held in (self._came, self._first):
            for name in [*held] if whole else [user_id]:
                held.pop(name, None)

    # -- what is known when all has been taken -----------------------------------------------------------------------

    @property
    def forgotten(self) -> bool:
        """Whether the account as a whole is to be forgotten."""
        return None in self._forgotten

    def came(self) -> dict[str, Came]:
        """Event type -> what came between the two days, of all users."""
        found: dict[str, Came] = defaultdict(Came)
        for kinds in self._came.values():
            for kind, came in kinds.items():
                found[kind].add(came.latest, came.count)
        return dict(found)

    def firsts(self) -> dict[str, Came]:
        """The same, of users' first events only: whatever they are, they make somebody a user like `member_added`."""
        found: dict[str, Came] = defaultdict(Came)
        for first in self._first.values():
            if first.at >= self.before.until:
                found[first.type].add([first])
        return dict(found)

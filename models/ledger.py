"""A partition's rows and what is derived from them: worked on in steps, settled into the sums, read again in time.

The sums are always those of the rows read at one moment. A row enters by taking its old contribution out and putting
the new one in; rows that change by the passing of time alone wait in a heap, so that nothing is ever scanned for them.
"""

from collections.abc import Callable, Iterable, Iterator
from heapq import heappop, heappush

from msgspec import Struct

from models.authenticity.drawing import NOTHING_DRAWN, draw, drawn_of
from models.authenticity.sums import NO_VISITS
from models.contribution import Contribution, after_usage, contribution_of
from models.rows import NEVER, USER_KEY, Row, SnapshotRow, owner_of, row_key, snapshot_key
from models.subject import NOTHING_SHARED, Shared
from models.sums import Sums
from models.working import SNAPSHOT_ROWS, Working, fresh
from models.world import World

ACCOUNT_DUE = b"U"
"""Begins the heap's entry for an account as one unit of experiments; other entries are row keys."""


class Moved(Struct, frozen=True, gc=False):
    """A row's contribution before and after, and why."""

    account_id: str
    user_id: str | None
    old: Contribution
    new: Contribution
    at: int
    """Event time of the row's last event, or the moment at which time changed it."""
    working: Working | None = None
    """The row and the events that came for it; None when only time has passed."""

    @property
    def forced(self) -> bool:
        """Whether what is said of the row has to be said again, even if it is the same."""
        return self.working is not None and bool(self.working.again)


class Ledger:
    """The rows of one partition. stored: reads a stored row's bytes by key."""

    def __init__(self, world: World, stored: Callable[[bytes], bytes | None]) -> None:
        self.world, self._stored = world, stored
        self.sums = Sums(world)
        self.now = NEVER
        self.pending: dict[bytes, bytes | None] = {}
        """Rows to write: what has been settled and not yet been stored."""
        self._working: dict[tuple[str, str | None], Working] = {}
        self._due: list[tuple[int, bytes]] = []

    def rebuild(self, rows: Iterable[tuple[bytes, Row]], now: int) -> None:
        """Derive everything from the partition's rows, on assignment and whenever a plan is published."""
        said = {account_id: account.said for account_id, account in self.sums.accounts.items()}
        self.sums = Sums(self.world, now)
        self.now = now
        self._due = []
        for key, row in sorted(rows, key=lambda item: item[0][:1]):  # accounts' own rows before their users'
            account_id, user_id = owner_of(key)
            self._contribute(key, row, account_id, user_id)
            self.sums.shift_dated(account_id, None, row)
            if user_id is not None:
                self.sums.authenticity.redraw(NOTHING_DRAWN, drawn_of(row))
            if row.closes:
                self.sums.accounts[account_id].closes = row.closes
        for account_id, account in self.sums.accounts.items():
            account.said = said.get(account_id)
            self.contribute_account(account_id)
        self.sums.mark_everything_changed()
        self.sums.asked.clear()
        self.sums.dated.clear()
        self.sums.moved.clear()  # what was said of an account before stands until something comes or a day begins

    def row_of(self, account_id: str, user_id: str | None) -> Working:
        """The working copy of a user's row, or of the account's own (user None)."""
        working = self._working.get((account_id, user_id))
        if working is None:
            key = row_key(account_id, user_id)
            working = Working(key, account_id, user_id, self._latest(key))
            self._working[account_id, user_id] = working
        return working

    def _latest(self, key: bytes) -> bytes | None:
        return self.pending[key] if key in self.pending else self._stored(key)

    def settle(self) -> Iterator[Moved]:
        """Put what has been worked on into the sums, and among the rows to write."""
        working, self._working = self._working, {}
        for one in working.values():
            self._draw(one)
            value = one.encoded()
            if value is not None:
                self.pending[one.key] = value
        for one in working.values():
            old, new = self._contribute(one.key, one.row, one.account_id, one.user_id, one.only_usage, one.taught)
            if one.dated:
                self._shift_dated(one)
            yield Moved(one.account_id, one.user_id, old, new, one.row.last_at, one)
            if one.user_id is None and self._users_read(old.shared, new.shared):
                yield from self._read_users(one.account_id, new.converted_at)
        asked, self.sums.asked = self.sums.asked, {}
        for account_id in asked:
            self.contribute_account(account_id)

    def _draw(self, working: Working) -> None:
        """Draw a person's instant among those of this step, too: once for all of them."""
        if working.user_id is not None:
            before = draw(working.row, working.applied)
            if before is not None:
                self.sums.authenticity.redraw(before, drawn_of(working.row))

    def _shift_dated(self, one: Working) -> None:
        """Usage changes outcomes only: the rest of the row as it was need not be read again, which would take longer
        than all else that a session changes."""
        if one.before is not None and one.only_usage:
            self.sums.shift_outcomes(one.account_id, one.outcomes, one.row.outcomes)
        else:
            old = None if one.before is None else fresh(one.before)[0]
            self.sums.shift_dated(one.account_id, old, one.row)

    def pass_time(self, now: int) -> Iterator[Moved]:
        """Let time pass: read again what it changes, e.g. a task that is overdue, a unit that has matured.

        Rows that are being worked on wait: when they are settled they are read, in full, at the time that it is then.
        """
        self.now = now
        self.sums.pass_time(now)
        while self._due and self._due[0][0] <= now:
            _, key = heappop(self._due)
            if key.startswith(ACCOUNT_DUE):
                self.contribute_account(key.removeprefix(ACCOUNT_DUE).decode())
            elif (working := self._working.get(owner_of(key))) is not None:
                working.only_usage = False
            elif key in self.sums.parts:
                yield self._read_again(key, now)

    def _read_again(self, key: bytes, at: int) -> Moved:
        """Read a row again of which nothing has come, because something else has moved."""
        account_id, user_id = owner_of(key)
        row, _ = fresh(self._latest(key))
        old, new = self._contribute(key, row, account_id, user_id)
        return Moved(account_id, user_id, old, new, at)

    def _users_read(self, old: Shared, new: Shared) -> bool:
        """Whether users read otherwise with what their account now shares: its traits and churns, and what it is
        assigned to, are asked for by experiments only."""
        return old != new if self.world.plans else old.converted_at != new.converted_at

    def _read_users(self, account_id: str, at: int | None) -> Iterator[Moved]:
        """Read an account's users again: something is true of them all, e.g. it has converted as a whole."""
        for key in self.sums.keys_of(account_id, None):
            if key.startswith(USER_KEY):
                yield self._read_again(key, NEVER if at is None else at)

    def contribute_account(self, account_id: str) -> None:
        """Read an account as one unit of the experiments that have accounts as their units."""
        if self.world.asks_accounts:
            due = self.sums.replace_account_unit(account_id, self.now)
            if due is not None:
                heappush(self._due, (due, ACCOUNT_DUE + account_id.encode()))

    def snapshot(self, account_id: str, day: int) -> dict[str, float] | None:
        """What was known of an account at the end of a day, if that still waits for its label."""
        value = self._latest(snapshot_key(account_id, day))
        return None if value is None else SNAPSHOT_ROWS.decode(value)[0].features

    def keep_snapshot(self, account_id: str, day: int, features: dict[str, float] | None) -> None:
        """Write what is known of an account at the end of a day; None removes it."""
        row = None if features is None else SNAPSHOT_ROWS.encode(SnapshotRow([day], features))
        self.pending[snapshot_key(account_id, day)] = row

    def remove(self, account_id: str, user_id: str | None) -> None:
        """Remove the rows of a user, or (user None) of the account with everybody in it, and what they contributed."""
        for key in self.sums.keys_of(account_id, user_id):
            row, _ = fresh(self._latest(key))
            self.sums.shift_dated(account_id, row, None)
            self.pending[key] = None
            old = self.sums.replace(key, None)
            if old.user_id is not None:
                self.sums.authenticity.redraw(drawn_of(row), NOTHING_DRAWN)
                self.sums.authenticity.visit(old.days, NO_VISITS)

    def taken(self) -> dict[bytes, bytes | None]:
        """The rows to write. Accounts' own come first: a day's closes have to be there before events behind them."""
        pending, self.pending = self.pending, {}
        return dict(sorted(pending.items(), key=lambda item: item[0][:1]))

    def _contribute(
        self,
        key: bytes,
        row: Row,
        account_id: str,
        user_id: str | None,
        only_usage: bool = False,
        taught: bool = False,
    ) -> tuple[Contribution, Contribution]:
        before = self.sums.parts.get(key)
        if before is not None and only_usage and not self.world.asks_usage:
            new = after_usage(row, before, self.world, taught)
        else:
            shared = NOTHING_SHARED if user_id is None else self.sums.shared(account_id)
            new = contribution_of(row, account_id, user_id, self.world, self.now, shared, None if taught else before)
        old = self.sums.replace(key, new)
        if user_id is not None and old.days != new.days:
            self.sums.authenticity.visit(old.days, new.days)
        if new.due is not None and new.due != old.due:
            heappush(self._due, (new.due, key))
        return old, new

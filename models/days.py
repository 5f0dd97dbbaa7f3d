"""Days that are over: closed one after the other, account by account, in slices that let others have their turn.

At a day's close each account's score is remembered. At the end of a week, too, what is known of each account becomes a
snapshot, and the snapshot whose horizon has passed is released as an example with what became of the account. Behind
the day's last account a marker tells the learner that it has all of this partition's examples up to that day.
"""

from collections.abc import Callable, Iterator

from models.account import Account
from models.basis import HEURISTIC, Basis
from models.bookkeeping import Bookkeeping
from models.closing import first_day, moving_days, week_end, with_close
from models.health.example import due, encode_example, example_of, is_snapshot_day
from models.health.intake import Marker
from models.health.known import Known, inputs_for
from models.health.label import little_known, may_happen
from models.ledger import Ledger
from models.messages import Output, encode
from models.product import Product
from models.rows import NEVER

SLICE = 700
"""Work before others have their turn, in units of about 10 µs (`make bench` measures slices)."""
BY_INDEX, BY_MODEL, SNAPSHOT, SAID_BY_INDEX, SAID_BY_MODEL = 14, 24, 12, 6, 30
"""What it takes to judge an account and to keep its close, to take a snapshot, and to say what is new of it."""


class Days:
    """One partition's days. send: takes what is to be sent. Nothing else may be taken while days are left to close."""

    def __init__(
        self, number: int, product: Product, ledger: Ledger, book: Bookkeeping, known: Known,
        send: Callable[[Output], None],
    ) -> None:  # fmt: skip
        self._number, self._product, self._ends = number, product, product.health.week_ends
        self._ledger, self._book, self.known, self._send = ledger, book, known, send
        self.features = inputs_for(product)
        self._left: Iterator[None] | None = None
        self._day = NEVER
        self._work = 0
        self._released: list[tuple[str, int]] = []
        """Snapshots whose examples are among what is to be sent: account and day."""

    def begin(self, over: int) -> None:
        """A day has begun, and all up to `over` are to be closed if they are not."""
        self._left = self._close_all(over)

    @property
    def unfinished(self) -> bool:
        return self._left is not None

    @property
    def waiting(self) -> bool:
        """Whether a day waits to be closed until the labels that were known before it have been learned."""
        return self._left is not None and not self.known.may_close(self._day)

    def go_on(self) -> bool:
        """Do the next slice; whether nothing is left."""
        self._work = 0
        for _ in self._left or ():
            return False
        self._left = None
        return True

    def sent(self) -> None:
        """All examples so far are where the learner reads them. Only now may their snapshots go: outputs and rows are
        written side by side, and a snapshot that is gone before its example has come would be a label lost."""
        for account_id, day in self._released:
            self._ledger.keep_snapshot(account_id, day, None)
        self._released = []

    def _close_all(self, over: int) -> Iterator[None]:
        """A score from a model changes with every day. One from the activity index does not: stretches in which none
        can move are passed over."""
        accounts, closed = self._ledger.sums.accounts.values(), self._book.row.closed_day
        if over > closed:
            first = first_day(accounts, closed, over)
            moving = set(moving_days(accounts, first, over, self._ends))
            if closed == NEVER:
                self._mark(first - 1)  # of the days before there is nothing to send
            for self._day in range(first, over + 1):
                while self.waiting:
                    yield
                if self._day in moving or self.known.before(self._day).kind != HEURISTIC:
                    yield from self._close(self._day)
        basis = self.known.before(self._book.row.closed_day)
        said = SAID_BY_INDEX if basis.kind == HEURISTIC else SAID_BY_MODEL
        for account_id, _ in self._accounts():
            self._ledger.sums.moved[account_id] = None
            yield from self._worked(said)

    def _close(self, day: int) -> Iterator[None]:
        basis = self.known.before(day)
        effort = BY_INDEX if basis.kind == HEURISTIC else BY_MODEL
        ends_week, takes_snapshots = day == week_end(day, self._ends), is_snapshot_day(day, self._product.health)
        self._book.close(day)
        accounts = unknown = 0
        for account_id, account in self._accounts():
            if ends_week:
                self._release(account_id, account, day)
            if account.first_day > day:
                continue
            self._remember(account_id, account, day, basis)
            accounts += 1
            unknown += little_known(account, day)
            yield from self._worked(effort)
            if takes_snapshots and may_happen(account, day, self._product.label):
                self._ledger.keep_snapshot(account_id, day, self.features(account, day))
                yield from self._worked(SNAPSHOT)
        self._mark(day, accounts, unknown)

    def _remember(self, account_id: str, account: Account, day: int, basis: Basis) -> None:
        """Keep the score that the day ended with, if it has changed."""
        closes = with_close(account.closes, day, basis.judge(account, day).score, basis.bands, basis.kind)
        if closes is not account.closes:
            account.closes = closes
            self._ledger.row_of(account_id, None).row.closes = closes

    def _release(self, account_id: str, account: Account, day: int) -> None:
        """Send the snapshot whose horizon has passed, with what became of the account."""
        taken = due(day, self._product)
        features = self._ledger.snapshot(account_id, taken)
        if features is not None:
            example = example_of(account_id, account, taken, features, day, self._product.label)
            self._send(Output("health-examples", 0, account_id.encode(), encode_example(example)))
            self._released.append((account_id, taken))

    def _mark(self, day: int, accounts: int = 0, little_known: int = 0) -> None:
        """Tell the learner that this partition has sent every example up to a day, and of how many accounts it was."""
        key = f"marker|{self._number}".encode()
        marker = Marker(marker=day, partition=self._number, accounts=accounts, little_known=little_known)
        self._send(Output("health-examples", 0, key, encode(marker)))

    def _accounts(self) -> Iterator[tuple[str, Account]]:
        """The accounts there are, each as it is when its turn comes: plans may be published between slices."""
        for account_id in list(self._ledger.sums.accounts):
            account = self._ledger.sums.accounts.get(account_id)
            if account is not None:
                yield account_id, account

    def _worked(self, effort: int) -> Iterator[None]:
        self._work += effort
        if self._work >= SLICE:
            yield

"""One partition's sums, kept true by replacing contributions: accounts, funnel, arms, acceptance.

At every moment each sum equals the sum over the partition's rows read at the partition's time; the tests hold it
against a full recount.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

from models.account import Account
from models.adding import add
from models.arms import Unit
from models.authenticity.sums import AuthenticitySums
from models.contribution import NOTHING, Contribution
from models.dated import Days, shift, shift_outcomes
from models.education.sums import EducationSums
from models.rolling import roll_up
from models.rows import NEVER, Row, row_key
from models.subject import NOTHING_SHARED, Shared, join
from models.tally import Tally
from models.world import World


class Sums:
    """Everything of a partition that is derived by adding up rows."""

    def __init__(self, world: World, now: int = NEVER) -> None:
        self.world = world
        self._now = now
        self.accounts: dict[str, Account] = {}
        self.parts: dict[bytes, Contribution] = {}
        self.funnel: dict[str, Counter[str]] = defaultdict(Counter)
        self.experiments: dict[str, Tally] = {}
        self.education = EducationSums(world.product.education)
        self.authenticity = AuthenticitySums(now)
        self.accepted = 0
        self.duplicates = 0
        self.users = 0
        self.changed: set[tuple[str, str]] = set()
        """(kind, id) of the partials that are no longer what was last sent."""
        self.moved: dict[str, None] = {}
        """Accounts of which something else may have to be said than was said last."""
        self.dated: dict[str, bool] = {}
        """Accounts whose dated sums have changed, which a model reads and the activity index does not; and whether what
        is shown of them in words, whatever the score rests on, may have."""
        self.asked: dict[str, None] = {}
        """Accounts that experiments on accounts have to read again: what they ask of one of its rows has changed."""

    def mark_everything_changed(self) -> None:
        """Every aggregate has to be sent: nobody knows what was sent last."""
        self.changed |= {("funnel", journey.id) for journey in self.world.product.journey}
        self.changed |= {("experiment", experiment) for experiment in self.world.plans}
        self.education.mark_everything_changed()
        self.authenticity.changed = True

    def totals(self) -> dict[str, int]:
        """What the partition adds to `quality` from its rows."""
        return {
            "accounts": len(self.accounts),
            "users": self.users,
            "accepted": self.accepted,
            "duplicates": self.duplicates,
        }

    def keys_of(self, account_id: str, user_id: str | None) -> list[bytes]:
        """The keys of a user's row, or (user None) of all of the account's rows."""
        account = self.accounts.get(account_id)
        if account is None:
            return []
        return sorted(account.rows if user_id is None else account.rows & {row_key(account_id, user_id)})

    def replace(self, key: bytes, new: Contribution | None) -> Contribution:
        """Put a row's contribution in place of its former one, which is returned (NOTHING if there was none)."""
        old = self.parts.get(key, NOTHING)
        account_id = old.account_id if new is None else new.account_id
        account = self.accounts.get(account_id)
        if account is None:
            account = self.accounts[account_id] = Account()
            self.moved[account_id] = None
        if new is None:
            self.parts.pop(key, None)
            account.rows.discard(key)
            new = NOTHING
        else:
            self.parts[key] = new
            if old is NOTHING:
                account.rows.add(key)
        if roll_up(account, key, old, new):
            self.moved[account_id] = None
        if old.learner is not new.learner and old.learner != new.learner:
            rows = (self.parts[one].learner for one in account.rows)
            self.education.replace(account.education, key, old.learner, new.learner, rows)
        if old.subject != new.subject:
            self.asked[account_id] = None
        self._count_rows(old, new)
        if old.journeys != new.journeys or old.converted_at != new.converted_at:
            self._replace_funnel(old, new)
        if old.units != new.units:
            self._replace_units(account, old.units, new.units)
        if not account.rows:
            self._let_go(account_id, account)
        return old

    def shift_dated(self, account_id: str, old: Row | None, new: Row | None) -> None:
        """Put what a row says day by day into its account's sums in place of what it said before."""
        account = self.accounts[account_id]
        shift(account.dated, old, new)
        self.dated[account_id] = True
        if _of_labels(old) != _of_labels(new):
            self.moved[account_id] = None

    def shift_outcomes(self, account_id: str, old: Mapping[str, Days], new: Mapping[str, Days]) -> None:
        """The same of a row of which nothing but outcomes has changed."""
        shown = shift_outcomes(self.accounts[account_id].dated, old, new)
        self.dated[account_id] = shown or self.dated.get(account_id, False)

    def _let_go(self, account_id: str, account: Account) -> None:
        """An account whose rows are all gone has never been."""
        self._replace_units(account, account.unit, {})
        del self.accounts[account_id]

    def shared(self, account_id: str) -> Shared:
        """What the account's own row says of every user in it."""
        account = self.accounts.get(account_id)
        return NOTHING_SHARED if account is None else account.shared

    def replace_account_unit(self, account_id: str, now: int) -> int | None:
        """Read the account as one unit of every experiment on accounts; returns when it changes by itself, if news."""
        account = self.accounts.get(account_id)
        if account is None:
            return None
        units = self.world.units(join(account.subjects.values()), "account", now) if account.subjects else {}
        if units == account.unit:
            return None
        self._replace_units(account, account.unit, units)
        account.unit = units
        return min((unit.matures_at for unit in units.values() if unit.matures_at is not None), default=None)

    def pass_time(self, now: int) -> None:
        """Let units' ages grow."""
        self._now = now
        self.authenticity.advance(now)
        for experiment, tally in self.experiments.items():
            if tally.advance(now - self.world.product.lateness):
                self.changed.add(("experiment", experiment))

    def tally(self, experiment: str) -> Tally:
        """The experiment's sums."""
        tally = self.experiments.get(experiment)
        if tally is None:
            plan = self.world.plans[experiment].plan
            tally = self.experiments[experiment] = Tally(plan, self._now - self.world.product.lateness)
        return tally

    def _count_rows(self, old: Contribution, new: Contribution) -> None:
        self.accepted += new.accepted - old.accepted
        self.duplicates += new.duplicates - old.duplicates
        self.users += bool(new.joined) - bool(old.joined)

    def _replace_funnel(self, old: Contribution, new: Contribution) -> None:
        for sign, one in ((-1, old), (1, new)):
            for journey, counters, at, _ in one.journeys:
                converted = () if one.converted_at is None else (f"converted:{at.completions}",)
                self._add(self.funnel[journey], (*counters, f"dose:{at.completions}", *converted), sign)
                self.changed.add(("funnel", journey))

    def _replace_units(self, account: Account, old: dict[str, Unit], new: dict[str, Unit]) -> None:
        for experiment in old.keys() | new.keys():
            before, after = old.get(experiment), new.get(experiment)
            if before != after:
                clusters = account.clusters.setdefault(experiment, {})
                self.tally(experiment).replace(clusters, before, after)
                if not clusters:
                    del account.clusters[experiment]
                self.changed.add(("experiment", experiment))

    @staticmethod
    def _add(counts: Counter[str], names: Iterable[str], sign: int) -> None:
        for name in names:
            add(counts, name, sign)


def _of_labels(row: Row | None) -> tuple[object, ...]:
    """What a row says of an account's coming and leaving, whatever its score rests on."""
    return () if row is None else (row.churns, row.converted_at, row.mrrs)

"""One partition's sums of education, kept true by replacing what a row says of it.

Everything is a named count by month, concept or table cell, so that partitions' sums add up. What is counted over
accounts or respondents as clusters is kept as sums of their squares and products, too: from those the publisher reads
errors that know that users of one account, and answers of one person, are alike.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from functools import reduce
from typing import Any

import xxhash

from models.adding import add
from models.clock import micros
from models.education.cells import CONCEPTS, SURVEYS, TICKETS, USERS, cells, trained_months
from models.education.learner import ABOUT, NONE_YET, SOURCES, Instants, Learner
from models.education.months import month_at
from models.education.sequence import orders
from models.product import Education

Counts = dict[str, dict[Any, int]]
"""name -> month, concept or cell -> count."""
NAMES_KEPT = 64
"""Areas and concepts that are told of: those with the smallest hashes, among all partitions as in each."""
ALL_TICKETS, OF_AREA = f"{TICKETS}:all", f"{TICKETS}:area:"
AREAS = "areas"
"""Name, beside the counts of all tickets, of the areas' partials that a partition sends."""
APART = 2
"""Months that may lie between two of which tickets are compared: a month and the next, or the one after that."""
AHEAD = range(APART + 1)
AROUND = range(-APART, APART + 1)
PRESENT = "users", "trained", "checked", "correct"


class OfAccount:
    """What an account's rows add up to, where accounts and not users are counted."""

    __slots__ = ("active", "histories", "judged", "present", "tickets", "trained")

    def __init__(self) -> None:
        self.active: dict[int, int] = {}
        """month -> active users."""
        self.trained: dict[int, int] = {}
        """month -> those of them who were trained."""
        self.present: dict[str, int] = {}
        """Of users who belong to it now: how many there are (`users`), have completed a lesson (`trained`), and their
        first tries at concepts: all (`checked`), and right ones (`correct`)."""
        self.tickets: dict[str, dict[int, int]] = {}
        """partial of an area, or of all -> month -> tickets."""
        self.histories = NONE_YET
        """The first event of each source."""
        self.judged: dict[bytes, Learner] = {}
        """Users who belong to it and have passed more than one milestone: which came first depends on histories."""

    def state(self) -> dict[str, Any]:
        """Everything that it holds."""
        return {name: getattr(self, name) for name in self.__slots__}


class EducationSums:
    """Everything that a partition counts of education, by the partial that it is sent in."""

    def __init__(self, settings: Education) -> None:
        stated = {source: micros(at) for source, at in settings.history_since.items()}
        self._stated: Instants = stated.get("product"), stated.get("training"), stated.get("support")
        self.counts: dict[str, Counts] = defaultdict(lambda: defaultdict(dict))
        self.changed: set[str] = set()
        """Partials that are no longer what was last sent."""

    def mark_everything_changed(self) -> None:
        """Every partial has to be sent: nobody knows what was sent last."""
        self.changed |= {USERS, CONCEPTS, ALL_TICKETS, *(f"{SURVEYS}:{about}" for about in ABOUT), *self.counts}

    def share(self, id_: str) -> Mapping[str, Mapping[Any, int]] | None:
        """What is to be sent of a partial; None of an area that is not among those that are told of."""
        counts: Mapping[str, Mapping[Any, int]] = self.counts.get(id_, {})
        if id_.startswith(OF_AREA) and any(counts.values()) and id_ not in self._areas():
            return None
        if id_ == CONCEPTS:
            kept = fewest(counts.get("checked", ()))
            counts = {name: {one: count for one, count in of.items() if one in kept} for name, of in counts.items()}
        if id_ == ALL_TICKETS:  # an area that has no tickets any more has no partial that would say so after a start
            counts = {**counts, AREAS: dict.fromkeys(sorted(self._areas()), 1)}
        return {name: of for name, of in counts.items() if of}

    def _areas(self) -> set[str]:
        return fewest(id_ for id_, counts in self.counts.items() if id_.startswith(OF_AREA) and any(counts.values()))

    # -- a row's part ------------------------------------------------------------------------------------------------

    def replace(self, account: OfAccount, key: bytes, old: Learner, new: Learner, rows: Iterable[Learner]) -> None:
        """Put what a row says in place of what it said. rows: what all of the account's rows say now, this one too."""
        if old.histories != new.histories:
            self._replace_histories(account, old.histories, new.histories, rows)
        if old.tickets != new.tickets:
            self._replace_tickets(account, old.tickets, new.tickets)
        if not (old.stays or new.stays):
            return
        if old.milestones != new.milestones or old.present != new.present or key in account.judged:
            self._judge(account, key, new)
        _replace_present(account, old, new)
        self._replace_active(account, old, new)
        for learner, sign in ((old, -1), (new, 1)) if old.stays else ((new, 1),):
            for id_, name, cell, amount in cells(learner):
                add(self.counts[id_][name], cell, sign * amount)
                self.changed.add(id_)

    def _replace_active(self, account: OfAccount, old: Learner, new: Learner) -> None:
        if old.months == new.months and old.milestones[0] == new.milestones[0]:
            return
        counts = self.counts[USERS]
        for month, change in _difference(old.months, new.months):
            had = month in account.active
            self._shift_active(account, month, change)
            add(counts["accounts_active"], month, (month in account.active) - had)
        for month, change in _difference(trained_months(old), trained_months(new)):
            had = month in account.trained
            add(account.trained, month, change)
            add(counts["accounts_trained"], month, (month in account.trained) - had)

    # -- what came first ---------------------------------------------------------------------------------------------

    def _replace_histories(self, account: OfAccount, old: Instants, new: Instants, rows: Iterable[Learner]) -> None:
        held = account.histories
        if old == NONE_YET or all(_earlier(was, now) == now for was, now in zip(old, new, strict=True)):
            found = _joined(held, new)
        else:  # a row is gone, and its histories with it
            found = reduce(_joined, (one.histories for one in rows), NONE_YET)
        if found == held:
            return
        for histories, sign in ((held, -1), (found, 1)):
            self._count_orders(account.judged.values(), histories, sign)
            for source, at in zip(SOURCES, histories, strict=True):
                if at is not None:
                    add(self.counts[USERS][f"history:{source}"], month_at(at), sign)
        account.histories = found
        self.changed.add(USERS)

    def _judge(self, account: OfAccount, key: bytes, new: Learner) -> None:
        before = account.judged.pop(key, None)
        if new.present and sum(at is not None for at in new.milestones) > 1:
            account.judged[key] = new
        after = account.judged.get(key)
        if before is None or after is None or before.milestones != after.milestones:
            self._count_orders([] if before is None else [before], account.histories, -1)
            self._count_orders([] if after is None else [after], account.histories, 1)

    def _count_orders(self, learners: Collection[Learner], histories: Instants, sign: int) -> None:
        if not learners:
            return
        known = _joined(histories, self._stated)
        for learner in learners:
            for pair, order in orders(learner.milestones, known):
                add(self.counts[USERS][pair], order, sign)
                self.changed.add(USERS)

    # -- tickets for each active user, accounts as clusters ----------------------------------------------------------

    def _replace_tickets(
        self, account: OfAccount, old: Mapping[tuple[str, int], int], new: Mapping[tuple[str, int], int]
    ) -> None:
        for area, month in old.keys() | new.keys():
            change = new.get((area, month), 0) - old.get((area, month), 0)
            if change:
                self._shift_tickets(account, OF_AREA + area, month, change)
                self._shift_tickets(account, ALL_TICKETS, month, change)

    def _shift_tickets(self, account: OfAccount, id_: str, month: int, change: int) -> None:
        counts, held = self.counts[id_], account.tickets.setdefault(id_, {})
        was = id_ == ALL_TICKETS and _there(account, month)
        add(counts["tickets"], month, change)
        _shift_products(counts, "tickets", held, month, change)
        for apart in AROUND:
            add(counts[f"tickets_active:{apart}"], month, change * account.active.get(month + apart, 0))
        add(held, month, change)
        if not held:
            del account.tickets[id_]
        if id_ == ALL_TICKETS:
            self._shift_there(account, month, was)
        self.changed.add(id_)

    def _shift_active(self, account: OfAccount, month: int, change: int) -> None:
        counts, held = self.counts[ALL_TICKETS], account.active
        was = _there(account, month)
        add(counts["active"], month, change)
        _shift_products(counts, "active", held, month, change)
        for id_, tickets in account.tickets.items():
            for apart in AROUND:
                opened = tickets.get(month - apart, 0)
                if opened:
                    add(self.counts[id_][f"tickets_active:{apart}"], month - apart, opened * change)
                    self.changed.add(id_)
        add(held, month, change)
        self._shift_there(account, month, was)
        self.changed.add(ALL_TICKETS)

    def _shift_there(self, account: OfAccount, month: int, was: bool) -> None:
        """Count an account in a month, and in that and another, as soon as it has active users or tickets there."""
        change = _there(account, month) - was
        if change:
            counts = self.counts[ALL_TICKETS]
            add(counts["accounts:0"], month, change)
            for apart in AHEAD[1:]:
                add(counts[f"accounts:{apart}"], month, change * _there(account, month + apart))
                add(counts[f"accounts:{apart}"], month - apart, change * _there(account, month - apart))


def _replace_present(account: OfAccount, old: Learner, new: Learner) -> None:
    was, now = _if_present(old), _if_present(new)
    if was != now:
        for name, before, after in zip(PRESENT, was, now, strict=True):
            if before != after:
                add(account.present, name, after - before)


def _if_present(learner: Learner) -> tuple[int, int, int, int]:
    """What a user adds to `OfAccount.present`."""
    if not learner.present:
        return 0, 0, 0, 0
    return 1, learner.trained, len(learner.checks), sum(learner.checks.values())


def _shift_products(counts: Counts, name: str, held: Mapping[int, int], month: int, change: int) -> None:
    """Move an account's squares and products of a count in two months, as its count in one of them changes."""
    add(counts[f"{name}:0"], month, (2 * held.get(month, 0) + change) * change)
    if not held:
        return
    for apart in AHEAD[1:]:
        add(counts[f"{name}:{apart}"], month, change * held.get(month + apart, 0))
        add(counts[f"{name}:{apart}"], month - apart, change * held.get(month - apart, 0))


def _there(account: OfAccount, month: int) -> bool:
    return month in account.active or month in account.tickets.get(ALL_TICKETS, ())


def _difference(old: tuple[int, ...], new: tuple[int, ...]) -> Iterable[tuple[int, int]]:
    if old == new:
        return ()
    return [*((one, -1) for one in old if one not in new), *((one, 1) for one in new if one not in old)]


def _earlier(one: int | None, other: int | None) -> int | None:
    """The join of two instants, of which neither may be known."""
    return other if one is None or (other is not None and other < one) else one


def _joined(one: Instants, other: Instants) -> Instants:
    (a, b, c), (d, e, f) = one, other
    return _earlier(a, d), _earlier(b, e), _earlier(c, f)


def fewest(names: Iterable[str]) -> set[str]:
    """At most 64 of many names, the same whichever others there are: those with the smallest hashes."""
    every = list(names)
    if len(every) > NAMES_KEPT:
        every = sorted(every, key=lambda name: (xxhash.xxh3_64_intdigest(name.encode()), name))[:NAMES_KEPT]
    return set(every)

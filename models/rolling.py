"""A row's part put into its account's sums in place of the one that it had before: only what differs is touched."""

from collections.abc import Iterable, Iterator
from typing import TypeVar

from models.account import Account, shift_days, shift_named
from models.adding import add
from models.contribution import Contribution
from models.presence import NO_DAYS, weekly_days

Kept = TypeVar("Kept")


def roll_up(account: Account, key: bytes, old: Contribution, new: Contribution) -> bool:
    """Put a row's new part into its account's sums in place of the old one; whether what is said of it may move."""
    used, told = _roll_use(account, old, new), _roll_words(account, key, old, new)
    return used or told


def _roll_use(account: Account, old: Contribution, new: Contribution) -> bool:
    moved = False
    if old.days != new.days:
        shift_days(account.days, old.days, new.days)
        shift_days(account.weekly, weekly_days(old.days), weekly_days(new.days))
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
    if old.subject is not None or new.subject is not None:
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
    for name, after in new.items():
        before = old.get(name, 0)
        if ahead < 0 or before << ahead != after:
            yield name, (old_top, before), (new_top, after)
    if not old.keys() <= new.keys():
        for name in old.keys() - new.keys():
            yield name, (old_top, old[name]), (new_top, 0)

"""What a row keeps and what it lets go: limits on names, days and instants, the same in any order of arrival.

A row has to stay small whatever comes. What stays is chosen by what it is (the smallest hashes, the latest days, the
first and the last instants), never by when it arrived: so the same events leave the same row.
"""

from bisect import insort
from collections.abc import Iterable
from typing import Any

import xxhash

from models.clock import day_of
from models.events import Trait
from models.rows import Row

DAYS_KEPT = 64
MASK = (1 << DAYS_KEPT) - 1
FEATURES_KEPT = 64
COUNTRIES_KEPT = AREAS_KEPT = 16
NAMES_KEPT = 64
TRAITS_KEPT = MEMBERSHIPS_KEPT = 16
FAILURES_KEPT = 8
MRRS_KEPT = 64
INSTANTS_KEPT = 512
EARLIER_DAYS = 384
EARLIER = (1 << EARLIER_DAYS) - 1
ENDS_KEPT = 32
OUTCOME_DAYS = 400
FIXED_POINT = 1_000_000
"""Amounts are kept as integers in millionths, so that adding, removing and merging are exact."""
LARGEST_SUM = 2**63 - 1
"""What a row can store. A day's sum of one name stops there: nine million million units, beyond any real amount."""


def fixed(amount: float) -> int:
    """An amount in millionths."""
    return round(amount * FIXED_POINT)


def earliest(old: int | None, at: int) -> int:
    """The join of two instants of which the first one counts."""
    return at if old is None or at < old else old


def latest(old: int | None, at: int) -> int:
    """The join of two instants of which the last one counts."""
    return at if old is None or at > old else old


def admit(kept: dict[str, Any], name: str, limit: int) -> bool:
    """Whether a name may be kept among at most `limit`: those with the smallest hashes stay.

    A bottom-k sample by hash does not depend on the order of arrival, unlike "the first 64 we saw".
    """
    if name in kept or len(kept) < limit:
        return True
    worst = max(kept, key=_rank)
    if _rank(name) >= _rank(worst):
        return False
    del kept[worst]
    return True


def keep_ends(dated: list[Any]) -> None:
    """Of a sorted list keep the first 32 and the last 32: what is in the middle is let go in any order of arrival."""
    del dated[ENDS_KEPT:-ENDS_KEPT]


def _rank(name: str) -> int:
    return xxhash.xxh3_64_intdigest(name.encode())


def use(row: Row, at: int, feature: str | None = None, visit: bool = True) -> None:
    """Mark a day on which the product was used; automated use is use of the feature, but not a visit.

    A feature keeps its place among the names kept when its days have been let go: only then do the same names stay
    whatever the order of arrival.
    """
    known = row.firsts.get("product")
    if known is None or at < known:
        row.firsts["product"] = at
    day = day_of(at)
    back = row.top_day - day
    if back < 0:
        _age(row, -back)
        row.top_day = day
        back = 0
    bit = 1 << back if back < DAYS_KEPT else 0
    if visit:
        row.days |= bit
        if not bit:
            _store_earlier(row, _earlier(row) | 1 << back - DAYS_KEPT)
    if feature is not None and admit(row.features, feature, FEATURES_KEPT):
        row.features[feature] = row.features.get(feature, 0) | bit
        began = row.first_uses.get(feature)
        if at < began if began is not None else admit(row.first_uses, feature, FEATURES_KEPT):
            row.first_uses[feature] = at


def use_from(row: Row, at: int, country: str) -> None:
    """Mark a day of use with the country it was from; the same day has been marked as one of use (`use`)."""
    if admit(row.countries, country, COUNTRIES_KEPT):
        back = row.top_day - day_of(at)
        row.countries[country] = row.countries.get(country, 0) | (1 << back if back < DAYS_KEPT else 0)


def _age(row: Row, days: int) -> None:
    """Move the masks on by so many days; what was longer ago than the days kept is let go."""
    shift = min(days, DAYS_KEPT)
    if row.days or row.earlier:
        moved = (row.days | _earlier(row) << DAYS_KEPT) << min(days, DAYS_KEPT + EARLIER_DAYS)
        if moved > MASK:
            _store_earlier(row, moved >> DAYS_KEPT)
    row.days = row.days << shift & MASK
    for masks in (row.features, row.countries):
        for name, mask in masks.items():
            masks[name] = mask << shift & MASK


def _earlier(row: Row) -> int:
    return int.from_bytes(row.earlier, "little")


def _store_earlier(row: Row, mask: int) -> None:
    mask &= EARLIER
    row.earlier = mask.to_bytes((mask.bit_length() + 7) // 8, "little")


def active_days(row: Row) -> int:
    """All the days of visits that are kept, 448 of them, counted back from the top day in bit 0."""
    return row.days | _earlier(row) << DAYS_KEPT


def note(row: Row, name: str, at: int, amount: int) -> None:
    """Add to a dated sum that experiments ask for: to the instant, besides the day's sum."""
    add_outcome(row, name, at, amount)
    if not admit(row.dated, name, NAMES_KEPT):
        return
    sums = row.dated.setdefault(name, {})
    sums[at] = _storable(sums.get(at, 0) + amount)
    if len(sums) > INSTANTS_KEPT:
        del sums[min(sums)]


def insert_once(dates: list[int], at: int) -> None:
    """Keep an instant among the first and the last ones."""
    if at not in dates:
        insort(dates, at)
        keep_ends(dates)


def add_outcome(row: Row, name: str, at: int, amount: int, days: int = OUTCOME_DAYS) -> None:
    """Add to a dated sum; days so many or more before the latest one are let go."""
    sums = row.outcomes.get(name)
    if sums is None:
        if not admit(row.outcomes, name, NAMES_KEPT):
            return
        sums = row.outcomes[name] = {}
    _add_on(sums, day_of(at), amount, days)


def _add_on(sums: dict[int, int], day: int, amount: int, days: int) -> None:
    if day in sums:
        sums[day] = _storable(sums[day] + amount)
        return
    sums[day] = amount
    horizon = max(sums) - days
    if min(sums) <= horizon:
        for old in [kept for kept in sums if kept <= horizon]:
            del sums[old]


def _storable(total: int) -> int:
    return total if -LARGEST_SUM <= total <= LARGEST_SUM else max(-LARGEST_SUM, min(total, LARGEST_SUM))


def count_ticket(row: Row, at: int, area: str) -> None:
    """Count a ticket of an area of the product, by day."""
    if admit(row.areas, area, AREAS_KEPT):
        _add_on(row.areas.setdefault(area, {}), day_of(at), 1, OUTCOME_DAYS)


def first(row: Row, what: str, at: int) -> None:
    """Keep when something first was."""
    known = row.firsts.get(what)
    if known is None or at < known:
        row.firsts[what] = at


def check(row: Row, concept: str, at: int, correct: bool) -> None:
    """Keep the first answer on a concept."""
    if admit(row.first_checks, concept, NAMES_KEPT):
        answer = at, correct
        row.first_checks[concept] = min(row.first_checks.get(concept, answer), answer)


def latest_values(dated: Iterable[tuple[int, Trait]]) -> list[tuple[int, Trait]]:
    """The last 16 values in order of time, each once; of one instant, by type and text: 1, true and "1" differ."""
    distinct = {(at, type(value).__name__, str(value)): (at, value) for at, value in dated}
    return [distinct[key] for key in sorted(distinct)][-TRAITS_KEPT:]

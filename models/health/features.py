"""What is known of an account at the end of a day, as numbers that a model can learn from.

Everything is a function of the account's sums and of the day: nothing that happened after the day has any part in it,
so what is learned from a day is what could have been known then. An input that is not known is absent, never 0. Counts
and amounts are as people would say them; a model squashes them for itself.
"""

from collections.abc import Iterator, Mapping
from math import isfinite, log1p
from typing import NamedTuple

from models.account import Account
from models.clock import DAY
from models.dated import COMPLETED, CONVERTED, ENDED, LESSONS, NO_DAYS, ROLES, STARTED
from models.keeping import FIXED_POINT
from models.rows import NEVER

Features = dict[str, float]
WEEK, MONTH, QUARTER, YEAR = 7, 28, 91, 392
"""Days that inputs look back on. Daily sums are kept for 400, back from the latest: rows may be ahead of the day."""
LONGEST_AGO = 56
"""Days without a visit beyond which it makes no difference how many: the days that are kept of a row are 64. What is
told of visits is unknown after as many without any word."""
NAMES = 32
"""Amounts of at most so many names are inputs of an account: those used most in the quarter."""
SEVERITIES = 8
"""Likewise of tickets by severity."""


def features_of(account: Account, day: int, key_actions: tuple[str, ...] = ()) -> Features:
    """All of the account's inputs at the end of a day, each finite. Which of them a model reads is its own."""
    return {name: value for name, value in _of(account, day, key_actions) if isfinite(value)}


def _of(account: Account, day: int, key_actions: tuple[str, ...]) -> Iterator[tuple[str, float]]:
    days, dated = account.days, account.dated
    members = account.users_on(day)
    visitors = account.weekly.get(day, 0)
    yield "days_since_visit", float(next((ago for ago in range(LONGEST_AGO) if day - ago in days), LONGEST_AGO))
    active, before = _days_in(days, day, MONTH), _days_in(days, day - MONTH, MONTH)
    yield "active_days", active * WEEK / MONTH
    yield "active_days_trend", (active - before) * WEEK / MONTH
    yield "visitors", float(visitors)
    yield "members", float(members)
    seats = number_on(account, "seats", day)
    if members > 0:
        yield "weekly_share", min(1.0, visitors / members)
        yield "utilisation", account.regular.get(day, 0) / members
        yield "tasks_completed", _until(dated.get(COMPLETED), day) / members
        yield "tasks_open", (_until(dated.get(STARTED), day) - _until(dated.get(ENDED), day)) / members
    if seats is not None and seats > 0:
        yield "seat_utilisation", visitors / seats
    if visitors:
        yield "trained_share", min(1.0, account.trained.get(day, 0) / visitors)
    yield from _roles(account, day, visitors)
    if key_actions:
        keyed = {d for name in key_actions for d in account.features.get(name, ()) if day - MONTH < d <= day}
        yield "key_action_days", len(keyed) * WEEK / MONTH
    countries = [max((d for d in users if d <= day), default=NEVER) for users in account.countries.values()]
    if max(countries, default=NEVER) > day - LONGEST_AGO:
        yield "countries", float(sum(last > day - MONTH for last in countries))
    yield from _sessions(dated, day)
    yield from _amounts(account, day)
    for name, sums in (("joined", account.joined), ("left", account.left)):
        yield name, float(sum(count for d, count in sums.items() if day - MONTH < d <= day))
    for name, source, window in (
        ("lessons", LESSONS, QUARTER), ("help_cs", "help:CS", MONTH), ("help_other", "help:OTHER", MONTH),
        ("tickets", "tickets", MONTH), ("cs_contacts", "cs_contacts", MONTH),
    ):  # fmt: skip
        yield name, _within(dated.get(source), day, window)
    closed = _within(dated.get("tickets_closed"), day, QUARTER)
    severities = _named(account, day, ("tickets:",))
    yield from ((name, severities[name].month) for name in _most(severities, SEVERITIES))
    yield "tickets_open", max(0.0, _within(dated.get("tickets"), day, QUARTER) - closed)
    yield from _rates(dated, day)
    yield "age", float(max(0, day - account.first_day))
    customer = [d for d in dated.get(CONVERTED, ()) if d <= day]
    if customer:
        yield "customer_age", float(day - min(customer))
    for name in account.shared.traits:
        value = number_on(account, name, day)
        if value is not None:
            yield f"trait:{name}", value


def _roles(account: Account, day: int, visitors: int) -> Iterator[tuple[str, float]]:
    """Who of the users active in the last week were champions, and how many of each role were trained."""
    if not _until(account.dated.get(ROLES), day):
        return

    def active(name: str) -> int:
        return account.roles.get(name, NO_DAYS).get(day, 0)

    yield "champions", float(active("champion"))
    if visitors:
        yield "champion_share", active("champion") / visitors
    for role in ("champion", "admin", "member"):
        if active(role):
            yield f"trained_share:{role}", active(f"trained:{role}") / active(role)


def _sessions(dated: Mapping[str, Mapping[int, int]], day: int) -> Iterator[tuple[str, float]]:
    """How many and how long, as far as lengths were told."""
    told = dated.get("sessions")
    if _within(told, day, LONGEST_AGO):
        sessions = _within(told, day, MONTH)
        yield "sessions", sessions * WEEK / MONTH
        if sessions:
            yield "session_minutes", _within(dated.get("session_seconds"), day, MONTH) / 60 / sessions


class Amount(NamedTuple):
    """What was counted under a name by the end of a day: in four weeks, the four before, a quarter, 56 weeks."""

    month: float
    before: float
    quarter: float
    year: float


def _amount(sums: Mapping[int, int], day: int) -> Amount | None:
    """None where nothing was counted: a name that comes up later is not known yet."""
    known = [(ago, amount) for d, amount in sums.items() if 0 <= (ago := day - d) < YEAR]
    if not known:
        return None
    month = before = quarter = year = 0
    for ago, amount in known:
        year += amount
        if ago < QUARTER:
            quarter += amount
            if ago < MONTH:
                month += amount
            elif ago < 2 * MONTH:
                before += amount
    return Amount(month / FIXED_POINT, before / FIXED_POINT, quarter / FIXED_POINT, year / FIXED_POINT)


def _named(account: Account, day: int, kinds: tuple[str, ...]) -> dict[str, Amount]:
    """What was counted by the end of a day under every name that begins as one of these."""
    return {
        name: amount
        for name, sums in account.dated.items()
        if name.startswith(kinds) and (amount := _amount(sums, day)) is not None
    }


def _most(found: Mapping[str, Amount], names: int) -> list[str]:
    """Of many names those of which there was most in the quarter."""
    return sorted(found, key=lambda name: (-found[name].quarter, name))[:names]


def _amounts(account: Account, day: int) -> Iterator[tuple[str, float]]:
    """What usage reports counted, in all and by name, and the breadth that they are part of."""
    found = _named(account, day, ("reports", "usage:", "automated:"))
    reports = found.pop("reports", None)
    used = [amount for name, amount in found.items() if name.startswith("usage:")]
    yield "breadth", float(account.breadth(day, MONTH) + sum(amount.month > 0 for amount in used))
    yield "configured", float(sum(
        name.startswith("configured:") and any(day - LONGEST_AGO < d <= day for d in days)
        for name, days in account.features.items()
    ))  # fmt: skip
    if reports is not None:
        yield "days_since_report", float(day - max(d for d in account.dated["reports"] if d <= day))
        yield from zip(("reports", "reports_quarter", "reports_year"), (reports.month, *reports[2:]), strict=True)
        total = Amount(*map(sum, zip(*used, strict=True))) if used else Amount(0, 0, 0, 0)
        yield from zip(("usage", "usage_quarter", "usage_year"), (total.month, *total[2:]), strict=True)
        yield "usage_trend", _trend(total)
    for name in _most(found, NAMES):
        yield name, found[name].month
        if name.startswith("usage:"):
            yield f"usage_trend:{name.removeprefix('usage:')}", _trend(found[name])


def _trend(amount: Amount) -> float:
    return log1p(max(0.0, amount.month)) - log1p(max(0.0, amount.before))


def _rates(dated: Mapping[str, Mapping[int, int]], day: int) -> Iterator[tuple[str, float]]:
    """Shares and means of the last quarter; unknown where nobody answered, paid or was spoken to."""
    correct, wrong = (_within(dated.get(f"concept:{verdict}"), day, QUARTER) for verdict in ("correct", "wrong"))
    failed, paid = (_within(dated.get(f"payments_{how}"), day, QUARTER) for how in ("failed", "succeeded"))
    told = _within(dated.get("cs_sentiments"), day, QUARTER)
    if correct + wrong:
        yield "comprehension", correct / (correct + wrong)
    if failed + paid:
        yield "payments_failed", failed / (failed + paid)
    if told:
        yield "cs_sentiment", _within(dated.get("cs_sentiment"), day, QUARTER) / told
    for survey in ("nps", "csat"):
        answers = [
            (int(name.rpartition(":")[2]), _within(sums, day, QUARTER))
            for name, sums in dated.items()
            if name.startswith(f"{survey}:")
        ]
        count = sum(number for _, number in answers)
        if count:
            yield survey, sum(score * number for score, number in answers) / count


def number_on(account: Account, trait: str, day: int) -> float | None:
    """A number told of the account, as last told by the end of a day; None if none was."""
    known = [value for at, value in account.shared.traits.get(trait, ()) if at < (day + 1) * DAY]
    last = known[-1] if known else None
    return float(last) if isinstance(last, int | float) and not isinstance(last, bool) else None


def _days_in(days: Mapping[int, int], day: int, window: int) -> int:
    return sum(map(days.__contains__, range(day - window + 1, day + 1)))


def _within(sums: Mapping[int, int] | None, day: int, window: int) -> float:
    """A dated sum over the `window` days up to a day."""
    if not sums:
        return 0.0
    oldest = day - window
    return sum(amount for d, amount in sums.items() if oldest < d <= day) / FIXED_POINT


def _until(sums: Mapping[int, int] | None, day: int) -> float:
    return sum(amount for d, amount in (sums or {}).items() if d <= day) / FIXED_POINT

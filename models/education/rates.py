"""Tickets for each active user in one month against another: a quasi-Poisson rate ratio with accounts as clusters.

With a level for each month the model log E(tickets) = log(active users) + level gives the pooled rates themselves. Its
error is the sandwich over accounts (Liang and Zeger 1986), which holds however tickets are spread within an account,
and in which a dispersion would cancel out; times G/(G - 1), with G - 1 degrees of freedom.
"""

from collections.abc import Mapping
from fractions import Fraction
from math import exp, log, sqrt
from typing import NamedTuple

from scipy.special import stdtrit

Merged = Mapping[str, Mapping[int, int]]


class Month(NamedTuple):
    """Sums over accounts in one month: tickets (Σt), active users (Σe), Σt², Σe², Σte."""

    tickets: int
    active: int
    tickets2: int
    active2: int
    tickets_active: int


class Between(NamedTuple):
    """Sums over accounts in two months: accounts in either, Σt0t1, Σe0e1, Σt0e1, Σt1e0."""

    accounts: int
    tickets: int
    active: int
    tickets_active: int
    active_tickets: int


class Ratio(NamedTuple):
    """How many times as many tickets for each active user there are in the later month; se: of its logarithm."""

    ratio: float
    se: float
    low: float
    high: float


def month_in(of: Merged, everywhere: Merged, month: int) -> Month:
    """One month's sums. of: those of an area, everywhere: those in which active users are."""
    return Month(
        _at(of, "tickets", month),
        _at(everywhere, "active", month),
        _at(of, "tickets:0", month),
        _at(everywhere, "active:0", month),
        _at(of, "tickets_active:0", month),
    )


def between(of: Merged, everywhere: Merged, first: int, second: int) -> Between:
    """The sums over two months, at most two apart."""
    apart = second - first
    either = _at(everywhere, "accounts:0", first) + _at(everywhere, "accounts:0", second)
    return Between(
        either - _at(everywhere, f"accounts:{apart}", first),
        _at(of, f"tickets:{apart}", first),
        _at(everywhere, f"active:{apart}", first),
        _at(of, f"tickets_active:{apart}", first),
        _at(of, f"tickets_active:{-apart}", second),
    )


def rate_ratio(before: Month, after: Month, both: Between, alpha: float = 0.05) -> Ratio | None:
    """The later rate over the earlier one. None without tickets or active users in either month, or without two
    accounts that differ: then nothing says how well it is known."""
    if not (before.tickets and after.tickets and before.active and after.active) or both.accounts < 2:
        return None
    variance = _spread(before) + _spread(after) - 2 * _together(before, after, both)
    if not variance:
        return None
    se = sqrt(variance * both.accounts / (both.accounts - 1))
    reach = se * float(stdtrit(both.accounts - 1, 1 - alpha / 2))
    ratio = (after.tickets / after.active) / (before.tickets / before.active)
    return Ratio(ratio, se, _exp(log(ratio) - reach), _exp(log(ratio) + reach))


def _spread(month: Month) -> Fraction:
    """Σ(t/Σt - e/Σe)² over accounts, exactly: an account's share of the tickets less its share of the active users."""
    tickets, active = month.tickets, month.active
    return (
        Fraction(month.tickets2, tickets**2)
        + Fraction(month.active2, active**2)
        - Fraction(2 * month.tickets_active, tickets * active)
    )


def _together(before: Month, after: Month, both: Between) -> Fraction:
    """The sum over accounts of that difference in one month times that in the other."""
    return (
        Fraction(both.tickets, before.tickets * after.tickets)
        + Fraction(both.active, before.active * after.active)
        - Fraction(both.tickets_active, before.tickets * after.active)
        - Fraction(both.active_tickets, after.tickets * before.active)
    )


def _exp(power: float) -> float:
    return exp(min(power, 700.0))


def _at(sums: Merged, name: str, month: int) -> int:
    return sums.get(name, {}).get(month, 0)

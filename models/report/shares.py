"""Shares of people with their intervals, by group, and whether they go up from group to group."""

from collections.abc import Iterable, Sequence
from math import isfinite
from typing import Any, NamedTuple

import numpy as np
from scipy.special import chdtrc

from models.inference import effect
from models.inference.doses import WORTH, centred, trend, vector
from models.inference.means import means_of
from models.inference.proportions import wilson
from models.keeping import FIXED_POINT
from models.readout.effects import MILLIONTH
from models.readout.gates import LEAST_CLUSTERS
from models.readout.written import bounds, chance, number
from models.report.people import clustered

Answer = dict[str, Any]


class Tried(NamedTuple):
    """One try: whose, in which group (counted from 0), and whether it came off."""

    account: str
    group: int
    success: bool


def share(successes: int, of: int, alpha: float) -> Answer:
    """A share with Wilson's interval (1927); null without anybody. Units are taken as independent."""
    if not of:
        return {"units": 0, "successes": 0, "rate": None, "ci": None}
    low, high = wilson(successes, of, alpha)
    return {"units": of, "successes": successes, "rate": number(successes / of), "ci": bounds(low, high)}


def by_group(tries: Sequence[Tried], names: Sequence[str], alpha: float) -> list[Answer]:
    """The share of every group, in order; groups without anybody are left out."""
    found = []
    for group, name in enumerate(names):
        mine = [one.success for one in tries if one.group == group]
        if mine:
            found.append({"group": name, **share(sum(mine), len(mine), alpha)})
    return found


def rise(tries: Sequence[Tried], alpha: float) -> Answer:
    """By how much the share differs from one group to the next: a straight line, its error clustered by account."""
    moments = clustered(((one.account, vector(one.group, one.success * FIXED_POINT)) for one in tries), 1, 5)
    nothing = dict.fromkeys(("slope", "se", "ci", "p"))
    if moments.clusters[0] < LEAST_CLUSTERS:
        return {**nothing, "because": f"{LEAST_CLUSTERS} accounts are needed; there are {moments.clusters[0]}"}
    found = trend(means_of(centred(moments), WORTH))
    if not found.se > 0:
        return {**nothing, "because": "all are in one group, or all went alike"}
    interval = effect.interval(effect.Effect(found.slope, found.se, found.df), alpha)
    return {
        "slope": number(found.slope),
        "se": number(found.se),
        "ci": bounds(*interval),
        "p": chance(found.p),
        "at_level": at_level(bounds(*interval)),
        "steady": steady([one.group for one in tries], [one.success for one in tries]),
    }


def steady(groups: Sequence[int], came: Sequence[bool]) -> bool:
    """Whether the share goes the same way from each group to the next, so that a line does not hide a turn."""
    rates = []
    for group in sorted(set(groups)):
        mine = [one for at, one in zip(groups, came, strict=True) if at == group]
        rates.append(sum(mine) / len(mine))
    return rates in (sorted(rates), sorted(rates, reverse=True))


def alike(groups: Sequence[Answer]) -> Answer:
    """Pearson's chi-square that all groups have one share; of units that stand for themselves."""
    n = np.array([row["units"] for row in groups], dtype=float)
    x = np.array([row["successes"] for row in groups], dtype=float)
    pooled = x.sum() / n.sum() if n.sum() else 0.0
    if len(groups) < 2 or not 0 < pooled < 1:
        return {"chi_square": None, "df": None, "p": None, "because": "there is one group, or all went alike"}
    statistic = float(((x - n * pooled) ** 2 / (n * pooled * (1 - pooled))).sum())
    return {"chi_square": number(statistic), "df": len(groups) - 1, "p": chance(chdtrc(len(groups) - 1, statistic))}


def difference(units: Iterable[tuple[str, int, bool]], alpha: float) -> Answer:
    """(account, 0 or 1, whether it came off): the share of group 1 minus that of group 0, clustered by account."""
    nothing = dict.fromkeys(("estimate", "se", "ci", "p"))
    vectors = (
        (account, (0, 0, 1, success * FIXED_POINT) if group else (1, success * FIXED_POINT, 0, 0))
        for account, group, success in units
    )
    moments = clustered(vectors, 2, 2)
    if min(moments.clusters[1:]) < LEAST_CLUSTERS:
        return {**nothing, "because": f"each of the two needs {LEAST_CLUSTERS} accounts"}
    found = effect.intention_to_treat(means_of(moments, np.array([1.0, MILLIONTH])))
    if not found.se > 0:
        return {**nothing, "estimate": number(found.estimate), "because": "in each of the two all went alike"}
    interval = bounds(*effect.interval(found, alpha))
    return {
        "estimate": number(found.estimate),
        "se": number(found.se),
        "ci": interval,
        "p": chance(effect.p_value(found)),
        "at_level": at_level(interval),
    }


def at_level(interval: list[float | None] | None) -> str | None:
    """Where an interval lies: `above` 0, `below` it, or `not told` apart from it; None without one."""
    if interval is None:
        return None
    low, high = interval
    if low is not None and isfinite(low) and low > 0:
        return "above"
    return "below" if high is not None and high < 0 else "not told"

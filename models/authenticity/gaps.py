"""From one event of a person to the next: people act in bursts; generators draw gaps, or keep to a grid."""

from itertools import pairwise
from typing import NamedTuple

import numpy as np

from models.authenticity.chances import jackknife_above, jackknife_below, several
from models.authenticity.finding import Figure, Finding, drawn, found, too_few, unexamined
from models.authenticity.observed import Events, Flags, Ints, known
from models.authenticity.thresholds import THRESHOLDS
from models.clock import DAY, HOUR, SECOND
from models.inference.means import Array

MINUTE = 60 * SECOND
GRIDS = {"minute": MINUTE, "five minutes": 5 * MINUTE, "quarter of an hour": 15 * MINUTE, "hour": HOUR, "day": DAY}
LEAST_GAPS = 5
"""Gaps of a person from which on their spread can be told."""
LONGEST = HOUR
"""Times have to be written at least so finely."""
EDGES = np.array([0.0, 0.1, 0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 5.0, np.inf])


class Gaps(NamedTuple):
    """person: 0, 1, ...; gap: microseconds to the person's next event, in order, 0 left out (several things may be
    recorded in one action)."""

    person: Ints
    gap: Ints


def gaps_of(events: Events) -> Gaps:
    """The gaps of everybody."""
    seen = known(events.at)
    order = np.lexsort((events.at[seen], events.user[seen]))
    user, at = events.user[seen][order], events.at[seen][order]
    _, person = np.unique(user, return_inverse=True)
    gap = np.diff(at)
    kept = (np.diff(person) == 0) & (gap > 0)
    return Gaps(person[1:][kept], gap[kept])


def gap_spread(gaps: Gaps, resolution: int) -> Finding:
    """Greenwood's statistic (1946) of each person's gaps, Σ(share of the whole)²·(n+1)/2, pooled over people: 1 on
    average when instants are independent (Moran 1947), larger for bursts, smaller for a regular beat."""
    check = "gap_spread"
    if resolution > LONGEST:
        return _too_coarse(check)
    n = np.bincount(gaps.person) if len(gaps.person) else np.zeros(0, dtype=np.int64)
    enough = n[gaps.person] >= LEAST_GAPS if len(n) else np.zeros(0, dtype=np.bool_)
    person, gap = gaps.person[enough], gaps.gap[enough].astype(float)
    few = too_few(check, len(gap))
    if few:
        return few
    own = gap / np.bincount(person, gap)[person]
    worth = own**2 * n[person] * (n[person] + 1) / 2

    def greenwood(kept: Flags) -> float:
        return float(worth[kept].sum() / kept.sum())

    estimate, p = jackknife_below(person, greenwood, THRESHOLDS[check].edge)
    says = (
        f"{len(gap):,} gaps within {len(np.unique(person)):,} people spread {estimate:.2f} times as much as those "
        "between independent instants; bursts of activity make more"
    )
    return found(check, len(gap), estimate, p, says, _spread(own * n[person]))


def gap_grid(gaps: Gaps, resolution: int) -> Finding:
    """Whether gaps are whole minutes, hours or days more often than by chance."""
    check = "gap_grid"
    if resolution > LONGEST:
        return _too_coarse(check)
    few = too_few(check, len(gaps.gap))
    if few:
        return few
    rows, p_values = [], []
    for name, grid in GRIDS.items():
        # A gap off by the resolution is on the grid, too: both ends were cut down to it.
        off = np.minimum(gaps.gap % grid, grid - gaps.gap % grid)
        by_chance = 3 * max(resolution, 1) / grid
        if by_chance > 0.5:
            continue
        on_grid = (off <= resolution) & (gaps.gap >= grid - resolution)

        def excess(kept: Flags, on_grid: Flags = on_grid, by_chance: float = by_chance) -> float:
            return float(on_grid[kept].mean()) - by_chance

        estimate, p = jackknife_above(gaps.person, excess, THRESHOLDS[check].edge)
        rows.append((name, estimate, by_chance))
        p_values.append(p)
    if not rows:
        return _too_coarse(check)
    at = int(np.argmax([estimate for _, estimate, _ in rows]))
    name, effect, by_chance = rows[at]
    says = (
        f"{effect + by_chance:.1%} of {len(gaps.gap):,} gaps within people are whole multiples of a {name}; "
        f"by chance {by_chance:.1%} would be"
    )
    figure = drawn(
        "bar", "multiples of", "share of gaps", [row[0] for row in rows], [row[1] + row[2] for row in rows],
        [row[2] for row in rows],
    )  # fmt: skip
    return found(check, len(gaps.gap), effect, several(np.array(p_values)), says, figure)


def equal_gaps(gaps: Gaps, resolution: int) -> Finding:
    """How often a gap equals the one before it, to the resolution."""
    check = "equal_gaps"
    if resolution > LONGEST:
        return _too_coarse(check)
    own = np.diff(gaps.person) == 0
    # Gaps of a few units of the resolution are equal by chance.
    long = (gaps.gap[1:] > 20 * resolution) | (gaps.gap[:-1] > 20 * resolution)
    kept = own & long
    few = too_few(check, int(kept.sum()))
    if few:
        return few
    equal = (np.abs(np.diff(gaps.gap)) <= resolution)[kept]
    effect, p = jackknife_above(gaps.person[1:][kept], lambda rows: float(equal[rows].mean()), THRESHOLDS[check].edge)
    says = f"{int(equal.sum()):,} of {len(equal):,} gaps within people ({effect:.2%}) equal the gap before"
    figure = drawn("bar", "gap", "gaps", ("another", "as before"), (int((~equal).sum()), int(equal.sum())))
    return found(check, len(equal), effect, p, says, figure)


def _spread(relative: Array) -> Figure:
    """Gaps in units of the person's mean, against an exponential distribution."""
    counts, _ = np.histogram(relative, EDGES)
    expected = len(relative) * -np.diff(np.exp(-EDGES))
    names = [f"{low:g} to {high:g}" if np.isfinite(high) else f"over {low:g}" for low, high in pairwise(EDGES)]
    return drawn("bar", "gap, in the person's means", "gaps", names, counts, expected)


def _too_coarse(check: str) -> Finding:
    return unexamined(check, "the times are too coarse for gaps")

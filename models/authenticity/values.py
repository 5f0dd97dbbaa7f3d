"""Numbers that came with events and answers: last digits that somebody liked, and values off their scale."""

from collections.abc import Iterator
from math import sqrt

import numpy as np

from models.authenticity.chances import several, share_above, uneven_above, unevenness
from models.authenticity.counters import Cells
from models.authenticity.finding import Finding, drawn, found, too_few, unexamined
from models.authenticity.observed import Observed, Scale, usable
from models.authenticity.thresholds import THRESHOLDS
from models.inference.means import Array

LEAST_STEPS = 100
"""From three digits on the last one is even in anything that spans some powers of ten (Hill 1995)."""
LEAST_STEP = 1e-3
"""A number of up to 10¹² in such units is still exact."""


def terminal_digits(observed: Observed) -> Finding:
    """Last digits of counts and durations with three digits or more, in the measure where they are most uneven."""
    check = "terminal_digits"
    told = []
    for measure in observed.measures:
        if measure.kind != "score" and measure.step > 0:
            steps = np.abs(np.round(measure.value[usable(measure.value)] / max(measure.step, LEAST_STEP)))
            steps = steps[steps >= LEAST_STEPS]
            if len(steps) >= THRESHOLDS[check].least:
                told.append((measure.name, _digits(steps)))
    if not told:
        return unexamined(check, f"no count or duration has {THRESHOLDS[check].least} values with three digits")
    p_values = np.array([uneven_above(cells, THRESHOLDS[check].edge ** 2) for _, cells in told])
    name, cells = told[int(p_values.argmin())]
    total, most = sum(cells.counts), int(np.argmax(cells.counts))
    says = (
        f"of {total:,} values of {name} with three digits or more {cells.counts[most]:,} end in {most}, where even "
        f"digits make {total / 10:,.1f}; least are {min(cells.counts):,}"
    )
    figure = drawn("bar", f"last digit of {name}", "values", range(10), cells.counts, [total / 10] * 10)
    seen = sum(sum(one.counts) for _, one in told)
    return found(check, seen, sqrt(unevenness(cells)), several(p_values), says, figure)


def _digits(steps: Array) -> Cells:
    """Values by last digit. A value that many have (a due date, a limit) is one reason, not many: values are clusters,
    as people are elsewhere."""
    values, counts = np.unique(steps, return_counts=True)
    digits = np.bincount((values % 10).astype(np.int64), counts, minlength=10).astype(np.int64)
    again = int((counts**2).sum())
    return Cells(tuple(digits.tolist()), again, again)


def off_scale(observed: Observed) -> Finding:
    """The share of values that their scale does not have, in the measure that has most."""
    check = "off_scale"
    rows = []
    for name, value, (low, high) in _scaled(observed):
        given = value[~np.isnan(value)]
        rows.append((name, int(((given < low) | (given > high)).sum()), len(given), low, high))
    rows = [row for row in rows if row[2]]
    if not rows:
        return unexamined(check, "no values have a scale")
    few = too_few(check, max(row[2] for row in rows))
    if few:
        return few
    rows = [row for row in rows if row[2] >= THRESHOLDS[check].least]
    p_values = np.array([share_above(off, of, THRESHOLDS[check].edge) for _, off, of, _, _ in rows])
    name, off, of, low, high = max(rows, key=lambda row: row[1] / row[2])
    says = f"{off:,} of {of:,} values of {name} ({off / of:.2%}) are outside {low:g} to {high:g}"
    figure = drawn("bar", "measure", "share off the scale", [row[0] for row in rows], [row[1] / row[2] for row in rows])
    return found(check, sum(row[2] for row in rows), off / of, several(p_values), says, figure)


def _scaled(observed: Observed) -> Iterator[tuple[str, Array, Scale]]:
    events = observed.events
    if events is not None and events.value is not None and events.scale is not None:
        yield "events' values", events.value, events.scale
    for measure in observed.measures:
        if measure.scale is not None:
            yield measure.name, measure.value, measure.scale

"""When an experiment may be read at all: before that, an estimate is null and says why.

Few clusters or hardly any events make every approximation wrong, the always-valid ones too: what is shown then would
look like a result. The gates count what is there in each arm, never what it says.
"""

from typing import NamedTuple

import numpy as np

from models.inference.columns import OUTCOME, UNITS, UPTAKE
from models.inference.moments import Moments
from models.keeping import FIXED_POINT

LEAST_CLUSTERS = 10
LEAST_EFFECTIVE = 5
"""What each arm's accounts have to be worth: one giant account is one, however many small ones stand beside it."""
LEAST_EVENTS = 5
LEAST_TAKERS = 10
"""Units that took the offer up, in both arms together, before a complier effect is read by its approximation."""


class Gate(NamedTuple):
    """Whether there is enough to read, by arm (control, treatment); `because` is None when there is."""

    because: str | None
    units: tuple[int, int]
    clusters: tuple[int, int]
    takers: int
    effective: float
    """How many equal accounts the smaller arm's are worth."""

    @property
    def open(self) -> bool:
        return self.because is None


def gate_of(moments: Moments | None, binary: bool) -> Gate:
    """The gate of a metric's arms; `binary` outcomes need events and non-events, too."""
    if moments is None:
        return Gate(_few((0, 0)), (0, 0), (0, 0), 0, 0.0)
    sums = np.array(moments.sums, dtype=object).reshape(2, -1)
    units = int(sums[0, UNITS]), int(sums[1, UNITS])
    clusters = moments.clusters[1], moments.clusters[2]
    takers = int(sums[0, UPTAKE] + sums[1, UPTAKE])
    because = None
    effective = min(worth(moments, block) for block in (0, 1))
    if min(clusters) < LEAST_CLUSTERS:
        because = _few(clusters)
    elif effective < LEAST_EFFECTIVE:
        because = (
            f"the accounts of an arm are worth only {effective:.1f} of equal size, because a few hold most units; "
            f"{LEAST_EFFECTIVE} are needed"
        )
    elif binary:
        events = int(sums[0, OUTCOME]) // FIXED_POINT, int(sums[1, OUTCOME]) // FIXED_POINT
        least = min(*events, units[0] - events[0], units[1] - events[1])
        if least < LEAST_EVENTS:
            because = (
                f"each arm needs {LEAST_EVENTS} units with the outcome and {LEAST_EVENTS} without it; with it are "
                f"{events[0]} of {units[0]} in control and {events[1]} of {units[1]} in treatment"
            )
    return Gate(because, units, clusters, takers, effective)


def worth(moments: Moments, block: int) -> float:
    """How many accounts of equal size an arm's accounts are worth: (Σn²)²/Σn⁴ (Satterthwaite 1946)."""
    at = block * moments.columns
    fourths = moments.fourths[block]
    return moments.product(at, at) ** 2 / fourths if fourths else 0.0


def _few(clusters: tuple[int, int]) -> str:
    return (
        f"each arm needs {LEAST_CLUSTERS} mature accounts; there are {clusters[0]} in control and {clusters[1]} in "
        "treatment"
    )

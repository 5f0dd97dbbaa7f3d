"""When an experiment may be read at all: before that, an estimate is null and says why.

Few clusters or hardly any events make every approximation wrong, the always-valid ones too: what is shown then would
look like a result. The gates count what is there in each arm, never what it says.
"""

from typing import NamedTuple

import numpy as np

from models.facts import FIXED_POINT
from models.inference.columns import OUTCOME, UNITS, UPTAKE
from models.inference.moments import Moments

LEAST_CLUSTERS = 10
LEAST_EVENTS = 5
LEAST_TAKERS = 10
"""Units that took the offer up, in both arms together, before a complier effect is read by its approximation."""


class Gate(NamedTuple):
    """Whether there is enough to read, by arm (control, treatment); `because` is None when there is."""

    because: str | None
    units: tuple[int, int]
    clusters: tuple[int, int]
    takers: int

    @property
    def open(self) -> bool:
        return self.because is None


def gate_of(moments: Moments | None, binary: bool) -> Gate:
    """The gate of a metric's arms; `binary` outcomes need events and non-events, too."""
    if moments is None:
        return Gate(_few((0, 0)), (0, 0), (0, 0), 0)
    sums = np.array(moments.sums, dtype=object).reshape(2, -1)
    units = int(sums[0, UNITS]), int(sums[1, UNITS])
    clusters = moments.clusters[1], moments.clusters[2]
    takers = int(sums[0, UPTAKE] + sums[1, UPTAKE])
    because = None
    if min(clusters) < LEAST_CLUSTERS:
        because = _few(clusters)
    elif binary:
        events = int(sums[0, OUTCOME]) // FIXED_POINT, int(sums[1, OUTCOME]) // FIXED_POINT
        least = min(*events, units[0] - events[0], units[1] - events[1])
        if least < LEAST_EVENTS:
            because = (
                f"each arm needs {LEAST_EVENTS} units with the outcome and {LEAST_EVENTS} without it; with it are "
                f"{events[0]} of {units[0]} in control and {events[1]} of {units[1]} in treatment"
            )
    return Gate(because, units, clusters, takers)


def _few(clusters: tuple[int, int]) -> str:
    return (
        f"each arm needs {LEAST_CLUSTERS} mature accounts; there are {clusters[0]} in control and {clusters[1]} in "
        "treatment"
    )

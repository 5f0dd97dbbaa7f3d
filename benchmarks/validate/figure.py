"""The figure of the page: how many experiments have ever found a difference, by how long they have been watched."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from livelift import figure

STEPS = 120
LONGEST = 3
"""Times the planned units that are looked at."""


class Line(NamedTuple):
    """Per run the unit after which it first crossed (0 for never), and how it is drawn."""

    name: str
    crossed: ArrayLike
    colour: str


class Panel(NamedTuple):
    """One chart: over units / planned_units, the share of runs that have ever crossed; dashed lines: name -> share."""

    title: str
    planned: int
    lines: Sequence[Line]
    dashed: dict[str, float]
    top: float


def svg(panels: Sequence[Panel]) -> str:
    """The panels side by side, as a file of its own."""
    return figure.svg([_panel(panel) for panel in panels])


def _panel(panel: Panel) -> figure.Panel:
    shares = [panel.top * i / 4 for i in range(5)]
    return figure.Panel(
        panel.title,
        figure.Axis(f"units / planned_units ({panel.planned:,})", LONGEST, range(LONGEST + 1), str),
        figure.Axis("", panel.top, shares, lambda share: f"{100 * share:.0f} %"),
        [figure.Line(line.name, line.colour, _curve(line, panel.planned)) for line in panel.lines],
        [figure.Dashed(name, (0, share), (LONGEST, share)) for name, share in panel.dashed.items()],
    )


def _curve(line: Line, planned: int) -> list[figure.Point]:
    crossed = np.asarray(line.crossed)
    times = np.linspace(0, LONGEST, STEPS + 1).tolist()
    return [(one, float(((crossed > 0) & (crossed <= one * planned)).mean())) for one in times]

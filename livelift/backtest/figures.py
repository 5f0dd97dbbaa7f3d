"""The figures of a backtest: who catches the events first, and whether what was said 3 % happens 3 % of the time."""

from math import ceil
from typing import Any

from livelift.figure import COLOURS, Axis, Dashed, Line, Panel, percent, svg

Report = dict[str, Any]
LIFT, CALIBRATION = "lift.svg", "calibration.svg"
ALL = Axis("riskiest share of snapshots that is looked at", 1.0, (0, 0.2, 0.4, 0.6, 0.8, 1.0), percent)

TOPS = (0.01, 0.02, 0.04, 0.08, 0.2, 0.4, 0.6, 0.8, 1.0)
"""Where the axes of probabilities may end."""


def figures(report: Report) -> dict[str, str]:
    """Every figure by the name of its file."""
    return {LIFT: lift_curve(report), CALIBRATION: calibration(report)}


def lift_curve(report: Report) -> str:
    """The share of events that is caught, and how many times more that is than blindly, by how many one looks at."""
    curve = report["lift_curve"]
    names = [name for name in report["models"] if all(at["lift"][name] is not None for at in curve)]
    highest = ceil(max((at["lift"][name] for at in curve for name in names), default=1.0))
    caught = [
        Line(name, COLOURS[number], [(0.0, 0.0), *((at["share"], at["share"] * at["lift"][name]) for at in curve)])
        for number, name in enumerate(names)
    ]
    lifts = [
        Line(name, COLOURS[number], [(at["share"], at["lift"][name]) for at in curve])
        for number, name in enumerate(names)
    ]
    steps = range(0, highest + 1, ceil(highest / 5))
    return svg([
        Panel("Events caught", ALL, Axis("", 1.0, (0, 0.25, 0.5, 0.75, 1.0), percent), caught,
              [Dashed("", (0, 0), (1, 1))], "bottom right"),
        Panel("Lift: times as many as blindly", ALL, Axis("", highest, steps, str), lifts,
              [Dashed("blindly", (0, 1), (1, 1))], "top right"),
    ])  # fmt: skip


def calibration(report: Report) -> str:
    """Of each learned model: the observed rate of the event, with its interval, over what was said. Where it would have
    scored, only from then on."""
    learned = [(name, model) for name, model in report["models"].items() if model["role"] != "baseline"]
    return svg([
        _calibrated(name, (model["once_scoring"] or model)["reliability"], COLOURS[number])
        for number, (name, model) in enumerate(learned)
    ])  # fmt: skip


def _calibrated(name: str, rows: list[Report], colour: str) -> Panel:
    highest = max([row["ci"][1] for row in rows] + [row["mean_p"] for row in rows])
    top = next(one for one in TOPS if one >= highest)
    ticks = [top * step / 4 for step in range(5)]
    return Panel(
        f"{name}: observed share of events",
        Axis("probability that was said", top, ticks, percent),
        Axis("", top, ticks, percent),
        [
            Line("", colour, [(row["mean_p"], row["observed"]) for row in rows], dots=True,
                 bars=[((row["mean_p"], row["ci"][0]), (row["mean_p"], row["ci"][1])) for row in rows]),
        ],
        [Dashed("", (0, 0), (top, top))],
    )  # fmt: skip

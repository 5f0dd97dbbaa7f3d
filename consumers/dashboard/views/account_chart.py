"""An account's score over time as a Vega-Lite chart, what is to be seen on it in one sentence, and its values."""

from collections.abc import Sequence
from itertools import groupby
from typing import Any, NamedTuple

from consumers.dashboard.views.account import Point
from consumers.dashboard.views.account_changes import Fall, falling
from consumers.dashboard.words import band
from models.alerts import figures

BANDS = "healthy", "watch", "at_risk"
COLOURS = "#2f9e55", "#b7860b", "#d1495b"
"""Legible on paper and on dark; bands have shapes, too."""
SHAPES = "circle", "triangle-up", "square"
HEIGHT = 260
SHOWN = 400
"""Rows of the table at most: the latest."""


class Chart(NamedTuple):
    """A spec, what is to be seen in one sentence, and its values as rows."""

    spec: dict[str, Any]
    says: str
    rows: list[tuple[str, str, str]]


def chart(told: Sequence[Point], called: str) -> Chart:
    """called: what the score is called, health score or activity index."""
    values = [{"at": one.at, "score": one.score, "band": band(one.band) if one.band else None,
               "kind": one.kind} for one in told]  # fmt: skip
    scale = {"domain": [band(one) for one in BANDS], "range": list(COLOURS)}
    colour = {"field": "band", "type": "nominal", "scale": scale, "title": "Band", "legend": {"symbolOpacity": 1}}
    x = {"field": "at", "type": "temporal", "title": None}
    y = {"field": "score", "type": "quantitative", "scale": {"domain": [0, 100]}, "title": called.capitalize()}
    spec = {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "width": "container", "height": HEIGHT, "data": {"values": values},
        "layer": [
            {
                "data": {"values": _spans(told)},
                "mark": {"type": "rect", "opacity": 0.16},
                "encoding": {
                    "x": {**x, "field": "from"}, "x2": {"field": "until"},
                    "color": colour,
                },
            },
            {
                "mark": {"type": "line", "interpolate": "step-after", "strokeWidth": 2, "color": "#7d8590"},
                "encoding": {"x": x, "y": y, "detail": {"field": "kind", "type": "nominal"}},
            },
            {
                "transform": [{"filter": "datum.band != null"}],
                "mark": {"type": "point", "filled": True, "size": 70},
                "encoding": {
                    "x": x, "y": y,
                    "color": colour,
                    "shape": {
                        "field": "band", "type": "nominal", "title": "Band",
                        "scale": {"domain": scale["domain"], "range": list(SHAPES)},
                    },
                },
            },
        ],
    }  # fmt: skip
    rows = [(one.at, f"{one.score:.1f}", band(one.band) if one.band else "close of the day") for one in told[-SHOWN:]]
    return Chart(spec, says(told, called), rows[::-1])


def _spans(told: Sequence[Point]) -> list[dict[str, str]]:
    """From when until when the account was in each band. A score tells since when it has been in its own."""
    known = [one for one in told if one.band]
    runs = [list(run) for _, run in groupby(known, key=lambda one: one.band)]
    begins = [max(run[0].since, told[0].at) for run in runs]
    ends = [*begins[1:], *([told[-1].at] if told else [])]
    return [{"from": begin, "until": end, "band": band(run[0].band)}
            for run, begin, end in zip(runs, begins, ends, strict=True)]  # fmt: skip


def says(told: Sequence[Point], called: str) -> str:
    """What is to be seen on the chart, with its numbers."""
    if not told:
        return "Nothing has been told yet."
    last = told[-1]
    lowest, highest = min(told, key=lambda one: one.score), max(told, key=lambda one: one.score)
    ends = [f"{figures.score(one.score)} on {one.at[:10]}" for one in (lowest, highest)]
    between = f"between {ends[0]} and {ends[1]}"
    now = f"The {called} is {figures.score(last.score)} of 100 on {last.at[:10]}"
    fell = falling(told)
    since = "" if fell is None else _fell(fell)
    return f"{now}{f'; it was {between}' if len(told) > 1 else ''}.{since}"


def _fell(fell: Fall) -> str:
    since = f"{'at least ' if fell.at_least else ''}{fell.since[:10]}"
    return f" It has been falling since {since}, from {figures.score(fell.score)}."

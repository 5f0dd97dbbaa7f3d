"""Charts of an experiment as Vega-Lite specifications, each from plain rows.

Arms and sides differ by dashes and shapes, never by colour alone; the colours are legible on white and on black.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from consumers.dashboard.views.effects import Effect, scale, unit

Json = Mapping[str, Any]
Spec = dict[str, Any]
SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
BLUE, ORANGE = "#2f7fd8", "#c4660a"
HEIGHT, ROW = 280, 40
WIDEST = 4.0
"""A picture of effects is at most so many times as wide as what is known best asks for: what goes on beyond has an
arrow."""


def running(metric: str, points: Sequence[Json], by: str, least: float | None, crossed: Sequence[Json]) -> Spec:
    """Estimate and confidence sequence of each look. by: `time` or `n`, of the look. least: the smallest effect that
    matters; crossed: looks at which 0 was first excluded."""
    factor = scale(metric)
    rows = [
        {"x": point["time"] if by == "time" else point["units"], "estimate": factor * point["estimate"],
         "low": _scaled(point["low"], factor), "high": _scaled(point["high"], factor)}
        for point in points if point["estimate"] is not None
    ]  # fmt: skip
    x: Spec = {"field": "x", "type": "temporal", "title": "Event time", "axis": {"labelOverlap": True}}
    if by == "n":
        x = {"field": "x", "type": "quantitative", "title": "Mature units", "scale": {"zero": False}}
    y = {"type": "quantitative", "title": _title("Effect", metric)}
    layers: list[Spec] = [
        {"mark": {"type": "area", "color": BLUE, "opacity": 0.2},
         "encoding": {"x": x, "y": {"field": "low", **y}, "y2": {"field": "high"}}},
        {"mark": {"type": "rule", "color": BLUE, "opacity": 0.6},
         "encoding": {"x": x, "y": {"field": "low", **y}, "y2": {"field": "high"}}},
        {"mark": {"type": "line", "color": BLUE, "strokeWidth": 2, "point": {"color": BLUE, "filled": True, "size": 45}},
         "encoding": {"x": x, "y": {"field": "estimate", **y}}},
        {"data": {"values": [{"y": 0.0}]}, "mark": {"type": "rule", "strokeWidth": 1.5}, "encoding": {"y": {"field": "y", **y}}},
    ]  # fmt: skip
    if least:
        layers.append({
            "data": {"values": [{"y": factor * least}]},
            "mark": {"type": "rule", "strokeDash": [6, 4], "color": ORANGE, "strokeWidth": 1.5},
            "encoding": {"y": {"field": "y", **y}},
        })  # fmt: skip
    marks = [{"x": one["time"] if by == "time" else one["units"], "says": one["says"]} for one in crossed]
    if any(one["x"] is not None for one in marks):
        at = {"values": [one for one in marks if one["x"] is not None]}
        layers += [
            {"data": at, "mark": {"type": "rule", "strokeDash": [2, 3], "strokeWidth": 2}, "encoding": {"x": x}},
            {"data": at, "mark": {"type": "text", "align": "left", "dx": 4, "y": 10},
             "encoding": {"x": x, "text": {"field": "says"}}},
        ]  # fmt: skip
    return {"$schema": SCHEMA, "width": "container", "height": HEIGHT, "data": {"values": rows}, "layer": layers}


def by_day(curves: Mapping[str, Sequence[Json]], control: str) -> Spec:
    """Share with the event by day since assignment, a stepped line for each arm."""
    rows = [
        {"day": point["day"], "share": 100 * point["share"], "arm": arm}
        for arm, points in curves.items() for point in points if point["share"] is not None
    ]  # fmt: skip
    arms = sorted(curves, key=lambda arm: arm != control)
    arm = {"field": "arm", "type": "nominal", "title": None, "legend": {"orient": "top", "symbolStrokeWidth": 3}}
    return {
        "$schema": SCHEMA, "width": "container", "height": HEIGHT, "data": {"values": rows},
        "mark": {"type": "line", "interpolate": "step-after", "strokeWidth": 2.5},
        "encoding": {
            "x": {"field": "day", "type": "quantitative", "title": "Days since assignment", "axis": {"tickMinStep": 1}},
            "y": {"field": "share", "type": "quantitative", "title": "Share so far (%)", "scale": {"zero": True}},
            "color": {**arm, "scale": {"domain": arms, "range": [ORANGE, BLUE]}},
            "strokeDash": {**arm, "scale": {"domain": arms, "range": [[6, 4], [1, 0]]}},
        },
    }  # fmt: skip


def effects(metric: str, shown: Sequence[Effect]) -> Spec:
    """Each effect's estimate in the set that holds it. What goes on beyond the picture ends in an arrow, and where it has
    no end in an arrow with ∞."""
    factor = scale(metric)
    parts = [(one.short, factor * low if low is not None else None, factor * high if high is not None else None)
             for one in shown for low, high in one.parts]  # fmt: skip
    points = [{"name": one.short, "at": factor * one.at} for one in shown if one.at is not None and one.parts]
    first, last = domain(parts, [point["at"] for point in points])
    lines, arrows = [], []
    for name, low, high in parts:
        if (low is not None and low > last) or (high is not None and high < first):
            continue
        lines.append({"name": name, "from": first if low is None else max(low, first),
                      "to": last if high is None else min(high, last)})  # fmt: skip
        if low is None or low < first:
            arrows.append({"name": name, "at": first, "sign": "◄ ∞" if low is None else "◄", "side": "left"})
        if high is None or high > last:
            arrows.append({"name": name, "at": last, "sign": "∞ ►" if high is None else "►", "side": "right"})
    names = [one.short for one in shown if one.parts]
    y = {"field": "name", "type": "nominal", "title": None, "sort": names, "scale": {"domain": names},
         "axis": {"labelLimit": 130, "ticks": False}}  # fmt: skip
    x: Spec = {
        "type": "quantitative",
        "title": _title("Effect", metric),
        "scale": {"domain": [first, last], "nice": False},
    }
    return {
        "$schema": SCHEMA, "width": "container", "height": ROW * len(names) + 10,
        "layer": [
            {"data": {"values": [{"zero": 0.0}]}, "mark": {"type": "rule"}, "encoding": {"x": {"field": "zero", **x}}},
            {"data": {"values": lines}, "mark": {"type": "rule", "color": BLUE, "strokeWidth": 4, "opacity": 0.75},
             "encoding": {"x": {"field": "from", **x}, "x2": {"field": "to"}, "y": y}},
            {"data": {"values": [point for point in points if first <= point["at"] <= last]},
             "mark": {"type": "point", "filled": True, "size": 110, "color": ORANGE, "shape": "diamond", "opacity": 1},
             "encoding": {"x": {"field": "at", **x}, "y": y}},
            *(
                {"data": {"values": [one for one in arrows if one["side"] == side]},
                 "mark": {"type": "text", "align": side, "fontSize": 14, "dy": -11},
                 "encoding": {"x": {"field": "at", **x}, "y": y, "text": {"field": "sign"}}}
                for side in ("left", "right")
            ),
        ],
    }  # fmt: skip


def domain(parts: Sequence[tuple[str, float | None, float | None]], points: Sequence[float]) -> tuple[float, float]:
    """The stretch that a picture of effects shows: 0, every estimate, and of the intervals as much as leaves the
    narrowest of them legible."""
    widths = [high - low for _, low, high in parts if low is not None and high is not None and high > low]
    ends = [end for _, *both in parts for end in both if end is not None]
    known = [0.0, *points]
    if not widths:
        reach = max([abs(one) for one in [*known, *ends]], default=0.0) or 1.0
        return -1.5 * reach, 1.5 * reach
    most = WIDEST * min(widths)
    first = max(min([*known, *ends]), min(known) - most)
    last = min(max([*known, *ends]), max(known) + most)
    rim = 0.06 * (last - first) or 1.0
    return first - rim, last + rim


def doses(rows: Sequence[Json], metric: str) -> Spec:
    """Mean outcome by completions."""
    factor = scale(metric)
    values = [
        {"completions": row["completions"], "mean": factor * row["mean"]} for row in rows if row["mean"] is not None
    ]
    return {
        "$schema": SCHEMA, "width": "container", "height": 200, "data": {"values": values},
        "mark": {"type": "bar", "color": BLUE},
        "encoding": {
            "x": {"field": "completions", "type": "ordinal", "title": "Tasks completed", "axis": {"labelAngle": 0}},
            "y": {"field": "mean", "type": "quantitative", "title": "With the outcome (%)" if factor > 1 else "Mean"},
        },
    }  # fmt: skip


def _scaled(value: float | None, factor: float) -> float | None:
    return None if value is None else factor * value


def _title(what: str, metric: str) -> str:
    of = unit(metric)
    return f"{what} ({of})" if of else what

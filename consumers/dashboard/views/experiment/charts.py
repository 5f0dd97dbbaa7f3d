"""Charts of an experiment as Vega-Lite specifications, each from plain rows.

Arms and sides differ by dashes and shapes, never by colour alone; the colours are legible on white and on black.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from consumers.dashboard.views.experiment.effects import Effect, scale, unit

Json = Mapping[str, Any]
Spec = dict[str, Any]
SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
BLUE, ORANGE = "#2f7fd8", "#c4660a"
HEIGHT, ROW = 280, 40
WIDEST = 4.0
"""A picture of effects is at most so many times as wide as what is known best asks for: what goes on beyond has an
arrow."""


def running(
    metric: str, points: Sequence[Json], by: str, begins: str, least: float | None, crossed: Sequence[Json],
) -> Spec:  # fmt: skip
    """Estimate and confidence sequence of each look that told one. by: `time` or `n`; begins: when assignments began to
    count; least: the smallest effect that matters; crossed: when 0 was first excluded."""
    factor, field = scale(metric), "time" if by == "time" else "units"
    rows = [
        {"x": point[field], "estimate": factor * point["estimate"], "low": _scaled(point["low"], factor),
         "high": _scaled(point["high"], factor)}
        for point in points
    ]  # fmt: skip
    bands = [row for row in rows if row["low"] is not None and row["high"] is not None]
    x: Spec = {"field": "x", "type": "quantitative", "title": "Mature units", "scale": {"zero": True}}
    if by == "time":
        x = {"field": "x", "type": "temporal", "title": "Event time", "scale": {"domain": [begins, points[-1]["time"]]},
             "axis": {"format": "%d %b", "labelOverlap": True, "tickCount": 8}}  # fmt: skip
    y = {"type": "quantitative", "title": _title("Effect", metric)}
    within = {"x": x, "y": {"field": "low", **y}, "y2": {"field": "high"}}
    estimate = {"x": x, "y": {"field": "estimate", **y}}
    layers: list[Spec] = [
        {"data": {"values": bands}, "mark": {"type": "area", "color": BLUE, "opacity": 0.2}, "encoding": within},
        {"data": {"values": bands}, "mark": {"type": "rule", "color": BLUE, "opacity": 0.6}, "encoding": within},
        {"mark": {"type": "line", "color": BLUE, "strokeWidth": 2}, "encoding": estimate},
        {"mark": {"type": "point", "color": BLUE, "filled": True, "size": 45, "opacity": 1}, "encoding": estimate},
        _level(0.0, y, {"strokeWidth": 1.5}),
    ]  # fmt: skip
    if least:
        layers.append(_level(factor * least, y, {"strokeDash": [6, 4], "color": ORANGE, "strokeWidth": 1.5}))
    return {
        "$schema": SCHEMA, "width": "container", "height": HEIGHT, "data": {"values": rows},
        "layer": [*layers, *_marks(crossed, field, x)],
    }  # fmt: skip


def _level(at: float, y: Spec, mark: Spec) -> Spec:
    return {"data": {"values": [{"y": at}]}, "mark": {"type": "rule", **mark}, "encoding": {"y": {"field": "y", **y}}}


def _marks(crossed: Sequence[Json], field: str, x: Spec) -> list[Spec]:
    """Lines where something was first found, numbered as the sentences below the chart are."""
    found = [{"x": one[field], "says": str(number)} for number, one in enumerate(crossed, 1) if one[field] is not None]
    if not found:
        return []
    return [
        {"data": {"values": found}, "mark": {"type": "rule", "strokeDash": [2, 3], "strokeWidth": 2},
         "encoding": {"x": x}},
        {"data": {"values": found}, "mark": {"type": "text", "align": "left", "dx": 4, "y": 10, "fontSize": 13},
         "encoding": {"x": x, "text": {"field": "says"}}},
    ]  # fmt: skip


def by_day(curves: Mapping[str, Sequence[Json]], control: str) -> Spec:
    """Share with the event by day since assignment, a stepped line for each arm."""
    rows: list[dict[str, Any]] = [
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
            "y": {"field": "share", "type": "quantitative", "title": "Share so far (%)",
                  "scale": _from_zero(row["share"] for row in rows)},
            "color": {**arm, "scale": {"domain": arms, "range": [ORANGE, BLUE]}},
            "strokeDash": {**arm, "scale": {"domain": arms, "range": [[6, 4], [1, 0]]}},
        },
    }  # fmt: skip


def effects(metric: str, shown: Sequence[Effect]) -> Spec:
    """Each effect's estimate in the set that holds it. What goes on beyond the picture ends in an arrow, with ∞ where
    it has no end."""
    factor = scale(metric)
    known = [one for one in shown if one.parts]
    parts = [(one.short, _scaled(low, factor), _scaled(high, factor)) for one in known for low, high in one.parts]
    points = [{"name": one.short, "at": factor * one.at} for one in known if one.at is not None]
    first, last = domain(parts, [factor * one.at for one in known if one.at is not None])
    lines, ends = [], {"left": [], "right": []}
    for name, low, high in parts:
        begin, end = (first if low is None else low), (last if high is None else high)
        if begin <= last and end >= first:
            lines.append({"name": name, "from": max(begin, first), "to": min(end, last)})
        if low is None or low < first:
            ends["left"].append({"name": name, "at": first, "sign": "∞" if low is None else ""})
        if high is None or high > last:
            ends["right"].append({"name": name, "at": last, "sign": "∞" if high is None else ""})
    names = [one.short for one in known]
    y = {"field": "name", "type": "nominal", "title": None, "sort": names, "scale": {"domain": names},
         "axis": {"labelLimit": 130, "ticks": False, "labelPadding": 12}}  # fmt: skip
    x: Spec = {"type": "quantitative", "title": _title("Effect", metric), "axis": {"tickCount": 8},
               "scale": {"domain": [first, last], "nice": False}}  # fmt: skip
    return {
        "$schema": SCHEMA, "width": "container", "height": ROW * len(names) + 10,
        "layer": [
            {"data": {"values": [{"zero": 0.0}]}, "mark": {"type": "rule"}, "encoding": {"x": {"field": "zero", **x}}},
            {"data": {"values": lines}, "mark": {"type": "rule", "color": BLUE, "strokeWidth": 4, "opacity": 0.75},
             "encoding": {"x": {"field": "from", **x}, "x2": {"field": "to"}, "y": y}},
            {"data": {"values": points},
             "mark": {"type": "point", "filled": True, "size": 110, "color": ORANGE, "shape": "diamond", "opacity": 1},
             "encoding": {"x": {"field": "at", **x}, "y": y}},
            *(part for side, found in ends.items() for part in _arrows(found, side, x, y)),
        ],
    }  # fmt: skip


def _arrows(ends: Sequence[Json], side: str, x: Spec, y: Spec) -> list[Spec]:
    """An arrow at the rim of the picture, and ∞ beside it where there is no end at all."""
    if not ends:
        return []
    at = {"x": {"field": "at", **x}, "y": y}
    return [
        {"data": {"values": ends},
         "mark": {"type": "point", "shape": f"triangle-{side}", "filled": True, "size": 160, "color": BLUE,
                  "opacity": 1},
         "encoding": at},
        {"data": {"values": ends},
         "mark": {"type": "text", "align": side, "dx": 6 if side == "left" else -6, "dy": -12, "fontSize": 18},
         "encoding": {**at, "text": {"field": "sign"}}},
    ]  # fmt: skip


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
            "y": {"field": "mean", "type": "quantitative", "title": "With the outcome (%)" if factor > 1 else "Mean",
                  "scale": _from_zero(one["mean"] for one in values)},
        },
    }  # fmt: skip


def _from_zero(values: Iterable[float]) -> dict[str, Any]:
    """The scale of what grows from nothing, which stands at the bottom even where there is nothing else."""
    return {"zero": True} if any(values) else {"domain": [0, 1]}


def _scaled(value: float | None, factor: float) -> float | None:
    return None if value is None else factor * value


def _title(what: str, metric: str) -> str:
    of = unit(metric)
    return f"{what} ({of})" if of else what

"""The charts of onboarding and education, as Vega-Lite; colours are legible on white and near black, shapes differ."""

from collections.abc import Mapping
from typing import Any

Json = Mapping[str, Any]
Spec = dict[str, Any]
SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
COLOURS = ("#4c8dd6", "#d1741f", "#2f9e6e", "#b065c9", "#c2545f", "#8a8f98", "#9a8426")
HEIGHT, ROW = 280, 28
GREY = "#8a8f98"
BEGAN = ["Began", "Completed"]


def _spec(says: str, **more: Any) -> Spec:
    return {"$schema": SCHEMA, "width": "container", "description": says, **more}


def funnel(journey: Json, says: str) -> Spec:
    """Began and completed side by side, task by task."""
    values = [
        {"task": task, "what": what, "users": row[key]}
        for task, row in journey["tasks"].items() for what, key in (("Began", "started"), ("Completed", "completed"))
    ]  # fmt: skip
    order = [*journey["tasks"]]
    what = {"field": "what", "type": "nominal", "title": None, "legend": {"orient": "top"}}
    return _spec(
        says, height=max(3 * ROW, 2 * ROW * len(order)), data={"values": values},
        mark={"type": "bar", "strokeWidth": 2},
        encoding={
            "y": {"field": "task", "type": "nominal", "sort": order, "title": "Task"},
            "yOffset": {"field": "what", "sort": BEGAN},
            "x": {"field": "users", "type": "quantitative", "title": "Users", "axis": {"tickMinStep": 1}},
            "fill": {**what, "scale": {"domain": BEGAN, "range": ["transparent", COLOURS[0]]}},
            "stroke": {**what, "scale": {"domain": BEGAN, "range": [GREY, COLOURS[0]]}},
        },
    )  # fmt: skip


def surveys(rows: list[dict[str, Any]], says: str) -> Spec:
    """The score of each month with its interval, each matter beside the others."""
    x = {"field": "month", "type": "ordinal", "title": "Month (UTC)", "axis": {"labelAngle": 0}}
    offset = {"field": "about", "type": "nominal"}
    y = {"type": "quantitative", "title": "Net promoter score", "scale": {"domain": [-100, 100]}}
    known = [*dict.fromkeys(row["about"] for row in rows)]
    which = {"field": "about", "type": "nominal", "title": "About", "legend": {"orient": "top"}}
    colour = {**which, "scale": {"domain": known, "range": [*COLOURS[:3]]}}
    shape = {**which, "scale": {"domain": known}}
    intervals = [
        {"transform": [{"filter": "datum.low !== null && datum.high !== null"}],
         "mark": {"type": "rule", "strokeWidth": 2},
         "encoding": {"x": x, "xOffset": offset, "y": {**y, "field": "low"}, "y2": {"field": "high"}, "color": colour}},
    ]  # fmt: skip
    return _spec(
        says, height=HEIGHT, data={"values": rows},
        layer=[
            *(intervals if any(row["low"] is not None for row in rows) else ()),
            {"mark": {"type": "point", "filled": True, "size": 70},
             "encoding": {"x": x, "xOffset": offset, "y": {**y, "field": "nps"}, "color": colour,
                          "shape": shape}},
        ],
    )  # fmt: skip


def tickets(rows: list[dict[str, Any]], annotations: list[Json], says: str) -> Spec:
    """Tickets for each active user by month; what was done is a dashed line in its month, numbered as in the list."""
    months = months_between(min(row["month"] for row in rows), max(row["month"] for row in rows))
    marks = [
        {"month": one["at"][:7], "number": str(place)}
        for place, one in enumerate(annotations, 1)
        if one["at"][:7] in months
    ]
    x = {
        "field": "month",
        "type": "ordinal",
        "title": "Month (UTC)",
        "scale": {"domain": months},
        "axis": {"labelAngle": 0},
    }
    areas = [*dict.fromkeys(row["area"] for row in rows)]
    area = {"field": "area", "type": "nominal", "title": "Area", "scale": {"domain": areas, "range": [*COLOURS]},
            "legend": {"orient": "top", "columns": 2, "labelLimit": 240}}  # fmt: skip
    shape = {"field": "area", "type": "nominal", "title": "Area", "scale": {"domain": areas}}
    noted = [
        {"data": {"values": marks}, "mark": {"type": "rule", "strokeDash": [5, 4], "color": GREY},
         "encoding": {"x": x}},
        {"data": {"values": marks},
         "mark": {"type": "text", "align": "left", "dx": 4, "baseline": "top", "fontSize": 13},
         "encoding": {"x": x, "y": {"value": 2}, "text": {"field": "number"}}},
    ]  # fmt: skip
    return _spec(
        says, height=HEIGHT + 60, data={"values": rows},
        layer=[
            {"mark": {"type": "line", "point": {"filled": True, "size": 60}},
             "encoding": {"x": x, "y": {"field": "rate", "type": "quantitative", "title": "For each active user"},
                          "color": area, "shape": shape}},
            *(noted if marks else ()),
        ],
    )  # fmt: skip


def months_between(first: str, last: str) -> list[str]:
    """Every month of a span, also those that nothing is told of."""
    start, end = (12 * int(text[:4]) + int(text[5:7]) - 1 for text in (first, last))
    return [f"{month // 12:04}-{month % 12 + 1:02}" for month in range(start, end + 1)]


def trend(rows: list[Json], of: str, title: str, says: str) -> Spec:
    """The share of begun tasks that were completed; larger dots rest on more of them."""
    places = [*range(24 if of == "hour" else 1 + max(row[of] for row in rows))]
    axis = {"labelAngle": 0, "labelOverlap": "parity"}
    x = {"field": of, "type": "ordinal", "title": title, "scale": {"domain": places}, "axis": axis}
    size = {"field": "begun", "type": "quantitative", "legend": None, "scale": {"range": [30, 250]}}
    return _spec(
        says, height=200, data={"values": rows},
        layer=[
            {"mark": {"type": "line", "color": COLOURS[0]}, "encoding": {"x": x, "y": _share("rate")}},
            {"mark": {"type": "point", "filled": True, "color": COLOURS[0]},
             "encoding": {"x": x, "y": _share("rate"), "size": size}},
        ],
    )  # fmt: skip


def _share(field: str) -> Json:
    return {"field": field, "type": "quantitative", "title": "Completed, of those begun", "axis": {"format": ".0%"},
            "scale": {"domain": [0, 1]}}  # fmt: skip

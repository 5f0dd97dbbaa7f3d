"""The charts of the model, as Vega-Lite."""

from collections.abc import Mapping
from typing import Any

Json = Mapping[str, Any]
SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
HEIGHT = 320
BLUE, GREY = "#4c8dd6", "#8a8f98"
"""Legible on white and on near black; what is compared differs in shape, too."""


def reliability(rows: list[Json], says: str) -> dict[str, Any]:
    """The observed share, with its interval, over what was said; on the dashed line both are the same."""
    highest = max(max(row["mean_p"], row["observed"], _high(row)) for row in rows)
    top = min(1.0, 1.05 * highest)
    values = [
        {"said": row["mean_p"], "came": row["observed"], "low": row["ci"][0] if row["ci"] else row["observed"],
         "high": _high(row)} for row in rows
    ]  # fmt: skip
    x = {
        "field": "said", "type": "quantitative", "title": "Probability that was said",
        "axis": {"format": ".0%", "tickCount": 6}, "scale": {"domain": [0, top]},
    }  # fmt: skip
    y = {
        "type": "quantitative",
        "title": "Share that came",
        "axis": {"format": ".0%", "tickCount": 6},
        "scale": {"domain": [0, top]},
    }
    return {
        "$schema": SCHEMA, "width": "container", "height": HEIGHT, "description": says, "data": {"values": values},
        "layer": [
            {"data": {"values": [{"said": 0, "came": 0}, {"said": top, "came": top}]},
             "mark": {"type": "line", "strokeDash": [6, 4], "color": GREY},
             "encoding": {"x": x, "y": {**y, "field": "came"}}},
            {"mark": {"type": "rule", "color": BLUE, "strokeWidth": 2},
             "encoding": {"x": x, "y": {**y, "field": "low"}, "y2": {"field": "high"}}},
            {"mark": {"type": "point", "filled": True, "size": 80, "color": BLUE},
             "encoding": {"x": x, "y": {**y, "field": "came"}}},
        ],
    }  # fmt: skip


def _high(row: Json) -> float:
    return float(row["ci"][1]) if row["ci"] and row["ci"][1] is not None else float(row["observed"])

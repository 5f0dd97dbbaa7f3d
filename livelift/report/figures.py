"""The report's figures: what each shows, in words and as Vega-Lite. Told apart by dashes and shapes, not by colour."""

from collections.abc import Callable, Mapping
from textwrap import wrap
from typing import Any, NamedTuple

from livelift.report.words import Json

Spec = dict[str, Any]
Row = dict[str, Any]
WIDTH, HALF = 640, 310
"""Pixels; printed they fill the width of an A4 page's text (170 mm), or half of it."""
HEIGHT, SMALL, LINE = 260, 190, 24
ALONG = 26
"""Characters that fit along the side of a small figure."""
FONT = "Liberation Sans, Arial, Helvetica, sans-serif"
SIZE = 12
CHECK = "check-"
SHARE = {"format": "~%"}
FROM_0 = {"domainMin": 0, "nice": True}
SHORT = {"format": ".3~r", "formatType": "number"}
"""Of numbers that may have many digits."""
LONG = {"symbolSize": 700}
"""Of a legend whose dashes are to be seen."""


class Figure(NamedTuple):
    """question: under which it stands. draw: its specification, None where the report has nothing to draw."""

    question: str
    alt: str
    caption: str
    draw: Callable[[Json], Spec | None]


def specs(report: Json) -> dict[str, Spec]:
    """Every figure that can be drawn, by name, in the order in which they stand in the report."""
    found = {name: spec for name, figure in FIGURES.items() if (spec := figure.draw(report)) is not None}
    for check in report["authenticity"]["checks"]:
        if any(row["observed"] for row in check.get("figure", {}).get("rows", ())):
            found[f"{CHECK}{check['check']}"] = of_check(check)
    return found


def figure_of(name: str, report: Json) -> Figure:
    """What is said of a figure; those of the checks are alike."""
    if name in FIGURES:
        return FIGURES[name]
    check = next(one for one in report["authenticity"]["checks"] if f"{CHECK}{one['check']}" == name)
    figure = check["figure"]
    alt = f"{figure['y_title']} over {figure['x_title']}"
    expected = "expected" in figure["rows"][0]
    caption = (
        f"{check['check']}: observed{' (filled) and expected (dashed line)' if expected else ''}. {check['state']}"
    )
    return Figure("authenticity", alt, caption, lambda _: of_check(check))


# -- pieces ----------------------------------------------------------------------------------------------------------


def chart(layers: list[Spec], rows: list[Row], width: int = WIDTH, height: int = HEIGHT) -> Spec:
    """Layers over the same rows, in black on white."""
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "width": width,
        "height": height,
        "autosize": {"type": "fit", "contains": "padding"},
        "background": "white",
        "data": {"values": rows},
        "layer": layers,
        "config": {
            "font": FONT,
            "axis": {"labelFontSize": SIZE, "titleFontSize": SIZE, "titleFontWeight": "normal", "labelColor": "black",
                     "titleColor": "black", "gridColor": "#ddd", "domainColor": "black", "tickColor": "black",
                     "labelLimit": 400},
            "legend": {"labelFontSize": SIZE, "titleFontSize": SIZE, "titleFontWeight": "normal", "orient": "top",
                       "labelColor": "black", "titleColor": "black", "symbolStrokeColor": "black", "symbolSize": 80,
                       "labelLimit": 300, "symbolStrokeWidth": 2},
            "view": {"stroke": None},
            "line": {"color": "black", "strokeWidth": 2},
            "point": {"color": "black", "size": 60, "filled": False},
            "rule": {"color": "black"},
            "bar": {"color": "#bbb", "stroke": "black", "strokeWidth": 0.5},
        },
    }  # fmt: skip


def on(field: str, title: str | list[str] | None, kind: str = "quantitative", **more: Any) -> Spec:
    return {"field": field, "type": kind, "title": title, **more}


def intervals(y: Spec, x: Spec, across: bool = False, **encoding: Spec) -> list[Spec]:
    """Points with the bars of their intervals (`low` to `high`). across: bars lie along x."""
    ends = {"x": {**x, "field": "low"}, "x2": {"field": "high"}, "y": y} if across else {
        "x": x, "y": {**y, "field": "low"}, "y2": {"field": "high"}}  # fmt: skip
    hidden = {name: one for name, one in encoding.items() if name in ("xOffset", "yOffset")}
    return [
        {"mark": "rule", "encoding": {**ends, **hidden}},
        {"mark": {"type": "point", "filled": True}, "encoding": {"x": x, "y": y, **encoding}},
    ]


def with_ends(row: Row, found: Json, key: str = "ci") -> Row:
    low, high = found[key]
    return {**row, "low": low, "high": high}


# -- the figures -----------------------------------------------------------------------------------------------------


def help_outcomes(report: Json) -> Spec | None:
    found = report["help"]
    if not found["answered"]:
        return None
    names = {"task": "the task in trouble", "all_tasks": "every task", "converted": "conversion"}
    rows = [
        with_ends({"outcome": names[name], "first help": source, "rate": one[source]["rate"]}, one[source])
        for name, one in found["outcomes"].items()
        for source in ("CS", "OTHER")
    ]
    y = on("outcome", None, "nominal", sort=list(names.values()))
    x = on("rate", "share of customers helped", axis=SHARE, scale={"domain": [0, 1]})
    by = on("first help", "first help from", "nominal")
    return chart(intervals(y, x, across=True, shape=by, yOffset=on("first help", None, "nominal")), rows, height=SMALL)


def speed(report: Json) -> Spec | None:
    curves = (report["help"].get("speed") or {}).get("curves")
    if not curves:
        return None
    rows = [
        {"hours": at["hours"], "share": at["share"], "first help": source}
        for source, curve in curves.items()
        for at in curve
        if at["share"] is not None
    ]
    x = on("hours", "hours since the help (wider apart at the beginning)", scale={"type": "sqrt"},
           axis={"values": [0, 1, 4, 12, 24, 48, 96, 168]})  # fmt: skip
    y = on("share", "share that has completed the task", axis=SHARE, scale={"domain": [0, 1]})
    dash = on("first help", "first help from", "nominal", sort=["CS", "OTHER"], legend=LONG)
    return chart([{"mark": "line", "encoding": {"x": x, "y": y, "strokeDash": dash}}], rows)


def dose(report: Json) -> Spec | None:
    found = report["completing"]
    if not found["answered"]:
        return None
    rows = [with_ends({"tasks": one["completions"], "rate": one["rate"]}, one) for one in found["dose"]]
    x = on("tasks", "tasks completed before", "ordinal", axis={"labelAngle": 0})
    return chart(intervals(on("rate", "share converted", axis=SHARE, scale=FROM_0), x), rows)


def landmark(report: Json) -> Spec | None:
    found = report["completing"]
    if not found["answered"] or not found["landmark"]:
        return None
    rows = [
        with_ends({"day": str(at["day"]), "tasks": one["completions"], "rate": one["rate"]}, one)
        for at in found["landmark"]
        for one in at["rows"]
    ]
    days = [str(at["day"]) for at in found["landmark"]]
    by = on("day", "unconverted on day", "nominal", sort=days)
    x = on("tasks", "tasks completed before that day", "ordinal", axis={"labelAngle": 0})
    y = on("rate", "share converted after it", axis=SHARE, scale=FROM_0)
    return chart(intervals(y, x, shape=by, xOffset=on("day", None, "nominal", sort=days)), rows)


def success(report: Json) -> Spec | None:
    views = {
        "by_joining": "joined",
        "by_hour": "task begun",
        "by_since": "hours since joining",
        "by_experience": "done before",
        "by_step": "one more after",
    }
    rows = [
        with_ends({"group": f"{name}: {row['group']}", "rate": row["rate"]}, row)
        for key, name in views.items()
        if report["succeeding"][key]["answered"]
        for row in report["succeeding"][key]["groups"]
    ]
    if not rows:
        return None
    y = on("group", None, "nominal", sort=[row["group"] for row in rows])
    x = on("rate", "share of successes", axis=SHARE, scale={"domain": [0, 1]})
    return chart(intervals(y, x, across=True), rows, height=60 + LINE * len(rows))


def effects(report: Json) -> Spec | None:
    offer = report["offer"]
    if not offer["answered"]:
        return None
    rows = [row for row in _effects(offer) if row["low"] is not None and row["high"] is not None]
    if not rows:
        return None
    y = on("effect", None, "nominal", sort=[row["effect"] for row in rows])
    x = on("estimate", "difference in shares of customers (test minus control)", axis=SHARE)
    zero = {"mark": {"type": "rule", "strokeDash": [4, 3]}, "encoding": {"x": {"datum": 0}}}
    return chart([zero, *intervals(y, x, across=True)], rows, height=60 + LINE * len(rows))


def _effects(offer: Json) -> list[Row]:
    rows = []
    one = offer["engagement"]
    if one["ci"] is not None:
        rows.append(with_ends({"effect": "used CS: offer", "estimate": one["estimate"]}, one))
    for name, metric in offer["metrics"].items():
        if not metric["is_share"]:
            continue
        parts = [("offer, one look", metric["itt"], metric["itt"].get("ci")),
                 ("offer, watched all day", metric["itt"], metric["itt"].get("cs")),
                 ("offer, in trouble", metric["triggered"], metric["triggered"].get("ci")),
                 ("help itself", metric["complier"], _one_interval(metric["complier"]))]  # fmt: skip
        rows += [
            {"effect": f"{name}: {what}", "estimate": found["estimate"], "low": ends[0], "high": ends[1]}
            for what, found, ends in parts
            if ends is not None and found.get("estimate") is not None
        ]
    return rows


def _one_interval(complier: Json) -> list[float] | None:
    """A set of several parts, or of everything, is not drawn."""
    found = (complier.get("ar_set") or {}).get("intervals", [])
    return found[0] if len(found) == 1 else None


def by_day(report: Json) -> Spec | None:
    days = report["offer"].get("by_day") if report["offer"]["answered"] else None
    if not isinstance(days, Mapping):
        return None
    rows = [
        {"day": at["day"], "share": at["share"], "arm": arm}
        for arm, curve in days.items()
        if isinstance(curve, list)
        for at in curve
    ]
    if not rows:
        return None
    x, y = on("day", "days since assignment"), on("share", "share converted so far", axis=SHARE)
    return chart(
        [{"mark": "line", "encoding": {"x": x, "y": y, "strokeDash": on("arm", "arm", "nominal", legend=LONG)}}],
        rows,
    )


def of_check(check: Json) -> Spec:
    """What a check saw, as its finding describes it; what has names is told from top to bottom, to leave them room."""
    figure = check["figure"]
    named = any(isinstance(row["x"], str) for row in figure["rows"])
    broken = any(isinstance(row["x"], float) and not row["x"].is_integer() for row in figure["rows"])
    x = on("x", figure["x_title"], "ordinal" if named or figure["mark"] == "bar" else "quantitative", sort=None,
           axis={"labelAngle": 0, "labelOverlap": True, **(SHORT if broken else {})})  # fmt: skip
    y = on("observed", wrap(figure["y_title"], ALONG))
    layers: list[Spec] = [{"mark": figure["mark"], "encoding": {"x": x, "y": y}}]
    if "expected" in figure["rows"][0]:
        dashed = {"type": "line", "strokeDash": [4, 3], "strokeWidth": 1.5}
        layers.append({"mark": dashed, "encoding": {"x": x, "y": {**y, "field": "expected"}}})
    if named:
        for layer in layers:
            layer["encoding"] = {"x": layer["encoding"]["y"], "y": {**layer["encoding"]["x"], "title": None}}
    return chart(layers, list(figure["rows"]), WIDTH if named else HALF, SMALL)


FIGURES = {
    "help-outcomes": Figure(
        "help", "Shares of customers by outcome and by where the first help came from, with intervals",
        "What went with help from CS and from elsewhere, among customers in trouble. Bars are intervals. "
        "Associated with: who turns to CS was not decided at random.", help_outcomes,
    ),
    "help-speed": Figure(
        "help", "Two rising curves: the share that has completed the task, by hours since help, CS and OTHER",
        "How soon the task in trouble was completed after the first help (Kaplan-Meier). Told apart by "
        "dashes.", speed,
    ),
    "dose": Figure(
        "completing", "Share converted by number of tasks completed, with intervals",
        "Conversion by tasks completed before it. Bars are intervals. Associated with.", dose,
    ),
    "landmark": Figure(
        "completing", "Share converted after a day by tasks completed before it, with intervals, for several days",
        "The same with time in order: of customers unconverted on a day, who converted after it. Told apart by "
        "shapes; bars are intervals.", landmark,
    ),
    "success": Figure(
        "succeeding", "Shares of successes with intervals, by time of day, time since joining and experience",
        "Success by time and experience. Bars are intervals; each name says what it is a share of, as in the "
        "tables.", success,
    ),
    "effects": Figure(
        "offer", "Effects of the offer on shares of customers with intervals, and a dashed line at no effect",
        "What the offer did. Bars are intervals, the dashed line is no effect.", effects,
    ),
    "by-day": Figure(
        "offer", "Two rising curves: the share converted by day since assignment, control and treatment",
        "Conversion in both arms as the days pass. Told apart by dashes.", by_day,
    ),
}  # fmt: skip

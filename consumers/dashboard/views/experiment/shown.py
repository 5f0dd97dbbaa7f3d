"""What the page of an experiment shows, part by part."""

from collections.abc import Mapping, Sequence
from typing import Any

from consumers.dashboard.views.experiment import beside, charts
from consumers.dashboard.views.experiment.effects import all_say, figure_of, in_short, metric_name, says_zero
from consumers.dashboard.views.experiment.looks import crossings, running_rows, running_says
from consumers.dashboard.views.experiment.measured import Measured, by_day_rows, guardrails, measured, provisional
from consumers.dashboard.views.experiment.people import answer_says, arms, health, overlaps, power_says, units_note
from consumers.dashboard.views.experiment.queue import STATES, queued
from consumers.dashboard.views.experiment.whole import Json, is_fixed, planned, primary_of, slot

Shown = dict[str, Any]


def shown_of(snapshot: Json, row: Json, points: Sequence[Json], by: str) -> Shown:
    """Everything on the page. row: of the list of experiments; points: the looks so far; by: what they are drawn
    against, `time` or `n`."""
    metrics = [measured(snapshot, name) for name in snapshot["metrics"]]
    primary = next(one for one in metrics if one.role == "primary")
    return {
        "one": snapshot, "row": queued(row, snapshot), "life": snapshot.get("queue_state"), "states": STATES,
        "fixed": is_fixed(snapshot), "by": by, "primary": primary, "measured": metrics, **_head(snapshot, primary),
        "running": _running(snapshot, points, by), "effects": {one.name: _drawn(one) for one in metrics},
        "curves": _curves(snapshot), "arms": arms(snapshot), "units": units_note(snapshot), "health": health(snapshot),
        "guardrails": guardrails(snapshot), **_beside(snapshot), "parts_of": _parts(snapshot),
        "overlaps": overlaps(snapshot), "slot": slot(snapshot["plan"]), "plan": beside.plan_rows(snapshot["plan"]),
    }  # fmt: skip


def _head(snapshot: Json, primary: Measured) -> Shown:
    alpha = snapshot["plan"]["experiment"]["alpha"]
    cards = [
        {"name": one.name, "figure": figure_of(one), "within": in_short(one, alpha), "zero": says_zero(one)}
        for one in primary.effects if one.short in ("Offered help", "Took it")
    ]  # fmt: skip
    return {
        "cards": cards, "adjusted": any(one.short == "Adjusted" for one in primary.effects),
        "answer": answer_says(snapshot), "answer_by": primary_of(snapshot)[1].get("answer_by"),
        "power": power_says(snapshot),
    }  # fmt: skip


def _running(snapshot: Json, points: Sequence[Json], by: str) -> Shown:
    name, _ = primary_of(snapshot)
    readable = [point for point in points if point["estimate"] is not None]
    crossed = crossings(snapshot, points)
    least, begins = planned(snapshot)[name].smallest_gain, snapshot["plan"]["experiment"]["starts_at"]
    return {
        "spec": charts.running(name, readable, by, begins, least, crossed) if readable else None,
        "says": running_says(name, points), "rows": running_rows(name, points), "crossed": crossed,
        "unreadable": len(points) - len(readable),
    }  # fmt: skip


def _drawn(one: Measured) -> Shown | None:
    """A picture of a metric's effects, and what it shows in words; None while nothing holds any of them."""
    if not any(effect.parts for effect in one.effects):
        return None
    return {"spec": charts.effects(one.name, one.effects), "says": f"{one.says}. {all_say(one.effects)}"}


def _curves(snapshot: Json) -> Mapping[str, Shown]:
    found = {}
    for name in snapshot["metrics"]:
        curves = provisional(snapshot, name)
        if curves is not None:
            found[name] = {
                "spec": charts.by_day(curves[0], snapshot["control"]), "says": curves[1],
                "rows": by_day_rows(curves[0]), "arms": list(curves[0]),
            }  # fmt: skip
    return found


def _beside(snapshot: Json) -> Shown:
    name, _ = primary_of(snapshot)
    rows = beside.dose_rows(snapshot)
    return {
        "help": beside.help_sources(snapshot), "dose": rows, "dose_says": beside.dose_says(snapshot),
        "dose_spec": charts.doses(snapshot["dose"], name) if rows else None,
        "dose_shows": "; ".join(f"{metric_name(name)} {row[2]} with {row[0]} tasks completed" for row in rows),
        "landmark": beside.landmark_rows(snapshot), "success": beside.success_tables(snapshot),
    }  # fmt: skip


def _parts(snapshot: Json) -> list[Shown]:
    name, _ = primary_of(snapshot)
    return [
        {**part, "shows": all_say(part["effects"]), "spec": charts.effects(name, part["effects"])
         if any(effect.parts for effect in part["effects"]) else None}
        for part in beside.parts_of(snapshot)
    ]  # fmt: skip

"""What goes with the outcome, and parts of the units: nothing here is a verdict."""

from collections.abc import Mapping, Sequence
from typing import Any

from consumers.dashboard.views.experiment.effects import (
    NOTHING_KNOWN,
    Effect,
    amount,
    chance,
    difference,
    interval,
    sentence,
    why,
)
from consumers.dashboard.views.experiment.whole import Json, primary_of
from models.alerts import figures


def help_sources(snapshot: Json) -> dict[str, Any]:
    """Outcome after trouble by where the first help came from, with its caution."""
    name, _ = primary_of(snapshot)
    found = snapshot["help"]
    told = found["difference"]
    rows = [
        [label, f"{found[source]['units']:,}", amount(name, found[source]["mean"]) or "Nobody was helped so"]
        for source, label in (("CS", "CS"), ("OTHER", "Anybody else (OTHER)"))
    ]  # fmt: skip
    said = why(told) or NOTHING_KNOWN
    if told["estimate"] is not None:
        within = interval(name, told["ci"])
        said = f"CS against OTHER: {difference(name, told['estimate'])}, {within} (p {chance(told['p'])}, one look)."
    return {"rows": rows, "says": said, "note": sentence(found["note"])}


def dose_rows(snapshot: Json) -> list[list[str]]:
    name, _ = primary_of(snapshot)
    rows = []
    for dose in snapshot["dose"]:
        step = "" if dose["step"] is None else difference(name, dose["step"])
        if dose["step_ci"] is not None:
            step += f", {interval(name, dose['step_ci'])}"
        rows.append([str(dose["completions"]), f"{dose['units']:,}", amount(name, dose["mean"]) or "", step])
    return rows


def dose_says(snapshot: Json) -> str:
    """The dose trend in a sentence."""
    name, _ = primary_of(snapshot)
    trend = snapshot["dose_trend"]
    if trend["slope"] is None:
        return why(trend) or NOTHING_KNOWN
    return f"One more task completed goes with {difference(name, trend['slope'])} (p {chance(trend['p'])})."


LANDMARK = ("day", "completions", "units", "converted")


def landmark_rows(snapshot: Json) -> list[list[str | None]]:
    return [[*(f"{row[key]:,}" for key in LANDMARK), amount("converted", row["rate"])] for row in snapshot["landmark"]]


SUCCESSES = (
    ("by_hour", "hour", "Hour of the day (UTC)"), ("by_day", "day", "Days since assignment"),
    ("by_experience", "experience", "Tasks completed before"),
)  # fmt: skip


def success_tables(snapshot: Json) -> list[dict[str, Any]]:
    """Share of begun tasks that were completed, by hour, day and experience."""
    found = []
    for key, field, says in SUCCESSES:
        rows = [
            [str(row[field]), f"{row['begun']:,}", f"{row['completed']:,}", figures.percent(row["rate"])]
            for row in snapshot["success"][key]
        ]  # fmt: skip
        found.append({"key": key, "says": says, "rows": rows})
    return found


def slices(metric: str, rows: Sequence[Json], field: str, prefix: str = "") -> list[Effect]:
    """The effect in each part of the units, with the interval of one look."""
    return [
        Effect(
            f"{prefix}{row[field]}", f"{prefix}{row[field]}",
            None if row["estimate"] is None else difference(metric, row["estimate"]), row["estimate"],
            None if row.get("ci") is None else interval(metric, row["ci"]),
            () if row.get("ci") is None else (tuple(row["ci"]),),
            ", ".join(f"{units:,} in {arm}" for arm, units in row["units"].items()), why(row),
        )
        for row in rows
    ]  # fmt: skip


def parts_of(snapshot: Json) -> list[dict[str, Any]]:
    """Novelty, weekdays and segments: each a heading, the effects, and what is said of them together."""
    name, primary = primary_of(snapshot)
    found: list[dict[str, Any]] = []
    weeks = primary.get("by_week_since_assignment")
    if weeks:
        found.append({
            "id": "weeks", "says": "By week since assignment: does it last, or was it novelty?",
            "effects": slices(name, weeks, "week", "Week "),
            "note": "The effect on what the outcome grew by in each week.",
        })  # fmt: skip
    if primary.get("by_weekday"):
        found.append({
            "id": "weekdays", "says": "By weekday of assignment (UTC)",
            "effects": slices(name, primary["by_weekday"], "weekday"), "note": "",
        })  # fmt: skip
    for number, (trait, one) in enumerate(primary.get("segments", {}).items()):
        found.append({
            "id": f"segment-{number}", "says": "By segment", "trait": trait,
            "effects": slices(name, one["segments"], "segment"), "note": _of_segments(one),
        })  # fmt: skip
    return found


def _of_segments(found: Json) -> str:
    """Whether the segments of a trait differ, and how many are left out."""
    if not found["segments"]:
        return "No mature unit has this trait yet."
    varies = found["heterogeneity"]
    said = f"Whether the segments differ by more than chance (Cochran's Q): p {chance(varies['p'])}."
    if varies["p"] is None:
        said = f"Whether the segments differ cannot be said: {varies['because']}."
    more = figures.count(found["not_shown"], "smaller segment")
    return f"{said} {more} not shown." if found["not_shown"] else said


def plan_rows(value: Any, path: str = "") -> list[tuple[str, str]]:
    """A plan as `path`, value, without what is empty."""
    if isinstance(value, Mapping):
        return [row for name, inner in value.items() for row in plan_rows(inner, f"{path}.{name}".lstrip("."))]
    if isinstance(value, list | tuple) and any(isinstance(inner, Mapping) for inner in value):
        return [row for inner in value for row in plan_rows(inner, f"{path}[{inner.get('name', '')}]")]
    if value is None or value in ("", [], ()):
        return []
    return [(path, ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value))]

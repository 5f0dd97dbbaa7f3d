"""The looks at an experiment: what the running chart keeps of each, and what looking has found."""

from collections.abc import Iterable, Sequence
from typing import Any

from consumers.dashboard.views.experiment.effects import difference, interval, metric_name
from consumers.dashboard.views.experiment.whole import Json, is_fixed, primary_of
from consumers.dashboard.words import moment, sentence

CROSSED = {
    "itt": "effect of being offered help", "cuped": "adjusted effect", "cace": "effect on those who took it",
    "exact": "exact test",
}  # fmt: skip


def look(snapshot: Json) -> dict[str, Any]:
    """What the running chart keeps of one publishing of an experiment."""
    name, metric = primary_of(snapshot)
    key = "ci" if is_fixed(snapshot) else "cs"
    low, high = metric["itt"].get(key) or (None, None)
    return {
        "time": snapshot["as_of"]["time"],
        "metric": name,
        "units": sum(arm["units"] for arm in metric["arms"].values()),
        "assigned": sum(arm["assigned"] for arm in snapshot["arms"].values()),
        "estimate": metric["itt"].get("estimate"),
        "low": low,
        "high": high,
        "because": metric["itt"].get("because"),
        "verdict": snapshot["decision"]["verdict"],
    }


def looks(history: Iterable[Json], snapshot: Json) -> list[Json]:
    """The looks at an experiment that told something else than the one before, the oldest first, and the one now."""
    found: list[Json] = []
    for one in history:
        if one["time"] is not None and (not found or _told(one) != _told(found[-1])):
            found.append(one)
    now = look(snapshot)
    return found if now["time"] is None or found[-1:] == [now] else [*found, now]


def _told(one: Json) -> Json:
    return {name: value for name, value in one.items() if name != "time"}


def crossings(snapshot: Json, points: Sequence[Json]) -> list[dict[str, Any]]:
    """When the primary's read-outs first excluded 0, and with how many units, as far as the looks hold it."""
    name, _ = primary_of(snapshot)
    crossed = snapshot["looks"]["crossed"].get(name, {})
    found = []
    for key, at in sorted(crossed.items(), key=lambda item: item[1]):
        units = [point["units"] for point in points if point["time"] <= at]
        found.append({"time": at, "units": max(units, default=None), "says": f"0 excluded: {CROSSED.get(key, key)}"})
    return found


def running_says(metric: str, points: Sequence[Json]) -> str:
    """What the running chart shows, in a sentence."""
    seen = [point for point in points if point["estimate"] is not None]
    if not seen:
        return f"No look has told an effect on {metric_name(metric)} yet."
    last = seen[-1]
    known = last["low"] is not None or last["high"] is not None
    within = f", {interval(metric, (last['low'], last['high']))}" if known else ""
    now = f"{difference(metric, last['estimate'])}{within} with {last['units']:,} units"
    if len(seen) == 1:
        return f"One look told an effect: {now}."
    first = f"{difference(metric, seen[0]['estimate'])} with {seen[0]['units']:,} units"
    return f"{len(seen):,} looks told an effect: from {first} to {now}."


def running_rows(metric: str, points: Sequence[Json]) -> list[list[str]]:
    """The looks as a table, the last first."""
    return [
        [
            moment(point["time"]), f"{point['units']:,}",
            "" if point["estimate"] is None else difference(metric, point["estimate"]),
            interval(metric, (point["low"], point["high"]))
            if point["low"] is not None or point["high"] is not None else sentence(point["because"] or "not known"),
        ]
        for point in reversed(points)
    ]  # fmt: skip

"""Experiments: the queue with its verdicts, and all that is known of one."""

from consumers.dashboard.page import Asked, Page, View
from consumers.dashboard.read import Json, Read
from consumers.dashboard.views import experiment_charts as charts
from consumers.dashboard.views import experiments as views

SECTION = "/experiments"


async def queue(read: Read, asked: Asked) -> View:
    """Every experiment in the order of its place: state, who approved it, verdict and why."""
    listed = await read.get("experiments")
    rows = (listed or {}).get("experiments", [])
    snapshots = await _snapshots(read, [row["experiment"] for row in rows])
    every = views.queue(rows, snapshots)
    state, verdict = asked.get("state", ""), asked.get("verdict", "")
    shown = [one for one in every if state in ("", one.state) and verdict in ("", one.verdict or "none")]
    return View(
        "Experiments",
        "experiments.html",
        {"experiments": listed},
        {
            "rows": shown, "of": len(every), "state": state, "asked_verdict": verdict, "states": views.STATES,
            "verdicts": views.VERDICTS,
        },
        ("experiments",),
    )  # fmt: skip


async def one(read: Read, asked: Asked) -> View:
    """All that is known of one experiment."""
    id_ = asked["path:experiment"]
    key = f"experiment:{id_}"
    listed, snapshot = await read.many(["experiments", key])
    rows: list[Json] = (listed or {}).get("experiments", [])
    row = next((row for row in rows if row["experiment"] == id_), None)
    keys = key, "experiments"
    if snapshot is None and row is None:
        missing = "`livelift experiments list` shows what is there; the list of experiments is one link above."
        return View(f"There is no experiment {id_}", "experiment.html", None, keys=keys, missing=missing)
    data = {"experiment": row, key: snapshot}
    if snapshot is None:
        shown = {"row": views.queued(row or {}, None), "life": (row or {}).get("queue_state"), "states": views.STATES}
        return View(id_, "experiment_waiting.html", data, shown, keys)
    by = "n" if asked.get("by") == "n" else "time"
    points = views.looks(await read.experiment_points(id_, views.look), snapshot)
    group = views.same_group(id_, snapshot["plan"], await _snapshots(read, [one["experiment"] for one in rows]))
    shown = shown_of(snapshot, row or {"experiment": id_, "decision": snapshot["decision"]}, points, by)
    return View(id_, "experiment.html", data | {f"{key}:history": points}, shown | {"group": group}, keys)


async def _snapshots(read: Read, ids: list[str]) -> dict[str, Json | None]:
    return dict(zip(ids, await read.many([f"experiment:{id_}" for id_ in ids]), strict=True))


def shown_of(snapshot: Json, row: Json, points: list[Json], by: str) -> Json:
    """What the page of an experiment shows."""
    name, _ = views.primary_of(snapshot)
    measured = [views.measured(snapshot, metric) for metric in snapshot["metrics"]]
    primary = next(one for one in measured if one.name == name)
    plan, crossed = views.planned(snapshot), views.crossings(snapshot, points)
    alpha = snapshot["plan"]["experiment"]["alpha"]
    readable = [point for point in points if point["estimate"] is not None]
    curves = {one.name: views.provisional(snapshot, one.name) for one in measured}
    return {
        "one": snapshot, "row": views.queued(row, snapshot), "life": snapshot.get("queue_state"), "states": views.STATES,
        "by": by, "primary": primary, "others": [one for one in measured if one is not primary], "measured": measured,
        "offered": views.headline(primary.effects[0], alpha),
        "took": views.headline(next(one for one in primary.effects if one.short == "Took it"), alpha),
        "took_estimate": views.figure_of(next(one for one in primary.effects if one.short == "Took it")),
        "adjusted": any(one.short == "Adjusted" for one in primary.effects),
        "running": {
            "spec": charts.running(name, readable, by, plan[name].smallest_gain, crossed) if readable else None,
            "says": views.running_says(name, points), "rows": views.running_rows(name, points), "crossed": crossed,
            "unreadable": len(points) - len(readable),
        },
        "effects": {
            one.name: charts.effects(one.name, one.effects) for one in measured if any(e.parts for e in one.effects)
        },
        "curves": {
            metric: {
                "spec": charts.by_day(found[0], snapshot["control"]), "says": found[1],
                "rows": views.by_day_rows(found[0]), "arms": list(found[0]),
            }
            for metric, found in curves.items() if found is not None
        },
        "arms": views.arms(snapshot), "units": views.units_note(snapshot), "health": views.health(snapshot),
        "guardrails": views.guardrails(snapshot), "answer": views.answer_says(snapshot),
        "answer_by": snapshot["metrics"][name].get("answer_by"), "power": views.power_says(snapshot),
        "help": views.help_sources(snapshot), "dose": views.dose_rows(snapshot), "dose_says": views.dose_says(snapshot),
        "dose_spec": charts.doses(snapshot["dose"], name) if snapshot["dose"] else None,
        "landmark": views.landmark_rows(snapshot), "success": views.success_tables(snapshot),
        "parts_of": [
            {**part, "spec": charts.effects(name, part["effects"]) if any(e.parts for e in part["effects"]) else None}
            for part in views.parts_of(snapshot)
        ],
        "overlaps": views.overlaps(snapshot), "slot": views.slot(snapshot["plan"]),
        "plan": views.plan_rows(snapshot["plan"]), "fixed": views.is_fixed(snapshot),
    }  # fmt: skip


PAGES = (
    Page("/experiments", SECTION, queue, "The queue of experiments, with verdicts", ("state", "verdict")),
    Page("/experiments/{experiment}", SECTION, one, "All that is known of one experiment", ("by",)),
)

"""Experiments: the queue with its verdicts, and all that is known of one."""

from consumers.dashboard.page import Asked, Page, View
from consumers.dashboard.read import Json, Read
from consumers.dashboard.views.experiment.looks import look, looks
from consumers.dashboard.views.experiment.queue import STATES, VERDICTS, queue, queued, same_group
from consumers.dashboard.views.experiment.shown import shown_of

SECTION = "/experiments"


async def experiments(read: Read, asked: Asked) -> View:
    """Every experiment in the order of its place: state, who approved it, verdict and why."""
    listed = await read.get("experiments")
    rows = _rows(listed)
    snapshots = await _snapshots(read, rows)
    every = queue(rows, snapshots)
    state, verdict = asked.get("state", ""), asked.get("verdict", "")
    shown = [one for one in every if state in ("", one.state) and verdict in ("", one.verdict or "none")]
    return View(
        "Experiments",
        "experiments.html",
        {"experiments": listed, **{f"experiment:{id_}": snapshot for id_, snapshot in snapshots.items()}},
        {
            "rows": shown, "of": len(every), "state": state, "asked_verdict": verdict, "states": STATES,
            "verdicts": VERDICTS,
        },
        ("experiments",),
    )  # fmt: skip


async def experiment(read: Read, asked: Asked) -> View:
    """All that is known of one experiment."""
    id_ = asked["path:experiment"]
    key = f"experiment:{id_}"
    listed, snapshot = await read.many(["experiments", key])
    rows, keys = _rows(listed), (key, "experiments")
    row = next((row for row in rows if row["experiment"] == id_), None)
    if snapshot is None and row is None:
        missing = "Experiments, above, lists all that are there; so does `livelift experiments list`."
        return View(f"There is no experiment {id_}", "experiment.html", None, keys=keys, missing=missing)
    if row is None:
        row = {"experiment": id_}
    data = {"experiment": row, key: snapshot}
    if snapshot is None:
        shown = {"row": queued(row, None), "life": row.get("queue_state"), "states": STATES}
        return View(id_, "experiment_waiting.html", data, shown, keys)
    points = looks(await read.experiment_points(id_, look), snapshot)
    group = same_group(id_, snapshot["plan"], await _snapshots(read, rows))
    shown = shown_of(snapshot, row, points, "n" if asked.get("by") == "n" else "time")
    return View(id_, "experiment.html", data | {f"{key}:history": points}, shown | {"group": group}, keys)


def _rows(listed: Json | None) -> list[Json]:
    found: list[Json] = (listed or {}).get("experiments", [])
    return found


async def _snapshots(read: Read, rows: list[Json]) -> dict[str, Json | None]:
    ids = [row["experiment"] for row in rows]
    return dict(zip(ids, await read.many([f"experiment:{id_}" for id_ in ids]), strict=True))


PAGES = (
    Page("/experiments", SECTION, experiments, "The queue of experiments, with verdicts", ("state", "verdict")),
    Page("/experiments/{experiment}", SECTION, experiment, "All that is known of one experiment", ("by",)),
)

"""The queue: one line for each experiment, in the order of their places."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from consumers.dashboard.views.experiment.effects import difference, interval
from consumers.dashboard.views.experiment.whole import Json, slot
from consumers.dashboard.words import sentence

VERDICTS = ("keep_running", "double_down", "pivot", "unhealthy")


STATES = {"draft": "Draft", "queued": "In the queue", "running": "Running", "stopped": "Stopped"}


TONES = {"double_down": "good", "pivot": "warn", "unhealthy": "bad"}


LAST = 10**9


UNREAD = "Nothing is read of it yet."


class Queued(NamedTuple):
    """One line of the queue."""

    id: str
    hypothesis: str
    state: str | None
    place: int | None
    by: str | None
    since: str | None
    verdict: str | None
    tone: str
    because: str
    effect: str | None
    metric: str | None
    assigned: int | None
    mature: int | None
    answer_by: str | None
    group: str | None


def queue(rows: Sequence[Json], snapshots: Mapping[str, Json | None]) -> list[Queued]:
    """The experiments in the order of their places, drafts last. snapshots: of those of which something is read."""
    found = [queued(row, snapshots.get(row["experiment"])) for row in rows]
    return sorted(found, key=lambda one: (one.place or LAST, one.id))


def queued(row: Json, snapshot: Json | None) -> Queued:
    life = row.get("queue_state") or {}
    decision = row.get("decision") or (snapshot or {}).get("decision")
    last = life["words"][-1] if life.get("words") else {}
    metric = row.get("metric")
    because = decision["because"] if decision else row.get("because") or UNREAD
    primary = {} if snapshot is None or metric is None else snapshot["metrics"][metric]
    return Queued(
        id=row["experiment"], hypothesis=row.get("hypothesis") or "", state=row.get("state"), place=life.get("place"),
        by=last.get("by"), since=last.get("at"), verdict=decision["verdict"] if decision else None,
        tone=TONES.get(decision["verdict"], "") if decision else "", because=sentence(because),
        effect=None if not metric or row.get("estimate") is None else _so_far(metric, row), metric=metric,
        assigned=row.get("assigned"), mature=row.get("mature"), answer_by=primary.get("answer_by"),
        group=None if snapshot is None else slot(snapshot["plan"]),
    )  # fmt: skip


def _so_far(metric: str, row: Json) -> str:
    held = row.get("cs") or row.get("ci")
    within = f", {interval(metric, held)}" if held else ""
    return f"{difference(metric, row['estimate'])}{within}"


def same_group(id_: str, plan: Json, others: Mapping[str, Json | None]) -> list[tuple[str, str]]:
    """The other experiments of the same exclusive group, each with its slot."""
    own = plan["experiment"].get("exclusive")
    if not own:
        return []
    return [
        (other, slot(snapshot["plan"]) or "") for other, snapshot in sorted(others.items())
        if snapshot is not None and other != id_
        and (snapshot["plan"]["experiment"].get("exclusive") or {}).get("group") == own["group"]
    ]  # fmt: skip

"""The life of an experiment: draft, queued, running, stopped. What each command makes of each state.

A draft is free to change. From the queue on a plan is frozen by its hash, and has a place among all experiments with
the level that goes with it. States only ever move on; saying something again changes nothing and adds no word.
"""

from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple

from msgspec.structs import replace

from models.plan import Plan, PlanError, PublishedPlan, State, Word, differences

Before = Literal["new", "draft", "queued", "running", "stopped"]
Command = Literal["draft", "queue", "apply", "stop"]

STATES: tuple[Before, ...] = ("new", "draft", "queued", "running", "stopped")
COMMANDS: tuple[Command, ...] = ("draft", "queue", "apply", "stop")
TRANSITIONS: dict[tuple[Before, Command], State] = {
    ("new", "draft"): "draft",
    ("new", "queue"): "queued",
    ("new", "apply"): "running",
    ("draft", "draft"): "draft",
    ("draft", "queue"): "queued",
    ("draft", "apply"): "running",
    ("queued", "draft"): "queued",
    ("queued", "queue"): "queued",
    ("queued", "apply"): "running",
    ("queued", "stop"): "stopped",
    ("running", "draft"): "running",
    ("running", "queue"): "running",
    ("running", "apply"): "running",
    ("running", "stop"): "stopped",
    ("stopped", "stop"): "stopped",
}
"""(state, command) -> state; what is not in it is refused. The table in docs/guides/experiments.md is made from it."""

REFUSED: dict[tuple[Before, Command], str] = {
    ("new", "stop"): "is not there; `livelift experiments list` shows what is",
    ("draft", "stop"): "is a draft: nothing runs, and a draft may be replaced or left as it is",
    ("stopped", "draft"): "was stopped, and stays so: give the new plan another id",
    ("stopped", "queue"): "was stopped, and stays so: give the new plan another id",
    ("stopped", "apply"): "was stopped, and stays so: give the new plan another id",
}
"""What is so, and what to do, wherever the table has no entry."""


class Registration(NamedTuple):
    """A place among all experiments, and the level that e-LOND gives to it."""

    place: int
    level: float | None


def table() -> str:
    """The transitions in Markdown; a dash is a refusal."""
    head = "| state | " + " | ".join(COMMANDS) + " |\n|" + "---|" * (len(COMMANDS) + 1) + "\n"
    rows = [
        f"| **{state}** | " + " | ".join(TRANSITIONS.get((state, command), "-") for command in COMMANDS) + " |\n"
        for state in STATES
    ]
    return head + "".join(rows)


def next_place(plans: Mapping[str, PublishedPlan]) -> int:
    """The place that the next experiment gets: drafts have none."""
    return 1 + sum(published.state != "draft" for published in plans.values())


def draft(held: PublishedPlan | None, plan: Plan, by: str, at: int) -> PublishedPlan:
    """Write a plan down; a former draft is replaced. Raises PlanError where a plan is frozen and this one differs."""
    reached = _reached(held, plan.id, "draft")
    if held is not None and (reached != "draft" or held.plan_hash == plan.hash):
        return _frozen(held, plan)
    return _written(held, plan, Word("draft", at, by), Registration(0, None))


def queue(held: PublishedPlan | None, plan: Plan, by: str, at: int, registration: Registration) -> PublishedPlan:
    """Freeze a plan and give it its place; it waits to be started. Raises PlanError as `draft` does."""
    _reached(held, plan.id, "queue")
    if held is not None and held.state != "draft":
        return _frozen(held, plan)
    return _written(held, plan, Word("queued", at, by), registration)


def apply(
    held: PublishedPlan | None, plan: Plan, by: str, at: int, registration: Registration,
    others: Iterable[PublishedPlan] = (), retrospective: bool = False,
) -> PublishedPlan:  # fmt: skip
    """Let an experiment run. Raises PlanError where it differs from the frozen plan, or clashes with one that runs.

    Applied directly, or to data that has come already, assignments count from the plan's start; when it had been
    queued, from the moment it is started if that is later: who was assigned before had not begun to take part.
    """
    _reached(held, plan.id, "apply")
    frozen = None if held is None or held.state == "draft" else _frozen(held, plan)
    if frozen is not None and frozen.state == "running":
        return frozen
    clashing = clashes(plan, others)
    if clashing:
        todo = "queue it instead (`livelift experiments queue`)" if frozen is None else "let it wait"
        raise PlanError(f"experiment {plan.id!r} cannot run now: {'; '.join(clashing)}; {todo}, or stop the other one")
    if frozen is not None:
        return _started(frozen, Word("running", at, by), retrospective)
    written = _written(held, plan, Word("running", at, by), registration)
    return replace(written, retrospective=retrospective, runs_from=plan.starts_at)


def stop(held: PublishedPlan | None, id_: str, by: str, at: int, why: str) -> PublishedPlan:
    """End an experiment for good: who is assigned from now on does not count, who was before is read to the end.

    One that was stopped before it began has held nobody, and is not counted.
    """
    reached = _reached(held, id_, "stop")
    if held is None:
        raise PlanError(f"experiment {id_!r} {REFUSED['new', 'stop']}")
    if held.state == reached:
        return held
    ran = held.state == "running" and held.begins < at
    return replace(
        held,
        state=reached,
        words=(*held.words, Word(reached, at, by, why)),
        runs_from=held.begins if ran else None,
        stopped_at=at,
    )


def started_by(stopped: PublishedPlan, plans: Mapping[str, PublishedPlan], by: str, at: int) -> list[PublishedPlan]:
    """The queued experiments of the stopped one's group that can run now, in the order of their places.

    None overtakes: one that would clash with an earlier one that still has to wait waits behind it.
    """
    slot = stopped.plan.exclusive
    if slot is None:
        return []
    ahead = [other for other in plans.values() if other.state == "running" and other.plan.id != stopped.plan.id]
    found = []
    for waiting in sorted(plans.values(), key=lambda other: other.place):
        own = waiting.plan.exclusive
        if waiting.state != "queued" or own is None or own.group != slot.group:
            continue
        if not _in_the_way(waiting.plan, ahead):
            found.append(_started(waiting, Word("running", at, by, f"{stopped.plan.id} was stopped")))
        ahead.append(waiting)
    return found


def clashes(plan: Plan, others: Iterable[PublishedPlan]) -> list[str]:
    """The running experiments of the same group whose slots overlap with this plan's, each in words."""
    found = _in_the_way(plan, [other for other in others if other.state == "running"])
    return [f"{other.plan.id!r} runs in {_slot(other.plan)}, this one is for {_slot(plan)}" for other in found]


def _in_the_way(plan: Plan, others: Iterable[PublishedPlan]) -> list[PublishedPlan]:
    own = plan.exclusive
    if own is None:
        return []
    found = []
    for other in others:
        slot = other.plan.exclusive
        if slot is not None and other.plan.id != plan.id and own.clashes(slot):
            found.append(other)
    return found


def _slot(plan: Plan) -> str:
    slot = plan.exclusive
    return "" if slot is None else f"{slot.group} from {slot.begin:g} to {slot.end:g}"


def _reached(held: PublishedPlan | None, id_: str, command: Command) -> State:
    """Where the table leads; PlanError where it leads nowhere."""
    before: Before = "new" if held is None else held.state
    reached = TRANSITIONS.get((before, command))
    if reached is None:
        raise PlanError(f"experiment {id_!r} {REFUSED[before, command]}")
    return reached


def _frozen(held: PublishedPlan, plan: Plan) -> PublishedPlan:
    """What is published, if the plan is still what it says."""
    if held.plan_hash != plan.hash:
        changed = "; ".join(differences(held.plan, plan))
        raise PlanError(f"experiment {plan.id!r} is published and frozen; this file differs from it in {changed}")
    return held


def _written(held: PublishedPlan | None, plan: Plan, word: Word, registration: Registration) -> PublishedPlan:
    """A plan that is new, or takes the place of its draft."""
    words = (*(held.words if held is not None else ()), word)
    place, level = registration
    return PublishedPlan(plan, plan.hash, state=word.state, words=words, place=place, level=level)


def _started(queued: PublishedPlan, word: Word, retrospective: bool = False) -> PublishedPlan:
    """A queued experiment, running."""
    begins = queued.plan.starts_at
    return replace(
        queued,
        state="running",
        words=(*queued.words, word),
        retrospective=retrospective,
        runs_from=begins if retrospective else max(begins, word.at),
    )

"""Where a user stands on a journey, derived from the facts of the row and a moment; and what to do next.

A task's state is a fold of a printable table over what is known about it. The table is a join (its states are
ordered, an input never leads back), so the fold does not depend on the order in which the inputs are read.
"""

from functools import lru_cache
from itertools import pairwise
from typing import Literal, NamedTuple

from models.product import Journey
from models.rows import Row, TaskFacts

State = Literal["untouched", "started", "in_trouble", "completed"]
Input = Literal["task_started", "task_failed", "failed_again", "help_needed", "overdue", "task_completed"]

STATES: tuple[State, ...] = ("untouched", "started", "in_trouble", "completed")
REACHES: dict[Input, State] = {
    "task_started": "started",
    "task_failed": "started",
    "failed_again": "in_trouble",
    "help_needed": "in_trouble",
    "overdue": "in_trouble",
    "task_completed": "completed",
}
TRANSITIONS: dict[tuple[State, Input], State] = {
    (state, given): max(state, reached, key=STATES.index) for state in STATES for given, reached in REACHES.items()
}
"""(state, input) -> state. `livelift journeys table` prints it; the diagram in the docs is made from it."""

NO_TASK = TaskFacts()
HelpAround = dict[str, dict[str, dict[str, int]]]
"""task -> before | after -> `SOURCE:channel` -> engagements."""


class Standing(NamedTuple):
    """One user on one journey at one moment; tasks are named as in `livelift.toml`."""

    states: tuple[State, ...]
    completions: int
    position: str | None
    """The task to work on: the first not completed one; None when the journey is through."""
    skipped: tuple[str, ...]
    """Tasks not completed although the next one is (series only); a fact that is kept, not repaired."""
    out_of_order: bool
    stuck: tuple[str, ...]
    stuck_since: int | None
    why: tuple[str, ...]
    """Why the user counts as in trouble, in the words of the rule; empty when not in trouble."""


def inputs(facts: TaskFacts, now: int, journey: Journey) -> list[Input]:
    """What is known about one task at a moment, as inputs to the table."""
    known: list[Input] = []
    if facts.started is not None:
        known.append("task_started")
        if facts.started + journey.stuck_after <= now:
            known.append("overdue")
    if facts.failures:
        known.append("failed_again" if facts.failures >= journey.failures_for_trouble else "task_failed")
    if facts.help_needed is not None:
        known.append("help_needed")
    if facts.completed is not None:
        known.append("task_completed")
    return known


def task_state(facts: TaskFacts, now: int, journey: Journey) -> State:
    """Fold the transition table over what is known about the task."""
    state: State = "untouched"
    if facts is NO_TASK:
        return state
    for given in inputs(facts, now, journey):
        state = TRANSITIONS[state, given]
    return state


def standing(row: Row, journey: Journey, now: int) -> Standing:
    """Where the user of this row stands on the journey at event time `now`."""
    facts = [row.tasks.get(task, NO_TASK) for task in journey.tasks]
    states = tuple([task_state(fact, now, journey) for fact in facts])
    completions, position, skipped, stuck = _read(journey.tasks, journey.order == "series", states)
    why = _why(row, facts, states, now, journey) if stuck or row.help_needed is not None else []
    return Standing(
        states=states,
        completions=completions,
        position=position,
        skipped=skipped,
        out_of_order=completions > 1 and journey.order == "series" and _out_of_order(facts),
        stuck=stuck,
        stuck_since=_stuck_since(row, facts, states) if why else None,
        why=tuple(why),
    )


@lru_cache(4096)
def _read(
    tasks: tuple[str, ...], series: bool, states: tuple[State, ...]
) -> tuple[int, str | None, tuple[str, ...], tuple[str, ...]]:
    """What states alone say: how many tasks are completed, the one to work on, and which are skipped and stuck. There
    are few combinations, and many users in each."""
    position = next((task for task, state in zip(tasks, states, strict=True) if state != "completed"), None)
    following = zip(tasks, states, states[1:], strict=False) if series else ()
    skipped = tuple([task for task, state, later in following if state != "completed" and later == "completed"])
    stuck = tuple([task for task, state in zip(tasks, states, strict=True) if state == "in_trouble"])
    return states.count("completed"), position, skipped, stuck


def next_due(row: Row, journey: Journey, now: int) -> int | None:
    """The next moment at which the standing changes by itself: an open task becomes overdue."""
    open_since = [fact.started for fact in row.tasks.values() if fact.started is not None and fact.completed is None]
    if not open_since:
        return None
    stuck_after = journey.stuck_after
    return min((at + stuck_after for at in open_since if at + stuck_after > now), default=None)


def ever_in_trouble(row: Row, journey: Journey, end: int) -> bool:
    """Whether the trouble rule fired at any time up to `end`, also for what was completed since.

    Of failures only the first one is dated: those of a task that first failed by then all count.
    """
    for task in journey.tasks:
        fact = row.tasks.get(task, NO_TASK)
        if by(fact.help_needed, end) or (by(fact.failed, end) and fact.failures >= journey.failures_for_trouble):
            return True
        if fact.started is not None:
            open_until = end if fact.completed is None else min(fact.completed, end)
            if open_until - fact.started >= journey.stuck_after:
                return True
    return by(row.help_needed, end)


def by(at: int | None, end: int) -> bool:
    """Whether something happened by a moment."""
    return at is not None and at <= end


def _out_of_order(facts: list[TaskFacts]) -> bool:
    done = [fact.completed for fact in facts if fact.completed is not None]
    return any(later < earlier for earlier, later in pairwise(done))


def _why(row: Row, facts: list[TaskFacts], states: tuple[State, ...], now: int, journey: Journey) -> list[str]:
    found: list[str] = []
    for task, fact, state in zip(journey.tasks, facts, states, strict=True):
        if state != "in_trouble":
            continue
        if fact.help_needed is not None:
            found.append(f"the product saw trouble at task {task}")
        if fact.failures >= journey.failures_for_trouble:
            found.append(f"failed task {task} {fact.failures} times")
        if fact.started is not None and fact.started + journey.stuck_after <= now:
            found.append(f"started task {task} and has not completed it in {journey.stuck_after_hours:g} hours")
    if _asked_in_vain(row, facts):
        found.append("the product saw trouble")
    return found


def _asked_in_vain(row: Row, facts: list[TaskFacts]) -> bool:
    """Help was needed at no named task, and nothing has been completed since."""
    if row.help_needed is None or all(fact.completed is not None for fact in facts):
        return False
    return all(fact.completed is None or fact.completed < row.help_needed for fact in facts)


def _stuck_since(row: Row, facts: list[TaskFacts], states: tuple[State, ...]) -> int | None:
    since = [
        at
        for fact, state in zip(facts, states, strict=True)
        if state == "in_trouble"
        for at in (fact.started, fact.help_needed, fact.failed)
        if at is not None
    ]
    return min(since, default=row.help_needed)


def help_around(row: Row, journey: Journey) -> HelpAround:
    """Help engagements before and after each task's completion, by source and channel; tasks without any left out.

    Help on a task that is not completed counts as before.
    """
    around: HelpAround = {}
    for task in journey.tasks if row.helps else ():
        done = row.tasks.get(task, NO_TASK).completed
        sides: dict[str, dict[str, int]] = {"before": {}, "after": {}}
        for engaged in row.helps:
            side = sides["before" if done is None or engaged.at <= done else "after"]
            name = f"{engaged.source}:{engaged.channel}" if engaged.channel else engaged.source
            side[name] = side.get(name, 0) + 1
        around[task] = sides
    return around


def on_journey(row: Row, journey: Journey) -> bool:
    """Whether this user's latest traits match the journey's `applies_to` (role may come from membership)."""
    for name, wanted in journey.applies_to.items():
        dated = row.traits.get(name)
        value = dated[-1][1] if dated else (row.members[-1].role if name == "role" and row.members else None)
        if value != wanted or isinstance(value, bool) != isinstance(wanted, bool):
            return False
    return True

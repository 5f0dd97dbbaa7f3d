"""The life of an experiment: what each command makes of each state, who is recorded, what is frozen, who has to wait."""

from pathlib import Path
from typing import Any, get_args

import pytest
from msgspec.structs import replace

from models import lifecycle
from models.lifecycle import COMMANDS, REFUSED, STATES, TRANSITIONS, Registration
from models.plan import Exclusive, Plan, PlanError, PublishedPlan, State, Word
from tests.support.build import instant, plan

pytestmark = pytest.mark.core

FIRST = Registration(1, 0.025)
GUIDE = Path(__file__).resolve().parents[2] / "docs" / "guides" / "experiments.md"


def in_slot(id: str, begin: float = 0.0, end: float = 1.0, group: str = "onboarding") -> Plan:
    base = plan(id)
    return replace(base, experiment=replace(base.experiment, exclusive=Exclusive(group=group, begin=begin, end=end)))


def after(command: str, held: PublishedPlan | None, given: Plan | None = None, at: int = instant(9)) -> PublishedPlan:
    given = given or plan()
    match command:
        case "draft":
            return lifecycle.draft(held, given, "ann", at)
        case "queue":
            return lifecycle.queue(held, given, "ann", at, FIRST)
        case "apply":
            return lifecycle.apply(held, given, "ann", at, FIRST)
    return lifecycle.stop(held, given.id, "ann", at, "enough")


def brought_to(state: str) -> PublishedPlan | None:
    held = None
    for command in {"new": [], "draft": ["draft"], "queued": ["queue"], "running": ["apply"],
                    "stopped": ["apply", "stop"]}[state]:  # fmt: skip
        held = after(command, held)
    return held


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("state", STATES)
def test_every_command_in_every_state_does_what_the_table_says(state: Any, command: Any) -> None:
    held = brought_to(state)
    if (state, command) not in TRANSITIONS:
        with pytest.raises(
            PlanError, match=REFUSED[state, command].split(":", maxsplit=1)[0].split(";", maxsplit=1)[0]
        ):
            after(command, held)
        return
    found = after(command, held, at=instant(10))
    assert found.state == TRANSITIONS[state, command]
    if found.state == state:
        assert found is held  # not even a word is added
    else:
        assert found.words[-1].state == found.state
        assert (found.words[-1].at, found.words[-1].by) == (instant(10), "ann")
        assert found.words[:-1] == (held.words if held else ())


def test_states_only_move_on_and_every_refusal_has_its_words() -> None:
    assert all(STATES.index(reached) >= STATES.index(state) for (state, _), reached in TRANSITIONS.items())
    assert {*TRANSITIONS, *REFUSED} == {(state, command) for state in STATES for command in COMMANDS}
    assert not {*TRANSITIONS} & {*REFUSED}
    assert set(STATES) == {"new", *get_args(State)}


def test_the_guide_shows_the_table() -> None:
    assert lifecycle.table() in GUIDE.read_text()


def test_a_draft_is_replaced_freely_and_keeps_what_was_said() -> None:
    first = lifecycle.draft(None, plan(window=3), "ann", instant(0))
    second = lifecycle.draft(first, plan(window=4), "bob", instant(1))
    assert (second.place, second.level, second.counted) == (0, None, False)
    running = lifecycle.apply(second, plan(window=5), "eve", instant(2), FIRST)
    assert running.words == (
        Word("draft", instant(0), "ann"), Word("draft", instant(1), "bob"), Word("running", instant(2), "eve"),
    )  # fmt: skip
    assert running.plan == plan(window=5) and running.plan_hash == plan(window=5).hash
    assert (running.place, running.level) == FIRST


@pytest.mark.parametrize("command", ["draft", "queue", "apply"])
@pytest.mark.parametrize("state", ["queued", "running"])
def test_from_the_queue_on_a_plan_is_frozen(state: str, command: str) -> None:
    with pytest.raises(PlanError, match=r"frozen; this file differs from it in experiment.unit: 'account' -> 'user'"):
        after(command, brought_to(state), plan(unit="user"))


def test_assignments_count_from_the_start_or_from_when_the_queue_let_it_run() -> None:
    direct = lifecycle.apply(None, plan(), "ann", instant(9), FIRST)
    queued = lifecycle.queue(None, plan(), "ann", instant(-2), FIRST)
    assert (direct.runs_from, queued.runs_from) == (instant(0), None)
    early = lifecycle.apply(queued, plan(), "bob", instant(-1), FIRST)
    late = lifecycle.apply(queued, plan(), "bob", instant(9), FIRST)
    known = lifecycle.apply(queued, plan(), "bob", instant(9), FIRST, retrospective=True)
    assert (early.begins, late.begins, known.begins) == (instant(0), instant(9), instant(0))
    assert known.retrospective and not late.retrospective


def test_a_place_once_given_stays_with_its_level() -> None:
    queued = lifecycle.queue(None, plan(), "ann", instant(0), Registration(3, 0.004))
    running = lifecycle.apply(queued, plan(), "ann", instant(0), Registration(7, 0.001))
    assert (running.place, running.level) == (3, 0.004)
    held = {"a": queued, "b": running, "c": lifecycle.draft(None, plan(), "ann", instant(0))}
    assert lifecycle.next_place({}) == 1 and lifecycle.next_place(held) == 3


def test_who_ran_is_read_to_the_end_and_who_never_did_is_not() -> None:
    ran = lifecycle.stop(brought_to("running"), "widget", "eve", instant(20), "harmful")
    assert (ran.state, ran.stopped_at, ran.begins, ran.counted) == ("stopped", instant(20), instant(0), True)
    assert ran.words[-1] == Word("stopped", instant(20), "eve", "harmful")
    old = lifecycle.stop(PublishedPlan(plan(), plan().hash), "widget", "eve", instant(20), "over")
    assert old.counted and old.begins == instant(0)
    waited = lifecycle.stop(brought_to("queued"), "widget", "eve", instant(20), "not wanted any more")
    too_early = lifecycle.stop(brought_to("running"), "widget", "eve", instant(0), "applied by mistake")
    assert not waited.counted and not too_early.counted


def test_two_of_a_group_do_not_run_at_once() -> None:
    running = lifecycle.apply(None, in_slot("tour", 0, 0.6), "ann", instant(0), FIRST)
    with pytest.raises(PlanError) as refused:
        lifecycle.apply(None, in_slot("widget", 0.5, 1), "ann", instant(1), FIRST, [running])
    assert str(refused.value) == (
        "experiment 'widget' cannot run now: 'tour' runs in onboarding from 0 to 0.6, this one is for onboarding from "
        "0.5 to 1; queue it instead (`livelift experiments queue`), or stop the other one"
    )
    for free in (in_slot("widget", 0.6, 1), in_slot("widget", group="billing"), plan("widget")):
        assert lifecycle.apply(None, free, "ann", instant(1), FIRST, [running]).state == "running"
    over = lifecycle.stop(running, "tour", "ann", instant(1), "over")
    assert lifecycle.apply(None, in_slot("widget"), "ann", instant(1), FIRST, [over]).state == "running"


def test_whoever_stops_lets_the_next_of_the_group_run_and_nobody_overtakes() -> None:
    stopped = lifecycle.stop(
        lifecycle.apply(None, in_slot("tour"), "ann", instant(0), FIRST), "tour", "eve", instant(5), "over"
    )
    waiting = [in_slot("right", 0.5, 1), in_slot("whole"), in_slot("left", 0, 0.5), in_slot("other", group="billing")]
    plans = {"tour": stopped} | {
        given.id: lifecycle.queue(None, given, "ann", instant(1), Registration(number + 2, 0.001))
        for number, given in enumerate(waiting)
    }
    (started,) = lifecycle.started_by(stopped, plans, "eve", instant(5))
    assert (started.plan.id, started.begins) == ("right", instant(5))
    assert started.words[-1] == Word("running", instant(5), "eve", "tour was stopped")
    del plans["whole"]
    both = lifecycle.started_by(stopped, plans, "eve", instant(5))
    assert [published.plan.id for published in both] == ["right", "left"]
    blocked = plans | {"old": lifecycle.apply(None, in_slot("old", 0.4, 0.6), "ann", instant(0), FIRST)}
    assert lifecycle.started_by(stopped, blocked, "eve", instant(5)) == []
    assert lifecycle.started_by(brought_to("stopped"), plans, "eve", instant(5)) == []

"""Where a user stands on a journey, whether they are in trouble and why, and what to do next."""

from functools import reduce
from itertools import permutations, product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from models.clock import DAY, HOUR
from models.journey import REACHES, STATES, TRANSITIONS, help_around, next_due, on_journey, standing
from models.product import Journey
from models.signals import next_step
from tests.core.generated import histories
from tests.support.build import JOURNEY, Json, Worker, checked, event, facts_of, instant, tick, world

pytestmark = pytest.mark.core

Inputs = st.lists(st.sampled_from(list(REACHES)), max_size=6)


def began(task: str, at: int) -> Json:
    return event("task_started", at, task=task)


def did(task: str, at: int) -> Json:
    return event("task_completed", at, task=task)


# -- the table -----------------------------------------------------------------------------------------------------


def test_the_table_says_what_follows_in_every_state_from_every_input() -> None:
    assert set(TRANSITIONS) == set(product(STATES, REACHES))
    assert set(TRANSITIONS.values()) <= set(STATES)


def test_nothing_leads_back_and_twice_is_once() -> None:
    for (state, given_input), after in TRANSITIONS.items():
        assert STATES.index(after) >= STATES.index(state)
        assert TRANSITIONS[after, given_input] == after


def test_a_completed_task_stays_completed_and_an_untouched_one_does_not_move_by_itself() -> None:
    assert {TRANSITIONS["completed", given_input] for given_input in REACHES} == {"completed"}
    assert "untouched" not in TRANSITIONS.values()


@given(Inputs)
@checked(50)
def test_the_order_in_which_inputs_are_read_does_not_matter(inputs: list) -> None:
    ends = {reduce(lambda state, one: TRANSITIONS[state, one], order, "untouched") for order in permutations(inputs)}
    assert len(ends) == 1


# -- trouble -------------------------------------------------------------------------------------------------------


def test_a_user_who_has_done_nothing_stands_at_the_first_task() -> None:
    now = standing(facts_of(), JOURNEY, instant(1))
    assert now.states == ("untouched",) * 3 and now.position == "1" and now.why == () and now.stuck_since is None
    assert next_step(now) == {"task": "1", "do": "start"}


def test_a_task_open_for_24_hours_is_trouble_by_time_and_not_a_moment_before() -> None:
    row = facts_of(began("1", instant(1)))
    before, after = (standing(row, JOURNEY, moment) for moment in (instant(2) - 1, instant(2)))
    assert (before.states[0], before.why, before.stuck_since) == ("started", (), None)
    assert (after.states[0], after.stuck, after.stuck_since) == ("in_trouble", ("1",), instant(1))
    assert after.why == ("started task 1 and has not completed it in 24 hours",)
    assert (next_due(row, JOURNEY, instant(1)), next_due(row, JOURNEY, instant(2))) == (instant(2), None)


def test_a_second_failure_is_trouble_and_the_first_is_not() -> None:
    failures = [event("task_failed", instant(1, hour), task="2") for hour in (1, 2)]
    once, twice = (standing(facts_of(began("2", instant(1)), *some), JOURNEY, instant(1, 3))
                   for some in (failures[:1], failures))  # fmt: skip
    assert once.why == () and twice.why == ("failed task 2 2 times",)
    assert next_step(twice) == {"task": "2", "do": "offer help"}
    patient = replace(JOURNEY, failures_for_trouble=3)
    assert standing(facts_of(*failures), patient, instant(1, 3)).why == ()


def test_the_products_own_judgement_is_trouble_until_the_task_is_completed() -> None:
    asked = event("help_needed", instant(1), task="1")
    assert standing(facts_of(asked), JOURNEY, instant(1)).why == ("the product saw trouble at task 1",)
    assert standing(facts_of(asked, did("1", instant(2))), JOURNEY, instant(2)).why == ()


def test_trouble_at_no_named_task_lasts_until_something_is_completed() -> None:
    asked = event("help_needed", instant(3))
    after = standing(facts_of(did("1", instant(1)), asked), JOURNEY, instant(4))
    assert (after.why, after.stuck, after.stuck_since) == (("the product saw trouble",), (), instant(3))
    assert next_step(after) == {"task": "2", "do": "offer help"}
    assert standing(facts_of(did("1", instant(3, 1)), asked), JOURNEY, instant(4)).why == ()


def test_failures_without_a_start_have_a_since_too() -> None:
    failures = [event("task_failed", instant(1, hour), task="2") for hour in (1, 2)]
    at = standing(facts_of(*failures), JOURNEY, instant(1, 3))
    assert at.why and at.stuck_since in (instant(1, 1), instant(1, 2))


@given(histories(days=10, size=12), st.integers(0, 12))
@checked(100)
def test_who_is_in_trouble_has_been_since_some_moment_that_is_past(history: list[Json], day: int) -> None:
    now = instant(day)
    at = standing(facts_of(*history), JOURNEY, now)
    assert bool(at.why) == (at.stuck_since is not None)
    assert not at.stuck or at.why


@given(histories(days=10, size=12), st.integers(0, 12 * 24))
@checked(100)
def test_nothing_changes_by_itself_before_it_is_due(history: list[Json], hour: int) -> None:
    row, now = facts_of(*history), instant(0, hour)
    due = next_due(row, JOURNEY, now)
    assert due is None or due > now
    assert standing(row, JOURNEY, (due or now + 400 * DAY) - 1) == standing(row, JOURNEY, now)


def test_a_signal_is_sent_when_time_alone_makes_trouble() -> None:
    worker = Worker()
    worker.given(began("1", instant(0, 1)), tick(instant(1)))
    assert [signal["trouble"]["yes"] for signal in worker.to("journey-signals")] == [False]
    worker.given(tick(instant(1, 1)))
    *_, last = worker.to("journey-signals")
    assert last["trouble"] == {"yes": True, "why": ["started task 1 and has not completed it in 24 hours"]}
    assert (last["stuck_since"], last["at"]) == ("2026-05-05T01:00:00Z", "2026-05-06T01:00:00Z")


# -- order ---------------------------------------------------------------------------------------------------------


def test_skipped_and_out_of_order_are_kept_as_facts_and_not_repaired() -> None:
    row = facts_of(did("2", instant(1)))
    at = standing(row, JOURNEY, instant(1))
    assert (at.position, at.skipped, at.out_of_order) == ("1", ("1",), False)
    later = standing(facts_of(did("2", instant(1)), did("1", instant(2))), JOURNEY, instant(2))
    assert (later.position, later.skipped, later.out_of_order) == ("3", (), True)
    assert later.completions == 2


def test_in_a_journey_of_any_order_nothing_is_skipped_or_out_of_order() -> None:
    free = replace(JOURNEY, order="any")
    at = standing(facts_of(did("3", instant(1)), did("1", instant(2))), free, instant(2))
    assert (at.position, at.skipped, at.out_of_order, at.completions) == ("2", (), False, 2)


def test_a_journey_that_is_through_has_no_next_step() -> None:
    at = standing(facts_of(*[did(task, instant(int(task))) for task in "123"]), JOURNEY, instant(9))
    assert at.position is None and next_step(at) is None and at.why == ()


def test_a_started_task_is_to_be_continued() -> None:
    assert next_step(standing(facts_of(began("1", instant(1))), JOURNEY, instant(1))) == {"task": "1", "do": "continue"}


def test_a_task_begun_further_on_does_not_make_the_one_at_hand_begun() -> None:
    at = standing(facts_of(began("3", instant(1))), JOURNEY, instant(1))
    assert next_step(at) == {"task": "1", "do": "start"}


# -- several journeys ----------------------------------------------------------------------------------------------

ADMINS = Journey(id="admins", tasks=("invite", "bill"), applies_to={"role": "admin"})
BIG = Journey(id="big", tasks=("1", "sso"), applies_to={"seats": 100.0, "paying": True})


def test_the_latest_traits_say_whose_journey_it_is() -> None:
    traits = [event("traits_set", instant(day), role=role) for day, role in ((1, "member"), (2, "admin"))]
    assert on_journey(facts_of(*traits), ADMINS)
    assert not on_journey(facts_of(traits[0]), ADMINS)
    assert on_journey(facts_of(event("traits_set", seats=100, paying=True)), BIG)
    assert not on_journey(facts_of(event("traits_set", seats=100)), BIG)
    assert on_journey(facts_of(), JOURNEY)


def test_the_role_may_come_from_membership() -> None:
    assert on_journey(facts_of(event("member_added", role="admin")), ADMINS)
    assert not on_journey(facts_of(event("member_added")), ADMINS)


def test_a_true_trait_is_not_the_number_one() -> None:
    one = Journey(id="one", tasks=("1",), applies_to={"paying": True})
    assert not on_journey(facts_of(event("traits_set", paying=1)), one)


def test_a_user_stands_on_every_journey_that_is_theirs() -> None:
    worker = Worker(world(journey=(JOURNEY, ADMINS, BIG)))
    worker.given(
        event("member_added", instant(0, 1), role="admin"), did("invite", instant(0, 2)), did("1", instant(0, 3))
    )
    found = worker.snapshot()
    positions = {key: value["position"] for key, value in found["journeys:acme"].items()}
    assert positions == {"getting-started/ann": "2", "admins/ann": "bill"}
    assert (found["funnel"]["admins"]["users"], found["funnel"]["big"]["users"]) == (1, 0)


# -- help ----------------------------------------------------------------------------------------------------------


def test_help_before_and_after_each_task_by_source_and_channel() -> None:
    row = facts_of(
        event("help_engaged", instant(1), source="CS", channel="chat"),
        event("help_engaged", instant(1, 1), source="CS", channel="chat"),
        event("help_engaged", instant(3), source="OTHER"),
        did("1", instant(2)),
    )
    around = help_around(row, JOURNEY)
    assert around["1"] == {"before": {"CS:chat": 2}, "after": {"OTHER": 1}}
    assert around["2"] == {"before": {"CS:chat": 2, "OTHER": 1}, "after": {}}


def test_help_on_the_signal_follows_the_event() -> None:
    worker = Worker()
    worker.given(did("1", instant(0, 2)), event("help_engaged", instant(0, 2) + HOUR, source="OTHER", channel="docs"))
    *_, last = worker.to("journey-signals")
    assert last["help"]["1"]["after"] == {"OTHER:docs": 1}

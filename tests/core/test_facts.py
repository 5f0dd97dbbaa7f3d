"""Given these events, this row; in whatever order they came."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.facts import CHANGES, DAYS_KEPT, ENDS_KEPT, FEATURES_KEPT, NAMES_KEPT, OUTCOME_DAYS, TRAITS_KEPT
from models.rows import Help
from models.working import ROWS
from tests.core.generated import KINDS, histories
from tests.support.build import FIRST_DAY, Json, checked, decoded, event, facts, facts_of, instant

pytestmark = pytest.mark.core


def either_way(*events: Json) -> bytes:
    """The facts after these events, forwards and backwards: the same."""
    forwards, backwards = facts(facts_of(*events)), facts(facts_of(*reversed(events)))
    assert forwards == backwards
    return forwards


def test_every_event_type_changes_its_row() -> None:
    assert {str(kind.__struct_config__.tag) for kind in CHANGES} == set(KINDS)


# Fails as delivered; the tests under "ties and limits" below show each cause by itself.
@given(st.data())
@checked(300)
def test_any_order_of_the_same_events_gives_the_same_facts(data: st.DataObject) -> None:
    history = data.draw(histories())
    other = data.draw(st.permutations(history))
    assert facts(facts_of(*history)) == facts(facts_of(*other))


@given(histories(days=900))
@checked(100)
def test_any_facts_can_be_stored_and_read_again(history: list[Json]) -> None:
    row = facts_of(*history)
    assert facts(ROWS.encode(row)) == facts(row)


# -- tasks and help ------------------------------------------------------------------------------------------------


def test_a_task_keeps_its_first_start_and_completion_and_counts_attempts_and_failures() -> None:
    task = facts_of(
        event("task_started", instant(2), task="1"),
        event("task_started", instant(1), task="1"),
        event("task_failed", instant(1, 1), task="1"),
        event("task_completed", instant(3), task="1"),
        event("task_completed", instant(5), task="1"),
    ).tasks["1"]
    assert (task.started, task.completed, task.attempts, task.failures) == (instant(1), instant(3), 2, 1)


def test_a_completion_without_a_start_stays_without_one() -> None:
    task = facts_of(event("task_completed", instant(3), task="2")).tasks["2"]
    assert (task.started, task.completed) == (None, instant(3))


def test_help_needed_is_kept_at_its_task_first_and_without_a_task_last() -> None:
    row = facts_of(
        event("help_needed", instant(3), task="1"), event("help_needed", instant(2), task="1"),
        event("help_needed", instant(5)), event("help_needed", instant(4)),
    )  # fmt: skip
    assert (row.tasks["1"].help_needed, row.help_needed) == (instant(2), instant(5))


def test_help_engagements_are_kept_with_source_channel_and_task_and_minutes_are_summed() -> None:
    row = facts_of(
        event("help_engaged", instant(2), source="OTHER", minutes=2.5),
        event("help_engaged", instant(1), source="CS", channel="chat", task="1", minutes=10),
    )
    assert row.helps == [Help(instant(1), "CS", "chat", "1"), Help(instant(2), "OTHER")]
    assert row.outcomes["help_minutes:CS"] == {FIRST_DAY + 1: 10_000_000}
    assert row.outcomes["help_minutes:OTHER"] == {FIRST_DAY + 2: 2_500_000}


def test_the_first_and_the_last_helps_are_kept_when_there_are_too_many() -> None:
    many = [event("help_engaged", instant(hour=hour), source="CS") for hour in range(2 * ENDS_KEPT + 5)]
    either_way(*many)
    kept = [*range(ENDS_KEPT), *range(ENDS_KEPT + 5, 2 * ENDS_KEPT + 5)]
    assert [engaged.at for engaged in facts_of(*many).helps] == [instant(hour=hour) for hour in kept]


# -- activity ------------------------------------------------------------------------------------------------------


def active_days(row: Any) -> set[int]:
    return {row.top_day - back - FIRST_DAY for back in range(DAYS_KEPT) if row.days >> back & 1}


def test_a_visit_marks_its_day_whichever_comes_first() -> None:
    visits = [event("session_started", instant(day, 12)) for day in (3, 0, 3, 1)]
    assert active_days(facts_of(*visits)) == {0, 1, 3}
    either_way(*visits)


def test_automated_use_is_use_of_the_feature_and_no_visit() -> None:
    row = facts_of(event("core_action", instant(1), feature="sync", automated=True))
    assert active_days(row) == set() and set(row.features) == {"core_action:sync"}
    assert active_days(facts_of(event("usage_reported", instant(1), rows=3, automated=True))) == set()
    assert active_days(facts_of(event("usage_reported", instant(1), rows=3))) == {1}


def test_days_more_than_64_before_the_last_are_let_go() -> None:
    visits = [event("core_action", instant(day), feature=f"f{day}") for day in (0, 1, 63, 64)]
    assert active_days(facts_of(*visits)) == {1, 63, 64}
    assert facts_of(*visits).features["core_action:f0"] == 0
    either_way(*visits)


def test_a_year_of_silence_leaves_only_the_last_day() -> None:
    assert active_days(facts_of(event("session_started"), event("session_started", instant(400)))) == {400}


# -- membership, contract, traits, experiments ---------------------------------------------------------------------


def test_the_latest_word_on_membership_counts_and_removal_wins_a_tie() -> None:
    added, removed = event("member_added", instant(2), role="admin"), event("member_removed", instant(1))
    assert facts_of(added, removed).members[-1].role == "admin"
    tie = [event("member_added", instant(1)), event("member_removed", instant(1))]
    assert facts_of(*tie).members[-1].removed
    either_way(*tie)


def test_conversion_is_the_first_one_and_the_contract_the_last_word() -> None:
    row = facts_of(
        event("mrr_changed", instant(9), mrr=99.5, plan="team"),
        event("converted", instant(3), mrr=49),
        event("converted", instant(5), mrr=59),
    )
    assert row.converted_at == instant(3)
    assert (row.terms.mrr[1], row.terms.plan[1]) == (99_500_000, "team")


def test_lapsing_churning_and_trials() -> None:
    row = facts_of(
        event("trial_started", instant(1)), event("trial_started", instant(0)), event("trial_lapsed", instant(31)),
        event("trial_lapsed", instant(30)), event("churned", instant(40)), event("churned", instant(60)),
    )  # fmt: skip
    assert (row.trial_at, row.lapsed_at, row.churned_at) == (instant(0), instant(30), instant(60))


def test_traits_are_dated_and_the_last_16_are_kept() -> None:
    changes = [event("traits_set", instant(day), seats=day) for day in range(TRAITS_KEPT + 4)]
    either_way(*changes)
    assert facts_of(*changes).traits["seats"] == [(instant(day), day) for day in range(4, TRAITS_KEPT + 4)]


def test_every_arm_is_kept_with_its_first_assignment() -> None:
    row = facts_of(
        event("experiment_assigned", instant(2), experiment="widget", arm="test"),
        event("experiment_assigned", instant(1), experiment="widget", arm="test"),
        event("experiment_assigned", instant(3), experiment="widget", arm="control"),
        event("experiment_exposed", instant(5), experiment="widget"),
        event("experiment_exposed", instant(4), experiment="widget"),
    )
    assert row.assignments == {"widget": {"test": instant(1), "control": instant(3)}}
    assert row.exposures == {"widget": [instant(4), instant(5)]}


# -- dated outcomes ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "name", "amount"),
    [
        (event("ticket_opened", ticket="1", severity=2), "tickets", 1),
        (event("ticket_closed", ticket="1"), "tickets_closed", 1),
        (event("lesson_started", lesson="a"), "lessons_started", 1),
        (event("lesson_completed", lesson="a"), "lessons_completed", 1),
        (event("concept_checked", concept="vat", correct=True), "concept:correct:vat", 1),
        (event("concept_checked", concept="vat", correct=False), "concept:wrong:vat", 1),
        (event("survey_answered", survey="nps", score=9), "nps:product:9", 1),
        (event("survey_answered", survey="csat", score=4, about="training"), "csat:training:4", 1),
        (event("cs_contacted"), "cs_contacts", 1),
        (event("cs_contacted", sentiment=-1), "cs_sentiment", -1),
        (event("payment_failed", amount=3), "payments_failed", 1),
        (event("payment_succeeded", amount=3), "payments_succeeded", 1),
        (event("outcome_observed", name="gmv", value=0.1), "outcome:gmv", 0.1),
        (event("usage_reported", rows=12.5), "usage:rows", 12.5),
    ],
)
def test_an_outcome_is_a_sum_of_its_day(given: Json, name: str, amount: float) -> None:
    twice = facts_of(given, {**given, "id": "another"})
    assert twice.outcomes[name] == {FIRST_DAY: round(2 * amount * 1_000_000)}


def test_amounts_add_up_exactly() -> None:
    tenths = [event("outcome_observed", name="x", value=0.1) for _ in range(10)]
    assert facts_of(*tenths).outcomes["outcome:x"] == {FIRST_DAY: 1_000_000}


def test_nobodys_free_text_reaches_the_row() -> None:
    row = facts_of(
        event("churned", reason="my boss hates it"),
        event("cs_contacted", reason="called about Bob", outcome="sent Bob away"),
        event("help_engaged", source="CS", article="how to fire Bob"),
    )
    assert b"Bob" not in facts(row) and b"boss" not in facts(row)


# -- ties and limits: the order must not show here either --------------------------------------------------------------


def test_days_more_than_400_before_the_last_are_let_go() -> None:
    days = [event("outcome_observed", instant(day), name="x", value=1) for day in (0, 100, 500)]
    assert set(facts_of(*days).outcomes["outcome:x"]) == {FIRST_DAY + 500} | (
        {FIRST_DAY + 100} if OUTCOME_DAYS > 400 else set()
    )
    either_way(*days)


def test_two_words_on_the_contract_at_one_instant() -> None:
    either_way(
        event("renewed", mrr=49, plan="team", renews_at="2027-01-01T00:00:00Z"),
        event("renewed", mrr=49, plan="team", renews_at="2027-02-01T00:00:00Z"),
    )
    either_way(event("renewed"), event("mrr_changed", mrr=0))


@pytest.mark.parametrize(("one", "other"), [(True, 1), (1, "1.0"), ("True", True), (0, False), (0.0, -0.0)])
def test_two_values_of_a_trait_at_one_instant(one: object, other: object) -> None:
    either_way(event("traits_set", paying=one), event("traits_set", paying=other))


@pytest.mark.parametrize(
    "named",
    [
        lambda name: event("outcome_observed", name=name, value=1),
        lambda name: event("traits_set", **{name: 1}),
        lambda name: event("experiment_exposed", experiment=name),
        lambda name: event("experiment_assigned", experiment=name, arm="a"),
        lambda name: event("experiment_assigned", experiment="widget", arm=name),
        lambda name: event("core_action", feature=name),
    ],
)
def test_of_too_many_names_the_same_ones_are_kept_in_any_order(named: Any) -> None:
    either_way(*[named(f"name {number}") for number in range(NAMES_KEPT + 20)])


def test_features_pushed_out_by_others_that_are_forgotten_later() -> None:
    early = [event("core_action", instant(0), feature=f"early {number}") for number in range(FEATURES_KEPT)]
    between = [event("core_action", instant(10), feature=f"between {number}") for number in range(20)]
    either_way(*early, *between, event("core_action", instant(DAYS_KEPT + 2), feature="late"))


@pytest.mark.parametrize(
    "given",
    [
        event("outcome_observed", name="gmv", value=1e12),
        event("usage_reported", rows=-1e12),
        event("converted", mrr=1e12),
        event("mrr_changed", renews_at=253402300799),
    ],
)
def test_the_largest_amounts_that_are_accepted_can_be_stored(given: Json) -> None:
    decoded(given)
    row = facts_of(*[{**given, "id": f"number {number}"} for number in range(20)])
    assert facts(ROWS.encode(row)) == facts(row)

"""Given these events, this row; in whatever order they came."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.facts import CHANGES
from models.keeping import (
    COUNTRIES_KEPT,
    DAYS_KEPT,
    EARLIER_DAYS,
    ENDS_KEPT,
    FAILURES_KEPT,
    FEATURES_KEPT,
    INSTANTS_KEPT,
    MRRS_KEPT,
    NAMES_KEPT,
    OUTCOME_DAYS,
    TRAITS_KEPT,
)
from models.keeping import active_days as kept_days
from models.rows import Help, Row, TaskFacts
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


# -- what experiments ask of rows: to the instant, and for more than a year ---------------------------------------------


def all_active_days(*events: Json) -> set[int]:
    row = facts_of(*events)
    mask = kept_days(row)
    assert mask >> (DAYS_KEPT + EARLIER_DAYS) == 0
    return {row.top_day - back - FIRST_DAY for back in range(mask.bit_length()) if mask >> back & 1}


def visited(*days: int) -> list[Json]:
    return [event("session_started", instant(day, 12)) for day in days]


@pytest.mark.parametrize(
    ("days", "kept"),
    [
        ((0, 63), {0, 63}),
        ((0, 64), {0, 64}),
        ((0, 1, 70, 130), {0, 1, 70, 130}),
        ((0, 1, 447), {0, 1, 447}),
        ((0, 1, 448), {1, 448}),
        ((0, 200, 447, 448, 460), {200, 447, 448, 460}),
        ((0, 5000), {5000}),
        ((0, 400, 800, 1200), {800, 1200}),
    ],
)
def test_days_of_visits_are_kept_for_448_days(days: tuple[int, ...], kept: set[int]) -> None:
    for some in (days, days[::-1], (*days[1:], days[0]), (days[-1], *days[:-1])):
        assert all_active_days(*visited(*some)) == kept
    either_way(*visited(*days))
    assert active_days(facts_of(*visited(*days))) == {day for day in kept if day > max(days) - DAYS_KEPT}


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=30), st.randoms())
@checked(60)
def test_any_visits_in_any_order_leave_the_last_448_days_of_them(days: list[int], any_: Any) -> None:
    mixed = list(days)
    any_.shuffle(mixed)
    kept = {day for day in days if day > max(days) - DAYS_KEPT - EARLIER_DAYS}
    assert all_active_days(*visited(*days)) == all_active_days(*visited(*mixed)) == kept
    assert facts(facts_of(*visited(*days))) == facts(facts_of(*visited(*mixed)))


def test_automated_use_moves_the_days_on_and_is_none_of_them() -> None:
    automated = event("core_action", instant(447), feature="sync", automated=True)
    assert all_active_days(*visited(0), automated) == {0}
    assert all_active_days(*visited(0), {**automated, "at": event("tick", instant(448))["at"]}) == set()
    either_way(*visited(0, 100), automated)


def test_the_first_use_of_a_feature_is_kept_when_its_days_are_long_gone() -> None:
    uses = [event("core_action", instant(day, 3), feature="board") for day in (2, 5, 300, 900)]
    either_way(*uses)
    assert facts_of(*reversed(uses)).first_uses == {"core_action:board": instant(2, 3)}


def test_first_uses_are_of_features_configurations_and_tasks() -> None:
    row = facts_of(
        event("core_action", instant(3), feature="board", automated=True),
        event("feature_configured", instant(2), feature="board"),
        event("task_completed", instant(1), task="1"),
        event("task_started", instant(0), task="1"),
    )
    assert row.first_uses == {
        "core_action:board": instant(3),
        "configured:board": instant(2),
        "task:1": instant(1),
    }


def test_of_too_many_features_the_same_first_uses_are_kept_in_any_order() -> None:
    uses = [event("core_action", instant(number), feature=f"feature {number}") for number in range(FEATURES_KEPT + 20)]
    either_way(*uses)
    row = facts_of(*uses)
    assert len(row.first_uses) == FEATURES_KEPT and set(row.first_uses) == set(row.features)


def test_every_need_of_help_is_kept_once_whatever_its_task() -> None:
    needs = [
        event("help_needed", instant(2), task="1"), event("help_needed", instant(1)),
        event("help_needed", instant(2)), event("help_needed", instant(3), task="1"),
    ]  # fmt: skip
    either_way(*needs)
    assert facts_of(*needs).needs == [instant(1), instant(2), instant(3)]


@pytest.mark.parametrize(("kind", "field"), [("help_needed", "needs"), ("churned", "churns")])
def test_of_too_many_instants_the_first_and_the_last_are_kept(kind: str, field: str) -> None:
    many = [event(kind, instant(day)) for day in range(2 * ENDS_KEPT + 5)]
    either_way(*many)
    either_way(*many[::2], *many[1::2])
    kept = [*range(ENDS_KEPT), *range(ENDS_KEPT + 5, 2 * ENDS_KEPT + 5)]
    assert getattr(facts_of(*many[1::2], *many[::2]), field) == [instant(day) for day in kept]


def test_every_churn_is_kept() -> None:
    churns = [event("churned", instant(day)) for day in (5, 2, 9, 5)]
    either_way(*churns)
    assert facts_of(*churns).churns == [instant(2), instant(5), instant(9)]


def test_every_word_on_the_monthly_revenue_is_kept_the_larger_of_one_instant() -> None:
    words = [
        event("mrr_changed", instant(2), mrr=20), event("converted", instant(1), mrr=10.5),
        event("renewed", instant(2), mrr=30), event("renewed", instant(3)), event("mrr_changed", instant(4), mrr=-1),
    ]  # fmt: skip
    either_way(*words)
    assert facts_of(*words).mrrs == {instant(1): 10_500_000, instant(2): 30_000_000, instant(4): -1_000_000}


def test_the_last_64_words_on_the_monthly_revenue_are_kept() -> None:
    words = [event("mrr_changed", instant(day), mrr=day) for day in range(MRRS_KEPT + 9)]
    either_way(*words)
    either_way(*words[::2], *words[1::2])
    assert set(facts_of(*reversed(words)).mrrs) == {instant(day) for day in range(9, MRRS_KEPT + 9)}


def test_a_task_keeps_when_it_failed_first() -> None:
    fails = [event("task_failed", instant(hour=hour), task="1") for hour in (*range(12), 3)]
    either_way(*fails)
    task = facts_of(*reversed(fails)).tasks["1"]
    assert task.failed_at == [instant(hour=hour) for hour in (0, 1, 2, 3, 3, 4, 5, 6)]
    assert (len(task.failed_at), task.failures, task.failed) == (FAILURES_KEPT, 13, instant(0))


@pytest.mark.parametrize(
    ("given", "name", "amount"),
    [
        (event("ticket_opened", ticket="1"), "tickets", 1),
        (event("concept_checked", concept="vat", correct=True), "concept:correct:vat", 1),
        (event("concept_checked", concept="vat", correct=False), "concept:wrong:vat", 1),
        (event("outcome_observed", name="gmv", value=-0.1), "outcome:gmv", -0.1),
    ],
)
def test_what_experiments_sum_is_dated_to_the_instant(given: Json, name: str, amount: float) -> None:
    at = [instant(0), instant(0, 5), instant(0, 5), instant(9)]
    events = [{**given, "id": f"{i}", "at": event("tick", when)["at"]} for i, when in enumerate(at)]
    either_way(*events)
    one = round(amount * 1_000_000)
    assert facts_of(*events).dated == {name: {instant(0): one, instant(0, 5): 2 * one, instant(9): one}}


def test_usage_surveys_and_payments_are_summed_by_day_only() -> None:
    row = facts_of(
        event("usage_reported", rows=2), event("survey_answered", survey="nps", score=9), event("payment_failed"),
        event("cs_contacted"), event("lesson_completed", lesson="a"), event("ticket_closed", ticket="1"),
    )  # fmt: skip
    assert row.dated == {}


def test_the_last_512_instants_of_a_dated_sum_are_kept_in_any_order() -> None:
    values = [
        event("outcome_observed", instant(0, minute=minute), name="gmv", value=1)
        for minute in range(INSTANTS_KEPT + 30)
    ]
    other = event("outcome_observed", instant(0), name="other", value=1)
    either_way(*values, other)
    either_way(*values[::3], *values[1::3], other, *values[2::3])
    row = facts_of(*values[::2], other, *values[1::2])
    assert set(row.dated["outcome:gmv"]) == {instant(0, minute=minute) for minute in range(30, INSTANTS_KEPT + 30)}
    assert row.dated["outcome:other"] == {instant(0): 1_000_000}
    assert row.outcomes["outcome:gmv"] == {FIRST_DAY: (INSTANTS_KEPT + 30) * 1_000_000}, "the day's sum has them all"


def test_a_sum_to_the_instant_may_come_back_to_0_and_is_still_there() -> None:
    values = [event("outcome_observed", name="gmv", value=value) for value in (2.5, -2.5)]
    assert facts_of(*values).dated == {"outcome:gmv": {instant(0): 0}}


def test_of_too_many_dated_names_the_same_ones_are_kept_in_any_order() -> None:
    names = [
        event("outcome_observed", instant(number), name=f"name {number}", value=1) for number in range(NAMES_KEPT + 20)
    ]
    either_way(*names, event("ticket_opened", ticket="1"))
    row = facts_of(*names)
    assert set(row.dated) == set(row.outcomes) and len(row.dated) == NAMES_KEPT


def test_of_countries_so_many_are_kept_the_same_in_any_order_also_when_their_days_are_long_gone() -> None:
    visits = [
        event("session_started", instant(10 * number), country=f"{number}") for number in range(COUNTRIES_KEPT + 9)
    ]
    either_way(*visits)
    row = facts_of(*visits)
    assert len(row.countries) == COUNTRIES_KEPT and not any(row.features)


def test_a_row_of_before_reads_as_one_without_these_facts() -> None:
    """Fields are only ever appended: a row written without them is a row in which none of it has happened."""
    row = facts_of(event("session_started"), event("task_failed", task="1"))
    old = msgspec.msgpack.decode(ROWS.encode(row)[1:])[: Row.__struct_fields__.index("earlier")]
    tasks = Row.__struct_fields__.index("tasks")
    old[tasks] = {name: task[: TaskFacts.__struct_fields__.index("failed_at")] for name, task in old[tasks].items()}
    found, tail = ROWS.decode(b"\x01" + msgspec.msgpack.encode(old))
    assert tail is None
    assert (found.earlier, found.first_uses, found.needs, found.churns) == (b"", {}, [], [])
    assert (found.mrrs, found.dated, found.countries) == ({}, {}, {})
    assert (found.days, found.tasks["1"].failures, found.tasks["1"].failed_at) == (row.days, 1, [])

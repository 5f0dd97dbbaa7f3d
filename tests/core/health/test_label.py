"""What became of an account: the three labels, and what each says where words are doubled, odd or too early."""

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.closing import week_end
from models.health.example import Example, due, example_of, is_snapshot_day, waiting_days
from models.health.label import Outcome, has_come, may_happen, outcome_of
from models.product import Health, Label, Product, ProductError, read_product
from tests.core.reading import played
from tests.support.build import FIRST_DAY, Json, Worker, checked, event, instant, tick, world

pytestmark = pytest.mark.core

CHURN = Label("churn", horizon_days=14, unscored_days=4)
CONVERSION = Label("conversion", horizon_days=14, unscored_days=4)
INACTIVITY = Label("inactivity", horizon_days=14, unscored_days=4)
TODAY = 10


def account(*events: Json):
    worker = Worker()
    worker.given(*events)
    return worker.partition.ledger.sums.accounts["acme"]


def at(day: float, kind: str, **more: object) -> Json:
    return event(kind, instant(day), user=None, **more)


def visit(day: float) -> Json:
    return event("session_started", instant(day))


def open_on(day: int, label: Label, *events: Json) -> bool:
    return may_happen(account(*events), FIRST_DAY + day, label)


def became(label: Label, *events: Json) -> Outcome:
    return outcome_of(account(at(0, "traits_set"), *events), FIRST_DAY + TODAY, label)


def example(label: Label, *events: Json) -> Example:
    day = FIRST_DAY + TODAY
    return example_of("acme", account(at(0, "traits_set"), *events), day, {}, day + 14, label)


STAYED = Outcome(False, 14)

# -- churn ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("days", "outcome"),
    [((), STAYED), ((10,), STAYED), ((10.99,), STAYED), ((11,), Outcome(True, 1)), ((24.9,), Outcome(True, 14)),
     ((25,), STAYED), ((13, 13, 20), Outcome(True, 3)), ((5, 20), Outcome(True, 10))],
)  # fmt: skip
def test_a_churn_counts_on_the_days_behind_the_snapshot_up_to_the_horizon_and_once(
    days: tuple[float, ...], outcome: Outcome
) -> None:
    assert became(CHURN, *(at(day, "churned") for day in days)) == outcome


def test_a_snapshot_within_the_unscored_days_of_the_churn_is_an_example_and_not_scored() -> None:
    found = {day: example(CHURN, at(TODAY + day, "churned")) for day in (1, 4, 5, 14)}
    assert [(one.label, one.scored) for one in found.values()] == [(True, False)] * 2 + [(True, True)] * 2
    assert (example(CHURN).label, example(CHURN).scored) == (False, True)


@pytest.mark.parametrize(
    ("events", "may"),
    [
        ([at(0, "trial_started")], False),  # no customer yet
        ([at(0, "traits_set")], True),  # where no trials are told of, all are customers
        ([at(0, "trial_started"), at(5, "converted")], True),
        ([at(0, "trial_started"), at(5, "mrr_changed", mrr=10.0)], True),  # who pays is a customer
        ([at(0, "trial_started"), at(5, "mrr_changed", mrr=0.0)], False),
        ([at(0, "converted"), at(5, "churned")], False),  # who has left cannot leave
        ([at(0, "converted"), at(TODAY + 1, "churned")], True),
        ([at(0, "converted"), at(5, "churned"), at(7, "renewed", mrr=10.0)], True),  # came back
        ([at(5, "churned"), at(7, "converted")], True),
        # Rows keep the first conversion only: that an account is back is told by what it pays.
        ([at(0, "converted"), at(5, "churned"), at(7, "converted")], False),
        ([at(0, "converted"), at(5, "churned"), at(7, "converted", mrr=10.0)], True),
        ([at(0, "converted"), at(5, "churned"), at(TODAY + 1, "renewed", mrr=10.0)], False),  # not yet
        ([at(5, "converted"), at(5.5, "churned")], False),  # of one day, churn is the later word
        ([at(5, "churned"), at(5.5, "converted")], False),
        ([visit(TODAY + 1)], False),  # not there yet
    ],
)
def test_who_may_churn(events: list[Json], may: bool) -> None:
    assert open_on(TODAY, CHURN, *events) == may


@pytest.mark.parametrize(
    ("events", "come"),
    [
        ([at(0, "trial_started")], False),  # a trial may not churn, but has not left either
        ([at(0, "converted"), at(5, "churned")], True),
        ([at(0, "trial_started"), at(5, "churned")], True),
        ([at(0, "converted"), at(5, "churned"), at(7, "renewed", mrr=10.0)], False),
        ([at(0, "converted"), at(TODAY + 1, "churned")], False),
    ],
)
def test_who_has_left(events: list[Json], come: bool) -> None:
    assert has_come(account(*events), FIRST_DAY + TODAY, CHURN) == come


@pytest.mark.parametrize("label", [CONVERSION, INACTIVITY])
@pytest.mark.parametrize("events", [[visit(0)], [at(0, "traits_set")], [visit(0), at(3, "converted")]])
def test_of_the_other_labels_what_has_not_come_may_come(label: Label, events: list[Json]) -> None:
    for day in (0, 2, 3, 27, 28):
        assert has_come(account(*events), FIRST_DAY + day, label) != open_on(day, label, *events)


def test_an_account_that_came_back_and_leaves_again_churns_twice() -> None:
    events = [at(0, "converted"), at(5, "churned"), at(20, "renewed", mrr=10.0), at(40, "churned")]
    found = {day: open_on(day, CHURN, *events) for day in (4, 5, 19, 20, 39, 40)}
    assert list(found.values()) == [True, False, False, True, True, False]
    again = account(*events)
    assert [outcome_of(again, FIRST_DAY + day, CHURN).happened for day in (4, 25, 26, 39)] == [True, False, True, True]


# -- conversion ----------------------------------------------------------------------------------------------------


def test_who_may_convert_and_who_did() -> None:
    assert open_on(TODAY, CONVERSION, at(0, "trial_started"))
    assert not open_on(TODAY, CONVERSION, at(0, "trial_started"), at(TODAY, "converted"))
    assert open_on(TODAY, CONVERSION, at(0, "trial_started"), at(TODAY + 1, "converted"))
    assert became(CONVERSION, at(12, "converted")) == Outcome(True, 2)
    assert became(CONVERSION, at(12, "churned")) == STAYED


def test_conversion_and_churn_on_one_day_are_each_labels_own_event() -> None:
    both = [at(12, "converted"), at(12, "churned")]
    assert (became(CONVERSION, *both), became(CHURN, *both)) == (Outcome(True, 2), Outcome(True, 2))


def test_the_first_conversion_is_the_conversion() -> None:
    assert became(CONVERSION, at(5, "converted"), at(12, "converted")) == STAYED


# -- inactivity ----------------------------------------------------------------------------------------------------


def test_inactive_is_who_is_not_visited_at_all_for_the_whole_horizon() -> None:
    assert became(INACTIVITY) == became(INACTIVITY, visit(TODAY), visit(25)) == Outcome(True, 14)
    assert became(INACTIVITY, visit(24)) == became(INACTIVITY, visit(11), visit(32)) == STAYED
    assert example(INACTIVITY).scored


def test_only_who_was_visited_in_four_weeks_may_fall_asleep() -> None:
    assert [open_on(day, INACTIVITY, visit(2)) for day in (1, 2, 29, 30)] == [False, True, True, False]
    assert not open_on(TODAY, INACTIVITY, at(0, "converted"))


def test_automated_use_is_no_visit() -> None:
    assert became(INACTIVITY, event("core_action", instant(12), feature="board", automated=True)).happened


def test_inactivity_is_told_no_longer_than_visits_are_kept() -> None:
    assert read_product('label = { kind = "inactivity", horizon_days = 56 }').label.horizon_days == 56
    with pytest.raises(ProductError, match="56"):
        read_product('label = { kind = "inactivity", horizon_days = 57 }')
    assert read_product('label = { kind = "churn", horizon_days = 120 }').label.horizon_days == 120


@pytest.mark.parametrize("ago", range(1, 57))
def test_a_visit_at_any_time_in_the_longest_horizon_is_seen_when_it_has_passed(ago: int) -> None:
    """Rows may be two days ahead, and the week's end up to six days behind the horizon."""
    label = Label("inactivity", horizon_days=56)
    visited = account(visit(0), visit(ago), visit(56 + 2))
    assert not outcome_of(visited, FIRST_DAY, label).happened


# -- contacts ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("day", "contacted"), [(-18, False), (-17, True), (10, True), (24, True), (25, False)])
def test_contacts_from_four_weeks_before_to_the_horizon_may_have_saved_an_account(day: int, contacted: bool) -> None:
    assert example(CHURN, at(day, "cs_contacted")).contacted == contacted


# -- weeks ---------------------------------------------------------------------------------------------------------


@given(st.integers(1, 200), st.integers(0, 60), st.integers(1, 13))
@checked(100)
def test_every_snapshot_is_released_once_at_the_first_week_end_at_or_behind_its_horizon(
    horizon: int, week: int, weeks: int
) -> None:
    product = Product(label=Label(horizon_days=horizon))
    ends = product.health.week_ends
    day = week_end(FIRST_DAY + 7 * week, ends)
    released = [
        end for end in range(day, day + horizon + 30) if end == week_end(end, ends) and due(end, product) == day
    ]
    assert released == [week_end(day + horizon, ends)]
    assert is_snapshot_day(day, Health())
    assert not any(is_snapshot_day(day + more, Health(snapshot_weeks=weeks)) for more in range(1, 7))
    waits = [today for today in range(day, day + horizon + 30) if day in waiting_days(today, product)]
    assert waits == list(range(day, released[0]))


@pytest.mark.parametrize("horizon", [1, 5, 7, 10])
def test_labels_end_with_the_horizon_also_when_that_is_no_whole_week(horizon: int) -> None:
    asked = world(label=Label(horizon_days=horizon, unscored_days=0))
    days = {"in time": horizon, "too late": horizon + 1}
    worker = played([
        *(event("session_started", instant(0), account=name) for name in days),
        *(event("churned", instant(5 + day, 1), account=name, user=None) for name, day in days.items()),
        tick(instant(40)),
    ], given=asked)  # fmt: skip
    found = {name: worker.examples()[name, FIRST_DAY + 5] for name in days}
    assert [b'"label":true' in found[name][0] for name in days] == [True, False]


def labels_of(events: Iterable[Json]) -> dict[int, bool]:
    worker = played([*events, tick(instant(60))], given=world(label=Label(horizon_days=7, unscored_days=2)))
    return {day - FIRST_DAY: b'"label":true' in sent[0] for (_, day), sent in worker.examples().items()}


def test_a_churn_told_twice_or_before_the_account_was_known_makes_one_positive_each() -> None:
    began = at(3, "converted")
    assert labels_of([began, at(15, "churned")]) == labels_of([began, at(15, "churned"), at(16, "churned")])
    assert labels_of([began, at(15, "churned")]) == {5: False, 12: True}
    assert labels_of([at(2, "churned"), began]) == dict.fromkeys(range(5, 53, 7), False)

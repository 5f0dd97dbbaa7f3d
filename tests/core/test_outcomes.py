"""What each kind of metric reads of a unit, to the instant: these events, this outcome (EVENTS.md, `[[metric]]`)."""

from typing import Any

import pytest

from models.clock import DAY, HOUR
from tests.support.build import Json, Worker, event, instant, tick, world
from tests.support.subjects import metric, plan_of

pytestmark = pytest.mark.core

START = instant(10, 6)
"""When everybody here is assigned."""
END = START + 14 * DAY
"""The first instant that is no longer in the window."""
RIPE = END + HOUR
KINDS = {
    "converted": [event("converted")],
    "tasks_completed": [event("task_completed", task="2"), event("task_completed", task="3")],
    "task_completed:2": [event("task_completed", task="2")],
    "helped:CS": [event("help_engaged", source="CS")],
    "helped:OTHER": [event("help_engaged", source="OTHER")],
    "adopted:board": [event("core_action", feature="board")],
    "tickets": [event("ticket_opened", ticket="1"), event("ticket_opened", ticket="1")],
    "concept_correct:vat": [event("concept_checked", concept="vat", correct=True)],
    "outcome:gmv": [event("outcome_observed", name="gmv", value=-2.25)],
}
"""Kind -> events of which each makes the outcome that `WORTH` says, or 1."""
WORTH = {"tasks_completed": 2, "tickets": 2, "outcome:gmv": -2.25}
NONE = {"outcome:gmv": None}
"""What the outcome is when nothing has come: missing, or 0."""
ONCE = ["converted", "task_completed:2", "tasks_completed", "adopted:board"]
"""Kinds of which only the first time counts."""


def assigned(at: int = START, user: str | None = "ann") -> Json:
    return event("experiment_assigned", at, user=user, experiment="widget", arm="test")


def moved(events: list[Json], at: int, **fields: Any) -> list[Json]:
    """The same happenings at another instant."""
    return [{**one, "id": f"{one['id']} {at}", "at": event("tick", at)["at"], **fields} for one in events]


def outcome(name: str, *timeline: Json, unit: str = "user", now: int = RIPE, window: float = 14) -> float | None:
    """The outcome of the only unit after this timeline; None when it is missing."""
    worker = Worker(world(plan_of(metric(name, "primary", window), unit=unit)))
    worker.given(*timeline, tick(now))
    found = worker.snapshot()["experiment:widget"]
    arm = found["arms"]["test"]
    assert (arm["assigned"], arm["mature"]) == (1, 1), "a test of outcomes has one unit, and it is mature"
    said = found["metrics"][name]["arms"]["test"]
    assert said["units"] == 1 - arm["missing"]
    return said["sum"] if said["units"] else None


# -- a window is assignment <= at < assignment + window -----------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("at", "counts"), [(START - 1, False), (START, True), (END - 1, True), (END, False)])
def test_an_outcome_counts_from_the_instant_of_assignment_to_the_last_one_of_the_window(
    kind: str, at: int, counts: bool
) -> None:
    expected = WORTH.get(kind, 1) if counts else NONE.get(kind, 0)
    assert outcome(kind, assigned(), *moved(KINDS[kind], at)) == expected


@pytest.mark.parametrize("kind", KINDS)
def test_without_any_event_the_outcome_is_0_or_missing(kind: str) -> None:
    assert outcome(kind, assigned()) == NONE.get(kind, 0)


@pytest.mark.parametrize("kind", ONCE)
def test_who_did_it_before_assignment_cannot_do_it_for_the_first_time_again(kind: str) -> None:
    timeline = [*moved(KINDS[kind], START - 1), assigned(), *moved(KINDS[kind], START + DAY)]
    assert outcome(kind, *timeline) == 0
    assert outcome(kind, *reversed(timeline)) == 0


@pytest.mark.parametrize("kind", sorted(set(KINDS) - set(ONCE)))
def test_what_came_before_assignment_does_not_keep_later_ones_from_counting(kind: str) -> None:
    timeline = [*moved(KINDS[kind], START - 1), assigned(), *moved(KINDS[kind], START + DAY)]
    assert outcome(kind, *timeline) == WORTH.get(kind, 1)


@pytest.mark.parametrize("kind", KINDS)
def test_events_and_first_times_count_once_amounts_add_up(kind: str) -> None:
    timeline = [assigned(), *moved(KINDS[kind], START + DAY), *moved(KINDS[kind], START + 2 * DAY)]
    twice = {"tickets": 4, "outcome:gmv": -4.5}
    assert outcome(kind, *timeline) == twice.get(kind, WORTH.get(kind, 1))


@pytest.mark.parametrize(
    ("kind", "other"),
    [
        ("task_completed:2", event("task_completed", task="1")),
        ("task_completed:2", event("task_started", task="2")),
        ("helped:CS", event("help_engaged", source="OTHER")),
        ("helped:OTHER", event("help_engaged", source="CS")),
        ("adopted:board", event("core_action", feature="report")),
        ("adopted:board", event("feature_configured", feature="board")),
        ("concept_correct:vat", event("concept_checked", concept="vat", correct=False)),
        ("concept_correct:vat", event("concept_checked", concept="gst", correct=True)),
        ("tickets", event("ticket_closed", ticket="1")),
        ("converted", event("renewed", mrr=9)),
    ],
)
def test_other_events_are_no_outcome(kind: str, other: Json) -> None:
    assert outcome(kind, assigned(), *moved([other], START + DAY)) == 0


def test_another_outcome_leaves_this_one_missing() -> None:
    other = event("outcome_observed", START, name="nps", value=1)
    assert outcome("outcome:gmv", assigned(), other) is None


def test_an_outcome_observed_as_0_is_not_missing() -> None:
    assert outcome("outcome:gmv", assigned(), event("outcome_observed", START, name="gmv", value=0)) == 0


def test_automated_use_adopts_a_feature() -> None:
    assert outcome("adopted:board", assigned(), event("core_action", START, feature="board", automated=True)) == 1


def test_a_name_may_hold_colons() -> None:
    value = event("outcome_observed", START, name="gmv:eu:net", value=3)
    assert outcome("outcome:gmv:eu:net", assigned(), value) == 3


# -- time to -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("at", "hours"), [(START, 0), (START + 90 * HOUR // 60, 1.5), (END - HOUR, 14 * 24 - 1), (END, 14 * 24), (None, 14 * 24)]
)  # fmt: skip
def test_time_to_a_task_is_hours_from_assignment_at_most_the_window(at: int | None, hours: float) -> None:
    done = [] if at is None else [event("task_completed", at, task="2")]
    assert outcome("time_to:2", assigned(), event("task_completed", START, task="1"), *done) == hours


def test_who_completed_the_task_before_never_completes_it() -> None:
    assert outcome("time_to:2", assigned(), event("task_completed", START - 1, task="2")) == 14 * 24


# -- states ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("at", "kept"), [(None, 1), (START - 1, 1), (START, 0), (END - 1, 0), (END, 1)])
def test_retained_unless_it_churned_in_the_window(at: int | None, kept: int) -> None:
    churned = [] if at is None else [event("churned", at)]
    assert outcome("retained", assigned(), *churned) == kept


def test_who_churned_before_and_again_is_not_retained() -> None:
    churns = [event("churned", START + day * DAY) for day in (-3, 2, 20)]
    assert outcome("retained", assigned(), *churns) == 0


def paid(at: int, mrr: float | None, kind: str = "mrr_changed", user: str | None = "ann") -> Json:
    return event(kind, at, user=user, **({} if mrr is None else {"mrr": mrr}))


@pytest.mark.parametrize(
    ("words", "mrr"),
    [
        ([], 0),
        ([paid(START - 9 * DAY, 40)], 40),
        ([paid(START - 9 * DAY, 40), paid(END - 1, 55.5)], 55.5),
        ([paid(START - 9 * DAY, 40), paid(END, 55.5)], 40),
        ([paid(END, 55.5)], 0),
        ([paid(START, 40, "converted"), paid(START + DAY, None, "renewed")], 40),
        ([paid(START, 40), paid(START, 30)], 40),
        ([paid(START, 40), event("churned", START + DAY)], 0),
        ([paid(START, 40), event("churned", END)], 40),
        ([paid(START, 40), event("churned", START + DAY), paid(START + 2 * DAY, 12)], 12),
        ([paid(START, 40), event("churned", START - DAY)], 40),
        ([paid(START - 3 * DAY, 40), event("churned", START - DAY)], 0),
        ([paid(START, 1e12)], 1e12),
    ],
)
def test_mrr_is_the_last_word_as_the_window_ends_and_0_after_a_churn(words: list[Json], mrr: float) -> None:
    assert outcome("mrr", assigned(), *words) == mrr
    assert outcome("mrr", *reversed(words), assigned()) == mrr


LAST = END // DAY - 1
"""The last whole day before the window's end: day 23 of the test. The week before it ends begins on day 17."""


def visits(user: str, *days: int) -> list[Json]:
    return [event("session_started", instant(day, 12), user=user) for day in days]


@pytest.mark.parametrize(
    ("timeline", "share"),
    [
        ([*visits("ann", 17, 23)], 1),
        ([*visits("ann", 16, 23)], 0),
        ([*visits("ann", 17, 24)], 0),
        ([*visits("ann", 23, 23)], 0),
        ([*visits("ann", 17, 23, 40, 41)], 1),
        ([*visits("ann", 17, 23, 440)], 1),
        ([*visits("ann", 20, 21), *visits("bob", 20)], 0.5),
        ([*visits("ann", 20, 21), *visits("bob", 3), *visits("eve", 22, 23)], 2 / 3),
        ([*visits("ann", 20, 21), *visits("bob", 24, 25)], 1),
        ([*visits("ann", 20, 21), event("member_removed", instant(23), user="bob")], 1),
        ([*visits("ann", 20, 21), *visits("bob", 3), event("member_removed", instant(23, 23), user="bob")], 1),
        ([*visits("ann", 20, 21), *visits("bob", 3), event("member_removed", instant(24), user="bob")], 0.5),
        ([*visits("ann", 20, 21), event("member_added", instant(23), user="bob")], 0.5),
        ([*visits("ann", 20, 21), event("core_action", instant(22), user=None, feature="sync")], 1),
        ([event("core_action", instant(22), user=None, feature="sync")], None),
        ([*visits("ann", 25, 26)], None),
    ],
)
def test_utilisation_is_the_share_of_users_regularly_active_in_the_last_whole_week(
    timeline: list[Json], share: float | None
) -> None:
    """The account is assigned as such; whoever has no event before the window's last whole day is no user of it yet."""
    assert instant(23) // DAY == LAST
    now = RIPE + 500 * DAY
    found = outcome("utilisation", assigned(user=None), *timeline, unit="account", now=now)
    assert found == (None if share is None else pytest.approx(share, abs=5e-7))
    assert found == outcome("utilisation", *reversed(timeline), assigned(user=None), unit="account", now=now)


def test_a_person_who_is_only_assigned_is_a_user_who_was_not_active() -> None:
    assert outcome("utilisation", assigned(), *visits("bob", 20, 21), unit="account") == 0.5


# -- accounts as one unit, and what the account's own events say of its users ------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_an_account_has_the_outcome_of_any_of_its_users(kind: str) -> None:
    theirs = moved(KINDS[kind], START + DAY, user_id="bob")
    assert outcome(kind, assigned(user=None), *theirs, unit="account") == WORTH.get(kind, 1)
    assert outcome(kind, assigned(user="ann"), *theirs, unit="account") == WORTH.get(kind, 1)
    assert outcome(kind, assigned(), *theirs) == NONE.get(kind, 0), "which is not ann's own"


def test_an_account_sums_over_its_users_and_does_each_task_once() -> None:
    done = [event("task_completed", START + DAY, user=user, task="2") for user in ("ann", "bob")]
    assert outcome("tasks_completed", assigned(), *done, unit="account") == 1
    opened = [event("ticket_opened", START + DAY, user=user, ticket="1") for user in ("ann", "bob", None)]
    assert outcome("tickets", assigned(), *opened, unit="account") == 3
    assert outcome("tickets", assigned(), *opened, event("ticket_opened", START, account="bolt", ticket="1"),
                   unit="account") == 3  # fmt: skip


def test_an_account_is_as_fast_as_its_first_user() -> None:
    done = [
        event("task_completed", START + hours * HOUR, user=user, task="2") for user, hours in (("ann", 9), ("bob", 5))
    ]
    assert outcome("time_to:2", assigned(), *done, unit="account") == 5


def test_an_account_one_of_whose_users_converted_before_does_not_convert() -> None:
    timeline = [event("converted", START - 1, user="bob"), assigned(), event("converted", START + DAY)]
    assert outcome("converted", *timeline, unit="account") == 0


@pytest.mark.parametrize(
    ("kind", "happened", "expected"),
    [
        ("converted", event("converted", START + DAY, user=None), 1),
        ("converted", event("converted", START - DAY, user=None), 0),
        ("retained", event("churned", START + DAY, user=None), 0),
        ("mrr", event("churned", START + DAY, user=None), 0),
        ("tickets", event("ticket_opened", START + DAY, user=None, ticket="1"), 0),
        ("adopted:board", event("core_action", START + DAY, user=None, feature="board"), 0),
        ("outcome:gmv", event("outcome_observed", START + DAY, user=None, name="gmv", value=1), None),
    ],
)
def test_a_user_has_converted_or_churned_with_the_account_but_what_it_used_is_not_theirs(
    kind: str, happened: Json, expected: float | None
) -> None:
    timeline = [assigned(), paid(START, 40), happened]
    assert outcome(kind, *timeline) == expected
    assert outcome(kind, *reversed(timeline)) == expected


def test_an_assignment_of_the_account_assigns_each_of_its_users() -> None:
    worker = Worker(world(plan_of(metric("converted", "primary", 14))))
    worker.given(event("session_started", user="ann"), assigned(user=None), event("session_started", user="bob"))
    worker.given(event("converted", START, user="bob"), tick(RIPE))
    found = worker.snapshot()["experiment:widget"]
    assert found["arms"]["test"]["assigned"] == found["arms"]["test"]["mature"] == 2
    assert found["metrics"]["converted"]["arms"]["test"]["sum"] == 1


@pytest.mark.parametrize("turned", [False, True])
def test_an_own_assignment_counts_if_it_came_before_that_of_the_account(turned: bool) -> None:
    own = event("experiment_assigned", START, experiment="widget", arm="control")
    whole = event("experiment_assigned", START + (-1 if turned else 1), user=None, experiment="widget", arm="test")
    worker = Worker(world(plan_of(metric("converted", "primary", 14))))
    worker.given(own, whole, tick(START + DAY))
    found = worker.snapshot()["experiment:widget"]
    assert {arm: counts["assigned"] for arm, counts in found["arms"].items()} == {
        "control": int(not turned),
        "test": int(turned),
    }
    assert found["notes"]["both_arms"] == 1


@pytest.mark.parametrize(
    ("told", "label"),
    [
        ([("ann", -1, "small")], "small"),
        ([("ann", 0, "small")], "small"),
        ([("ann", 1, "small")], "(none)"),
        ([(None, -1, "large")], "large"),
        ([(None, -2, "large"), ("ann", -1, "small")], "small"),
        ([(None, -1, "large"), ("ann", -2, "small")], "large"),
        ([("ann", -1, 50), ("ann", 5, 90)], "50.0"),
        ([("ann", -1, True)], "True"),
        ([("bob", -1, "small")], "(none)"),
    ],
)
def test_a_trait_is_the_last_value_at_or_before_assignment_of_the_user_or_the_account(
    told: list[tuple[str | None, int, Any]], label: str
) -> None:
    worker = Worker(world(plan_of(metric("converted", "primary", 14), more='segments = ["size"]')))
    changes = [event("traits_set", START + at, user=user, size=value) for user, at, value in told]
    worker.given(*changes, assigned(), tick(RIPE))
    found = worker.snapshot()["experiment:widget"]["metrics"]["converted"]["segments"]["size"]["segments"]
    assert [(one["segment"], one["units"]["test"]) for one in found] == [(label, 1)]


# -- what changes a unit long after it was read ------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("unit", ["user", "account"])
def test_an_outcome_that_comes_late_is_put_into_the_unit_that_was_mature(kind: str, unit: str) -> None:
    worker = Worker(world(plan_of(metric(kind, "primary", 14), unit=unit)))
    worker.given(assigned(), tick(RIPE))
    before = worker.snapshot()["experiment:widget"]["metrics"][kind]["arms"]["test"]
    assert (before["sum"], before["units"]) == (0, int(kind not in NONE))
    worker.given(*moved(KINDS[kind], END - 1), tick(RIPE + DAY))
    after = worker.snapshot()["experiment:widget"]["metrics"][kind]["arms"]["test"]
    assert (after["sum"], after["units"]) == (WORTH.get(kind, 1), 1)

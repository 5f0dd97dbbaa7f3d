"""Who counts in which arm, and when: first assignment, exposure, uptake, maturity; users, and accounts as one unit."""

from typing import Any

import pytest

from models.clock import HOUR
from tests.support.build import Json, Worker, event, instant, plan, tick, world

pytestmark = pytest.mark.core


def assigned(arm: str, at: int = instant(0), user: str | None = "ann", account: str = "acme") -> Json:
    return event("experiment_assigned", at, account, user, experiment="widget", arm=arm)


def exposed(at: int, user: str = "ann") -> Json:
    return event("experiment_exposed", at, user=user, experiment="widget")


def helped(at: int, source: str = "CS", user: str = "ann") -> Json:
    return event("help_engaged", at, user=user, source=source)


def experiment(*timeline: Json, **given: Any) -> Any:
    """What is read of an experiment on users with a window of 3 days (lateness 1 h) after this timeline."""
    worker = Worker(world(plan(**{"unit": "user", **given})))
    worker.given(*timeline)
    return read(worker)


def read(worker: Worker) -> Any:
    """The experiment's snapshot; with each arm's counts stands how many mature units have the outcome."""
    found = worker.snapshot()["experiment:widget"]
    for arm, counts in found["arms"].items():
        counts["converted"] = found["metrics"]["converted"]["arms"][arm]["sum"]
    return found


def arms(*timeline: Json, **given: Any) -> dict[str, dict[str, int]]:
    """The counts that are not zero, by arm."""
    found = experiment(*timeline, **given)["arms"]
    return {arm: {name: count for name, count in counts.items() if count} for arm, counts in found.items()}


ONE = {"assigned": 1, "clusters": 1, "immature": 1}


# -- assignment ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("turned", [False, True])
def test_the_first_arm_counts_and_that_there_were_two_is_noted(turned: bool) -> None:
    both = [assigned("test", instant(1)), assigned("control", instant(2))]
    found = experiment(*both[:: -1 if turned else 1])
    assert (found["arms"]["test"]["assigned"], found["arms"]["control"]["assigned"]) == (1, 0)
    assert found["notes"]["both_arms"] == 1


def test_an_arm_that_is_not_in_the_plan_is_nobodys() -> None:
    assert arms(assigned("third")) == {"control": {}, "test": {}}
    assert arms(assigned("third"), assigned("test", instant(1))) == {"control": {}, "test": ONE}


def test_another_experiments_assignment_is_not_ours() -> None:
    other = event("experiment_assigned", experiment="other", arm="test")
    assert arms(other) == {"control": {}, "test": {}}


def test_users_of_one_account_are_one_cluster_of_an_arm() -> None:
    found = arms(assigned("test"), assigned("test", user="bob"), assigned("control", user="eve"))
    assert (found["test"]["assigned"], found["test"]["clusters"], found["control"]["clusters"]) == (2, 1, 1)


def test_an_outcome_before_the_assignment_is_noted_and_is_no_outcome() -> None:
    found = experiment(event("converted", instant(0)), assigned("test", instant(1)), tick(instant(9)))
    assert found["notes"]["outcome_before_assignment"] == 1
    assert (found["arms"]["test"]["mature"], found["arms"]["test"]["converted"]) == (1, 0)


# -- exposure and uptake -------------------------------------------------------------------------------------------


def test_exposure_is_counted() -> None:
    assert arms(assigned("test"), exposed(instant(1)))["test"] == {**ONE, "exposed": 1}


@pytest.mark.parametrize(
    ("engaged", "counts"),
    [
        (helped(instant(-1, 23)), False),
        (helped(instant(0)), True),
        (helped(instant(3) - 1), True),
        (helped(instant(3)), False),
        (helped(instant(1), "OTHER"), False),
    ],
)
def test_uptake_is_help_of_the_named_source_within_the_window(engaged: Json, counts: bool) -> None:
    assert ("took_up" in arms(assigned("test"), engaged)["test"]) == counts


def test_help_after_the_outcome_caused_nothing() -> None:
    converted = event("converted", instant(1))
    assert "took_up" not in arms(assigned("test"), converted, helped(instant(1)))["test"]
    assert "took_up" in arms(assigned("test"), converted, helped(instant(1) - 1))["test"]


def test_a_plan_may_name_any_source_or_mere_exposure_as_uptake() -> None:
    assert "took_up" in arms(assigned("test"), helped(instant(1), "OTHER"), uptake="{}")["test"]
    merely = '{ type = "experiment_exposed" }'
    assert "took_up" in arms(assigned("test"), exposed(instant(1)), uptake=merely)["test"]
    assert "took_up" not in arms(assigned("test"), exposed(instant(3)), uptake=merely)["test"]
    assert "took_up" not in arms(assigned("test"), helped(instant(1)), uptake=merely)["test"]


# -- maturity ------------------------------------------------------------------------------------------------------

RIPE = instant(3) + HOUR


def test_a_unit_matures_at_window_and_lateness_by_the_passing_of_time_only() -> None:
    worker = Worker(world(plan(unit="user")))
    worker.given(assigned("test"), event("converted", instant(1)))
    worker.given(tick(RIPE - 1))
    green = read(worker)["arms"]["test"]
    assert (green["mature"], green["immature"], green["converted"]) == (0, 1, 0), "not earlier because it converted"
    worker.given(tick(RIPE))
    ripe = read(worker)["arms"]["test"]
    assert (ripe["mature"], ripe["immature"], ripe["converted"]) == (1, 0, 1)


@pytest.mark.parametrize(("at", "counts"), [(instant(0), 1), (instant(3) - 1, 1), (instant(3), 0), (instant(5), 0)])
def test_an_outcome_counts_from_the_assignment_to_the_end_of_the_window(at: int, counts: int) -> None:
    assert experiment(assigned("test"), event("converted", at), tick(RIPE))["arms"]["test"]["converted"] == counts


def test_an_earlier_assignment_that_comes_late_moves_the_window() -> None:
    worker = Worker(world(plan(unit="user")))
    worker.given(assigned("test", instant(2)), event("converted", instant(4)), tick(instant(4)))
    worker.given(assigned("test", instant(0)), tick(instant(4, 1)))
    found = read(worker)["arms"]["test"]
    assert (found["mature"], found["converted"]) == (1, 0)


def test_a_worker_that_starts_later_finds_the_same_units_ripe() -> None:
    worker = Worker(world(plan(unit="user"), plan("other", unit="account")))
    worker.given(assigned("test"), tick(instant(1)))
    successor = worker.restarted()
    for one in (worker, successor):
        one.given(tick(RIPE), tick(RIPE + 1))
    assert successor.snapshot()["experiment:widget"] == worker.snapshot()["experiment:widget"]
    assert successor.snapshot()["experiment:widget"]["arms"]["test"]["mature"] == 1


# -- accounts as units ---------------------------------------------------------------------------------------------


def test_an_account_is_one_unit_joined_over_its_users() -> None:
    found = arms(
        assigned("control", instant(2), user="ann"), assigned("test", instant(1), user=None),
        helped(instant(2), user="bob"), exposed(instant(2), user="eve"),
        event("converted", instant(3), user="eve"), tick(instant(5)),
        unit="account",
    )  # fmt: skip
    assert found["test"] == {
        "assigned": 1,
        "clusters": 1,
        "exposed": 1,
        "took_up": 1,
        "took_up:CS": 1,
        "mature": 1,
        "converted": 1,
    }
    assert found["control"] == {}


def test_users_of_two_accounts_are_two_units() -> None:
    found = arms(
        assigned("test"), assigned("test", account="bolt"), assigned("control", account="chip"), unit="account"
    )
    assert (found["test"]["assigned"], found["control"]["assigned"]) == (2, 1)


def test_an_account_matures_by_time_alone_and_a_later_user_changes_its_arm() -> None:
    worker = Worker(world(plan()))
    worker.given(assigned("test", instant(1)), tick(instant(2)))
    worker.given(assigned("control", instant(0), user="bob"), tick(RIPE))
    found = worker.snapshot()["experiment:widget"]["arms"]
    assert (found["control"]["mature"], found["test"]["assigned"]) == (1, 0)


def test_a_user_unit_whose_account_converts() -> None:
    """A user's conversion is their own, or their account's where it names no person (decision 0007)."""
    found = experiment(assigned("test"), event("converted", instant(1), user=None), tick(RIPE))
    assert found["arms"]["test"]["converted"] == 1


def test_a_plan_published_after_the_events_is_answered_from_the_rows() -> None:
    timeline = [assigned("test"), helped(instant(1)), event("converted", instant(2)), tick(RIPE)]
    late = Worker()
    late.given(*timeline)
    late.store(late.partition.with_plans(world(plan(unit="user")), list(late.rows.items())))
    late.world = world(plan(unit="user"))
    assert read(late) == experiment(*timeline)

"""The onboarding funnel: what is counted, how long tasks take, what conversion follows, how good the trouble rule is."""

from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from models.clock import HOUR
from models.funnel import MEDIAN_ERROR, MINUTE
from tests.support.build import Json, Worker, checked, event, instant, tick

pytestmark = pytest.mark.core


def funnel(*timeline: Json) -> Any:
    worker = Worker()
    worker.given(*timeline)
    return worker.snapshot()["funnel"]["getting-started"]


def did(task: str, at: int, user: str = "ann", **other: Any) -> Json:
    return event("task_completed", at, user=user, task=task, **other)


def began(task: str, at: int, user: str = "ann") -> Json:
    return event("task_started", at, user=user, task=task)


def test_started_completed_stuck_skipped_and_out_of_order_are_counted_by_task() -> None:
    found = funnel(
        began("1", instant(0, 1)), did("1", instant(0, 3)), began("2", instant(0, 4)),
        did("2", instant(0, 2), "bob"),
        did("2", instant(0, 5), "eve"), did("1", instant(0, 6), "eve"),
        tick(instant(2)),
    )  # fmt: skip
    tasks = {task: (value["started"], value["completed"], value["stuck"]) for task, value in found["tasks"].items()}
    assert tasks == {"1": (2, 2, 0), "2": (3, 2, 1), "3": (0, 0, 0)}
    assert (found["users"], found["skipped"], found["out_of_order"]) == (3, {"1": 1}, 1)


def test_an_empty_funnel_knows_nothing_and_says_so() -> None:
    found = funnel(tick(instant(2)))
    assert found["tasks"]["1"] == {"started": 0, "completed": 0, "median_hours": None, "stuck": 0}
    assert found["trouble_rule"] == {"users": 0, "precision": None, "recall": None, "because": "no trial has ended yet"}
    assert all(dose["rate"] is None for dose in found["dose"])


def test_help_is_counted_by_users_and_source() -> None:
    found = funnel(
        event("help_engaged", source="CS"), event("help_engaged", source="CS"), event("help_engaged", source="OTHER"),
        event("help_engaged", user="bob", source="OTHER"),
    )  # fmt: skip
    assert found["helped"] == {"CS": 1, "OTHER": 2}


# -- time to complete ----------------------------------------------------------------------------------------------


@given(st.lists(st.integers(MINUTE + 1, 900 * HOUR), min_size=1, max_size=15))
@example([84_852_814])
@checked(40)
def test_the_median_is_within_the_stated_error_of_the_true_one(durations: list[int]) -> None:
    timeline = []
    for number, duration in enumerate(durations):
        timeline += [began("1", instant(0), f"user {number}"), did("1", instant(0) + duration, f"user {number}")]
    true = float(np.quantile(np.array(durations) / HOUR, 0.5, method="lower"))
    assert funnel(*timeline)["tasks"]["1"]["median_hours"] == pytest.approx(true, rel=MEDIAN_ERROR)


def test_without_a_start_the_time_counts_from_the_task_before_or_from_the_trial() -> None:
    found = funnel(event("trial_started", instant(0)), did("1", instant(0, 10)), did("2", instant(0, 15)))
    assert found["tasks"]["1"]["median_hours"] == pytest.approx(10, rel=MEDIAN_ERROR)
    assert found["tasks"]["2"]["median_hours"] == pytest.approx(5, rel=MEDIAN_ERROR)


def test_a_completion_before_its_beginning_has_no_time() -> None:
    assert funnel(did("1", instant(0, 1)), began("1", instant(0, 2)))["tasks"]["1"]["median_hours"] is None


# -- dose ----------------------------------------------------------------------------------------------------------


def dose(*timeline: Json) -> dict[int, tuple[int, int]]:
    return {one["completions"]: (one["users"], one["converted"]) for one in funnel(*timeline)["dose"]}


PEOPLE = [did("1", instant(0, 1), "ann"), did("1", instant(0, 1), "bob"), event("session_started", user="eve")]


def test_a_user_converts_alone_and_an_account_converts_everybody() -> None:
    alone, together = event("converted", instant(1), user="ann"), event("converted", instant(1), user=None)
    assert dose(*PEOPLE, alone) == {0: (1, 0), 1: (2, 1), 2: (0, 0), 3: (0, 0)}
    for timeline in ([*PEOPLE, together], [together, *PEOPLE], [*PEOPLE, together, alone], [alone, together, *PEOPLE]):
        assert dose(*timeline) == {0: (1, 1), 1: (2, 2), 2: (0, 0), 3: (0, 0)}


def test_another_accounts_conversion_is_not_ours() -> None:
    assert dose(*PEOPLE, event("converted", account="bolt", user=None))[1] == (2, 0)


# -- the trouble rule ----------------------------------------------------------------------------------------------


def trial(user: str) -> Json:
    return event("trial_started", instant(0), user=user)


def all_done(user: str, day: float) -> list[Json]:
    return [did(task, instant(day, int(task)), user) for task in "123"]


def test_precision_and_recall_of_the_trouble_rule_by_hand() -> None:
    """In trouble: a, b, c. Not completed within the trial: a, b, d. So two of three each way."""
    asked = [event("help_needed", instant(1), user=user, task="1") for user in "abc"]
    found = funnel(*map(trial, "abcde"), *asked, *all_done("c", 2), *all_done("e", 2), tick(instant(30)))
    assert found["trouble_rule"] == {"users": 5, "precision": 0.6667, "recall": 0.6667}


def test_only_trials_that_are_over_are_judged_and_that_at_the_very_moment() -> None:
    almost = funnel(trial("a"), tick(instant(30) - 1))
    assert almost["trouble_rule"]["users"] == 0
    assert funnel(trial("a"), tick(instant(30)))["trouble_rule"]["users"] == 1
    assert funnel(event("session_started"), tick(instant(60)))["trouble_rule"]["users"] == 0


def test_what_happens_after_the_trial_does_not_change_the_judgement() -> None:
    """Completing, or getting into trouble, ten days after the trial has ended is neither a success nor a hit of it."""
    asked = [event("help_needed", instant(1), user=user, task="1") for user in "ab"]
    calm_until_then = event("help_needed", instant(40), user="c", task="1")
    before = funnel(*map(trial, "abc"), *asked, *all_done("a", 2), tick(instant(31)))
    after = funnel(*map(trial, "abc"), *asked, *all_done("a", 2), tick(instant(31)),
                   *all_done("b", 40), calm_until_then, tick(instant(41)))  # fmt: skip
    assert before["trouble_rule"] == after["trouble_rule"] == {"users": 3, "precision": 0.5, "recall": 0.5}

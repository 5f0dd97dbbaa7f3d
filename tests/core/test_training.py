"""How far an account's users are trained: counted a second time by pandas, and told when it changes."""

from functools import partial

import pytest

from models.product import Actions, Product
from models.world import World
from tests.support import build
from tests.support.build import Json, Worker, event, instant, snapshot, tick, world
from tests.support.education_log import ACTIONS, ByPandas, timeline

pytestmark = pytest.mark.core
told = partial(build.told, "training")


def visit(day: float, user: str = "ann") -> Json:
    return event("session_started", instant(day, 12), user=user)


def lesson(day: float, user: str = "ann") -> Json:
    return event("lesson_completed", instant(day, 9), user=user, lesson="intro")


def check(day: float, correct: bool, user: str = "ann", concept: str = "filters") -> Json:
    return event("concept_checked", instant(day, 9), user=user, concept=concept, correct=correct)


def by_pandas(events: list[Json], account: str) -> Json:
    """The same, of data frames: who belongs to the account as the last month ends, and what they have done."""
    frames = ByPandas(events)
    here = {who for who in frames.here(frames.months[-1]) if who[0] == account}
    lessons, tries = frames.of("lesson_completed"), frames.first_tries()
    tries = tries[[who in here for who in zip(tries.account, tries.user, strict=True)]]
    days = lessons[lessons.account == account]["at"].dt.strftime("%Y-%m-%d")
    return {
        "users": len(here), "trained": len(here & set(frames.first(lessons))), "checked": len(tries),
        "first_try_correct": int(tries.correct.sum()), "last_lesson": None if days.empty else days.max(),
    }  # fmt: skip


@pytest.mark.parametrize("seed", range(3))
def test_each_accounts_training_is_that_of_its_events(seed: int) -> None:
    events = timeline(seed)
    worker = Worker(World(Product(actions=Actions(key=tuple(ACTIONS)))))
    worker.given(*events)
    read = snapshot(worker)
    accounts = {key.partition(":")[2]: one["training"] for key, one in read.items() if key.startswith("account:")}
    assert accounts == {account: by_pandas(events, account) for account in accounts}
    assert any(one["trained"] < one["users"] for one in accounts.values()) and len(accounts) == 24


def test_of_an_account_that_nobody_has_taught_it_is_told_that_nobody_is_trained() -> None:
    assert told(visit(0), visit(0, "ben"), tick(instant(1)))[-1] == {
        "users": 2, "trained": 0, "checked": 0, "first_try_correct": 0, "last_lesson": None,
    }  # fmt: skip


def test_a_lesson_is_told_by_a_message_of_its_own_with_its_cause() -> None:
    """An activity index reads nothing of lessons."""
    worker = Worker(world())
    worker.given(visit(0), tick(instant(1)))
    before = len(worker.to("account-scores"))
    worker.given(lesson(1))
    worker.given(lesson(1))
    said = worker.to("account-scores")[before:]
    assert [(one["training"]["trained"], one["causes"][0]["type"]) for one in said] == [(1, "lesson_completed")], (
        "another on the same day is no news"
    )
    assert said[0]["training"]["last_lesson"] == "2026-05-06"


def test_first_tries_count_and_later_ones_do_not() -> None:
    found = told(visit(0), check(1, False), check(2, True), check(2, True, concept="roles"), tick(instant(3)))
    assert (found[-1]["checked"], found[-1]["first_try_correct"]) == (2, 1)


def test_who_has_left_counts_no_more_but_what_they_did_was() -> None:
    given = [visit(0), visit(0, "ben"), lesson(1), check(1, True), event("member_removed", instant(2), user="ann")]
    assert told(*given)[-1] == {
        "users": 1, "trained": 0, "checked": 0, "first_try_correct": 0, "last_lesson": "2026-05-06",
    }  # fmt: skip
    assert told(*given, event("member_added", instant(3), user="ann"))[-1]["trained"] == 1


def test_of_who_is_forgotten_nothing_is_left() -> None:
    given = [visit(0, "ben"), lesson(1), check(1, True), event("forget", instant(2), user="ann")]
    assert told(*given)[-1] == told(visit(0, "ben"))[-1]

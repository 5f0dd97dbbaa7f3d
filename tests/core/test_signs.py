"""Signs of an account: who is gone, what piles up, what fails; each told when it shows, by whatever basis."""

from collections.abc import Iterable
from functools import partial

import pytest

from tests.support import build
from tests.support.build import Json, Worker, event, instant, tick, world

pytestmark = pytest.mark.core
told = partial(build.told, "signs")


def ticks(days: Iterable[int]) -> list[Json]:
    return [tick(instant(day, 2)) for day in days]


def champion(day: float, user: str = "cleo") -> Json:
    return event("member_added", instant(day), user=user, role="champion")


def visit(day: float, user: str = "cleo") -> Json:
    return event("session_started", instant(day, 12), user=user)


def test_without_roles_lessons_tickets_or_payments_nothing_shows() -> None:
    assert told(visit(0), tick(instant(1)))[-1] == {
        "champion_gone_days": None, "trained_gone_days": None, "tickets_open": 0, "payments_failed": 0,
    }  # fmt: skip


def test_a_champion_is_gone_from_the_day_of_their_last_visit_on_once_a_week_has_passed() -> None:
    signs = told(champion(0), visit(0), *(visit(day, "ann") for day in range(12)), *ticks(range(1, 13)))
    days = [one["champion_gone_days"] for one in signs]
    assert days[-1] == 12 and set(days) == {None, 0, *range(7, 13)}


def test_a_champion_who_is_removed_is_gone_from_the_next_day_on_and_one_who_comes_is_there() -> None:
    removed = event("member_removed", instant(2), user="cleo")
    timeline = [champion(0), visit(0), visit(1), visit(1, "ann"), tick(instant(2)), removed, tick(instant(4))]
    assert told(*timeline)[-1]["champion_gone_days"] > 0
    assert told(*timeline, champion(4, "ben"), visit(4, "ben"), tick(instant(5)))[-1]["champion_gone_days"] == 0


def test_how_long_somebody_is_gone_is_told_up_to_four_weeks() -> None:
    signs = told(champion(0), visit(0), *ticks(range(1, 60)))
    assert signs[-1]["champion_gone_days"] == 28
    assert len(signs) < 45, "and then nothing new is said every day"


def test_the_last_trained_user_is_gone_likewise() -> None:
    lesson = event("lesson_completed", instant(0), user="tess", lesson="intro")
    timeline = [lesson, visit(0, "tess"), *(visit(day, "ann") for day in range(12)), *ticks(range(1, 13))]
    assert told(*timeline)[-1]["trained_gone_days"] == 12


def test_open_tickets_are_those_opened_less_those_closed_and_are_told_at_once() -> None:
    opened = [event("ticket_opened", instant(day), ticket=str(day)) for day in range(3)]
    signs = told(
        visit(0), tick(instant(0, 13)), *opened, event("ticket_closed", instant(3), ticket="0"), tick(instant(4))
    )
    assert [one["tickets_open"] for one in signs][-1] == 2
    assert {0, 2} <= {one["tickets_open"] for one in signs}


@pytest.mark.parametrize(
    ("payments", "failing"),
    [
        ("f", 1), ("ff", 2), ("fs", 0), ("sf", 1), ("fsff", 2), ("s", 0), ("", 0),
    ],
)  # fmt: skip
def test_payments_that_failed_count_since_the_last_that_succeeded(payments: str, failing: int) -> None:
    kinds = {"f": "payment_failed", "s": "payment_succeeded"}
    made = [event(kinds[one], instant(day, 9), user=None, amount=1.0) for day, one in enumerate(payments)]
    assert told(visit(0), *made, tick(instant(9)))[-1]["payments_failed"] == failing


def test_a_sign_that_no_index_reads_is_told_by_a_message_of_its_own_with_its_cause() -> None:
    worker = Worker(world())
    worker.given(visit(0, "ann"), tick(instant(1)))
    before = len(worker.to("account-scores"))
    worker.given(event("payment_failed", instant(1), user=None, id="p1"))
    said = worker.to("account-scores")[before:]
    assert [one["signs"]["payments_failed"] for one in said] == [1]
    assert said[0]["causes"] == [{"event": "p1", "type": "payment_failed"}]

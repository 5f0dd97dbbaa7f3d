"""What a partition sends: the same ids for the same causes, and signals that leave when their user does."""

from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.clock import rfc3339
from models.snapshot import canonical
from tests.core.generated import intervals, shuffled
from tests.core.reading import ONLY_OUTPUTS, end_of, played
from tests.support.build import JOURNEY, Json, Worker, checked, event, instant, plan, tick, world

pytestmark = pytest.mark.core

ADMINS = JOURNEY.__class__(id="admins", tasks=("1", "bill"), applies_to={"role": "admin"})
BY_ROLE = world(plan(), journey=(JOURNEY, ADMINS))


def role(value: str, at: int, user: str | None = "ann") -> Json:
    return event("traits_set", at, user=user, role=value)


# -- scores --------------------------------------------------------------------------------------------------------


def test_the_id_of_a_score_is_of_its_account_and_its_cause() -> None:
    timeline = [event("session_started", instant(0, 1)), event("session_started", instant(0, 2), account="bolt"),
                tick(instant(1)), tick(instant(2)), event("core_action", instant(2, 1), feature="x")]  # fmt: skip
    ids = [[score["score_id"] for score in played(timeline, [1] * 12).to("account-scores")] for _ in range(2)]
    assert ids[0] == ids[1]


def test_scores_that_say_something_else_have_another_id() -> None:
    """Readers drop an id that they have seen: two daily closes under one id would lose the second."""
    worker = Worker()
    for timeline in ([event("session_started", instant(0, 1)), tick(instant(1))], [tick(instant(2))], [tick(instant(3))],
                     [event("core_action", instant(3, 1), feature="x")], [tick(instant(4))]):  # fmt: skip
        worker.given(*timeline)
    scores = worker.to("account-scores")
    assert len({score["score_id"] for score in scores}) == len(scores) > 4


def test_every_score_message_adds_up_and_says_what_it_is() -> None:
    worker = Worker()
    worker.given(event("session_started", instant(0, 1)), event("mrr_changed", instant(0, 2), mrr=49), tick(instant(2)))
    for score in worker.to("account-scores"):
        points = sum(driver["contribution"] for driver in score["drivers"])
        assert points == pytest.approx(score["score"] - score["baseline"], abs=1e-9)
        assert (score["basis"], score["probability"], score["revenue_at_risk"]) == ("heuristic", None, None)
        assert score["because"] and score["mrr"] == 49


def test_causes_are_the_events_or_the_passing_of_time() -> None:
    worker = Worker()
    worker.given(event("session_started", instant(0, 1), id="e1"), tick(instant(1)))
    worker.given(tick(instant(4)))
    first, *_, last = worker.to("account-scores")
    assert first["causes"] == [{"event": "e1", "type": "session_started"}]
    assert last["causes"] == [{"type": "time passed"}]


def test_the_same_score_is_not_said_twice() -> None:
    worker = Worker()
    worker.given(event("session_started", instant(0, 1)))
    said = len(worker.to("account-scores"))
    worker.given(event("session_started", instant(0, 2)))
    assert len(worker.to("account-scores")) == said


@pytest.mark.parametrize("turned", [False, True])
def test_the_revenue_last_told_of_counts_over_all_of_an_accounts_rows(turned: bool) -> None:
    told = [event("mrr_changed", instant(0, 1), user="ann", mrr=10), event("mrr_changed", instant(0, 2), user=None, mrr=20),
            event("renewed", instant(0, 3), user="bob")]  # fmt: skip
    worker = Worker()
    worker.given(*told[:: -1 if turned else 1])
    assert worker.snapshot()["account:acme"]["mrr"] == 20


def traits(worker: Worker) -> Any:
    return worker.snapshot()["account:acme"]["traits"]


def test_a_score_says_who_the_account_is_as_its_own_row_was_last_told() -> None:
    worker = Worker()
    worker.given(event("session_started", instant(0, 1)), event("traits_set", instant(0, 2), name="Ann", owner="Ann"))
    assert traits(worker) == {}, "a user's traits are not the account's"
    worker.given(event("traits_set", instant(0, 3), user=None, name="Acme", owner="Bo", plan="pro", employees=9))
    worker.given(event("traits_set", instant(0, 2), user=None, owner="Cy", segment="smb"))
    assert traits(worker) == {"name": "Acme", "owner": "Bo", "segment": "smb"}


def test_before_the_first_tick_a_score_is_of_the_day_of_what_came() -> None:
    worker = Worker()
    worker.given(event("traits_set", instant(0, 1), user=None, owner="Bo"))
    assert worker.to("account-scores")[-1]["at"] == rfc3339(instant(0))


def test_another_owner_is_news_and_the_same_one_again_is_not() -> None:
    worker = Worker()
    worker.given(event("traits_set", instant(0, 1), user=None, id="t1", owner="Bo", crm_url="https://crm/1"))
    worker.given(event("traits_set", instant(0, 2), user=None, id="t2", owner="Cy"))
    score = worker.to("account-scores")[-1]
    assert (score["traits"]["owner"], score["causes"]) == ("Cy", [{"event": "t2", "type": "traits_set"}])
    said = len(worker.to("account-scores"))
    worker.given(event("traits_set", instant(0, 3), user=None, owner="Cy"))
    worker.given(event("traits_set", instant(0, 4), user=None, employees=12))
    assert len(worker.to("account-scores")) == said


@pytest.mark.parametrize(("first", "then"), [(1, True), (1, 1.0), (0, False)])
def test_values_that_are_written_differently_are_news(first: Any, then: Any) -> None:
    worker = Worker()
    worker.given(event("traits_set", instant(0, 1), user=None, owner=first))
    worker.given(event("traits_set", instant(0, 2), user=None, owner=then))
    assert repr(traits(worker)["owner"]) == repr(then)


# -- signals -------------------------------------------------------------------------------------------------------


def journeys(*timeline: Json) -> set[str]:
    """Whose standing on which journey is on the read side."""
    return set(played(timeline, given=BY_ROLE).snapshot().get("journeys:acme", {}))


def test_a_user_who_leaves_a_journey_is_no_longer_on_the_read_side() -> None:
    came, left = role("admin", instant(0, 1)), role("member", instant(0, 2))
    assert journeys(came) == {"getting-started/ann", "admins/ann"}
    assert journeys(came, left) == {"getting-started/ann"}


@pytest.mark.parametrize("one_batch_each", [False, True])
def test_leaving_and_coming_back_in_any_order_of_arrival(one_batch_each: bool) -> None:
    words = [
        role("admin", instant(0, 1)),
        role("member", instant(0, 2)),
        event("task_completed", instant(0, 3), task="1"),
    ]
    ends = []
    for order in permutations(words):
        worker = Worker(BY_ROLE)
        for batch in [[one] for one in order] if one_batch_each else [order]:
            worker.given(*batch)
        worker.given(tick(instant(1)))
        ends.append(canonical(worker.snapshot()))
    assert all(end == ends[0] for end in ends)
    assert set(ends[0]["journeys:acme"]) == {"getting-started/ann"}


def test_a_role_from_membership_can_be_lost_too() -> None:
    added = event("member_added", instant(0, 1), role="admin")
    assert "admins/ann" in journeys(added)
    assert "admins/ann" not in journeys(added, event("member_added", instant(0, 2), role="member"))


@given(st.data())
@checked(40)
def test_with_several_journeys_neither_order_nor_a_crash_shows(data: st.DataObject) -> None:
    before = data.draw(intervals(days=4))
    other = [one for interval in before for one in shuffled(data.draw, interval)]
    timeline = [one for interval in before for one in interval]
    sizes = data.draw(st.lists(st.integers(1, 8), max_size=8))
    crashes = {data.draw(st.integers(0, 8)): ONLY_OUTPUTS}
    signals = [end_of(played(given_timeline, sizes, dying, BY_ROLE))["snapshot"]
               for given_timeline, dying in ((timeline, {}), (other, {}), (timeline, crashes))]  # fmt: skip
    first, *others = [{key: value for key, value in end.items() if key.startswith("journeys:")} for end in signals]
    assert all(end == first for end in others)


def test_a_forgotten_user_leaves_every_journey_and_comes_back_on_none() -> None:
    def forget(user: str | None) -> Any:
        return {"id": "f", "type": "forget", "at": "2026-05-06T00:00:00Z", "account_id": "acme",
                **({"user_id": user} if user else {})}  # fmt: skip

    arrived = [role("admin", instant(0, 1)), event("session_started", user="bob")]
    assert journeys(*arrived, forget("ann"), role("admin", instant(1, 1))) == {"getting-started/bob"}
    assert journeys(*arrived, forget(None), role("admin", instant(1, 1))) == set()

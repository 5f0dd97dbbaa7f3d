"""The capacity list: whose accounts are looked at first, by risk or by revenue, and what they add up to."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.capacity import MOST, InMemory, Listed, at_risk, place_of, tenth
from models.product import Capacity
from tests.support.build import Json, Worker, checked, event, instant, tick, world

pytestmark = pytest.mark.core


def listed(account_id: str, score: float = 50, lost: float | None = None, owner: Any = None, **more: Any) -> Listed:
    traits = {} if owner is None else {"owner": owner}
    mrr = None if lost is None else 2 * lost
    return Listed(account_id, score, "watch", None, mrr, lost, {**traits, **more.pop("traits", {})}, **more)


def read(*accounts: Listed, capacity: Capacity) -> Any:
    return at_risk(InMemory({one.account_id: one for one in accounts}), capacity)


def names(*accounts: Listed, capacity: Capacity) -> list[str]:
    return [one["account_id"] for one in read(*accounts, capacity=capacity)["accounts"]]


Lost = st.none() | st.sampled_from([0.0, 1.5, 20.0, 20.01, 1e9])
Accounts = st.lists(
    st.builds(
        listed, st.text(min_size=1, max_size=3), st.sampled_from([0.0, 0.01, 50.0, 99.99, 100.0]), Lost,
        st.sampled_from([None, "", "Ann", "Bo", "a/b", "x:history", "é"]), event_has_come=st.booleans(),
    ),
    unique_by=lambda one: one.account_id, max_size=25,
)  # fmt: skip


@given(Accounts, st.integers(1, 4), st.sampled_from(["risk", "revenue"]))
@checked(200)
def test_each_owner_has_so_many_of_those_that_come_first(accounts: list[Listed], number: int, by: Any) -> None:
    def order(one: Listed) -> tuple:
        if by == "risk":
            return one.score, one.account_id
        known = one.revenue_at_risk is not None
        return not known, -(one.revenue_at_risk or 0) if known else one.score, one.account_id

    may = [one for one in accounts if not one.event_has_come]
    first = [one for owner in {one.owner for one in may}
             for one in sorted((one for one in may if one.owner == owner), key=order)[:number]]  # fmt: skip
    expected = [one.account_id for one in sorted(first, key=order)]
    assert names(*accounts, capacity=Capacity(number, by)) == expected


@given(Accounts)
@checked(50)
def test_totals_are_of_what_is_listed_and_owners_add_up_to_them(accounts: list[Listed]) -> None:
    found = read(*accounts, capacity=Capacity(2))
    whole, owners = found["totals"], found["totals"]["owners"]
    assert whole["accounts"] == len(found["accounts"]) == sum(one["accounts"] for one in owners)
    for name in ("mrr", "revenue_at_risk"):
        told = [one[name] for one in found["accounts"] if one[name] is not None]
        assert whole[name] == (pytest.approx(sum(told), abs=0.005) if told else None)
        assert (whole[name] or 0) == pytest.approx(sum(one[name] or 0 for one in owners), abs=0.05)
    assert [one["owner"] for one in owners] == sorted({one["owner"] for one in found["accounts"]},
                                                      key=lambda owner: (owner is None, owner or ""))  # fmt: skip


@pytest.mark.parametrize(("accounts", "length"), [(0, 0), (1, 1), (10, 1), (11, 2), (95, 10), (100 * MOST, MOST)])
def test_until_a_capacity_is_set_it_is_the_lowest_tenth_and_never_more_than_can_be_gone_through(
    accounts: int, length: int
) -> None:
    assert tenth(accounts) == length


def test_without_a_capacity_owners_do_not_matter_and_ids_break_ties() -> None:
    accounts = [listed(f"{number:02}", score=90, owner="Ann") for number in range(18)]
    accounts += [listed("z", score=7, owner="Bo"), listed("y", score=7, owner="Bo")]
    assert names(*accounts, capacity=Capacity()) == ["y", "z"]
    assert read(*accounts, capacity=Capacity())["of"] == 20


@pytest.mark.parametrize("accounts", [50, 30_000])
@pytest.mark.parametrize(
    ("capacity", "most"), [(Capacity(3), 3 * 4), (Capacity(3, "revenue"), 3 * 4), (Capacity(), MOST)]
)
def test_no_more_is_read_than_is_listed_however_many_accounts_there_are(
    accounts: int, capacity: Capacity, most: int
) -> None:
    held = InMemory({f"{n}": listed(f"{n}", score=n % 97, lost=n % 13, owner=n % 4) for n in range(accounts)})
    read: list[int] = []

    class Counting:
        ranked, owners = held.ranked, held.owners

        def lowest(self, keys: Any, count: int) -> Any:
            read.append(len(keys) * count)
            return held.lowest(keys, count)

        def listed(self, ids: Any) -> Any:
            read.append(len(ids))
            return held.listed(ids)

    found = at_risk(Counting(), capacity)
    assert max(read) <= most and len(found["accounts"]) == min(most, -(-accounts // 10) if most == MOST else most)


def test_by_revenue_the_most_comes_first_and_what_is_not_known_last() -> None:
    accounts = [listed("none", 1.0), listed("safe", 99.0), listed("little", 5.0, 3.0), listed("much", 80.0, 400.0),
                listed("nothing", 0.0, 0.0)]  # fmt: skip
    assert names(*accounts, capacity=Capacity(9, "revenue")) == ["much", "little", "nothing", "none", "safe"]
    assert names(*accounts, capacity=Capacity(9)) == ["nothing", "none", "little", "much", "safe"]


@pytest.mark.parametrize(
    ("told", "owner"), [("Ann", "Ann"), ("", None), (None, None), (42.0, "42"), (42, "42"), (1.5, "1.5")]
)
def test_an_owner_is_a_text_and_none_is_nobody(told: Any, owner: str | None) -> None:
    (entry,) = read(listed("acme", owner=told), capacity=Capacity(1))["accounts"]
    assert entry["owner"] == owner


def test_an_entry_says_who_what_and_how_much() -> None:
    one = Listed("acme", 12.5, "at_risk", 0.125, 100.0, 87.5, {"name": "Acme", "owner": "Ann", "segment": "smb"})
    assert one.entry() == {
        "account_id": "acme", "name": "Acme", "owner": "Ann", "score": 12.5, "band": "at_risk", "probability": 0.125,
        "mrr": 100.0, "revenue_at_risk": 87.5,
    }  # fmt: skip


def test_a_negative_revenue_does_not_stand_among_those_that_are_not_known() -> None:
    place = place_of(listed("acme", lost=-5.0))
    assert place is not None and place.revenue == 0.0


# -- from events -----------------------------------------------------------------------------------------------------


def visited(account: str) -> Json:
    return event("session_started", instant(0, 9), account=account)


def test_who_has_left_is_ranked_by_score_and_not_on_the_list() -> None:
    worker = Worker(world(capacity=Capacity(5)))
    worker.given(*map(visited, ("acme", "bolt", "cube")), event("churned", instant(0, 9), account="bolt", user=None))
    found = worker.snapshot()
    assert [one["account_id"] for one in found["at-risk"]["accounts"]] == ["acme", "cube"]
    assert set(found["accounts:by-score"]) == {"acme", "bolt", "cube"}
    assert set(found["accounts:by-risk"]) == set(found["accounts:by-revenue"]) == {"acme", "cube"}
    worker.given(event("renewed", instant(1), account="bolt", mrr=9), tick(instant(2)))
    assert "bolt" in {one["account_id"] for one in worker.snapshot()["at-risk"]["accounts"]}


def test_an_account_stands_among_its_present_owners() -> None:
    worker = Worker(world(capacity=Capacity(1)))
    for owner in ("Ann", "Bo"):
        worker.given(visited("acme"), event("traits_set", instant(0, 9), account="acme", user=None, owner=owner))
    found = worker.snapshot()
    assert "accounts:by-risk/Ann" not in found and set(found["accounts:by-risk/Bo"]) == {"acme"}
    assert [one["owner"] for one in found["at-risk"]["accounts"]] == ["Bo"]


def test_without_a_capacity_one_of_two_accounts_is_listed() -> None:
    worker = Worker()
    worker.given(visited("acme"), visited("bolt"))
    assert len(worker.snapshot()["at-risk"]["accounts"]) == 1

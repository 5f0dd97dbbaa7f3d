"""Which came first: only what was observed from before can be known to have come after."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.education.sequence import PAIRS, order_of
from models.product import Actions, Education, read_product
from tests.support.build import Json, Worker, checked, event, instant, rebuilt, sums_of, tick, world

pytestmark = pytest.mark.core

KEY = Actions(key=("core_action:board",))
TRAINED = event("lesson_completed", instant(10), lesson="one")
ADOPTED = event("core_action", instant(20), feature="board")
CONTACTED = event("ticket_opened", instant(15), ticket="T-1")
SEEN_BEFORE = {
    "product": event("session_started", instant(1), user="bob"),
    "training": event("lesson_started", instant(1), user="bob", lesson="one"),
    "support": event("ticket_closed", instant(1), user="bob", ticket="T-0"),
}


def told(*timeline: Json, **settings: object) -> dict[tuple[str, str], dict[str, int]]:
    """pair -> how often which order, of what is then published."""
    worker = Worker(world(actions=KEY, **settings))
    worker.given(*timeline, tick(instant(60)))
    pairs = worker.snapshot()["education"]["sequence"]["pairs"]
    orders = ("before", "after", "unknown")
    return {(one["first"], one["second"]): {name: one[name] for name in orders if one[name]} for one in pairs}


@pytest.mark.parametrize(("first", "second", "histories", "order"), [
    (10, 20, (5, 5), "before"),
    (20, 10, (5, 5), "after"),
    (10, 20, (None, 15), "unknown"),
    (10, 20, (None, 10), "unknown"),
    (10, 20, (10, 9), "before"),
    (20, 10, (15, 9), "unknown"),
    (10, 10, (1, 1), "unknown"),
    (10, 20, (1, None), "unknown"),
])  # fmt: skip
def test_the_rule(first: int, second: int, histories: tuple[int | None, int | None], order: str) -> None:
    assert order_of(first, second, *histories) == order


@given(st.integers(0, 9), st.integers(0, 9), st.integers(0, 9), st.integers(0, 9))
@checked(200)
def test_a_truncated_history_never_gives_an_order_that_the_whole_one_does_not(
    training: int, adoption: int, cut_training: int, cut_adoption: int
) -> None:
    """Of people who go on doing what they have begun to do: what had begun before the cut is first seen there."""
    seen_training, seen_adoption = max(training, cut_training), max(adoption, cut_adoption)
    found = order_of(seen_training, seen_adoption, cut_training, cut_adoption)
    assert found in ("unknown", "before" if training < adoption else "after")


def test_what_was_done_once_before_the_history_began_is_not_noticed() -> None:
    """The limit of the rule, which the guide names: adopted at 0, observed from 1, trained at 2, seen again at 10."""
    assert order_of(2, 10, 0, 1) == "before"


def test_an_action_is_after_training_only_if_its_history_was_observed_from_before() -> None:
    training, adoption = PAIRS[0]
    assert told(TRAINED, ADOPTED)[training, adoption] == {"unknown": 1}
    assert told(SEEN_BEFORE["product"], TRAINED, ADOPTED)[training, adoption] == {"before": 1}
    later = event("session_started", instant(12), user="bob")
    assert told(later, TRAINED, ADOPTED)[training, adoption] == {"unknown": 1}
    elsewhere = {**SEEN_BEFORE["product"], "account_id": "bolt"}
    assert told(elsewhere, TRAINED, ADOPTED)[training, adoption] == {"unknown": 1}, "another account's history"
    for other in ("training", "support"):
        assert told(SEEN_BEFORE[other], TRAINED, ADOPTED)[training, adoption] == {"unknown": 1}, "another source"


def test_training_after_adoption_needs_the_history_of_training() -> None:
    late = event("lesson_completed", instant(30), lesson="one")
    pair = PAIRS[0]
    assert told(ADOPTED, late)[pair] == {"unknown": 1}
    assert told(SEEN_BEFORE["training"], ADOPTED, late)[pair] == {"after": 1}


def test_support_stands_between() -> None:
    found = told(*SEEN_BEFORE.values(), TRAINED, CONTACTED, ADOPTED)
    assert found == {pair: {"before": 1} for pair in PAIRS}


def test_a_history_that_is_stated_holds_for_every_account() -> None:
    since = read_product("[education]\nhistory_since = { product = 2026-05-06T00:00:00Z }").education
    assert told(TRAINED, ADOPTED, education=since)[PAIRS[0]] == {"before": 1}
    late = read_product("[education]\nhistory_since = { product = 2026-05-20T00:00:00Z }").education
    assert told(TRAINED, ADOPTED, education=late)[PAIRS[0]] == {"unknown": 1}
    assert Education().history_since == {}


def test_who_did_one_of_a_pair_is_counted_as_such() -> None:
    worker = Worker(world(actions=KEY))
    worker.given(TRAINED, {**ADOPTED, "user_id": "bob"}, tick(instant(60)))
    first = worker.snapshot()["education"]["sequence"]["pairs"][0]
    assert (first["only_training"], first["only_adoption"]) == (1, 1)
    assert (first["before"], first["after"], first["unknown"]) == (0, 0, 0)


def test_histories_are_counted_by_account_and_since_when() -> None:
    worker = Worker(world(actions=KEY))
    worker.given(TRAINED, ADOPTED, {**ADOPTED, "id": "x", "account_id": "bolt"}, tick(instant(60)))
    since = worker.snapshot()["education"]["sequence"]["history_since"]
    assert since["product"] == {"accounts": 2, "since": {"2026-05": 2}}
    assert since["support"] == {"accounts": 0, "since": {}}


def test_a_forgotten_user_s_history_is_forgotten() -> None:
    """What was known to come after training was known from them alone."""
    worker = Worker(world(actions=KEY))
    worker.given(SEEN_BEFORE["product"], TRAINED, ADOPTED, tick(instant(60)))
    worker.given({"id": "f", "type": "forget", "at": tick(instant(61))["at"], "account_id": "acme", "user_id": "bob"})
    first = worker.snapshot()["education"]["sequence"]["pairs"][0]
    assert (first["before"], first["unknown"]) == (0, 1)
    assert sums_of(worker.partition) == sums_of(rebuilt(worker))

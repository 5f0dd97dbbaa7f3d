"""The instant that a row keeps: the same in any order and any batches, against a draw written out by hand."""

import json
from collections import Counter
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.authenticity.drawing import ACTS, KINDS_KEPT, draw
from models.clock import DAY, SECOND
from models.events import HOME, Event
from models.rows import NEVER, Row
from tests.core.generated import KINDS, PROPERTIES
from tests.support.build import T0, Json, checked, decoded, event, instant

pytestmark = pytest.mark.core

OF_SYSTEMS = {"trial_started", "help_needed", "usage_reported", "member_added", "member_removed", "traits_set",
              "experiment_assigned", "experiment_exposed", "ticket_closed", "cs_contacted", "converted", "renewed",
              "mrr_changed", "trial_lapsed", "churned", "payment_failed", "payment_succeeded", "outcome_observed",
              "forget"}  # fmt: skip


class One(NamedTuple):
    at: int
    event: Event


def happened(kind: str, at: int, **properties: object) -> One:
    return One(at, decoded(event(kind, at, **properties)))


@st.composite
def happenings(draw_: st.DrawFn) -> list[tuple[Json, One]]:
    """Events of three days at few instants, dates without a time among them."""
    found = []
    for _ in range(draw_(st.integers(0, 12))):
        kind = draw_(st.sampled_from(KINDS))
        at = T0 + draw_(st.integers(0, 2)) * DAY + draw_(st.sampled_from([0, 1, SECOND, 37 * SECOND, DAY - 1]))
        given_ = event(kind, at, **draw_(PROPERTIES[kind]))
        found.append((given_, One(at, decoded(given_))))
    return found


def by_hand(given_: list[tuple[Json, One]]) -> tuple[int, list[int]]:
    """The drawn instant, and how often each thing was done at it."""
    acts = [
        (one.at, one_["type"] + json.dumps(one_["properties"], sort_keys=True)) for one_, one in given_
        if one_["type"] not in OF_SYSTEMS and one.at % DAY and not one_["properties"].get("automated")
    ]  # fmt: skip
    if not acts:
        return NEVER, []
    last = max(at // DAY for at, _ in acts)
    drawn = max((at for at, _ in acts if at // DAY == last), key=lambda at: at * 11400714819323198485 % 2**64)
    return drawn, sorted(Counter(what for at, what in acts if at == drawn).values())


@given(happenings(), st.data())
@checked(300)
def test_any_order_and_any_batches_draw_what_drawing_by_hand_does(
    given_: list[tuple[Json, One]], data: st.DataObject
) -> None:
    in_order, in_batches = Row([NEVER] * 3), Row([NEVER] * 3)
    draw(in_order, [one for _, one in given_])
    shuffled = data.draw(st.permutations([one for _, one in given_]))
    while shuffled:
        size = data.draw(st.integers(1, len(shuffled)))
        draw(in_batches, shuffled[:size])
        shuffled = shuffled[size:]
    assert in_batches == in_order
    assert (in_order.drawn_at, sorted(in_order.drawn.values())) == by_hand(given_)


def test_what_people_do_is_told_from_what_systems_say() -> None:
    assert {tag.decode() for tag in ACTS.values()} == set(HOME) - OF_SYSTEMS


def test_a_repeat_is_the_same_act_at_the_same_instant_under_another_id() -> None:
    at = instant(0, 9, 0.5)
    row = Row([NEVER] * 3)
    board, other = ({"feature": name} for name in ("board", "other"))
    draw(row, [happened("core_action", at, **board), happened("core_action", at, **other)])
    draw(row, [happened("core_action", at, **board), happened("core_action", at + 1, automated=True, **board)])
    assert (row.drawn_at, sorted(row.drawn.values())) == (at, [1, 2])


@given(st.permutations(range(3 * KINDS_KEPT)))
@checked(50)
def test_of_many_different_acts_at_one_instant_the_same_few_are_kept_whatever_their_order(order: list[int]) -> None:
    acts = [happened("core_action", instant(0, 9), feature=f"f{number // 2}") for number in order]
    row, again = Row([NEVER] * 3), Row([NEVER] * 3)
    draw(row, acts)
    for act in reversed(acts):
        draw(again, [act])
    assert row.drawn == again.drawn
    assert list(row.drawn.values()) == [2] * KINDS_KEPT


def test_every_second_of_the_clock_is_drawn_as_often_as_any_other() -> None:
    """2,000 people, 30 events each at seconds that are even: so is what is drawn (chi-square, 59 degrees: 1 in 10⁶)."""
    act = decoded(event("session_started"))
    seconds: Counter[int] = Counter()
    for person in range(2000):
        row = Row([NEVER] * 3)
        draw(
            row, [One(T0 + (person * 40_503 + number * 2_659) % 86_399 * SECOND + SECOND, act) for number in range(30)]
        )
        seconds[row.drawn_at // SECOND % 60] += 1
    assert sum((seconds[second] - 2000 / 60) ** 2 / (2000 / 60) for second in range(60)) < 125

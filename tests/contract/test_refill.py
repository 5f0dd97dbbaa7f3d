"""Redis may be lost at any time: the publisher notices, and everything is there again, whatever happens meanwhile."""

import pytest

import streams.publisher
from models.product import Capacity
from models.world import World
from tests.contract.sides import InRedis
from tests.contract.test_read_side import done, forgotten, worker
from tests.support.build import Json, event, instant, plan, tick, world
from tests.support.stack import differences

pytestmark = pytest.mark.contract


@pytest.fixture
def given() -> World:
    return world(plan("widget"), capacity=Capacity(1))


def of(account: str, owner: str) -> Json:
    return event("traits_set", instant(0.5), account, None, owner=owner)


@pytest.fixture
def filled(namespace, given):
    """A read side in Redis with four accounts of two owners and nobody; somebody was forgotten, one has left."""
    sent = worker(
        *(done(account, user) for account in ("acme", "bolt", "a:b", "cube") for user in ("ann", "bob")),
        *(of(account, owner) for account, owner in (("acme", "Ann"), ("bolt", "Bo"), ("bolt", "Ann"), ("cube", "Ann"))),
        event("churned", instant(0.5), "cube", None),
        tick(instant(1)),
        given=given,
    )
    read = InRedis(namespace(partitions=2), given)
    read.take(sent.sent)
    sent.sent.clear()
    sent.given(forgotten("bolt", "ann"))
    read.take(sent.sent)
    return read


def test_an_emptied_redis_is_noticed_by_a_pulse_and_filled_again(filled):
    before = filled.snapshot()
    assert {"accounts:by-risk", "accounts:by-risk/", "accounts:by-risk/Ann", "accounts:by-risk/Bo"} <= set(before)
    assert filled.held.clear() > 5
    assert filled.held.client.keys(f"{filled.held.prefix}*") == [], "also what the publisher keeps for itself"
    filled.pulse()
    assert differences(filled.snapshot(), before) == []


def test_a_successor_finds_everything_as_it_was(filled):
    before = filled.snapshot()
    filled.succeed()
    assert differences(filled.snapshot(), before) == []


def test_an_emptied_redis_is_filled_by_a_successor_too(filled):
    before = filled.snapshot()
    filled.held.clear()
    filled.succeed()
    filled.pulse()
    assert differences(filled.snapshot(), before) == []


def test_a_publisher_that_ends_while_it_fills_redis_leaves_the_rest_to_its_successor(filled, monkeypatch):
    before = filled.snapshot()
    filled.held.clear()

    def ends(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(streams.publisher, "refill", ends)
        with pytest.raises(KeyboardInterrupt):
            filled.pulse()
    filled.succeed()
    filled.pulse()
    assert differences(filled.snapshot(), before) == []


def test_a_publisher_that_was_paused_does_not_undo_what_its_successor_wrote(filled, given):
    paused = filled.publisher
    stale = filled.next_pulse()
    filled.succeed()
    sent = worker(*(done("new", user) for user in ("ann", "bob")), given=given)
    filled.take(sent.sent)
    before = filled.snapshot()
    paused.pulse(stale)
    assert differences(filled.held_now(), before) == []

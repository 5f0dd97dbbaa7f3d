"""What every read side shows, whether it keeps snapshots in a dict (`livelift replay`) or in Redis (the publisher)."""

import pytest

from models.contribution import World
from models.messages import Output
from models.product import Capacity
from models.readside import account_key, journeys_key
from tests.contract.sides import InMemory, InRedis, Side
from tests.support.build import Json, Worker, event, instant, place, plan, tick, world
from tests.support.stack import differences, until

pytestmark = [pytest.mark.contract, pytest.mark.timeout(40)]
NAMES = ("acme", "a:b", "a/b", "a|b", "by-score", "é ☃ 名", "a b", "%2F", "*", "{}")
"""Account ids are other people's: anything may be in them."""


@pytest.fixture(params=["memory", "redis"])
def side(request):
    """Makes a read side for a world."""

    def make(given: World) -> Side:
        if request.param == "memory":
            return InMemory(given)
        return InRedis(request.getfixturevalue("namespace")(partitions=2), given)

    return make


def done(account: str, user: str, task: str = "1", day: float = 0.5) -> Json:
    return event("task_completed", instant(day), account, user, task=task)


def worker(*timeline: Json, **given: object) -> Worker:
    made = Worker(**given)
    made.given(*timeline)
    return made


def forgotten(account: str, user: str | None = None) -> Json:
    return event("forget", instant(1), account, user)


def users(snapshot: Json, account: str) -> set[str]:
    return {signal["user_id"] for signal in snapshot.get(journeys_key(account), {}).values()}


def test_every_account_has_its_score_its_journeys_and_its_rank_whatever_its_name(side):
    sent = worker(*(done(name, user) for name in NAMES for user in ("ann", "b/ann", "c:1")), tick(instant(1)))
    read = side(sent.world)
    read.take(sent.sent)
    found = read.snapshot()
    for name in NAMES:
        assert found[account_key(name)]["account_id"] == name
        assert found["accounts:by-score"][name] == found[account_key(name)]["score"]
        assert users(found, name) == {"ann", "b/ann", "c:1"}
    assert set(found["accounts:by-score"]) == set(NAMES)
    assert found["quality"]["accepted"] == 3 * len(NAMES)


def test_an_account_may_be_named_like_another_ones_history(side):
    sent = worker(done("acme", "ann"), done("acme:history", "bob"), tick(instant(1)))
    read = side(sent.world)
    read.take(sent.sent)
    found = read.snapshot()
    assert users(found, "acme:history") == {"bob"}
    assert set(found["accounts:by-score"]) == {"acme", "acme:history"}
    assert found["account:acme%3Ahistory"]["account_id"] == "acme:history"


def test_the_latest_word_on_an_account_counts(side):
    sent = worker(done("acme", "ann", "1"))
    read = side(sent.world)
    read.take(sent.sent)
    sent.sent.clear()
    sent.given(done("acme", "ann", "2", day=0.6), done("acme", "ann", "3", day=0.7))
    read.take(sent.sent)
    [signal] = read.snapshot()["journeys:acme"].values()
    assert (signal["completed"], signal["position"]) == (3, None)


@pytest.mark.parametrize("at_once", [True, False], ids=["in one batch", "in two batches"])
def test_somebody_forgotten_is_gone_and_nobody_else(side, at_once):
    sent = worker(*(done("acme", user) for user in ("ann", "b/ann", "bob")), done("bolt", "ann"))
    read = side(sent.world)
    if not at_once:
        read.take(sent.sent)
        sent.sent.clear()
    sent.given(forgotten("acme", "ann"))
    read.take(sent.sent)
    found = read.snapshot()
    assert users(found, "acme") == {"b/ann", "bob"}
    assert users(found, "bolt") == {"ann"}
    assert found["quality"]["users"] == 3


@pytest.mark.parametrize("at_once", [True, False], ids=["in one batch", "in two batches"])
def test_a_forgotten_account_is_gone_from_everywhere(side, at_once):
    sent = worker(*(done(account, "ann") for account in ("a:b", "a", "b")))
    read = side(sent.world)
    if not at_once:
        read.take(sent.sent)
        sent.sent.clear()
    sent.given(forgotten("a:b"))
    read.take(sent.sent)
    found = read.snapshot()
    assert not {"account:a:b", "journeys:a:b"} & set(found)
    assert set(found["accounts:by-score"]) == {"a", "b"}
    assert {one["account_id"] for one in found["at-risk"]["accounts"]} <= {"a", "b"}
    assert (found["quality"]["accounts"], found["quality"]["accepted"]) == (2, 2)
    assert found["funnel"]["getting-started"]["tasks"]["1"]["completed"] == 2


def test_the_last_account_may_go_too_and_come_back(side):
    sent = worker(done("acme", "ann"))
    kept = [output for output in sent.sent if output.topic != "partials"]
    gone = [Output("account-scores", 0, b"acme", None), Output("journey-signals", 0, b"acme", None)]
    read = side(sent.world)
    read.take(sent.sent)
    read.take(gone)
    read.take(gone)
    found = read.snapshot()
    assert (found["accounts:by-score"], found["at-risk"]["accounts"]) == ({}, [])
    assert not {"account:acme", "journeys:acme"} & set(found)
    read.take(kept)
    assert users(read.snapshot(), "acme") == {"ann"}


@pytest.mark.parametrize("capacity", [None, 3])
def test_among_equal_scores_the_list_of_accounts_at_risk_goes_by_name(side, capacity):
    names = sorted(["Z", "a", "b", "é", "名", *(f"acme-{n}" for n in range(20))])
    given = world(**({} if capacity is None else {"capacity": Capacity(capacity)}))
    sent = worker(*(done(name, "ann") for name in reversed(names)), tick(instant(1)), given=given)
    read = side(given)
    read.take(sent.sent)
    found = read.snapshot()
    assert len(set(found["accounts:by-score"].values())) == 1
    assert [one["account_id"] for one in found["at-risk"]["accounts"]] == names[:3]


def test_partitions_shares_add_up_and_each_replaces_its_own(side):
    first, second = (Worker(plans_world(), number=number, partitions=2) for number in (0, 1))
    homes = {0: [], 1: []}
    for n in range(20):
        homes[place(2)(f"acme-{n}")].append(f"acme-{n}")
    for sender, number in ((first, 0), (second, 1)):
        for account in homes[number]:
            sender.given(
                event("experiment_assigned", instant(0), account, "ann", experiment="widget", arm="test"),
                done(account, "ann"),
            )
        sender.given(tick(instant(1)))
    read = side(first.world)
    read.take(first.sent)
    read.take(second.sent)
    read.take(second.sent)
    found = read.snapshot()
    assert found["experiment:widget"]["arms"]["test"]["assigned"] == 20
    assert found["funnel"]["getting-started"]["tasks"]["1"]["completed"] == 20
    assert found["quality"]["accepted"] == 40
    read.take([Output("partials", 0, b"funnel|getting-started|1", None)])
    until("the share is taken out", lambda: completed(read) == len(homes[0]), 20)


def completed(read: Side) -> int:
    return read.snapshot()["funnel"]["getting-started"]["tasks"]["1"]["completed"]


def plans_world() -> World:
    return world(plan("widget", window=3))


def test_a_whole_trial_reads_the_same_on_both(namespace):
    """Every kind of output, in the batches in which it was sent: stuck users, closes, matured arms, conversions."""
    sent = Worker(plans_world())
    memory, redis = InMemory(sent.world), InRedis(namespace(partitions=1), sent.world)
    accounts = [f"{name}-{n}" for n in range(6) for name in ("acme", "é:/")]
    for day in range(6):
        for n, account in enumerate(accounts):
            arm = ("control", "test")[n % 2]
            batch = [done(account, f"user-{n}", str(1 + day % 3), day + 0.3)] if (n + day) % 3 else []
            if day == 0:
                batch.append(event("experiment_assigned", instant(0, 1), account, None, experiment="widget", arm=arm))
            if day == 2 and n % 3 == 0:
                batch.append(event("converted", instant(2, 5), account, None, mrr=99.5))
            if n % 4 == day:
                batch.append(event("task_started", instant(day, 9), account, f"late-{n}", task="2"))
            sent.given(*batch)
        sent.given(tick(instant(day + 1)))
        sent.given(forgotten(accounts[day], f"user-{day}"))
    for read in (memory, redis):
        half = len(sent.sent) // 2
        read.take(sent.sent[:half])
        read.take(sent.sent[half:])
    assert differences(redis.snapshot(), memory.snapshot()) == []

"""What every read side shows, whether it keeps snapshots in a dict (`livelift replay`) or in Redis (the publisher)."""

from random import Random

import pytest

from models.keys import account_key, journeys_key
from models.messages import Output, encode
from models.product import Capacity
from models.world import World
from tests.contract.sides import InMemory, InRedis, Side
from tests.support.build import Json, Worker, event, instant, place, plan, tick, world
from tests.support.stack import differences, until

pytestmark = pytest.mark.contract
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


# -- the capacity list -----------------------------------------------------------------------------------------------


def score(account: str, score: float = 50.0, lost: float | None = None, come: bool = False, **traits: object) -> Output:
    """A score message with what the read side ranks by."""
    message = {
        "account_id": account, "at": "2026-05-05T00:00:00Z", "score": score, "band": "watch", "probability": score / 100,
        "mrr": None if lost is None else 100.0, "revenue_at_risk": lost, "traits": traits, "event_has_come": come,
    }  # fmt: skip
    return Output("account-scores", 0, account.encode(), encode(message))


def gone(account: str) -> Output:
    return Output("account-scores", 0, account.encode(), None)


def listed(snapshot: Json) -> list[tuple[str | None, str]]:
    return [(one["owner"], one["account_id"]) for one in snapshot["at-risk"]["accounts"]]


def ranked(snapshot: Json) -> dict[str, set[str]]:
    """Every ranking by risk with who stands in it."""
    return {key: set(snapshot[key]) for key in snapshot if key.startswith("accounts:by-risk")}


@pytest.mark.parametrize("at_once", [True, False], ids=["in one batch", "in two batches"])
def test_an_account_stands_among_its_present_owners_only(side, at_once):
    read = side(world(capacity=Capacity(1)))
    before = [score("acme", 10, owner="Ann"), score("bolt", 20, owner="Ann"), score("cube", 30), score("dice", 40)]
    after = [score("acme", 10, owner="Bo"), score("cube", 30, owner=""), score("dice", 5, owner="x:history")]
    for batch in [before + after] if at_once else [before, after]:
        read.take(batch)
    found = read.snapshot()
    assert listed(found) == [("x:history", "dice"), ("Bo", "acme"), ("Ann", "bolt"), (None, "cube")]
    assert ranked(found) == {
        "accounts:by-risk": {"acme", "bolt", "cube", "dice"}, "accounts:by-risk/": {"cube"},
        "accounts:by-risk/Ann": {"bolt"}, "accounts:by-risk/Bo": {"acme"}, "accounts:by-risk/x%3Ahistory": {"dice"},
    }  # fmt: skip
    totals = found["at-risk"]["totals"]
    assert [(one["owner"], one["accounts"]) for one in totals["owners"]] == [
        ("Ann", 1), ("Bo", 1), ("x:history", 1), (None, 1)
    ]  # fmt: skip


@pytest.mark.parametrize("at_once", [True, False], ids=["in one batch", "in two batches"])
def test_who_is_forgotten_or_has_left_stands_in_no_order(side, at_once):
    read = side(world(capacity=Capacity(5)))
    before = [score(name, n, owner="Ann") for n, name in enumerate(("acme", "bolt", "cube"))] + [
        score("dice", owner="Bo")
    ]
    after = [gone("acme"), score("bolt", 1, come=True, owner="Ann"), gone("dice"), gone("nobody")]
    for batch in [before + after] if at_once else [before, after]:
        read.take(batch)
    found = read.snapshot()
    assert listed(found) == [("Ann", "cube")]
    assert ranked(found) == {"accounts:by-risk": {"cube"}, "accounts:by-risk/Ann": {"cube"}}
    assert set(found["accounts:by-score"]) == {"bolt", "cube"}
    read.take([score("bolt", 1, owner="Ann")])
    assert listed(read.snapshot()) == [("Ann", "bolt"), ("Ann", "cube")]


def test_by_revenue_the_most_to_lose_comes_first_then_those_it_is_not_known_of(side):
    read = side(world(capacity=Capacity(4, "revenue")))
    names = ["Z", "a", "é", "名"]
    read.take([score("little", 1, 0.5), *(score(name, 90, 700.25) for name in reversed(names)), score("none", 0)])
    read.take([score("of Ann", 99, owner="Ann"), score("too", 50, owner="Ann"), score("none", 0)])
    found = read.snapshot()
    assert listed(found) == [*((None, name) for name in names), ("Ann", "too"), ("Ann", "of Ann")]
    totals = found["at-risk"]["totals"]
    assert (totals["accounts"], totals["mrr"], totals["revenue_at_risk"]) == (6, 400.0, 2801.0)
    assert totals["owners"][0] == {"owner": "Ann", "accounts": 2, "mrr": None, "revenue_at_risk": None}


@pytest.mark.parametrize("capacity", [Capacity(), Capacity(2), Capacity(2, "revenue"), Capacity(by="revenue")])
def test_whatever_becomes_of_accounts_both_rank_them_alike(namespace, capacity):
    given = world(capacity=capacity)
    memory, redis = InMemory(given), InRedis(namespace(partitions=1), given)
    chance = Random(11)
    for _ in range(6):
        batch = [
            gone(account) if chance.random() < 0.2 else
            score(account, chance.choice([0.0, 12.34, 50.0, 100.0]), chance.choice([None, 0.0, 3.1, 3.1, 1e6]),
                  chance.random() < 0.2, owner=chance.choice(["", "Ann", "Bo", 7, "a:b/c"]))
            for account in chance.choices([*NAMES, *(f"acme-{n}" for n in range(15))], k=30)
        ]  # fmt: skip
        for read in (memory, redis):
            read.take(batch)
        assert differences(redis.snapshot(), memory.snapshot()) == []


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
    until("the share is taken out", lambda: completed(read) == len(homes[0]))


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

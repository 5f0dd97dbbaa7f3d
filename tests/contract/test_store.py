"""Writing to Redis behind a fence: a publisher that has been replaced changes nothing, and a lost Redis is noticed."""

from uuid import uuid4

import pytest

from models.capacity import Listed
from models.keys import account_key
from streams.store import Change, Fence, OtherCluster, Store, encode

pytestmark = pytest.mark.contract
LARGE = 123_456_789_012_345
"""An offset past 1e14, where Lua's own way to write numbers loses digits."""


@pytest.fixture
def store(services):
    made = Store(services.redis, f"s{uuid4().hex[:8]}:")
    made.filled(made.filling())
    yield made
    for name in made.client.scan_iter(f"{made.prefix}*"):
        made.client.delete(name)


def fence(sequence: int, source: str = "pulse/0", cluster: str = "kafka-1") -> Fence:
    return Fence(cluster, source, sequence)


def value(store: Store, key: str = "funnel") -> bytes | None:
    return store.client.get(store.prefix + key)


def held_fields(store: Store, key: str) -> dict[str, bytes]:
    return {name.decode(): held for name, held in store.client.hgetall(store.prefix + key).items()}


def writes(store: Store, *fences: Fence) -> list[str]:
    """What each of these answers, writing its own number as the value."""
    return [store.write(one, [Change("set", "funnel", str(one.sequence))]) for one in fences]


def test_higher_offsets_are_written(store):
    assert writes(store, fence(0), fence(1), fence(5)) == ["written", "written", "written"]
    assert value(store) == b"5"


def test_the_same_offset_may_be_written_again(store):
    """A publisher that died before it acknowledged reads its pulse again."""
    assert writes(store, fence(5), fence(5)) == ["written", "written"]


def test_a_lower_offset_is_stale_and_changes_nothing(store):
    assert writes(store, fence(5)) == ["written"]
    everything = [
        Change("set", "funnel", "4"), Change("del", "funnel"), Change("field", "journeys:acme", "x", "f"),
        Change("rank", "accounts:by-score", "acme", "1"), Change("history", "h", "x"),
        Change("place", "Ann", "acme", "1 2"), Change("unplace", "", "acme"),
    ]  # fmt: skip
    heard = store.client.pubsub(ignore_subscribe_messages=True)
    heard.subscribe(f"{store.prefix}updates")
    heard.get_message(timeout=5)
    assert store.write(fence(4), [*everything, Change("tell", "funnel")]) == "stale"
    assert value(store) == b"5"
    assert sorted(store.client.keys(f"{store.prefix}*")) == [
        f"{store.prefix}{key}".encode() for key in ("fences", "funnel")
    ]
    assert writes(store, fence(5)) == ["written"], "the fence has not moved"
    store.write(fence(6), [Change("tell", "model")])
    assert heard.get_message(timeout=5)["data"] == b"model", "of the stale write nobody was told"
    heard.close()


def test_each_source_has_a_fence_of_its_own(store):
    assert writes(store, fence(9), fence(2, "account-scores/0"), fence(3, "account-scores/0")) == [
        "written",
        "written",
        "written",
    ]
    assert writes(store, fence(2, "account-scores/0"), fence(9)) == ["stale", "written"]


def test_another_kafka_cluster_is_refused_in_words_and_changes_nothing(store):
    writes(store, fence(5))
    with pytest.raises(OtherCluster, match="another Kafka cluster: choose another LIVELIFT_REDIS_PREFIX, or run"):
        writes(store, fence(6, cluster="kafka-2"))
    assert value(store) == b"5"
    assert writes(store, fence(6)) == ["written"]


def test_a_cluster_may_have_any_name(store):
    odd = "a|1-%d.*|"
    assert writes(store, fence(5, cluster=odd), fence(4, cluster=odd), fence(6, cluster=odd)) == [
        "written",
        "stale",
        "written",
    ]


def test_large_offsets_are_compared_to_the_last_digit(store):
    assert writes(store, fence(LARGE), fence(LARGE - 1), fence(LARGE + 1), fence(LARGE)) == [
        "written",
        "stale",
        "written",
        "stale",
    ]
    assert store.client.hget(f"{store.prefix}fences", "pulse/0") == f"kafka-1|{LARGE + 1}".encode()


def test_an_emptied_redis_says_so_until_it_has_been_filled(store):
    """Also to a successor, when a publisher ended while it filled it."""
    assert writes(store, fence(5)) == ["written"]
    store.client.delete(f"{store.prefix}fences", f"{store.prefix}funnel")
    assert writes(store, fence(6), fence(7)) == ["unfilled", "unfilled"]
    store.filled(store.filling())
    assert writes(store, fence(8)) == ["written"]


def test_a_redis_that_is_emptied_while_it_is_filled_is_not_filled(store):
    mark = store.filling()
    store.client.delete(f"{store.prefix}fences")
    store.filled(mark)
    assert writes(store, fence(5)) == ["unfilled"]


def test_every_change_of_a_write_is_made(store):
    scores = [
        Change("rank", "accounts:by-score", name, score) for name, score in (("acme", "61.5"), ("a:b", "7"), ("é", "7"))
    ]
    fields = [Change("field", "journeys:acme", user, f"start/{user}") for user in ("ann", "b/ann")]
    assert store.write(fence(1), [*scores, *fields, Change("set", "account:é", "☃".encode())]) == "written"
    assert store.lowest(["accounts:by-score"], 9) == [[("a:b", 7.0), ("é", 7.0), ("acme", 61.5)]]
    assert held_fields(store, "journeys:acme") == {"start/ann": b"ann", "start/b/ann": b"b/ann"}
    assert value(store, "account:é") == "☃".encode()
    removed = [
        Change("unrank", "accounts:by-score", "a:b"),
        Change("unfield", "journeys:acme", "start/ann"),
        Change("del", "account:é"),
    ]
    assert store.write(fence(2), removed) == "written"
    assert store.lowest(["accounts:by-score"], 9) == [[("é", 7.0), ("acme", 61.5)]]
    assert held_fields(store, "journeys:acme") == {"start/b/ann": b"b/ann"}
    assert value(store, "account:é") is None


def test_an_account_stands_among_one_owners_and_an_owner_without_any_is_none(store):
    rankings = ["accounts:by-risk", "accounts:by-revenue", *(f"accounts:by-{by}/{owner}" for by in ("risk", "revenue")
                                                             for owner in ("Ann", "Bo"))]  # fmt: skip
    store.write(fence(1), [Change("place", "Ann", "acme", "12.5 -300.25"), Change("place", "Ann", "bolt", "7.0 8.0")])
    assert store.lowest(rankings, 9) == [
        [("bolt", 7.0), ("acme", 12.5)], [("acme", -300.25), ("bolt", 8.0)],
        [("bolt", 7.0), ("acme", 12.5)], [], [("acme", -300.25), ("bolt", 8.0)], [],
    ]  # fmt: skip
    store.write(fence(2), [Change("place", "Bo", "bolt", "7.0 8.0"), Change("place", "Ann", "acme", "0.0 0.0")])
    assert store.lowest(rankings, 1) == [[("acme", 0.0)], [("acme", 0.0)], [("acme", 0.0)], [("bolt", 7.0)],
                                         [("acme", 0.0)], [("bolt", 8.0)]]  # fmt: skip
    assert sorted(store.owners()) == ["Ann", "Bo"]
    assert store.write(fence(1), [Change("unplace", "", "bolt")]) == "stale" and store.ranked("accounts:by-risk") == 2
    store.write(fence(3), [Change("unplace", "", name) for name in ("bolt", "bolt", "nobody")])
    assert (store.owners(), store.ranked("accounts:by-risk")) == (["Ann"], 1)
    store.write(fence(4), [Change("unplace", "", "acme")])
    assert [key for key in store.client.keys(f"{store.prefix}*") if not key.endswith(b"fences")] == []


def test_accounts_that_are_gone_are_left_out(store):
    one = Listed("a:b", 12.0, "watch", None, 5.0, None, {"owner": "Ann"})
    store.write(fence(1), [Change("set", account_key("a:b"), encode(one))])
    assert store.listed(["acme", "a:b"]) == [one]
    assert store.listed([]) == store.lowest([], 3) == []

"""What is on the read side: shares merged in any order, what two runs must agree on, what was refused."""

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.contribution import World
from models.messages import partial_key, split_partial_key
from models.plan import PublishedPlan, Word
from models.product import Journey, Product
from models.snapshot import Partials, aggregates, canonical, quality
from tests.support.build import Worker, checked, event, instant, snapshot, tick, world
from tests.support.subjects import metric, plan_of

pytestmark = pytest.mark.core

ROOT = Path(__file__).resolve().parents[2]

Counts = st.dictionaries(st.sampled_from(["users", "started:1", "stuck:1"]), st.integers(0, 10**12))
Puts = st.lists(
    st.tuples(st.just("funnel"), st.sampled_from(["a", "b|c", "1"]), st.integers(0, 3), Counts), max_size=12
)


def put_all(puts: list[tuple[str, str, int, dict[str, int]]]) -> Partials:
    partials = Partials()
    for kind, id_, partition, counts in puts:
        partials.put(partial_key(kind, id_, partition), msgspec.json.encode(counts))
    return partials


@given(Puts, st.randoms(use_true_random=False))
@checked(100)
def test_shares_add_up_in_any_order_and_the_latest_of_each_partition_counts(puts: list, chance: Any) -> None:
    latest = {put[:3]: put for put in puts}
    mixed = list(latest.values())
    chance.shuffle(mixed)
    for kind, id_, _, _ in puts:
        merged = put_all(puts).funnel(id_)
        shares = [counts for (k, i, _), (_, _, _, counts) in latest.items() if (k, i) == (kind, id_)]
        assert dict(merged) == {name: sum(one.get(name, 0) for one in shares) for name in set().union(*shares)}
        assert merged == put_all(mixed).funnel(id_) == put_all([*puts, *puts[-1:]]).funnel(id_)


def test_a_removed_share_no_longer_counts() -> None:
    partials = put_all([("funnel", "a", 0, {"users": 1}), ("funnel", "a", 1, {"users": 2})])
    partials.put(partial_key("funnel", "a", 0), None)
    assert partials.funnel("a") == {"users": 2}


@given(st.sampled_from(["funnel", "experiment", "partition"]), st.text(max_size=20), st.integers(0, 999))
@checked(100)
def test_a_partials_key_tells_what_it_is_of(kind: str, id_: str, partition: int) -> None:
    assert split_partial_key(partial_key(kind, id_, partition)) == (kind, id_, partition)


def test_the_time_of_a_snapshot_is_what_every_partition_has_reached() -> None:
    ahead, behind = Worker(number=0, partitions=2), Worker(number=1, partitions=2)
    assert snapshot(ahead)["funnel"]["as_of"]["time"] is None
    ahead.given(tick(instant(3)))
    behind.given(tick(instant(2)))
    assert snapshot(ahead, behind)["funnel"]["as_of"]["time"] == "2026-05-07T00:00:00Z"


# -- canonical -----------------------------------------------------------------------------------------------------


def names_in(value: Any) -> set[str]:
    if isinstance(value, dict):
        return set(value) | {name for inner in value.values() for name in names_in(inner)}
    return {name for inner in value for name in names_in(inner)} if isinstance(value, list) else set()


def test_two_runs_agree_on_everything_but_when_it_was_said_and_how_often_it_came() -> None:
    worker = Worker()
    once = event("task_started", instant(0, 1), task="1")
    worker.given(once, once, tick(instant(3)), event("session_started"), tick(instant(4)))
    read = worker.snapshot()
    read["experiment:widget:history"] = [{"value": 1}]
    read["funnel"] |= {"published_at": "now", "fence": {"sequence": 7}}
    read["quality"]["lag"] = {"product-events": 9}
    read["funnel"]["as_of"]["offsets"] = {"product-events": {"0": 3}}
    found = canonical(read)
    dropped = {"published_at", "fence", "lag", "offsets", "late", "duplicate"}
    assert dropped <= names_in(read) and not dropped & names_in(found)
    assert set(read) - set(found) == {"experiment:widget:history"}
    account = found["account:acme"]
    assert {"score", "band", "close", "change_7d"} <= set(account)
    assert not {"at", "as_of", "score_id", "causes"} & set(account)
    assert found["funnel"]["as_of"] == {"time": "2026-05-09T00:00:00Z"}
    assert found["quality"]["accepted"] == 2


def test_who_decided_about_an_experiment_and_when_is_told_but_is_no_part_of_what_two_runs_agree_on() -> None:
    plan = plan_of(metric("converted", "primary"))
    word = Word("running", instant(0), "ann", "all is ready")
    published = PublishedPlan(plan, plan.hash, words=(word,), place=2, level=0.01)
    worker = Worker(World(Product(), {plan.id: published}))
    worker.given(event("session_started"), tick(instant(4)))
    read = worker.snapshot()
    told = read[f"experiment:{plan.id}"]["queue_state"]
    assert (told["state"], told["place"], told["level"], told["plan_hash"]) == ("running", 2, 0.01, plan.hash)
    assert told["words"] == [{"state": "running", "at": "2026-05-05T00:00:00Z", "by": "ann", "why": "all is ready"}]
    assert read["experiments"]["experiments"][0]["queue_state"] == told
    assert "queue_state" not in names_in(canonical(read))


def test_the_guide_lists_every_field_of_the_list_of_experiments_and_of_where_they_stand() -> None:
    plan = plan_of(metric("converted", "primary"))
    published = PublishedPlan(plan, plan.hash, words=(Word("running", instant(0), "ann"),))
    waiting = {"draft": PublishedPlan(plan, plan.hash, state="draft", place=0)}
    worker = Worker(World(Product(), {plan.id: published}, waiting=waiting))
    worker.given(event("session_started"), tick(instant(4)))
    read = worker.snapshot()
    rows = read["experiments"]["experiments"]
    assert [row["state"] for row in rows] == ["running", "draft"]
    stands = read[f"experiment:{plan.id}"]["queue_state"]
    guide = (ROOT / "docs/guides/experiments.md").read_text().partition("## 5. Read")[2].partition("\n## ")[0]
    tables = [
        {name for row in re.findall(r"^\| (.*?) \|", part, re.M) for name in re.findall(r"`(\w+)`", row)}
        for part in guide.split("`queue_state` is in")
    ]
    assert tables == [{name for row in rows for name in row}, set(stands)]
    last = re.findall(r"^\| `words` \| (.*) \|$", guide, re.M)[0]
    assert re.findall(r"`(\w+)`", last) == [*stands["words"][0]]


def test_drafts_and_the_queue_are_listed_with_why_nothing_is_read_of_them() -> None:
    plan = plan_of(metric("converted", "primary"))
    waiting = {
        state: PublishedPlan(plan, plan.hash, state=state, place=place)
        for state, place in (("draft", 0), ("queued", 1), ("stopped", 2))
    }
    read = aggregates(Partials(), World(Product(), waiting=waiting))
    rows = {row["state"]: row for row in read["experiments"]["experiments"]}
    assert {state: row["queue_state"]["place"] for state, row in rows.items()} == {
        "draft": None,
        "queued": 1,
        "stopped": 2,
    }
    assert all(row["because"] and row["decision"] is None for row in rows.values())
    assert not [key for key in read if key.startswith("experiment:")], "and nothing is counted of them"


def test_what_counts_is_in_the_canonical_snapshot() -> None:
    one, other = Worker(), Worker()
    one.given(event("task_completed", instant(0, 1), task="1"), tick(instant(3)))
    other.given(event("task_completed", instant(0, 1), task="2"), tick(instant(3)))
    assert canonical(one.snapshot()) != canonical(other.snapshot())


def test_a_journey_may_be_called_like_something_that_is_dropped() -> None:
    given_world = world(journey=(Journey(id="late", tasks=("1",)),))
    worker = Worker(given_world)
    worker.given(event("task_completed", task="1"), tick(instant(3)))
    assert canonical(worker.snapshot())["funnel"]["late"]["users"] == 1


def test_a_made_up_exercise_says_so_on_every_snapshot() -> None:
    found = aggregates(Partials(), world(simulated=True))
    assert all(value["simulated"] is True for value in found.values())
    assert "simulated" not in aggregates(Partials(), world())["funnel"]


# -- quality -------------------------------------------------------------------------------------------------------


def test_everything_that_arrived_is_in_the_count() -> None:
    worker = Worker()
    worker.given(event("session_started"), event("session_started"), b"", b"[]", event("task_started", task="9"))
    worker.given(b'{"type":"page","messageId":"1"}')
    found = worker.snapshot()["quality"]
    assert (found["accepted"], found["users"], found["accounts"]) == (2, 1, 1)
    assert found["refused"] == {"datatype_mismatch": 2, "out_of_range": 1}
    assert found["ignored"] == {"segment:page": {"count": 1, "sample": "product-events/0/5"}}


def test_two_partitions_counts_add_up() -> None:
    one, other = Worker(number=0, partitions=2), Worker(number=1, partitions=2)
    one.given(b"", b"{}")
    other.given(b"")
    assert snapshot(one, other)["quality"]["refused"]["datatype_mismatch"] >= 2
    assert sum(snapshot(one, other)["quality"]["refused"].values()) == 3


def test_without_any_partition_nothing_has_been_counted() -> None:
    found = quality(Partials())
    assert (found["accepted"], found["refused"], found["ignored"]) == (0, {}, {})

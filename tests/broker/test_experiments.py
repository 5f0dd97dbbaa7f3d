"""The life of an experiment on a real Kafka, with what workers get to see of it, and what Redis holds beside it."""

import getpass
import json
import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
import redis
from confluent_kafka import Producer

from livelift.experiments import published_plans
from livelift.surroundings import surroundings
from models.clock import rfc3339
from models.messages import partial_key
from models.product import Product
from models.world import World
from streams.plans import Plans
from tests.support.build import PLAN, Worker, event, instant, tick
from tests.support.ended import complaint, done

pytestmark = pytest.mark.broker
DEADLINE_S = 60
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def livelift(namespace, tmp_path):
    """Runs a command of `livelift experiments` for an installation of its own; `plan` writes a file for it."""
    settings = namespace(clock="live")
    names = ("kafka", "redis", "namespace", "redis_prefix", "partitions")
    ours = {f"LIVELIFT_{name.upper()}": str(getattr(settings, name)) for name in names}

    def run(*arguments, **variables):
        return subprocess.run(
            [sys.executable, "-m", "livelift", "experiments", *arguments], cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT), **ours, **variables},
            capture_output=True, text=True, check=False, timeout=DEADLINE_S,
        )  # fmt: skip

    run.settings = settings
    run.here = surroundings(settings)
    return run


@pytest.fixture
def plan_file(tmp_path):
    def write(id, extra="", metric="", window=3, unit="account"):
        text = PLAN.format(id=id, unit=unit, window=window, uptake='{ source = "CS" }')
        text = text.replace("[[metric]]", f"{extra}\n[[metric]]") + metric
        (tmp_path / f"{id}.toml").write_text(text)
        return f"{id}.toml"

    return write


def slot(begin, end):
    return f'exclusive = {{ group = "onboarding", from = {begin}, to = {end} }}'


def test_from_a_draft_to_the_end_and_workers_see_only_what_counts(livelift, plan_file):
    plans = Plans(livelift.here)
    assert json.loads(done(livelift("list", "--json"))) == {} and "no experiment plans" in done(livelift("list"))

    drafted = done(livelift("draft", plan_file("widget"), "--by", "ann", "--base-rate", "0.2"))
    assert drafted.startswith("widget: draft, by ann (") and "power: not known; the plan names no minimum" in drafted
    assert "how long: not known; 100 units are needed and how many units there are is not known" in drafted
    done(livelift("draft", plan_file("widget", window=4), "--by", "bob"))  # a draft is replaced freely
    queued = done(livelift("queue", "widget", "--by", "eve"))
    assert queued.startswith("widget: queued, place 1, level 0.025, by eve (") and "nothing is in its way" in queued
    assert (plans.refresh(), plans.published) == (False, {})

    assert "it was already, unchanged" in done(livelift("queue", "widget.toml", "--by", "dan"))
    said = complaint(livelift("apply", plan_file("widget", window=5)))
    assert "published and frozen" in said and "window_days" in said

    started = rfc3339(instant(2))
    assert f"running from {started}" in done(livelift("apply", "widget", "--by", "eve", "--at", started))
    assert plans.refresh() and plans.published["widget"].begins == instant(2)
    before = plans.published["widget"].fingerprint
    assert "it was already, unchanged" in done(livelift("apply", "widget"))
    assert not plans.refresh()

    done(livelift("stop", "widget", "--why", "answered", "--at", rfc3339(instant(9))))
    assert plans.refresh() and plans.published["widget"].stopped_at == instant(9)
    assert plans.published["widget"].fingerprint != before
    assert "was stopped, and stays so" in complaint(livelift("apply", "widget"))
    words = [(word.state, word.by, word.why) for word in published_plans(livelift.here)["widget"].words]
    assert words == [
        ("draft", "ann", ""), ("draft", "bob", ""), ("queued", "eve", ""), ("running", "eve", ""),
        ("stopped", getpass.getuser(), "answered"),
    ]  # fmt: skip


def test_a_plan_applied_directly_is_frozen_and_counts_from_its_start(livelift, plan_file):
    first = json.loads(done(livelift("apply", plan_file("widget"), "--by", "ann", "--json")))
    assert (first["state"], first["new"], first["place"], first["runs_from"]) == ("running", True, 1, instant(0))
    again = json.loads(done(livelift("apply", plan_file("widget"), "--json")))
    assert again == {**first, "new": False}
    assert done(livelift("list")).startswith(
        "widget: running from 2026-05-05T00:00:00Z, place 1, level 0.025, by ann ("
    )


def test_levels_depend_on_the_rejections_so_far(livelift, plan_file):
    done(livelift("apply", plan_file("first")))
    producer = Producer(livelift.settings.confluent())
    for id, looks in (("first", {"rejected_at": instant(3), "more": 1}), ("unknown", {"rejected_at": 1}),
                      ("other", {"rejected_at": None})):  # fmt: skip
        producer.produce(livelift.settings.topic("partials"), json.dumps(looks), partial_key("looks", id, 0), 0)
    assert producer.flush(30) == 0
    second = json.loads(done(livelift("queue", plan_file("second"), "--json")))
    assert (second["place"], second["level"]) == (2, pytest.approx(0.05 / 6 * 2))


def test_two_of_a_group_wait_for_each_other(livelift, plan_file):
    done(livelift("apply", plan_file("tour", slot(0, 0.6))))
    said = complaint(livelift("apply", plan_file("banner", slot(0.5, 1))))
    assert "'tour' runs in onboarding from 0 to 0.6" in said and "queue it instead" in said
    assert "clash: 'tour' runs in" in done(livelift("draft", "banner.toml"))
    assert "waits: 'tour' runs in onboarding" in done(livelift("queue", "banner.toml"))
    done(livelift("queue", plan_file("mail", slot(0.9, 1))))
    done(livelift("apply", plan_file("price", slot(0.6, 0.7))))

    moment = rfc3339(instant(4))
    held = json.loads(done(livelift("stop", "price", "--why", "over", "--hold", "--at", moment, "--json")))
    assert held["started"] == []
    stopped = done(livelift("stop", "tour", "--why", "over", "--by", "eve", "--at", moment))
    (line,) = [line for line in stopped.splitlines() if "in its stead" in line]
    assert line.startswith(f"  in its stead banner: running from {moment}, place 2") and ", by eve (" in line
    assert {id: published.state for id, published in published_plans(livelift.here).items()} == {
        "tour": "stopped", "banner": "running", "mail": "queued", "price": "stopped",
    }  # fmt: skip
    again = json.loads(done(livelift("stop", "tour", "--why", "really", "--json")))
    assert (again["new"], again["started"]) == (False, [])


def test_where_the_clock_is_a_recordings_the_moment_has_to_be_said(livelift, plan_file):
    done(livelift("apply", plan_file("widget")))
    assert "say when with --at" in complaint(livelift("stop", "widget", "--why", "over", LIVELIFT_CLOCK="log"))
    wrong = livelift("stop", "widget", "--why", "over", "--at", "2026-05-09")
    assert wrong.returncode == 2 and "no RFC 3339 time" in wrong.stderr


def test_a_plan_has_to_fit_the_product(livelift, plan_file, tmp_path):
    file = plan_file("widget", metric='[[metric]]\nname = "task_completed:imprt"\n')
    (tmp_path / "livelift.toml").write_text('[[journey]]\nid = "start"\ntasks = ["import"]')
    assert "no journey has a task 'imprt'; there are import" in complaint(livelift("apply", file))
    drafted = livelift("draft", file)
    assert drafted.returncode == 0 and "no journey has a task 'imprt'" in drafted.stderr
    (tmp_path / "livelift.toml").unlink()
    done(livelift("apply", file))


def read_of_tour(published):
    """The snapshot of ten accounts an arm after two weeks, five of those in treatment having been shown the tour."""
    worker = Worker(World(Product(), {"tour": published}))
    for n in range(20):
        arm = "test" if n % 2 else "control"
        worker.given(event("experiment_assigned", instant(1), f"acme-{n}", "ann", experiment="tour", arm=arm))
        if n % 4 == 1:
            worker.given(event("experiment_exposed", instant(1), f"acme-{n}", "ann", experiment="tour"))
    worker.given(tick(instant(14)))
    return json.loads(msgspec.json.encode(worker.snapshot()["experiment:tour"]))


def test_advice_and_show_read_what_redis_holds(livelift, plan_file):
    assert "no experiment 'widget' is published; there are: none" in complaint(livelift("show", "widget"))
    done(livelift("apply", plan_file("tour"), "--by", "ann"))
    reading = read_of_tour(published_plans(livelift.here)["tour"])
    settings = livelift.settings
    client = redis.Redis.from_url(settings.redis)
    client.set(f"{settings.redis_prefix}experiment:tour", json.dumps(reading))
    client.set(f"{settings.redis_prefix}quality", json.dumps({"users": 600, "accounts": 200}))
    dose = [{"completions": 0, "users": 400, "converted": 40}, {"completions": 1, "users": 200, "converted": 80}]
    client.set(f"{settings.redis_prefix}funnel", json.dumps({"getting-started": {"tasks": {}, "dose": dose}}))

    shown = done(livelift("show", "tour"))
    assert shown.startswith("tour: running from 2026-05-05T00:00:00Z") and "running by ann" in shown
    assert "experiment.arms.test: 0.3" in shown and "metric[0].window_days: 3" in shown
    assert "decision: keep_running, because too early to say" in shown and "Experiment tour" in shown
    assert json.loads(done(livelift("show", "tour", "--json")))["snapshot"] == reading

    advised = json.loads(done(livelift("draft", plan_file("widget"), "--arrivals-per-week", "50", "--json")))
    advice = advised["advice"]
    assert (advised["state"], advice["known"]["users_per_account"], advice["known"]["base_rate"]) == (
        "draft",
        3.0,
        None,
    )
    assert advice["overlaps"] == [{"experiment": "tour", "share": 1.0}]
    assert advice["offers_per_unit_per_week"] == pytest.approx(5 / 20 / 2)
    assert (advice["duration"]["weeks"], advice["duration"]["days"]) == (2, 21)
    assert any("200 accounts are known so far" in note for note in advised["notes"])

    advice = json.loads(done(livelift("draft", plan_file("banner", unit="user"), "--json")))["advice"]
    assert advice["known"]["base_rate"] == pytest.approx(120 / 600)


def test_advice_without_redis_says_what_is_missing(livelift, plan_file):
    drafted = done(livelift("draft", plan_file("widget"), LIVELIFT_REDIS="redis://127.0.0.1:1/0"))
    assert "what is read so far is not known: Redis at" in drafted
    assert "power: not known; how many have the outcome" in drafted

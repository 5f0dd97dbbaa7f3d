"""What looking has found once stays found: over later data, a new publisher, and an empty Redis."""

from typing import Any

import pytest

from livelift.experiments import Experiments
from models.lifecycle import TRANSITIONS, Command
from tests.contract.sides import InRedis
from tests.support.build import Json, Worker, event, instant, plan, tick, world
from tests.support.stack import until

pytestmark = pytest.mark.contract


def assigned(numbers: range, arm: str) -> list[Json]:
    return [event("experiment_assigned", instant(0), f"acme-{n}", "ann", experiment="widget", arm=arm) for n in numbers]


def test_a_broken_sample_ratio_stays_broken(namespace: Any) -> None:
    worker = Worker(world(plan()))
    read = InRedis(namespace(partitions=1), worker.world)
    worker.given(*assigned(range(40), "test"), tick(instant(1)))
    read.take(worker.sent)
    read.snapshot()
    first = read.held.get("experiment:widget")
    assert first["srm"]["e_value"] > 100 and not first["srm"]["healthy"]
    assert first["decision"]["verdict"] == "unhealthy"
    assert first["looks"]["unhealthy_at"] == "2026-05-06T00:00:00Z"

    before = len(worker.sent)
    worker.given(*assigned(range(40, 140), "control"), tick(instant(2)))
    read.succeed()
    read.held.clear()
    read.take(worker.sent[before:])
    read.snapshot()
    later = read.held.get("experiment:widget")
    assert later["srm"]["counts"] == {"control": 100, "test": 40} and later["srm"]["e_value"] < 100
    assert (later["srm"]["healthy"], later["decision"]["verdict"]) == (False, "unhealthy")
    assert later["looks"]["unhealthy_at"] == first["looks"]["unhealthy_at"]


def test_an_experiment_is_listed_from_its_draft_on_and_nothing_is_counted_before_it_runs(namespace: Any) -> None:
    worker = Worker(world())
    read = InRedis(namespace(partitions=1), worker.world)
    worker.given(tick(instant(1)))
    read.take(worker.sent)
    read.snapshot()
    for command, at in (("draft", instant(0)), ("queue", instant(1))):
        getattr(Experiments(read.here), command)(plan(), "ann", at)
        until("it is listed", lambda state=command: listed(read, state), 20)
        row = read.held.get("experiments")["experiments"][0]
        assert row["decision"] is None and "nobody is assigned yet" in row["because"]
    assert [word["state"] for word in row["queue_state"]["words"]] == ["draft", "queued"]
    assert read.held.get("experiment:widget") is None


def listed(read: InRedis, command: Command) -> bool:
    read.pulse()
    rows = read.held.get("experiments")["experiments"]
    return [row["state"] for row in rows] == [TRANSITIONS["new", command]]

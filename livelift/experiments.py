"""Experiments on the `experiment-plans` topic: what is said of them is decided in `models.lifecycle` and written here.

Places and levels are given out by whoever registers, from what the topic says at that moment. Two people who register
in the same second may get the same place (docs/decisions/0011).
"""

from typing import NamedTuple

import msgspec

from livelift.sent import TIMEOUT, sent
from models import lifecycle
from models.inference.discoveries import level
from models.lifecycle import Registration
from models.messages import Output, encode, split_partial_key
from models.plan import Plan, PlanError, PublishedPlan
from models.readout.looks import Looks
from streams.compacted import Compacted
from streams.config import Surroundings


class Stopped(NamedTuple):
    """An experiment that was stopped, whether just now, and those of its group that run in its stead."""

    published: PublishedPlan
    new: bool
    started: list[PublishedPlan]


class Experiments:
    """Every experiment as the topic has it now, and the commands on them. Each returns what holds, and if it is new."""

    def __init__(self, here: Surroundings) -> None:
        self.here = here
        self.plans = published_plans(here)

    def draft(self, plan: Plan, by: str, at: int) -> tuple[PublishedPlan, bool]:
        return self._settle(lifecycle.draft(self.plans.get(plan.id), plan, by, at))

    def queue(self, plan: Plan, by: str, at: int) -> tuple[PublishedPlan, bool]:
        return self._settle(lifecycle.queue(self.plans.get(plan.id), plan, by, at, self._registration(plan)))

    def apply(self, plan: Plan, by: str, at: int, retrospective: bool = False) -> tuple[PublishedPlan, bool]:
        held, registration = self.plans.get(plan.id), self._registration(plan)
        return self._settle(lifecycle.apply(held, plan, by, at, registration, list(self.plans.values()), retrospective))

    def stop(self, id_: str, by: str, at: int, why: str, hold: bool = False) -> Stopped:
        """hold: those of its group that wait go on waiting."""
        held = self.plans.get(id_)
        published = lifecycle.stop(held, id_, by, at, why)
        if published is held:
            return Stopped(published, False, [])
        started = [] if hold else lifecycle.started_by(published, self.plans, by, at)
        self._write([published, *started])
        return Stopped(published, True, started)

    def held(self, id_: str) -> PublishedPlan:
        """One experiment; PlanError if there is none of this id."""
        published = self.plans.get(id_)
        if published is None:
            there = ", ".join(sorted(self.plans)) or "none"
            raise PlanError(f"no experiment {id_!r} is published; there are: {there}")
        return published

    def _settle(self, published: PublishedPlan) -> tuple[PublishedPlan, bool]:
        new = published is not self.plans.get(published.plan.id)
        if new:
            self._write([published])
        return published, new

    def _registration(self, plan: Plan) -> Registration:
        """The place that the plan has, or would get now with the level that e-LOND gives to it."""
        held = self.plans.get(plan.id)
        if held is not None and held.state != "draft":
            return Registration(held.place, held.level)
        place = lifecycle.next_place(self.plans)
        rejected = len(rejections(self.here) & self.plans.keys())
        return Registration(place, level(plan.experiment.alpha, place, rejected))

    def _write(self, changed: list[PublishedPlan]) -> None:
        self.plans |= {published.plan.id: published for published in changed}
        outputs = [Output("experiment-plans", 0, one.plan.id.encode(), encode(one)) for one in changed]
        if not sent(self.here, outputs):
            raise PlanError(f"Kafka did not take {', '.join(each.plan.id for each in changed)} in {TIMEOUT:g} s")


def published_plans(here: Surroundings) -> dict[str, PublishedPlan]:
    """Every experiment by its id, drafts and the queue too."""
    topic = Compacted(here.confluent, here.topic("experiment-plans"))
    try:
        decode = msgspec.json.Decoder(PublishedPlan).decode
        return {key.decode(): decode(value) for key, value in topic.catch_up().items()}
    finally:
        topic.close()


def rejections(here: Surroundings) -> set[str]:
    """The experiments whose null the queue has rejected, as the publisher has latched it."""
    topic = Compacted(here.confluent, here.topic("partials"))
    try:
        decode = msgspec.json.Decoder(Looks).decode
        held = [(split_partial_key(key), value) for key, value in topic.catch_up().items()]
        return {id_ for (kind, id_, _), value in held if kind == "looks" and decode(value).rejected_at is not None}
    finally:
        topic.close()


def publish_plan(here: Surroundings, plan: Plan, retrospective: bool = False) -> bool:
    """Let a recording's experiment run from its start; False if it was there already. Raises PlanError as `apply`."""
    return Experiments(here).apply(plan, "recording", plan.starts_at, retrospective)[1]

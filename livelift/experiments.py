"""Publishing experiment plans: a published plan is frozen, a changed one is refused with the difference named."""

import msgspec
from confluent_kafka import Producer

from models.plan import Plan, PlanError, PublishedPlan, differences
from streams.compacted import Compacted
from streams.config import Surroundings

TIMEOUT = 30.0


def published_plans(here: Surroundings) -> dict[str, PublishedPlan]:
    """Every published plan by experiment id."""
    topic = Compacted(here.confluent, here.topic("experiment-plans"))
    try:
        decode = msgspec.json.Decoder(PublishedPlan).decode
        return {key.decode(): decode(value) for key, value in topic.catch_up().items()}
    finally:
        topic.close()


def publish_plan(here: Surroundings, plan: Plan, retrospective: bool = False) -> bool:
    """Publish a plan; False if it was there already, unchanged. Raises PlanError if it differs from that one."""
    before = published_plans(here).get(plan.id)
    if before is not None:
        if before.plan_hash == plan.hash:
            return False
        changed = "; ".join(differences(before.plan, plan))
        raise PlanError(f"experiment {plan.id!r} is published and frozen; this file differs from it in {changed}")
    producer = Producer({**here.confluent, "enable.idempotence": True})
    value = msgspec.json.encode(PublishedPlan(plan, plan.hash, retrospective))
    producer.produce(here.topic("experiment-plans"), value, plan.id.encode(), 0)
    if producer.flush(TIMEOUT):
        raise PlanError(f"Kafka did not take the plan {plan.id!r} in {TIMEOUT:g} s")
    return True

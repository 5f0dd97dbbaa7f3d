"""The load: a seeded log of product, help and conversion events with its hourly ticks, as bytes ready to be sent.

The bytes are made once and produced into as many namespaces as there are rounds, so that everything that is measured
reads the same log. Sizes, mix and skew are those of a product in use: most events come from few accounts, most are
core actions, and each carries fields that livelift has no use for and drops while decoding.
"""

import json
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from confluent_kafka import KafkaError, Message, Producer

from models.clock import HOUR, rfc3339
from models.events import HOME, SOURCES
from models.messages import Output
from streams.config import Surroundings
from streams.placement import Placement
from streams.ticks import tick_outputs

MIX = {
    "session_started": 0.20, "core_action": 0.58, "task_started": 0.07, "task_completed": 0.06, "help_needed": 0.01,
    "usage_reported": 0.02, "traits_set": 0.01, "help_engaged": 0.03, "ticket_opened": 0.01, "converted": 0.003,
    "mrr_changed": 0.003, "payment_succeeded": 0.003, "payment_failed": 0.001,
}  # fmt: skip
"""Event type -> its share of all events."""
OF_ACCOUNTS = {"usage_reported", "traits_set", "converted", "mrr_changed", "payment_succeeded", "payment_failed"}
"""Types that name no person."""
FEATURES = ("report", "search", "export", "dashboard", "import", "share", "comment", "filter", "api", "alert",
            "template", "integration", "audit", "theme")  # fmt: skip
TASKS = 3
STARTS_AT = 1_772_409_600 * 1_000_000
"""Monday, 2 March 2026, 00:00 UTC."""
FLUSH_TIMEOUT = 120.0


class Size(NamedTuple):
    """How much load, spread over how many accounts and hours of event time."""

    events: int = 400_000
    accounts: int = 6_000
    hours: int = 48
    partitions: int = 12
    seed: int = 7


def generate(size: Size) -> list[Output]:
    """Every record in the order in which it is to be sent: events in order of time, ticks when their hour is over."""
    placement = Placement(size.partitions)
    step = size.hours * HOUR // size.events
    found = tick_outputs(STARTS_AT, size.partitions, "log")
    hour = STARTS_AT + HOUR
    for number, (kind, account_id, properties, user_id, token) in enumerate(happenings(size)):
        at = STARTS_AT + number * step
        while at >= hour:
            found += tick_outputs(hour, size.partitions, "log")
            hour += HOUR
        value = written(number, token, kind, at, account_id, user_id, properties)
        topic = TOPIC_OF[kind]
        found.append(Output(topic, placement.of(account_id), account_id.encode(), value))
    while hour <= STARTS_AT + size.hours * HOUR:
        found += tick_outputs(hour, size.partitions, "log")
        hour += HOUR
    return found


def events_in(load: list[Output]) -> int:
    """How many records are events, not ticks."""
    return sum(output.key is not None for output in load)


def _topics() -> dict[str, str]:
    return {kind: SOURCES[HOME[kind]] for kind in MIX}


TOPIC_OF = _topics()


def happenings(size: Size) -> Iterator[tuple[str, str, str, str | None, str]]:
    """(type, account, properties as JSON, user, random token): who did what next."""
    draw = np.random.default_rng(size.seed)
    weight = draw.lognormal(sigma=1.0, size=size.accounts)
    users = draw.integers(1, 6, size.accounts)
    kinds = draw.choice(len(MIX), size.events, p=np.array(list(MIX.values())) / sum(MIX.values())).tolist()
    accounts = draw.choice(size.accounts, size.events, p=weight / weight.sum()).tolist()
    persons = draw.random(size.events).tolist()
    zipf = 1 / np.arange(1, len(FEATURES) + 1)
    features = draw.choice(len(FEATURES), size.events, p=zipf / zipf.sum()).tolist()
    tokens = draw.integers(1 << 32, 1 << 60, size.events).tolist()
    names = list(MIX)
    done: dict[tuple[int, int], int] = {}
    for kind_index, account, person, feature, token in zip(kinds, accounts, persons, features, tokens, strict=True):
        kind = names[kind_index]
        user = int(person * users[account])
        task = min(done.get((account, user), 0) + 1, TASKS)
        if kind == "task_completed":
            done[account, user] = task
        user_id = None if kind in OF_ACCOUNTS else f"user-{account:06d}-{user}"
        yield kind, f"acct-{account:06d}", _properties(kind, task, FEATURES[feature], token), user_id, f"{token:016x}"


def _properties(kind: str, task: int, feature: str, token: int) -> str:
    match kind:
        case "core_action":
            automated = "true" if token % 20 == 0 else "false"
            return f'{{"feature":"{feature}","count":{token % 3 + 1},"automated":{automated}}}'
        case "session_started":
            return f'{{"country":"DE","duration_s":{token % 3600}}}'
        case "task_started" | "task_completed" | "help_needed":
            return f'{{"task":"{task}"}}'
        case "usage_reported":
            return f'{{"seats":{token % 40},"storage_gb":{token % 900 / 10}}}'
        case "traits_set":
            return f'{{"industry":"retail","employees":{token % 5000}}}'
        case "help_engaged":
            source = "CS" if token % 3 else "OTHER"
            return f'{{"source":"{source}","channel":"chat","minutes":{token % 30},"task":"{task}"}}'
        case "ticket_opened":
            return f'{{"ticket":"T-{token % 100_000}","area":"{feature}","severity":{token % 4}}}'
        case "converted" | "mrr_changed":
            return f'{{"plan":"team","mrr":{token % 900 + 50}}}'
        case _:
            return f'{{"amount":{token % 900 + 50}}}'


def written(
    number: int, token: str, kind: str, at: int, account_id: str, user_id: str | None, properties: str
) -> bytes:
    person = f'"user_id":"{user_id}",' if user_id is not None else ""
    return (
        f'{{"type":"{kind}","id":"{number:08x}-{token}","at":"{rfc3339(at)}","account_id":"{account_id}",{person}'
        f'"properties":{properties},"context":{{"session":"{token[:12]}","app":"4.12.1","platform":"web"}}}}'
    ).encode()


def typical_size(load: list[Output]) -> tuple[int, int, int]:
    """Bytes of an event's value: 5th percentile, median, 95th."""
    sizes = sorted(len(output.value or b"") for output in load if output.key is not None)
    return sizes[len(sizes) // 20], sizes[len(sizes) // 2], sizes[len(sizes) * 19 // 20]


def produce(here: Surroundings, load: list[Output]) -> dict[str, dict[int, int]]:
    """Send the whole log into a namespace; returns the last offset by topic and partition once Kafka has it all."""
    ends: dict[str, dict[int, int]] = {}
    failed: list[KafkaError] = []

    def delivered(error: KafkaError | None, message: Message) -> None:
        if error is not None:
            failed.append(error)

    producer = Producer({
        **here.confluent, "enable.idempotence": True, "linger.ms": 20, "compression.type": "lz4",
        "queue.buffering.max.messages": 1_000_000, "delivery.report.only.error": True, "on_delivery": delivered,
    })  # fmt: skip
    names = {name: here.topic(name) for name in set(TOPIC_OF.values())}
    for topic, partition, key, value, headers in load:
        while True:
            try:
                producer.produce(names[topic], value, key, partition, headers=headers or [])
                break
            except BufferError:
                producer.poll(0.05)
        count = ends.setdefault(topic, {})
        count[partition] = count.get(partition, -1) + 1
    if producer.flush(FLUSH_TIMEOUT) or failed:
        raise RuntimeError(f"the load was not taken by Kafka: {failed[:1] or 'time is up'}")
    return ends


if __name__ == "__main__":
    load = generate(Size())
    print(json.dumps({"events": events_in(load), "records": len(load), "bytes": typical_size(load)}))

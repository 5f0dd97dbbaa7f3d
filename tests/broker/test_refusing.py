"""A worker that meets what it must not work with says so in one clear sentence, and does not work.

Topics that are not as the contract says refuse the start; ticks of the other clock end a worker that runs.
"""

import os
import re
import subprocess
import sys

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewPartitions,
    ResourceType,
)

from livelift.local.stack import Stack
from streams.fatal import CRASHED
from streams.ticks import tick_outputs
from tests.support.build import instant
from tests.support.stack import running, until

pytestmark = pytest.mark.broker
WAIT = 30


def missing(admin, settings):
    admin.delete_topics([settings.topic("partials")], operation_timeout=WAIT)[settings.topic("partials")].result()
    until("the topic is gone", lambda: settings.topic("partials") not in admin.list_topics(timeout=WAIT).topics)
    return f"topic {settings.topic('partials')} is missing"


def more_partitions(admin, settings):
    name = settings.topic("help-events")
    admin.create_partitions([NewPartitions(name, 5)], operation_timeout=WAIT)[name].result()
    until("the partitions are there", lambda: len(admin.list_topics(timeout=WAIT).topics[name].partitions) == 5)
    return f"topic {name} has 5 partitions, not 3"


def lower_limit(admin, settings):
    name = settings.topic("dead-letters")
    smaller = ConfigEntry("max.message.bytes", "1000", incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ResourceType.TOPIC, name, incremental_configs=[smaller])
    admin.incremental_alter_configs([resource])[resource].result()
    return f"topic {name} has max.message.bytes = 1000, not 1114112"


@pytest.mark.parametrize("wrong", [missing, more_partitions, lower_limit])
def test_topics_that_are_not_as_the_contract_says_refuse_the_start(namespace, wrong):
    settings = namespace()
    complaint = wrong(AdminClient(settings.confluent()), settings)
    environment = {**os.environ, **Stack(settings).environment()}
    for command in (["worker", "--role", "scorer"], ["topics", "check"]):
        ended = subprocess.run(
            [sys.executable, "-m", "livelift", *command],
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert ended.returncode == 1
        assert complaint in ended.stdout + ended.stderr
        assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(("clock", "other"), [("live", "log"), ("log", "live")])
def test_ticks_of_the_other_clock_end_the_scorer_and_say_what_to_do(namespace, clock, other):
    settings = namespace(clock=clock)
    with running(settings, ("scorer",)) as stack:
        sending = Producer(settings.confluent())
        for one in tick_outputs(instant(1), settings.partitions, other):
            sending.produce(settings.topic(one.topic), one.value, partition=one.partition, headers=one.headers)
        assert sending.flush(WAIT) == 0
        scorer = stack.workers["scorer"]
        assert until("the scorer ends", scorer.ended) == CRASHED
    said = scorer.log.read_text()
    complaint = (
        rf"this worker runs with clock = {clock}, but the tick at [a-z-]+-events/\d/0 says {other}: start it with"
    )
    assert re.search(f"{complaint} LIVELIFT_CLOCK={other}", said), said

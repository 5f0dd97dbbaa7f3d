"""docker-compose.yml starts what `livelift up` starts, with the same settings."""

import re

import pytest
import yaml

from livelift.local.jars import KAFKA_VERSION
from livelift.local.kafka import BROKER, HEAP
from livelift.local.redis import NOTHING_SAVED
from livelift.local.stack import OTHERS, ROLES
from livelift.settings import Settings
from streams.topics import TOPICS
from tests.support.readme import ROOT

pytestmark = pytest.mark.shell
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES = COMPOSE["services"]
COMMANDS = {**{role: ["worker", "--role", role] for role in ROLES}, **OTHERS}
OURS = ("topics", *COMMANDS)
PLACES = {
    "KAFKA_CONTROLLER_QUORUM_VOTERS", "KAFKA_CONTROLLER_LISTENER_NAMES", "KAFKA_LISTENERS", "KAFKA_ADVERTISED_LISTENERS",
    "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP", "KAFKA_INTER_BROKER_LISTENER_NAME", "KAFKA_LOG_DIRS",
}  # fmt: skip
"""Where things are differs: a container is another machine."""


def test_kafka_has_the_version_and_the_settings_of_the_local_one():
    kafka = SERVICES["kafka"]
    assert kafka["image"] == f"apache/kafka:{KAFKA_VERSION}"
    given = {name: str(value) for name, value in kafka["environment"].items() if name not in PLACES}
    assert given.pop("KAFKA_HEAP_OPTS").split() == list(HEAP)
    assert given == {f"KAFKA_{name.upper().replace('.', '_')}": str(value) for name, value in BROKER.items()}


def test_kafka_takes_the_largest_message_of_any_topic_and_makes_no_topic_by_itself():
    assert BROKER["message.max.bytes"] == max(topic.message_limit for topic in TOPICS)
    assert BROKER["auto.create.topics.enable"] == "false"


def test_redis_keeps_nothing_on_disk_and_throws_nothing_out():
    assert SERVICES["redis"]["command"] == ["redis-server", *NOTHING_SAVED]


def test_every_role_runs_once_topics_are_made_and_redis_answers():
    assert set(SERVICES) == {"kafka", "redis", *OURS}
    for role, command in COMMANDS.items():
        worker = SERVICES[role]
        assert worker["command"][: len(command)] == command
        conditions = {name: needed["condition"] for name, needed in worker["depends_on"].items()}
        assert conditions == {"topics": "service_completed_successfully", "redis": "service_healthy"}
        ready = worker["environment"]["LIVELIFT_READY_FILE"]
        if role != "dashboard":
            assert worker["healthcheck"]["test"] == ["CMD", "test", "-f", ready]
    assert SERVICES["topics"]["depends_on"]["kafka"]["condition"] == "service_healthy"
    assert SERVICES["kafka"]["healthcheck"] and SERVICES["redis"]["healthcheck"]


def test_the_settings_of_our_containers_are_valid_and_the_defaults_are_those_of_livelift(monkeypatch):
    for name in OURS:
        for variable, value in SERVICES[name]["environment"].items():
            monkeypatch.setenv(variable, re.sub(r"\$\{\w+:-(.*?)\}", r"\1", value))
        settings, fields = Settings(), Settings.model_fields
        assert (settings.clock, settings.partitions) == (fields["clock"].default, fields["partitions"].default)
        assert settings.kafka == "kafka:19092" and "INSIDE://kafka:19092" in str(SERVICES["kafka"]["environment"])


def test_the_dashboard_is_asked_whether_it_reads_redis_and_asks_whoever_comes_for_a_token():
    dashboard = SERVICES["dashboard"]
    assert "http://127.0.0.1:8000/ready" in dashboard["healthcheck"]["test"][-1]
    assert "LIVELIFT_DASHBOARD_TOKEN" in dashboard["environment"]


def test_nothing_is_reachable_from_outside_this_machine():
    ports = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert len(ports) == 3 and all(port.startswith("127.0.0.1:") for port in ports)

"""`livelift up` as people run it: a process of its own that starts everything, and leaves nothing behind."""

import os
import re
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import redis
from confluent_kafka.admin import AdminClient

from consumers.snapshots import Snapshots
from tests.support.stack import descendants, gone, until

pytestmark = pytest.mark.broker
NO_TRACEBACK = "Traceback"


class Up:
    """A running `livelift up`; what it says is read as it comes."""

    def __init__(self, folder: Path, *arguments: str, **settings: str) -> None:
        self._said = folder / "said.txt"
        environment = {**os.environ, "LIVELIFT_DATA_DIR": str(folder / "data"), "COLUMNS": "200", **settings}
        with self._said.open("wb") as out:
            self.process = subprocess.Popen([sys.executable, "-m", "livelift", "up", *arguments], cwd=folder, env=environment,
                                            stdout=out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)  # fmt: skip
        self.seen: set[int] = set()

    def said(self) -> str:
        return self._said.read_text()

    def says(self, what: str) -> None:
        """Wait until it has said this; remember its processes, those that are replaced too."""

        def heard() -> bool:
            self.children()
            assert self.process.poll() is None, self.said()
            return what in self.said()

        until(f"`livelift up` says {what!r}", heard)

    def children(self) -> set[int]:
        found = descendants(self.process.pid)
        self.seen |= found
        return found

    def ends(self, number: int | None = None) -> int:
        """Its exit code after this signal; none of its processes may be left."""
        self.children()
        if number is not None:
            self.process.send_signal(number)
        code = self.process.wait(60)
        until("its processes have ended", lambda: all(gone(pid) for pid in self.seen))
        return code


@contextmanager
def up(folder: Path, *arguments: str, **settings: str):
    started = Up(folder, *arguments, **settings)
    try:
        yield started
    finally:
        started.children()
        if started.process.poll() is None:
            started.process.kill()
            started.process.wait()
        for pid in started.seen:
            if not gone(pid):
                os.kill(pid, signal.SIGKILL)


def test_it_starts_everything_says_where_and_ends_on_ctrl_c(tmp_path):
    with up(tmp_path) as started:
        started.says("Ctrl-C stops everything")
        said = started.said()
        assert re.search(r"product-events +│ +12 +│ +for ever", said)
        assert re.search(r"account-scores +│ +12 +│ +90 days", said)
        assert re.search(r"partials +│ +1 +│ +compacted", said)
        assert re.search(r"pulse +│ +1 +│ +60 minutes", said)
        kafka, store = re.search(r"^export LIVELIFT_KAFKA=(\S+) LIVELIFT_REDIS=(\S+)$", said, re.M).groups()
        assert "product-events" in AdminClient({"bootstrap.servers": kafka}).list_topics(timeout=20).topics
        until("quality is published", lambda: Snapshots(store, "livelift:").get("quality"))
        assert len(started.children()) >= 6, "Kafka, Redis, three workers and the dashboard"
        dashboard = re.search(r"^dashboard: (http://127\.0\.0\.1:\d+/)$", said, re.M)[1]
        assert httpx.get(f"{dashboard}ready").status_code == 200
        assert "livelift" in httpx.get(dashboard).text
        assert started.ends(signal.SIGINT) == 0
        assert started.said().rstrip().endswith("stopped")
        assert NO_TRACEBACK not in started.said()
        with pytest.raises(redis.ConnectionError):
            redis.Redis.from_url(store).ping()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=["SIGTERM", "kill -9"])
def test_services_that_are_named_are_used_and_left_running(tmp_path, services, namespace, number):
    settings = namespace(clock="live")
    named = {"LIVELIFT_KAFKA": services.kafka, "LIVELIFT_REDIS": services.redis, "LIVELIFT_NAMESPACE": settings.namespace,
             "LIVELIFT_REDIS_PREFIX": settings.redis_prefix, "LIVELIFT_PARTITIONS": str(settings.partitions)}  # fmt: skip
    with up(tmp_path, **named) as started:
        started.says("Ctrl-C stops everything")
        said = started.said()
        assert f"export LIVELIFT_KAFKA={services.kafka} LIVELIFT_REDIS={services.redis}" in said
        assert "starting Kafka" not in said and "starting Redis" not in said
        assert len(started.children()) in (4, 5), (
            "the workers and the dashboard, which may be making its charts' script"
        )
        until("quality is published", lambda: Snapshots(services.redis, settings.redis_prefix).get("quality"))
        code = started.ends(number)
        assert code == (0 if number == signal.SIGTERM else -signal.SIGKILL)
    assert redis.Redis.from_url(services.redis).ping()
    assert AdminClient(settings.confluent()).list_topics(timeout=20).brokers


@pytest.mark.parametrize(("moment", "number"), [("starting Kafka", signal.SIGINT), ("starting scorer", signal.SIGTERM)])
def test_it_ends_cleanly_when_it_has_only_half_started(tmp_path, number, moment):
    with up(tmp_path) as started:
        started.says(moment)
        assert started.ends(number) == 0
        assert started.said().rstrip().endswith("stopped")
        assert NO_TRACEBACK not in started.said()


def test_kill_9_leaves_no_service(tmp_path):
    with up(tmp_path, "--services-only") as started:
        started.says("Ctrl-C stops everything")
        assert len(started.children()) == 2, "Kafka and Redis"
        assert started.ends(signal.SIGKILL) == -signal.SIGKILL


@pytest.mark.parametrize("service", ["kafka", "redis"])
def test_a_port_that_is_taken_is_said_and_nothing_is_left(tmp_path, service):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with up(tmp_path, f"--{service}-port", str(port)) as started:
            assert started.ends() == 1
            assert f"livelift: port {port} cannot be used: Address already in use" in started.said()
            assert NO_TRACEBACK not in started.said()


def test_a_kafka_that_does_not_answer_is_said(tmp_path):
    with up(tmp_path, LIVELIFT_KAFKA="127.0.0.1:1", LIVELIFT_REDIS="redis://127.0.0.1:1/0") as started:
        assert started.ends() == 1
        assert "livelift: Kafka at 127.0.0.1:1 does not answer" in started.said()
        assert NO_TRACEBACK not in started.said()

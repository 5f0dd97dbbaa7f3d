"""A one-node Kafka (KRaft) as a child process, with all its data and logs under one folder."""

from base64 import urlsafe_b64encode
from collections.abc import Callable
from pathlib import Path
from time import monotonic, sleep
from uuid import uuid4

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from livelift.local.cache import cache_dir
from livelift.local.jars import java, kafka_classpath
from livelift.local.process import Child, NotStarted, check_port, free_port
from streams.topics import ROW_LIMIT

READY_S = 60.0
ASK_S = 2.0
QUIET = "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"
HEAP = ("-Xms256m", "-Xmx512m")
BROKER: dict[str, str | int] = {
    "process.roles": "broker,controller",
    "node.id": 1,
    "auto.create.topics.enable": "false",
    "offsets.topic.replication.factor": 1,
    "offsets.topic.num.partitions": 3,
    "transaction.state.log.replication.factor": 1,
    "transaction.state.log.min.isr": 1,
    "transaction.state.log.num.partitions": 3,
    "group.initial.rebalance.delay.ms": 0,
    "group.min.session.timeout.ms": 1000,
    "message.max.bytes": ROW_LIMIT,
    "log.segment.bytes": 128 * 1024 * 1024,
    "log.index.size.max.bytes": 1024 * 1024,
    "num.network.threads": 2,
    "num.io.threads": 2,
    "log.cleaner.dedupe.buffer.size": 16 * 1024 * 1024,
}
"""Settings of the broker wherever it runs; docker-compose.yml has the same."""
MAIN, FORMAT = "kafka.Kafka", "kafka.tools.StorageTool"


def new_cluster_id() -> str:
    """A new one for every data folder: whoever compares offsets in Redis has to see that they are another Kafka's."""
    return "L" + urlsafe_b64encode(uuid4().bytes).decode()[1:22]  # 22 characters; a leading "-" would be an option


class LocalKafka:
    """Start, wait until it really answers, stop; also when only half started."""

    def __init__(self, folder: Path, port: int | None = None, progress: Callable[[str], None] = lambda _: None) -> None:
        self.folder, self.port, self._progress = folder.resolve(), port or free_port(), progress
        self._controller = free_port()
        self.child: Child | None = None

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def start(self) -> None:
        check_port(self.port)
        classpath = kafka_classpath(cache_dir(), self._progress)
        self.folder.mkdir(parents=True, exist_ok=True)
        properties = self.folder / "server.properties"
        properties.write_text(self._properties())
        if not (self.folder / "data" / "meta.properties").exists():
            self._format(classpath, properties)
        self._progress("starting Kafka")
        options = [*HEAP, "-XX:+UseSerialGC", f"-Dkafka.logs.dir={self.folder}", QUIET]
        command = [java(), *options, "-cp", classpath, MAIN, str(properties)]
        self.child = Child("Kafka", command, self.folder / "kafka.log")

    def _format(self, classpath: str, properties: Path) -> None:
        command = [java(), QUIET, "-cp", classpath, FORMAT, "format", "-t", new_cluster_id(), "-c", str(properties)]
        self.child = Child("Kafka", command, self.folder / "kafka.log")
        if self.child.process.wait(READY_S):
            raise self.child.failed("could not format its storage")

    def _properties(self) -> str:
        settings = {
            **BROKER,
            "controller.quorum.voters": f"1@127.0.0.1:{self._controller}",
            "listeners": f"PLAINTEXT://{self.address},CONTROLLER://127.0.0.1:{self._controller}",
            "advertised.listeners": f"PLAINTEXT://{self.address}",
            "controller.listener.names": "CONTROLLER",
            "log.dirs": self.folder / "data",
        }
        return "".join(f"{name}={value}\n" for name, value in settings.items())

    def wait_ready(self, timeout: float = READY_S) -> None:
        """Until the broker answers an admin call; NotStarted with the log's end if it does not in time."""
        if self.child is None:
            raise NotStarted("Kafka was not started")
        admin = AdminClient({"bootstrap.servers": self.address, "log_level": 0})
        deadline = monotonic() + timeout
        while monotonic() < deadline:
            if self.child.ended() is not None:
                raise self.child.failed("ended while starting")
            try:
                if admin.describe_cluster(request_timeout=ASK_S).result().nodes:
                    return
            except KafkaException:
                pass  # not yet
            sleep(0.05)
        raise self.child.failed(f"did not answer in {timeout:g} s")

    def stop(self) -> None:
        if self.child is not None:
            self.child.stop()

"""The guide's programs in Java, Node and Go: built as they stand there, run against the real Kafka, and what they send
is read back from the partition that the contract says."""

import re
import shutil
import subprocess
from pathlib import Path
from zlib import crc32

import pytest
from confluent_kafka import KafkaError, KafkaException

from livelift.local.cache import cache_dir
from livelift.local.jars import KAFKA_VERSION, kafka_classpath
from livelift.local.npm import Package, unpacked
from models.decode import Decode
from models.events import TaskCompleted
from streams.placement import Placement
from tests.support.readme import ROOT, blocks
from tests.support.stack import Reading, until

pytestmark = [pytest.mark.broker, pytest.mark.timeout(600)]
GUIDE = ROOT / "docs" / "guides" / "sending-events.md"
PARTITIONS, ACCOUNT = 12, "acme"
KAFKAJS = Package(
    "kafkajs", "2.2.4",
    "sha512-j/YeapB1vfPT2iOIUn/vxdyKEuhuY2PxMBvf5JWux6iSaukAccrMtXEY/Lb7OvavDhOWME589bpLrEdnVHjfjA==",
)  # fmt: skip
GO_MOD = """module example

go 1.21

require (
	github.com/confluentinc/confluent-kafka-go/v2 v2.11.1
	github.com/google/uuid v1.6.0
)
"""


def needs(*programs):
    """Skips where one of the programs is not on this machine, in CI as well: nobody installs them for us."""
    missing = [program for program in programs if shutil.which(program) is None]
    if missing:
        pytest.skip(f"{', '.join(missing)} not on this machine")


def command(*arguments, folder):
    ended = subprocess.run(
        arguments, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=500
    )
    assert ended.returncode == 0, f"{' '.join(arguments)}\n{ended.stdout}"


def java(folder, program):
    needs("java", "javac")
    classpath = kafka_classpath(cache_dir(), print)
    (folder / "Send.java").write_text(program)
    command("javac", "-cp", classpath, "Send.java", folder=folder)
    command("java", "-XX:TieredStopAtLevel=1", "-cp", f"{classpath}:.", "Send", folder=folder)


def node(folder, program):
    needs("node")
    (folder / "node_modules").mkdir()
    (folder / "node_modules" / "kafkajs").symlink_to(unpacked(KAFKAJS))
    (folder / "send.mjs").write_text(program)
    command("node", "send.mjs", folder=folder)


def go(folder, program):
    needs("go", "gcc")
    (folder / "go.mod").write_text(GO_MOD)
    (folder / "send.go").write_text(program)
    command("go", "build", "-mod=mod", "-trimpath", "-o", "send", ".", folder=folder)
    command(str(Path(folder) / "send"), folder=folder)


def of_the_guide(language, settings):
    """The program, for the Kafka and the topics of this test."""
    (text,) = blocks(language, file=GUIDE)
    for ours, theirs in (
        ("localhost:9092", settings.kafka),
        ('"product-events"', f'"{settings.topic("product-events")}"'),
    ):
        assert text.count(ours) == 1
        text = text.replace(ours, theirs)
    return text


def sent(settings):
    try:
        return list(Reading(settings).messages(settings.topic("product-events")))
    except KafkaException as error:
        if error.args[0].retriable() or error.args[0].code() == KafkaError.NOT_LEADER_FOR_PARTITION:
            return []  # the topic is so new that not everybody knows its leaders
        raise


@pytest.mark.parametrize(("language", "run"), [("java", java), ("js", node), ("go", go)], ids=["java", "node", "go"])
def test_the_program_sends_an_event_to_where_its_account_lives(namespace, tmp_path, language, run):
    settings = namespace(partitions=PARTITIONS)
    run(tmp_path, of_the_guide(language, settings))
    (message,) = until("what was sent can be read", lambda: sent(settings))
    home = Placement(PARTITIONS).of(ACCOUNT)
    assert crc32(ACCOUNT.encode()) % PARTITIONS != home, "librdkafka's own partitioner would be seen"
    assert (message.key(), message.partition()) == (ACCOUNT.encode(), home)
    event = Decode(False)(0, message.value())
    assert isinstance(event, TaskCompleted)
    assert (event.account_id, event.user_id, event.properties.task) == (ACCOUNT, "ann", "1")


def test_the_versions_that_the_guide_names_are_those_that_run_here():
    text = GUIDE.read_text()
    assert f"`org.apache.kafka:kafka-clients` {KAFKA_VERSION}" in text
    assert f"`{KAFKAJS.name}` {KAFKAJS.version}" in text
    (module, version) = re.search(r"(github\.com/confluentinc/\S+) (v\S+)", GO_MOD).groups()
    assert f"`{module}` {version}" in text

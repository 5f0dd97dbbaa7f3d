"""Creating and checking the topics of the contract."""

from time import monotonic, sleep

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, ClusterMetadata, ConfigResource, NewTopic, ResourceType

from livelift.settings import Settings
from streams.topics import ROWS_CHANGELOG, ROWS_TABLE, TOPICS, Topic

TIMEOUT = 30.0
ANSWER_S = 10.0
CHECKED = ("cleanup.policy", "max.message.bytes", "message.timestamp.type")


def rows_changelog_name(settings: Settings) -> str:
    """Faust's name for the changelog of the scorer's rows."""
    return f"{settings.topic('livelift-scorer')}-{ROWS_TABLE}-changelog"


def wanted(settings: Settings) -> dict[str, Topic]:
    """Every topic by its real name."""
    return {settings.topic(topic.name): topic for topic in TOPICS} | {rows_changelog_name(settings): ROWS_CHANGELOG}


def asked(admin: AdminClient, settings: Settings) -> ClusterMetadata:
    """Brokers and topics as they are; RuntimeError, in words, where nobody answers."""
    try:
        return admin.list_topics(timeout=ANSWER_S)
    except KafkaException as error:
        raise RuntimeError(f"Kafka at {settings.kafka} does not answer: {error}") from error


def create_topics(settings: Settings) -> list[str]:
    """Create what is missing; returns the names created, when Kafka shows them. Calling it again does nothing."""
    admin = AdminClient(settings.confluent())
    cluster = asked(admin, settings)
    replicas = min(3, len(cluster.brokers))
    new = [
        NewTopic(name, topic.partitions or settings.partitions, replicas, config=topic.config())
        for name, topic in wanted(settings).items()
        if name not in cluster.topics
    ]
    created = []
    for name, future in (admin.create_topics(new, operation_timeout=TIMEOUT) if new else {}).items():
        try:
            future.result()
            created.append(name)
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise RuntimeError(f"topic {name} could not be created: {error}") from error
    _wait_until_shown(admin, settings)
    return created


def _wait_until_shown(admin: AdminClient, settings: Settings) -> None:
    """A broker that is busy learns of new topics after the controller has made them; a worker that looked before then
    would refuse to start.
    """
    deadline = monotonic() + TIMEOUT
    while missing := wanted(settings).keys() - asked(admin, settings).topics.keys():
        if monotonic() > deadline:
            raise RuntimeError(f"topics were created but are not to be seen after {TIMEOUT:g} s: {sorted(missing)}")
        sleep(0.05)


def check_topics(settings: Settings) -> list[str]:
    """What is wrong with the topics, one sentence each; workers refuse to start while there is anything."""
    admin = AdminClient(settings.confluent())
    found = asked(admin, settings).topics
    complaints = []
    present = []
    for name, topic in wanted(settings).items():
        partitions = topic.partitions or settings.partitions
        if name not in found:
            complaints.append(f"topic {name} is missing")
        elif len(found[name].partitions) != partitions:
            complaints.append(f"topic {name} has {len(found[name].partitions)} partitions, not {partitions}")
        else:
            present.append(name)
    return complaints + _check_configs(admin, {name: wanted(settings)[name] for name in present})


def _check_configs(admin: AdminClient, topics: dict[str, Topic]) -> list[str]:
    resources = [ConfigResource(ResourceType.TOPIC, name) for name in topics]
    complaints = []
    for resource, future in (admin.describe_configs(resources) if resources else {}).items():
        held = future.result()
        should = topics[resource.name].config()
        complaints += [
            f"topic {resource.name} has {setting} = {held[setting].value}, not {should[setting]}"
            for setting in CHECKED
            if setting in should and held[setting].value != should[setting]
        ]
    return complaints

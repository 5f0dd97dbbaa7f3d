"""Before a command works with Kafka or Redis: do they answer, and are the topics there? Seconds instead of minutes.

A client library waits for a service that is not there for as long as for one that is slow. A plain connection tells the
two apart at once, and says why in the system's words. Workers do not ask: they may be started before their broker.
"""

import socket
import sys
from urllib.parse import urlsplit

from livelift.settings import Settings
from livelift.surroundings import Surroundings, surroundings

CONNECT_S = 3.0
ASK_S = 10.0
KAFKA_PORT, REDIS_PORT = 9092, 6379


class Unreachable(RuntimeError):
    """A service does not answer; the message says which, where, why, and which setting names it."""


def reach_kafka(settings: Settings, *topics: str) -> Surroundings:
    """The surroundings, once Kafka has answered and has these topics of the contract; Unreachable if not."""
    from confluent_kafka import KafkaException
    from confluent_kafka.admin import AdminClient

    brokers = settings.require_kafka()
    here = surroundings(settings)
    reasons = [_refusal(broker, KAFKA_PORT) for broker in brokers.split(",")]
    if all(reasons):
        raise Unreachable(
            f"Kafka at {brokers} does not answer ({reasons[0]}): start it, or set LIVELIFT_KAFKA to where it is"
        )
    try:
        held = AdminClient({**here.confluent, "log_level": 0}).list_topics(timeout=ASK_S).topics
    except KafkaException as error:
        raise Unreachable(
            f"Kafka at {brokers} does not answer as {settings.kafka_security} ({error.args[0].str()}): "
            "is it a Kafka, and are LIVELIFT_KAFKA_SECURITY and what goes with it right?"
        ) from error
    for topic in topics:
        if here.topic(topic) not in held:
            raise Unreachable(
                f"topic {here.topic(topic)} is not on Kafka at {brokers}: "
                "`livelift topics create` makes it, or set LIVELIFT_NAMESPACE to what the topics' names begin with"
            )
    return here


def reach_redis(settings: Settings) -> str:
    """The URL, once something listens there; Unreachable if not."""
    url = settings.require_redis()
    parts = urlsplit(url)
    if parts.scheme in ("redis", "rediss"):
        reason = _refusal(f"{parts.hostname}:{parts.port or REDIS_PORT}", REDIS_PORT)
        if reason:
            raise Unreachable(
                f"Redis at {settings.redis_shown} does not answer ({reason}): start it, or set LIVELIFT_REDIS"
            )
    return url


def _refusal(address: str, default_port: int) -> str:
    """Why nothing can be connected to at `host:port`; empty if it can."""
    host, _, port = address.strip().rpartition(":")
    if not host:
        host, port = port, str(default_port)
    if not port.isdecimal():
        return f"{address.strip()} is not host:port"
    try:
        socket.create_connection((host.strip("[]"), int(port)), CONNECT_S).close()
    except (OSError, OverflowError) as error:
        return getattr(error, "strerror", None) or str(error)
    return ""


def in_words(error: Exception) -> str | None:
    """One line about what a person can do something about; None for what is a defect of ours.

    Errors of the client libraries are recognised only where the library has been imported: importing one to ask would
    make every failure slow.
    """
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    if isinstance(error, (ValueError, OSError, RuntimeError)):
        return str(error)
    for service, module, name in (
        ("Kafka", "confluent_kafka", "KafkaException"),
        ("Kafka", "kafka.errors", "KafkaError"),
        ("Redis", "redis", "RedisError"),
    ):
        kind = getattr(sys.modules.get(module), name, None)
        if kind is not None and isinstance(error, kind):
            first = error.args[0] if error.args else error
            return f"{service} says: {first.str() if hasattr(first, 'str') else first}"
    return None

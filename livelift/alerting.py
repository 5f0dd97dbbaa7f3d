"""`livelift alerts`: the process put together, and what people ask of it from the command line."""

import signal
from collections.abc import Iterator
from pathlib import Path
from time import monotonic, sleep, time
from typing import Any, NamedTuple

import msgspec

from consumers.alerts.config import Here
from livelift.reach import reach_kafka
from livelift.settings import NotSet, Settings
from livelift.surroundings import product_of
from models.alerts.alert import Alert
from models.alerts.book import Book
from models.alerts.decide import Command
from models.alerts.rules import Rules, RulesError, read_rules
from models.clock import SECOND

ANSWER_S, LOOK_S = 10.0, 0.3
TOPICS = "account-scores", "journey-signals", "alert-commands", "alerts"


def rules_of(path: Path) -> Rules:
    """The rules in a file. Raises RulesError naming the file and the line, NotSet where there is no such file."""
    if not path.exists():
        raise NotSet(f"there is no {path}: `livelift alerts draft > {path}` writes rules to begin with")
    try:
        return read_rules(path.read_text(encoding="utf-8"))
    except RulesError as error:
        raise RulesError(f"{path}: {error}") from error
    except UnicodeDecodeError as error:
        raise RulesError(f"{path}: is not UTF-8") from error


def here_of(settings: Settings) -> Here:
    """What the process is handed."""
    product = product_of(settings.config)
    return Here(
        kafka=settings.kafka_python(),
        kafka_writing=settings.confluent(),
        rules=rules_of(settings.alerts),
        namespace=settings.namespace,
        redis_url=settings.alerts_redis or settings.redis or "",
        redis_prefix=settings.redis_prefix,
        clock=settings.clock,
        session_timeout_s=settings.session_timeout_s,
        instance=settings.instance,
        capacity=product.capacity.per_owner_per_week,
        ready_file=settings.ready_file,
    )


def run_alerts(settings: Settings) -> None:
    """Run until Ctrl-C or SIGTERM."""
    from consumers.alerts.loop import Alerts
    from livelift.logs import configure_logs

    configure_logs("alerts")
    here = here_of(settings)
    reach_kafka(settings, *TOPICS)
    alerts = Alerts(here)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: alerts.stop())
    alerts.run()


def read_book(settings: Settings) -> Book:
    """Every alert as its topic has it now."""
    from consumers.alerts.log import read_alerts

    here = reach_kafka(settings, "alerts")
    book = Book()
    for alert in read_alerts(settings.kafka_python(), here.topic("alerts")):
        book.put(alert)
    return book


class NoSuchAlert(ValueError):
    """An alert that is named is not there, or several are meant."""


def find(book: Book, named: str) -> Alert:
    """The alert whose id begins so. Raises NoSuchAlert."""
    found = [alert for id_, alert in book.by_id.items() if id_.startswith(named) and alert.account_id]
    if not found:
        raise NoSuchAlert(f"there is no alert {named}: `livelift alerts list` shows them")
    if len(found) > 1:
        raise NoSuchAlert(f"{len(found)} alerts begin with {named}: write more of the id")
    return found[0]


class Answer(NamedTuple):
    """What has become of a command. alert: as it is then; None where no process has answered in time."""

    alert: Alert | None


def command(settings: Settings, alert: Alert, do: str, by: str, **given: Any) -> Answer:
    """Send a command and wait a little for what comes of it."""
    from kafka import KafkaProducer

    here = reach_kafka(settings, "alerts", "alert-commands")
    asked = Command(
        alert_id=alert.id, account_id=alert.account_id, do=do, by=by, at=int(time() * SECOND), **given
    )  # fmt: skip
    producer: Any = KafkaProducer(**settings.kafka_python(), acks="all")
    try:
        sent = producer.send(
            here.topic("alert-commands"), key=alert.account_id.encode(), value=msgspec.json.encode(asked), partition=0
        )
        offset = sent.get(timeout=ANSWER_S).offset
    finally:
        producer.close()
    return Answer(_answered(settings, offset))


def _answered(settings: Settings, offset: int) -> Alert | None:
    """The transition that a command has made, as soon as there is one."""
    until = monotonic() + ANSWER_S
    while monotonic() < until:
        for alert in _transitions(settings):
            if alert.source is not None and (alert.source.topic, alert.source.offset) == ("alert-commands", offset):
                return alert
        sleep(LOOK_S)
    return None


def _transitions(settings: Settings) -> Iterator[Alert]:
    from consumers.alerts.log import read_alerts

    yield from read_alerts(settings.kafka_python(), f"{settings.namespace}alerts")


ACL = """\
user {user} on >{password} resetchannels &{prefix}updates -@all +ping +hello +client|setinfo +watch +unwatch +multi \
+exec +get +set +hset +hdel +del +publish ~{prefix}alerts:* %R~{prefix}at-risk %R~{prefix}account:*"""
"""A Redis user that may write what `livelift alerts` shows, and read the capacity list and accounts; nothing else."""

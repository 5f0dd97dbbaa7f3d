"""Commands that the alerts process reads again after it died before it could acknowledge them."""

from queue import Queue
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from kafka import TopicPartition

from consumers.alerts.config import Here
from consumers.alerts.duty import Duty
from models.alerts.alert import Alert
from models.alerts.book import Book
from models.alerts.decide import Command
from models.alerts.rules import read_rules
from tests.support.alerting import AT_RISK, score

pytestmark = pytest.mark.shell
SCORES, COMMANDS = TopicPartition("account-scores", 0), TopicPartition("alert-commands", 0)


class Topic:
    """The `alerts` topic, in a list."""

    def __init__(self) -> None:
        self.held: list[Alert] = []

    def write(self, alerts: Any) -> None:
        self.held += alerts

    def on_duty(self) -> Duty:
        """A process that has read it."""
        book = Book()
        for alert in self.held:
            book.put(alert)
        log: Any = self
        return Duty(Here(kafka={}, rules=read_rules(AT_RISK)), book, log, Queue(), lambda: True)


def record(offset: int, value: bytes) -> Any:
    return SimpleNamespace(offset=offset, key=b"acme", value=value)


def command(offset: int, alert: Alert, do: str) -> Any:
    asked = Command(alert_id=alert.id, account_id="acme", do=do, by="olga", at=0, verdict="useful")
    return record(offset, msgspec.json.encode(asked))


def test_a_command_that_was_carried_out_is_not_refused_when_it_is_read_again():
    topic = Topic()
    topic.on_duty().step({SCORES: [record(0, msgspec.json.encode(score(10)))]})
    (opened,) = (one for one in topic.held if one.transition == "opened")
    asked = [command(0, opened, "acknowledge"), command(1, opened, "acknowledge"), command(2, opened, "resolve")]
    topic.on_duty().step({COMMANDS: asked[:2]})
    assert [one.transition for one in topic.held if one.by] == ["acknowledged", "refused"]
    topic.on_duty().step({COMMANDS: asked})
    made = [one.transition for one in topic.held if one.by and one.source is not None]
    assert made == ["acknowledged", "refused", "resolved"]


def test_a_command_cut_short_by_death_is_carried_out_by_the_next_process():
    topic = Topic()
    topic.on_duty().step({SCORES: [record(0, msgspec.json.encode(score(10)))]})
    (opened,) = (one for one in topic.held if one.transition == "opened")
    asked = [command(0, opened, "acknowledge"), command(1, opened, "resolve")]
    topic.on_duty().step({COMMANDS: asked})
    topic.held = [one for one in topic.held if one.transition != "resolved"]  # it was not written any more
    again = topic.on_duty()
    again.step({COMMANDS: asked})
    assert again.book.by_id[opened.id].state == "closed"
    assert [one.transition for one in topic.held if one.by and one.source is not None] == ["acknowledged", "resolved"]

"""What people do with alerts, as messages to `alert-commands`. The dashboard writes nowhere else."""

from collections.abc import Mapping
from threading import Lock
from time import time
from typing import Any

import msgspec

from consumers.dashboard.config import Here
from consumers.dashboard.views.asked import Sent
from models.alerts.alert import VERDICTS
from models.alerts.decide import Command
from models.alerts.evidence import COMMANDS as TOPIC
from models.alerts.life import COMMANDS
from models.clock import DAY, SECOND

TIMEOUT_S = 10.0


class NotAsked(ValueError):
    """A command makes no sense, or Kafka has not taken it; the text says what to do."""


class Commands:
    """One producer, made when it is first needed."""

    def __init__(self, here: Here) -> None:
        self._here = here
        self._producer: Any = None
        self._making = Lock()

    @property
    def may(self) -> bool:
        """Whether there is a Kafka to send to."""
        return bool(self._here.kafka)

    def ask(self, alert_id: str, form: Mapping[str, str], by: str) -> Sent:
        """Send what a form asks for. Raises NotAsked."""
        command = command_of(alert_id, form, by, int(time() * SECOND))
        if not self.may:
            raise NotAsked("The dashboard knows no Kafka (LIVELIFT_KAFKA): use `livelift alerts` where there is one.")
        try:
            topic, key = self._here.topic(TOPIC), command.account_id.encode()
            sent = self._made().send(topic, key=key, value=msgspec.json.encode(command), partition=0)
            return Sent(command.do, alert_id, sent.get(timeout=TIMEOUT_S).offset)
        except Exception as error:
            raise NotAsked(f"Kafka has not taken it ({type(error).__name__}): try again in a moment.") from error

    def _made(self) -> Any:
        with self._making:
            if self._producer is None:
                from kafka import KafkaProducer  # noqa: PLC0415 - most who look never write

                self._producer = KafkaProducer(**self._here.kafka, acks="all", max_block_ms=int(TIMEOUT_S * 1000))
            return self._producer

    def close(self) -> None:
        if self._producer is not None:
            self._producer.close(timeout=TIMEOUT_S)


def command_of(alert_id: str, form: Mapping[str, str], by: str, now: int) -> Command:
    """The command that a form asks for. Raises NotAsked."""
    do, account_id = form.get("do", ""), form.get("account_id")
    if do not in (*COMMANDS, "retry") or account_id is None:  # a notice to the operator is of no account
        raise NotAsked("The form is not one of the dashboard's.")
    if not by:
        raise NotAsked("Say who you are: your name is kept with what you do.")
    until, verdict = None, None
    if do == "snooze":
        try:
            days = float(form.get("days", ""))
        except ValueError:
            days = 0.0
        if not 0 < days <= 365:
            raise NotAsked("Snooze for how many days? Between 0 and 365.")
        until = now + round(days * DAY)
    if do == "resolve":
        verdict = form.get("verdict", "")
        if verdict not in VERDICTS:
            raise NotAsked(f"Was it useful? One of: {', '.join(VERDICTS)}.")
    return msgspec.convert(
        {"alert_id": alert_id, "account_id": account_id, "do": do, "by": by[:100], "at": now, "until": until,
         "verdict": verdict}, Command,
    )  # fmt: skip

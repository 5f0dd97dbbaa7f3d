"""What Redis shows of alerts, in a dict: an alerts desk, its board, and the pages' way of reading it."""

from collections.abc import Mapping
from typing import Any

from consumers.alerts.board import FILLED, Board
from models.alerts.alert import Alert, Delivery, Source
from models.alerts.book import Book
from models.alerts.decide import Command
from models.alerts.notices import refused
from models.keys import ALERT_RULES, ALERTS_OF_ACCOUNTS, CLOSED_ALERTS, OPEN_ALERTS, REFUSED_COMMANDS
from tests.support.alerting import AT_RISK, CHANNEL, Desk
from tests.support.build import Json
from tests.support.pages import Given
from tests.support.redis_held import Held

HASHES = OPEN_ALERTS, CLOSED_ALERTS, ALERTS_OF_ACCOUNTS
STUCK = '[[rule]]\nid = "stuck"\nwhen = { stuck = {} }\n'
LOST = Delivery("chat", "m", "undeliverable", tries=9, error="it said 503")


class Wall:
    """A board over a Redis in a dict, and the desk whose alerts it shows."""

    def __init__(self) -> None:
        self.desk, self.redis = Desk(AT_RISK + STUCK + CHANNEL), Held()
        self.board = self._board("1")
        self._shown = self._commands = 0

    def _board(self, epoch: str) -> Board:
        board = Board("redis://127.0.0.1:1", "", ["at-risk"], epoch)
        board._client = self.redis
        return board

    def show(self) -> "Wall":
        """Write what the desk has decided since."""
        changed, self._shown = self.desk.transitions[self._shown :], len(self.desk.transitions)
        self.board.show(self.desk.book, changed, self.desk.now)
        return self

    def put(self, *alerts: Alert) -> "Wall":
        self.desk._put(alerts)
        return self.show()

    def ask(self, do: str, alert: Alert | None = None, **given: Any) -> Alert:
        self.desk.asks(do, alert, **given)
        self.show()
        return self.desk.book.by_id[(alert or self.desk.only).id]

    def refuse(self, alert_id: str, because: str = "no", do: str = "reopen", by: str = "olga") -> "Wall":
        command = Command(alert_id=alert_id, account_id="acme", do=do, by=by, at=0)
        source = Source("alert-commands", 0, self._commands)
        self._commands += 1
        return self.put(refused(command, because, self.desk.now, source))

    def again(self) -> dict[str, Any]:
        """What another process shows that has read the topic anew."""
        book = Book()
        for alert in self.desk.transitions:
            book.put(alert)
        self.redis.values.pop(FILLED)
        self._board("2").show(book, [], self.desk.now)
        return self.everything()

    def read(self, snapshots: Mapping[str, Json] | None = None) -> Given:
        """How pages read it, beside other snapshots."""
        held = self.everything()
        values = {key: held[key] for key in (ALERT_RULES, REFUSED_COMMANDS)}
        return Given({**values, **(snapshots or {})}, {key: held[key] or {} for key in HASHES})

    def everything(self) -> dict[str, Any]:
        return {key: self.redis.snapshot(key) for key in (*HASHES, REFUSED_COMMANDS, ALERT_RULES)}

    def ids(self, key: str) -> set[str]:
        return set(self.redis.snapshot(key) or {})

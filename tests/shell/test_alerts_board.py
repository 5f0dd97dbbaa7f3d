"""What Redis shows of alerts is whole again after it was away, be it that it had kept what it held."""

from typing import Any

import pytest
import redis

from consumers.alerts.board import FILLED, OPEN, Board
from models.alerts.book import Book
from tests.support.alerting import AT_RISK, CHANNEL, Desk, score

pytestmark = pytest.mark.shell


class Store:
    """As much of redis-py as the board asks for; away, it answers nobody."""

    def __init__(self) -> None:
        self.held: dict[str, Any] = {}
        self.fields: dict[str, bytes] = {}
        self.away = False

    def get(self, name: str) -> Any:
        if self.away:
            raise redis.ConnectionError
        return self.held.get(name)

    def pipeline(self, transaction: bool) -> "Store":
        return self

    def delete(self, name: str) -> None:
        assert name == OPEN
        self.fields.clear()

    def hset(self, name: str, field: str, value: bytes) -> None:
        self.fields[field] = value

    def hdel(self, name: str, field: str) -> None:
        self.fields.pop(field, None)

    def set(self, name: str, value: bytes) -> None:
        self.held[name] = value

    def publish(self, *_: Any) -> None: ...

    def execute(self) -> None: ...


def test_what_changed_while_redis_was_away_is_shown_when_it_is_back() -> None:
    desk, store = Desk(AT_RISK + CHANNEL), Store()
    board = Board("redis://127.0.0.1:1", "", ["at-risk"], "1")
    board._client = store
    board.show(Book(), [], 0)
    assert store.held[FILLED] == b"1" and not store.fields
    store.away = True
    desk.take(score(10))
    board.show(desk.book, desk.transitions, desk.now)
    store.away = False
    board.show(desk.book, [], desk.now)
    assert list(store.fields) == [desk.only.id]

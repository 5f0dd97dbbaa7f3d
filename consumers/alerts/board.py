"""Writing to Redis what it shows of alerts (`consumers/alerts/shown.py`), and reading what is known of accounts.

Redis may be away or lost at any time: nothing waits for it, and everything is written again from the alerts themselves.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import redis
import structlog

from consumers.alerts.shown import HASHES, Fields, Standings, encode, refusals, rules
from models.alerts.alert import Alert
from models.alerts.book import Book
from models.keys import ALERT_RULES, REFUSED_COMMANDS, account_key

FILLED, LISTED = "alerts:filled", "at-risk"
OWN = "schema", "as_of", "published_at", "fence"
"""What an account's snapshot has beside its message."""
CONNECT_S, ANSWER_S = 2.0, 5.0
AT_ONCE = 500
"""Fields that are written by one command."""
log = structlog.get_logger()


class Board:
    """One writer: the process that holds the group's partitions."""

    def __init__(self, url: str, prefix: str, rules: Iterable[str], epoch: str) -> None:
        self._client: Any = (
            redis.Redis.from_url(url, socket_connect_timeout=CONNECT_S, socket_timeout=ANSWER_S) if url else None
        )
        self._prefix, self._rules, self._epoch = prefix, tuple(rules), epoch.encode()
        self._standings, self._refused = Standings(), ()
        self._gone: list[str] = []
        self._away = False

    def show(self, book: Book, changed: Sequence[Alert], now: int) -> None:
        """Write what has changed; everything, where Redis holds nothing of this process's."""
        if self._client is None:
            return
        try:
            with self._client.pipeline(transaction=True) as pipe:
                pipe.watch(self._name(FILLED))  # emptied between looking and writing, it would stay incomplete
                whole = pipe.get(self._name(FILLED)) != self._epoch or self._away
                if whole or changed or self._gone:
                    self._write(pipe, book, None if whole else changed, now)
        except redis.WatchError:
            self._away = True
        except redis.RedisError as error:
            if not self._away:
                log.warning("redis is away: alerts go on, and are shown when it is back", error=str(error))
            self._away = True
        else:
            self._away = False

    def drop(self, ids: Iterable[str]) -> None:
        """These alerts have been let go: they are gone from Redis the next time that something is shown."""
        self._gone += ids

    def _name(self, key: str) -> str:
        return self._prefix + key

    def _write(self, pipe: Any, book: Book, changed: Sequence[Alert] | None, now: int) -> None:
        """One transaction. changed: None for everything."""
        pipe.multi()
        if changed is None:
            self._standings, self._refused = Standings(), ()
            pipe.delete(*map(self._name, (*HASHES, REFUSED_COMMANDS)))
        gone, self._gone = self._gone, []
        fields = self._standings.take(book.by_id.values() if changed is None else changed, gone, now)
        written = {ALERT_RULES, *(key for key in HASHES if changed is None or fields[key])}
        for key in HASHES:
            self._put(pipe, self._name(key), fields[key])
        if changed is None or tuple(book.refused) != self._refused:
            self._refused = tuple(book.refused)
            pipe.set(self._name(REFUSED_COMMANDS), encode(refusals(book, now)))
            written.add(REFUSED_COMMANDS)
        pipe.set(self._name(ALERT_RULES), encode(rules(book, self._rules, self._standings.counts, now)))
        pipe.set(self._name(FILLED), self._epoch)
        for key in sorted(written):
            pipe.publish(self._name("updates"), key)
        pipe.execute()

    def _put(self, pipe: Any, name: str, fields: Fields) -> None:
        held = [(field, value) for field, value in fields.items() if value is not None]
        for start in range(0, len(held), AT_ONCE):
            pipe.hset(name, mapping=dict(held[start : start + AT_ONCE]))
        if len(held) < len(fields):
            pipe.hdel(name, *(field for field, value in fields.items() if value is None))

    # -- what is read ---------------------------------------------------------------------------------------------

    def listed(self) -> frozenset[str] | None:
        """The accounts on the capacity list; None where it is not known."""
        found = self._read(lambda: self._client.get(self._name(LISTED)))
        if found is None:
            return None
        return frozenset(one["account_id"] for one in msgspec.json.decode(found)["accounts"])

    def account(self, account_id: str) -> dict[str, Any] | None:
        """An account's last score message, whole; None where it is not known."""
        found = self._read(lambda: self._client.get(self._name(account_key(account_id))))
        return None if found is None else {k: v for k, v in msgspec.json.decode(found).items() if k not in OWN}

    def _read(self, ask: Any) -> Any:
        if self._client is None:
            return None
        try:
            return ask()
        except redis.RedisError:
            return None

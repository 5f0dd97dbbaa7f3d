"""What Redis shows of alerts: `alerts:open` (a hash by alert id) and `alerts:rules`; and what is read from Redis.

Redis may be away or lost at any time: nothing waits for it, and everything is written again from the alerts themselves.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
import redis
import structlog

from models.alerts.alert import Alert
from models.alerts.book import Book
from models.clock import rfc3339
from models.keys import SCHEMA, account_key

OPEN, RULES, FILLED, LISTED = "alerts:open", "alerts:rules", "alerts:filled", "at-risk"
OWN = "schema", "as_of", "published_at", "fence"
"""What an account's snapshot has beside its message."""
CONNECT_S, ANSWER_S = 2.0, 5.0
AT_ONCE = 500
encode = msgspec.json.Encoder().encode
log = structlog.get_logger()


class Board:
    """One writer: the process that holds the group's partitions."""

    def __init__(self, url: str, prefix: str, rules: Iterable[str], epoch: str) -> None:
        self._client: Any = (
            redis.Redis.from_url(url, socket_connect_timeout=CONNECT_S, socket_timeout=ANSWER_S) if url else None
        )
        self._prefix, self._rules, self._epoch = prefix, tuple(rules), epoch.encode()
        self._away = False

    def show(self, book: Book, changed: Sequence[Alert], now: int) -> None:
        """Write what has changed; everything, where Redis holds nothing of this process's."""
        if self._client is None:
            return
        try:
            whole = self._client.get(self._name(FILLED)) != self._epoch or self._away
            if whole or changed:
                self._write(book, None if whole else changed, now)
        except redis.RedisError as error:
            if not self._away:
                log.warning("redis is away: alerts go on, and are shown when it is back", error=str(error))
            self._away = True
        else:
            self._away = False

    def _name(self, key: str) -> str:
        return self._prefix + key

    def _write(self, book: Book, changed: Sequence[Alert] | None, now: int) -> None:
        pipe = self._client.pipeline(transaction=True)
        if changed is None:
            pipe.delete(self._name(OPEN))
        latest = {alert.id: alert for alert in (book.open() if changed is None else changed)}
        for alert in latest.values():
            if is_shown(alert):
                pipe.hset(self._name(OPEN), alert.id, encode(shown(alert, now)))
            else:
                pipe.hdel(self._name(OPEN), alert.id)
        rules = {"schema": SCHEMA, "as_of": {"time": rfc3339(now)}, "rules": book.report(self._rules)}
        pipe.set(self._name(RULES), encode(rules))
        pipe.set(self._name(FILLED), self._epoch)
        pipe.publish(self._name("updates"), OPEN)
        pipe.execute()

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


def is_shown(alert: Alert) -> bool:
    """Whether an alert stands in `alerts:open`: it asks something of somebody, or could not be delivered."""
    return alert.active or any(one.state == "undeliverable" for one in alert.deliveries)


def shown(alert: Alert, now: int) -> Mapping[str, Any]:
    """An alert as it stands in `alerts:open`."""
    return {
        "schema": SCHEMA,
        "as_of": {"time": rfc3339(now)},
        "alert_id": alert.id,
        "account_id": alert.account_id,
        "rule": alert.rule,
        "reason": alert.reason,
        "state": alert.state,
        "transition": alert.transition,
        "at": rfc3339(alert.at),
        "by": alert.by,
        "because": alert.because,
        "episode": alert.episode,
        "opened_at": rfc3339(alert.opened_at),
        "owner": alert.owner,
        "waiting_since": None if alert.waiting is None else rfc3339(alert.waiting),
        "held": alert.held,
        "told": [rfc3339(at) for at in alert.told],
        "deliveries": [
            {
                "channel": one.channel, "message": one.message, "state": one.state, "since": rfc3339(one.since),
                "at": None if one.at is None else rfc3339(one.at), "tries": one.tries, "error": one.error,
            }
            for one in alert.deliveries
        ],
        "snoozed_until": None if alert.snoozed_until is None else rfc3339(alert.snoozed_until),
        "verdict": alert.verdict,
        "evidence": alert.evidence,
    }  # fmt: skip

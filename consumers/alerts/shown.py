"""What Redis shows of alerts: which stand where, whose they are, and the commands that were refused.

| key | |
|---|---|
| `alerts:open` | a hash by alert id: what asks something of somebody, or could not be delivered |
| `alerts:closed` | the same of what somebody has dealt with, as long as its condition holds |
| `alerts:accounts` | a hash by account id: the ids of its alerts in the two others, as a list |
| `alerts:refused` | the last commands that were not carried out, the newest first |
| `alerts:rules` | what each rule has come to |
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import msgspec

from models.alerts.alert import Alert
from models.alerts.book import Book
from models.alerts.evidence import COMMANDS
from models.clock import rfc3339
from models.keys import ALERTS_OF_ACCOUNTS, CLOSED_ALERTS, OPEN_ALERTS, SCHEMA

HASHES = OPEN_ALERTS, CLOSED_ALERTS, ALERTS_OF_ACCOUNTS
encode = msgspec.json.Encoder().encode
Fields = dict[str, bytes | None]
"""Fields of a hash that have changed; None for those that are gone."""


class Standing(NamedTuple):
    """In which hash an alert stands, and of which account it is."""

    key: str
    account_id: str


class Standings:
    """Where the alerts stand that Redis shows, so that no more is written than has changed."""

    def __init__(self) -> None:
        self._of: dict[str, Standing] = {}
        self._accounts: dict[str, dict[str, None]] = {}
        """account -> its alerts that stand anywhere, in the order in which they came."""
        self.counts = dict.fromkeys((OPEN_ALERTS, CLOSED_ALERTS), 0)

    def take(self, alerts: Iterable[Alert], gone: Iterable[str], now: int) -> dict[str, Fields]:
        """What changes in the hashes. alerts: those that have changed, the latest last. gone: ids of those that have
        been let go."""
        found: dict[str, Fields] = {key: {} for key in HASHES}
        for id_ in gone:
            self._leave(id_, None, found)
        for alert in {alert.id: alert for alert in alerts}.values():
            key = place_of(alert)
            self._leave(alert.id, key, found)
            if key is not None:
                found[key][alert.id] = encode(shown(alert, now))
                self._stand(alert.id, Standing(key, alert.account_id), found)
        for account_id in found[ALERTS_OF_ACCOUNTS]:
            ids = self._accounts.get(account_id)
            found[ALERTS_OF_ACCOUNTS][account_id] = None if ids is None else encode(list(ids))
        return found

    def _stand(self, id_: str, at: Standing, found: dict[str, Fields]) -> None:
        if id_ in self._of:
            return
        self._of[id_] = at
        self.counts[at.key] += 1
        ids = self._accounts.setdefault(at.account_id, {}) if at.account_id else {}
        if at.account_id and id_ not in ids:
            ids[id_] = None
            found[ALERTS_OF_ACCOUNTS][at.account_id] = None

    def _leave(self, id_: str, key: str | None, found: dict[str, Fields]) -> None:
        """An alert leaves where it stands, unless that is under this key."""
        at = self._of.get(id_)
        if at is None or at.key == key:
            return
        del self._of[id_]
        self.counts[at.key] -= 1
        found[at.key][id_] = None
        if key is None and at.account_id:
            ids = self._accounts[at.account_id]
            del ids[id_]
            if not ids:
                del self._accounts[at.account_id]
            found[ALERTS_OF_ACCOUNTS][at.account_id] = None


def place_of(alert: Alert) -> str | None:
    """The hash in which an alert stands, if in any."""
    if alert.state == "closed":
        return CLOSED_ALERTS
    unsent = any(one.state == "undeliverable" for one in alert.deliveries)
    return OPEN_ALERTS if alert.active or unsent else None


def shown(alert: Alert, now: int) -> Mapping[str, Any]:
    """An alert as it stands in its hash."""
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


def refusals(book: Book, now: int) -> Mapping[str, Any]:
    """`alerts:refused`. The alert is named by its account and rule, too; one that was not there, or is of somebody who
    is forgotten, not at all. offset: the command's, in its topic."""
    return {
        "schema": SCHEMA,
        "as_of": {"time": rfc3339(now)},
        "refused": [_refusal(command, book.by_id.get(command.reason)) for command in reversed(book.refused.values())],
    }


def _refusal(command: Alert, alert: Alert | None) -> Mapping[str, Any]:
    return {
        "at": rfc3339(command.at),
        "by": command.by,
        "do": command.evidence.get("do", ""),
        "alert_id": command.reason or None,
        "account_id": None if alert is None else alert.account_id,
        "rule": None if alert is None else alert.rule,
        "because": command.because,
        "offset": None if command.source is None else command.source.offset,
    }


def rules(book: Book, names: Iterable[str], counts: Mapping[str, int], now: int) -> Mapping[str, Any]:
    """`alerts:rules`. as_of: whatever commands are before the offset have been decided on. counts: alerts by hash."""
    offsets = {COMMANDS: book.begins(COMMANDS, 0)}
    return {
        "schema": SCHEMA,
        "as_of": {"time": rfc3339(now), "offsets": offsets},
        "open": counts[OPEN_ALERTS],
        "closed": counts[CLOSED_ALERTS],
        "rules": book.report(names),
    }

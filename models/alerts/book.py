"""All alerts as they are now, built from the `alerts` topic and kept true transition by transition."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from msgspec.structs import replace

from models.alerts.alert import REFUSED, VERDICTS, Alert, Alerts
from models.alerts.delivery import WEEK_DAYS, Told
from models.alerts.evidence import COMMANDS
from models.clock import DAY

REFUSED_KEPT = 50
"""Commands that were refused that are remembered, the last ones."""
LONGEST = 400
"""Days after which an alert that is over is let go: its topic keeps no more either."""


class Book:
    """Every alert, by what is asked of it: an account's, those that wait, those that are being sent."""

    def __init__(self) -> None:
        self.by_id: dict[str, Alert] = {}
        self.of_account: dict[str, Alerts] = {}
        self.waiting: dict[str, Alert] = {}
        self.due: dict[str, Alert] = {}
        self.snoozed: dict[str, Alert] = {}
        self.notices: dict[str, Alert] = {}
        """What the operator is to be told when no more comes of it."""
        self.refused: dict[str, Alert] = {}
        """The last commands that were not carried out, the oldest first."""
        self.reached: dict[tuple[str, int], int] = {}
        """(topic, partition) -> the highest offset that made a transition: what was before it has been decided on."""
        self.rules: dict[str, Counter[str]] = defaultdict(Counter)
        """rule -> transition or verdict -> how many times."""
        self._digests: dict[str, dict[str, int]] = defaultdict(dict)
        """owner -> digest -> when."""
        self._told: dict[str, dict[int, int]] = defaultdict(dict)
        """owner -> moment -> alerts told then."""

    def put(self, alert: Alert) -> None:
        """Take up an alert as it is after a transition, or a command that was refused."""
        if alert.source is not None:
            where = alert.source.topic, alert.source.partition
            self.reached[where] = max(alert.source.offset, self.reached.get(where, -1))
        if alert.transition == REFUSED:
            self._refuse(alert)
        else:
            self._take(alert)

    def _refuse(self, command: Alert) -> None:
        """Remember a command that was refused. An alert that there is not, or not any more, is not named."""
        on = self.by_id.get(command.reason)
        named = on is not None and on.transition != "forgotten"
        self.refused[command.id] = command if named else replace(command, reason="")
        if len(self.refused) > REFUSED_KEPT:
            del self.refused[next(iter(self.refused))]

    def _take(self, alert: Alert) -> None:
        before = self.by_id.get(alert.id)
        if before is not None and before.account_id and before.account_id != alert.account_id:
            self._drop(before)
            self.refused = {id_: one for id_, one in self.refused.items() if one.reason != alert.id}
        self.by_id[alert.id] = alert
        if alert.account_id:
            self.of_account.setdefault(alert.account_id, {})[alert.rule, alert.reason] = alert
        for held, belongs in (
            (self.waiting, alert.waiting is not None),
            (self.due, bool(alert.due)),
            (self.snoozed, alert.state == "snoozed"),
            (self.notices, not alert.account_id and alert.transition == "noted"),
        ):
            if belongs:
                held[alert.id] = alert
            else:
                held.pop(alert.id, None)
        self._count(before, alert)

    def _drop(self, alert: Alert) -> None:
        alerts = self.of_account.get(alert.account_id, {})
        alerts.pop((alert.rule, alert.reason), None)
        if not alerts:
            self.of_account.pop(alert.account_id, None)

    def _count(self, before: Alert | None, alert: Alert) -> None:
        self.rules[alert.rule][alert.transition] += 1
        if alert.transition == "resolved" and alert.verdict is not None:
            if before is not None and before.verdict is not None and before.episode == alert.episode:
                self.rules[alert.rule][before.verdict] -= 1
            self.rules[alert.rule][alert.verdict] += 1
        if alert.transition == "ended" and before is not None and (before.waiting is not None or before.due):
            self.rules[alert.rule]["ended unheard"] += 1
        if alert.transition == "due":
            told = self._told[alert.owner]
            told[alert.at] = told.get(alert.at, 0) + 1
            for one in alert.deliveries:
                if one.message.startswith("digest-"):
                    self._digests[alert.owner][one.message] = alert.at

    def begins(self, topic: str, partition: int) -> int:
        """The first offset that is still to be decided on. The last record that made a transition is decided on once
        more: it may have made others that were not written. A command makes exactly one."""
        return self.reached.get((topic, partition), -1) + (topic == COMMANDS)

    def alerts_of(self, account_id: str) -> Alerts:
        return self.of_account.get(account_id, {})

    def open(self) -> Iterator[Alert]:
        """Alerts that ask something of somebody, in the order of their opening."""
        active = (alert for alert in self.by_id.values() if alert.active)
        yield from sorted(active, key=lambda alert: (alert.opened_at, alert.id))

    def told(self, now: int) -> dict[str, Told]:
        """What each owner has been told in the last week. Older moments are let go."""
        since = now - WEEK_DAYS * DAY
        for kept in (*self._told.values(),):
            for at in [at for at in kept if at <= since]:
                del kept[at]
        for digests in self._digests.values():
            for key in [key for key, at in digests.items() if at <= since]:
                del digests[key]
        owners = self._told.keys() | self._digests.keys()
        return {owner: Told(sum(self._told[owner].values()), frozenset(self._digests[owner])) for owner in owners}

    def sweep(self, now: int) -> list[str]:
        """Let go of alerts that ended long ago, and of what was refused then; returns the alerts' ids."""
        since = now - LONGEST * DAY
        self.refused = {id_: one for id_, one in self.refused.items() if one.at >= since}
        old = [
            alert for alert in self.by_id.values()
            if alert.state in ("over", "absent") and alert.at < since
        ]  # fmt: skip
        for alert in old:
            del self.by_id[alert.id]
            self._drop(alert)
        return [alert.id for alert in old]

    def report(self, names: Iterable[str]) -> list[dict[str, Any]]:
        """Rule by rule: how often it opened, was told, and what people said of it."""
        found = []
        for rule in sorted({*names, *self.rules}):
            counts = self.rules.get(rule, Counter())
            judged = {verdict: counts[verdict] for verdict in VERDICTS}
            answered = sum(judged.values())
            found.append({
                "rule": rule, "opened": counts["opened"], "told": counts["due"], "noted": counts["noted"],
                "ended_unheard": counts["ended unheard"],
                "undeliverable": counts["given up"], **judged,
                "useful_share": round(judged["useful"] / answered, 4) if answered else None,
            })  # fmt: skip
        return found

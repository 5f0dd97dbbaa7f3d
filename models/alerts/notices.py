"""Notices to the operator: that livelift has begun and what held already, and that another kind of model speaks.

A notice is an alert of no account, so that it is written down, sent and shown as any other.
"""

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from models.alerts.alert import REFUSED, Alert, Source, alert_id
from models.alerts.book import Book
from models.alerts.decide import Command
from models.alerts.evidence import Score
from models.alerts.rules import Rules
from models.clock import DAY

STARTED, MODEL_CHANGED = "started", "model-changed"
LULL_S = 5.0
"""Seconds without any more accounts after which a notice says how many there were."""
ANEW = 2 * DAY
"""After so long the same kind of model speaking anew is another matter."""
LONGEST_WORD, LONGEST_REASON = 100, 300
"""Characters that are kept of what a command that was refused said."""


class Notices:
    """What the operator is to hear, collected until it can be told in one message."""

    def __init__(self, book: Book, rules: Rules) -> None:
        self._book, self._operator = book, rules.owners.operator
        self._last: dict[str, float] = {}
        """Notice -> when something was last added to it, wall seconds."""
        self._counts: dict[str, int] = {}

    # -- the beginning -------------------------------------------------------------------------------------------------

    def began(self, ends: Mapping[tuple[str, int], int], now: int) -> Alert:
        """The first start of all. ends: topic and partition -> where it ended then; what is before it is noted only."""
        until = {f"{topic}/{partition}": end for (topic, partition), end in ends.items()}
        return self._notice(STARTED, "", {"until": until}, now)

    @property
    def beginning(self) -> bool:
        """Whether what held at the first start is still being read."""
        found = self._book.by_id.get(alert_id("", STARTED, ""))
        return found is not None and not found.told and found.waiting is None

    def begins_until(self, topic: str, partition: int) -> int:
        """Before which offset records are of the time before the first start."""
        found = self._book.by_id.get(alert_id("", STARTED, ""))
        return 0 if found is None else int(found.evidence.get("until", {}).get(f"{topic}/{partition}", 0))

    def begins(self, wall: float) -> None:
        """Something of the time before the first start has been read."""
        self._last[alert_id("", STARTED, "")] = wall

    # -- another kind of model -----------------------------------------------------------------------------------------

    def basis_changed(self, score: Score, wall: float, now: int) -> list[Alert]:
        """An account is scored by another kind of model than its last day closed with."""
        kind = score.basis.partition("@")[0]
        id_ = alert_id("", MODEL_CHANGED, kind)
        held = self._book.by_id.get(id_)
        if held is not None and held.told and now - held.told[-1] < ANEW:
            return []
        self._counts[id_] = self._counts.get(id_, 0) + 1
        self._last[id_] = wall
        if held is None or held.told:
            return [self._notice(MODEL_CHANGED, kind, {"basis": score.basis, "accounts": 1}, now)]
        return []

    def due(self, wall: float, now: int) -> list[Alert]:
        """Notices of which nothing more has come for a while: now they can be told."""
        found = []
        for id_, held in self._book.notices.items():
            if wall - self._last.setdefault(id_, wall) >= LULL_S:
                evidence = {**held.evidence, "accounts": self._accounts(held)}
                found.append(replace(held, transition="opened", state="over", waiting=now, at=now, evidence=evidence,
                                     source=None))  # fmt: skip
                self._counts.pop(id_, None)
        return found

    def _accounts(self, held: Alert) -> int:
        if held.rule == STARTED:
            return sum(one.state == "noted" and bool(one.account_id) for one in self._book.by_id.values())
        return max(self._counts.get(held.id, 0), int(held.evidence.get("accounts", 0)))

    def _notice(self, rule: str, reason: str, evidence: dict[str, Any], now: int) -> Alert:
        id_ = alert_id("", rule, reason)
        before = self._book.by_id.get(id_)
        return Alert(
            id=id_, account_id="", rule=rule, reason=reason, transition="noted", at=now, opened_at=now,
            owner=self._operator, evidence=evidence, episode=1 if before is None else before.episode + 1,
            told=() if before is None else before.told,
        )  # fmt: skip


def refused(command: Command | None, because: str, now: int, source: Source) -> Alert:
    """A command that was not carried out, as it is kept: `reason` names the alert that it was on, `evidence` what was
    asked. command: None where what came is none. Anybody may have written it: what it says is cut."""
    asked = command or Command(alert_id="", account_id="", do="", by="", at=now)
    return Alert(
        id=alert_id("", REFUSED, f"{source.topic}/{source.partition}/{source.offset}"), account_id="", rule=REFUSED,
        reason=asked.alert_id[:LONGEST_WORD], transition=REFUSED, at=now, by=asked.by[:LONGEST_WORD],
        because=because[:LONGEST_REASON], source=source, evidence={"do": asked.do[:LONGEST_WORD]},
    )  # fmt: skip

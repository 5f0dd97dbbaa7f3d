"""The rule engine: what a score, a signal, a command or the passing of time makes of an account's alerts.

Pure: an account's alerts as they are, what has come and the moment go in; alerts as they are afterwards come out, each
with the transition that made it so (`life.TABLE`). What says the same again changes nothing.
"""

from collections.abc import Iterable, Mapping
from math import floor
from typing import Any, NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from models.alerts.alert import Alert, Alerts, Delivery, Refused, Source, Verdict, absent
from models.alerts.conditions import Judge, reason_of, scope_of, stuck
from models.alerts.evidence import Score, Signal
from models.alerts.life import COMMANDS, TABLE, Input
from models.alerts.rules import Rule, Rules
from models.clock import DAY, rfc3339

WORSE = 5.0
"""Points by which a score has to fall below what it was when its alert was noted, to be told after all."""
COME = "what the score is the chance of has happened"
HELD_OUT = "the account is held out of alerts"
NO_SUCH = "there is no such alert"
TOO_LATE = "an alert that is"
PAST = "a snooze needs a time ahead"
UNJUDGED = "a resolve needs a verdict: useful, not useful or already known"
DELIVERED = "nothing of it is undeliverable"
"""Why commands are refused. `TOO_LATE` goes on with the alert's state."""
DONE = {"acknowledge": "acknowledged", "snooze": "snoozed", "resolve": "resolved", "reopen": "reopened"}


class Heard(NamedTuple):
    """What has come. message: whole. owner: of the account, None where nobody is told. score: its points, if it is one.
    quietly: only the model has changed, or livelift begins: what holds is noted, and nobody is told."""

    message: Mapping[str, Any]
    owner: str | None
    score: float | None = None
    quietly: bool = False
    source: Source | None = None


class Found(NamedTuple):
    """What one rule finds. scope: it speaks of all alerts whose reason begins so. reason: the one that holds; None if
    none does. because: why none does, where it is no matter of the rule."""

    rule: Rule
    scope: str
    reason: str | None
    because: str | None = None


class Engine:
    """The rules of `alerts.toml`, ready to decide."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.judges = tuple(Judge(rule) for rule in rules.of_scores())
        self._asked = tuple((judge.first, judge.holds) for judge in self.judges)
        self._stuck = tuple((rule, rule.when.stuck) for rule in rules.of_signals() if rule.when.stuck is not None)

    def concerns(self, score: Score) -> bool:
        """Whether any rule holds for an account that has no alerts. Mostly none does: then nothing is to be done."""
        if score.held_out or score.event_has_come:
            return False
        return any(first(score, False) and holds(score, False) for first, holds in self._asked)

    def of_score(self, held: Alerts, score: Score, heard: Heard, now: int) -> list[Alert]:
        """What a score makes of its account's alerts."""
        return self._advance(score.account_id, held, list(self._by_score(held, score)), heard, now)

    def of_signal(self, held: Alerts, signal: Signal, heard: Heard, now: int) -> list[Alert]:
        """What a signal makes of its account's alerts. Of somebody who is forgotten nothing stays but that there was
        something."""
        if signal.forgotten:
            of_them = f"/{signal.user_id}/"
            return [forgotten(alert, now) for alert in held.values() if of_them in alert.reason]
        found = [self._by_signal(rule, asked, signal) for rule, asked in self._stuck]
        return self._advance(signal.account_id, held, found, heard, now)

    def _by_score(self, held: Alerts, score: Score) -> Iterable[Found]:
        nothing = COME if score.event_has_come else HELD_OUT if score.held_out else None
        for judge in self.judges:
            if nothing is not None:
                yield Found(judge.rule, "", None, nothing)
                continue
            reason = judge.reason(score)
            alert = held.get((judge.rule.id, reason))
            holds = judge.holds(score, alert is not None and alert.state not in ("absent", "over"))
            if holds is not None:
                yield Found(judge.rule, "", reason if holds else None)

    def _by_signal(self, rule: Rule, asked: Any, signal: Signal) -> Found:
        task = stuck(asked, signal)
        return Found(rule, scope_of(signal), None if task is None else reason_of(signal, task))

    def _advance(self, account_id: str, held: Alerts, found: Iterable[Found], heard: Heard, now: int) -> list[Alert]:
        after = dict(held)
        for rule, scope, reason, because in found:
            for key, alert in held.items():
                if key[0] == rule.id and key[1] != reason and key[1].startswith(scope):
                    after[key] = _step(alert, "ends", now, because=because) or alert
            if reason is not None:
                before = held.get((rule.id, reason)) or absent(account_id, rule.id, reason)
                after[rule.id, reason] = self._holds(rule, before, after.values(), heard, now)
        return [
            replace(alert, source=heard.source)
            for key, alert in after.items()
            if alert is not held.get(key) and alert.state != "absent"
        ]

    def _holds(self, rule: Rule, before: Alert, of_account: Iterable[Alert], heard: Heard, now: int) -> Alert:
        """An alert whose condition holds."""
        given = _input(before, heard)
        step = TABLE.get((before.state, given))
        if step is None:
            return before
        owner = heard.owner or self.rules.owners.fallback
        told: dict[str, Any] = {"owner": owner, "evidence": dict(heard.message)}
        if step.name == "updated":
            if owner == before.owner and _headline(before.evidence) == _headline(heard.message):
                return before
        elif step.to == "noted":
            told |= {"opened_at": now, "noted_score": heard.score, "verdict": None, "held": None}
        else:
            held = self._held_back(rule, before, of_account, now)
            told |= {"opened_at": now, "episode": before.episode + 1, "held": held, "verdict": None,
                     "waiting": now if held is None else None}  # fmt: skip
        return _step(before, given, now, **told) or before

    def _held_back(self, rule: Rule, before: Alert, of_account: Iterable[Alert], now: int) -> str | None:
        """Why nobody is to hear of an alert that opens; None where somebody is."""
        last, limits = max(before.told, default=None), self.rules.limits
        if last is not None and now < last + rule.cooldown_days * DAY:
            return f"told at {rfc3339(last)}, and again {rule.cooldown_days:g} days later at the earliest"
        others = (one for one in of_account if one.id != before.id)
        told = sum(one.told_within(limits.days, now) + (one.waiting is not None) for one in others)
        told += before.told_within(limits.days, now)
        if told >= limits.per_account:
            return f"{told} alerts of the account were told within {limits.days} days"
        return None


def of_time(alerts: Iterable[Alert], now: int) -> list[Alert]:
    """Snoozed alerts whose time has come, to be told again."""
    over = [
        one for one in alerts if one.state == "snoozed" and one.snoozed_until is not None and one.snoozed_until <= now
    ]
    woken = (_step(alert, "wakes", now, snoozed_until=None, waiting=now, held=None) for alert in over)
    return [alert for alert in woken if alert is not None]


def without_rule(alerts: Iterable[Alert], rules: Rules, now: int) -> list[Alert]:
    """Alerts of rules that are there no more come to an end."""
    gone = (alert for alert in alerts if alert.account_id and rules.named(alert.rule) is None)
    ended = (_step(alert, "ends", now, because="the rule was taken away") for alert in gone)
    return [alert for alert in ended if alert is not None]


class Command(Struct, frozen=True, kw_only=True):
    """What a person asks of an alert. until: of a snooze, microseconds. verdict: of a resolve. do: one of
    `life.COMMANDS`, or retry: send again what could not be delivered."""

    alert_id: str
    account_id: str
    do: str
    by: str
    at: int
    until: int | None = None
    verdict: Verdict | None = None


def of_command(alert: Alert | None, command: Command, now: int) -> Alert | Refused:
    """What a command makes of an alert, or why it is refused."""
    if alert is None or alert.state == "absent":
        return Refused(NO_SUCH)
    if command.do == "retry":
        return _retried(alert, command, now)
    given = next((one for one in COMMANDS if one == command.do), None)
    if given is None:
        return Refused(f"unknown command {command.do!r}: use {', '.join(COMMANDS)} or retry")
    if given == "snooze" and (command.until is None or command.until <= now):
        return Refused(PAST)
    if given == "resolve" and command.verdict is None:
        return Refused(UNJUDGED)
    changes: dict[str, Any] = {"by": command.by}
    if given == "snooze":
        changes["snoozed_until"] = command.until
    elif given != "resolve":
        changes["snoozed_until"] = None
    if given != "reopen":  # whoever has dealt with it need not be told any more
        changes |= {"waiting": None, "deliveries": _dropped(alert)}
    changes["verdict"] = command.verdict if given == "resolve" else None if given == "reopen" else alert.verdict
    found = _step(alert, given, now, **changes)
    return found if found is not None else Refused(f"{TOO_LATE} {alert.state} cannot be {DONE[given]}")


def _retried(alert: Alert, command: Command, now: int) -> Alert | Refused:
    if not any(one.state == "undeliverable" for one in alert.deliveries):
        return Refused(DELIVERED)
    again = tuple(
        replace(one, state="due", since=command.at, tries=0, error=None) if one.state == "undeliverable" else one
        for one in alert.deliveries
    )
    return replace(alert, deliveries=again, transition="retried", at=now, because=None)


def forgotten(alert: Alert, now: int) -> Alert:
    """What is left of an alert about somebody who is forgotten: that there was one."""
    return Alert(
        id=alert.id, account_id="", rule=alert.rule, reason="", transition="forgotten", at=now, episode=alert.episode,
        verdict=alert.verdict,
    )  # fmt: skip


def _input(alert: Alert, heard: Heard) -> Input:
    if alert.state == "noted" and not heard.quietly and heard.score is not None and alert.noted_score is not None:
        return "worse" if heard.score <= alert.noted_score - WORSE else "holds"
    return "holds quietly" if heard.quietly else "holds"


def _step(alert: Alert, given: Input, now: int, **changes: Any) -> Alert | None:
    """The alert after an input; None where the table says that nothing follows."""
    step = TABLE.get((alert.state, given))
    if step is None:
        return None
    made: dict[str, Any] = {"state": step.to, "transition": step.name, "at": now, "because": None,
                            "by": alert.by if step.to == alert.state else None}  # fmt: skip
    if step.name == "ended":  # what nobody has heard of needs no telling any more, and does not count as told
        unheard = bool(alert.due) and not any(one.state == "sent" for one in alert.deliveries)
        made |= {"waiting": None, "snoozed_until": None, "deliveries": _dropped(alert),
                 "told": alert.told[:-1] if unheard else alert.told}  # fmt: skip
    return replace(alert, **{**made, **changes})


def _dropped(alert: Alert) -> tuple[Delivery, ...]:
    return tuple(replace(one, state="dropped") if one.state == "due" else one for one in alert.deliveries)


def _headline(message: Mapping[str, Any]) -> tuple[Any, ...]:
    """What an open alert shows: when it differs, the alert is updated."""
    score, lost = message.get("score"), message.get("revenue_at_risk")
    return (
        message.get("band"),
        None if score is None else floor(score),
        None if lost is None else round(lost),
        message.get("signs"),
        message.get("trouble"),
        message.get("next_step"),
    )

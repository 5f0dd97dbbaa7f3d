"""What an alert on a user who is stuck says."""

from collections.abc import Callable, Iterator

import msgspec

from models.alerts import figures
from models.alerts.alert import Alert
from models.alerts.evidence import Signal, instant_of
from models.alerts.letter import Fact, Letter, page_of, whose
from models.alerts.names import Name, name, short_name, subject
from models.alerts.rules import Rule, Rules

Naming = Callable[[str], Name]


def of_signal(alert: Alert, rule: Rule, rules: Rules) -> Letter:
    """What an alert on a user's signal says."""
    signal = msgspec.convert(alert.evidence, Signal)
    told = alert.evidence.get("traits") or {}
    called = str(told.get("name") or alert.account_id)
    step = signal.next_step
    do = "" if step is None else f"{name(step.do).capitalize()} with task {name(step.task)}."
    return Letter(
        alert_id=alert.id,
        episode=alert.episode,
        rule=alert.rule,
        account_id=alert.account_id,
        account=name(called),
        owner=name(alert.owner),
        heading=_stuck(signal, rule, called, name),
        subject=subject(_stuck(signal, rule, called, short_name)),
        facts=tuple(_where(alert, called, signal, rules)),
        happened=tuple(map(name, signal.trouble.why)),
        next_step=" ".join(filter(None, (do, name(rule.suggest) if rule.suggest else ""))),
        link=page_of(alert.account_id, rules),
        why=f"Rule {alert.rule}: a user is stuck{_asked(rule)}.",
        at=figures.moment(instant_of(signal.at), rules.hours),
    )


def _stuck(signal: Signal, rule: Rule, account: str, called: Naming) -> str:
    at = f" at task {called(signal.next_step.task)}" if signal.next_step is not None else ""
    if rule.title:
        return f"{called(account)} {name(rule.title)}: {called(signal.user_id)}{at}"
    return f"{called(account)} has a user who is stuck: {called(signal.user_id)}{at}"


def _where(alert: Alert, called: str, signal: Signal, rules: Rules) -> Iterator[Fact]:
    yield from whose(alert, called)
    yield Fact("User", name(signal.user_id))
    yield Fact("Journey", name(signal.journey))
    if signal.next_step is not None:
        yield Fact("Task", name(signal.next_step.task))
    if signal.stuck_since is not None:
        yield Fact("In trouble since", figures.moment(instant_of(signal.stuck_since), rules.hours))


def _asked(rule: Rule) -> str:
    """Where a rule looks for users who are stuck."""
    stuck = rule.when.stuck
    if stuck is None:
        return ""
    journey = "" if stuck.journey is None else f" on journey {name(stuck.journey)}"
    return f"{journey}{'' if stuck.task is None else f' at task {name(stuck.task)}'}"

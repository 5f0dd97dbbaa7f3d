"""The alerts that the pictures in docs/ show: of a made-up cohort, scored by the core and found by the rule engine."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from livelift.recording import Record
from livelift.replay import Replay
from models.alerts.alert import Alert, Alerts
from models.alerts.decide import Engine, Heard
from models.alerts.delivery import urgency
from models.alerts.evidence import SCORES, SIGNALS, decode_score, decode_signal, instant_of, whole
from models.alerts.rules import Rules, read_rules
from models.clock import DAY, HOUR, rfc3339, start_of
from models.events import HOME, SOURCES
from models.messages import encode
from models.partition import Effects
from models.product import Product, read_product

SEED = 7
FIRST_DAY, DAYS = 20_578, 225
"""From 2026-05-05 on."""
ACCOUNTS = 80
FADING_DAYS = 28
"""An account that leaves is used less and less for so long before."""
PRODUCT = """
[label]
horizon_days = 28
unscored_days = 14
[health]
inputs = ["active_days", "weekly_share", "champions", "tickets_open", "days_since_visit", "members"]
"""
RULES = """
account_page = "https://app.example.com/accounts/{account_id}"
[[rule]]
id = "at-risk"
when = { band = "at_risk" }
[[rule]]
id = "payment"
when = { payments_failed = 2 }
[[rule]]
id = "champion"
when = { champion_gone_days = 10 }
[[rule]]
id = "stuck"
when = { stuck = {} }
[hours]
timezone = "Europe/Berlin"
"""
NAMES = {"a3": "Northwind Traders", "a5": "مكتبة النور", "a8": "Müller & Söhne GmbH"}
"""The accounts that are alerted to, by what befalls them in the last weeks."""


class Pictured(NamedTuple):
    """alerts: those that are told at the end, the first one alone as well. waiting: how many more there are."""

    rules: Rules
    alerts: tuple[Alert, ...]
    waiting: int


class Watched(Replay):
    """A replay of which the messages are kept that alerts are made of."""

    def __init__(self, product: Product) -> None:
        super().__init__(product, {})
        self.messages: list[tuple[str, bytes]] = []

    def _keep(self, effects: Effects) -> None:
        super()._keep(effects)
        self.messages += [
            (one.topic, one.value)
            for one in effects.outputs
            if one.topic in (SCORES, SIGNALS) and one.value is not None
        ]


def pictured() -> Pictured:
    """Play the cohort and take its messages through the rules."""
    replay, end = Watched(read_product(PRODUCT)), start_of(FIRST_DAY + DAYS) + HOUR
    replay.feed(records(), end)
    rules = read_rules(RULES)
    engine, alerts = Engine(rules), dict[str, Alerts]()
    for topic, message in replay.messages:
        for alert in _decided(engine, alerts, topic, message):
            alerts.setdefault(alert.account_id, {})[alert.rule, alert.reason] = alert
    found = sorted(
        (alert for account in NAMES for alert in alerts.get(account, {}).values() if alert.active), key=urgency
    )
    waiting = sum(alert.active for of_account in alerts.values() for alert in of_account.values()) - len(found)
    return Pictured(rules, tuple(found), waiting)


def _decided(engine: Engine, alerts: dict[str, Alerts], topic: str, message: bytes) -> list[Alert]:
    if topic == SIGNALS:
        signal = decode_signal(message)
        traits: dict[str, Any] = {"name": NAMES.get(signal.account_id, signal.account_id)}
        heard = Heard({**whole(message), "traits": traits}, "dana")
        return engine.of_signal(alerts.get(signal.account_id, {}), signal, heard, instant_of(signal.at))
    score = decode_score(message)
    heard = Heard(whole(message), score.trait("owner"), score.score, score.only_the_model_changed)
    return engine.of_score(alerts.get(score.account_id, {}), score, heard, instant_of(score.at))


def records() -> list[Record]:
    """The cohort as it is recorded."""
    draw = np.random.default_rng(SEED)
    events = [one for number in range(ACCOUNTS) for one in _account(number, draw)]
    found = [_record(at, kind, given) for at, kind, given in events]
    ticks = [start_of(FIRST_DAY + day) + HOUR for day in range(1, DAYS + 1)]
    found += [Record(None, b"", encode({"type": "tick", "at": rfc3339(at)}), at) for at in ticks]
    return sorted(found, key=lambda one: one.at)


def _record(at: int, kind: str, given: dict[str, Any]) -> Record:
    id_ = f"{kind}-{given['account_id']}-{given.get('user_id', '')}-{at}"
    value = encode({"id": id_, "type": kind, "at": rfc3339(at), **given})
    return Record(SOURCES[HOME[kind]], given["account_id"].encode(), value, at)


Event = tuple[int, str, dict[str, Any]]


def _account(number: int, draw: np.random.Generator) -> Iterator[Event]:
    """One account: its users visit on most working days, and fewer of them as it fades."""
    account = f"a{number}"
    users, joined = int(draw.integers(4, 12)), int(draw.integers(0, 21))
    fades = _fades(number, draw)
    busy = draw.uniform(0.1, 0.35)
    traits: dict[str, Any] = {"name": NAMES.get(account, f"Account {number}"), "owner": "dana", "segment": "smb"}

    def event(day: float, kind: str, user: int | None = None, **properties: Any) -> Event:
        of = {} if user is None else {"user_id": f"u{user}"}
        return start_of(FIRST_DAY) + round(day * DAY), kind, {"account_id": account, **of, "properties": properties}

    yield event(joined, "traits_set", **traits)
    yield event(joined + 0.01, "converted", mrr=round(float(draw.uniform(200, 3000)), -1), plan="team")
    for user in range(users):
        yield event(joined + 0.1, "member_added", user, role="champion" if user == 0 else "member")
    for day in range(joined, DAYS):
        left = 1.0 if fades is None else max(0.0, min(1.0, (fades + FADING_DAYS - day) / FADING_DAYS))
        for user in range(users):
            if left and draw.random() < busy * left ** (2 if user == 0 else 1):
                yield event(day + 0.3 + 0.4 * draw.random(), "session_started", user)
    if fades is not None and fades + FADING_DAYS < DAYS:
        yield event(fades + FADING_DAYS + 0.5, "churned", reason="price")
    yield from _befalls(account, event)


def _fades(number: int, draw: np.random.Generator) -> int | None:
    """The day from which on an account is used less; None for one that stays."""
    day = int(draw.integers(20, DAYS - FADING_DAYS - 10))
    if f"a{number}" in NAMES:
        return DAYS - 24 if number == 3 else None
    return day if number % 2 else None


def _befalls(account: str, event: Any) -> Iterator[Event]:
    """What else comes for those that are pictured."""
    if account == "a3":
        yield from (event(DAYS - 20 + 4 * n, "ticket_opened", 1, ticket=f"t{n}", severity="high") for n in range(4))
        yield event(DAYS + 0.36, "payment_failed", amount=900)
    if account == "a5":
        yield from (event(DAYS - 9 + 4 * n, "payment_failed", amount=420) for n in range(2))
    if account == "a8":
        yield event(DAYS - 3.2, "task_started", 2, task="2")

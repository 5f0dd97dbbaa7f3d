"""`livelift alerts test`: an account's scores and signals gone through with rules, without sending anything."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec

from livelift.progress import counting
from livelift.reach import reach_kafka
from livelift.settings import Settings
from models.alerts.alert import Alert
from models.alerts.book import Book
from models.alerts.conditions import Judge
from models.alerts.decide import COME, HELD_OUT, Engine, Heard, of_time
from models.alerts.delivery import plan
from models.alerts.evidence import SCORES, SIGNALS, Score, decode_score, decode_signal, instant_of, whole
from models.alerts.rules import Rules
from models.clock import day_of, micros, rfc3339, start_of


def tried(settings: Settings, rules: Rules, account_id: str, as_of: str | None, quiet: bool = True) -> dict[str, Any]:
    """Which rules hold for an account, and what would have been told by then, from the topics as they are kept."""
    from consumers.history import Past
    from streams.placement import Placement

    here = reach_kafka(settings, SCORES, SIGNALS)
    number = Placement(here.partitions).of(account_id)
    past = Past(here.confluent, [here.topic(SCORES), here.topic(SIGNALS)], number, here.partitions)
    key = account_id.encode()
    with counting("reading", past.records, quiet) as progress:
        messages = [(topic, one.value) for topic, one in past.of(lambda found, _: found == key, progress) if one.value]
    until = None if as_of is None else end_of(as_of)
    return gone_through(rules, account_id, messages, until, here.product.capacity.per_owner_per_week)


def end_of(text: str) -> int:
    """The last moment of a day, or an instant."""
    if len(text) == len("YYYY-MM-DD"):
        return start_of(day_of(micros(datetime.fromisoformat(f"{text}T00:00:00Z"))) + 1) - 1
    return micros(datetime.fromisoformat(text))


def gone_through(
    rules: Rules, account_id: str, messages: Iterable[tuple[int, bytes]], until: int | None, capacity: int | None
) -> dict[str, Any]:
    """The rules over messages (topic: 0 scores, 1 signals), in event time, up to a moment."""
    engine, book, last, read = Engine(rules), Book(), None, 0
    told: list[Alert] = []
    timed = sorted(((_at(value), topic, value) for topic, value in messages), key=lambda one: one[0])
    for at, topic, value in timed:
        if until is not None and at > until:
            break
        read += 1
        _put(book, of_time(list(book.snoozed.values()), at))
        held = book.alerts_of(account_id)
        if topic == 0:
            last = decode_score(value)
            heard = Heard(whole(value), last.trait("owner"), last.score, last.only_the_model_changed)
            _put(book, engine.of_score(held, last, heard, at))
        else:
            owner = None if last is None else last.trait("owner")
            _put(book, engine.of_signal(held, decode_signal(value), Heard(whole(value), owner), at))
        planned = plan(book.waiting.values(), book.told(at), rules, capacity, at, at)
        _put(book, planned)
        told += [alert for alert in planned if alert.transition == "due"]
    return {
        "account_id": account_id,
        "as_of": "now" if until is None else rfc3339(until),
        "messages": read,
        "rules": [] if last is None else [_judged(judge, last, book) for judge in engine.judges],
        "open": [{"rule": one.rule, "reason": one.reason, "since": rfc3339(one.opened_at)} for one in book.open()],
        "told": [
            {"at": rfc3339(one.at), "owner": one.owner, "rule": one.rule, "reason": one.reason} for one in told
        ],
    }  # fmt: skip


def _judged(judge: Judge, score: Score, book: Book) -> dict[str, Any]:
    alert = book.alerts_of(score.account_id).get((judge.rule.id, judge.reason(score)))
    because = COME if score.event_has_come else HELD_OUT if score.held_out else None
    if because is None and not judge.concerns(score):
        because = f"for segments {', '.join(judge.rule.segments)}"
    return {
        "rule": judge.rule.id,
        "holds": False if because else judge.holds(score, alert is not None and alert.active),
        "because": because,
        "conditions": [
            {"name": one.name, "asked": one.asked, "value": one.value(score)} for one in judge.conditions
        ],
    }  # fmt: skip


def _put(book: Book, alerts: Iterable[Alert]) -> None:
    for alert in alerts:
        book.put(alert)


class _Timed(msgspec.Struct):
    at: str = "1970-01-01T00:00:00Z"


def _at(message: bytes) -> int:
    return instant_of(msgspec.json.decode(message, type=_Timed).at)

"""Score messages of many accounts, as the scorer sends them, most of accounts that are well.

The core scores some accounts with a learned model and closes a few weeks of theirs; their messages stand for as many
accounts as are asked for, each under its own id.
"""

from collections.abc import Iterator
from itertools import cycle, islice
from typing import Any

import msgspec

from benchmarks.closing import SUNDAY, Closing
from livelift.replay import Replayed
from models.alignment import Alignment
from models.clock import DAY, HOUR, rfc3339
from models.contribution import World
from models.events import HOME, SOURCES
from models.health.calibration import Calibration
from models.health.champion import ENOUGH, Version
from models.health.classifier import fresh
from models.health.known import Known
from models.health.records import packed, version_key
from models.messages import Output
from models.partition import Partition
from models.product import Product
from models.record import RECORDING_END
from streams.placement import Placement

KINDS, ALERTING = 2_000, 50
"""Accounts that are really scored; one in so many has a payment that failed."""
OWNERS = ("olga", "ben", "carol", "dan", "finn", "gina", "hugo", "ines")
WEEKS = 4
INPUTS = ("active_days", "breadth", "days_since_visit", "key_action_days", "members", "sessions", "tickets", "usage",
          "utilisation", "visitors")  # fmt: skip
"""What the model reads: enough for a message of usual length."""


def messages(accounts: int, partitions: int) -> Iterator[Output]:
    """The last score of each account, ready to be sent."""
    placement = Placement(partitions)
    for number, (old, value) in enumerate(islice(cycle(scored().items()), accounts)):
        account = f"account-{number:06}"
        yield Output("account-scores", placement.of(account), account.encode(), value.replace(old, account.encode()))


def scored() -> dict[bytes, bytes]:
    """The accounts that are really scored: the last message of each."""
    core = Core()
    core.take([one for number in range(KINDS) for one in events(number)])
    core.close(SUNDAY - 1)
    core.known.take(version_key("logistic", SUNDAY - 1), packed(model(SUNDAY - 1)))
    core.close(SUNDAY)
    core.take([event(number, "payment_failed", -1, amount=90) for number in range(0, KINDS, ALERTING)])
    core.close(SUNDAY + 1)
    return core.scores


def model(day: int) -> Version:
    """A model of some inputs: what it says does not matter here."""
    closing = Closing(200)
    found = fresh("logistic", {})
    for number, (_, account) in enumerate(closing.partition.ledger.sums.accounts.items()):
        features = closing.partition.days.features(account, SUNDAY - 1)
        found.learn({name: value for name, value in features.items() if name in INPUTS}, number % 10 == 0)
    return Version("logistic", day, found.state(), Calibration(0.0, 1.0, ENOUGH, ENOUGH), False, -2.0, ENOUGH, ENOUGH)


class Core:
    """One partition, without Kafka: it keeps the last score message of each account."""

    def __init__(self) -> None:
        self.known, self.scores = Known(Product()), dict[bytes, bytes]()
        self._rows: dict[bytes, bytes] = {}
        partition = Partition(0, World(Product()), self._rows.get, lambda _: 0, known=self.known)
        partition.rebuild([])
        self._alignment: Alignment[None] = Alignment(partition)
        self._offsets = [0] * len(SOURCES)

    def take(self, given: list[dict[str, Any]]) -> None:
        for first in range(0, len(given), 5_000):
            self._offer(given[first : first + 5_000])

    def close(self, day: int) -> None:
        self._offer([{"type": "tick", "at": rfc3339((day + 1) * DAY + 2 * HOUR)}])

    def _offer(self, given: list[dict[str, Any]]) -> None:
        headers = [(RECORDING_END, str((SUNDAY + 99) * DAY).encode())]
        batches: list[list[Replayed]] = [[] for _ in SOURCES]
        for one in given:
            for topic in range(len(SOURCES)) if one["type"] == "tick" else (HOME[one["type"]],):
                batches[topic].append(Replayed(self._offsets[topic], b"key", msgspec.json.encode(one), 0, headers))
                self._offsets[topic] += 1
        for topic, records in enumerate(batches):
            if records:
                self._alignment.offer(topic, records, None)
        for effects, _ in self._alignment.steps():
            effects.keep(self._rows)
            self.scores |= {
                one.key: one.value for one in effects.outputs
                if one.topic == "account-scores" and one.key is not None and one.value is not None
            }  # fmt: skip


def events(number: int) -> Iterator[dict[str, Any]]:
    """A customer for some weeks: who it is, two users who come regularly, a champion, somebody trained, a price."""
    name = {
        "name": f"Customer {number}",
        "owner": OWNERS[number % len(OWNERS)],
        "segment": ("mid", "large")[number % 2],
    }
    yield event(number, "converted", 7 * WEEKS, mrr=100 + number % 400)
    yield event(number, "traits_set", 7 * WEEKS, **name)
    yield event(number, "member_added", 7 * WEEKS, "ann", role="champion")
    yield event(number, "lesson_completed", 7 * WEEKS - 1, "ann", lesson="basics")
    for day in range(number % 3, 7 * WEEKS, 3):
        for user in ("ann", "bob")[: 1 + day % 2]:
            yield event(number, "core_action", day, user, feature=f"f{(number + day) % 6}")
    yield event(number, "usage_reported", 3, records=number % 400)


def event(number: int, kind: str, day: int, user: str | None = None, **properties: Any) -> dict[str, Any]:
    """day: so many days before the last Sunday."""
    account = f"scored-{number:04}"
    at = rfc3339((SUNDAY - day) * DAY + (8 + number % 9) * HOUR)
    who = {"account_id": account} | ({"user_id": user} if user else {})
    return {"id": f"{account}-{kind}-{day}-{user}", "type": kind, "at": at, **who, "properties": properties}

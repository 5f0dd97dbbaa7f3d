"""An alert as it is kept in the `alerts` topic: each record is one alert whole, after a transition."""

from typing import Any, Literal, NamedTuple, get_args

import msgspec
import xxhash
from msgspec import Struct

from models.alerts.life import ACTIVE, State
from models.clock import DAY
from models.messages import encode

Verdict = Literal["useful", "not useful", "already known"]
VERDICTS: tuple[str, ...] = get_args(Verdict)
REFUSED = "refused"
"""The rule and the transition under which a command that was not carried out is kept: it is an alert of no account."""
TOLD_KEPT = 16
"""Times at which an alert was told that are remembered: more than any limit or capacity counts."""


class Delivery(Struct, frozen=True):
    """One message that tells of an alert, by one channel.

    message: its idempotency key, the same however often it is sent; a digest tells of many alerts under one key.
    state: due until the channel has taken it; dropped when what it tells of is over or dealt with before; undeliverable
    when it has been given up, which `retry` undoes. since, at:
    when it was first due, and when it was last tried; both by the wall clock, whichever clock the installation goes by.
    """

    channel: str
    message: str
    state: Literal["due", "sent", "dropped", "undeliverable"] = "due"
    since: int = 0
    at: int | None = None
    tries: int = 0
    error: str | None = None


class Source(Struct, frozen=True):
    """The record that made a transition. Whoever reads that partition again need not decide on what was before it."""

    topic: str
    partition: int
    offset: int


class Alert(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One account, rule and reason. Instants are microseconds.

    transition, at, because, source: what made it what it is now, when, and why. by: who has put it into its state, if
    somebody has. episode: how many times it has opened. waiting: since when somebody has to hear of it, None where
    nobody has. held: why nobody will. told: when it was told, the latest last. evidence: the message that it rests on,
    whole; noted_score: the score when it was noted.
    """

    id: str
    account_id: str
    rule: str
    reason: str
    state: State = "absent"
    transition: str = ""
    at: int = 0
    by: str | None = None
    because: str | None = None
    source: Source | None = None
    episode: int = 0
    opened_at: int = 0
    owner: str = ""
    waiting: int | None = None
    held: str | None = None
    told: tuple[int, ...] = ()
    deliveries: tuple[Delivery, ...] = ()
    snoozed_until: int | None = None
    verdict: Verdict | None = None
    noted_score: float | None = None
    evidence: dict[str, Any] = {}

    @property
    def active(self) -> bool:
        """Whether it asks something of somebody."""
        return self.state in ACTIVE

    @property
    def due(self) -> tuple[Delivery, ...]:
        return tuple(one for one in self.deliveries if one.state == "due")

    def told_within(self, days: float, now: int) -> int:
        """How many times it was told in the last days."""
        return sum(at > now - days * DAY for at in self.told)


Alerts = dict[tuple[str, str], Alert]
"""The alerts of one account, by rule and reason."""


def alert_id(account_id: str, rule: str, reason: str) -> str:
    """An alert's identity: the same account, rule and reason are the same alert, whenever it opens."""
    return xxhash.xxh3_64_hexdigest(encode((account_id, rule, reason)))


def absent(account_id: str, rule: str, reason: str) -> Alert:
    return Alert(id=alert_id(account_id, rule, reason), account_id=account_id, rule=rule, reason=reason)


class Refused(NamedTuple):
    """A command that could not be carried out, and why."""

    because: str


def with_told(alert: Alert, now: int) -> tuple[int, ...]:
    """When an alert was told, now too."""
    return (*alert.told, now)[-TOLD_KEPT:]


decode_alert = msgspec.json.Decoder(Alert).decode
encode_alert = msgspec.json.Encoder().encode

"""Who hears of which alerts now: quiet hours, capacity, digests; and what becomes of each message.

Pure, like the rule engine. What is planned here is written down before it is sent, and what was sent after: should the
process die in between, exactly that message is sent again, under the same key.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Any, NamedTuple

from msgspec.structs import replace

from models.alerts.alert import Alert, Delivery, with_told
from models.alerts.rules import WEEKDAYS, Hours, Rules
from models.clock import EPOCH, HOUR, SECOND

WEEK_DAYS = 7
FIRST_RETRY, LONGEST_RETRY, GIVEN_UP = SECOND, 900 * SECOND, 24 * HOUR
"""A channel that fails is tried again after a second, then twice as long each time up to a quarter of an hour, and for
a day."""


class Told(NamedTuple):
    """What an owner has been told of late: how many alerts in the last week, and under which keys digests."""

    in_week: int = 0
    digests: frozenset[str] = frozenset()


def plan(
    waiting: Iterable[Alert], told: Mapping[str, Told], rules: Rules, capacity: int | None, now: int, wall: int
) -> list[Alert]:
    """Alerts that are to be told now, each with the messages that tell of it.

    capacity: alerts an owner hears of in a week; of more those with the most revenue at risk come first, and the others
    wait. The operator is told at any time and of everything. now: by the installation's clock, which quiet hours and
    weeks go by; wall: by the wall clock, which retries go by.
    """
    by_owner: dict[str, list[Alert]] = defaultdict(list)
    for alert in waiting:
        by_owner[alert.owner].append(alert)
    planned: list[Alert] = []
    for owner, alerts in sorted(by_owner.items()):
        if owner == rules.owners.operator:
            planned += [_told(alert, rules, _single(alert), now, wall) for alert in alerts]
        elif not is_quiet(rules.hours, now):
            planned += [
                _told(alert, rules, message, now, wall)
                for alert, message in _of_owner(owner, alerts, told.get(owner, Told()), rules, capacity, now)
            ]
    return planned


def _of_owner(
    owner: str, alerts: list[Alert], told: Told, rules: Rules, capacity: int | None, now: int
) -> list[tuple[Alert, str]]:
    """Which of an owner's alerts are told now, and by which message."""
    left = len(alerts) if capacity is None else max(0, capacity - told.in_week)
    digest = digest_key(owner, rules.hours, now)
    found = []
    for alert in sorted(alerts, key=urgency):
        rule = rules.named(alert.rule)
        if rule is None or rule.deliver == "at once":
            found.append((alert, _single(alert)))
        elif digest is not None and digest not in told.digests:
            found.append((alert, digest))
    return found[:left]


def urgency(alert: Alert) -> tuple[float, float, int, str]:
    """The order in which alerts are told: by revenue expected to be lost, then the lowest score, then the oldest."""
    lost, score = alert.evidence.get("revenue_at_risk"), alert.evidence.get("score")
    return -(lost or 0.0), 100.0 if score is None else score, alert.opened_at, alert.id


def _single(alert: Alert) -> str:
    return f"{alert.id}-{alert.episode}-{len(alert.told)}"


def _told(alert: Alert, rules: Rules, message: str, now: int, wall: int) -> Alert:
    rule = rules.named(alert.rule)
    channels = rules.channels_of(alert.owner, rule.channels if rule is not None else ())
    told = replace(alert, waiting=None, at=now, source=None, by=None, because=None)
    if not channels:
        return replace(told, held=f"no channel reaches {alert.owner}", transition="held")
    due = tuple(Delivery(channel, message, since=wall) for channel in channels)
    return replace(told, told=with_told(alert, now), deliveries=due, transition="due")


def local(hours: Hours, now: int) -> datetime:
    """The moment by the owners' clock."""
    return (EPOCH + timedelta(microseconds=now)).astimezone(hours.zone if hours.timezone != "UTC" else UTC)


def is_quiet(hours: Hours, now: int) -> bool:
    """Whether owners are not to be disturbed."""
    here = local(hours, now)
    if WEEKDAYS[here.weekday()] in hours.quiet_days:
        return True
    if hours.quiet is None:
        return False
    begin, end = hours.quiet
    clock = here.time()
    return begin <= clock < end if begin <= end else clock >= begin or clock < end


def digest_key(owner: str, hours: Hours, now: int) -> str | None:
    """The key of the digest that is to be sent today by the owners' clock; None before its hour."""
    here = local(hours, now)
    return None if here.time() < time.fromisoformat(hours.digest_at) else f"digest-{owner}-{here.date().isoformat()}"


def sent(alert: Alert, message: str, channel: str, now: int, wall: int) -> Alert:
    """The alert when a channel has taken the message. If it was dropped in that very moment, it was told after all; and
    if the alert has come again since, nobody needs to be told that it has."""
    one = next(one for one in alert.deliveries if (one.message, one.channel) == (message, channel))
    found = _delivered(alert, one, "sent", state="sent", at=wall, error=None)
    late = one.state == "dropped" and not any(other.state == "sent" for other in alert.deliveries)
    return replace(found, told=with_told(alert, now), waiting=None) if late else found


def failed(alert: Alert, message: str, channel: str, error: str, wall: int) -> Alert:
    """The alert when a channel has not taken the message: to be tried again, or given up after a day."""
    one = next(one for one in alert.deliveries if (one.message, one.channel) == (message, channel))
    told: dict[str, Any] = {"at": wall, "tries": one.tries + 1, "error": error}
    if is_given_up(one.since, wall):
        return _delivered(alert, one, "given up", state="undeliverable", **told)
    return _delivered(alert, one, "failing", **told)


def is_given_up(since: int, wall: int) -> bool:
    """Whether a message has been tried for long enough."""
    return wall - since >= GIVEN_UP


def pause(tries: int) -> int:
    """How long to wait after so many tries, in microseconds."""
    return min(LONGEST_RETRY, FIRST_RETRY << min(tries - 1, 20))


def _delivered(alert: Alert, delivery: Delivery, transition: str, **changes: Any) -> Alert:
    deliveries = tuple(replace(one, **changes) if one is delivery else one for one in alert.deliveries)
    return replace(alert, deliveries=deliveries, transition=transition, source=None, because=None)

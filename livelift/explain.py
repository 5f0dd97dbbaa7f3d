"""`livelift score explain`: an account's history and the models of its days, from Kafka or from a recording."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec

from livelift.progress import counting
from livelift.reach import Unreachable, reach_kafka, reach_redis
from livelift.recording import Record, Recording
from livelift.replay import Replay, Replayed
from livelift.settings import Settings
from models.clock import DAY, day_of, micros, start_of
from models.closing import close_on
from models.events import SOURCES
from models.health.explanation import Explanation, Unexplained, date, explain, there
from models.health.history import History
from models.index import WEEK
from models.keys import history_key
from models.messages import partial_key
from models.product import Product
from models.record import RECORDING_END
from models.rows import NEVER, Close

CUT = "the source topics do not begin with their first event: what was before is not known"


class Asked(NamedTuple):
    """What is to be explained: the score that `at` was closed with, and its change since an earlier day's.

    at: an instant, for the last close that there was by then, or a day itself; None for the last day that was closed.
    since: None for a week before.
    """

    account_id: str
    at: str | None = None
    since: int | None = None

    def days(self, closed: int, lateness: int) -> tuple[int, int]:
        """The earlier day and the later one, `closed` being the last that has been closed. Raises Unexplained."""
        if closed == NEVER:
            raise Unexplained("no day has been closed yet: a score stands when its day is over")
        day = closed if self.at is None else day_asked(self.at, lateness)
        if day > closed:
            raise Unexplained(f"{date(day)} has not been closed yet: the last day that has is {date(closed)}")
        since = day - WEEK if self.since is None else self.since
        if since >= day:
            raise Unexplained(f"--since {date(since)} is not before {date(day)}, the day whose score is explained")
        return since, day


def day_asked(text: str, lateness: int) -> int:
    """The day that `YYYY-MM-DD` is, or the last one that had been closed at an RFC 3339 instant; else ValueError."""
    moment = datetime.fromisoformat(text)
    if len(text) == len("YYYY-MM-DD"):
        return day_of(micros(moment.replace(tzinfo=UTC)))
    if moment.tzinfo is None:
        raise ValueError(f"{text}: say in which zone, e.g. {text}Z")
    return day_of(micros(moment) - lateness) - 1


# -- from Kafka --------------------------------------------------------------------------------------------------------


def explain_live(asked: Asked, settings: Settings, quiet: bool = True) -> Explanation:
    """From the topics of an installation."""
    from consumers.history import Past
    from streams.compacted import Compacted
    from streams.models import Models
    from streams.placement import Placement

    here = reach_kafka(settings, *SOURCES, "health-models", "partials")
    number = Placement(here.partitions).of(asked.account_id)
    share = Compacted(here.confluent, here.topic("partials")).catch_up().get(partial_key("partition", "", number))
    closed = NEVER if share is None else msgspec.json.decode(share)["closed_day"]
    since, day = asked.days(closed, here.product.lateness)
    history = History(asked.account_id, here.product, since, day, recorded=here.clock == "log")
    past = Past(here.confluent, [here.topic(topic) for topic in SOURCES], number, here.partitions)
    with counting("reading", past.records, quiet) as progress:
        for topic, record in past.of(history.may_concern, progress):
            history.take(topic, record)
    there(history, day)
    lacks = [CUT] if past.cut else []
    try:
        kept = closed_with(published(asked.account_id, settings), day, here.product.lateness)
    except Unreachable as error:
        kept = None
        lacks.append(f"it is not known what the day was closed with: {error}")
    return explain(history, Models(here).known, since, day, kept)._replace(lacks=tuple(lacks))


def published(account_id: str, settings: Settings) -> list[dict[str, Any]]:
    """The scores that Redis still holds of an account, in their order; none where no Redis is named."""
    from consumers.snapshots import Snapshots

    if settings.redis is None:
        return []
    held: list[dict[str, Any]] = Snapshots(reach_redis(settings), settings.redis_prefix).get(history_key(account_id))
    return held


def closed_with(scores: list[dict[str, Any]], day: int, lateness: int) -> Close | None:
    """What a day was closed with, from the last score sent between its close and the next day's; None without any."""
    first = start_of(day + 1) + lateness
    sent = [one for one in scores if first <= micros(datetime.fromisoformat(one["as_of"]["time"])) < first + DAY]
    if not sent or sent[-1]["close"]["score"] is None:
        return None
    close, kind = sent[-1]["close"], sent[-1]["basis"].partition("@")[0]
    return Close(day, round(100 * close["score"]), close["band"], kind)


# -- from a recording --------------------------------------------------------------------------------------------------


def explain_recorded(asked: Asked, recording: Recording, product: Product, quiet: bool = True) -> Explanation:
    """From a recording, replayed until the day is closed: the models that are needed are then still kept."""
    since, day = asked.days(last_closed(recording, product), product.lateness)
    history = told(recording, asked.account_id, product, since, day)
    there(history, day)
    replay = Replay(product, {})
    with counting("replaying", recording.events, quiet) as progress:
        replay.feed(until_closed(recording, product, day), recording.last_tick, progress)
    account = replay.partition.ledger.sums.accounts.get(asked.account_id)
    closed = None if account is None else close_on(account.closes, day)
    return explain(history, replay.known, since, day, closed)


def last_closed(recording: Recording, product: Product) -> int:
    """The last day that the recording's ticks close."""
    return day_of(recording.last_tick - product.lateness) - 1 if recording.last_tick else NEVER


def told(recording: Recording, account_id: str, product: Product, since: int, day: int) -> History:
    """The account's history, from everything in the recording."""
    history = History(account_id, product, since, day, recorded=True)
    headers = [(RECORDING_END, str(recording.last_tick).encode())]
    for offset, record in enumerate(recording.records()):
        if record.topic is not None and history.may_concern(record.key, record.value):
            history.take(SOURCES.index(record.topic), Replayed(offset, record.key, record.value, 0, headers))
    return history


def until_closed(recording: Recording, product: Product, day: int) -> Iterator[Record]:
    """Everything up to the tick that closes a day."""
    for record in recording.records():
        yield record
        if record.topic is None and record.at >= start_of(day + 1) + product.lateness:
            return

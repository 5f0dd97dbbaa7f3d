"""Thirty days and some in the life of customers whose declines are known, as events; and what an office hears of them.

Ticks come four times a day: at half past one, when the day before closes and nobody may be disturbed, at nine, at seven
in the evening, when nobody may be disturbed any more, and at eight. What happens comes five minutes after one of them,
and is scored as of that tick, or of the one before: each topic has its own ticks, and may be a little ahead.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from email.message import Message
from typing import Any, NamedTuple
from urllib.parse import unquote

from confluent_kafka import Producer

from models.clock import DAY, rfc3339, start_of
from models.events import HOME, SOURCES
from models.messages import Output, encode
from models.record import RECORDING_END
from streams.placement import Placement
from streams.ticks import tick_outputs
from tests.support.build import FIRST_DAY, Json, event, instant
from tests.support.listening import Heard

LAST_DAY = 41
NIGHT, MORNING, DUSK, EVENING = 1.5, 9.0, 19.0, 20.0
AFTER = 5 / 60
EVERY_THIRD = tuple(range(0, LAST_DAY + 1, 3))


class Customer:
    """An account whose days are written down by hand. visits: days on which ann uses one feature; whose account it is
    is told just after the first of them, since before it nobody uses anything: an index of 0."""

    def __init__(self, account: str, owner: str | None, segment: str = "large", name: str = "",
                 visits: Sequence[int] = EVERY_THIRD) -> None:  # fmt: skip
        self.account, self.happenings = account, list[tuple[int, Json]]()
        self.on(visits, "core_action", "ann", feature="report")
        told = {"name": name, "owner": owner, "segment": segment}
        self.on([min(visits)], "traits_set", None, **{key: value for key, value in told.items() if value})

    def on(
        self, days: Iterable[int], kind: str, user: str | None = None, hour: float = MORNING, **properties: Any
    ) -> "Customer":
        for day in days:
            at = instant(day, hour + AFTER) + len(self.happenings)
            self.happenings.append((at, event(kind, at, self.account, user, **properties)))
        return self


class Moment(NamedTuple):
    """A tick of event time; what happens after it comes before the next."""

    day: int
    hour: float

    @property
    def at(self) -> int:
        return instant(self.day, self.hour)


def moments() -> list[Moment]:
    """Every tick, in order."""
    return [
        Moment(day, hour)
        for day in range(LAST_DAY + 1)
        for hour in (NIGHT, MORNING, DUSK, EVENING)
        if (day, hour) > (0, 2)
    ]


class Feed:
    """Sends the cohort's events in order of time, each after the tick before it."""

    def __init__(self, settings: Any, customers: Iterable[Customer]) -> None:
        self._settings, self._placement = settings, Placement(settings.partitions)
        self._producer = Producer({**settings.confluent(), "enable.idempotence": True, "linger.ms": 5})
        self._happenings = sorted((one for each in customers for one in each.happenings), key=lambda one: one[0])
        self._ahead, self._sent = moments(), 0
        self._headers = [(RECORDING_END, str(start_of(FIRST_DAY + LAST_DAY + 1)).encode())]

    def play(self, until: Moment) -> None:
        """Everything up to what happens after this tick."""
        while self._ahead and self._ahead[0] <= until:
            moment = self._ahead.pop(0)
            for tick in tick_outputs(moment.at, self._settings.partitions, "log"):
                self._send(tick)
            end = self._ahead[0].at if self._ahead else moment.at + DAY
            while self._sent < len(self._happenings) and self._happenings[self._sent][0] < end:
                self._send(self._output(self._happenings[self._sent][1]))
                self._sent += 1
        assert not self._producer.flush(30)

    def happen(self, one: Json) -> None:
        """One more event, now."""
        self._send(self._output(one))
        assert not self._producer.flush(30)

    def _output(self, one: Json) -> Output:
        account = one["account_id"]
        return Output(SOURCES[HOME[one["type"]]], self._placement.of(account), account.encode(), encode(one))

    def _send(self, one: Output) -> None:
        self._producer.produce(self._settings.topic(one.topic), one.value, one.key, one.partition,
                               headers=[*(one.headers or []), *self._headers])  # fmt: skip
        self._producer.poll(0)


# -- what is heard ----------------------------------------------------------------------------------------------------


class Telling(NamedTuple):
    """Who heard what when, by which way. date: of the event time that had come. account: "-" for a notice."""

    date: str
    owner: str
    channel: str
    account: str
    rule: str


def by_hook(one: Heard, date: str) -> Iterator[Telling]:
    """What a message to the webhook says."""
    for alert in one.body.get("alerts", [one.body]):
        yield Telling(date, alert["owner"], "hook", alert["account_id"] or "-", alert["rule"])


LINK = re.compile(r'href="https://crm\.example/accounts/([^"]+)"')
RULE = re.compile(r"Rule ([\w-]+):")
HEADING = re.compile(r'<h2[^>]*><a[^>]*href="https://crm\.example/accounts/([^"]+)"[^>]*>[^<]* is ([\w-]+)[^<]*</a>')


def by_mail(mails: Sequence[Message], date: str) -> Iterator[Telling]:
    """What mails say: whose it is by whom they are to, the account by its link, and the rule by the small print or, in
    a digest, by the rule's title in the heading, which is `is RULE` in the cohort."""
    for mail in mails:
        owner, page = re.findall(r"(\w+)@", str(mail["To"]))[-1], html_of(mail)
        rule = RULE.search(page)
        found = HEADING.findall(page) if rule is None else [(LINK.findall(page)[0], rule[1])]
        for account, told in found:
            yield Telling(date, owner, "mail", unquote(account), told)


def html_of(mail: Message) -> str:
    (page,) = [part for part in mail.walk() if part.get_content_type() == "text/html"]
    return str(page.get_content())  # type: ignore[attr-defined] - of email.policy.default


def date(moment: Moment) -> str:
    return rfc3339(moment.at)[:10]

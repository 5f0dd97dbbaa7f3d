"""Ways to reach people: apprise for the 170 services that it knows, and a signed webhook of one's own.

Each channel has a thread: one that is slow or dead holds up nobody else. What it could not deliver it tries again, a
little later each time (`models.alerts.delivery`).
"""

import hashlib
import heapq
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import count
from os import environ
from queue import Empty, Queue
from re import sub
from threading import Event, Thread
from time import time
from typing import Any, NamedTuple, Protocol
from urllib.parse import urlsplit

import msgspec
import requests
import structlog

from consumers.alerts.forms import Forms
from models.alerts.delivery import is_given_up, pause
from models.alerts.rules import Channel
from models.clock import SECOND

log = structlog.get_logger()
TIMEOUT_S = 10.0
IDLE_S = 0.2


class NotDelivered(RuntimeError):
    """A channel has not taken a message; the text says why."""


class Job(NamedTuple):
    """A message for one channel. key: its idempotency key. make: its forms, made when they are needed, by the channel's
    thread. since: when it was first due, wall microseconds."""

    key: str
    make: Callable[[], Forms]
    since: int


class Result(NamedTuple):
    """What has become of a job. error: None where the channel has taken it. known: to be set when it has been written
    down; the channel sends nothing else before, so that of a process that dies one message a channel at most is in
    doubt."""

    key: str
    channel: str
    error: str | None
    at: int
    known: Event


class Way(Protocol):
    """Something that takes a message, or raises NotDelivered."""

    def send(self, job: Job) -> None: ...


def resolved(url: str) -> str:
    """A URL with `${NAME}` replaced by variables of the environment. Raises ValueError naming one that is not set."""

    def value(found: Any) -> str:
        if found[1] not in environ:
            raise ValueError(f"the variable {found[1]} is not set")
        return environ[found[1]]

    return sub(r"\$\{(\w+)\}", value, url)


def way_of(channel: Channel) -> Way:
    """The way of a channel. Raises ValueError where its URL is none that anybody knows."""
    url = resolved(channel.url)
    if urlsplit(url).scheme in ("http", "https"):
        return Webhook(url, resolved(channel.secret) if channel.secret else None)
    return Apprise(url)


@dataclass(frozen=True)
class Webhook:
    """A POST of JSON. With a secret it is signed: `X-Livelift-Signature: sha256=` and the HMAC-SHA-256 of the time in
    `X-Livelift-Timestamp`, a dot, and the body. `Idempotency-Key` is the same for the same message sent again."""

    url: str
    secret: str | None = None

    @cached_property
    def _session(self) -> requests.Session:
        """Of the channel's thread: making one takes as long as sending a message."""
        return requests.Session()

    def send(self, job: Job) -> None:
        body = msgspec.json.encode(job.make().webhook)
        headers = {"Content-Type": "application/json", "Idempotency-Key": job.key, "User-Agent": "livelift"}
        if self.secret is not None:
            at = str(int(time()))
            headers |= {"X-Livelift-Timestamp": at, "X-Livelift-Signature": signature(self.secret, at, body)}
        try:
            answer = self._session.post(self.url, data=body, headers=headers, timeout=TIMEOUT_S, allow_redirects=False)
        except requests.RequestException as error:
            raise NotDelivered(type(error).__name__) from error  # its text may hold the URL, and that a token
        if not 200 <= answer.status_code < 300:
            raise NotDelivered(f"answered {answer.status_code}")


def signature(secret: str, at: str, body: bytes) -> str:
    """What a webhook is signed with: whoever receives it computes the same and compares."""
    return "sha256=" + hmac.new(secret.encode(), at.encode() + b"." + body, hashlib.sha256).hexdigest()


class Apprise:
    """Whatever apprise can reach. What its URL says the service takes decides on the form: mail is HTML."""

    def __init__(self, url: str) -> None:
        import apprise  # noqa: PLC0415 - takes most of a second

        self._apprise = apprise.Apprise()
        if not self._apprise.add(url):
            raise ValueError(f"apprise does not know how to reach {urlsplit(url).scheme}://...")
        mail = urlsplit(url).scheme in ("mailto", "mailtos")
        self._html = mail
        self._format = apprise.NotifyFormat.HTML if mail else apprise.NotifyFormat.MARKDOWN

    def send(self, job: Job) -> None:
        forms = job.make()
        body = forms.html if self._html else forms.markdown
        if not self._apprise.notify(body=body, title=forms.subject, body_format=self._format):
            raise NotDelivered("apprise could not deliver it; the log says why")


class Postman(Thread):
    """One channel's thread. may: whether a message may (still) be sent by this process: it has heard of its group, and
    what the message tells of is not over."""

    def __init__(
        self,
        id_: str,
        way: Way,
        results: "Queue[Result]",
        may: Callable[[str, str], bool],
        clock: Callable[[], float] = time,
    ) -> None:
        super().__init__(name=f"channel-{id_}", daemon=True)
        self.id, self._way, self._results, self._may, self._clock = id_, way, results, may, clock
        self.sending: str | None = None
        """The key of the message that is being sent, until what has become of it is written down."""
        self._jobs: Queue[Job] = Queue()
        self._later: list[tuple[int, int, int, Job]] = []
        self._order, self._ended = count(), Event()

    def take(self, job: Job) -> None:
        self._jobs.put(job)

    def end(self) -> None:
        """End when what is being sent has been."""
        self._ended.set()

    def run(self) -> None:
        while not self._ended.is_set():
            job, tries = self._next()
            if job is not None:
                self.sending = job.key  # before it is asked whether it may be: what is dropped after that may be heard
                self._tend(job, tries)
                self.sending = None

    def _tend(self, job: Job, tries: int) -> None:
        """Send a message if it may be (still), else look again later."""
        try:
            may = self._may(job.key, self.id)
        except Exception:  # a fault of ours: the channel's other messages must not wait for ever
            log.exception("a message is put off", channel=self.id, message=job.key)
            may = False
        now = int(self._clock() * SECOND)
        if may:
            self._try(job, tries + 1)
        elif not is_given_up(job.since, now):
            self._put_off(job, tries, now + pause(tries + 1))

    def _next(self) -> tuple[Job | None, int]:
        now = int(self._clock() * SECOND)
        if self._later and self._later[0][0] <= now:
            _, _, tries, job = heapq.heappop(self._later)
            return job, tries
        wait = min(IDLE_S, (self._later[0][0] - now) / SECOND) if self._later else IDLE_S
        try:
            return self._jobs.get(timeout=max(0.001, wait)), 0
        except Empty:
            return None, 0

    def _try(self, job: Job, tries: int) -> None:
        error = None
        try:
            self._way.send(job)
        except NotDelivered as found:
            error = str(found)
        except Exception as found:  # a fault of a library's or of ours: the other messages must not pay for it
            error = f"{type(found).__name__}"
        now = int(self._clock() * SECOND)
        if error is not None and not is_given_up(job.since, now):
            self._put_off(job, tries, now + pause(tries))
        known = Event()
        self._results.put(Result(job.key, self.id, error, now, known))
        while not (known.wait(IDLE_S) or self._ended.is_set()):
            pass

    def _put_off(self, job: Job, tries: int, until: int) -> None:
        heapq.heappush(self._later, (until, next(self._order), tries, job))


def postmen(
    channels: tuple[Channel, ...], results: "Queue[Result]", may: Callable[[str, str], bool]
) -> Mapping[str, Postman]:
    """A thread for each channel. Raises ValueError naming the channel whose URL nobody knows."""
    found = {}
    for channel in channels:
        try:
            found[channel.id] = Postman(channel.id, way_of(channel), results, may)
        except ValueError as error:
            raise ValueError(f"channel {channel.id!r}: {error}") from error
    return found

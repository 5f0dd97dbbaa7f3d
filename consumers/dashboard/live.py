"""Telling open pages what has changed: one subscription for the process, an event stream for each page."""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Generator, Iterable
from itertools import islice
from time import monotonic
from typing import Any
from urllib.parse import quote, unquote
from uuid import uuid4

import structlog
from redis.exceptions import RedisError

from consumers.dashboard.read import Away, Read

CHANNEL = "updates"
COALESCED_S, TOGETHER_S = 0.5, 0.05
"""A page hears at most so often; and of what is published together, together."""
HEARTBEAT_S, RETRY_S, LISTEN_S = 10.0, 1.0, 2.0
RECENT = 1_000
"""Changes that are remembered for pages that were made before they listen."""
ANYTHING = "*"
QUALITY = "quality"
"""It is written every second, and told of only if it has changed: pages are told when it was published last, so as to
know how old their figures are."""
log = structlog.get_logger()


def told(keys: Iterable[str]) -> str:
    """Keys in one line: ids of accounts may hold blanks."""
    return " ".join(quote(key, safe=":*/@+") for key in keys)


def heard(line: str) -> list[str]:
    """The keys of such a line."""
    return [unquote(key) for key in line.split()]


class Listener:
    """One open page: the keys that it shows (or their beginnings, `account:*`), and what has changed of them."""

    def __init__(self, keys: Iterable[str], state: str) -> None:
        given = [key for key in keys if key]
        self._keys = frozenset(key for key in given if not key.endswith("*"))
        self._beginnings = tuple(key[:-1] for key in given if key.endswith("*"))
        self.changed: set[str] = set()
        self.state = state
        self.told = asyncio.Event()

    def missed(self) -> None:
        """Anything may have changed."""
        self.changed.add(ANYTHING)
        self.told.set()

    def hears(self, key: str) -> None:
        if key in self._keys or key.startswith(self._beginnings):
            self.changed.add(key)
            self.told.set()

    def taken(self) -> set[str]:
        """What has changed since it was last asked."""
        self.told.clear()
        changed, self.changed = self.changed, set()
        return changed


class Updates:
    """The subscription. Redis may go and come: pages are told of both."""

    def __init__(self, read: Read) -> None:
        self._read = read
        self.listeners: set[Listener] = set()
        self.here = False
        self.times_here = 0
        """How often the subscription has begun: what was said in between nobody has heard."""
        self.published = ""
        """When `quality` was published last, RFC 3339."""
        self.said = 0
        """How many changes have been heard of: a page that is made knows of the first so many."""
        self._recent: deque[str] = deque(maxlen=RECENT)
        self.instance = uuid4().hex
        """Another after each start of the server: a page that hears of another one reads itself anew."""

    async def run(self) -> None:
        """Listen until cancelled."""
        while True:
            with contextlib.suppress(Away, RedisError, OSError, TimeoutError):
                await self._listen()
            self._say("away")
            await asyncio.sleep(RETRY_S)

    async def _listen(self) -> None:
        async with self._read.client.pubsub() as channel:
            await channel.subscribe(self._read.prefix + CHANNEL)
            await self._look_at_the_time()
            looked = monotonic()
            self._say("here")  # what has changed before is missed: pages are made anew for it
            while True:
                message = await channel.get_message(ignore_subscribe_messages=True, timeout=LISTEN_S)
                if message is not None:
                    self.changed(message["data"].decode())
                if monotonic() > looked + LISTEN_S:  # also because a Redis that hangs is as silent as one that is quiet
                    await self._look_at_the_time()
                    looked = monotonic()

    def changed(self, key: str) -> None:
        """Something that pages show under this key is no longer as it was."""
        self._remember(key)
        for listener in self.listeners:
            listener.hears(key)

    def _remember(self, key: str) -> None:
        self.said += 1
        self._recent.append(key)

    def _catch_up(self, listener: Listener, since: int) -> None:
        """Tell a page what has changed since it was made."""
        unheard = self.said - since
        if unheard > len(self._recent):
            listener.missed()
        for key in islice(reversed(self._recent), max(0, unheard)):
            listener.missed() if key == ANYTHING else listener.hears(key)

    async def _look_at_the_time(self) -> None:
        before, self.published = self.published, str((await self._read.get(QUALITY) or {}).get("published_at") or "")
        for listener in self.listeners if self.published != before else ():
            listener.told.set()

    def _say(self, state: str) -> None:
        if self.here == (state == "here"):
            return
        self.here = state == "here"
        self.times_here += self.here
        log.info("redis is here" if self.here else "redis is away")
        self._remember(ANYTHING)
        for listener in self.listeners:
            listener.state = state
            listener.missed()

    async def events(self, keys: Iterable[str], since: int | None = None) -> AsyncIterator[dict[str, Any]]:
        """What an open page is told: hello; published, with the time; changed, with the keys; away and here. since: how
        many changes had been heard of when the page was made; what came after is told at once."""
        state, published = "here" if self.here else "away", ""
        with self.hearing(keys) as listener:
            if since is not None:
                self._catch_up(listener, since)
            yield {"event": "hello", "data": f"{self.instance} {state}"}
            spoke = 0.0
            while True:
                try:
                    await asyncio.wait_for(listener.told.wait(), HEARTBEAT_S)
                except TimeoutError:
                    yield {"event": "alive", "data": ""}
                    continue
                await asyncio.sleep(max(TOGETHER_S, spoke + COALESCED_S - monotonic()))
                spoke = monotonic()
                changed = listener.taken()
                if listener.state != state:
                    state = listener.state
                    yield {"event": state, "data": ""}
                if self.published != published:
                    published = self.published
                    yield {"event": "published", "data": published}
                if changed:
                    yield {"event": "changed", "data": told(sorted(changed))}

    @contextlib.contextmanager
    def hearing(self, keys: Iterable[str]) -> Generator[Listener]:
        """Somebody who is told of these keys until the block is left."""
        listener = Listener(keys, "here" if self.here else "away")
        self.listeners.add(listener)
        try:
            yield listener
        finally:
            self.listeners.discard(listener)

"""Telling open pages what has changed: one subscription for the process, an event stream for each page."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Generator, Iterable
from typing import Any
from urllib.parse import quote, unquote
from uuid import uuid4

import structlog
from redis.exceptions import RedisError

from consumers.dashboard.read import Read

CHANNEL = "updates"
COALESCED_S = 0.5
"""A page hears at most so often."""
HEARTBEAT_S, RETRY_S, LISTEN_S = 10.0, 1.0, 1.0
log = structlog.get_logger()


def told(keys: Iterable[str]) -> str:
    """Keys in one line: ids of accounts may hold blanks."""
    return " ".join(quote(key, safe=":*/@+") for key in keys)


def heard(line: str) -> list[str]:
    """The keys of such a line."""
    return [unquote(key) for key in line.split()]


class Listener:
    """One open page: the keys that it shows (or their beginnings, `account:*`), and what has changed of them."""

    def __init__(self, keys: Iterable[str]) -> None:
        given = [key for key in keys if key]
        self._keys = frozenset(key for key in given if not key.endswith("*"))
        self._beginnings = tuple(key[:-1] for key in given if key.endswith("*"))
        self.changed: set[str] = set()
        self.state = "here"
        self.told = asyncio.Event()

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
        self.instance = uuid4().hex
        """Another after each start of the server: a page that hears of another one reads itself anew."""

    async def run(self) -> None:
        """Listen until cancelled."""
        while True:
            with contextlib.suppress(RedisError, OSError, TimeoutError):
                await self._listen()
            self._say("away")
            await asyncio.sleep(RETRY_S)

    async def _listen(self) -> None:
        async with self._read.client.pubsub() as channel:
            await channel.subscribe(self._read.prefix + CHANNEL)
            self._say("here")
            while True:
                message = await channel.get_message(ignore_subscribe_messages=True, timeout=LISTEN_S)
                if message is not None:
                    self.changed(message["data"].decode())

    def changed(self, key: str) -> None:
        """Something that pages show under this key is no longer as it was."""
        for listener in self.listeners:
            listener.hears(key)

    def _say(self, state: str) -> None:
        if self.here == (state == "here"):
            return
        self.here = state == "here"
        self.times_here += self.here
        log.info("redis is here" if self.here else "redis is away")
        for listener in self.listeners:
            listener.state = state
            listener.told.set()

    async def events(self, keys: Iterable[str]) -> AsyncIterator[dict[str, Any]]:
        """What an open page is told: hello at first; changed, with the keys; away and here."""
        with self.hearing(keys) as listener:
            yield {"event": "hello", "data": f"{self.instance} {'here' if self.here else 'away'}"}
            state = "here" if self.here else "away"
            while True:
                try:
                    await asyncio.wait_for(listener.told.wait(), HEARTBEAT_S)
                except TimeoutError:
                    yield {"event": "alive", "data": ""}
                    continue
                await asyncio.sleep(COALESCED_S)
                changed = listener.taken()
                if listener.state != state:
                    state = listener.state
                    yield {"event": state, "data": ""}
                if changed:
                    yield {"event": "changed", "data": told(sorted(changed))}

    @contextlib.contextmanager
    def hearing(self, keys: Iterable[str]) -> Generator[Listener]:
        """Somebody who is told of these keys until the block is left."""
        listener = Listener(keys)
        self.listeners.add(listener)
        try:
            yield listener
        finally:
            self.listeners.discard(listener)

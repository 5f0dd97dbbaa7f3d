"""Reading snapshots, many at once and without ever waiting long."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import msgspec
import redis.asyncio as redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as Unconnected
from redis.exceptions import RedisError

from consumers.dashboard.index import Index, Known
from consumers.dashboard.letters import Letters
from consumers.dashboard.pace import EVERY_S, Pace
from models.keys import ALERTS_OF_ACCOUNTS, CLOSED_ALERTS, OPEN_ALERTS, history_key, journeys_key

CONNECT_S, ANSWER_S = 2.0, 5.0
AT_ONCE_OR_NOT = Retry(NoBackoff(), 0)
"""A subscription that comes back by itself would not say what it has missed meanwhile."""
AT_ONCE = 200
HISTORY = 2_000
"""Entries of a history that a page shows at most."""
SPANS = 240
"""Into which a long history is divided for a chart."""
Json = dict[str, Any]
Take = Callable[[Json], Json]
decode = msgspec.json.Decoder().decode
decode_known = msgspec.json.Decoder(Known).decode


class Away(RuntimeError):
    """Redis does not answer."""


class Read:
    """What Redis holds under one prefix. Raises Away. Beside it: how fast events come in, and what was refused."""

    def __init__(self, url: str, prefix: str) -> None:
        self.prefix, self.index = prefix, Index()
        self.pace, self.letters = Pace(), Letters()
        self.client: Any = redis.Redis.from_url(
            url, socket_connect_timeout=CONNECT_S, socket_timeout=ANSWER_S, retry=AT_ONCE_OR_NOT
        )
        self._points: dict[str, tuple[int, dict[int, Json | None]]] = {}

    async def get(self, key: str) -> Json | None:
        """One snapshot; None where there is none (yet)."""
        return (await self.many([key]))[0]

    async def many(self, keys: Sequence[str]) -> list[Json | None]:
        """Several snapshots, in the order of their keys."""
        return await self._many(keys, decode)

    async def known(self, keys: Sequence[str]) -> list[Known | None]:
        """Of several accounts' snapshots what lists are made by."""
        return await self._many(keys, decode_known)

    async def _many(self, keys: Sequence[str], decode: Callable[[bytes], Any]) -> list[Any]:
        found: list[Any] = []
        for start in range(0, len(keys), AT_ONCE):
            names = [self.prefix + key for key in keys[start : start + AT_ONCE]]
            found += [None if value is None else decode(value) for value in await self._ask("mget", names)]
        return found

    async def fields(self, key: str) -> dict[str, Json]:
        """A snapshot that is a hash, by field."""
        held = await self._ask("hgetall", self.prefix + key)
        return {field.decode(): decode(value) for field, value in sorted(held.items())}

    async def scanned(self, key: str) -> AsyncIterator[Json]:
        """The values of a snapshot that is a hash, one after another: not all of them are held at once."""
        cursor = 0
        while True:
            cursor, held = await self._ask("hscan", self.prefix + key, cursor, count=AT_ONCE)
            for value in held.values():
                yield decode(value)
            if not cursor:
                return

    async def some(self, key: str, fields: Sequence[str]) -> list[Json | None]:
        """Some fields of a snapshot that is a hash, in their order."""
        held = await self._ask("hmget", self.prefix + key, list(fields)) if fields else []
        return [None if value is None else decode(value) for value in held]

    async def alerts_of(self, account_id: str) -> list[Json]:
        """An account's alerts, those that are open and those that were closed."""
        (ids,) = await self.some(ALERTS_OF_ACCOUNTS, [account_id])
        held = [one for key in (OPEN_ALERTS, CLOSED_ALERTS) for one in await self.some(key, list(ids or ()))]
        return list({one["alert_id"]: one for one in held if one is not None}.values())  # it may just have moved

    async def keep_pace(self) -> None:
        """Read how much has come in again and again, until cancelled."""
        while True:
            with contextlib.suppress(Away):
                self.pace.take(await self.get("quality"))
            await asyncio.sleep(EVERY_S)

    async def journeys(self, account_id: str) -> dict[str, Json]:
        """An account's users on their journeys, by `journey/user`."""
        return await self.fields(journeys_key(account_id))

    async def journeys_of(self, account_ids: Sequence[str]) -> dict[str, dict[str, Json]]:
        """The same of several accounts, of those that have any."""
        found = {one: await self.journeys(one) for one in account_ids}
        return {account_id: users for account_id, users in found.items() if users}

    async def history(self, account_id: str, count: int = HISTORY) -> list[Json]:
        """An account's last scores, the oldest first."""
        return await self._stream(history_key(account_id), count)

    async def experiment_history(self, experiment: str, count: int = HISTORY) -> list[Json]:
        """What was published of an experiment, the oldest first."""
        return await self._stream(f"experiment:{experiment}:history", count)

    async def experiment_points(self, experiment: str, take: Take) -> list[Json]:
        """What `take` keeps of publishings of an experiment, the oldest first: the last of each of about `SPANS`
        spans of time. An entry is a whole snapshot, so of spans that are over it is remembered."""
        key = f"{self.prefix}experiment:{experiment}:history"
        begin, end = await self._ask("xrange", key, "-", "+", 1), await self._ask("xrevrange", key, "+", "-", 1)
        if not (begin and end):
            return []
        first, last = _at(begin[0]), _at(end[0])
        step = 1 << ((last - first) // SPANS).bit_length()
        known, held = self._points.get(key, (step, {}))
        found: dict[int, Json | None] = {}
        for span in range(first // step, last // step):
            if step == known and span in held:
                found[span] = held[span]
                continue
            entries = await self._ask("xrevrange", key, (span + 1) * step - 1, span * step, 1)
            found[span] = take(decode(entries[0][1][b"value"])) if entries else None
        self._points[key] = step, found
        return [*(point for point in found.values() if point is not None), take(decode(end[0][1][b"value"]))]

    async def _stream(self, key: str, count: int) -> list[Json]:
        held = await self._ask("xrevrange", self.prefix + key, "+", "-", count)
        return [decode(entry[b"value"]) for _, entry in reversed(held)]

    async def ranked(self, ranking: str, start: int, count: int) -> list[tuple[str, float]]:
        """Members of a ranking and their scores, the lowest first."""
        held = await self._ask("zrange", self.prefix + ranking, start, start + count - 1, withscores=True)
        return [(member.decode(), score) for member, score in held]

    async def members(self, ranking: str) -> AsyncIterator[list[str]]:
        """All members of a ranking, some at once, in no order; one may come twice."""
        cursor = 0
        while True:
            cursor, held = await self._ask("zscan", self.prefix + ranking, cursor, count=AT_ONCE)
            yield [member.decode() for member, _ in held]
            if not cursor:
                return

    async def size(self, ranking: str) -> int:
        found: int = await self._ask("zcard", self.prefix + ranking)
        return found

    async def _ask(self, command: str, *arguments: Any, **named: Any) -> Any:
        ask = getattr(self.client, command)
        try:
            try:
                return await ask(*arguments, **named)
            except Unconnected:  # the connection may be one to a Redis that has been started anew since
                return await ask(*arguments, **named)
        except (RedisError, OSError, TimeoutError) as error:
            raise Away(type(error).__name__) from error

    async def close(self) -> None:
        await self.client.aclose()


def _at(entry: Any) -> int:
    """When an entry of a stream was written, in milliseconds."""
    return int(entry[0].partition(b"-")[0])

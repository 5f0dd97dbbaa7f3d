"""Writing snapshots to Redis: all of a pulse in one step, and never by a publisher that has been replaced.

The fence is the Kafka position that caused the write: cluster, source and offset. Every later owner of that source
writes with higher offsets, so a paused publisher that wakes up is refused by comparison (docs/decisions/0004).
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import uuid4

import msgspec
import redis

from models.capacity import ORDERS, Listed
from models.keys import account_key

HISTORY_LENGTH = 10_000
ALL_ORDERS = " ".join(ORDERS.values())
READ_AT_ONCE = 200
encode = msgspec.json.Encoder().encode
decode_listed = msgspec.json.Decoder(Listed).decode

WRITE = """
local fences, source, cluster, sequence = KEYS[1], ARGV[1], ARGV[2], tonumber(ARGV[3])
local held = redis.call('HGET', fences, source)
if held then
  local other, reached = string.match(held, '^(.*)|(%d+)$')
  if other ~= cluster then return -1 end
  if tonumber(reached) > sequence then return -2 end
end
redis.call('HSET', fences, source, cluster .. '|' .. string.format('%.0f', sequence))
local prefix, maxlen, orders, at = ARGV[4], ARGV[5], ARGV[6], 7
local placed, owners = prefix .. 'placed', prefix .. 'owners'
local function unplace(account)
  local owner = redis.call('HGET', placed, account)
  if not owner then return end
  redis.call('HDEL', placed, account)
  for order in string.gmatch(orders, '%S+') do
    redis.call('ZREM', prefix .. order, account)
    redis.call('ZREM', prefix .. order .. '/' .. owner, account)
    if redis.call('EXISTS', prefix .. order .. '/' .. owner) == 0 then redis.call('SREM', owners, owner) end
  end
end
local function place(owner, account, places)
  if redis.call('HGET', placed, account) ~= owner then
    unplace(account)
    redis.call('HSET', placed, account, owner)
    redis.call('SADD', owners, owner)
  end
  local next_place = string.gmatch(places, '%S+')
  for order in string.gmatch(orders, '%S+') do
    local here = next_place()
    redis.call('ZADD', prefix .. order, here, account)
    redis.call('ZADD', prefix .. order .. '/' .. owner, here, account)
  end
end
while at <= #ARGV do
  local op, key, value = ARGV[at], ARGV[at + 1], ARGV[at + 2]
  if op == 'set' then redis.call('SET', prefix .. key, value)
  elseif op == 'del' then redis.call('DEL', prefix .. key)
  elseif op == 'field' then redis.call('HSET', prefix .. key, ARGV[at + 3], value)
  elseif op == 'unfield' then redis.call('HDEL', prefix .. key, value)
  elseif op == 'unuser' then
    for _, field in ipairs(redis.call('HKEYS', prefix .. key)) do
      if string.sub(field, string.find(field, '/', 1, true) + 1) == value then
        redis.call('HDEL', prefix .. key, field)
      end
    end
  elseif op == 'rank' then redis.call('ZADD', prefix .. key, ARGV[at + 3], value)
  elseif op == 'unrank' then redis.call('ZREM', prefix .. key, value)
  elseif op == 'place' then place(key, value, ARGV[at + 3])
  elseif op == 'unplace' then unplace(value)
  elseif op == 'history' then redis.call('XADD', prefix .. key, 'MAXLEN', '~', maxlen, '*', 'value', value)
  elseif op == 'tell' then redis.call('PUBLISH', prefix .. 'updates', key)
  end
  at = at + 4
end
return 1 - redis.call('HEXISTS', fences, 'filled')
"""

FILLED = """
if redis.call('HGET', KEYS[1], 'filling') == ARGV[1] then redis.call('HSET', KEYS[1], 'filled', 1) end
"""


class Fence(NamedTuple):
    """Who writes: the Kafka cluster, the source (`topic/partition`), and the offset that caused the write."""

    cluster: str
    source: str
    sequence: int

    def value(self) -> dict[str, Any]:
        return {"cluster": self.cluster, "source": self.source, "sequence": self.sequence}


class OtherCluster(Exception):
    """The prefix in this Redis belongs to another Kafka cluster."""


class Change(NamedTuple):
    """One step of a write, as WRITE takes it; `extra` is a hash field, a score, or the places in all orders.

    `place` puts an account among its owner's (the key) and out of its former owner's, `unplace` out of all rankings but
    those that `rank` has put it in.
    """

    op: str
    key: str
    value: bytes | str = ""
    extra: str = ""


class Store:
    """Snapshots under one prefix of one Redis."""

    def __init__(self, url: str, prefix: str) -> None:
        self.prefix = prefix
        self.client: Any = redis.Redis.from_url(url, socket_timeout=10, health_check_interval=15)
        self._write = self.client.register_script(WRITE)
        self._filled = self.client.register_script(FILLED)

    def write(self, fence: Fence, changes: list[Change]) -> str:
        """Apply all changes at once, if this fence is not behind the last one of its source.

        Returns `written`, `unfilled` (written, but Redis is new or was emptied and does not hold everything yet) or
        `stale` (a later owner has written: nothing was changed). Raises OtherCluster.
        """
        args: list[Any] = [fence.source, fence.cluster, fence.sequence, self.prefix, HISTORY_LENGTH, ALL_ORDERS]
        for change in changes:
            args += [change.op, change.key, change.value, change.extra]
        answer = self._write(keys=[f"{self.prefix}fences"], args=args)
        if answer == -1:
            raise OtherCluster(
                f"Redis prefix {self.prefix!r} holds snapshots of another Kafka cluster: choose another "
                "LIVELIFT_REDIS_PREFIX, or run `livelift snapshot --clear` if those are no longer wanted"
            )
        return {-2: "stale", 1: "unfilled", 0: "written"}[int(answer)]

    def filling(self) -> str:
        """Somebody begins to fill Redis. Returns the mark to end with: it is lost if Redis is emptied meanwhile."""
        mark = uuid4().hex
        self.client.hset(f"{self.prefix}fences", "filling", mark)
        return mark

    def filled(self, mark: str) -> None:
        """From here on Redis holds everything, if it still has the mark of who began to fill it."""
        self._filled(keys=[f"{self.prefix}fences"], args=[mark])

    def ranked(self, key: str) -> int:
        """How many members a ranking has."""
        count: int = self.client.zcard(self.prefix + key)
        return count

    def lowest(self, keys: Sequence[str], count: int) -> list[list[tuple[str, float]]]:
        """The first `count` members of each ranking, lowest first."""
        if not count:
            return [[] for _ in keys]
        asked = self.client.pipeline(transaction=False)
        for key in keys:
            asked.zrange(self.prefix + key, 0, count - 1, withscores=True)
        return [[(member.decode(), score) for member, score in ranking] for ranking in asked.execute()]

    def owners(self) -> list[str]:
        """Whose accounts are ranked, as in their rankings' keys."""
        return [owner.decode() for owner in self.client.smembers(f"{self.prefix}owners")]

    def listed(self, account_ids: Sequence[str]) -> list[Listed]:
        """These accounts as they are now, without those that are gone."""
        names = [self.prefix + account_key(account_id) for account_id in account_ids]
        found = (self.client.mget(names[at : at + READ_AT_ONCE]) for at in range(0, len(names), READ_AT_ONCE))
        return [decode_listed(value) for values in found for value in values if value is not None]


def published(value: dict[str, Any], fence: Fence, offsets: dict[str, Any] | None = None) -> bytes:
    """A snapshot with its envelope: fence, time of publishing, and the offsets that are in it."""
    as_of = {**value.get("as_of", {}), "offsets": offsets or {fence.source: fence.sequence}}
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return encode({**value, "as_of": as_of, "published_at": now, "fence": fence.value()})

"""Reading the snapshots that Redis holds, under the same keys and shapes as `livelift replay` prints them."""

from typing import Any

import msgspec
import redis

from models.keys import ALERTS_OF_ACCOUNTS, CLOSED_ALERTS, OPEN_ALERTS

HASHES = "journeys:", OPEN_ALERTS, CLOSED_ALERTS, ALERTS_OF_ACCOUNTS
RANKING = "accounts:by-score"
RANKINGS = "accounts:by-"
OWN = {"fences", "placed", "owners", "alerts:filled"}
"""What the publisher and the alerts process keep for themselves."""
BATCH = 500
CONNECT_S, ANSWER_S = 5.0, 10.0


class Snapshots:
    """The snapshots under one prefix."""

    def __init__(self, url: str, prefix: str) -> None:
        self.prefix = prefix
        self.client: Any = redis.Redis.from_url(url, socket_connect_timeout=CONNECT_S, socket_timeout=ANSWER_S)

    def get(self, key: str) -> Any:
        """One snapshot by its key (without the prefix); None if there is none."""
        name = self.prefix + key
        if key.startswith(RANKINGS):
            return {member.decode(): score for member, score in self.client.zrange(name, 0, -1, withscores=True)}
        if key.startswith(HASHES):
            fields = self.client.hgetall(name)
            return {field.decode(): msgspec.json.decode(value) for field, value in sorted(fields.items())} or None
        if key.endswith(":history"):
            return [msgspec.json.decode(entry[b"value"]) for _, entry in self.client.xrange(name)]
        value = self.client.get(name)
        return None if value is None else msgspec.json.decode(value)

    def keys(self, histories: bool = False) -> list[str]:
        """Every snapshot's key, without the prefix."""
        found = (name.decode()[len(self.prefix) :] for name in self.client.scan_iter(self.prefix + "*", count=BATCH))
        return sorted(key for key in found if key not in OWN and (histories or not key.endswith(":history")))

    def everything(self) -> dict[str, Any]:
        """All snapshots by key."""
        return {key: self.get(key) for key in self.keys()}

    def clear(self) -> int:
        """Remove everything under the prefix; returns how many keys there were.

        The fences go last: only then does a publisher that has been writing meanwhile see that it has to fill it again.
        """
        fences = f"{self.prefix}fences".encode()
        names = sorted(self.client.scan_iter(self.prefix + "*", count=BATCH), key=fences.__eq__)
        for start in range(0, len(names), BATCH):
            self.client.delete(*names[start : start + BATCH])
        return len(names)

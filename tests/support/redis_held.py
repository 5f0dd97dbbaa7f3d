"""As much of Redis as the board of alerts asks for, in a dict; away, it answers nobody."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import redis


class Held:
    """Values and hashes by key. `published`: what was said on `updates`. `commands`: how many have been carried out."""

    def __init__(self) -> None:
        self.values: dict[str, bytes] = {}
        self.hashes: dict[str, dict[str, bytes]] = {}
        self.published: list[str] = []
        self.commands: list[str] = []
        self.away = False
        self.between: Callable[[], None] | None = None
        """What somebody does, once, after something was looked at and before it is written."""

    def get(self, name: str) -> bytes | None:
        if self.away:
            raise redis.ConnectionError
        return self.values.get(name)

    def pipeline(self, transaction: bool) -> "Transaction":
        assert transaction, "whoever reads sees all of it or nothing"
        return Transaction(self)

    def snapshot(self, name: str) -> Any:
        """A value, or a hash by field, decoded."""
        if name in self.hashes:
            return {field: msgspec.json.decode(value) for field, value in self.hashes[name].items()}
        return msgspec.json.decode(self.values[name]) if name in self.values else None


class Transaction:
    """Commands that are carried out together, or not at all where a value that is watched has changed."""

    def __init__(self, held: Held) -> None:
        self._held, self._commands = held, list[tuple[str, tuple[Any, ...]]]()
        self._watched: dict[str, bytes | None] = {}

    def __enter__(self) -> "Transaction":
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is watched any more."""

    def watch(self, name: str) -> None:
        self._watched[name] = self._held.get(name)

    def get(self, name: str) -> bytes | None:
        return self._held.get(name)

    def multi(self) -> None:
        between, self._held.between = self._held.between, None
        if between is not None:
            between()

    def set(self, name: str, value: bytes) -> None:
        self._commands.append(("set", (name, value)))

    def delete(self, *names: str) -> None:
        self._commands.append(("delete", names))

    def hset(self, name: str, mapping: Mapping[str, bytes]) -> None:
        assert mapping, "Redis refuses it"
        self._commands.append(("hset", (name, mapping)))

    def hdel(self, name: str, *fields: str) -> None:
        assert fields, "Redis refuses it"
        self._commands.append(("hdel", (name, *fields)))

    def publish(self, channel: str, key: str) -> None:
        assert channel.endswith("updates")
        self._commands.append(("publish", (key,)))

    def execute(self) -> None:
        if self._held.away:
            raise redis.ConnectionError
        if any(self._held.values.get(name) != value for name, value in self._watched.items()):
            raise redis.WatchError
        for command, given in self._commands:
            self._held.commands.append(command)
            getattr(self, f"_{command}")(*given)

    def _set(self, name: str, value: bytes) -> None:
        self._held.values[name] = value

    def _delete(self, *names: str) -> None:
        for name in names:
            self._held.values.pop(name, None)
            self._held.hashes.pop(name, None)

    def _hset(self, name: str, mapping: Mapping[str, bytes]) -> None:
        self._held.hashes.setdefault(name, {}).update(mapping)

    def _hdel(self, name: str, *fields: str) -> None:
        held = self._held.hashes.get(name, {})
        for field in fields:
            held.pop(field, None)
        if not held:
            self._held.hashes.pop(name, None)

    def _publish(self, key: str) -> None:
        self._held.published.append(key)

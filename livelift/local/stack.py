"""Services and workers together: started in order, watched, ended in reverse, also when only half started."""

import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from time import monotonic, sleep
from types import TracebackType
from typing import Self

from livelift.local.kafka import LocalKafka
from livelift.local.process import Child, NotStarted, free_port
from livelift.local.redis import LocalRedis
from livelift.local.topics import create_topics
from livelift.settings import Settings

ROLES = ("scorer", "learner", "publisher")
OTHERS = {"alerts": ["alerts", "run"], "dashboard": ["dashboard"]}
"""Processes that are no workers of the stream, and how each is started."""
READY_S = 90.0


class Stack:
    """A running livelift on this machine. `settings` names the services once the stack is entered."""

    def __init__(
        self, settings: Settings, roles: tuple[str, ...] = ROLES, kafka_port: int | None = None,
        redis_port: int | None = None, dashboard_port: int | None = None,
        progress: Callable[[str], None] = lambda _: None,
    ) -> None:  # fmt: skip
        self.settings, self.roles, self.progress = settings, roles, progress
        self._ports = (kafka_port, redis_port)
        self.dashboard_port = dashboard_port
        """Of the dashboard, if there is one: chosen once, so that it comes back where it was."""
        self._exit = ExitStack()
        self.workers: dict[str, Child] = {}
        self.services: list[Child] = []

    def __enter__(self) -> Self:
        with ExitStack() as starting:  # what has started is ended again if a later step fails
            self._exit = starting
            self._start_services()
            self.progress("creating topics")
            create_topics(self.settings)
            for role in self.roles:
                self.start_worker(role)
            self._exit = starting.pop_all()
        return self

    def _start_services(self) -> None:
        folder = self.settings.data_dir
        kafka = LocalKafka(folder / "kafka", self._ports[0], self.progress) if not self.settings.kafka else None
        redis = LocalRedis(folder / "redis", self._ports[1], self.progress) if not self.settings.redis else None
        started = [service for service in (kafka, redis) if service is not None]
        for service in started:
            self._exit.callback(service.stop)
            service.start()
        for service in started:
            service.wait_ready()
        self.services = [service.child for service in started if service.child is not None]
        if kafka is not None:
            self.settings = self.settings.model_copy(update={"kafka": kafka.address})
        if redis is not None:
            self.settings = self.settings.model_copy(update={"redis": redis.address})

    def start_worker(self, role: str, name: str | None = None, command: list[str] | None = None) -> Child:
        """Start one worker process; several of a role get names of their own."""
        name = name or role
        ready = self._ready_file(name)
        ready.unlink(missing_ok=True)
        command = command or [sys.executable, "-m", "livelift", *self._given(role)]
        self.progress(f"starting {name}")
        child = Child(name, command, self.settings.data_dir / "logs" / f"{name}.log", self.environment(ready))
        self.workers[name] = child
        self._exit.callback(child.stop)
        return child

    def _given(self, role: str) -> list[str]:
        if role != "dashboard":
            return OTHERS.get(role, ["worker", "--role", role])
        if self.dashboard_port is None:
            self.dashboard_port = free_port()
        return [*OTHERS[role], "--port", str(self.dashboard_port)]

    @property
    def dashboard(self) -> str:
        """The dashboard's address; empty where there is none."""
        return "" if "dashboard" not in self.workers else f"http://127.0.0.1:{self.dashboard_port}/"

    def _ready_file(self, name: str) -> Path:
        folder = self.settings.data_dir / "ready"
        folder.mkdir(parents=True, exist_ok=True)
        return folder.resolve() / name

    def environment(self, ready: Path | None = None) -> dict[str, str]:
        """The settings as variables, for child processes."""
        settings = self.settings
        found = {
            "LIVELIFT_KAFKA": settings.kafka, "LIVELIFT_REDIS": settings.redis,
            "LIVELIFT_NAMESPACE": settings.namespace,
            "LIVELIFT_REDIS_PREFIX": settings.redis_prefix, "LIVELIFT_PARTITIONS": str(settings.partitions),
            "LIVELIFT_CLOCK": settings.clock, "LIVELIFT_CONFIG": str(settings.config.resolve()),
            "LIVELIFT_ALERTS": str(settings.alerts.resolve()),
            "LIVELIFT_SESSION_TIMEOUT_S": str(settings.session_timeout_s),
            "LIVELIFT_DASHBOARD_STALE_S": str(settings.dashboard_stale_s),
        }  # fmt: skip
        if ready is not None:
            found["LIVELIFT_READY_FILE"] = str(ready)
        return {name: value for name, value in found.items() if value is not None}

    def wait_ready(self, names: tuple[str, ...] | None = None, timeout: float = READY_S) -> None:
        """Until every worker holds its partitions; NotStarted with the log's end if one does not."""
        deadline = monotonic() + timeout
        for name in names or tuple(self.workers):
            while not self._ready_file(name).exists():
                if self.workers[name].ended() is not None:
                    raise self.workers[name].failed("ended while starting")
                if monotonic() > deadline:
                    raise self.workers[name].failed(f"was not ready in {timeout:g} s")
                sleep(0.05)

    def fallen(self) -> Child | None:
        """A service or worker that has ended by itself, if there is one."""
        return next((child for child in [*self.services, *self.workers.values()] if child.ended() is not None), None)

    def check(self) -> None:
        """Raise NotStarted if something has fallen."""
        child = self.fallen()
        if child is not None:
            raise child.failed(f"ended with exit code {child.ended()}")

    def ask(self) -> None:
        """Tell the workers to end, all at once: each needs a second or two for it."""
        for child in self.workers.values():
            child.ask()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.progress("stopping")
        self.ask()
        self._exit.close()


__all__ = ["NotStarted", "Stack"]

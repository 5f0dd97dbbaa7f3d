"""The alerts process as tests need it: started, killed, given scores, looked at from outside."""

import json
import os
import subprocess
import sys
from itertools import count
from pathlib import Path
from typing import Any

import redis
from confluent_kafka import Producer

from livelift.local.process import Child
from streams.placement import Placement
from tests.support.alerting import score
from tests.support.build import Json
from tests.support.ended import done
from tests.support.listening import Hook
from tests.support.stack import until

ROOT = Path(__file__).resolve().parents[2]
SECRET = "a secret of the tests'"
_ids = count()


class Office:
    """An installation with an alerts process, somebody who listens, and a producer of scores.

    rules: the text of `alerts.toml`.
    """

    def __init__(self, settings: Any, folder: Path, hook: Hook, rules: str) -> None:
        self.settings, self.folder, self.hook = settings, folder, hook
        self.rules = folder / "alerts.toml"
        self.rules.write_text(rules, encoding="utf-8")
        self.instance: str | None = None
        self.producer = Producer({**settings.confluent(), "linger.ms": 5})
        self.placement = Placement(settings.partitions)
        self.child: Child | None = None
        """The one that was started last."""
        self._children: list[Child] = []
        self.redis = redis.Redis.from_url(settings.require_redis(), decode_responses=True)

    @property
    def env(self) -> dict[str, str]:
        names = ("kafka", "redis", "namespace", "redis_prefix", "partitions", "config", "clock", "session_timeout_s")
        ours = {f"LIVELIFT_{name.upper()}": str(getattr(self.settings, name)) for name in names}
        if self.instance is not None:
            ours["LIVELIFT_INSTANCE"] = self.instance
        return {**ours, "LIVELIFT_ALERTS": str(self.rules), "HOOK_SECRET": SECRET, "PYTHONPATH": str(ROOT)}

    def ready(self, name: str) -> Path:
        """A file that the process of this name makes when it is on duty."""
        return self.folder / f"{name}.ready"

    def start(self, wait: bool = True, name: str = "alerts") -> Child:
        self.ready(name).unlink(missing_ok=True)
        env = {**self.env, "LIVELIFT_READY_FILE": str(self.ready(name))}
        child = Child(name, [sys.executable, "-m", "livelift", "alerts", "run"], self.folder / f"{name}.log", env)
        self.child = child
        self._children.append(child)
        if wait:
            self.wait(child)
        return child

    def wait(self, child: Child) -> None:
        def on_duty() -> bool:
            assert child.ended() is None, child.failed("ended").args[0]
            return self.ready(child.name).exists()

        until("the alerts process is on duty", on_duty)

    def kill(self) -> None:
        assert self.child is not None
        self.child.process.kill()
        self.child.process.wait()

    def stop(self) -> None:
        for child in self._children:
            if child.ended() is None:
                child.stop()

    def send(self, *messages: Json) -> None:
        for message in messages:
            topic = "journey-signals" if "user_id" in message else "account-scores"
            account = message["account_id"]
            value = None if message.get("tombstone") else json.dumps(message).encode()
            self.producer.produce(
                self.settings.topic(topic), value, account.encode(), self.placement.of(account)
            )  # fmt: skip
        assert not self.producer.flush(30)

    def livelift(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "livelift", "alerts", *arguments], cwd=self.folder, check=False, timeout=60,
            env={**os.environ, **self.env, "COLUMNS": "200"}, capture_output=True, text=True,
        )  # fmt: skip

    def alerts(self) -> list[Json]:
        found: list[Json] = json.loads(done(self.livelift("list", "--all", "--json")))
        return found

    def open(self) -> dict[str, Json]:
        """What Redis shows, by account and rule."""
        return {f"{one['account_id']}: {one['rule']}": one for one in self.shown().values()}

    def shown(self) -> dict[str, Json]:
        """What Redis shows, by the alert's id."""
        held = self.redis.hgetall(f"{self.settings.redis_prefix}alerts:open")
        return {id_: json.loads(one) for id_, one in held.items()}

    def figures(self) -> list[Json]:
        """What Redis shows of the rules; nothing where it is empty."""
        held = self.redis.get(f"{self.settings.redis_prefix}alerts:rules")
        return [] if held is None else json.loads(held)["rules"]

    def settle(self) -> None:
        """Wait until everything that was sent has been decided on: a last account that nobody has heard of is told."""
        account = f"last-{next(_ids)}"
        self.send(*(score(29.9, account=f"{account}-{number}") for number in range(self.settings.partitions * 4)))
        last = {f"{account}-{number}" for number in range(self.settings.partitions * 4)}
        until("the last accounts are told", lambda: last <= {one for _, one, _ in self.hook.told()})

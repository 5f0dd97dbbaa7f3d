"""What the alerts process is handed: where things are, and by which rules it goes."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from models.alerts.rules import Rules

GROUP = "livelift-alerts"


@dataclass(frozen=True)
class Here:
    """kafka: client settings for kafka-python, which reads; kafka_writing: for confluent-kafka. redis_url: empty where
    there is no Redis: nothing is shown then, and rules about the capacity list hold for nobody. instance: a name that
    stays the same over restarts: then a restarted process goes on at once, instead of waiting until its predecessor has
    not been heard of for long enough. capacity: alerts that an owner hears of in a week; None: all."""

    kafka: dict[str, Any]
    rules: Rules
    kafka_writing: dict[str, Any] = field(default_factory=dict)
    namespace: str = ""
    redis_url: str = ""
    redis_prefix: str = "livelift:"
    clock: Literal["live", "log"] = "live"
    session_timeout_s: float = 10.0
    instance: str | None = None
    capacity: int | None = None
    ready_file: Path | None = None

    def topic(self, name: str) -> str:
        """The real name of a topic of the contract."""
        return f"{self.namespace}{name}"

    @property
    def group(self) -> str:
        return f"{self.namespace}{GROUP}"

"""What a worker needs to know of its surroundings, as one frozen value; nothing here reads the environment."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from models.product import Product


@dataclass(frozen=True)
class Surroundings:
    """Addresses, names and limits for one worker process.

    confluent: client settings for confluent-kafka (addresses, security). instance: a name that is the same after a
    restart lets the worker resume within the session time without a rebalance.
    """

    brokers: str
    confluent: dict[str, Any]
    product: Product
    namespace: str = ""
    partitions: int = 12
    clock: str = "live"
    session_timeout_s: float = 10.0
    instance: str | None = None
    redis_url: str = ""
    redis_prefix: str = "livelift:"
    ready_file: Path | None = None
    security: dict[str, Any] = field(default_factory=dict)
    """Faust's broker_credentials, when the brokers ask for them."""

    def topic(self, name: str) -> str:
        """The real name of a topic of the contract."""
        return f"{self.namespace}{name}"

    def app_id(self, role: str) -> str:
        """The consumer group of a role's workers."""
        return f"{self.namespace}livelift-{role}"

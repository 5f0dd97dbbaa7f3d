"""What the dashboard is handed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Here:
    """redis_url: best of a user who may only read. kafka: client settings for kafka-python, for commands; empty where
    there is no Kafka: then alerts can be looked at only. token: what whoever looks has to know; proxy_header: a header
    in which a proxy that has asked says who looks. names: Host headers that are answered; none means loopback's."""

    redis_url: str
    redis_prefix: str = "livelift:"
    kafka: Mapping[str, Any] = field(default_factory=dict)
    namespace: str = ""
    token: str | None = None
    proxy_header: str | None = None
    names: tuple[str, ...] = ()
    secret: bytes = b""
    """Signs sessions and forms. Where none is given it comes from the token, so that sessions outlive a restart;
    without a token it is another one after each start."""
    stale_s: float = 30.0
    """Age of `quality`, which is published every second, from which a page says that what it shows is old."""

    def topic(self, name: str) -> str:
        return f"{self.namespace}{name}"

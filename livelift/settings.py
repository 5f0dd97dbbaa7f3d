"""Settings of an installation: from `LIVELIFT_*` variables, else from a TOML file, read once into a frozen value.

What the product is (journeys, lateness, labels) is not here but in `livelift.toml`, see `models.product`.
"""

import os
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

DEFAULT_FILE = "livelift-services.toml"


class NotSet(ValueError):
    """A setting is needed that has not been made."""


class Settings(BaseSettings):
    """Where Kafka and Redis are, and how this installation uses them. Passwords never show in repr or logs."""

    model_config = SettingsConfigDict(env_prefix="LIVELIFT_", frozen=True, extra="ignore", hide_input_in_errors=True)

    kafka: str | None = None
    """Bootstrap servers, `host:port,host:port`."""
    kafka_security: Literal["plaintext", "ssl", "sasl_plaintext", "sasl_ssl"] = "plaintext"
    kafka_ca_file: Path | None = None
    kafka_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "SCRAM-SHA-512"
    kafka_username: str | None = None
    kafka_password: SecretStr | None = None
    redis: str | None = Field(default=None, repr=False)
    """`redis://` or `rediss://` URL, with a password where there is one; to show it, take `redis_shown`."""
    redis_prefix: str = "livelift:"
    namespace: str = ""
    """Put before every topic and consumer group, so that several installations can share one Kafka."""
    partitions: int = 12
    """N of the keyed topics, fixed when they are created."""
    clock: Literal["live", "log"] = "live"
    """`live`: ticks are sent hourly by the publisher. `log`: the recording that is played brings its own."""
    session_timeout_s: float = 10.0
    instance: str | None = None
    """A worker name that stays the same over restarts: it then resumes without a rebalance."""
    data_dir: Path = Path(".livelift")
    config: Path = Path("livelift.toml")
    ready_file: Path | None = None

    @classmethod
    def settings_customise_sources(
        cls, settings_cls: type[BaseSettings], init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource, dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:  # fmt: skip
        """Arguments, then environment, then the file that LIVELIFT_SETTINGS names (default: in this folder)."""
        file = Path(os.environ.get("LIVELIFT_SETTINGS", DEFAULT_FILE))
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, toml_file=file)

    def require_kafka(self) -> str:
        if not self.kafka:
            raise NotSet("no Kafka is named: set LIVELIFT_KAFKA=host:port, or start one here with `livelift up`")
        return self.kafka

    def require_redis(self) -> str:
        if not self.redis:
            raise NotSet(
                "no Redis is named: set LIVELIFT_REDIS=redis://host:port, or start one here with `livelift up`"
            )
        return self.redis

    @property
    def redis_shown(self) -> str:
        """The Redis URL for people to read: its password is left out."""
        url = urlsplit(self.redis or "")
        if url.password is None:
            return url.geturl()
        return url._replace(netloc=f"{url.username or ''}:***@{url.netloc.rpartition('@')[2]}").geturl()

    def topic(self, name: str) -> str:
        """The real name of a topic of the contract."""
        return f"{self.namespace}{name}"

    def confluent(self) -> dict[str, Any]:
        """Client settings for confluent-kafka."""
        found: dict[str, Any] = {
            "bootstrap.servers": self.require_kafka(),
            "security.protocol": self.kafka_security,
            "client.id": "livelift",
        }
        if self.kafka_ca_file is not None:
            found["ssl.ca.location"] = str(self.kafka_ca_file)
        if self.kafka_security.startswith("sasl"):
            password = self.kafka_password.get_secret_value() if self.kafka_password else ""
            found |= {
                "sasl.mechanism": self.kafka_mechanism,
                "sasl.username": self.kafka_username or "",
                "sasl.password": password,
            }
        return found

    def kafka_python(self) -> dict[str, Any]:
        """Client settings for kafka-python."""
        found: dict[str, Any] = {
            "bootstrap_servers": self.require_kafka().split(","),
            "security_protocol": self.kafka_security.upper(),
        }
        if self.kafka_ca_file is not None:
            found["ssl_cafile"] = str(self.kafka_ca_file)
        if self.kafka_security.startswith("sasl"):
            password = self.kafka_password.get_secret_value() if self.kafka_password else ""
            found |= {
                "sasl_mechanism": self.kafka_mechanism,
                "sasl_plain_username": self.kafka_username,
                "sasl_plain_password": password,
            }
        return found

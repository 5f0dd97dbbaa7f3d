"""Settings of an installation: from `LIVELIFT_*` variables, else from a TOML file, read once into a frozen value.

What the product is (journeys, lateness, labels) is not here but in `livelift.toml`, see `models.product`. The texts
under the fields are what docs/settings.md says of them. A name that is no setting is refused: a typo that is silently
ignored would leave the default in force.
"""

import os
import re
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

PREFIX = "LIVELIFT_"
DEFAULT_FILE = "livelift-services.toml"
BESIDE = {
    "LIVELIFT_SETTINGS": f"The settings file, instead of `{DEFAULT_FILE}` in the folder where livelift is started.",
    "LIVELIFT_JAVA": "The `java` that runs the local Kafka, instead of the one that is installed with livelift.",
    "LIVELIFT_BROWSER": "The Chromium that tests and screenshots of the docs use, instead of the one that they find.",
}
"""Variables that are read but cannot stand in the settings file."""
SERVICE_LINK = re.compile(r"_SERVICE_HOST$|_SERVICE_PORT(_|$)|_PORT(_\d+_(TCP|UDP|SCTP)|$)")
"""What Kubernetes adds to every container for a service that is called livelift-something: nobody's typo."""


class NotSet(ValueError):
    """A setting is needed that has not been made."""


class WrongSetting(ValueError):
    """A setting does not exist or has a wrong value; the message names it and where it was made."""


class Settings(BaseSettings):
    """Where Kafka and Redis are, and how this installation uses them. Passwords never show in repr or logs."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, extra="ignore", hide_input_in_errors=True, use_attribute_docstrings=True
    )

    kafka: str | None = None
    """Kafka's bootstrap servers, `host:port,host:port`."""
    kafka_security: Literal["plaintext", "ssl", "sasl_plaintext", "sasl_ssl"] = "plaintext"
    """How to connect to Kafka: with TLS (`ssl`, `sasl_ssl`), with a user name (`sasl_...`)."""
    kafka_ca_file: Path | None = None
    """Certificates (PEM) to trust Kafka by, where the system's are not enough."""
    kafka_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "SCRAM-SHA-512"
    """How the user name and password are sent, with `sasl_...`."""
    kafka_username: str | None = None
    """User name, with `sasl_...`."""
    kafka_password: SecretStr | None = None
    """Password, with `sasl_...`; better a variable than in a file."""
    redis: str | None = Field(default=None, repr=False)
    """`redis://` or `rediss://` (TLS) URL, with a password where there is one."""
    redis_prefix: str = "livelift:"
    """Put before every Redis key, so that several installations can share one Redis."""
    namespace: str = ""
    """Put before every topic and consumer group, so that several installations can share one Kafka."""
    partitions: int = Field(default=12, ge=1)
    """Number of partitions of the keyed topics, fixed when they are created."""
    clock: Literal["live", "log"] = "live"
    """`live`: ticks are sent hourly by the publisher. `log`: the recording that is played brings its own."""
    session_timeout_s: float = Field(default=10.0, gt=0)
    """Seconds after which a worker that is not heard of loses its partitions to the others."""
    instance: str | None = None
    """A worker name that stays the same over restarts: it then resumes without a rebalance. One for each process."""
    data_dir: Path = Path(".livelift")
    """Where `livelift up` and `livelift demo` keep the data and logs of what they start."""
    config: Path = Path("livelift.toml")
    """The description of the product, see [product.md](product.md)."""
    alerts: Path = Path("alerts.toml")
    """The rules of `livelift alerts`, see [the guide](guides/alerts.md)."""
    alerts_redis: str | None = Field(default=None, repr=False)
    """The Redis URL of `livelift alerts`, where it has a user of its own (`livelift alerts acl`); else `redis`."""
    dashboard_token: SecretStr | None = None
    """What whoever opens `livelift dashboard` has to know; needed where it is reached from other machines."""
    dashboard_proxy_header: str | None = None
    """A header in which a proxy that has asked says who looks, e.g. `X-Forwarded-Email`. Set it only behind one."""
    dashboard_names: tuple[str, ...] = ()
    """The host names that the dashboard is reached by, as JSON; other than loopback's."""
    dashboard_stale_s: float = Field(default=30.0, gt=0)
    """Seconds without a publication after which pages say that what they show is old."""
    dashboard_redis: str | None = Field(default=None, repr=False)
    """The Redis URL of the dashboard, where it has a user who may only read; else `redis`."""
    collector_write_key: SecretStr | None = None
    """Basic user name that `livelift collect` asks for, as Segment does; without it anybody is listened to."""
    ready_file: Path | None = None
    """A file that a worker makes when it holds its partitions, for health checks."""

    def __init__(self, **given: Any) -> None:
        try:
            super().__init__(**given)
        except ValidationError as error:
            raise WrongSetting("; ".join(_complaint(found) for found in error.errors())) from None

    @classmethod
    def settings_customise_sources(
        cls, settings_cls: type[BaseSettings], init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource, dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:  # fmt: skip
        """Arguments, then environment, then the file that LIVELIFT_SETTINGS names (default: in this folder)."""
        refuse_unknown_variables()
        return init_settings, env_settings, _file_settings(settings_cls)

    @model_validator(mode="after")
    def _who_logs_in(self) -> Self:
        if self.kafka_security.startswith("sasl") and not (self.kafka_username and self.kafka_password):
            raise ValueError(f"kafka_security = {self.kafka_security} needs kafka_username and kafka_password")
        return self

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


def refuse_unknown_variables() -> None:
    """Raise WrongSetting for LIVELIFT_ variables that are no setting."""
    known = [f"{PREFIX}{name.upper()}" for name in Settings.model_fields] + list(BESIDE)
    for name in sorted(os.environ):
        if name.startswith(PREFIX) and name not in known and not SERVICE_LINK.search(name):
            raise WrongSetting(f"the variable {name} is no setting{_meant(name, known)}; unset it")


def _file_settings(settings_cls: type[BaseSettings]) -> TomlConfigSettingsSource:
    """The settings file, checked; WrongSetting for what it should not hold, and for a named one that is not there."""
    named = os.environ.get("LIVELIFT_SETTINGS")
    file = Path(named or DEFAULT_FILE)
    if named and not file.exists():
        raise WrongSetting(f"LIVELIFT_SETTINGS names {named}, which does not exist")
    try:
        source = TomlConfigSettingsSource(settings_cls, toml_file=file)
    except ValueError as error:
        raise WrongSetting(f"{file} is no TOML: {error}") from error
    for name in source.toml_data:
        if name not in Settings.model_fields:
            raise WrongSetting(f"{file}: {name} is no setting{_meant(name, list(Settings.model_fields))}; remove it")
    return source


def _meant(name: str, known: list[str]) -> str:
    close = get_close_matches(name, known, n=1, cutoff=0.8)
    return f" (did you mean {close[0]}?)" if close else ""


def _complaint(found: Any) -> str:
    message = str(found["msg"]).removeprefix("Value error, ")
    name = ".".join(map(str, found["loc"]))
    return f"setting {name} ({PREFIX}{name.upper()}): {message}" if name else message

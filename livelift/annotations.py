"""`livelift annotate`: what was done that tickets may follow, written to its topic."""

from collections.abc import Iterable

from livelift.sent import TIMEOUT, sent
from models.education.annotations import Annotation
from models.messages import Output, encode
from streams.config import Surroundings


class NotWritten(RuntimeError):
    """Kafka did not take an annotation."""


def annotate(here: Surroundings, annotations: Iterable[Annotation]) -> None:
    """Write annotations; one whose id is there already takes its place."""
    if not sent(here, (Output("annotations", 0, one.id.encode(), encode(one)) for one in annotations)):
        raise NotWritten(f"Kafka did not take the annotation in {TIMEOUT:g} s")

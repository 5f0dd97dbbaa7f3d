"""Annotations: what was done that tickets may follow, e.g. an article published or a page of the product changed."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Annotated

import msgspec
import xxhash
from msgspec import Meta, Struct

from models.clock import EPOCH, micros

Text = Annotated[str, Meta(min_length=1, max_length=256)]


class Annotation(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One thing that was done: when, what, and in which area of the product (none: in all of it)."""

    id: Annotated[str, Meta(min_length=1, max_length=128)]
    at: Annotated[datetime, Meta(tz=True)]
    what: Text
    area: Text | None = None

    @property
    def instant(self) -> int:
        """When it was, in microseconds."""
        return micros(self.at)


decode = msgspec.json.Decoder(Annotation).decode


def new_annotation(at: int, what: str, area: str | None) -> Annotation:
    """An annotation whose id follows from what it says: written twice it is one. at: microseconds.

    Raises msgspec.ValidationError for a text that is empty or longer than 256.
    """
    digest = xxhash.xxh3_64_hexdigest(f"{at}|{area or ''}|{what}".encode())
    given = {"id": digest, "at": EPOCH + timedelta(microseconds=at), "what": what, "area": area}
    return msgspec.convert(given, Annotation)


def in_order(annotations: Iterable[Annotation]) -> tuple[Annotation, ...]:
    """By time; one of an id each."""
    return tuple(sorted({one.id: one for one in annotations}.values(), key=lambda one: (one.instant, one.id)))


def read_all(held: Mapping[bytes, bytes]) -> tuple[Annotation, ...]:
    """Those that a topic holds; what is none is left out."""
    found = []
    for value in held.values():
        try:
            found.append(decode(value))
        except msgspec.MsgspecError:
            continue
    return in_order(found)

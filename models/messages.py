"""What a partition sends: absolute values with deterministic ids, so that sending them again does no harm."""

from typing import NamedTuple

import msgspec

from models.record import Headers

encode = msgspec.json.Encoder().encode


class Output(NamedTuple):
    """One message to send to a partition of a topic of the contract; a value of None is a tombstone."""

    topic: str
    partition: int
    key: bytes | None
    value: bytes | None
    headers: Headers | None = None


def partial_key(kind: str, id_: str, partition: int) -> bytes:
    """Key of one partition's share of an aggregate in `partials`; kinds hold no `|`, the partition comes last."""
    return f"{kind}|{id_}|{partition}".encode()


MODEL_KEY = partial_key("model", "", 0)
"""Under which the learner says what its model is like."""


def split_partial_key(key: bytes) -> tuple[str, str, int]:
    kind, rest = key.decode().split("|", 1)
    id_, partition = rest.rsplit("|", 1)
    return kind, id_, int(partition)

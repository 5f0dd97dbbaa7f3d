"""Who has been forgotten: only a hash of them is kept, to keep out what is sent again (docs/decisions/0006)."""

import xxhash

from models.rows import row_key

FORGOTTEN_KEY = b"x"
"""Begins the key of a row that stands for somebody forgotten; the hash is the rest of it."""
FORGOTTEN = b"\x01"


def fingerprint(account_id: str, user_id: str | None) -> bytes:
    """What is remembered of somebody who was forgotten: a 128-bit hash, not the name."""
    return xxhash.xxh3_128_digest(row_key(account_id, user_id))


class Forgotten:
    """The fingerprints of one partition's forgotten users and accounts."""

    def __init__(self) -> None:
        self._marks: set[bytes] = set()

    def load(self, key: bytes) -> None:
        """Take up a stored row's key."""
        self._marks.add(key.removeprefix(FORGOTTEN_KEY))

    def add(self, account_id: str, user_id: str | None) -> bytes:
        """Remember them; returns the key of the row to write."""
        mark = fingerprint(account_id, user_id)
        self._marks.add(mark)
        return FORGOTTEN_KEY + mark

    def __bool__(self) -> bool:
        """Whether anybody has been forgotten: mostly nobody has."""
        return bool(self._marks)

    def __contains__(self, who: tuple[str, str | None]) -> bool:
        """Whether the account, or this user of it, has been forgotten."""
        account_id, user_id = who
        return fingerprint(account_id, None) in self._marks or fingerprint(account_id, user_id) in self._marks

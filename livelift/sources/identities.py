"""Whose an alias is: an email or a learning system's id, linked to an account and, where it is one person's, a user."""

from typing import Protocol

import msgspec

from livelift.sources.shape import Made


class Identity(msgspec.Struct, frozen=True):
    """account_id and user_id that an alias stands for. sent: the offset in `unresolved` up to which its events have
    been sent on."""

    account_id: str
    user_id: str | None = None
    sent: int = 0

    def same(self, account: str, user: str | None) -> bool:
        return (self.account_id, self.user_id) == (account, user)


class Held(msgspec.Struct, frozen=True):
    """An event that waits for its alias: the topic it is for, and the source that it came from."""

    alias: str
    topic: str
    id: str
    event: msgspec.Raw
    source: str = ""


class Out(Protocol):
    """Where events go. `known`: every identity by its alias."""

    known: dict[str, Identity]

    def begin(self, position: dict | None, at_rest: bool) -> None:
        """Take up where a run before stood; what it sent behind that, the new run does not send again."""

    def send(self, made: Made, value: bytes, account: str) -> None: ...

    def hold(self, made: Made) -> None:
        """Keep an event until its alias is linked."""

    def link(self, alias: str, identity: Identity) -> None: ...

    def resolve(self) -> int:
        """Send on, in order, what waits for aliases that are known by now; how many events."""

    def flush(self) -> None:
        """Returns when everything has been taken; raises if it was not."""

    def position(self) -> dict: ...

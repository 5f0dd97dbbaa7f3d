"""`livelift sources link`: whose an alias is, said by hand, and what waited for it is sent on."""

import msgspec

from livelift.sources.identities import Identity
from livelift.sources.to_kafka import ToKafka


def link(out: ToKafka, alias: str, account: str, user: str | None) -> int:
    """Link the alias and send on, in order, what waits for it (and for anybody else who is known by now); how many."""
    out.begin(None, at_rest=True)
    held = out.known.get(alias)
    if held is None or not held.same(account, user):
        sent = 0 if held is None else held.sent
        out.link(alias, msgspec.structs.replace(Identity(account, user), sent=sent))
    return out.resolve()

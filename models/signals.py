"""`journey-signals`: where each user is, whether in trouble and why, what helped, and what to do next."""

from collections.abc import Iterator, Mapping
from typing import Any

from models.clock import rfc3339
from models.funnel import Share
from models.journey import Standing
from models.ledger import Moved
from models.messages import encode


def signals_of(moved: Moved, tasks: Mapping[str, tuple[str, ...]], now: int) -> Iterator[bytes]:
    """What there is to say of a user who moved, and has to be said again if something of theirs was redelivered.

    tasks: every journey's. A journey that the user is no longer on is left.
    """
    account_id, user_id, at = moved.account_id, moved.user_id, moved.at
    if user_id is None:
        return
    before = {share.journey: share for share in moved.old.journeys}
    for share in moved.new.journeys:
        held = before.get(share.journey)
        if moved.forced or held is None or (held.standing, held.help) != (share.standing, share.help):
            yield signal_message(account_id, user_id, share, tasks[share.journey], max(at, now))
    known = before.keys() | tasks.keys() if moved.forced else before.keys()
    for journey in sorted(known - {share.journey for share in moved.new.journeys}):
        yield left_signal(account_id, user_id, journey)


def signal_message(account_id: str, user_id: str, share: Share, tasks: tuple[str, ...], at: int) -> bytes:
    """The signal of one user on one journey."""
    now = share.standing
    return encode({
        "account_id": account_id,
        "user_id": user_id,
        "journey": share.journey,
        "at": rfc3339(at),
        "tasks": dict(zip(tasks, now.states, strict=True)),
        "completed": now.completions,
        "position": now.position,
        "skipped": list(now.skipped),
        "out_of_order": now.out_of_order,
        "stuck_since": None if now.stuck_since is None else rfc3339(now.stuck_since),
        "trouble": {"yes": bool(now.why), "why": list(now.why)},
        "help": share.help,
        "next_step": next_step(now),
    })  # fmt: skip


def next_step(now: Standing) -> dict[str, Any] | None:
    """What CS would send this person next: help with the first task in trouble, else the task they are at."""
    if now.position is None:
        return None
    if now.stuck:
        return {"task": now.stuck[0], "do": "offer help"}
    if now.why:
        return {"task": now.position, "do": "offer help"}
    state = next(state for state in now.states if state != "completed")
    return {"task": now.position, "do": "start" if state == "untouched" else "continue"}


def forgotten_signal(account_id: str, user_id: str) -> bytes:
    """Everything about this user is to be let go."""
    return encode({"account_id": account_id, "user_id": user_id, "forgotten": True})


def left_signal(account_id: str, user_id: str, journey: str) -> bytes:
    """The user is no longer on this journey: their traits have changed."""
    return encode({"account_id": account_id, "user_id": user_id, "journey": journey, "left": True})

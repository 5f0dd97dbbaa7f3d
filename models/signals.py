"""`journey-signals`: where each user is, whether in trouble and why, what helped, and what to do next."""

from typing import Any

from models.clock import rfc3339
from models.funnel import Share
from models.journey import Standing
from models.messages import encode


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

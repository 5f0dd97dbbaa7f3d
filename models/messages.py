"""What a partition sends: scores, journey signals, partials, dead letters. Absolute values with deterministic ids."""

from typing import Any, NamedTuple

import msgspec
import xxhash

from models.account import Account
from models.clock import rfc3339
from models.index import BASELINE, Inputs, drivers_of
from models.journey import Standing
from models.rows import Subscription

encode = msgspec.json.Encoder().encode


class Output(NamedTuple):
    """One message to send. `partition` None means the partition that the key hashes to."""

    topic: str
    partition: int
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes]] | None = None


class Said(NamedTuple):
    """What a score message says of an account; another message is sent when this differs."""

    score: int
    band: str
    close_score: int | None
    close_band: str | None
    change_7d: int | None
    mrr: int | None


def score_id(account_id: str, cause: str) -> str:
    """The same score is sent again under the same id: derived from the account and the record that caused it."""
    return xxhash.xxh3_64_hexdigest(f"{account_id}|{cause}".encode())


def score_message(
    account_id: str, said: Said, at: int, inputs: Inputs, week_ago: Inputs, cause: str, causes: list[dict[str, str]]
) -> bytes:
    """An `account-scores` message (EVENTS.md). With basis `heuristic` there is no probability, and it says why."""
    no_model = "no model has learned yet; the score is an activity index"
    mrr = None if said.mrr is None else said.mrr / 1e6
    drivers = [
        {
            "feature": driver.feature,
            "value": round(driver.value, 4),
            "typical": None,
            "change_7d": round(driver.value - before, 4),
            "contribution": driver.contribution / 100,
        }
        for driver, before in zip(drivers_of(inputs), week_ago, strict=True)
    ]
    return encode({
        "score_id": score_id(account_id, cause),
        "account_id": account_id,
        "at": rfc3339(at),
        "score": said.score / 100,
        "name": "activity index",
        "band": said.band,
        "close": {
            "score": None if said.close_score is None else said.close_score / 100,
            "band": said.close_band,
        },
        "change_7d": None if said.change_7d is None else said.change_7d / 100,
        "basis": "heuristic",
        "probability": None,
        "revenue_at_risk": None,
        "because": no_model,
        "baseline": BASELINE,
        "drivers": drivers,
        "causes": causes,
        "mrr": mrr,
    })  # fmt: skip


def signal_message(
    account_id: str, user_id: str, journey: str, tasks: tuple[str, ...], at: int, now: Standing
) -> bytes:
    """A `journey-signals` message: where the user is, whether in trouble and why, and the next step."""
    return encode({
        "account_id": account_id,
        "user_id": user_id,
        "journey": journey,
        "at": rfc3339(at),
        "tasks": dict(zip(tasks, now.states, strict=True)),
        "completed": now.completions,
        "position": now.position,
        "skipped": list(now.skipped),
        "out_of_order": now.out_of_order,
        "stuck_since": None if now.stuck_since is None else rfc3339(now.stuck_since),
        "trouble": {"yes": bool(now.why), "why": list(now.why)},
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
    state = "continue" if "started" in now.states else "start"
    return {"task": now.position, "do": state}


def forgotten_signal(account_id: str, user_id: str) -> bytes:
    return encode({"account_id": account_id, "user_id": user_id, "forgotten": True})


def partial_key(kind: str, id_: str, partition: int) -> bytes:
    """Key of one partition's share of an aggregate in `partials`; kinds hold no `|`, the partition comes last."""
    return f"{kind}|{id_}|{partition}".encode()


def split_partial_key(key: bytes) -> tuple[str, str, int]:
    kind, rest = key.decode().split("|", 1)
    id_, partition = rest.rsplit("|", 1)
    return kind, id_, int(partition)


def latest_mrr(account: Account) -> int | None:
    """The monthly revenue last told of, over all of the account's rows, in millionths."""
    told: list[Subscription] = [terms for terms in account.subscriptions.values() if terms.mrr is not None]
    return max(told).mrr if told else None

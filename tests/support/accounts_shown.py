"""Snapshots of a real replay with everything that pages on accounts show: a model that has learned, names, owners,
segments, people who are stuck, lessons, tickets, revenue and renewals. Histories as Redis keeps them are put beside."""

import json
from pathlib import Path
from typing import Any

from livelift.recording import open_recording
from livelift.replay import replay
from livelift.surroundings import product_of
from models.clock import DAY, HOUR, rfc3339
from models.events import HOME, SOURCES
from models.keys import account_key, history_key
from tests.support.leaving import START, write_leaving
from tests.support.pages import Given

SETTINGS = """
[label]
horizon_days = 28
unscored_days = 14
[[journey]]
id = "getting-started"
tasks = ["board", "card"]
stuck_after_hours = 24
[capacity]
per_owner_per_week = 3
"""
ACCOUNTS, DAYS = 60, 140
OWNERS = "olga", "pete/ops: 100 %"
"""One has a name that no address takes as it stands."""


def write_shown(folder: Path) -> Path:
    """The recording, made up."""
    write_leaving(folder, ACCOUNTS, DAYS, settings=SETTINGS)
    with (folder / "events.jsonl").open("a") as file:
        for number in range(ACCOUNTS):
            file.writelines(json.dumps(one) + "\n" for one in _told(number))
    return folder


def _told(number: int) -> list[dict[str, Any]]:
    account, day = f"account-{number:03}", START + 61
    owner = {"owner": OWNERS[number % 2]} if number % 3 else {}
    renews = rfc3339((START + DAYS + 20) * DAY)
    return [
        _event(account, "traits_set", day, name=f"Company {number}", segment=("small", "large")[number % 2], **owner),
        _event(account, "lesson_completed", day, "user-0", lesson="basics"),
        _event(account, "concept_checked", day, "user-0", concept="boards", correct=True),
        _event(account, "concept_checked", day, "user-1", concept="boards", correct=number % 2 == 0),
        _event(account, "task_started", day, "user-0", task="board"),
        _event(account, "task_completed", day + 1, "user-0", task="board"),
        _event(account, "task_started", day, "user-1", task="board"),
        _event(account, "ticket_opened", START + DAYS - 3, "user-0", ticket=f"t{number}", area="billing"),
        _event(account, "renewed", day, mrr=100.0 + number, renews_at=renews),
    ]


def _event(account: str, kind: str, day: int, user: str | None = None, **properties: Any) -> dict[str, Any]:
    who = {"account_id": account} | ({"user_id": user} if user else {})
    return {"topic": SOURCES[HOME[kind]], "id": f"told-{account}-{kind}-{user}-{day}", "type": kind,
            "at": rfc3339(day * DAY + 9 * HOUR), **who, "properties": properties}  # fmt: skip


def shown(folder: Path) -> dict[str, Any]:
    """Every snapshot of it."""
    recording = open_recording(write_shown(folder))
    return dict(replay(recording, product_of(recording.config)))


def given(snapshots: dict[str, Any], **more: Any) -> Given:
    """What pages read of it; each account has its present score as its history."""
    histories = {history_key(one["account_id"]): [{k: v for k, v in one.items() if k != "causes"}]
                 for one in accounts_of(snapshots)}  # fmt: skip
    return Given(snapshots, histories=histories | more.pop("histories", {}), **more)


def accounts_of(snapshots: dict[str, Any]) -> list[dict[str, Any]]:
    return [one for key, one in snapshots.items() if key.startswith("account:")]


def edited(snapshots: dict[str, Any], account_id: str, **changes: Any) -> dict[str, Any]:
    """The same snapshots with something else in one account's."""
    key = account_key(account_id)
    return {**snapshots, key: {**snapshots[key], **changes}}

"""A made-up recording of paying accounts, some of which use the product less and less and then leave.

The days of work of an account are drawn from its own rate. In its last eight weeks that rate falls to a quarter; some
others have a quiet spell of eight weeks and stay, so that nobody's departure is certain.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from models.clock import DAY, HOUR, rfc3339
from models.events import HOME, SOURCES
from tests.support.build import Json

START = 20_454
"""2026-01-01, as a day since 1970."""
FADING = 56
QUIET, LEAVING = 0.25, 0.8
"""Shares of accounts that have a quiet spell, and that leave."""


def write_leaving(folder: Path, accounts: int = 150, days: int = 300, seed: int = 1, settings: str = "") -> Path:
    """Write the recording; the same arguments write the same bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    found = sorted(events_of(accounts, days, seed), key=lambda one: (one["at"], one["id"]))
    lines = (json.dumps({"topic": SOURCES[HOME[one["type"]]], **one}) + "\n" for one in found)
    (folder / "events.jsonl").write_text("".join(lines))
    (folder / "livelift.toml").write_text(f"simulated = true\n{settings}")
    return folder


def events_of(accounts: int, days: int, seed: int) -> Iterator[Json]:
    """Every account's events, one account after another."""
    rng = np.random.default_rng(seed)
    for number in range(accounts):
        yield from Account(f"account-{number:03}", days, rng).events()


class Account:
    """One customer. rate: days of work as a share of days."""

    def __init__(self, name: str, days: int, rng: np.random.Generator) -> None:
        self.name, self.rng, self._written = name, rng, 0
        self.users = 1 + int(rng.integers(3))
        self.began = START + int(rng.integers(60))
        self.rate = float(rng.uniform(0.15, 0.6))
        end = START + days
        leaves = rng.random() < LEAVING
        self.leaves = int(rng.integers(self.began + 50, end + 60)) if leaves else None
        self.quiet = int(rng.integers(self.began, end)) if rng.random() < QUIET else None
        self.until = end if self.leaves is None else min(end, self.leaves)

    def events(self) -> Iterator[Json]:
        yield self._event("converted", self.began, {"mrr": 100 * self.users})
        for day in range(self.began, self.until):
            yield from self._day(day)
        if self.leaves == self.until:
            yield self._event("churned", self.until, {})

    def _day(self, day: int) -> Iterator[Json]:
        busy = self.rate * (0.25 if self._fading(day) else 1)
        worked = 0
        for user in range(self.users):
            if self.rng.random() < busy:
                worked += 1
                feature = f"feature-{int(self.rng.integers(6))}"
                yield self._event("core_action", day, {"feature": feature}, f"user-{user}")
        if day % 7 == 0 and worked:
            yield self._event("usage_reported", day, {"records": int(self.rng.poisson(20 * worked))})
        if self._fading(day) and self.rng.random() < 0.01:
            yield self._event("cs_contacted", day, {"reason": "quiet"})

    def _fading(self, day: int) -> bool:
        leaving = self.leaves is not None and self.leaves - FADING <= day
        return leaving or (self.quiet is not None and self.quiet <= day < self.quiet + FADING)

    def _event(self, kind: str, day: int, properties: Json, user: str | None = None) -> Json:
        self._written += 1
        at = day * DAY + int(self.rng.integers(8, 18)) * HOUR
        who = {"account_id": self.name} | ({"user_id": user} if user else {})
        return {"id": f"{self.name}-{self._written}", "type": kind, "at": rfc3339(at), **who, "properties": properties}

"""What rules look at: an account's score as `account-scores` tells it, or one user's signal on one journey.

Only the fields that rules read are decoded, since a hundred thousand scores are read for each that alerts anybody; the
whole message is kept beside them and read when there is something to tell.
"""

from datetime import datetime
from functools import lru_cache
from typing import Any

import msgspec
from msgspec import Struct

from models.clock import date_of, day_of, micros

SCORES, SIGNALS, COMMANDS = "account-scores", "journey-signals", "alert-commands"
MODEL_CHANGED = "model changed"
Trait = str | bool | int | float


class Close(Struct, frozen=True, gc=False):
    """What the last day that closed ended with."""

    score: float | None = None
    band: str | None = None


class Cause(Struct, frozen=True, gc=False):
    type: str


class Shown(Struct, frozen=True, gc=False):
    """The signs of an account (`models.signs.Signs`)."""

    champion_gone_days: int | None = None
    trained_gone_days: int | None = None
    tickets_open: int = 0
    payments_failed: int = 0


class Score(Struct, frozen=True, gc=False):
    """One message of `account-scores`. listed: whether the account is on the capacity list, which the message itself
    does not tell; None where the list is not known."""

    account_id: str
    at: str
    score: float
    band: str
    basis: str
    close: Close = Close()
    closes: tuple[tuple[str, float], ...] = ()
    basis_changed: bool = False
    probability: float | None = None
    revenue_at_risk: float | None = None
    signs: Shown = Shown()
    traits: dict[str, Trait] = {}
    held_out: bool = False
    event_has_come: bool = False
    causes: tuple[Cause, ...] = ()
    listed: bool | None = None

    @property
    def only_the_model_changed(self) -> bool:
        """Whether the score may differ because another kind of model speaks, or nothing but a version has changed."""
        return self.basis_changed or (bool(self.causes) and all(one.type == MODEL_CHANGED for one in self.causes))

    def drop(self, days: int) -> float | None:
        """By how many points the score is below the close of so many days ago; None without a comparable one."""
        if not self.closes:
            return None
        then = days_before(self.at, days)
        before = [score for day, score in self.closes if day <= then]
        return before[-1] - self.score if before else None

    def trait(self, name: str) -> str | None:
        """A trait as text; None where nothing is told, or nothing any more."""
        told = self.traits.get(name)
        if isinstance(told, float) and told.is_integer():
            return str(int(told))
        return None if told is None or told == "" else str(told)


class Trouble(Struct, frozen=True, gc=False):
    yes: bool
    why: tuple[str, ...] = ()


class NextStep(Struct, frozen=True, gc=False):
    task: str
    do: str


class Signal(Struct, frozen=True, gc=False):
    """One message of `journey-signals`: one user on one journey."""

    account_id: str
    user_id: str
    journey: str = ""
    at: str = ""
    position: str | None = None
    stuck_since: str | None = None
    trouble: Trouble = Trouble(False)
    next_step: NextStep | None = None
    left: bool = False
    forgotten: bool = False

    @property
    def stuck_at(self) -> str | None:
        """The task that help is to be offered with; None where the user is in no trouble, or on the journey no more."""
        if self.left or self.forgotten or not self.trouble.yes or self.next_step is None:
            return None
        return self.next_step.task


Evidence = Score | Signal


def instant_of(text: str) -> int:
    """An RFC 3339 instant of ours in microseconds."""
    return micros(datetime.fromisoformat(text))


@lru_cache(maxsize=1024)
def days_before(at: str, days: int) -> str:
    """The date so many days before an instant. Kept, since most scores are of the same few instants: those of ticks."""
    return date_of(day_of(instant_of(at)) - days)


decode_score = msgspec.json.Decoder(Score).decode
decode_signal = msgspec.json.Decoder(Signal).decode


def whole(message: bytes) -> dict[str, Any]:
    """Everything that a message says."""
    found: dict[str, Any] = msgspec.json.decode(message)
    return found

"""How an account's score has moved: since when it is falling, and what changed it last."""

from collections.abc import Mapping, Sequence
from itertools import pairwise, takewhile
from typing import Any, NamedTuple

from consumers.dashboard.views.account import Point, kind_of
from models.alerts import figures
from models.alerts.inputs import meaning_of

Json = Mapping[str, Any]
LEAST = 1.0
"""Points: a rise of no more does not end a fall, and less is none."""


class Fall(NamedTuple):
    """Since when a score has been falling, and from what. at_least: nothing is known of the time before that."""

    since: str
    score: float
    at_least: bool


class Change(NamedTuple):
    """What moved a score from the one before it, at a moment: the parts of it, the largest first."""

    at: str
    before: float
    after: float
    since: str
    parts: tuple[tuple[str, str], ...]


def comparable(told: Sequence[Point]) -> list[Point]:
    """The latest scores of one kind, the oldest first: with those of another kind none of them may be compared."""
    return list(takewhile(lambda one: one.kind == told[-1].kind, reversed(told)))[::-1]


def falling(told: Sequence[Point]) -> Fall | None:
    """Since when a score has been falling: the last moment at its last top. None where it is not."""
    alike = comparable(told)
    top = None
    for one in reversed(alike):
        if top is not None and one.score < top.score - LEAST:
            break  # from here it rose to the top
        if top is None or one.score > top.score:
            top = one
    if top is None or top.score - alike[-1].score < LEAST:
        return None
    return Fall(top.at, top.score, top == alike[0])


def changed(history: Sequence[Json], account: Json) -> Change | None:
    """The last change of a score that is seen in the figures that are shown; None where none of its kind is known."""
    sent = [*(one for one in history if one.get("score_id") != account.get("score_id")), account]
    for after, before in pairwise(reversed(sent)):
        if kind_of(before) != kind_of(account):
            return None
        if round(before["score"], 1) != round(after["score"], 1):
            return Change(after["at"], before["score"], after["score"], before["at"], _parts(before, after))
    return None


def _parts(before: Json, after: Json) -> tuple[tuple[str, str], ...]:
    was, now = ({one["feature"]: one["contribution"] for one in of.get("drivers") or ()} for of in (before, after))
    moved = {feature: now.get(feature, 0.0) - was.get(feature, 0.0) for feature in was.keys() | now.keys()}
    largest = sorted(moved, key=lambda feature: (-abs(moved[feature]), feature))
    told = ((meaning_of(one, after["basis"]).label, figures.signed_points(moved[one])) for one in largest)
    return tuple(one for one in told if one[1] != "0")

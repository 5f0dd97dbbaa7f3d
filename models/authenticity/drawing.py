"""One instant of each person, drawn among those of the last day on which they did anything: what a row keeps for the
checks of clocks and repeats.

Drawn by a hash of the instant itself, so that every arrival order, every cut into batches and every redelivery draws
the same one: it is a maximum. Whoever does much has no more weight than others, so that one script among many people
counts once; and what was drawn moves on with people, so that the sums are those of the last weeks.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import msgspec
import xxhash

from models import events as e
from models.clock import DAY
from models.rows import NEVER, Row

ACTS: dict[type[e.Event], bytes] = {kind: str(kind.__struct_config__.tag).encode() for kind in (
    e.SessionStarted, e.TaskStarted, e.TaskCompleted, e.TaskFailed, e.CoreAction, e.FeatureConfigured, e.HelpEngaged,
    e.TicketOpened, e.LessonStarted, e.LessonCompleted, e.ConceptChecked, e.SurveyAnswered,
)}  # fmt: skip
"""What people do themselves. What systems say of them (assignments, traits, membership, payments, reports) often comes
by a job that runs on the minute, and is no broken clock."""
KINDS_KEPT = 8
"""Different events of the drawn instant: those with the smallest hashes."""
_SPREAD, _MASK = 0x9E3779B97F4A7C15, 2**64 - 1
"""Fibonacci hashing (Knuth 1973, 6.4): a day's instants in an order that no minute or second of a clock follows."""
_encode = msgspec.json.Encoder().encode


class Happened(Protocol):
    """An event and its instant in microseconds."""

    @property
    def at(self) -> int: ...
    @property
    def event(self) -> e.Event: ...


class Drawn(NamedTuple):
    """What was drawn of a person: an instant, how many events it has, and how many of them repeat another."""

    at: int = NEVER
    events: int = 0
    repeats: int = 0


NOTHING_DRAWN = Drawn()


def drawn_of(row: Row) -> Drawn:
    """What a row says was drawn."""
    events = sum(row.drawn.values())
    return Drawn(row.drawn_at, events, events - len(row.drawn))


def draw(row: Row, happened: Sequence[Happened]) -> Drawn | None:
    """Draw again, now that this has happened to a person, too. What was drawn before; None if it still is."""
    drawn = row.drawn_at
    day, best = drawn - drawn % DAY, drawn * _SPREAD & _MASK
    for one in happened:
        at = one.at
        if at >= day and ((rank := at * _SPREAD & _MASK) > best or at >= day + DAY) and _may_be_drawn(one):
            drawn, day, best = at, at - at % DAY, rank
    at_once = [one.event for one in happened if one.at == drawn and _may_be_drawn(one)]
    if not at_once:
        return None
    before = drawn_of(row)
    if drawn != row.drawn_at:
        row.drawn_at, row.drawn = drawn, {}
    for event in at_once:
        _count(row.drawn, _kind(event))
    return before


def _may_be_drawn(one: Happened) -> bool:
    """Whether somebody did it, at a time: dates without one say nothing of clocks, and repeat without being repeats."""
    event = one.event
    if event.__class__ not in ACTS or not one.at % DAY:
        return False
    return not (event.__class__ is e.CoreAction and event.properties.automated)


def _kind(event: Any) -> int:
    """What somebody did, with everything that is said of it but the event's id."""
    return xxhash.xxh32_intdigest(ACTS[event.__class__] + _encode(event.properties))


def _count(kinds: dict[int, int], kind: int) -> None:
    kinds[kind] = kinds.get(kind, 0) + 1
    if len(kinds) > KINDS_KEPT:
        del kinds[max(kinds)]

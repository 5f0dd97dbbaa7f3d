"""What changed an account's score between two closes: by input, traced to the events behind it.

The change is split exactly, in hundredths of points. What a basis makes of an account as known at the end of a day:

    model changed   the later close's basis, less the earlier one's, both of the account as it was at the earlier close
    time passed     the same account read at the later day, less at the earlier one: had nothing happened
    events          the account with what came in between, less without it, both at the later day

Each is given by input (`Basis.difference`). The account is known here as its events say, also those that came when the
day had been closed: so the score may differ from the one that the day was closed with, and then both are told.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from models.account import Account
from models.bands import band_of
from models.basis import HEURISTIC, Basis, Driver, Judged
from models.clock import day_of, rfc3339, start_of
from models.health.history import Came, History, Named
from models.health.known import Known
from models.health.listed import Input, input_of
from models.index import INPUTS as INDEX_INPUTS
from models.rows import Close
from models.scores import points

MODEL, TIME, EVENTS = "model changed", "time passed", "events"
JOINING = "member_added"


class Unexplained(ValueError):
    """There is no score to explain; the message says why, and what to do."""


class Moved(NamedTuple):
    """One input's part in a change.

    points: hundredths. before, after: its value; None where nothing was known. events: by type, those that tell of it.
    """

    feature: str
    points: int
    before: float | None
    after: float | None
    events: Mapping[str, Came]


class Change(NamedTuple):
    """What changed a score, in hundredths: before + model + time + events = after, the last two by input."""

    before: int
    basis: str
    """What the earlier close rests on."""
    model: int
    time: list[Moved]
    events: list[Moved]

    @property
    def points(self) -> int:
        return self.model + sum(one.points for one in self.time) + sum(one.points for one in self.events)


class Explanation(NamedTuple):
    """A score at the end of a day and what has changed it since an earlier day; change: None, with a reason.

    was: what was known of the account at the earlier day. closed: what the day was closed with, where that is kept.
    refused: reason -> records of the account that were not accepted. lacks: what may be missing besides, in words.
    """

    account_id: str
    day: int
    since: int
    basis: Basis
    judged: Judged
    drivers: list[Driver]
    was: Mapping[str, float]
    change: Change | None
    because: str | None
    refused: Mapping[str, int]
    closed: Close | None = None
    lacks: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return "activity index" if self.basis.kind == HEURISTIC else "health score"

    @property
    def band(self) -> str:
        """The band that the score alone says: at its close the one before holds it a little (hysteresis)."""
        return band_of(self.judged.score, None, self.basis.bands)

    @property
    def otherwise_closed(self) -> bool:
        """Whether the day was closed with another score: what has come since belongs to it."""
        closed = self.closed
        return closed is not None and (closed.score, closed.basis) != (self.judged.score, self.basis.kind)


def explain(history: History, known: Known, since: int, day: int, closed: Close | None = None) -> Explanation:
    """Explain the score at the end of `day`, and its change since the end of `since`; the history is of these days.

    Raises Unexplained where the day has no score, or it is no longer known what it was closed with.
    """
    account, before = there(history, day), history.before.account
    if day < known.kept_from(day):
        raise Unexplained(let_go(known, day))
    basis = known.before(day)
    judged = basis.judge(account, day)
    because = incomparable(before, known, since, day)
    change = None if before is None or because else changed(history, before, account, known, since, day)
    return Explanation(
        account_id=history.account_id,
        day=day,
        since=since,
        basis=basis,
        judged=judged,
        drivers=basis.drivers(account, day, judged),
        was={} if before is None else basis.judge(before, since).inputs,
        change=change,
        because=because,
        refused=history.refused,
        closed=closed,
    )


def there(history: History, day: int) -> Account:
    """The account at the end of a day."""
    account, name = history.after.account, history.account_id
    if account is not None:
        return account
    if history.forgotten:
        raise Unexplained(f"account {name!r} is to be forgotten: nothing is kept of it")
    if history.first is None:
        raise Unexplained(f"no event of account {name!r} has come: is the id written as in `account_id`?")
    first = day_of(history.first)
    if first <= day:
        raise Unexplained(f"everybody in account {name!r} is to be forgotten: nothing is kept of it")
    raise Unexplained(f"account {name!r} has no score at the end of {date(day)}: its first event is of {date(first)}")


def incomparable(before: Account | None, known: Known, since: int, day: int) -> str | None:
    """Why a score cannot be compared with that of an earlier day; None if it can."""
    if before is None:
        return f"the account had no events by the end of {date(since)}"
    if since < known.kept_from(since):
        return let_go(known, since)
    former, basis = known.before(since), known.before(day)
    if former.kind != basis.kind:
        return f"{date(since)} was closed with a score of another kind ({former.name}, now {basis.name})"
    return None


def let_go(known: Known, day: int) -> str:
    return f"what {date(day)} was closed with is not kept any more: choose {date(known.kept_from(day))} or a later day"


def changed(history: History, before: Account, account: Account, known: Known, since: int, day: int) -> Change:
    """Split the change of a score, each part given to the inputs behind it."""
    former, basis = known.before(since), known.before(day)
    was = former.judge(before, since).score
    start, idle, now = basis.judge(before, since), basis.judge(before, day), basis.judge(account, day)
    came, firsts = history.came(), history.firsts()

    def moved(one: Judged, other: Judged, traced: bool) -> list[Moved]:
        found = [
            Moved(name, part, one.inputs.get(name), other.inputs.get(name),
                  events_of(input_named(basis, name), came, firsts) if traced else {})
            for name, part in basis.difference(one, other).items()
            if part
        ]  # fmt: skip
        return sorted(found, key=lambda each: (-abs(each.points), each.feature))

    return Change(was, former.name, start.score - was, moved(start, idle, False), moved(idle, now, True))


def input_named(basis: Basis, name: str) -> Input | None:
    """What is listed of an input: an activity index has its own."""
    if basis.kind == HEURISTIC:
        return next((one for one in INDEX_INPUTS if one.name == name), None)
    return input_of(name)


def events_of(asked: Input | None, came: Mapping[str, Came], firsts: Mapping[str, Came]) -> dict[str, Came]:
    """The events that tell of an input, by type; where it is one about users, also those that made somebody one."""
    told_by = () if asked is None else asked.told_by
    found = {kind: came[kind] for kind in told_by if kind in came}
    if JOINING in told_by:
        found |= {f"{kind}, a user's first": one for kind, one in firsts.items() if kind not in told_by}
    return found


def date(day: int) -> str:
    """A day as people write it."""
    return rfc3339(start_of(day))[:10]


# -- as data -----------------------------------------------------------------------------------------------------------


def told(found: Explanation) -> dict[str, Any]:
    """An explanation as JSON data, in points; docs/guides/health-scores.md says what is in it."""
    judged, closed, change = found.judged, found.closed, found.change
    return {
        "account_id": found.account_id,
        "day": date(found.day),
        "since": date(found.since),
        "name": found.name,
        "basis": found.basis.name,
        "score": points(judged.score),
        "band": found.band,
        "probability": None if judged.probability is None else judged.score / 10_000,
        **({} if found.basis.because is None else {"because": found.basis.because}),
        "closed": None if closed is None else {"score": points(closed.score), "band": closed.band},
        "baseline": points(found.basis.baseline),
        "drivers": [_driver(found, one) for one in found.drivers],
        "change": None if change is None else _change(change),
        **({} if found.because is None else {"change_because": found.because}),
        "refused": dict(found.refused),
        "lacks": found.lacks,
    }


def _driver(found: Explanation, driver: Driver) -> dict[str, Any]:
    asked = input_named(found.basis, driver.feature)
    return {
        "feature": driver.feature,
        "meaning": None if asked is None else asked.meaning,
        "unit": None if asked is None else asked.unit,
        "value": driver.value,
        "before": found.was.get(driver.feature),
        "typical": driver.typical,
        "contribution": points(driver.contribution),
    }


def _change(change: Change) -> dict[str, Any]:
    """The causes add up to the points, and the inputs of a cause to the cause's."""
    return {
        "before": points(change.before),
        "points": points(change.points),
        "causes": [
            {"cause": MODEL, "points": points(change.model), "basis_before": change.basis},
            {"cause": TIME, **_inputs(change.time)},
            {"cause": EVENTS, **_inputs(change.events)},
        ],
    }


def _inputs(moved: list[Moved]) -> dict[str, Any]:
    return {
        "points": points(sum(one.points for one in moved)),
        "inputs": [
            {"feature": one.feature, "points": points(one.points), "before": one.before, "after": one.after,
             "events": [{"type": kind, "count": came.count, "latest": [_event(each) for each in came.latest]}
                        for kind, came in one.events.items()]}
            for one in moved
        ],
    }  # fmt: skip


def _event(named: Named) -> dict[str, str]:
    return {"event": named.id, "type": named.type, "at": rfc3339(named.at)}

"""`account-scores`: what is said of an account, why, and since when. The score itself comes from `models.index`."""

from heapq import nlargest
from typing import NamedTuple

import xxhash

from models.account import Account
from models.clock import day_of, rfc3339, start_of
from models.closing import change_over
from models.events import instant
from models.index import BASELINE, WEEK, Inputs, band_of, drivers_of, inputs_of, score_of
from models.messages import encode
from models.working import Working

CAUSES_KEPT = 3
NO_MODEL = "no model has learned yet; the score is an activity index"


class Said(NamedTuple):
    """What a score message says of an account; another message is sent when this differs. Scores in hundredths."""

    score: int
    band: str
    close_score: int | None
    close_band: str | None
    change_7d: int | None
    mrr: int | None


class Cause:
    """What came for an account in one step: how far its rows have applied each topic, and the latest events.

    The offsets are part of the rows. So a score that is sent again after a crash is sent under the same id, whatever
    batches the records are read in.
    """

    __slots__ = ("rows",)

    def __init__(self) -> None:
        self.rows: list[Working] = []
        """The account's rows for which something came."""

    @property
    def offsets(self) -> tuple[int, ...]:
        """How far these rows have applied each topic; nothing without any."""
        return tuple(map(max, zip(*(working.row.offsets for working in self.rows), strict=True)))

    @property
    def again(self) -> bool:
        """Whether something was redelivered, so that the score is sent whether or not it has moved."""
        return any(working.again for working in self.rows)

    def told(self) -> list[dict[str, str]]:
        """The cause in the words of the message."""
        events = [event for working in self.rows for event in working.events()]
        if not events:
            return [{"type": "time passed"}]
        latest = nlargest(CAUSES_KEPT, events, key=lambda event: instant(event.at))
        return [{"event": event.id, "type": str(event.__struct_config__.tag)} for event in reversed(latest)]


PASSING_OF_TIME = Cause()


class Reading(NamedTuple):
    """An account read at a moment: what is to be said of it and what that rests on."""

    said: Said
    at: int
    day: int
    inputs: Inputs


def read(account: Account, now: int, closed_day: int, regular_days: float) -> Reading:
    """Read an account at event time `now`; uses after it (the tick is behind) count already."""
    day = max(day_of(now), account.last_day)
    inputs = inputs_of(account, day, regular_days)
    score = score_of(inputs)
    close = account.closes[-1] if account.closes else None
    said = Said(
        score=score,
        band=band_of(score, close.band if close else None),
        close_score=close.score if close else None,
        close_band=close.band if close else None,
        change_7d=change_over(account.closes, closed_day, WEEK),
        mrr=account.latest_mrr,
    )
    return Reading(said, max(now, start_of(account.last_day)), day, inputs)


def score_id(account_id: str, reading: Reading, cause: Cause) -> str:
    """The same score is sent again under the same id: derived from the account, what it rests on, and what it says."""
    return xxhash.xxh3_64_hexdigest(f"{account_id}|{cause.offsets or reading.at}|{reading.said}".encode())


def score_message(account_id: str, account: Account, reading: Reading, cause: Cause, regular_days: float) -> bytes:
    """An `account-scores` message (EVENTS.md). With basis `heuristic` there is no probability, and it says why."""
    said = reading.said
    week_ago = inputs_of(account, reading.day - WEEK, regular_days)
    drivers = [
        {
            "feature": driver.feature,
            "value": round(driver.value, 4),
            "typical": None,
            "change_7d": round(driver.value - before, 4),
            "contribution": driver.contribution / 100,
        }
        for driver, before in zip(drivers_of(reading.inputs), week_ago, strict=True)
    ]
    return encode({
        "score_id": score_id(account_id, reading, cause),
        "account_id": account_id,
        "at": rfc3339(reading.at),
        "score": said.score / 100,
        "name": "activity index",
        "band": said.band,
        "close": {"score": points(said.close_score), "band": said.close_band},
        "change_7d": points(said.change_7d),
        "basis": "heuristic",
        "probability": None,
        "revenue_at_risk": None,
        "because": NO_MODEL,
        "baseline": BASELINE,
        "drivers": drivers,
        "causes": cause.told(),
        "mrr": None if said.mrr is None else said.mrr / 1e6,
    })  # fmt: skip


def points(hundredths: int | None) -> float | None:
    """A score as people read it, 0 to 100."""
    return None if hundredths is None else hundredths / 100

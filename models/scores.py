"""`account-scores`: what is said of an account, why, and since when. The score itself comes from its basis."""

from itertools import takewhile
from operator import attrgetter
from typing import NamedTuple

import msgspec
import xxhash

from models.account import Account, Said
from models.assignment import is_held_out
from models.bands import band_of
from models.basis import HEURISTIC, Basis, Driver, Judged, Risk
from models.clock import date_of, day_of, rfc3339, start_of
from models.closing import change_over, held_since
from models.health.label import has_come
from models.index import WEEK
from models.messages import encode
from models.product import Label, Product
from models.renewal import Renewal, renewal, renewal_date
from models.rows import Close
from models.signs import Signs, signs_of
from models.training import Training, training_of
from models.working import Working

CAUSES_KEPT = 3
WHO = ("name", "owner", "segment", "crm_url")
"""Traits of an account as a whole that say who it is, and whose."""
NOBODY = b"{}"
COME = {
    "churn": "the account has left", "conversion": "the account has converted",
    "inactivity": "the account is asleep already",
}  # fmt: skip


class Cause:
    """What came for an account in one step: how far its rows have applied each topic, and the latest events.

    The offsets are part of the rows. So a score that is sent again after a crash is sent under the same id, whatever
    batches the records are read in.
    """

    __slots__ = ("again", "rows")

    def __init__(self) -> None:
        self.rows: list[Working] = []
        """The account's rows for which something came."""
        self.again = False
        """Whether something was redelivered, so that the score is sent whether or not it has moved."""

    def add(self, working: Working) -> None:
        """Something came for this row."""
        self.rows.append(working)
        self.again = self.again or bool(working.again)

    @property
    def offsets(self) -> tuple[int, ...]:
        """How far these rows have applied each topic; nothing without any."""
        return tuple(map(max, zip(*(working.row.offsets for working in self.rows), strict=True)))

    def told(self, model_changed: bool = False) -> list[dict[str, str]]:
        """The cause in the words of the message."""
        came = [happening for working in self.rows for happening in working.came()]
        if not came:
            return [{"type": "model changed"}] if model_changed else [{"type": "time passed"}]
        came.sort(key=attrgetter("at"), reverse=True)
        latest = [happening.event for happening in reversed(came[:CAUSES_KEPT])]
        return [{"event": event.id, "type": str(event.__struct_config__.tag)} for event in latest]


PASSING_OF_TIME = Cause()


class Reading(NamedTuple):
    """An account read at a moment: what is to be said of it and what that rests on."""

    said: Said
    at: int
    day: int
    judged: Judged


def read(account: Account, now: int, closed_day: int, basis: Basis, product: Product) -> Reading:
    """Read an account at event time `now`; uses after it (the tick is behind) count already."""
    last_day = account.last_day
    day = max(day_of(now), last_day)
    judged = basis.judge(account, day)
    close = account.closes[-1] if account.closes else None
    alike = close if close is not None and close.basis == basis.kind else None
    band = band_of(judged.score, None if alike is None else alike.band, basis.bands)
    said = Said(
        score=judged.score,
        band=band,
        band_since=None if close is None else held_since(alike) if alike and alike.band == band else day,
        close_score=close.score if close else None,
        close_band=close.band if close else None,
        change_7d=change_over(account.closes, closed_day, WEEK),
        mrr=account.latest_mrr,
        renews_at=renewal_date(account.latest_renewal),
        event_has_come=has_come(account, day, product.label),
        basis=basis.name,
        signs=signs_of(account, day),
        training=training_of(account),
        traits=who_of(account),
    )
    at = max(now, start_of(last_day))
    if at < 0:  # before the first tick no time is known but that of events, and of use there has been none
        at = start_of(max(account.began, default=0))
    return Reading(said, at, day, judged)


def words_differ(account: Account, now: int) -> bool:
    """Whether signs or training of an account are others than were told last, whatever its score rests on."""
    if account.said is None:
        return True
    if training_of(account) != account.said.training:
        return True
    return signs_of(account, max(day_of(now), account.last_day)) != account.said.signs


def who_of(account: Account) -> bytes:
    """The account's own traits that say who it is, as last told, in JSON."""
    told = account.shared.traits
    return encode({name: told[name][-1][1] for name in WHO if name in told}) if told else NOBODY


def score_id(account_id: str, reading: Reading, cause: Cause) -> str:
    """The same score is sent again under the same id: derived from the account, what it rests on, and what it says."""
    return xxhash.xxh3_64_hexdigest(encode((account_id, cause.offsets or reading.at, reading.said)))


def score_message(
    account_id: str, account: Account, reading: Reading, cause: Cause, basis: Basis, product: Product
) -> bytes:
    """An `account-scores` message (EVENTS.md). With basis `heuristic` there is no probability, and it says why."""
    said, judged, before, label = reading.said, reading.judged, account.said, product.label
    week_ago = basis.inputs(account, reading.day - WEEK)
    return encode({
        "score_id": score_id(account_id, reading, cause),
        "account_id": account_id,
        "traits": msgspec.Raw(said.traits),
        "at": rfc3339(reading.at),
        "score": said.score / 100,
        "name": "activity index" if said.basis == HEURISTIC else "health score",
        "event_has_come": said.event_has_come,
        "held_out": is_held_out(account_id, product.capacity.hold_out),
        "band": said.band,
        "band_since": None if said.band_since is None else date_of(said.band_since),
        "days_in_band": None if said.band_since is None else reading.day - said.band_since,
        "close": {"score": points(said.close_score), "band": said.close_band},
        "closes": _closes(account.closes, basis.kind),
        "change_7d": points(said.change_7d),
        "basis": said.basis,
        "basis_changed": bool(account.closes) and account.closes[-1].basis != basis.kind,
        "signs": dict(zip(Signs._fields, said.signs, strict=True)),
        "training": _training(said.training),
        "probability": probability_of(reading),
        "probability_interval": interval_of(judged),
        "risk": _risk(basis.risk(judged)),
        **_at_risk(reading),
        **_renewal(reading, label),
        **({"because": because} if (because := _because(reading, label, basis)) else {}),
        "baseline": basis.baseline / 100,
        "drivers": [_driver(driver, week_ago.get(driver.feature))
                    for driver in basis.drivers(account, reading.day, judged)],
        "causes": cause.told(before is not None and before.basis != said.basis),
        "mrr": None if said.mrr is None else said.mrr / 1e6,
    })  # fmt: skip


def probability_of(reading: Reading) -> float | None:
    """Probability of the good end, to the digits of the score: more of them would be told at some times and not at
    others, since a score that has not moved is not sent again. None where the score is no probability."""
    return None if reading.judged.probability is None else reading.said.score / 10_000


def interval_of(judged: Judged) -> tuple[float, float] | None:
    """Between which values the probability lies, to the same digits."""
    if judged.interval is None:
        return None
    low, high = judged.interval
    return round(low, 4), round(high, 4)


def lost(mrr: int, probability: float) -> float:
    """Monthly revenue that is expected to be lost. mrr: in millionths. probability: of keeping it."""
    return round(mrr / 1e6 * (1 - probability), 2)


def _training(told: tuple[int, int, int, int, int | None]) -> dict[str, object]:
    found = Training(*told)
    return {**found._asdict(), "last_lesson": None if found.last_lesson is None else date_of(found.last_lesson)}


def _at_risk(reading: Reading) -> dict[str, object]:
    mrr, probability, interval = reading.said.mrr, probability_of(reading), interval_of(reading.judged)
    known = mrr is not None and probability is not None and not reading.said.event_has_come
    return {
        "revenue_at_risk": lost(mrr, probability) if known else None,
        "revenue_at_risk_interval": sorted(lost(mrr, end) for end in interval) if known and interval else None,
    }


def _renewal(reading: Reading, label: Label) -> dict[str, object]:
    renews_at = reading.said.renews_at
    if reading.said.event_has_come:
        found = Renewal(None, COME[label.kind])
    else:
        found = renewal(renews_at, reading.day, probability_of(reading), label)
    return {
        "renews_at": None if renews_at is None else rfc3339(renews_at),
        "renewal_probability": None if found.probability is None else round(found.probability, 4),
        **({} if found.because is None else {"renewal_because": found.because}),
    }


def _because(reading: Reading, label: Label, basis: Basis) -> str | None:
    """Why there is no probability, or no revenue at risk."""
    if basis.because is not None:
        return basis.because
    if reading.said.event_has_come:
        return COME[label.kind]
    return "no revenue of the account has been told" if reading.said.mrr is None else None


def _risk(risk: Risk | None) -> dict[str, float] | None:
    return None if risk is None else {
        "times_usual": round(risk.times_usual, 2),
        "watch_from": risk.watch_from,
        "at_risk_from": risk.at_risk_from,
        "usual_rate": round(risk.usual_rate, 6),
    }  # fmt: skip


def _driver(driver: Driver, before: float | None) -> dict[str, object]:
    value = driver.value
    return {
        "feature": driver.feature,
        "value": None if value is None else round(value, 4),
        "typical": None if driver.typical is None else [round(edge, 4) for edge in driver.typical],
        "change_7d": None if value is None or before is None else round(value - before, 4),
        "contribution": driver.contribution / 100,
    }


def _closes(closes: list[Close], kind: str) -> list[tuple[str, float]]:
    """Days of the last week, and one before, whose close was another than that of the day before; of scores that may be
    compared with this one: what a change is measured from."""
    alike = takewhile(lambda close: close.basis == kind, reversed(closes))
    return [(date_of(close.day), close.score / 100) for close in alike][::-1]


def points(hundredths: int | None) -> float | None:
    """A score as people read it, 0 to 100."""
    return None if hundredths is None else hundredths / 100

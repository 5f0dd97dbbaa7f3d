"""Times as sources write them, and what a local time means when the clocks are changed. Nothing is guessed.

A local time that the clock shows twice (autumn) or never (spring) is refused unless the mapping decides. Excel: days
since 1899-12-30 (1904-01-01 for old Macs), to the millisecond, which is as exact as Excel is; serials below 61 are off
by a day, because Excel believes that 1900 was a leap year, and are refused.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal
from math import isfinite
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from livelift.sources.mapping import Ambiguous, Missing
from livelift.sources.row import SourceError, Unreadable
from models.clock import EPOCH

EXCEL, EXCEL_1904 = datetime(1899, 12, 30), datetime(1904, 1, 1)
AFTER_29_FEBRUARY_1900 = 61
QUOTED = 40


@dataclass(frozen=True)
class Local:
    """What a time without an offset means."""

    zone: tzinfo | None
    ambiguous: Ambiguous = "refuse"
    missing: Missing = "refuse"

    def __call__(self, moment: datetime) -> datetime:
        """The moment with its offset; Unreadable where nobody has said what is meant."""
        if moment.tzinfo is not None:
            return moment
        if self.zone is None:
            raise Unreadable(f"{moment.isoformat(' ')} has no offset, and the mapping names no `zone`")
        first, second = (moment.replace(tzinfo=self.zone, fold=fold) for fold in (0, 1))
        if first.utcoffset() == second.utcoffset():
            return first
        if first.astimezone(UTC).astimezone(self.zone).replace(tzinfo=None) == moment:
            if self.ambiguous == "refuse":
                raise Unreadable(
                    f"{moment.isoformat(' ')} comes twice in {self.zone}: set `ambiguous` to earlier or later"
                )
            return first if self.ambiguous == "earlier" else second
        if self.missing == "refuse":
            raise Unreadable(f"{moment.isoformat(' ')} does not exist in {self.zone}: set `missing` to forward")
        return first  # by the offset before the change, as if the clock had not been put forward yet


def zone_of(name: str | None) -> tzinfo | None:
    """The zone of this name (UTC, Europe/Berlin); SourceError if there is none."""
    if name is None:
        return None
    try:
        return UTC if name == "UTC" else ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise SourceError(f"no time zone {name!r}: give one like Europe/Berlin or UTC") from error


def reader(format_: str, local: Local) -> Callable[[Any], datetime]:
    """What makes a moment with an offset of a value; raises Unreadable."""
    read = {
        "rfc3339": _iso,
        "epoch": lambda value: _epoch(_number(value)),
        "epoch_ms": lambda value: _epoch(_number(value) / 1000),
        "excel": lambda value: _excel(_number(value), EXCEL),
        "excel1904": lambda value: _excel(_number(value), EXCEL_1904),
    }.get(format_) or (lambda value: _by_format(value, format_))

    def moment(value: Any) -> datetime:
        if isinstance(value, datetime):
            return local(value)
        if isinstance(value, date):
            return local(datetime(value.year, value.month, value.day))
        try:
            return local(read(value))
        except (OverflowError, OSError) as error:
            raise Unreadable(f"{quoted(value)} is a time that no calendar has") from error

    return moment


def quoted(value: Any) -> str:
    return repr(value if len(str(value)) <= QUOTED else f"{str(value)[:QUOTED]}…")


def _iso(value: Any) -> datetime:
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return _epoch(float(value))  # the contract's other form
    try:
        return datetime.fromisoformat(value)
    except (ValueError, TypeError) as error:
        raise Unreadable(f"{quoted(value)} is not a time like 2026-05-05T08:30:00Z; name its `format`") from error


def _by_format(value: Any, format_: str) -> datetime:
    try:
        return datetime.strptime(str(value), format_)
    except ValueError as error:
        raise Unreadable(f"{quoted(value)} is not a time like {format_}") from error


def _number(value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError) as error:
        raise Unreadable(f"{quoted(value)} is not a number of seconds or days") from error
    if not isfinite(number):
        raise Unreadable(f"{quoted(value)} is a time that no calendar has")
    return number


def _epoch(seconds: float) -> datetime:
    return EPOCH + timedelta(microseconds=round(seconds * 1_000_000))


def _excel(serial: float, start: datetime) -> datetime:
    if start == EXCEL and serial < AFTER_29_FEBRUARY_1900:
        raise Unreadable(f"{serial:g} is a date in Excel's first 60 days, of which one never was")
    return start + timedelta(milliseconds=round(serial * 86_400_000))

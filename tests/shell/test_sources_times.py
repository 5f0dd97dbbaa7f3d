"""Times of sources: zones, clocks that are changed, Excel's days. Nothing is guessed."""

from datetime import UTC, date, datetime, timedelta

import pytest

from livelift.sources.row import SourceError, Unreadable
from livelift.sources.times import Local, reader, zone_of

pytestmark = pytest.mark.shell
BERLIN = zone_of("Europe/Berlin")


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text + "+00:00")


def read(value, format_="rfc3339", zone="Europe/Berlin", **decided):
    return reader(format_, Local(zone_of(zone), **decided))(value).astimezone(UTC)


def test_a_local_time_is_read_by_the_zone_in_summer_and_in_winter():
    assert read("2026-07-01 12:00:00") == utc("2026-07-01T10:00:00")
    assert read("2026-01-01 12:00:00") == utc("2026-01-01T11:00:00")
    assert read("2026-01-01") == utc("2025-12-31T23:00:00")


def test_an_offset_in_the_text_wins_over_the_zone():
    assert read("2026-07-01T12:00:00Z") == utc("2026-07-01T12:00:00")
    assert read("2026-07-01T12:00:00-05:00") == utc("2026-07-01T17:00:00")


def test_a_time_without_offset_needs_a_zone():
    with pytest.raises(Unreadable, match="2026-07-01 12:00:00 has no offset, and the mapping names no `zone`"):
        read("2026-07-01 12:00", zone=None)
    with pytest.raises(SourceError, match="no time zone 'Europe/Berlim'"):
        zone_of("Europe/Berlim")


def test_an_hour_that_comes_twice_is_refused_until_the_mapping_decides():
    with pytest.raises(Unreadable, match="2026-10-25 02:30:00 comes twice in Europe/Berlin"):
        read("2026-10-25 02:30:00")
    assert read("2026-10-25 02:30:00", ambiguous="earlier") == utc("2026-10-25T00:30:00")
    assert read("2026-10-25 02:30:00", ambiguous="later") == utc("2026-10-25T01:30:00")
    assert read("2026-10-25 03:00:00") == utc("2026-10-25T02:00:00"), "the hour after it comes once"


def test_an_hour_that_never_was_is_refused_until_the_mapping_decides():
    with pytest.raises(Unreadable, match="2026-03-29 02:30:00 does not exist in Europe/Berlin"):
        read("2026-03-29 02:30:00")
    assert read("2026-03-29 02:30:00", missing="forward") == utc("2026-03-29T01:30:00"), (
        "half past three, in summer time"
    )
    assert read("2026-03-29 03:00:00") == utc("2026-03-29T01:00:00")


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"])
def test_every_half_hour_of_a_year_comes_back_or_is_refused(zone):
    """By another route: from UTC to the wall clock and back."""
    local, moment = Local(zone_of(zone)), utc("2026-01-01T00:00:00")
    refused = 0
    for step in range(2 * 24 * 365):
        instant = moment + timedelta(minutes=30 * step)
        try:
            assert local(instant.astimezone(local.zone).replace(tzinfo=None)) == instant
        except Unreadable:
            refused += 1
    repeated = {"Europe/Berlin": 4, "America/New_York": 4, "Australia/Lord_Howe": 2, "Asia/Kolkata": 0}
    assert refused == repeated[zone], "each half hour of the repeated hour, both times"


def test_excel_counts_days_from_1899_and_old_macs_from_1904():
    assert read(45658, "excel", "UTC") == utc("2025-01-01T00:00:00")
    assert read("45658.75", "excel", "UTC") == utc("2025-01-01T18:00:00")
    assert read(44196, "excel1904", "UTC") == utc("2025-01-01T00:00:00")
    assert read(45658.5, "excel") == utc("2025-01-01T11:00:00"), "Excel's times are local"
    assert read(44838.826990740738, "excel", "UTC") == utc("2022-10-04T19:50:52"), "to the millisecond, not a bit less"
    with pytest.raises(Unreadable, match="first 60 days"):
        read(60, "excel")


def test_epochs_dates_and_formats():
    assert read(1541105830796, "epoch_ms") == utc("2018-11-01T20:57:10.796")
    assert read("1541105830", "epoch") == read(1541105830) == utc("2018-11-01T20:57:10")
    assert read("04.10.2022 19:50", "%d.%m.%Y %H:%M") == utc("2022-10-04T17:50:00")
    assert read(datetime(2026, 7, 1, 12)) == read(datetime(2026, 7, 1, 10, tzinfo=UTC))
    assert read(date(2026, 7, 1)) == utc("2026-06-30T22:00:00")


@pytest.mark.parametrize(
    ("value", "format_"),
    [("yesterday", "rfc3339"), ("31.02.2026", "%d.%m.%Y"), ("nan", "epoch"), ("1e400", "excel"), (1e18, "epoch"),
     (None, "excel"), ([], "rfc3339")],
)  # fmt: skip
def test_what_is_no_time_is_said_to_be_none(value, format_):
    with pytest.raises(Unreadable):
        read(value, format_)

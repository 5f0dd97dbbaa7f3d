"""What an account adds up from its rows."""

import pytest

from models.account import Account
from models.clock import DAY
from models.dated import is_dated
from tests.support.build import Worker, decoded, event, instant

pytestmark = pytest.mark.core


def account_of(worker: Worker) -> Account:
    return worker.partition.ledger.sums.accounts["acme"]


def test_the_renewal_is_the_one_last_told_of_over_all_rows_and_goes_with_the_row_that_said_so() -> None:
    worker = Worker()
    worker.given(event("session_started"))
    assert account_of(worker).latest_renewal is None
    worker.given(
        event("converted", instant(1), user=None, renews_at="2026-08-01T00:00:00Z"),
        event("renewed", instant(3), renews_at="2026-06-01T00:00:00Z"),
        event("mrr_changed", instant(2), user="bob", renews_at="2026-09-01T00:00:00Z"),
        event("mrr_changed", instant(4), user="bob", mrr=5),
    )
    assert account_of(worker).latest_renewal == instant(27), "a later renewal that was told of earlier counts no longer"
    worker.given(event("forget", instant(5)))
    assert account_of(worker).latest_renewal == instant(27) + 92 * DAY


def test_only_sessions_whose_length_was_told_are_read_day_by_day() -> None:
    assert not is_dated(decoded(event("session_started", country="DE")))
    assert is_dated(decoded(event("session_started", duration_s=0)))

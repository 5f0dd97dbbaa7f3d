"""Who hears when: owners, quiet hours, digests, capacity, and what becomes of a message."""

import pytest
from msgspec.structs import replace

from models.alerts.alert import Delivery, absent
from models.alerts.delivery import digest_key, failed, is_quiet, pause, sent
from models.alerts.rules import Hours
from models.clock import DAY, HOUR, SECOND
from tests.support.alerting import AT_RISK, CHANNEL, Desk, score
from tests.support.build import T0, instant

pytestmark = pytest.mark.core

DIGEST = AT_RISK + 'deliver = "digest"\n' + CHANNEL + '[hours]\ndigest_at = "08:00"\n'
"""T0 is a Tuesday, midnight UTC."""


def falls(desk: Desk, *accounts: str, owner: str | None = "olga", **given: object) -> None:
    for account in accounts:
        desk.take(score(20, account=account, traits={} if owner is None else {"owner": owner}, **given))


def test_each_owner_hears_of_their_own_accounts_and_nobodys_go_to_the_fallback() -> None:
    desk = Desk(AT_RISK + CHANNEL)
    falls(desk, "a", owner="olga")
    falls(desk, "b", owner="ben")
    falls(desk, "c", owner=None)
    assert sorted(desk.told()) == [("ben", "at-risk"), ("customer-success", "at-risk"), ("olga", "at-risk")]


@pytest.mark.parametrize("owner", [7, 7.0])
def test_an_owner_may_be_a_number(owner: float) -> None:
    desk = Desk(AT_RISK + CHANNEL)
    desk.take(score(20, traits={"owner": owner}))
    assert desk.told() == [("7", "at-risk")]


def test_a_digest_comes_once_a_day_with_all_that_wait() -> None:
    desk = Desk(DIGEST)
    falls(desk, "a", "b")
    assert desk.told() == [], "it is not eight o'clock"
    assert desk.after(hours=8).told() == [("olga", "at-risk, at-risk")]
    falls(desk, "c")
    assert desk.after(hours=12).told() == [], "today's has been sent"
    assert desk.after(hours=12).told() == [("olga", "at-risk")]


def test_quiet_hours_hold_back_and_end() -> None:
    desk = Desk(AT_RISK + CHANNEL + '[hours]\nquiet_from = "18:00"\nquiet_until = "07:30"\n')
    falls(desk, "a")
    assert desk.told() == [] and desk.after(hours=7).told() == []
    assert desk.after(hours=0.5).told() == [("olga", "at-risk")]


@pytest.mark.parametrize(
    ("hours", "day", "hour", "quiet"),
    [
        (Hours(), 0, 3, False),
        (Hours(quiet_from="18:00", quiet_until="08:00"), 0, 7.99, True),
        (Hours(quiet_from="18:00", quiet_until="08:00"), 0, 8, False),
        (Hours(quiet_from="18:00", quiet_until="08:00"), 0, 18, True),
        (Hours(quiet_from="12:00", quiet_until="13:00"), 0, 12.5, True),
        (Hours(quiet_from="12:00", quiet_until="13:00"), 0, 13, False),
        (Hours(quiet_days=("saturday", "sunday")), 4, 12, True),
        (Hours(quiet_days=("saturday", "sunday")), 6, 12, False),
        (Hours(timezone="Europe/Berlin", quiet_from="18:00", quiet_until="08:00"), 0, 6, False),
        (Hours(timezone="Asia/Tokyo", quiet_days=("saturday",)), 3, 15.5, True),
    ],
)
def test_quiet_is_by_the_owners_clock(hours: Hours, day: float, hour: float, quiet: bool) -> None:
    assert is_quiet(hours, instant(day, hour)) is quiet


def test_daylight_saving_moves_the_digest_with_the_clock() -> None:
    hours = Hours(timezone="Europe/Berlin", digest_at="08:00")
    summer, winter = instant(0, 6), instant(200, 7)  # 8 o'clock in May and in November
    for at, date in ((summer, "2026-05-05"), (winter, "2026-11-21")):
        assert digest_key("olga", hours, at - SECOND) is None
        assert digest_key("olga", hours, at) == f"digest-olga-{date}"


def test_beyond_an_owners_capacity_the_most_revenue_comes_first_and_the_others_wait() -> None:
    desk = Desk(AT_RISK + CHANNEL, capacity=2)
    for account, lost in (("a", 10.0), ("b", 500.0), ("c", 30.0), ("d", None)):
        falls(desk, account, revenue_at_risk=lost)
    desk.told()
    told = [alert.account_id for alert in desk.book.by_id.values() if alert.told]
    assert sorted(told) == ["b", "c"]
    assert desk.after(days=6).told() == [], "the week is not over"
    assert len(desk.after(days=1).told()) == 2
    assert not desk.book.waiting


def test_capacity_is_an_owners_own() -> None:
    desk = Desk(AT_RISK + CHANNEL, capacity=1)
    falls(desk, "a", "b", owner="olga")
    falls(desk, "c", owner="ben")
    assert sorted(desk.told()) == [("ben", "at-risk"), ("olga", "at-risk")]


def test_where_no_channel_reaches_an_owner_it_is_said_so_on_the_alert() -> None:
    desk = Desk(AT_RISK + CHANNEL + 'owners = ["ben"]\n')
    falls(desk, "a")
    assert desk.told() == [] and desk.only.held == "no channel reaches olga" and desk.only.active


# -- what becomes of a message -------------------------------------------------------------------------------------------


def test_a_message_is_tried_ever_later_for_a_day_and_then_given_up() -> None:
    assert [pause(tries) / SECOND for tries in (1, 2, 3, 10, 11, 200)] == [1, 2, 4, 512, 900, 900]
    alert = absent("acme", "at-risk", "at_risk")

    alert = replace(alert, deliveries=(Delivery("chat", "m", since=T0), Delivery("mail", "m", since=T0)))
    failing = failed(alert, "m", "chat", "answered 500", T0 + HOUR)
    assert failing.transition == "failing" and failing.deliveries[0].tries == 1 and len(failing.due) == 2
    given_up = failed(failing, "m", "chat", "answered 500", T0 + DAY)
    assert (given_up.deliveries[0].state, given_up.deliveries[0].error) == ("undeliverable", "answered 500")
    assert [one.channel for one in given_up.due] == ["mail"], "the other channel goes on"
    assert sent(given_up, "m", "mail", T0, T0).due == ()


def test_what_was_dropped_too_late_has_been_told_and_is_not_told_again_when_it_comes_back() -> None:
    desk = Desk(AT_RISK + CHANNEL)
    falls(desk, "a")
    assert desk.told(taken=False) == [("olga", "at-risk")]
    (under_way,) = desk.only.deliveries
    desk.take(score(80, account="a"))
    falls(desk, "a")
    assert (desk.only.deliveries[0].state, desk.only.waiting) == ("dropped", desk.now), "as far as is known, unheard"
    desk.book.put(sent(desk.only, under_way.message, under_way.channel, desk.now, desk.now))
    assert desk.only.told == (desk.now,)
    assert desk.told() == []

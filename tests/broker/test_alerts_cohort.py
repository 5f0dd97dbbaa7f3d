"""A cohort with known declines is played through everything: who hears what when, and who does not."""

from collections import Counter
from collections.abc import Iterator
from email.message import Message
from html import escape
from pathlib import Path
from typing import Any

import pytest

from models.assignment import is_held_out
from models.clock import SECOND
from tests.support.alert_cohort import (
    DUSK,
    EVENING,
    MORNING,
    NIGHT,
    Customer,
    Feed,
    Moment,
    Telling,
    by_hook,
    by_mail,
    date,
    html_of,
)  # fmt: skip
from tests.support.build import event
from tests.support.listening import Hook, mailbox
from tests.support.office import SECRET, Office
from tests.support.stack import Reading, running, until

pytestmark = [pytest.mark.broker, pytest.mark.timeout(240)]

HELD_OUT = 0.02
PRODUCT = f"""
[capacity]
per_owner_per_week = 3
hold_out = {HELD_OUT}
"""
RULES = """
account_page = "https://crm.example/accounts/{account_id}"
[hours]
quiet_from = "18:00"
quiet_until = "07:30"
quiet_days = ["saturday", "sunday"]
digest_at = "08:00"
[[channel]]
id = "hook"
url = "HOOK"
secret = "${HOOK_SECRET}"
[[channel]]
id = "mail-ben"
url = "mailto://127.0.0.1:PORT?from=livelift@example.com&to=ben@example.com"
owners = ["ben"]
[[channel]]
id = "mail-dora"
url = "mailto://127.0.0.1:PORT?from=livelift@example.com&to=dora@example.com"
owners = ["dora"]

[[rule]]
id = "at-risk"
when = { band = "at_risk" }
segments = ["large"]
cooldown_days = 20
[[rule]]
id = "falling"
title = "is falling"
when = { drop = 15, within_days = 7 }
segments = ["small"]
deliver = "digest"
[[rule]]
id = "champion-gone"
when = { champion_gone_days = 11 }
[[rule]]
id = "nobody-trained"
when = { trained_gone_days = 12 }
[[rule]]
id = "tickets"
when = { tickets_open = 3 }
[[rule]]
id = "payment"
when = { payments_failed = 1 }
cooldown_days = 7
[[rule]]
id = "stuck"
when = { stuck = {} }
"""
HEBREW, MARKUP = "חברת שלום", "<script>alert('Acme')</script>"


def cohort() -> Iterator[Customer]:
    """Who uses the product on two days only (s, s + 1) has an activity index of 68, which falls to 34 on day s + 8, when
    nobody was there for a week, and to 26.9 on day s + 14, which is clearly below 30: at risk."""
    yield Customer("steady", "olga")
    yield (
        Customer("almost", "olga").on([2], "task_failed", "ann", task="1").on([6], "ticket_opened", "ann", ticket="A")
        .on([7], "ticket_opened", "ann", ticket="B").on([8], "ticket_closed", "ann", ticket="A")
        .on([9], "ticket_opened", "ann", ticket="C")
    )  # fmt: skip
    yield Customer("fade-once", "olga", visits=[0, 1])
    yield Customer("back-soon", "carol", visits=[2, 3, 18])
    yield Customer("back-late", "ben", visits=[2, 3, 18, 28])
    yield Customer("weekend", "ben", name=HEBREW, visits=[4, 5])
    yield Customer("ownerless", None, visits=[0, 1])
    yield Customer("left", "olga", visits=[0, 1]).on([0], "converted", mrr=100).on([9], "churned")
    yield Customer("small-1", "dora", "small", visits=[0, 1])
    yield Customer("small-2", "dora", "small", visits=[0, 1])
    yield Customer("small-3", "dora", "small", visits=[1, 2])
    yield (
        Customer("champion", "ben").on([0], "member_added", "carl", role="champion")
        .on([0, 2, 20], "core_action", "carl", feature="report")
    )  # fmt: skip
    yield (
        Customer("trained", "olga")
        .on([0], "lesson_completed", "tina", lesson="basics")
        .on([1], "core_action", "tina", feature="report")
    )
    yield Customer("payer", "olga").on([6, 9, 14], "payment_failed").on([8, 10], "payment_succeeded")
    yield Customer("evening", "olga").on([6], "payment_failed", hour=EVENING)
    yield (
        Customer("paid-soon", "olga").on([6], "payment_failed", hour=EVENING)
        .on([7], "payment_succeeded", hour=NIGHT)
    )  # fmt: skip
    tickets = Customer("tickets", "ben", name=MARKUP)
    everything = Customer("everything", "dan").on([6], "payment_failed")
    for day, ticket in ((6, "A"), (6, "B"), (7, "C")):
        tickets.on([day], "ticket_opened", "ann", ticket=ticket)
        everything.on([7], "ticket_opened", "ann", ticket=ticket)
    everything.on([8, 8], "task_failed", "ann", task="1").on([9, 9], "task_failed", "zoe", task="1")
    yield from (tickets, everything)
    yield Customer("stuck-fails", "olga").on([7, 7], "task_failed", "ann", task="1")
    yield (
        Customer("stuck-slow", "carol").on([6], "task_started", "ann", task="1")
        .on([9], "task_completed", "ann", task="1")
    )  # fmt: skip
    yield (
        Customer("handed-over", "carol").on([14, 22], "payment_failed").on([16], "payment_succeeded")
        .on([20], "traits_set", None, owner="ben")
    )  # fmt: skip
    for number in range(1, 5):  # the more days of use, the higher the index
        yield Customer(f"flood-{number}", "finn", "mid", visits=range(number)).on([6], "payment_failed", hour=EVENING)
    yield Customer(held_out(), "olga", visits=[0, 1]).on([6], "payment_failed")


def held_out() -> str:
    """An account that is among those that nobody is alerted to."""
    return next(name for number in range(1000) if is_held_out(name := f"held-out-{number}", HELD_OUT))


TABLE = """
2026-05-05  operator          hook  -            started         once, at the very first start
2026-05-11  olga              hook  payer        payment
2026-05-11  dan               hook  everything   payment
2026-05-12  olga              hook  evening      payment         failed at eight in the evening, paid-soon did, too
2026-05-12  olga              hook  stuck-fails  stuck
2026-05-12  ben               hook  tickets      tickets
2026-05-12  ben               mail  tickets      tickets
2026-05-12  dan               hook  everything   tickets
2026-05-12  finn              hook  flood-1      payment         the lowest scores first, three a week
2026-05-12  finn              hook  flood-2      payment
2026-05-12  finn              hook  flood-3      payment
2026-05-13  carol             hook  stuck-slow   stuck
2026-05-13  dan               hook  everything   stuck           zoe's on the day after is the fourth in a week
2026-05-13  dora              hook  small-1      falling         one digest
2026-05-13  dora              hook  small-2      falling
2026-05-13  dora              mail  small-1      falling
2026-05-13  dora              mail  small-2      falling
2026-05-14  dora              hook  small-3      falling
2026-05-14  dora              mail  small-3      falling
2026-05-18  ben               hook  champion     champion-gone
2026-05-18  ben               mail  champion     champion-gone
2026-05-18  olga              hook  trained      nobody-trained
2026-05-19  olga              hook  fade-once    at-risk
2026-05-19  olga              hook  payer        payment         the third failure; the second was within 7 days
2026-05-19  customer-success  hook  ownerless    at-risk
2026-05-19  carol             hook  handed-over  payment
2026-05-19  finn              hook  flood-4      payment         a week after the others
2026-05-21  carol             hook  back-soon    at-risk         again on 06-05, within 20 days: not told
2026-05-21  ben               hook  back-late    at-risk
2026-05-21  ben               mail  back-late    at-risk
2026-05-25  ben               hook  weekend      at-risk         since Saturday
2026-05-25  ben               mail  weekend      at-risk
2026-05-27  ben               hook  handed-over  payment         another owner since 05-25
2026-05-27  ben               mail  handed-over  payment
2026-06-05  ben               hook  champion     champion-gone   back in between
2026-06-05  ben               mail  champion     champion-gone
2026-06-15  ben               hook  back-late    at-risk         25 days later
2026-06-15  ben               mail  back-late    at-risk
"""
SILENT = {"steady", "almost", "left", "paid-soon", held_out()}
"""Of these nobody hears at all."""
STEPS = [
    Moment(0, MORNING), Moment(6, MORNING), Moment(6, DUSK), Moment(6, EVENING), Moment(7, NIGHT), Moment(7, MORNING),
    Moment(8, NIGHT), Moment(8, MORNING), Moment(9, NIGHT), Moment(9, MORNING), Moment(13, MORNING),
    Moment(14, MORNING), Moment(16, MORNING), Moment(18, MORNING), Moment(20, MORNING), Moment(22, MORNING),
    Moment(31, MORNING), Moment(41, MORNING),
]  # fmt: skip
"""Up to here is played, then waited until all of it is told: what is told then belongs to that day."""
AT_WORK, AT_ONCE = Moment(7, MORNING), Moment(14, MORNING)
"""The alerts process is killed while it sends, and as soon as a day has been sent."""


class Day:
    """The cohort's installation at work: plays up to a moment, and waits until everybody has heard."""

    def __init__(self, office: Office, mails: list[Message], customers: list[Customer]) -> None:
        self.office, self.mails, self.reading = office, mails, Reading(office.settings)
        self.lamps = [Customer(f"lamp-{number}", "operator", "none", visits=[0]) for number in range(len(STEPS))]
        self.feed = Feed(office.settings, [*customers, *self.lamps])
        self.told = Counter[Telling]()
        self.keys = Counter[str]()
        """Of webhooks: how often a message came, by its idempotency key."""
        self._mailed = 0

    def play(self, moment: Moment, kill: bool) -> None:
        """Until all of it is scored and decided on; then the operator, who hears at any hour, is told of a lamp: all
        others are by then, or wait; and what is being sent is taken."""
        self.feed.play(moment)
        if kill and moment == AT_ONCE:
            self._kill()
        self.reading.settled(time=moment.at, with_list=False)
        ends = self.reading.ends(("account-scores", "journey-signals"))
        until("all scores are decided on", lambda: self._decided(ends))
        lamp, heard = self.lamps[STEPS.index(moment)].account, len(self.office.hook.heard)
        self.feed.happen(event("payment_failed", moment.at + 10 * 60 * SECOND, lamp, None))
        if kill and moment == AT_WORK:
            until("somebody has heard", lambda: len(self.office.hook.heard) > heard)
            self._kill()
        until("the lamp is seen", lambda: ("operator", lamp, "payment") in self.office.hook.told())
        until("everything is taken", lambda: not any(
            delivery["state"] == "due" for alert in self.office.open().values() for delivery in alert["deliveries"]
        ))  # fmt: skip
        if moment == STEPS[0]:
            until("it is known that alerts have begun", lambda: ("operator", "", "started") in self.office.hook.told())
        self._note(date(moment))

    def _kill(self) -> None:
        self.office.kill()
        self.office.start()

    def _decided(self, ends: dict[tuple[str, int], int]) -> bool:
        done = self.reading.acknowledged("livelift-alerts")
        return all(done.get(where, -1) >= end for where, end in ends.items())

    def _note(self, date: str) -> None:
        """What is new belongs to this day. A webhook under a key that is known is the same message, come again."""
        for one in [*self.office.hook.heard][self.keys.total() :]:
            self.told.update(by_hook(one, date) if one.key not in self.keys else ())
            self.keys[one.key] += 1
        mails = self.mails[self._mailed :]
        self._mailed += len(mails)
        self.told.update(by_mail(mails, date))

    @property
    def heard(self) -> Counter[Telling]:
        """Who heard what when, without what only helps to wait."""
        return Counter({one: times for one, times in self.told.items() if not one.account.startswith("lamp-")})


def expected() -> list[Telling]:
    """The table, without what it says beside."""
    return [Telling(*line.split()[:5]) for line in TABLE.strip().splitlines()]


def rules_of(hook: str, port: int) -> str:
    return RULES.replace("HOOK", hook, 1).replace("PORT", str(port))


@pytest.mark.parametrize("kill", [False, True], ids=["undisturbed", "killed twice"])
def test_each_owner_of_a_cohort_with_known_declines_hears_once_of_each_episode_and_nobody_else(
    namespace: Any, tmp_path: Path, kill: bool
) -> None:
    customers = [*cohort()]
    assert [one.account for one in customers if is_held_out(one.account, HELD_OUT)] == [held_out()]
    (tmp_path / "livelift.toml").write_text(PRODUCT)
    settings = namespace(partitions=2, session_timeout_s=6.0, config=tmp_path / "livelift.toml")
    with Hook(SECRET) as hook, mailbox() as (port, mails), running(settings) as stack:
        office = Office(settings, tmp_path, hook, rules_of(hook.url, port))
        office.instance = "alerts"
        hook.slow = 0.05 if kill else 0.0
        day = Day(office, mails, customers)
        try:
            office.start()
            for moment in STEPS:
                day.play(moment, kill)
            stack.check()
        finally:
            office.stop()
    again = {"hook": day.keys.total() - len(day.keys), "mail": day.heard.total() - len(day.heard)}
    assert max(again.values()) <= (2 if kill else 0), f"{again} came twice; at each kill one at most was under way"
    assert all(times == 1 for one, times in day.heard.items() if one.channel == "hook"), "a key tells the same from new"
    heard, table = set(day.heard), set(expected())
    assert heard == table, "\n".join(
        [f"not heard: {one}" for one in sorted(table - heard)] + [f"heard: {one}" for one in sorted(heard - table)]
    )
    assert {one.account for one in customers} - {one.account for one in day.heard} == SILENT
    assert all(one.signed for one in hook.heard)
    assert_names_are_only_names(mails)


def assert_names_are_only_names(mails: list[Message]) -> None:
    """Whatever an account is called can be read, and is nothing but read."""
    pages = [html_of(mail) for mail in mails]
    assert any(f"\u2068{HEBREW}\u2069" in page for page in pages)
    assert any(escape(MARKUP) in page for page in pages)
    assert not any("<script" in page for page in pages)

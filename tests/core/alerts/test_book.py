"""The commands that were refused, as the book remembers them; who has put an alert into its state; what is undecided."""

from typing import Any

import pytest

from models.alerts.alert import Alert, Refused, Source, decode_alert, encode_alert
from models.alerts.book import LONGEST, REFUSED_KEPT, Book
from models.alerts.decide import NO_SUCH, Command, forgotten, of_command
from models.alerts.notices import refused
from models.clock import DAY
from tests.support.alerting import AT_RISK, CHANNEL, Desk, score
from tests.support.build import T0


def no(alert_id: str, offset: int, at: int = T0, **given: Any) -> Alert:
    command = Command(**{"alert_id": alert_id, "account_id": "acme", "do": "reopen", "by": "ann", "at": at, **given})
    return refused(command, "why not", at, Source("alert-commands", 0, offset))


@pytest.fixture
def desk() -> Desk:
    made = Desk(AT_RISK + CHANNEL)
    made.take(score(10), score(10, account="zeta"))
    return made


def test_the_last_refused_commands_are_remembered_each_once_and_are_no_alerts(desk):
    first, second = desk.book.by_id
    for offset in range(REFUSED_KEPT + 3):
        desk.book.put(no(first, offset))
    desk.book.put(no(first, REFUSED_KEPT + 2))
    held = [one.source.offset for one in desk.book.refused.values()]
    assert held == [*range(3, REFUSED_KEPT + 3)]
    assert set(desk.book.by_id) == {first, second}
    assert [one["rule"] for one in desk.book.report([])] == ["at-risk"], "it is no rule of anybody's"


def test_what_was_asked_and_by_whom_is_in_the_topic_and_found_there_again(desk):
    (alert, _) = desk.book.by_id
    again = Book()
    for one in (*desk.transitions, no(alert, 7, do="snooze")):
        again.put(decode_alert(encode_alert(one)))
    (kept,) = again.refused.values()
    assert (kept.evidence, kept.by, kept.reason, kept.because) == ({"do": "snooze"}, "ann", alert, "why not")
    assert "acme" not in repr(kept), "of whose alert it was its id tells"


def test_of_a_forgotten_alert_no_refused_command_is_remembered_and_a_later_one_names_none(desk):
    acme, zeta = desk.book.by_id.values()
    for number, one in enumerate((acme, zeta)):
        desk.book.put(no(one.id, number))
    desk.book.put(forgotten(acme, T0))
    assert [one.reason for one in desk.book.refused.values()] == [zeta.id]
    desk.book.put(no(acme.id, 2))
    assert [one.reason for one in desk.book.refused.values()] == [zeta.id, ""]
    desk.take(score(10))
    assert [one.reason for one in desk.book.refused.values()] == [zeta.id, ""], "nor when the account is back"


def test_on_a_forgotten_alert_nothing_can_be_done(desk):
    acme, _ = desk.book.by_id.values()
    gone = forgotten(acme, T0)
    for do in ("reopen", "retry", "resolve"):
        asked = Command(alert_id=acme.id, account_id="acme", do=do, by="ann", at=T0, verdict="useful")
        assert of_command(gone, asked, T0) == of_command(None, asked, T0) == Refused(NO_SUCH)


def test_what_was_refused_long_ago_is_let_go(desk):
    desk.book.put(no("x", 0))
    desk.book.sweep(T0 + (LONGEST - 1) * DAY)
    assert desk.book.refused
    desk.book.sweep(T0 + (LONGEST + 1) * DAY)
    assert not desk.book.refused


def test_a_command_is_decided_on_once_and_a_score_that_may_have_made_more_than_was_written_again(desk):
    assert (desk.book.begins("account-scores", 1), desk.book.begins("alert-commands", 0)) == (-1, 0)
    desk.book.put(no("x", 4))
    desk.book.put(Alert(id="a", account_id="a", rule="r", reason="", source=Source("account-scores", 1, 9)))
    assert (desk.book.begins("account-scores", 1), desk.book.begins("alert-commands", 0)) == (9, 5)


def test_who_has_taken_an_alert_up_is_known_until_it_is_in_another_state():
    desk = Desk(AT_RISK + CHANNEL)
    desk.take(score(20))
    desk.asks("acknowledge")
    assert desk.take(score(10)) == ["at-risk: updated"] and desk.only.by == "olga"
    desk.asks("snooze", until=desk.now + DAY)
    desk.after(days=2)
    assert (desk.only.state, desk.only.by) == ("open", None)
    desk.asks("resolve", verdict="useful")
    desk.take(score(90))
    assert (desk.only.state, desk.only.by) == ("over", None)

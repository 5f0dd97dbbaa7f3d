"""The rule engine: what comes of scores, signals, commands and time; who would hear, and who would not."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.alerts.alert import Alert, Refused
from models.alerts.book import Book
from models.alerts.delivery import sent
from models.alerts.life import ACTIVE, COMMANDS, TABLE, printed
from models.clock import DAY, date_of, day_of
from tests.support.alerting import AT_RISK, CHANNEL, Desk, score, signal
from tests.support.build import FIRST_DAY, T0, Json, checked, instant

pytestmark = pytest.mark.core


def rule(when: str, id_: str = "rule", more: str = "") -> str:
    return f'[[rule]]\nid = "{id_}"\nwhen = {{ {when} }}\n{more}'


def closes(*points: float) -> list[tuple[str, float]]:
    """Closes of the days up to yesterday, the last one last."""
    return [(date_of(FIRST_DAY - ago), value) for ago, value in zip(range(len(points), 0, -1), points, strict=True)]


# -- conditions ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("when", "holding", "still", "over"),
    [
        ('band = "at_risk"', {"points": 20}, {"points": 29}, {"points": 31}),
        ('band = ["watch", "at_risk"]', {"points": 40}, {"points": 59}, {"points": 61}),
        ('left_band = "healthy"', {"points": 50, "close": {"band": "healthy"}}, {"points": 50}, {"points": 70}),
        ("score_below = 40", {"points": 39}, {"points": 42.9}, {"points": 43}),
        ("drop = 10", {"points": 70, "closes": closes(80, 80, 80, 80, 80, 80, 80)},
         {"points": 75, "closes": closes(80, 80, 80, 80, 80, 80, 80)},
         {"points": 76, "closes": closes(80, 80, 80, 80, 80, 80, 80)}),
        ("probability_below = 0.5", {"probability": 0.4}, {"probability": 0.55}, {"probability": 0.56}),
        ("revenue_at_risk = 100", {"revenue_at_risk": 100}, {"revenue_at_risk": 90}, {"revenue_at_risk": 89}),
        ("champion_gone_days = 14", {"signs": {"champion_gone_days": 14}}, {"signs": {"champion_gone_days": 28}},
         {"signs": {"champion_gone_days": 0}}),
        ("trained_gone_days = 7", {"signs": {"trained_gone_days": 7}}, {"signs": {"trained_gone_days": 8}},
         {"signs": {"trained_gone_days": None}}),
        ("tickets_open = 3", {"signs": {"tickets_open": 3}}, {"signs": {"tickets_open": 5}}, {"signs": {"tickets_open": 2}}),
        ("payments_failed = 1", {"signs": {"payments_failed": 1}}, {"signs": {"payments_failed": 2}}, {"signs": {}}),
        ("on_capacity_list = true", {"listed": True}, {"listed": True}, {"listed": False}),
        ('tickets_open = 3, band = "watch"', {"points": 50, "signs": {"tickets_open": 3}},
         {"points": 55, "signs": {"tickets_open": 3}}, {"points": 55, "signs": {"tickets_open": 1}}),
    ],
)  # fmt: skip
def test_a_condition_opens_an_alert_keeps_it_open_and_ends_it(
    when: str, holding: Json, still: Json, over: Json
) -> None:
    desk = Desk(rule(when))
    assert desk.take(score(**over)) == [], "it does not hold yet"
    assert desk.take(score(**holding)) == ["rule: opened"]
    assert desk.take(score(**still)) in ([], ["rule: updated"])
    assert desk.only.state == "open"
    assert desk.take(score(**over)) == ["rule: ended"]


@pytest.mark.parametrize(
    ("when", "holding", "unknown"),
    [
        ("probability_below = 0.5", {"probability": 0.4}, {"probability": None}),
        ("revenue_at_risk = 100", {"revenue_at_risk": 100}, {"revenue_at_risk": None}),
        ("drop = 10", {"points": 60, "closes": closes(80, 80, 80, 80, 80, 80, 80)}, {"points": 10, "closes": []}),
        ("on_capacity_list = true", {"listed": True}, {"listed": None}),
    ],
)
def test_what_is_not_known_neither_opens_an_alert_nor_ends_it(when: str, holding: Json, unknown: Json) -> None:
    desk = Desk(rule(when))
    assert desk.take(score(**unknown)) == []
    assert desk.take(score(**holding), score(**unknown)) == ["rule: opened"]
    assert desk.only.state == "open"


@given(
    st.lists(st.tuples(st.floats(0, 100), st.booleans()), min_size=1, max_size=20),
    st.sampled_from(["probability_below = 0.99", "revenue_at_risk = 0.01"]),
)
@checked(100)
def test_rules_of_money_and_probability_never_fire_on_an_index(points: list[tuple[float, bool]], when: str) -> None:
    desk = Desk(rule(when))
    for value, changed in points:  # as the scorer sends them: an index has neither
        assert desk.take(score(value, basis_changed=changed)) == []


@pytest.mark.parametrize(("days", "drop"), [(1, 5.0), (2, 15.0), (7, 25.0)])
def test_a_drop_is_measured_from_the_close_of_so_many_days_ago(days: int, drop: float) -> None:
    history = closes(75, 75, 75, 75, 75, 65, 55)  # the last of these closed yesterday
    given = score(50, at=instant(0, 12), closes=history)
    assert Desk(rule(f"drop = {drop}, within_days = {days}")).take(given) == ["rule: opened"]
    assert Desk(rule(f"drop = {drop + 0.1}, within_days = {days}")).take(given) == []


def test_only_the_days_on_which_a_close_changed_are_told_and_hold_until_the_next() -> None:
    given = score(50, at=instant(0, 12), closes=[(date_of(FIRST_DAY - 30), 75.0)])
    assert Desk(rule("drop = 25")).take(given) == ["rule: opened"]


def test_a_rule_for_segments_is_for_no_others() -> None:
    desk = Desk(rule('band = "at_risk"', more='segments = ["large"]\n'))
    assert desk.take(score(10, traits={"segment": "small"}), score(10)) == []
    assert desk.take(score(10, traits={"segment": "large"})) == ["rule: opened"]


def test_worse_by_another_band_is_another_alert_and_takes_the_place_of_the_first() -> None:
    desk = Desk(rule('band = ["watch", "at_risk"]'))
    assert desk.take(score(50), score(20)) == ["rule: opened", "rule: ended", "rule: opened"]
    assert [alert.reason for alert in desk.book.open()] == ["at_risk"]


# -- the life of an alert ------------------------------------------------------------------------------------------------


def test_the_table_keeps_its_promises() -> None:
    told = {(state, how) for (state, how), step in TABLE.items() if step.tells}
    assert told == {("absent", "holds"), ("noted", "worse"), ("over", "holds"), ("snoozed", "wakes")}
    assert not any(step.tells for (_, how), step in TABLE.items() if how == "holds quietly" or how in COMMANDS)
    for state in (*ACTIVE, "noted", "closed"):
        assert TABLE[state, "ends"].to == "over", "every episode comes to an end"
    assert len(printed()) == len(TABLE)


def test_a_repeat_updates_the_alert_and_tells_nobody() -> None:
    desk = Desk(AT_RISK + CHANNEL)
    assert desk.take(score(20)) == ["at-risk: opened"]
    assert desk.told() == [("olga", "at-risk")]
    assert desk.take(score(20), score(20.4), score(19), score(12)) == ["at-risk: updated"] * 2, "a point is news"
    assert desk.told() == [] and desk.only.evidence["score"] == 12


def test_a_score_that_flaps_around_a_threshold_is_told_once() -> None:
    desk = Desk(rule("score_below = 40") + CHANNEL)
    heard = []
    for number in range(1000):
        desk.after(hours=0.01)
        desk.take(score(39 if number % 2 else 50))
        heard += desk.told()
    assert heard == [("olga", "rule")]
    assert desk.only.episode == 500 and len(desk.only.told) == 1


def test_a_new_episode_is_told_after_the_cooldown_and_not_before() -> None:
    desk = Desk(rule('band = "at_risk"', more="cooldown_days = 3\n") + CHANNEL)
    heard = []
    for days in (0, 1, 1, 1, 3):
        desk.after(days=days).take(score(70), score(10))
        heard += [(day_of(desk.now - T0), *one) for one in desk.told()]
    assert heard == [(0, "olga", "rule"), (3, "olga", "rule"), (6, "olga", "rule")]


def test_of_one_account_no_more_is_told_than_the_limit() -> None:
    rules = "".join(rule(f"score_below = {40 + n}", f"r{n}") for n in range(5)) + CHANNEL
    desk = Desk(rules + "[limits]\nper_account = 2\ndays = 7\n")
    desk.take(score(10))
    assert sorted(rule for _, rule in desk.told()) == ["r0", "r1"]
    assert [alert.held for alert in desk.book.open()].count(None) == 2
    assert "2 alerts of the account were told within 7 days" in {alert.held for alert in desk.book.open()}
    desk.after(days=8).take(score(90), score(10))
    assert sorted(rule for _, rule in desk.told()) == ["r2", "r3"], "of these nobody has heard yet"


def test_an_alert_that_ends_before_anybody_has_heard_is_not_told_and_counted() -> None:
    desk = Desk(AT_RISK + CHANNEL)
    desk.take(score(20), score(70))
    assert desk.told() == []
    (counted,) = desk.book.report(["at-risk"])
    assert (counted["opened"], counted["told"], counted["ended_unheard"]) == (1, 0, 1)
    desk.take(score(20))
    assert desk.told() == [("olga", "at-risk")], "nobody has heard of it: no cooldown"


def test_what_was_due_and_not_sent_when_it_ended_does_not_count_as_told() -> None:
    desk = Desk(AT_RISK + CHANNEL)
    desk.take(score(20))
    assert desk.told(taken=False) == [("olga", "at-risk")]
    desk.take(score(70))  # the channel was down all the while
    assert desk.only.due == () and desk.only.told == ()
    desk.take(score(20))
    assert desk.told() == [("olga", "at-risk")]


def test_what_was_being_sent_when_it_ended_counts_as_told_when_the_channel_says_so() -> None:
    desk = Desk(AT_RISK + CHANNEL)
    desk.take(score(20))
    desk.told(taken=False)
    (one,) = desk.only.due
    desk.take(score(70))
    desk.book.put(sent(desk.only, one.message, one.channel, desk.now, desk.now))
    desk.take(score(20))
    assert desk.told() == [] and "told at" in str(desk.only.held)


@pytest.mark.parametrize("switch", [{"basis_changed": True}, {"causes": [{"type": "model changed"}]}])
def test_when_only_the_model_has_changed_nobody_is_told_until_it_gets_clearly_worse(switch: Json) -> None:
    desk = Desk(AT_RISK + CHANNEL)
    desk.take(score(70))
    assert desk.take(score(25, **switch)) == ["at-risk: noted"]
    assert desk.take(score(24), score(21)) == [] and desk.told() == [] and not list(desk.book.open())
    assert desk.take(score(20)) == ["at-risk: opened"] and desk.told() == [("olga", "at-risk")]


def test_what_was_noted_ends_and_opens_again_as_any_other() -> None:
    desk = Desk(AT_RISK + CHANNEL)
    desk.take(score(25), quietly=True)
    assert desk.take(score(70), score(25)) == ["at-risk: ended", "at-risk: opened"]
    assert desk.told() == [("olga", "at-risk")]


@pytest.mark.parametrize("nothing", [{"held_out": True}, {"event_has_come": True}])
def test_nobody_is_alerted_to_accounts_that_are_held_out_or_have_left(nothing: Json) -> None:
    desk = Desk(AT_RISK + CHANNEL)
    assert desk.take(score(10, **nothing)) == []
    assert desk.take(score(10), score(10, **nothing)) == ["at-risk: opened", "at-risk: ended"]
    assert desk.only.because and desk.told() == []


# -- signals -------------------------------------------------------------------------------------------------------------


def test_each_stuck_user_is_an_alert_of_its_own_and_ends_with_the_trouble() -> None:
    desk = Desk(rule("stuck = {}", "stuck") + CHANNEL)
    assert desk.take(signal("ann"), signal("ben"), signal("ann")) == ["stuck: opened"] * 2
    assert {alert.reason for alert in desk.book.open()} == {"getting-started/ann/2", "getting-started/ben/2"}
    assert desk.take(signal("ann", task="3")) == ["stuck: ended", "stuck: opened"], "stuck elsewhere"
    assert desk.take(signal("ann", task=None), signal("ben", left=True)) == ["stuck: ended"] * 2
    assert desk.take(score(80)) == []


@pytest.mark.parametrize(
    ("asked", "opens"),
    [('journey = "getting-started"', True), ('journey = "other"', False), ('task = "2"', True), ('task = "1"', False)],
)
def test_a_rule_may_ask_for_one_journey_or_one_task(asked: str, opens: bool) -> None:
    assert bool(Desk(rule(f"stuck = {{ {asked} }}")).take(signal())) is opens


def test_of_somebody_forgotten_nothing_stays_but_that_there_was_an_alert() -> None:
    desk = Desk(rule("stuck = {}", "stuck") + CHANNEL)
    desk.take(signal("ann", traits={"name": "Acme"}), signal("ben"))
    gone = {"account_id": "acme", "user_id": "ann", "forgotten": True}
    assert desk.take(gone) == ["stuck: forgotten"]
    left = [alert for alert in desk.book.by_id.values() if alert.transition == "forgotten"]
    assert len(left) == 1 and not left[0].evidence and "ann" not in repr(left[0]) and "acme" not in repr(left[0])
    assert [alert.reason for alert in desk.book.alerts_of("acme").values()] == ["getting-started/ben/2"]


# -- commands ------------------------------------------------------------------------------------------------------------


def test_whoever_acknowledges_an_alert_hears_no_more_of_its_episode() -> None:
    desk = Desk(AT_RISK + CHANNEL)
    desk.take(score(20))
    assert isinstance(desk.asks("acknowledge"), Alert)
    assert desk.told() == [] and desk.take(score(10)) == ["at-risk: updated"]
    assert desk.only.state == "acknowledged"


def test_a_snoozed_alert_is_told_again_when_its_time_has_come_if_it_still_holds() -> None:
    desk = Desk(AT_RISK + CHANNEL)
    desk.take(score(20))
    assert desk.told() == [("olga", "at-risk")]
    desk.asks("snooze", until=desk.now + 2 * DAY)
    assert desk.after(days=1).told() == [] and desk.only.state == "snoozed"
    assert desk.after(days=1).told() == [("olga", "at-risk")] and desk.only.state == "open"
    desk.asks("snooze", until=desk.now + 2 * DAY)
    desk.take(score(70))
    assert desk.after(days=3).told() == [] and desk.only.state == "over"


def test_a_resolved_alert_stays_closed_while_it_holds_and_its_verdict_is_counted() -> None:
    desk = Desk(AT_RISK + CHANNEL)
    desk.take(score(20))
    desk.told()
    assert isinstance(desk.asks("resolve", verdict="useful"), Alert)
    assert desk.take(score(10)) == [] and desk.only.state == "closed"
    assert desk.take(score(70)) == ["at-risk: ended"]
    assert isinstance(desk.asks("resolve", verdict="already known"), Alert), "on second thoughts"
    (counted,) = desk.book.report([])
    assert (counted["useful"], counted["already known"], counted["not useful"]) == (0, 1, 0)


def test_a_closed_alert_can_be_reopened() -> None:
    desk = Desk(AT_RISK + CHANNEL)
    desk.take(score(20))
    desk.told()
    desk.asks("resolve", verdict="not useful")
    assert isinstance(desk.asks("reopen"), Alert)
    assert desk.only.state == "open" and desk.only.verdict is None and desk.told() == []


@pytest.mark.parametrize(
    ("do", "given", "because"),
    [
        ("snooze", {}, "time ahead"), ("snooze", {"until": T0}, "time ahead"), ("resolve", {}, "verdict"),
        ("reopen", {}, "open cannot be reopened"), ("retry", {}, "undeliverable"), ("dance", {}, "unknown command"),
    ],
)  # fmt: skip
def test_a_command_that_makes_no_sense_is_refused_with_the_reason(do: str, given: dict[str, Any], because: str) -> None:
    desk = Desk(AT_RISK + CHANNEL)
    desk.take(score(20))
    before = desk.only
    found = desk.asks(do, **given)
    assert isinstance(found, Refused) and because in found.because
    assert desk.only is before


# -- everything together --------------------------------------------------------------------------------------------------

MESSAGES = st.one_of(
    st.builds(score, st.floats(0, 100), basis_changed=st.booleans(), held_out=st.sampled_from([False, False, True])),
    st.builds(signal, st.sampled_from(["ann", "ben"]), st.sampled_from(["1", "2", None])),
)
MOVES = st.one_of(MESSAGES, st.sampled_from([*COMMANDS, "told", "time"]))
RULES = AT_RISK + rule("score_below = 50", "low", "cooldown_days = 2\n") + rule("stuck = {}", "stuck") + CHANNEL


def moved(desk: Desk, move: Any) -> None:
    match move:
        case dict():
            desk.take(move)
        case "told":
            desk.told()
        case "time":
            desk.after(hours=30)
        case _:
            for alert in [*desk.book.by_id.values()][:1]:
                desk.asks(move, alert, until=desk.now + DAY, verdict="useful")


@given(st.lists(MOVES, max_size=40))
@checked(150)
def test_the_topic_read_again_gives_the_same_book(moves: list[Any]) -> None:
    desk = Desk(RULES, capacity=3)
    for move in moves:
        moved(desk, move)
    again = Book()
    for alert in desk.transitions:
        again.put(alert)
    assert again.by_id == desk.book.by_id and again.of_account == desk.book.of_account
    assert (again.waiting, again.due, again.snoozed, again.rules) == (
        desk.book.waiting, desk.book.due, desk.book.snoozed, desk.book.rules,
    )  # fmt: skip
    assert again.told(desk.now) == desk.book.told(desk.now)


@given(st.lists(MOVES, max_size=40))
@checked(150)
def test_whatever_comes_nobody_is_told_twice_of_an_episode_and_the_same_again_changes_nothing(moves: list[Any]) -> None:
    desk = Desk(RULES)
    for move in moves:
        moved(desk, move)
        if isinstance(move, dict):
            assert desk.take(move) == [], "the same message again"
    told = [(alert.id, alert.episode) for alert in desk.transitions if alert.transition == "due"]
    woken = [(alert.id, alert.episode) for alert in desk.transitions if alert.transition == "woken"]
    for one in set(told):
        assert told.count(one) <= 1 + woken.count(one)
    for alert in desk.book.by_id.values():
        assert not (alert.waiting is not None and not alert.active), "who waits is active"
        if alert.state == "over":
            assert not alert.due

"""What Redis shows of alerts: each where it belongs, nothing of whoever is forgotten, and all of it again after Redis
was away, be it that it had kept what it held."""

import pytest
from msgspec.structs import replace

from consumers.alerts.board import FILLED
from models.alerts.alert import Alert
from models.alerts.book import LONGEST, REFUSED_KEPT
from models.alerts.decide import forgotten
from models.alerts.delivery import sent
from models.clock import DAY
from models.keys import ALERT_RULES, ALERTS_OF_ACCOUNTS, CLOSED_ALERTS, OPEN_ALERTS, REFUSED_COMMANDS
from tests.support.alerting import score, signal
from tests.support.wall import LOST, Wall

pytestmark = pytest.mark.shell


@pytest.fixture
def wall() -> Wall:
    return Wall().show()


# -- where each stands --------------------------------------------------------------------------------------------------


def test_a_closed_alert_stands_by_itself_until_its_condition_ends(wall):
    wall.desk.take(score(10))
    id_ = wall.show().desk.only.id
    assert (wall.ids(OPEN_ALERTS), wall.ids(CLOSED_ALERTS), wall.redis.snapshot(ALERTS_OF_ACCOUNTS)) == (
        {id_},
        set(),
        {"acme": [id_]},
    )
    wall.ask("resolve", verdict="not useful")
    closed = wall.redis.snapshot(CLOSED_ALERTS)[id_]
    assert (wall.ids(OPEN_ALERTS), closed["verdict"], closed["by"]) == (set(), "not useful", "olga")
    assert wall.redis.snapshot(ALERTS_OF_ACCOUNTS) == {"acme": [id_]}
    counts = wall.redis.snapshot(ALERT_RULES)
    assert (counts["open"], counts["closed"]) == (0, 1)
    wall.ask("reopen")
    assert (wall.ids(OPEN_ALERTS), wall.ids(CLOSED_ALERTS)) == ({id_}, set())
    wall.ask("resolve", verdict="useful")
    wall.desk.take(score(80))
    wall.show()
    assert (wall.ids(OPEN_ALERTS), wall.ids(CLOSED_ALERTS), wall.redis.snapshot(ALERTS_OF_ACCOUNTS)) == (
        set(),
        set(),
        None,
    )


def test_who_closed_it_is_known_although_a_message_that_was_under_way_arrives_later(wall):
    wall.desk.take(score(10))
    wall.desk.told(taken=False)
    one = wall.ask("resolve", verdict="useful")
    (late,) = one.deliveries
    wall.put(sent(one, late.message, late.channel, wall.desk.now, wall.desk.now))
    shown = wall.redis.snapshot(CLOSED_ALERTS)[one.id]
    assert (shown["transition"], shown["by"], shown["deliveries"][0]["state"]) == ("sent", "olga", "sent")


def test_what_could_not_be_delivered_is_shown_although_it_is_over_and_after_redis_was_emptied(wall):
    wall.desk.take(score(10))
    wall.put(replace(wall.desk.only, deliveries=(LOST,)))
    wall.desk.take(score(80))
    wall.show()
    before = wall.everything()
    assert [one["state"] for one in before[OPEN_ALERTS].values()] == ["over"] and before[ALERTS_OF_ACCOUNTS]
    assert wall.again() == before


def test_redis_that_is_emptied_between_looking_and_writing_is_filled_again(wall):
    wall.desk.take(score(10))
    wall.show()

    def emptied():
        wall.redis.values.clear()
        wall.redis.hashes.clear()

    wall.redis.between = emptied
    wall.desk.take(score(10, account="zeta"))
    assert wall.show().ids(OPEN_ALERTS) == set(), "better nothing than a part that looks whole"
    assert set(wall.show().redis.snapshot(ALERTS_OF_ACCOUNTS)) == {"acme", "zeta"}


def test_what_is_let_go_after_a_year_is_shown_no_more(wall):
    wall.desk.take(score(10))
    wall.put(replace(wall.desk.only, deliveries=(LOST,)))
    wall.desk.take(score(80))
    wall.show()
    wall.board.drop(wall.desk.book.sweep(wall.desk.now + (LONGEST + 1) * DAY))
    wall.show()
    assert wall.ids(OPEN_ALERTS) == set() and wall.redis.snapshot(ALERTS_OF_ACCOUNTS) is None


def test_accounts_name_their_alerts_and_notices_are_of_none(wall):
    wall.desk.take(score(10), signal("ann"), signal("ben"), score(10, account="zeta"))
    notice = Alert(id="n", account_id="", rule="started", reason="", state="over", deliveries=(LOST,))
    wall.put(notice)
    held = wall.redis.snapshot(ALERTS_OF_ACCOUNTS)
    assert {account: len(ids) for account, ids in held.items()} == {"acme": 3, "zeta": 1}
    assert {id_ for ids in held.values() for id_ in ids} | {"n"} == wall.ids(OPEN_ALERTS)


# -- refused --------------------------------------------------------------------------------------------------------------


def test_the_last_commands_that_were_refused_are_shown_the_newest_first_with_whom_and_why(wall):
    wall.desk.take(score(10))
    id_ = wall.show().desk.only.id
    for number in range(REFUSED_KEPT + 5):
        wall.refuse(id_ if number % 2 else "nobody's", f"reason {number}")
    first, second, *_ = shown = wall.redis.snapshot(REFUSED_COMMANDS)["refused"]
    assert len(shown) == REFUSED_KEPT and first["because"] == f"reason {REFUSED_KEPT + 4}"
    assert first["alert_id"] is first["account_id"] is first["rule"] is None
    assert second == {"at": second["at"], "by": "olga", "do": "reopen", "alert_id": id_, "account_id": "acme",
                      "rule": "at-risk", "because": f"reason {REFUSED_KEPT + 3}",
                      "offset": REFUSED_KEPT + 3}  # fmt: skip
    assert wall.redis.snapshot(ALERT_RULES)["as_of"]["offsets"] == {"alert-commands": REFUSED_KEPT + 5}
    before = wall.everything()
    assert wall.again() == before


def test_a_command_that_is_decided_on_twice_is_refused_once(wall):
    wall.refuse("nobody's")
    again = wall.desk.transitions[-1]
    wall.put(again)
    assert len(wall.redis.snapshot(REFUSED_COMMANDS)["refused"]) == 1


def test_what_strangers_write_is_cut(wall):
    wall.refuse("i" * 10_000, because="b" * 10_000, do="d" * 10_000, by="y" * 10_000)
    assert len(wall.redis.values[REFUSED_COMMANDS]) < 1_000


# -- whoever is forgotten ---------------------------------------------------------------------------------------------------


def test_nothing_of_a_forgotten_user_stays(wall):
    wall.desk.take(signal("ann", traits={"name": "Acme"}), signal("ben"))
    alerts = {alert.reason: alert for alert in wall.desk.book.by_id.values()}
    ann, ben = alerts["getting-started/ann/2"], alerts["getting-started/ben/2"]
    wall.show().refuse(ann.id).refuse(ben.id)
    wall.ask("resolve", ann, verdict="useful")
    wall.desk.take({"account_id": "acme", "user_id": "ann", "forgotten": True})
    wall.show()
    assert wall.redis.snapshot(ALERTS_OF_ACCOUNTS) == {"acme": [ben.id]} and wall.ids(OPEN_ALERTS) == {ben.id}
    for everything in (wall.everything(), wall.again()):
        assert "ann" not in repr(everything) and ann.id not in repr(everything)
        assert [one["alert_id"] for one in everything[REFUSED_COMMANDS]["refused"]] == [ben.id]


def test_nothing_of_a_forgotten_account_stays_be_it_that_a_command_on_it_comes_later(wall):
    wall.desk.take(score(10), signal("ann"))
    risk, stuck = wall.desk.book.by_id.values()
    wall.show().refuse(risk.id)
    wall.ask("resolve", stuck, verdict="useful")
    wall.put(*(forgotten(one, wall.desk.now) for one in [*wall.desk.book.alerts_of("acme").values()]))
    wall.refuse(stuck.id, "there is no such alert")
    for everything in (wall.everything(), wall.again()):
        assert everything[OPEN_ALERTS] is everything[CLOSED_ALERTS] is everything[ALERTS_OF_ACCOUNTS] is None
        assert not any(part in repr(everything) for part in ("acme", "ann", risk.id, stuck.id))
        (left,) = everything[REFUSED_COMMANDS]["refused"]
        assert left["alert_id"] is left["account_id"] is left["rule"] is None


# -- Redis ------------------------------------------------------------------------------------------------------------------


def test_what_changed_while_redis_was_away_is_shown_when_it_is_back(wall):
    assert wall.redis.values[FILLED] == b"1" and not wall.ids(OPEN_ALERTS)
    wall.redis.away = True
    wall.desk.take(score(10))
    wall.show()
    wall.desk.asks("resolve", verdict="useful")
    wall.desk.take(score(10, account="zeta"))
    wall.show()
    wall.redis.away = False
    closed, opened = wall.show().desk.book.by_id
    assert (wall.ids(OPEN_ALERTS), wall.ids(CLOSED_ALERTS)) == ({opened}, {closed})
    assert wall.redis.snapshot(ALERTS_OF_ACCOUNTS) == {"acme": [closed], "zeta": [opened]}


def test_what_has_not_changed_is_not_written_again(wall):
    wall.desk.take(*(score(10, account=f"a{number}") for number in range(100)))
    wall.show()
    held = {id_: id(value) for id_, value in wall.redis.hashes[OPEN_ALERTS].items()}
    accounts = {name: id(value) for name, value in wall.redis.hashes[ALERTS_OF_ACCOUNTS].items()}
    wall.redis.published.clear()
    wall.desk.take(score(8, account="a7"))
    wall.show()
    again = [id_ for id_, value in wall.redis.hashes[OPEN_ALERTS].items() if id(value) != held[id_]]
    (changed,) = wall.desk.book.alerts_of("a7").values()
    assert again == [changed.id]
    assert {name: id(value) for name, value in wall.redis.hashes[ALERTS_OF_ACCOUNTS].items()} == accounts
    assert wall.redis.published == [OPEN_ALERTS, ALERT_RULES]


@pytest.mark.parametrize(
    ("move", "keys"),
    [
        ("resolve", {OPEN_ALERTS, CLOSED_ALERTS, ALERT_RULES}),
        ("refuse", {REFUSED_COMMANDS, ALERT_RULES}),
        ("end", {OPEN_ALERTS, ALERTS_OF_ACCOUNTS, ALERT_RULES}),
    ],
)
def test_pages_are_told_of_what_has_changed(wall, move, keys):
    wall.desk.take(score(10))
    wall.show()
    wall.redis.published.clear()
    if move == "resolve":
        wall.ask("resolve", verdict="useful")
    elif move == "refuse":
        wall.refuse(wall.desk.only.id)
    else:
        wall.desk.take(score(80))
        wall.show()
    assert set(wall.redis.published) == keys

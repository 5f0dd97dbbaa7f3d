"""The alerts process on a real Kafka and Redis: who heard what, and that nobody hears twice or not at all."""

import json
from collections import Counter
from signal import SIGCONT, SIGSTOP
from time import sleep

import pytest
import redis
from confluent_kafka import ConsumerGroupTopicPartitions, TopicPartition
from confluent_kafka.admin import AdminClient

from consumers.snapshots import Snapshots
from models.clock import rfc3339
from models.snapshot import canonical
from tests.support import alert_faults
from tests.support.alerting import score, signal
from tests.support.build import T0
from tests.support.ended import complaint, done
from tests.support.listening import Hook
from tests.support.office import SECRET, Office
from tests.support.stack import until

pytestmark = [pytest.mark.broker, pytest.mark.timeout(240)]
RULES = (
    alert_faults.RULES
    + """
[[rule]]
id = "payment"
when = {{ payments_failed = 1 }}
[[rule]]
id = "stuck"
when = {{ stuck = {{}} }}
"""
)


@pytest.fixture
def office(namespace, tmp_path):
    with Hook(SECRET) as hook:
        settings = namespace(clock="live", partitions=2, session_timeout_s=6.0)
        made = Office(settings, tmp_path, hook, RULES.format(hook=hook.url))
        yield made
        made.stop()


def of(told: list[tuple[str, str, str]], *accounts: str) -> list[tuple[str, str, str]]:
    return [one for one in told if one[1] in accounts]


def test_each_owner_hears_once_of_each_episode_signed_and_with_the_score_that_it_rests_on(office: Office) -> None:
    office.start()
    falls = score(20, account="a", traits={"owner": "olga", "name": "Acme"})
    office.send(score(80, account="a"), falls, score(80, account="b"))
    until("it is told", office.hook.told)
    office.send(score(19, account="a"))
    office.send(signal("ann", account="a"), score(25, account="c", held_out=True))
    office.send(score(70, account="d", signs={"payments_failed": 1}, traits={"owner": "ben"}))
    office.settle()
    until("the signal is told, too", lambda: ("olga", "a", "stuck") in office.hook.told())
    assert sorted(of(office.hook.told(), *"abcd")) == [
        ("ben", "d", "payment"), ("olga", "a", "at-risk"), ("olga", "a", "stuck"),
    ]  # fmt: skip
    assert all(one.signed for one in office.hook.heard)
    (told,) = [one for one in office.hook.heard if (one.body["account_id"], one.body["rule"]) == ("a", "at-risk")]
    assert told.body["evidence"] == falls and told.body["episode"] == 1
    shown = office.open()["a: at-risk"]
    assert shown["evidence"]["score"] == 19 and shown["deliveries"][0]["state"] == "sent"
    assert shown["deliveries"][0]["message"] == told.key


def test_what_held_before_the_first_start_is_noted_and_the_operator_hears_of_it_once(office: Office) -> None:
    office.send(*(score(10, account=f"old-{number}") for number in range(30)), score(90, account="new"))
    office.start()
    office.send(score(10, account="new"))
    until("the operator has heard", lambda: ("operator", "", "started") in office.hook.told())
    office.settle()
    told = [one for one in office.hook.told() if not one[1].startswith("last-")]
    assert sorted(told) == [("olga", "new", "at-risk"), ("operator", "", "started")]
    (notice,) = [one.body for one in office.hook.heard if one.body["rule"] == "started"]
    assert "30" in notice["heading"]
    office.send(score(4, account="old-7"))
    until("what has become clearly worse is told", lambda: ("olga", "old-7", "at-risk") in office.hook.told())


def test_killed_at_random_instants_no_alert_is_lost_and_none_repeated_beyond_what_was_being_sent(
    office: Office,
) -> None:
    """A message whose sending was not yet written down when the process died may come again: of each kill at most the
    one that was under way. Redis is emptied between them, too; in the end it shows what the topic says."""
    as_promised(alert_faults.kills(office, times=8, emptied=(2, 5)), struck=10)


def test_a_channel_that_is_down_holds_up_nobody_and_is_caught_up_with(office: Office) -> None:
    found = alert_faults.channel(office, outage_s=0, rounds=1)
    as_promised(found, struck=1)
    assert (found.accepted, found.again) == (9, 0)


def test_asked_to_end_it_writes_down_what_it_was_sending(office: Office) -> None:
    office.instance, office.hook.slow = "alerts", 1.0
    office.start()
    office.send(*(score(10, account=f"s{number}") for number in range(3)))
    until("one is being sent", lambda: office.hook.begun)
    office.stop()
    office.hook.slow = 0.0
    office.start()
    office.settle()
    assert sorted(of(office.hook.told(), "s0", "s1", "s2")) == [
        ("olga", f"s{number}", "at-risk") for number in range(3)
    ]


def test_others_that_join_and_leave_make_nothing_come_twice(office: Office) -> None:
    office.hook.slow = 0.3
    office.start()
    accounts = {f"j{number}" for number in range(12)}
    office.send(*(score(10, account=account) for account in sorted(accounts)))
    until("some are told", office.hook.told)
    second = office.start(wait=False, name="second")
    until("it stands by", lambda: "standing by" in (office.folder / "second.log").read_text())
    second.stop()
    office.hook.slow = 0.0
    office.settle()
    assert Counter(account for _, account, _ in of(office.hook.told(), *accounts)) == dict.fromkeys(accounts, 1)


def test_a_process_that_was_paused_adds_nothing_to_what_another_has_gone_on_from(office: Office) -> None:
    """It has decided on a step that it has not written: another one has, meanwhile, and has told of it."""
    first = office.start(name="first")
    second = office.start(wait=False, name="second")
    until("it stands by", lambda: "standing by" in (office.folder / "second.log").read_text())
    scores = [score(80 if number % 20 else 10, account=f"p{number}") for number in range(20_000)]
    falling = {one["account_id"] for one in scores if one["score"] == 10}
    office.send(*scores[:10_000])
    until("it is at work", office.hook.told)
    first.process.send_signal(SIGSTOP)
    office.send(*scores[10_000:])
    office.wait(second)
    until("all are told", lambda: falling <= {account for _, account, _ in office.hook.told()}, deadline_s=60)
    first.process.send_signal(SIGCONT)
    until("it has seen that another has taken over", lambda: first.ended() is not None or (
        "standing by" in (office.folder / "first.log").read_text()))  # fmt: skip
    office.settle()
    again = Counter(account for _, account, _ in of(office.hook.told(), *falling)) - Counter(falling)
    assert again.total() <= 1, "what it was sending when it was paused"


def as_promised(found: alert_faults.Heard, struck: int) -> None:
    assert found.complaints == []
    assert found.events and found.accepted + found.again >= found.events
    assert len(found.struck) == struck


def test_redis_is_filled_again_from_the_topic_when_it_was_emptied(office: Office) -> None:
    office.start()
    office.send(*(score(10, account=f"a{number}") for number in range(5)))
    until("all are shown", lambda: len(office.open()) == 5)
    until("all are sent", lambda: all(
        one["deliveries"] and one["deliveries"][0]["state"] == "sent" for one in office.open().values()
    ))  # fmt: skip
    ids = {one["account_id"]: one["alert_id"] for one in office.open().values()}
    done(office.livelift("resolve", ids["a0"], "--verdict", "useful", "--by", "olga"))
    assert office.livelift("reopen", ids["a1"], "--by", "pete").returncode == 1
    snapshots = Snapshots(office.settings.require_redis(), office.settings.redis_prefix)
    everything = snapshots.everything()
    assert {one["account_id"] for one in everything["alerts:open"].values()} == {f"a{number}" for number in range(1, 5)}
    assert [one["by"] for one in everything["alerts:closed"].values()] == ["olga"]
    assert everything["alerts:accounts"] == {account: [id_] for account, id_ in ids.items()}
    assert [(one["by"], one["account_id"]) for one in everything["alerts:refused"]["refused"]] == [("pete", "a1")]
    assert everything["alerts:rules"]["rules"] and canonical(everything) == {}, "alerts are no part of what replay says"
    alert_faults.empty(office)
    until("all are shown again", lambda: len(office.open()) == 4)
    again = snapshots.everything()
    for key in ("alerts:open", "alerts:closed", "alerts:accounts", "alerts:refused"):
        assert alert_faults.without_time(again[key]) == alert_faults.without_time(everything[key]), key


def test_a_score_that_flaps_a_thousand_times_and_comes_twice_is_told_once(office: Office) -> None:
    office.start()
    flapping = [score(10 if number % 2 else 80, account="f", at=T0 + number) for number in range(1000)]
    office.send(*flapping)
    office.settle()
    office.stop()
    rewind(office, "account-scores")
    office.start()
    office.settle()
    assert of(office.hook.told(), "f") == [("olga", "f", "at-risk")]


def test_a_model_that_is_switched_on_alerts_to_nobody_and_is_one_notice(office: Office) -> None:
    office.start()
    accounts = [f"m{number}" for number in range(10_000)]
    office.send(*(score(80 if number % 3 else 20, account=account) for number, account in enumerate(accounts[:300])))
    office.settle()
    heard = len(of(office.hook.told(), *accounts))
    office.send(*(score(15, account=account, basis="logistic@20578", basis_changed=True,
                        causes=[{"type": "model changed"}]) for account in accounts))  # fmt: skip
    until("the operator has heard", lambda: ("operator", "", "model-changed") in office.hook.told())
    office.settle()
    assert len(of(office.hook.told(), *accounts)) == heard == 100
    notices = [one.body for one in office.hook.heard if one.body["rule"] == "model-changed"]
    assert len(notices) == 1 and "10,000 accounts" in notices[0]["heading"]


def test_one_process_works_and_another_takes_over_when_it_is_gone(office: Office) -> None:
    first = office.start(name="first")
    office.send(score(10, account="a"))
    until("it is told", lambda: office.hook.told() == [("olga", "a", "at-risk")])
    second = office.start(wait=False, name="second")
    sleep(3)
    office.send(score(10, account="b"), score(80, account="a"))
    until("it is told by one of them", lambda: len(office.hook.told()) == 2)
    until("and that is written down", lambda: office.open()["b: at-risk"]["deliveries"][0]["state"] == "sent")
    assert not office.ready("second").exists(), "it stands by"
    first.process.kill()
    first.process.wait()
    office.wait(second)
    office.send(score(10, account="c"))
    until("it is told by the other", lambda: len(office.hook.told()) == 3)
    assert [account for _, account, _ in office.hook.told()] == ["a", "b", "c"]


def test_people_deal_with_alerts_from_the_command_line(office: Office) -> None:
    office.start()
    office.send(*(score(10, account=account) for account in "abc"))
    until("all are told", lambda: len(office.hook.told()) == 3)
    ids = {one["account_id"]: one["alert_id"] for one in office.alerts()}
    assert "is acknowledged" in done(office.livelift("acknowledge", ids["a"], "--by", "olga"))
    assert "is snoozed" in done(office.livelift("snooze", ids["b"], "--days", "2", "--by", "olga"))
    assert "is closed" in done(office.livelift("resolve", ids["c"][:10], "--verdict", "useful", "--by", "olga"))
    states = {one["account_id"]: (one["state"], one["by"]) for one in office.alerts()}
    assert states == {"a": ("acknowledged", "olga"), "b": ("snoozed", "olga"), "c": ("closed", "olga")}
    refused = office.livelift("reopen", ids["a"][:10], "--by", "olga")
    assert refused.returncode == 0
    refused = office.livelift("reopen", ids["a"], "--by", "olga")
    assert refused.returncode == 1 and "open cannot be reopened" in refused.stderr
    assert "no alert nothing" in complaint(office.livelift("acknowledge", "nothing"))
    (counted,) = [one for one in json.loads(done(office.livelift("report", "--json"))) if one["rule"] == "at-risk"]
    assert (counted["opened"], counted["told"], counted["useful"], counted["useful_share"]) == (3, 3, 1, 1.0)
    assert {one.split(":")[0] for one in office.open()} == {"a", "b"}


def test_trying_rules_says_what_holds_and_what_would_have_been_told_and_sends_nothing(office: Office) -> None:
    office.send(score(80, at=T0), score(20, at=T0 + 1_000_000), score(15, at=T0 + 2_000_000))
    found = json.loads(done(office.livelift("test", "--account", "acme", "--json")))
    assert [(one["rule"], one["holds"]) for one in found["rules"]] == [("at-risk", True), ("payment", False)]
    assert [(one["owner"], one["rule"]) for one in found["told"]] == [("olga", "at-risk")]
    assert found["rules"][0]["conditions"] == [{"name": "band", "asked": ["at_risk"], "value": "at_risk"}]
    early = json.loads(done(office.livelift("test", "--account", "acme", "--as-of", rfc3339(T0), "--json")))
    assert early["told"] == [] and early["messages"] == 1
    assert office.hook.heard == []


def test_a_redis_user_of_its_own_may_do_what_it_has_to_and_nothing_else(office: Office) -> None:
    line = done(office.livelift("acl", "--user", f"u{office.settings.namespace}", "--password", "pw")).strip().split()
    office.redis.execute_command("ACL", "SETUSER", *line[1:])
    host = office.settings.require_redis().partition("://")[2]
    url = f"redis://{line[1]}:pw@{host}"
    office.settings = office.settings.model_copy(update={"redis": url})
    office.start()
    office.send(score(10, account="a"))
    until("it is shown", lambda: "a: at-risk" in office.open())
    theirs = redis.Redis.from_url(url)
    prefix = office.settings.redis_prefix
    for forbidden in (["SET", f"{prefix}at-risk", "x"], ["DEL", f"{prefix}account:a"], ["FLUSHALL"], ["KEYS", "*"]):
        with pytest.raises(redis.ResponseError, match="permission"):
            theirs.execute_command(*forbidden)


def rewind(office: Office, topic: str) -> None:
    """Somebody sets the group back to the beginning of a topic."""
    admin = AdminClient(office.settings.confluent())
    name = office.settings.topic(topic)
    where = [TopicPartition(name, number, 0) for number in range(office.settings.partitions)]
    asked = [ConsumerGroupTopicPartitions(office.settings.topic("livelift-alerts"), where)]
    for future in admin.alter_consumer_group_offsets(asked).values():
        future.result(30)

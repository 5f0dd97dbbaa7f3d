"""`livelift forget` through the real thing: as if that person had never been, and kept out from then on.

What is left is held against a replay of the same recording without them.
"""

import json
import os
import subprocess
import sys

import pytest
from confluent_kafka import Producer

from livelift.local.topics import rows_changelog_name
from livelift.recording import open_recording
from models.rows import row_key
from streams.placement import Placement
from tests.support.build import PLAN, encoded, event, instant, tick
from tests.support.stack import Reading, differences, play, replayed, running, start_scorer

pytestmark = pytest.mark.broker
ACCOUNTS = ("acme", "bolt", "cafe", "dune")
ANN, BOLT = ("acme", "ann"), ("bolt", None)
FUNNEL_AND_ARMS = ("funnel", "experiments", "experiment:widget")


def history():
    """Four accounts with three users each: assigned, some helped, some done, some converted; then days go by."""
    made = []
    for n, account in enumerate(ACCOUNTS):
        for m, user in enumerate(("ann", "bob", "cid")):
            at = instant(0, 1 + n + m)
            made.append(
                event(
                    "experiment_assigned", at, account, user, experiment="widget", arm=("control", "test")[(n + m) % 2]
                )
            )
            made += [
                event("task_completed", at + 60_000_000 * k, account, user, task=str(k))
                for k in range(1, 2 + (n + m) % 3)
            ]
            if m == 1:
                made.append(event("help_engaged", instant(0, 12), account, user, source="CS"))
            if (n + m) % 2:
                made.append(event("converted", instant(1, n + m), account, user))
    return [*made, *(tick(instant(day)) for day in range(8))]


def of(one, whose):
    """Whether an event is of this user, or with user None of this account."""
    account, user = whose
    return one.get("account_id") == account and user in (None, one.get("user_id"))


def recording(folder, timeline):
    folder.mkdir(parents=True)
    (folder / "plans").mkdir()
    (folder / "plans" / "widget.toml").write_text(
        PLAN.format(id="widget", unit="user", window=3, uptake='{ source = "CS" }')
    )
    (folder / "livelift.toml").write_text("")
    homes = {"help_engaged": "help-events", "converted": "conversion-events"}
    lines = [
        one if one["type"] == "tick" else {**one, "topic": homes.get(one["type"], "product-events")} for one in timeline
    ]
    (folder / "events.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return open_recording(folder)


def forget(stack, account, user):
    """The command, as a person gives it."""
    named = ["--account", account, *(["--user", user] if user else [])]
    ended = subprocess.run([sys.executable, "-m", "livelift", "forget", *named], env={**os.environ, **stack.environment()},
                           capture_output=True, text=True, timeout=60, check=False)  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    assert "asked" in ended.stdout


def send_again(settings, whose, count):
    """Events of somebody under new ids, as a producer that does not know sends them."""
    account, user = whose
    producer = Producer(settings.confluent())
    for n in range(count):
        one = event("task_completed", instant(6, n), account, user or ("ann", "eve")[n % 2], task="3")
        producer.produce(
            settings.topic("product-events"), encoded(one), account.encode(), Placement(settings.partitions).of(account)
        )
    assert producer.flush(30) == 0


def stored(reading):
    """The rows that the changelog holds: the last value of each key, tombstones left out."""
    latest = {message.key(): message.value() for message in reading.messages(rows_changelog_name(reading.settings))}
    return {key for key, value in latest.items() if value is not None}


def in_redis(reading, name):
    """The keys and values in Redis that name somebody; histories too."""
    held = reading.snapshots
    return [key for key in held.keys(histories=True) if name in key or f'"{name}"' in json.dumps(held.get(key))]


def but_little_known(model):
    return {name: value for name, value in model.items() if name != "little_known"}


def test_forgetting_a_user_and_an_account_leaves_what_there_would_be_without_them(namespace, tmp_path):
    timeline = history()
    everyone = recording(tmp_path / "everyone", timeline)
    without_ann = replayed(recording(tmp_path / "without ann", [one for one in timeline if not of(one, ANN)]))
    without_both = replayed(
        recording(tmp_path / "without both", [one for one in timeline if not of(one, ANN) and not of(one, BOLT)])
    )
    settings = namespace(config=everyone.config)
    with running(settings) as stack:
        play(settings, everyone)
        reading = Reading(settings)
        reading.settled(everyone.events, everyone.last_tick)
        assert row_key(*ANN) in stored(reading) and in_redis(reading, "bolt")

        forget(stack, *ANN)
        held = reading.settled()
        assert row_key(*ANN) not in stored(reading)
        assert {key: held[key] for key in FUNNEL_AND_ARMS} == {key: without_ann[key] for key in FUNNEL_AND_ARMS}
        assert held["quality"] == without_ann["quality"]
        assert {key: held[key] for key in held if key.startswith("journeys:")} == {
            key: without_ann[key] for key in without_ann if key.startswith("journeys:")
        }

        forget(stack, *BOLT)
        held = reading.settled()
        assert {row_key("bolt", user) for user in ("ann", "bob", "cid", None)} & stored(reading) == set()
        assert in_redis(reading, "bolt") == []
        ours = {key: held[key] for key in held if not key.startswith(("account:acme", "accounts:by-", "at-risk"))}
        theirs = {key: without_both[key] for key in without_both if key in ours}
        # How many accounts there are is said of the model as of the last close, when that one was still there.
        ours["model"], theirs["model"] = (but_little_known(one["model"]) for one in (ours, theirs))
        assert differences(ours, theirs) == []
        assert set(held) == set(without_both)

        for whose in (ANN, BOLT):
            forget(stack, *whose)
        assert differences(reading.settled(), held) == [], "asking twice does no harm"

        send_again(settings, ANN, 2)
        send_again(settings, BOLT, 3)
        assert differences(reading.settled(), held) == []
        assert reading.quality()["suppressed"] == 5

        stack.workers["scorer"].stop()
        start_scorer(stack, "scorer")
        stack.wait_ready()
        send_again(settings, ANN, 1)
        send_again(settings, BOLT, 1)
        assert differences(reading.settled(), held) == []
        assert reading.quality()["suppressed"] == 7
        assert in_redis(reading, "bolt") == []
        stack.check()

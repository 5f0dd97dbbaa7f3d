"""Sources through Kafka and the workers: killed and resumed every event counts once, and who waited is sent on."""

import json
import os
import signal
import subprocess
import sys
from time import monotonic, sleep
from urllib.request import Request, urlopen

import pytest

from tests.support import shared_mappings as given
from tests.support.mappings import LESSONS, USED, mapping, signed_up
from tests.support.oulad import SETTINGS
from tests.support.readme import ROOT, blocks, run_shell
from tests.support.shared_data import needs
from tests.support.sources import write
from tests.support.stack import Reading, running, until

pytestmark = pytest.mark.broker
SENDING = ROOT / "docs" / "guides" / "sending-events.md"
AT = "2026-05-05T08:00:00Z"


def variables(settings):
    return {"LIVELIFT_KAFKA": settings.kafka, "LIVELIFT_REDIS": settings.redis, "LIVELIFT_CLOCK": settings.clock,
            "LIVELIFT_REDIS_PREFIX": settings.redis_prefix, "LIVELIFT_NAMESPACE": settings.namespace,
            "LIVELIFT_PARTITIONS": str(settings.partitions), "LIVELIFT_DATA_DIR": str(settings.data_dir),
            "LIVELIFT_CONFIG": str(settings.config)}  # fmt: skip


def environment(settings):
    return {**os.environ, **variables(settings)}


def livelift(settings, *arguments, stdin=None):
    ended = subprocess.run([sys.executable, "-m", "livelift", *map(str, arguments)], env=environment(settings),
                           input=stdin, capture_output=True, text=True, timeout=120, check=False)  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def ids(settings, topic="product-events"):
    found = Reading(settings).messages(settings.topic(topic))
    return [event["id"] for message in found if "id" in (event := json.loads(message.value()))]


def test_killed_and_resumed_every_event_is_on_the_topics_once(namespace, tmp_path):
    rows = 30_000
    lines = (json.dumps({"at": AT, "account": f"a{n % 500}", "feature": "x"}) for n in range(rows))
    write(tmp_path, "use.jsonl", "\n".join(lines))
    path = write(tmp_path, "use.toml", mapping("jsonl", "use", "use.jsonl", USED, finished=True))
    settings = namespace()
    command = [sys.executable, "-m", "livelift", "sources", "run", str(path), "--json"]
    state = settings.data_dir / "sources" / settings.namespace / "use.json"
    for kill in range(2):
        child = subprocess.Popen(command, env=environment(settings), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        before = state.read_bytes() if state.exists() else b""
        deadline = monotonic() + 60
        while child.poll() is None and monotonic() < deadline:
            held = state.read_bytes() if state.exists() else b""
            if held not in (b"", before) and (b'"place":null' not in held or kill == 0):
                sleep(0.02 * kill)  # now and then in the middle of what is behind the state
                child.send_signal(signal.SIGKILL)
                break
        child.communicate(timeout=60)
    said = json.loads(livelift(settings, "sources", "run", path, "--json"))
    assert (said["rows"], said["sent"], said["new_rows"] < rows) == (rows, rows, True)
    found = ids(settings)
    assert len(found) == len(set(found)) == rows
    said = json.loads(livelift(settings, "sources", "run", path, "--json"))
    assert said["new_rows"] == 0 and len(ids(settings)) == rows


@needs("oulad_subset")
def test_learners_come_out_of_the_workers_with_the_published_figures(namespace, tmp_path):
    settings = namespace(config=write(tmp_path, "livelift.toml", SETTINGS), session_timeout_s=30)
    paths = [write(tmp_path, f"{n}.toml", text) for n, text in enumerate(given.oulad(given.three_tasks()))]
    with running(settings) as stack:
        livelift(settings, "sources", "run", *paths)
        held = Reading(settings).settled(2 * 7_685 + 20_742)
        stack.check()
    funnel = held["funnel"]["getting-started"]
    assert [(step["converted"], step["users"]) for step in funnel["dose"]] == [
        (4, 337), (4, 378), (84, 546), (5484, 6424),
    ]  # fmt: skip
    assert (funnel["skipped"], funnel["out_of_order"]) == ({"1": 40, "2": 45}, 5)
    assert held["quality"]["refused"] == {}


def test_live_who_waited_is_sent_on_and_foreign_events_find_their_mapping(namespace, tmp_path):
    settings = namespace(clock="live")
    rows = [{"at": AT, "email": "ann@x.example", "lesson": f"l{n}"} for n in range(3)]
    write(tmp_path, "lms.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    lessons = write(tmp_path, "lms.toml", LESSONS)
    with running(settings) as stack:
        reading = Reading(settings)
        assert "3 unresolved" in livelift(settings, "sources", "run", lessons)
        assert "3 events sent on" in livelift(
            settings, "sources", "link", "ann@x.example", "--account", "acme", "--user", "ann")  # fmt: skip
        assert "0 events sent on" in livelift(
            settings, "sources", "link", "ann@x.example", "--account", "acme", "--user", "ann")  # fmt: skip
        until("who waited is read", lambda: reading.quality().get("accepted") == 3)

        subprocess.run([sys.executable, "-c", emitting(settings)], check=True, timeout=60)
        (emitted,) = blocks("sh", "services", SENDING)
        assert run_shell(emitted, tmp_path, variables(settings)) == "1 sent\n1 sent\n"
        collect(settings)
        until("all of it is read", lambda: reading.quality().get("accepted") == 8)
        until("the foreign event is ignored", lambda: reading.quality().get("ignored"))
        assert 'when = { type = "track", event = "Signed Up" }' in livelift(settings, "sources", "suggest")
        foreign = write(tmp_path, "ignored.toml", mapping("topic", "ignored", None, signed_up(id="{messageId}")))
        assert "1 rows read = 1 sent" in livelift(settings, "sources", "run", foreign)
        assert "(0 of them now)" in livelift(settings, "sources", "run", foreign)
        until("it is mapped", lambda: reading.quality().get("accepted") == 9)
        assert "1 alias removed" in livelift(settings, "forget", "--account", "acme", "--user", "ann")
        assert (reading.quality()["refused"], reading.quality().get("forwarded", 0)) == ({}, 0)
        stack.check()


def emitting(settings):
    """The guide's producer, for the Kafka and the topics of this test."""
    (text,) = blocks("python", file=SENDING)
    ours, theirs = '"localhost:9092"', f"{settings.kafka!r}, namespace={settings.namespace!r}"
    assert text.count(ours) == 1
    return text.replace(ours, theirs)


def collect(settings):
    """One request to a collector that is then ended: its batch is acknowledged, or it would not be 200."""
    child = subprocess.Popen([sys.executable, "-m", "livelift", "collect", "--port", "0"], env=environment(settings),
                             stderr=subprocess.PIPE, text=True)  # fmt: skip
    try:
        address = child.stderr.readline().split()[-1]
        common = {"type": "track", "userId": "ann", "context": {"groupId": "acme"}, "timestamp": AT}
        batch = [{**common, "messageId": "s1", "event": "core_action", "properties": {"feature": "x"}},
                 {**common, "messageId": "s2", "event": "Signed Up", "properties": {}}]  # fmt: skip
        request = Request(address, json.dumps({"batch": batch}).encode(), {"Content-Type": "application/json"})
        with urlopen(request, timeout=30) as answer:
            assert answer.status == 200
    finally:
        child.send_signal(signal.SIGTERM)
        assert child.wait(40) == 0
        child.stderr.close()

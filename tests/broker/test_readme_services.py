"""The README's commands and its producer against a real Kafka and Redis with workers running."""

import json
import re
import subprocess
import sys

import pytest

from tests.support.readme import blocks, run_shell
from tests.support.stack import Reading, running, until

pytestmark = pytest.mark.broker
ANN = "getting-started/ann"


def producer(settings) -> str:
    """The README's producer, for the Kafka and the topics of this test."""
    (text,) = blocks("python")
    for ours, theirs in (('"localhost:9092"', settings.kafka), ('"product-events"', settings.topic("product-events"))):
        assert text.count(ours) == 1
        text = text.replace(ours, repr(theirs))
    return text


def test_the_producer_is_accepted_and_every_command_that_needs_services_runs(namespace, tmp_path):
    settings = namespace(clock="live")
    with running(settings) as stack:
        subprocess.run([sys.executable, "-c", producer(settings)], check=True, timeout=60)
        reading = Reading(settings)
        until("the event is accepted and read", lambda: reading.quality().get("accepted") == 1)
        until("the user's journey is in Redis", lambda: ANN in (reading.snapshots.get("journeys:acme") or {}))
        printed = [run_shell(block, tmp_path, stack.environment()) for block in blocks("sh", "services")]
        until("the user is forgotten", lambda: ANN not in (reading.snapshots.get("journeys:acme") or {}))
        stack.check()
    said = "".join(printed)
    assert "topics checked, all as the contract says" in said
    assert "no experiment plans are published" in said and "no dead letters" in said
    first = said[said.index("{") :]
    quality, end = json.JSONDecoder().raw_decode(first)
    assert (quality["accepted"], quality["refused"]) == (1, {})
    funnel, _ = json.JSONDecoder().raw_decode(first[end:].lstrip())
    assert funnel["getting-started"]["tasks"]["1"]["completed"] == 1
    assert re.search(r"^asked: ", said, re.MULTILINE)

"""The command line against a real Kafka and Redis: what it finds, makes and refuses, for people and for programs."""

import json
import os
import subprocess
import sys

import pytest

from livelift.local.topics import wanted
from tests.support.ended import complaint

pytestmark = pytest.mark.broker
DEADLINE_S = 60


@pytest.fixture
def livelift(namespace, tmp_path):
    """Runs a command for an installation of its own; variables given come on top."""
    settings = namespace()
    names = ("kafka", "redis", "namespace", "redis_prefix", "partitions")
    ours = {f"LIVELIFT_{name.upper()}": str(getattr(settings, name)) for name in names}

    def run(*arguments, **variables):
        return subprocess.run(
            [sys.executable, "-m", "livelift", *arguments], cwd=tmp_path, env={**os.environ, **ours, **variables},
            capture_output=True, text=True, check=False, timeout=DEADLINE_S,
        )  # fmt: skip

    run.settings = settings
    return run


def test_topics_are_made_once_and_checked(livelift):
    names = sorted(wanted(livelift.settings))
    again = json.loads(livelift("topics", "create", "--json").stdout)
    assert (again["created"], sorted(again["already_there"])) == ([], names)
    fit = livelift("topics", "check", "--json")
    assert fit.returncode == 0 and json.loads(fit.stdout)["wrong"] == []
    unfit = livelift("topics", "check", "--json", LIVELIFT_PARTITIONS="4")
    found = json.loads(unfit.stdout)
    assert unfit.returncode == 1 and sorted(found["checked"]) == names
    assert f"topic {livelift.settings.topic('product-events')} has 3 partitions, not 4" in found["wrong"]


def test_what_needs_topics_says_so_where_there_are_none(livelift):
    missing = livelift("topics", "check", LIVELIFT_NAMESPACE="nobodys-")
    assert missing.returncode == 1
    assert "topic nobodys-product-events is missing" in missing.stdout
    assert missing.stdout.endswith("`livelift topics create` makes what is missing\n")
    said = complaint(livelift("experiments", "list", LIVELIFT_NAMESPACE="nobodys-"))
    assert "topic nobodys-experiment-plans is not on Kafka at" in said and "`livelift topics create`" in said


def test_a_snapshot_that_is_not_there_is_named(livelift):
    said = complaint(livelift("snapshot", "funnel"))
    assert "no snapshot 'funnel'" in said and said.endswith("nor any other: do the workers run?")
    assert json.loads(livelift("snapshot").stdout) == {}
    assert livelift("dead-letters", "list").stdout == "no dead letters\n"


def test_all_workers_end_when_one_does_and_the_exit_code_says_so(livelift):
    ended = livelift("worker", LIVELIFT_PARTITIONS="4")
    assert ended.returncode == 1 and "Traceback" not in ended.stderr
    assert "topic" in ended.stderr and "has 3 partitions, not 4" in ended.stderr
    last = ended.stderr.splitlines()[-1]
    assert last.startswith("livelift: the ") and "ended with exit code 1" in last

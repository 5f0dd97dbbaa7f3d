"""Champion and challengers on a real Kafka: learned by a learner, listed, compared, promoted, and learned anew."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from confluent_kafka import Producer

from livelift.surroundings import product_of, surroundings
from models.clock import date_of
from models.health.records import decode_progress, progress_key
from streams.compacted import Compacted
from streams.models import Models as Scorers
from tests.support.contending import FIRST_WEEK, a_log
from tests.support.ended import complaint, done
from tests.support.stack import running, until

pytestmark = pytest.mark.broker
ROOT = Path(__file__).resolve().parents[2]
WEEKS = 14
LAST = FIRST_WEEK + 7 * (WEEKS - 1) + 14
"""The last day that has been closed."""
SETTINGS = '[label]\nhorizon_days = 14\nunscored_days = 0\n[health]\nchallengers = ["bayes"]\n'


@pytest.fixture
def installation(namespace, tmp_path):
    (tmp_path / "livelift.toml").write_text(SETTINGS)
    return namespace(clock="live", partitions=1, config=tmp_path / "livelift.toml")


@pytest.fixture
def livelift(installation, tmp_path):
    """Runs a command of `livelift models`."""
    names = ("kafka", "redis", "namespace", "redis_prefix", "partitions", "config")
    ours = {f"LIVELIFT_{name.upper()}": str(getattr(installation, name)) for name in names}

    def run(*arguments):
        return subprocess.run(
            [sys.executable, "-m", "livelift", "models", *arguments], cwd=tmp_path, check=False, timeout=60,
            env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200", **ours}, capture_output=True, text=True,
        )  # fmt: skip

    return run


@pytest.fixture
def kept(installation):
    """Reads what the learner has stored so far."""
    topic = Compacted(installation.confluent(), installation.topic("health-models"))
    yield lambda: dict(topic.catch_up())
    topic.close()


def learned(held, *models):
    """Whether these models have learned everything."""
    keys = [progress_key(model) for model in models]
    return all(key in held and decode_progress(held[key]).learned == LAST for key in keys) and held


def test_models_learn_side_by_side_and_a_person_decides_who_scores(installation, livelift, kept):
    assert "no label is known yet" in done(livelift("list"))
    assert "nothing to compare yet" in done(livelift("compare"))
    assert "cannot score yet: no label is known yet" in complaint(livelift("promote", "bayes", "--yes"))

    producer = Producer(installation.confluent())
    for message in a_log(1, WEEKS, accounts=60):
        producer.produce(installation.topic("health-examples"), message, b"any", 0)
    assert not producer.flush(30)
    with running(installation, ("learner",)):
        until("both have learned", lambda: learned(kept(), "logistic", "bayes"))

        listed = json.loads(done(livelift("list", "--json")))["models"]
        assert {kind: (one["role"], one["scores_now"]) for kind, one in listed.items()} == {
            "logistic": ("champion", True), "bayes": ("challenger", False),
        }  # fmt: skip
        assert listed["bayes"]["labels"] == listed["logistic"]["labels"]
        compared = json.loads(done(livelift("compare", "--json", "--replicates", "50")))
        assert compared.keys() == {"logistic", "bayes", "index"} and "proposal" in compared["bayes"]
        table = done(livelift("compare", "--replicates", "50"))
        assert "AUC against champion" in table and "proposed: " in table

        refused = complaint(livelift("promote", "tree", "--yes"))
        assert "there are logistic, bayes" in refused and 'challengers = ["tree"]' in refused
        early = complaint(livelift("promote", "bayes", "--yes", "--json", "--from", date_of(LAST)))
        assert f"the first day is {date_of(LAST + 1)}" in early
        asked = livelift("promote", "bayes", "--by", "ann")
        assert asked.returncode == 1 and "let bayes score?" in asked.stderr, "nobody answers: nothing is decided"
        promoted = json.loads(done(livelift("promote", "bayes", "--by", "ann", "--yes", "--json")))
        assert (promoted["model"], promoted["from"], promoted["by"]) == ("bayes", date_of(LAST + 1), "ann")
        assert promoted["new"] and promoted["evidence"].keys() == {"promote", "because"}
        assert "is the champion already" in done(livelift("promote", "bayes", "--yes"))
        assert "promoted: bayes from" in done(livelift("list"))

        scorer = Scorers(surroundings(installation)).known
        assert [scorer.before(day).kind for day in (LAST, LAST + 1)] == ["logistic", "bayes"]
        before = kept()

    # Other inputs: every model is learned anew, from all the examples that have been acknowledged long since.
    installation.config.write_text(SETTINGS + 'inputs = ["x", "members"]\n')
    with running(installation, ("learner",)):
        producer.produce(installation.topic("health-examples"), a_log(1, WEEKS)[-1], b"any", 0)
        producer.flush(30)
        recipe = decode_progress(before[progress_key("bayes")]).recipe
        held = until(
            "both have learned anew",
            lambda: (
                (now := learned(kept(), "logistic", "bayes"))
                and decode_progress(now[progress_key("bayes")]).recipe != recipe
                and now
            ),
        )
    known = Scorers(surroundings(installation, product_of(installation.config))).known
    basis = known.before(LAST + 1)
    assert basis.version.inputs == ("x", "members") and basis.kind == "bayes"
    assert {key for key in held if key.startswith(b"version")} == {key for key in before if key.startswith(b"version")}

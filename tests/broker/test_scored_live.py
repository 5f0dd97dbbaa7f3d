"""A health score that learns, through Kafka: the same models and the same closes as in replay, whoever is killed."""

import pytest

from livelift.explain import Asked, explain_live, told
from livelift.recording import open_recording
from livelift.surroundings import surroundings
from models.health.explanation import explain
from models.health.explanation import told as as_data
from streams.models import Models
from tests.support.leaving import write_leaving
from tests.support.stack import Reading, differences, play, replayed, running, start_scorer, until

pytestmark = pytest.mark.broker
QUICK = """\
[label]
horizon_days = 14
unscored_days = 0

[health]
challengers = ["bayes"]
inputs = ["days_since_visit", "active_days", "active_days_trend", "visitors", "usage", "age"]
"""


def test_accounts_are_scored_by_a_model_as_in_replay_though_learner_and_scorer_are_killed(namespace, tmp_path):
    recording = open_recording(write_leaving(tmp_path / "leaving", accounts=120, days=200, settings=QUICK))
    settings = namespace(config=recording.config, partitions=3)
    with running(settings) as stack:
        for name in ("learner", "scorer"):
            stack.workers[name].process.kill()
            stack.workers[name].process.wait()
        play(settings, recording)
        start_scorer(stack, "scorer")
        reading = Reading(settings)
        stack.start_worker("learner", "learner")
        until("something has been learned", lambda: (reading.snapshots.get("model") or {}).get("learned"))
        stack.workers["learner"].process.kill()
        stack.workers["learner"].process.wait()
        stack.start_worker("learner", "learner")
        held = reading.settled(recording.events, recording.last_tick)
        stack.check()
        assert_explained_alike(held, settings, recording)
    assert held["model"]["basis"].startswith("logistic@"), held["model"].get("because")
    assert differences(held, replayed(recording)) == []
    scored = [value for key, value in held.items() if key.startswith("account:")]
    (basis,) = {value["basis"] for value in scored}
    assert basis.startswith("logistic@"), "all rest on the version that the last day was closed with"
    assert all(0 <= value["probability"] <= 1 for value in scored)


def assert_explained_alike(held, settings, recording):
    """From the topics a score is explained as the day was closed, and as from the events of the recording."""
    (account, close) = next((key.removeprefix("account:"), value["close"]) for key, value in held.items()
                            if key.startswith("account:") and value["change_7d"])  # fmt: skip
    live = explain_live(Asked(account), settings)
    assert (as_data(live)["score"], live.closed is not None, live.otherwise_closed) == (close["score"], True, False)
    here = surroundings(settings)
    history = told(recording, account, here.product, live.since, live.day)
    assert as_data(live) == as_data(explain(history, Models(here).known, live.since, live.day, live.closed))

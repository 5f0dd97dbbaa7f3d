"""Live on data made by people and on broken recording, as their rows say it: a short form of benchmarks/authenticity.py."""

import numpy as np
import pytest

from models.authenticity.live import RESOLUTIONS
from tests.support.shared_data import needs
from tests.support.watched import BREAKS, BROKEN, LAST, NOT_SEEN, WATCHED, Break, Watched, clocked, looked_at, people_on

pytestmark = pytest.mark.core
RUNS = 4


def alarms(one: Break, run: int) -> list[str]:
    people = people_on(one.made(np.random.default_rng([21, run])), LAST)
    return [alarm.check for alarm in looked_at(people, LAST, RESOLUTIONS["millisecond"]).alarms]


@pytest.mark.parametrize("one", BREAKS, ids=lambda one: one.name)
def test_broken_recording_is_seen(one: Break) -> None:
    assert sum(bool(set(alarms(one, run)) & set(one.seen_by)) for run in range(RUNS)) >= 3


@pytest.mark.parametrize("one", NOT_SEEN, ids=lambda one: one.name)
def test_what_is_said_not_to_be_seen_is_not(one: Break) -> None:
    assert [alarms(one, run) for run in range(RUNS)] == [[]] * RUNS


def test_people_on_their_own_clocks_are_no_alarm() -> None:
    assert [alarms(Break("", clocked, ()), run) for run in range(RUNS)] == [[]] * RUNS


@pytest.mark.parametrize("one", [pytest.param(one, id=name, marks=needs(one.folder)) for name, one in WATCHED.items()])
def test_peoples_data_raises_no_alarm_on_any_of_some_days(one: Watched) -> None:
    events = one.read().events
    assert events is not None
    for day in one.days(events)[:: max(1, len(one.days(events)) // 5)]:
        found = looked_at(people_on(events, day), day, one.resolution)
        assert found.alarms == ()
        assert any(finding.examined for finding in found.findings)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        pytest.param("listeners", "of 97 people's drawn events 97 fall on tenth 7", marks=needs("sparkify_dend_logs")),
        pytest.param(
            "appointments", "2022-10-27 has 0 people where its weekday usually has 138",
            marks=needs("nps_service_appointments"),
        ),
    ],
)  # fmt: skip
def test_what_is_broken_or_over_is_named(name: str, says: str) -> None:
    one = BROKEN[name]
    events = one.read().events
    assert events is not None
    (day,) = one.days(events)
    assert says in looked_at(people_on(events, day), day, one.resolution).verdict

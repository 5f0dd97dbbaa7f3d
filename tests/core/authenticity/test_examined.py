"""All checks together: the verdict's words, the correction, and that nothing can make them fail."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from models.authenticity.counters import Counters, counters_of
from models.authenticity.examine import examine
from models.authenticity.examined import Examined, together
from models.authenticity.finding import Finding
from models.authenticity.instrumentation import examine_instrumentation
from models.authenticity.observed import MISSING, Assigned, Dated, Events, Measure, Observed, Tasks
from models.authenticity.thresholds import THRESHOLDS
from models.clock import DAY, SECOND
from tests.support.build import checked
from tests.support.forgeries import heartbeat, honest, quota_split, uniform_instants, whole_seconds

pytestmark = pytest.mark.core


def test_every_check_has_a_threshold_and_every_threshold_a_check() -> None:
    assert sorted(one.check for one in examine(Observed()).findings) == sorted(THRESHOLDS)
    live = {name for name, one in THRESHOLDS.items() if one.instrumentation}
    assert {one.check for one in examine_instrumentation(Counters(), SECOND).findings} == live


def test_the_guide_says_of_every_check_what_it_sees() -> None:
    guide = (Path(__file__).parents[3] / "docs" / "guides" / "authenticity.md").read_text()
    table = guide[guide.index("| check | sees") :]
    assert [check for check in THRESHOLDS if f"`{check}`" not in table] == []


def test_without_data_nothing_is_examined_and_each_check_says_why() -> None:
    found = examine(Observed())
    assert found.verdict == "nothing found, because nothing could be examined"
    assert all(row["state"] == "not examined" and row["because"] for row in found.report()["checks"])


def test_p_values_are_corrected_as_statsmodels_does() -> None:
    found = examine(uniform_instants(np.random.default_rng(1)))
    ran = [(one.p, adjusted) for one, adjusted in zip(found.findings, found.adjusted, strict=True) if one.examined]
    expected = multipletests([p for p, _ in ran], method="holm")[1]
    assert [adjusted for _, adjusted in ran] == pytest.approx(expected.tolist(), rel=1e-5)


def test_an_alarm_needs_an_effect_beyond_its_edge_and_a_small_p_value() -> None:
    edge = THRESHOLDS["duplicates"].edge
    for effect, p, alarm in ((2 * edge, 1e-6, True), (edge / 2, 1e-6, False), (2 * edge, 0.2, False)):
        one = Finding("duplicates", 1000, "so many", effect, p)
        assert bool(together([one], 0.05).alarms) is alarm


@pytest.mark.parametrize("made", [honest, uniform_instants, whole_seconds, heartbeat, quota_split])
def test_the_report_is_json_its_words_are_its_numbers_and_it_never_says_real(made) -> None:
    found = examine(made(np.random.default_rng(5)))
    text = json.dumps(found.report(), allow_nan=False)
    assert " real" not in text
    assert "authentic" not in found.verdict
    assert all(one.says in found.verdict for one in found.alarms)
    assert found.report()["alarms"] == [row["check"] for row in found.report()["checks"] if row["state"] == "alarm"]
    for row in found.report()["checks"]:
        assert row["state"] == "not examined" or row["figure"]["rows"]


def test_honest_data_is_nothing_found() -> None:
    assert examine(honest(np.random.default_rng(6))).verdict.startswith("nothing found by ")


def test_sums_of_partitions_say_live_what_the_events_say() -> None:
    observed = whole_seconds(np.random.default_rng(7))
    events = observed.events
    assert events is not None
    parts = [Events(events.user[rows], events.at[rows]) for part in range(4) for rows in [events.user % 4 == part]]
    live = examine_instrumentation(sum((counters_of(part) for part in parts), Counters()), observed.resolution)
    whole = {one.check: one for one in examine(observed).findings}
    assert [one.check for one in live.alarms] == ["sub_second"]
    assert len(live.findings) == 4
    assert all(one == whole[one.check] for one in live.findings)


# -- nothing makes it fail ---------------------------------------------------------------------------------------------

INSTANTS = st.one_of(
    st.integers(0, 40 * 86_400).map(lambda second: second * SECOND),
    st.sampled_from([MISSING, 0, -1, DAY, np.iinfo(np.int64).max, np.iinfo(np.int64).min + 1]),
    st.integers(-(2**63), 2**63 - 1),
)
VALUES = st.one_of(st.sampled_from([0.0, 1.0, np.nan, np.inf, -np.inf, 1e308, -1e308, 1e-320]), st.floats(-200, 200))


def column(draw: st.DrawFn, values: st.SearchStrategy, rows: int, dtype: type) -> np.ndarray:
    """Rows of few different values, one value, or many; repeated so that checks have enough to examine."""
    few = draw(st.lists(values, min_size=1, max_size=6))
    return np.resize(np.array(few, dtype=dtype), rows)


@st.composite
def anything(draw: st.DrawFn) -> Observed:
    rows = draw(st.sampled_from([0, 1, 2, 7, 300, 1500]))
    people = st.integers(0, 400)

    def user() -> np.ndarray:
        return (
            np.arange(rows) % draw(st.integers(1, 400)) if draw(st.booleans()) else column(draw, people, rows, np.int64)
        )

    def at() -> np.ndarray:
        return column(draw, INSTANTS, rows, np.int64)

    def value() -> np.ndarray:
        return column(draw, VALUES, rows, float)

    scale = draw(st.sampled_from([None, (0.0, 10.0), (np.nan, np.nan)]))
    kinds = draw(st.sampled_from(["count", "duration", "score"]))
    return Observed(
        events=draw(st.sampled_from([None, Events(user(), at(), None, value(), scale)])),
        resolution=draw(st.sampled_from([1, 1000, SECOND, 60 * SECOND, DAY])),
        assigned=draw(st.sampled_from([None, Assigned(user(), column(draw, st.integers(-1, 2), rows, np.int64), (0.3, 0.7))])),
        joined=draw(st.sampled_from([None, Dated(user(), at())])),
        tasks=draw(st.sampled_from([None, Tasks(user(), column(draw, st.integers(-5, 5), rows, np.int64), at(), at())])),
        help=draw(st.sampled_from([None, Dated(user(), at())])),
        converted=draw(st.sampled_from([None, Dated(user(), at())])),
        measures=(Measure("m", kinds, user(), value(), scale, draw(st.sampled_from([1.0, 0.1, 0.0, np.nan]))),),
    )  # fmt: skip


@given(anything())
@checked(250)
@pytest.mark.filterwarnings("error")
def test_no_input_makes_a_check_fail(observed: Observed) -> None:
    found = examine(observed)
    assert isinstance(found, Examined)
    json.dumps(found.report(), allow_nan=False)
    for one in found.findings:
        assert one.because or (one.says and 0 <= one.p <= 1)


def test_columns_of_different_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="different numbers of rows"):
        Events(np.zeros(2, dtype=np.int64), np.zeros(3, dtype=np.int64))
    with pytest.raises(ValueError, match="different numbers of rows"):
        replace(Measure("m", "count", np.zeros(1, dtype=np.int64), np.zeros(1)), value=np.zeros(2))

"""These figures, this verdict and these words; and what looking at an experiment finds once and for all."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.clock import DAY
from models.plan import PublishedPlan
from models.readout.decision import decide
from models.readout.holm import adjusted_p
from models.readout.looks import NOTHING_SEEN, Looks, joined, looked
from models.readout.written import between, in_words
from tests.support.build import Json, checked, instant
from tests.support.subjects import metric, plan_of, published

pytestmark = pytest.mark.core

LATER = instant(30)
REJECTED = Looks(rejected_at=instant(9))
FIXED = 'analysis = "fixed"\nanalyse_at = 2026-05-25T00:00:00Z'
"""On day 20."""


def experiment(
    *guardrails: str, higher: bool = True, more: str = "", smallest: float = 0.05, **where: Any
) -> PublishedPlan:
    better = f"minimum_effect = {smallest}\nhigher_is_better = {str(higher).lower()}"
    return published(plan_of(metric("converted", "primary", 14, better), *guardrails, more=more), **where)


def tickets(margin: float = 0.1, higher: bool = False) -> str:
    return metric("tickets", "guardrail", 14, f"margin = {margin}\nhigher_is_better = {str(higher).lower()}")


def reading(
    plan: PublishedPlan,
    interval: list[float | None] | None,
    *,
    estimate: float = 0.07,
    e_value: float = 30.0,
    guardrail: list[float | None] | None = None,
    assigned: tuple[int, int] = (500, 500),
    both: int = 0,
    p_final: float | None = None,
    power: float | None = None,
    answer_by: str | None = None,
    level: float = 0.05,
) -> Json:
    """What `decide` reads of a snapshot. The interval is the sequence's, or that of a fixed analysis' one look."""
    fixed = plan.plan.experiment.analysis == "fixed"
    name, nothing = ("ci", "cs") if fixed else ("cs", "ci")
    itt: Json = {name: interval, nothing: None, "estimate": estimate, "e_value": None if fixed else e_value}
    if interval is None:
        itt |= {"estimate": None, "e_value": None, "because": "each arm needs 10 mature accounts"}
    return {
        "plan": {"experiment": {"analysis": plan.plan.experiment.analysis}},
        "arms": {"control": {"assigned": assigned[0]}, "test": {"assigned": assigned[1]}},
        "srm": {"e_value": 1.0, "p_final": p_final},
        "notes": {"both_arms": both},
        "queue": {"level": level},
        "metrics": {
            "converted": {"role": "primary", "itt": itt, "power": {"now": power}, "answer_by": answer_by},
            "tickets": {"role": "guardrail", "itt": {name: guardrail, nothing: None}},
        },
    }


def verdict(plan: PublishedPlan, found: Json, looks: Looks = NOTHING_SEEN, time: int = LATER) -> tuple[str, str]:
    return decide(plan, found, looks, time)


def test_a_verdict_rests_on_what_a_snapshot_says() -> None:
    """The builder above has the shape of the real thing."""
    from tests.support.subjects import reading as read

    plan = experiment(tickets())
    real = read(plan, [], LATER)
    for name, value in reading(plan, None).items():
        assert set(value) <= set(real[name]) | {"answer_by"}, name
    assert set(real["metrics"]) == {"converted", "tickets"}
    assert set(real["metrics"]["converted"]["power"]) >= {"now"}


# -- unhealthy, first --------------------------------------------------------------------------------------------------

WINNING = [0.02, 0.12]


@pytest.mark.parametrize(
    ("changed", "looks", "words"),
    [
        ({"p_final": 0.0086, "assigned": (44700, 45489)}, NOTHING_SEEN,
         ["44700 in control and 45489 in test", "50% control and 50% test", "probability 0.0086"]),
        ({"assigned": (400, 600)}, Looks(unhealthy_at=instant(3)), ["e-value reached 100", "400 in control and 600 in test"]),
        ({"both": 11}, NOTHING_SEEN, ["11 of 1000 units (1.1%) were assigned to both arms"]),
    ],
)  # fmt: skip
def test_data_that_cannot_be_trusted_comes_before_anything_they_say(
    changed: Json, looks: Looks, words: list[str]
) -> None:
    plan = experiment()
    everything = Looks(looks.unhealthy_at, instant(9))
    for time in (instant(1), LATER):
        found = verdict(plan, reading(plan, WINNING, **changed), everything, time)
        assert found[0] == "unhealthy"
        assert all(word in found[1] for word in words)


@pytest.mark.parametrize("changed", [{"p_final": 0.01}, {"both": 10}, {"p_final": None}, {"assigned": (0, 0)}])
def test_data_at_the_very_limit_are_trusted(changed: Json) -> None:
    plan = experiment()
    assert verdict(plan, reading(plan, WINNING, **changed), REJECTED)[0] == "double_down"


def test_a_broken_sample_ratio_stays_broken_when_the_counts_are_even_again() -> None:
    plan = experiment()
    latched = looked(NOTHING_SEEN, look(srm=100), 0.05, 0.01, 0.05, instant(3))
    again = looked(latched, look(srm=1), 0.05, 0.01, 0.05, instant(5))
    assert verdict(plan, reading(plan, WINNING), again)[0] == "unhealthy"


# -- too early by the calendar -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("min_days", "least"), [(0.5, 7), (7, 7), (7.5, 14), (8, 14), (14, 14), (15, 21), (30, 35)]
)  # fmt: skip
def test_verdicts_wait_for_whole_weeks_and_at_least_min_days(min_days: float, least: int) -> None:
    plan = experiment(more=f"min_days = {min_days}")
    found = reading(plan, WINNING)
    early = verdict(plan, found, REJECTED, instant(least) - 1)
    assert early[0] == "keep_running"
    assert f"verdicts wait for {least} days (whole weeks), of which" in early[1]
    assert verdict(plan, found, REJECTED, instant(least))[0] == "double_down"


def test_the_days_are_counted_from_when_it_runs() -> None:
    plan = experiment(runs_from=instant(10))
    assert verdict(plan, reading(plan, WINNING), REJECTED, instant(16))[1] == (
        "verdicts wait for 7 days (whole weeks), of which 6.0 have passed"
    )
    assert "of which 0.0 have passed" in verdict(plan, reading(plan, WINNING), REJECTED, instant(5))[1]
    assert verdict(plan, reading(plan, WINNING), REJECTED, instant(17))[0] == "double_down"


# -- the sequence ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("interval", "looks", "expected", "words"),
    [
        (None, NOTHING_SEEN, "keep_running", ["too early to say", "each arm needs 10 mature accounts"]),
        ([0.02, 0.12], REJECTED, "double_down",
         ["converted: +7 points, between +2 points and +12 points excludes 0", "queue's evidence was reached"]),
        ([0.02, 0.12], NOTHING_SEEN, "keep_running",
         ["excludes 0, but the queue of experiments asks for an e-value of 40; it is 30"]),
        ([0.02, None], REJECTED, "double_down", ["at least +2 points"]),
        ([0.0, 0.12], REJECTED, "keep_running", ["does not decide yet"]),
        ([-0.01, 0.12], REJECTED, "keep_running", ["does not decide yet"]),
        ([-0.06, 0.049], NOTHING_SEEN, "pivot",
         ["at most +4.9 points better, below +5 points, the smallest effect that matters"]),
        ([-0.06, 0.05], NOTHING_SEEN, "keep_running", ["does not decide yet"]),
        ([-0.12, -0.02], NOTHING_SEEN, "pivot", ["between -12 points and -2 points", "at most -2 points better"]),
        ([None, 0.01], NOTHING_SEEN, "pivot", ["at most +1 points"]),
        ([None, None], NOTHING_SEEN, "keep_running", ["anything does not decide yet"]),
        ([-0.12, None], NOTHING_SEEN, "keep_running", ["at least -12 points does not decide yet"]),
    ],
)  # fmt: skip
def test_the_primarys_sequence_decides(
    interval: list[float | None] | None, looks: Looks, expected: str, words: list[str]
) -> None:
    plan = experiment()
    found = verdict(plan, reading(plan, interval, level=0.025), looks)
    assert found[0] == expected
    for word in words:
        assert word in found[1]


@pytest.mark.parametrize(
    ("interval", "looks", "expected"),
    [
        ([-0.12, -0.02], REJECTED, "double_down"),
        ([None, -0.02], REJECTED, "double_down"),
        ([-0.12, -0.02], NOTHING_SEEN, "keep_running"),
        ([-0.049, 0.06], NOTHING_SEEN, "pivot"),
        ([-0.05, 0.06], NOTHING_SEEN, "keep_running"),
        ([0.02, 0.12], REJECTED, "pivot"),
        ([0.02, None], NOTHING_SEEN, "pivot"),
        ([None, 0.01], NOTHING_SEEN, "keep_running"),
    ],
)
def test_where_lower_is_better_everything_is_mirrored(
    interval: list[float | None], looks: Looks, expected: str
) -> None:
    plan = experiment(higher=False)
    assert verdict(plan, reading(plan, interval, estimate=-0.07), looks)[0] == expected


def test_a_harmful_effect_that_the_queue_has_rejected_is_no_success() -> None:
    """e-values are two-sided: a rejection says that there is an effect, not which."""
    plan = experiment()
    assert verdict(plan, reading(plan, [-0.12, -0.02], estimate=-0.07), REJECTED)[0] == "pivot"


def test_going_on_says_the_power_so_far_and_when_an_answer_is_expected() -> None:
    plan = experiment()
    found = reading(plan, [-0.02, 0.12], power=0.314, answer_by="2026-07-24T00:00:00Z")
    assert verdict(plan, found)[1] == (
        "converted: +7 points, between -2 points and +12 points does not decide yet; an effect of +5 points would have "
        "been seen by now with a probability of 31%; an answer is expected by 2026-07-24"
    )


def test_an_effect_below_the_smallest_that_matters_is_a_pivot_even_above_0() -> None:
    plan = experiment()
    assert verdict(plan, reading(plan, [0.01, 0.03], estimate=0.02))[0] == "pivot"


def test_where_lower_is_better_the_words_are_mirrored_too() -> None:
    plan = experiment(higher=False)
    assert "an effect of -5 points" in verdict(plan, reading(plan, [-0.12, 0.02], power=0.3, estimate=-0.05))[1]


def test_a_minimum_effect_written_with_the_sign_of_what_is_better_means_the_same() -> None:
    """A lower-is-better metric whose plan says `minimum_effect = -0.05`: power reads it as .05, and so must pivot."""
    plan = experiment(higher=False, smallest=-0.05)
    assert verdict(plan, reading(plan, [-0.02, 0.06], estimate=0.02))[0] == "pivot"


# -- guardrails --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("guardrail", "higher", "expected"),
    [
        ([-0.3, 0.09], False, "double_down"),
        ([None, 0.09], False, "double_down"),
        ([-0.3, 0.1], False, "keep_running"),
        ([-0.3, None], False, "keep_running"),
        (None, False, "keep_running"),
        ([0.05, 0.3], False, "keep_running"),
        ([0.1, 0.3], False, "keep_running"),
        ([0.11, 0.3], False, "pivot"),
        ([0.11, None], False, "pivot"),
        ([-0.09, 0.3], True, "double_down"),
        ([-0.1, 0.3], True, "keep_running"),
        ([-0.3, -0.1], True, "keep_running"),
        ([-0.3, -0.11], True, "pivot"),
        ([None, -0.11], True, "pivot"),
    ],
)
def test_guardrails_pass_when_harm_beyond_the_margin_is_excluded(
    guardrail: list[float | None] | None, higher: bool, expected: str
) -> None:
    plan = experiment(tickets(higher=higher))
    found = verdict(plan, reading(plan, WINNING, guardrail=guardrail), REJECTED)
    assert found[0] == expected
    if expected == "keep_running":
        assert "excludes 0; guardrails not yet safe: tickets" in found[1]
    if expected == "pivot":
        assert "guardrail tickets is worse by more than its margin 0.1" in found[1]


def test_harm_is_told_whatever_the_primary_says() -> None:
    plan = experiment(tickets())
    for interval in (None, [-0.5, 0.5], WINNING):
        found = verdict(plan, reading(plan, interval, guardrail=[0.2, 0.3]))
        assert found == (
            "pivot", "guardrail tickets is worse by more than its margin 0.1: between +0.2 and +0.3"
        )  # fmt: skip


def test_a_margin_of_0_allows_no_harm_at_all() -> None:
    plan = experiment(tickets(margin=0))
    assert verdict(plan, reading(plan, WINNING, guardrail=[-0.3, -0.01]), REJECTED)[0] == "double_down"
    assert verdict(plan, reading(plan, WINNING, guardrail=[-0.3, 0.0]), REJECTED)[0] == "keep_running"


# -- a fixed analysis --------------------------------------------------------------------------------------------------

DATE = instant(20)


@pytest.mark.parametrize(
    ("interval", "time", "expected", "words"),
    [
        (WINNING, DATE - 1, "keep_running", "one look, on the date stated in the plan"),
        ([-0.12, -0.02], DATE - 1, "keep_running", "one look, on the date stated in the plan"),
        (WINNING, DATE, "double_down", "converted, read once as planned: +7 points, between +2 points and +12 points"),
        (WINNING, DATE + DAY, "double_down", "excludes 0"),
        ([-0.06, 0.04], DATE, "pivot", "below +5 points, the smallest effect that matters"),
        ([-0.06, 0.06], DATE, "keep_running", "does not decide"),
        (None, DATE, "keep_running", "nothing to read at the stated date: each arm needs 10 mature accounts"),
    ],
)
def test_a_fixed_analysis_is_read_once_on_its_date(
    interval: list[float | None] | None, time: int, expected: str, words: str
) -> None:
    plan = experiment(more=FIXED)
    found = verdict(plan, reading(plan, interval), time=time)
    assert found[0] == expected
    assert words in found[1]


def test_a_fixed_analysis_asks_its_guardrails_on_its_date() -> None:
    plan = experiment(tickets(), more=FIXED)
    assert verdict(plan, reading(plan, WINNING, guardrail=[-0.3, 0.05]), time=DATE)[0] == "double_down"
    assert verdict(plan, reading(plan, WINNING, guardrail=[0.2, 0.3]), time=DATE)[0] == "pivot"
    assert verdict(plan, reading(plan, WINNING, guardrail=[-0.3, 0.2]), time=DATE)[0] == "keep_running"


def test_a_fixed_analysis_does_not_look_at_its_guardrails_before_its_date() -> None:
    plan = experiment(tickets(), more=FIXED)
    assert verdict(plan, reading(plan, WINNING, guardrail=[0.2, 0.3]), time=DATE - 1)[0] == "keep_running"


def test_a_fixed_analysis_names_the_guardrails_that_held_it_up() -> None:
    plan = experiment(tickets(), more=FIXED)
    assert "tickets" in verdict(plan, reading(plan, WINNING, guardrail=[-0.3, 0.2]), time=DATE)[1]


# -- words -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("metric_", "value", "words"),
    [
        ("converted", 0.069, "+6.9 points"),
        ("retained", -0.00123, "-0.123 points"),
        ("utilisation", 0.5, "+50 points"),
        ("adopted:board", 0.0, "+0 points"),
        ("outcome:gmv", 1234567.0, "+1.23e+06"),
        ("time_to:1", -2.5, "-2.5"),
        ("tickets", 0.489, "+0.489"),
    ],
)
def test_shares_read_in_points_and_amounts_as_they_are(metric_: str, value: float, words: str) -> None:
    assert in_words(metric_, value) == words


def test_an_open_end_is_said_as_such() -> None:
    assert between("tickets", [1.0, 2.0]) == "between +1 and +2"
    assert between("tickets", [None, 2.0]) == "at most +2"
    assert between("tickets", [1.0, None]) == "at least +1"
    assert between("tickets", [None, None]) == "anything"


# -- looks: what is found once -----------------------------------------------------------------------------------------


def look(
    srm: float | None = 1.0, itt: float | None = None, e_value: float | None = None, **others: float | None
) -> Json:
    """A reading with the figures that looking reads. itt and others: p_always_valid of the primary's read-outs."""
    found = {name: {"p_always_valid": p} for name, p in others.items()}
    primary = {"role": "primary", "itt": {"p_always_valid": itt, "e_value": e_value}, **found}
    secondary = {"role": "secondary", "itt": {"p_always_valid": itt, "e_value": 1e9}}
    return {"srm": {"e_value": srm}, "metrics": {"tickets": secondary, "converted": primary}}


def seen(*readings: Json, before: Looks = NOTHING_SEEN, level: float = 0.05) -> Looks:
    """Looks after these readings, one a day."""
    for day, one in enumerate(readings, start=1):
        before = looked(before, one, 0.05, 0.01, level, instant(day))
    return before


def test_nothing_is_seen_where_nothing_is() -> None:
    assert seen(look(), look(srm=None), look(itt=0.051, e_value=19.6), look(exact=None)) == NOTHING_SEEN


def test_the_first_crossing_of_each_read_out_is_kept() -> None:
    found = seen(look(), look(itt=0.05), look(itt=0.9, cuped=0.01), look(itt=0.001, cace=0.04, exact=0.03))
    day = instant
    assert found.crossed == {
        "converted": {"itt": day(2), "cuped": day(3), "cace": day(4), "exact": day(4)},
        "tickets": {"itt": day(2)},
    }


def test_the_queue_rejects_by_the_primarys_present_e_value_at_its_level() -> None:
    assert seen(look(e_value=39.9), level=0.025).rejected_at is None
    assert seen(look(e_value=39.9), look(e_value=40.0), look(e_value=1.0), level=0.025).rejected_at == instant(2)


@pytest.mark.parametrize(("e_value", "at"), [(99.9, None), (100.0, instant(1))])
def test_the_sample_ratio_is_broken_from_its_bound_on(e_value: float, at: int | None) -> None:
    assert seen(look(srm=e_value), look()).unhealthy_at == at


Instants = st.none() | st.integers(0, 5).map(instant)
AnyLooks = st.builds(
    Looks,
    Instants,
    Instants,
    st.dictionaries(
        st.sampled_from(["converted", "tickets"]),
        st.dictionaries(st.sampled_from(["itt", "cuped", "exact"]), st.integers(0, 5).map(instant), min_size=1),
    ),
)
Readings = st.builds(
    look,
    st.sampled_from([None, 1.0, 100.0]),
    st.sampled_from([None, 0.01, 0.5]),
    st.sampled_from([None, 1.0, 50.0]),
    cuped=st.sampled_from([None, 0.01]),
)


@given(AnyLooks, st.lists(Readings, max_size=6))
@checked(100)
def test_looking_only_ever_adds(before: Looks, readings: list[Json]) -> None:
    after = seen(*readings, before=before)
    for name in ("unhealthy_at", "rejected_at"):
        old = getattr(before, name)
        assert old is None or getattr(after, name) == old
    for metric_, crossed in before.crossed.items():
        assert {name: after.crossed[metric_][name] for name in crossed} == crossed


@given(AnyLooks, AnyLooks, AnyLooks)
@checked(100)
def test_what_observers_have_found_is_joined_in_any_order(one: Looks, other: Looks, third: Looks) -> None:
    assert joined(one, other) == joined(other, one)
    assert joined(joined(one, other), third) == joined(one, joined(other, third))
    assert joined(one, one) == one
    assert joined(one, NOTHING_SEEN) == one


def test_the_earlier_of_two_observers_counts() -> None:
    one = Looks(instant(3), None, {"converted": {"itt": instant(2), "cuped": instant(5)}})
    other = Looks(instant(1), instant(4), {"converted": {"itt": instant(3)}, "tickets": {"itt": instant(9)}})
    assert joined(one, other) == Looks(
        instant(1), instant(4), {"converted": {"itt": instant(2), "cuped": instant(5)}, "tickets": {"itt": instant(9)}}
    )


# -- Holm --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("known", "unknown"), [(1, 0), (3, 0), (9, 0), (1, 3), (4, 2)])
def test_holms_correction_is_that_of_statsmodels(known: int, unknown: int) -> None:
    """Hypotheses without a p yet count as the largest."""
    from statsmodels.stats.multitest import multipletests

    p_values = (np.random.default_rng(known).random(known) ** 4).tolist()
    expected = multipletests([*p_values, *[1.0] * unknown], method="holm")[1][:known]
    assert adjusted_p(p_values, known + unknown) == [pytest.approx(p, rel=6e-6) for p in expected]


def test_equal_p_values_are_corrected_alike() -> None:
    assert adjusted_p([0.01, 0.04, 0.01], 3) == [0.03, 0.04, 0.03]

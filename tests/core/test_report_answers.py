"""The parts of the report that nothing else computes, each by another route: statsmodels, scipy, lifelines, by hand."""

import warnings

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st
from lifelines import KaplanMeierFitter
from lifelines.statistics import logrank_test
from lifelines.utils import restricted_mean_survival_time
from scipy.stats import chi2_contingency, norm, ttest_ind
from scipy.stats import t as student
from statsmodels.stats.proportion import proportion_confint

from models import events as e
from models.authenticity.observed import MISSING
from models.clock import DAY, HOUR, SECOND
from models.inference import survival
from models.outcomes import Window
from models.product import GETTING_STARTED
from models.report.assumed import assumed_plan
from models.report.completing import at_landmark, dose, landmark_days
from models.report.evidence import Evidence
from models.report.helped import MINUTE, NO_HELP, Rescued, folded, read_help, read_speed, rescued
from models.report.people import Person
from models.report.shares import Tried, alike, at_level, by_group, difference, rise, share
from models.report.succeeding import begun, read_succeeding
from models.rows import Help

pytestmark = pytest.mark.core
ALPHA = 0.05
START = 20_578 * DAY
NOW = START + 40 * DAY
TASKS = GETTING_STARTED.tasks


def person(account="a", started=(), completed=(), helps=(), trouble=None, converted=None, at=START):
    """Somebody whose times are hours since the start of their trial."""

    def hours(given):
        known = [None if one is None else at + round(one * HOUR) for one in given]
        return (*known, *[None] * (3 - len(known)))

    return Person(
        account,
        Window(at, at + 30 * DAY),
        hours(started),
        hours(completed),
        tuple(Help(at + round(when * HOUR), source, "", task) for when, source, task in helps),
        None if trouble is None else at + round(trouble * HOUR),
        None if converted is None else at + round(converted * HOUR),
    )


# -- shares ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("successes", "of"), [(0, 7), (7, 7), (3, 10), (216, 1000)])
def test_a_share_has_wilsons_interval(successes, of):
    found = share(successes, of, ALPHA)
    assert found["rate"] == pytest.approx(successes / of)
    assert found["ci"] == pytest.approx(proportion_confint(successes, of, ALPHA, "wilson"), abs=1e-12)


def test_a_share_of_nobody_is_not_known():
    assert share(0, 0, ALPHA) == {"units": 0, "successes": 0, "rate": None, "ci": None}


@given(st.lists(st.tuples(st.integers(1, 60), st.integers(0, 60)), min_size=2, max_size=6))
def test_alike_is_pearsons_chi_square(counts):
    table = [(min(x, n), n) for n, x in counts]
    found = alike([{"units": n, "successes": x} for x, n in table])
    if sum(x for x, _ in table) in (0, sum(n for _, n in table)):
        assert found["p"] is None and found["because"]
    else:
        expected = chi2_contingency([[x for x, _ in table], [n - x for x, n in table]], correction=False)
        assert found["chi_square"] == pytest.approx(expected.statistic, rel=1e-9, abs=1e-9)
        assert found["p"] == pytest.approx(max(expected.pvalue, 1e-300), rel=1e-5)


@pytest.fixture(scope="module")
def tries():
    """Three tries each of 80 accounts that are alike within, ever better from group to group."""
    rng = np.random.default_rng(7)
    luck = rng.normal(size=80)
    return [
        Tried(f"a{account}", group, bool(rng.random() < 1 / (1 + np.exp(-luck[account] - 0.5 * group))))
        for account in range(80)
        for group in rng.integers(0, 4, size=3).tolist()
    ]


def test_a_rise_is_least_squares_with_errors_clustered_by_account(tries):
    y = np.array([float(one.success) for one in tries])
    x = sm.add_constant(np.array([float(one.group) for one in tries]))
    accounts = np.unique([one.account for one in tries], return_inverse=True)[1]
    fitted = sm.OLS(y, x).fit(cov_type="cluster", cov_kwds={"groups": accounts, "use_correction": False})
    found = rise(tries, ALPHA)
    assert found["slope"] == pytest.approx(fitted.params[1], abs=1e-10)
    assert found["se"] == pytest.approx(fitted.bse[1] * np.sqrt(80 / 79), rel=1e-6)
    low, high = found["ci"]
    assert (low + high) / 2 == pytest.approx(found["slope"]) and found["at_level"] == at_level(found["ci"])
    assert (high - low) / 2 == pytest.approx(student.ppf(0.975, 79) * found["se"], rel=1e-6), "80 equal accounts"


def test_what_cannot_be_compared_says_why(tries):
    assert "10 accounts" in rise(tries[:9], ALPHA)["because"]
    assert "one group" in rise([Tried(f"a{n}", 1, bool(n % 2)) for n in range(20)], ALPHA)["because"]
    assert "10 accounts" in difference([("a", 0, True), ("b", 1, False)], ALPHA)["because"]
    flat = [(f"a{n}", n % 2, bool(n % 2)) for n in range(40)]
    found = difference(flat, ALPHA)
    assert found["estimate"] == 1 and found["ci"] is None and "alike" in found["because"]


def test_a_line_that_hides_a_turn_says_so():
    def tries(*rates):
        return [Tried(f"a{g}-{n}", g, n < 100 * rate) for g, rate in enumerate(rates) for n in range(100)]

    assert rise(tries(0.2, 0.5, 0.8), ALPHA)["steady"] and rise(tries(0.8, 0.5, 0.2), ALPHA)["steady"]
    assert not rise(tries(0.2, 0.9, 0.5), ALPHA)["steady"]


def test_a_difference_of_single_customers_is_that_of_two_means():
    rng = np.random.default_rng(3)
    units = [(f"a{n}", n % 2, bool(rng.random() < 0.3 + 0.2 * (n % 2))) for n in range(300)]
    found = difference(units, ALPHA)
    one, zero = ([came for _, group, came in units if group == side] for side in (1, 0))
    assert found["estimate"] == pytest.approx(np.mean(one) - np.mean(zero))
    variance = sum(np.var(part) / len(part) for part in (one, zero)) * 300 / 299
    assert found["se"] == pytest.approx(np.sqrt(variance), rel=1e-6)
    welch = ttest_ind(one, zero, equal_var=False).confidence_interval(0.95)
    assert found["ci"] == pytest.approx([welch.low, welch.high], abs=5e-4)
    # Each account twice, as one cluster: nothing more is known than before.
    assert difference([*units, *units], ALPHA)["se"] == pytest.approx(found["se"], rel=1e-6)


@pytest.mark.parametrize(
    ("interval", "said"),
    [(None, None), ([0.1, 0.2], "above"), ([-0.2, -0.1], "below"), ([-0.1, 0.2], "not told"), ([0.0, 1.0], "not told"),
     ([None, 1.0], "not told"), ([0.5, None], "above"), ([None, -1.0], "below"), ([None, None], "not told")],
)  # fmt: skip
def test_where_an_interval_lies(interval, said):
    assert at_level(interval) == said


# -- help --------------------------------------------------------------------------------------------------------------


def test_the_first_help_after_trouble_and_the_task_it_was_for():
    helps = [(1, "OTHER", ""), (5, "CS", "2"), (6, "OTHER", "2")]
    found = rescued(person(completed=(2, 9), helps=helps, trouble=4), NOW, TASKS)
    assert found == Rescued("a", 1, 4 * HOUR, 30 * DAY - 5 * HOUR, False, False)


@pytest.mark.parametrize(
    ("given", "took"),
    [
        ({"helps": [(5, "CS", "")], "completed": (2, 9)}, 4 * HOUR),
        ({"helps": [(5, "CS", "1")], "completed": (2, 9)}, 4 * HOUR),
        ({"helps": [(5, "CS", "3")], "completed": (2, 9)}, None),
        ({"helps": [(5, "CS", "")], "completed": (31 * 24,)}, None),
        ({"helps": [(5, "CS", "")], "completed": (5,)}, None),
    ],
    ids=["first open task", "named task was done", "named task", "after the trial", "done at that instant"],
)
def test_when_the_task_in_trouble_was_completed(given, took):
    found = rescued(person(trouble=4, **given), NOW, TASKS)
    assert found is not None and found.took == took


@pytest.mark.parametrize(
    "given",
    [{"helps": [(5, "CS", "")]}, {"trouble": 4}, {"trouble": 6, "helps": [(5, "CS", "")]},
     {"trouble": 1, "helps": [(5, "CS", "")], "completed": (1, 2, 3)}, {"trouble": 1, "helps": [(31 * 24, "CS", "")]}],
    ids=["no trouble", "no help", "help before trouble", "nothing left", "after the trial"],
)  # fmt: skip
def test_who_is_not_counted_as_helped(given):
    assert rescued(person(**given), NOW, TASKS) is None


@pytest.fixture(scope="module")
def helped():
    """Times in whole minutes and a half, so that bins of a minute hold them in their middle."""
    rng = np.random.default_rng(11)
    found = []
    for n in range(160):
        group = n % 2
        minutes = int(rng.exponential(600 if group else 2_000)) if rng.random() < 0.75 else None
        watched = 30 * DAY if rng.random() < 0.7 else int(rng.integers(100, 9_000)) * MINUTE
        took = None if minutes is None else minutes * MINUTE + MINUTE // 2
        found.append(
            Rescued(f"a{n}", group, took if took is not None and took < watched else None, watched, False, False)
        )
    return found


def test_speed_is_that_of_lifelines(helped):
    found = read_speed(helped, ALPHA)
    until = found["until_hours"]
    assert until == 168
    curves = []
    for group in (0, 1):
        mine = [one for one in helped if one.group == group]
        hours = np.array([(one.watched if one.took is None else one.took) / HOUR for one in mine])
        came = np.array([one.took is not None for one in mine]) & (hours < until)
        curves.append((np.minimum(hours, until), came))
    for source, (hours, came) in zip(("OTHER", "CS"), curves, strict=True):
        fitted = KaplanMeierFitter().fit(hours, came)
        median = fitted.median_survival_time_
        assert found["median_hours"][source] == (None if np.isinf(median) else pytest.approx(median, abs=1e-9))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            mean = restricted_mean_survival_time(fitted, t=until)
        assert found["restricted_mean_hours"][source] == pytest.approx(mean, rel=1e-6)
        for at in found["curves"][source]:
            assert at["share"] == pytest.approx(1 - fitted.predict(at["hours"]), abs=1e-9)
    means = survival.restricted_means(
        *(folded([one for one in helped if one.group == group], 168 * HOUR) for group in (0, 1)),
        np.arange(168 * 60 + 1) / 60,
    )
    low, high = found["restricted_mean_hours"]["ci"]
    assert [low, high] == pytest.approx(norm.interval(0.95, means.difference, means.se), rel=1e-9)
    expected = logrank_test(curves[0][0], curves[1][0], curves[0][1], curves[1][1])
    assert found["log_rank_p"] == pytest.approx(expected.p_value, rel=1e-4)


def test_the_hours_of_completers_are_compared_as_scipy_does(helped):
    found = read_speed(helped, ALPHA)["of_completers"]
    hours = [np.array([one.took / HOUR for one in helped if one.group == group and one.took]) for group in (0, 1)]
    expected = ttest_ind(np.log(hours[1]), np.log(hours[0]), equal_var=False)
    interval = expected.confidence_interval(1 - ALPHA)
    assert found["ci"] == pytest.approx([np.exp(interval.low), np.exp(interval.high)], rel=1e-9)
    assert found["ratio"] == pytest.approx(np.exp(np.log(hours[1]).mean() - np.log(hours[0]).mean()))
    assert found["CS"] == {"completers": len(hours[1]), "median_hours": pytest.approx(np.median(hours[1]))}


def test_help_that_nobody_used_or_from_one_side_only_is_no_comparison():
    assert read_help([person(trouble=1)], TASKS, NOW, ALPHA)["because"] == NO_HELP
    one_sided = read_help([person(trouble=1, helps=[(2, "CS", "")])], TASKS, NOW, ALPHA)
    assert not one_sided["answered"] and "OTHER" in one_sided["because"]


# -- doses and landmarks -----------------------------------------------------------------------------------------------


def test_tasks_after_the_conversion_are_no_dose():
    assert dose(person(completed=(1, 2, 50), converted=30), NOW) == 2
    assert dose(person(completed=(1, 2, 50)), NOW) == 3


def test_a_landmark_takes_the_unconverted_and_what_they_had_done():
    people = [
        person(completed=(1, 2), converted=20),  # before the landmark: out
        person(completed=(1, 30), converted=40),  # one task before it, converted after
        person(completed=(1,)),
        person(),
        person(converted=24),  # at the landmark: after it
        person(at=NOW - DAY // 2),  # not there yet
    ]
    found = at_landmark(people, 1, NOW, ALPHA)
    counts = [(row["completions"], row["units"], row["successes"]) for row in found["rows"]]
    assert counts == [(0, 2, 1), (1, 2, 1)]
    assert at_landmark(people, 45, NOW, ALPHA) is None


def test_landmarks_follow_the_length_of_the_trial():
    assert landmark_days(GETTING_STARTED) == [1, 3, 7, 14]
    assert landmark_days(type(GETTING_STARTED)(id="course", tasks=("1",), trial_days=300)) == [10, 30, 70, 140]
    assert landmark_days(type(GETTING_STARTED)(id="short", tasks=("1",), trial_days=7)) == [1, 2, 3]


# -- success -----------------------------------------------------------------------------------------------------------


def test_begun_tasks_know_what_was_done_before_them():
    found = begun(person(started=(1, 3, 31 * 24), completed=(2, None, None)))
    assert [(one.since // HOUR, one.before, one.completed) for one in found] == [(1, 0, True), (3, 1, False)]


def test_success_by_groups_counted_by_hand():
    people = [person(f"a{n}", started=(0.5, 3), completed=(1, None if n % 4 else 5)) for n in range(12)]
    found = read_succeeding(people, TASKS, ALPHA)
    since = {row["group"]: (row["units"], row["successes"]) for row in found["by_since"]["groups"]}
    assert since == {"under 1": (12, 12), "2 to 4": (12, 3)}
    step = {row["group"]: (row["units"], row["successes"]) for row in found["by_step"]["groups"]}
    assert step == {"0": (12, 12), "1": (12, 3), "2": (3, 0)}
    assert [row["group"] for row in found["by_joining"]["groups"]] == ["0:00 to 6:00"]


def test_groups_without_anybody_are_left_out():
    assert [row["group"] for row in by_group([Tried("a", 2, True)], ("x", "y", "z"), ALPHA)] == ["z"]


def test_dates_say_nothing_of_the_time_of_day():
    found = read_succeeding([person(completed=(24, 48)), person("b", started=(24,))], TASKS, ALPHA)
    assert not found["by_joining"]["answered"] and not found["by_hour"]["answered"]
    assert "time of day" in found["by_hour"]["because"]


# -- the assumed plan and the evidence ---------------------------------------------------------------------------------


def test_the_assumed_plan_is_that_of_the_exercise():
    plan = assumed_plan("x", {"Test", "Control"}, START + HOUR, START + 2 * HOUR, 50, True)
    assert plan is not None
    assert plan.experiment.arms == {"Control": 0.7, "Test": 0.3} and plan.treatment == "Test"
    assert plan.starts_at == START and plan.analyse_at == START + 2 * HOUR + 30 * DAY
    assert plan.primary.name == "converted" and plan.experiment.unit == "account"


@pytest.mark.parametrize("arms", [{"a", "b"}, {"control"}, {"control", "a", "b"}])
def test_arms_that_do_not_say_which_is_the_control_have_no_plan(arms):
    assert assumed_plan("x", arms, START, START, 5, True) is None


def test_events_become_the_tables_that_checks_look_at():
    plan = assumed_plan("x", {"test", "control"}, START, START, 2, True)
    evidence = Evidence(GETTING_STARTED, plan)
    decoded = [
        e.TrialStarted(id="1", at=START / SECOND, account_id="a", user_id="u"),
        e.ExperimentAssigned(
            id="2", at=START / SECOND, account_id="a", user_id="u", properties=e.Assignment("x", "test")
        ),
        e.ExperimentAssigned(
            id="3", at=START / SECOND, account_id="a", user_id="u", properties=e.Assignment("y", "test")
        ),
        e.TaskStarted(id="4", at=START / SECOND + 60, account_id="a", user_id="u", properties=e.TaskOf("2")),
        e.TaskCompleted(id="5", at=START / SECOND + 90, account_id="a", user_id="u", properties=e.TaskOf("1")),
        e.TaskCompleted(id="6", at=START / SECOND + 95, account_id="a", user_id="v", properties=e.TaskOf("other")),
        e.Converted(id="7", at=START / SECOND + 99.5, account_id="a", user_id="u"),
    ]
    for one in decoded:
        evidence.take(one)
    found = evidence.observed()
    assert found.assigned is not None and found.assigned.shares == tuple(plan.experiment.arms.values())
    assert list(plan.experiment.arms)[found.assigned.arm.item()] == "test"
    tasks = found.tasks
    assert (tasks.task.tolist(), tasks.started.tolist(), tasks.completed.tolist()) == (
        [0, 1], [MISSING, START + 60 * SECOND], [START + 90 * SECOND, MISSING],
    )  # fmt: skip
    assert len(found.events) == 1 and not found.events.free
    assert found.converted.at.tolist() == [START + 99 * SECOND + SECOND // 2] and found.resolution == 1000
    assert found.help is None and found.joined.user.tolist() == [0]


def test_what_people_do_as_they_like_is_looked_at_before_the_steps():
    evidence = Evidence(GETTING_STARTED, None)
    evidence.take(e.TaskStarted(id="4", at=START / SECOND, account_id="a", user_id="u", properties=e.TaskOf("2")))
    evidence.take(e.SessionStarted(id="5", at=START / SECOND, account_id="a", user_id="u"))
    found = evidence.observed()
    assert len(found.events) == 1 and found.events.free and found.assigned is None and found.resolution == DAY

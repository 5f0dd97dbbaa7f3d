"""An experiment's snapshot where hardly anything can be said: a stated because, no crash, no false certainty.

And two real experiments, of which the published figures are known.
"""

import json
import re
from collections.abc import Callable, Iterator
from functools import cache
from math import isfinite
from typing import Any

import msgspec
import pandas as pd
import pytest

from models.clock import DAY
from models.plan import PublishedPlan
from models.rows import Help
from models.subject import Subject
from tests.support.build import Json, instant
from tests.support.shared_data import DATA, needs
from tests.support.subjects import NOBODY, alike, metric, plan_of, published, reading, share_of, subject

pytestmark = [pytest.mark.core, pytest.mark.filterwarnings("error")]

NOW = instant(40)
METRICS = [
    metric("converted", "primary", 14, "minimum_effect = 0.05"),
    metric("outcome:gmv", window=14),
    metric("time_to:1", window=14),
    metric("retained", window=14),
    metric("tickets", "guardrail", 14, "margin = 0.1"),
]
TRAITS = 'covariates = ["employees"]\nsegments = ["segment"]\n'
FIXED = 'analysis = "fixed"\nanalyse_at = 2026-06-05T00:00:00Z\n'
Units = list[tuple[str, Subject]]


def experiment(test: float = 0.5, more: str = TRAITS, **where: Any) -> PublishedPlan:
    return published(plan_of(*METRICS, test=test, more=more), **where)


def many(count: int, arm: str, account: str | None = None, **facts: Callable[[int], Any]) -> Units:
    """So many units, each (or all of them together) an account; facts by the unit's number."""
    return [
        (account or f"{arm}-{i}", subject(arm, **{name: fact(i) for name, fact in facts.items()})) for i in range(count)
    ]


def every(nth: int, value: Any, otherwise: Any = None) -> Callable[[int], Any]:
    return lambda i: otherwise if i % nth else value


def observed(amount: Callable[[int], float]) -> Callable[[int], Json]:
    return lambda i: {"outcome:gmv": {instant(1): round(amount(i) * 1_000_000)}}


CONVERTED, HELPED = instant(1), (Help(instant(0, 1), "CS"),)
half = every(2, CONVERTED)


def both_arms(count: int) -> Units:
    twice = {"widget": {"test": instant(0), "control": instant(1)}}
    return [(f"both-{i}", NOBODY._replace(assignments=twice, converted_at=half(i))) for i in range(count)]


def mixed(accounts: int) -> Units:
    """Every account in both arms with two units each."""
    return [
        (f"account-{i}", subject(arm, converted_at=every(3, CONVERTED)(7 * i + treated * i**2 + j)))
        for i in range(accounts)
        for treated, arm in enumerate(("control", "test"))
        for j in (0, 1)
    ]


CASES: dict[str, tuple[PublishedPlan, Units]] = {
    "nobody": (experiment(), []),
    "nobody, stopped": (experiment(stopped_at=instant(30)), []),
    "nobody mature": (experiment(), [(f"{i}", subject("test", instant(30 + i % 9))) for i in range(20)]),
    "one unit": (experiment(), many(1, "test", converted_at=half)),
    "one arm empty": (experiment(), many(50, "test", converted_at=half)),
    "nothing varies": (experiment(), many(50, "test") + many(50, "control")),
    "all converted": (
        experiment(),
        many(50, "test", converted_at=lambda _: CONVERTED) + many(40, "control", converted_at=lambda _: CONVERTED),
    ),
    "treatment alone converted": (
        experiment(), many(50, "test", converted_at=lambda _: CONVERTED) + many(50, "control"),
    ),
    "no uptake": (experiment(), many(60, "test", converted_at=half) + many(60, "control", converted_at=every(3, CONVERTED))),
    "all took it up": (
        experiment(),
        many(60, "test", converted_at=half, helps=lambda _: HELPED)
        + many(60, "control", converted_at=every(3, CONVERTED), helps=lambda _: HELPED),
    ),
    "share of .999": (
        experiment(0.999), many(2000, "test", converted_at=half) + many(2, "control", converted_at=half),
    ),
    "share of .001": (
        experiment(0.001), many(12, "test", converted_at=half) + many(2000, "control", converted_at=every(3, CONVERTED)),
    ),
    "amounts of 1e12": (
        experiment(),
        many(50, "test", dated=observed(lambda i: 10**12 + i % 5)) + many(40, "control", dated=observed(lambda i: 10**12 + i % 4)),
    ),
    "amounts of 1e12 of both signs": (
        experiment(),
        many(50, "test", dated=observed(lambda i: (-1e12) ** (i % 2))) + many(40, "control", dated=observed(lambda i: -1e12 * (i % 3))),
    ),
    "two accounts": (
        experiment(),
        many(200, "test", account="one", converted_at=half) + many(200, "control", account="other", converted_at=half),
    ),
    "one account in both arms": (
        experiment(), many(200, "test", account="a", converted_at=half) + many(200, "control", account="a"),
    ),
    "nine accounts": (
        experiment(),
        [(f"{name}{i % 9}", one) for i, (name, one) in enumerate(
            many(180, "test", account="t", converted_at=half) + many(180, "control", account="c", converted_at=half))],
    ),
    "four events": (
        experiment(),
        many(50, "test", converted_at=lambda i: CONVERTED if i < 4 else None) + many(50, "control", converted_at=half),
    ),
    "randomised again": (
        experiment(), many(98, "test", converted_at=half) + many(100, "control", converted_at=half) + both_arms(3),
    ),
    "every account mixed": (experiment(), mixed(60)),
    "no outcome in control": (
        experiment(), many(30, "test", dated=observed(float)) + many(30, "control"),
    ),
    "control of 0": (
        experiment(),
        many(40, "test", dated=lambda i: {"tickets": {instant(1): 1_000_000 * (i % 3 + 1)}}) + many(40, "control"),
    ),
    "a fixed analysis before its date": (
        experiment(more=TRAITS + FIXED), many(40, "test", converted_at=half) + many(40, "control", converted_at=every(3, CONVERTED)),
    ),
    "one giant account": (
        experiment(),
        many(300, "test", account="giant", converted_at=half, dated=observed(float))
        + many(30, "test", converted_at=half, dated=observed(float))
        + many(50, "control", converted_at=half, dated=observed(float)),
    ),
    "everybody at one dose": (
        experiment(more=""), many(40, "test", converted_at=half) + many(40, "control", converted_at=half),
    ),
}  # fmt: skip
every_case = pytest.mark.parametrize("case", CASES)


@cache
def read(case: str) -> Json:
    plan, units = CASES[case]
    now = instant(30) if "before its date" in case else NOW
    return reading(plan, [share_of(plan, units, now)] if units else [], now)


def walk(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every value in a snapshot with its path, mappings and lists, too."""
    yield path, value
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list | tuple) else ()
    for name, one in inner:
        yield from walk(one, f"{path}/{name}")


# -- what holds in every case ------------------------------------------------------------------------------------------


@every_case
def test_a_snapshot_is_plain_json_of_finite_numbers(case: str) -> None:
    found = read(case)
    assert [path for path, value in walk(found) if isinstance(value, float) and not isfinite(value)] == []
    assert msgspec.json.decode(msgspec.json.encode(found)) == json.loads(json.dumps(found, allow_nan=False))


SAYS_ITSELF = re.compile(
    r"/metrics/[^/]+/arms/\w+/mean|/help/(CS|OTHER)/mean"  # beside `units: 0`
    r"|/looks/\w+"  # nothing has been seen so far
    r"|/dose/\d+/step(_ci)?"  # the least dose has none below it
    r"|.*/intervals/\d/\d|.*/(cs|ci)/\d"  # an end without bound
    r"|.*/exact/(e_value|p_always_valid)"  # of what is no event
    r"|/plan/.*"
)  # fmt: skip
OF_A_SEQUENCE = re.compile(r"/metrics/[^/]+/\w+/(cs|e_value|p_always_valid|ar_cs)")
"""What a fixed analysis, which is read once, has none of."""


def unexplained(case: str) -> list[str]:
    """Figures that are null where neither `because` beside them nor their name says why."""
    found = read(case)
    explained = {path for path, value in walk(found) if isinstance(value, dict) and value.get("because")}
    fixed = found["plan"]["experiment"]["analysis"] == "fixed"
    return [
        path
        for path, value in walk(found)
        if value is None
        and path.rpartition("/")[0] not in explained
        and not SAYS_ITSELF.fullmatch(path)
        and not (fixed and OF_A_SEQUENCE.fullmatch(path))
    ]


@every_case
def test_where_a_figure_is_null_there_is_a_because(case: str) -> None:
    assert unexplained(case) == []


@every_case
def test_nothing_is_certain(case: str) -> None:
    """No interval of no width, no p of 0, and none of 1 but where the arms are alike or a bet has not won."""
    found = dict(walk(read(case)))
    for path, value in found.items():
        where, _, name = path.rpartition("/")
        if isinstance(value, list) and len(value) == 2 and all(isinstance(end, float) for end in value):
            assert value[0] < value[1], path
        if re.fullmatch(r"p|p_\w+|\w+_p", name) and value is not None:
            assert 0 < value <= 1, path
            alike = found.get(f"{where}/estimate") == 0 or re.search(r"always_valid|exact/p$|log_rank_p", path)
            assert value < 1 or alike, path
        if name in ("se", "rmst_se") and value is not None and "without_both_arms" not in path:
            assert value > 0, path


def test_nothing_is_certain_without_those_in_both_arms_either() -> None:
    assert read("randomised again")["metrics"]["tickets"]["without_both_arms"]["se"] is None


def test_an_overwhelming_effect_has_a_p_above_0() -> None:
    units = many(500, "test", dated=observed(lambda i: 1e9 + i % 5)) + many(
        400, "control", dated=observed(lambda i: i % 4)
    )
    plan = experiment()
    itt = reading(plan, [share_of(plan, units, NOW)], NOW)["metrics"]["outcome:gmv"]["itt"]
    assert itt["p_always_valid"] > 0
    assert itt["p"] > 0


# -- what is said in each case -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("case", "verdict", "because"),
    [
        ("nobody", "keep_running", "10 mature accounts; there are 0 in control and 0 in treatment"),
        ("nobody mature", "keep_running", "10 mature accounts; there are 0 in control and 0 in treatment"),
        ("one unit", "keep_running", "10 mature accounts; there are 0 in control and 1 in treatment"),
        ("one arm empty", "unhealthy", "e-value reached 100 (0 in control and 50 in test"),
        ("nothing varies", "keep_running", "with it are 0 of 50 in control and 0 of 50 in treatment"),
        ("all converted", "keep_running", "with it are 40 of 40 in control and 50 of 50 in treatment"),
        ("share of .999", "keep_running", "10 mature accounts; there are 2 in control and 2000 in treatment"),
        ("share of .001", "unhealthy", "2000 in control and 12 in test; planned 99.9% control and 0.1% test"),
        ("two accounts", "keep_running", "10 mature accounts; there are 1 in control and 1 in treatment"),
        ("nine accounts", "keep_running", "10 mature accounts; there are 9 in control and 9 in treatment"),
        ("four events", "keep_running", "with it are 25 of 50 in control and 4 of 50 in treatment"),
        ("randomised again", "unhealthy", "3 of 201 units (1.5%) were assigned to both arms"),
        ("a fixed analysis before its date", "keep_running", "one look, on the date stated in the plan"),
    ],
)
def test_the_verdict_says_what_is_wrong_or_still_needed(case: str, verdict: str, because: str) -> None:
    decision = read(case)["decision"]
    assert decision["verdict"] == verdict
    assert because in decision["because"]


@pytest.mark.parametrize("case", ["nobody", "one arm empty", "nothing varies", "all converted", "nine accounts", "four events"])  # fmt: skip
def test_a_closed_gate_closes_every_read_out_of_the_metric_for_the_same_reason(case: str) -> None:
    found = read(case)["metrics"]["converted"]
    reasons = {found[name]["because"] for name in ("itt", "cuped", "cace", "triggered", "power")}
    assert len(reasons) == 1
    for name in ("itt", "cuped", "cace", "triggered"):
        assert [found[name][key] for key in ("estimate", "se")] == [None, None]


def test_nobody_is_in_every_count() -> None:
    found = read("nobody")
    assert {count for arm in found["arms"].values() for count in arm.values()} == {0}
    assert found["srm"]["e_value"] == 1 and found["srm"]["healthy"]
    assert (found["dose"], found["landmark"], found["metrics"]["converted"]["by_day"]) == (
        [],
        [],
        {"control": [], "test": []},
    )
    assert "answer_by" not in found["metrics"]["converted"]


def test_who_is_not_mature_is_seen_by_day_already() -> None:
    found = read("nobody mature")
    assert (found["arms"]["test"]["mature"], found["arms"]["test"]["immature"]) == (0, 20)
    assert [day["day"] for day in found["metrics"]["converted"]["by_day"]["test"]] == list(range(1, 10))


def test_conversions_can_be_bet_on_from_the_first_one() -> None:
    """The exact process needs no ten accounts, no events in both arms."""
    exact = read("treatment alone converted")["metrics"]["converted"]["exact"]
    assert exact["e_value"] > 1e6
    assert exact["p_always_valid"] < 1e-6
    assert read("treatment alone converted")["metrics"]["converted"]["itt"]["estimate"] is None


def test_nobody_having_taken_help_leaves_the_complier_effect_open() -> None:
    cace = read("no uptake")["metrics"]["converted"]["cace"]
    assert (cace["estimate"], cace["first_stage"]) == (None, 0)
    assert cace["ar_set"] == {"shape": "interval", "intervals": [[-1.0, 1.0]]}, "all that a chance can change by"
    assert cace["because"] == "fewer than 10 units took the offer up"


def test_everybody_having_taken_help_excludes_no_complier_effect() -> None:
    cace = read("all took it up")["metrics"]["converted"]["cace"]
    assert cace["estimate"] is None
    assert cace["ar_set"] == cace["ar_cs"] == {"shape": "whole line", "intervals": [[None, None]]}


def test_large_amounts_lose_nothing() -> None:
    """Of 1e12 and a few: the effect and its error are those of the few."""
    few = many(50, "test", dated=observed(lambda i: i % 5)) + many(40, "control", dated=observed(lambda i: i % 4))
    plan = experiment()
    small = reading(plan, [share_of(plan, few, NOW)], NOW)["metrics"]["outcome:gmv"]["itt"]
    large = read("amounts of 1e12")["metrics"]["outcome:gmv"]["itt"]
    assert large["se"] == pytest.approx(small["se"], rel=1e-11)
    # the two means are floats near 1e12, whose last place is 1.2e-4
    assert large["estimate"] == pytest.approx(small["estimate"], abs=2.5e-4)


def test_units_in_both_arms_up_to_one_in_a_hundred_are_put_up_with() -> None:
    plan = experiment()
    fine = many(150, "test", converted_at=half) + many(150, "control", converted_at=half) + both_arms(3)
    found = reading(plan, [share_of(plan, fine, NOW)], NOW)
    assert (found["notes"]["both_arms"], found["decision"]["verdict"]) == (3, "keep_running")
    assert found["metrics"]["converted"]["without_both_arms"]["units"] == 3


def test_accounts_in_both_arms_are_noted_as_spillover() -> None:
    notes = read("every account mixed")["notes"]
    assert notes["mixed_accounts"] == 60
    assert "60 accounts have users in both arms" in notes["spillover"]
    assert read("every account mixed")["metrics"]["converted"]["itt"]["se"] > 0


def test_several_units_an_account_are_no_table_of_independent_ones() -> None:
    exact = read("nine accounts")["metrics"]["converted"]["exact"]
    assert exact["p"] is None
    assert exact["because"] == "accounts hold several units, which are not independent"


GIANT = many(300, "test", account="giant", converted_at=lambda i: CONVERTED if i % 20 else None) + many(30, "test", converted_at=half)  # fmt: skip


@cache
def one_giant_account() -> Json:
    """Half of everybody converts, but for one account of 300 in treatment, of whom 285 do."""
    plan = experiment()
    return reading(plan, [share_of(plan, [*GIANT, *many(300, "control", converted_at=half)], NOW)], NOW)


def test_one_giant_account_is_not_read_by_the_planned_look() -> None:
    itt = one_giant_account()["metrics"]["converted"]["itt"]
    assert (itt["df"], itt["ci"], itt["p"]) == (None, None, None)


def test_one_giant_account_decides_nothing() -> None:
    """All that speaks for an effect is a single account, whose influence on its own arm's mean is hardly any."""
    found = one_giant_account()
    cs = found["metrics"]["converted"]["itt"]["cs"]
    assert found["decision"]["verdict"] == "keep_running"
    assert cs is None or cs[0] is None or cs[0] < 0


# -- two real experiments ----------------------------------------------------------------------------------------------

Cell = tuple[str, int, dict[str, Any]]
"""Arm, how many units, and what is true of each of them."""


def of_cells(plan: PublishedPlan, cells: list[Cell]) -> Json:
    """Many units, each an account, that are alike in each cell."""
    shares = [alike(share_of(plan, [("one", subject(arm, **facts))], NOW), units) for arm, units, facts in cells]
    return reading(plan, shares, NOW)


def test_many_alike_are_so_many_units() -> None:
    plan, facts = experiment(), {"converted_at": CONVERTED, "helps": HELPED}
    one = share_of(plan, [("one", subject("test", **facts))], NOW)
    assert alike(one, 7) == share_of(plan, [(f"{i}", subject("test", **facts)) for i in range(7)], NOW)


FEATURE = "core_action:day-1"
RETENTION = [metric("converted", "primary", 14, "minimum_effect = 0.005"), metric("adopted:day-1", window=14)]
"""Day 7 is read as converting, day 1 as adopting a feature."""


@cache
def cookie_cats(**where: Any) -> Json:
    """90,189 players, gate_30 the control; each player its own account, half planned in each arm."""
    players = pd.read_csv(DATA / "cookie_cats" / "cookie_cats.csv")
    counted = players.groupby(["version", "retention_1", "retention_7"]).size()
    cells = [
        ("control" if gate == "gate_30" else "test", int(units),
         {"first_uses": {FEATURE: CONVERTED} if day_1 else {}, "converted_at": CONVERTED if day_7 else None})
        for (gate, day_1, day_7), units in counted.items()
    ]  # fmt: skip
    return of_cells(published(plan_of(*RETENTION, planned_units=90_000), **where), cells)


@needs("cookie_cats")
def test_cookie_cats_read_as_ended_is_not_to_be_trusted() -> None:
    found = cookie_cats(stopped_at=instant(20))
    assert found["srm"]["counts"] == {"control": 44_700, "test": 45_489}
    assert found["srm"]["p_final"] == pytest.approx(0.0086, abs=5e-5)
    assert not found["srm"]["healthy"]
    assert found["decision"]["verdict"] == "unhealthy"
    assert "44700 in control and 45489 in test" in found["decision"]["because"]
    assert "probability 0.0086" in found["decision"]["because"]


@needs("cookie_cats")
def test_cookie_cats_while_it_runs_is_healthy_by_what_may_be_watched() -> None:
    found = cookie_cats()
    assert found["srm"]["p_final"] is None
    assert found["srm"]["e_value"] < 10
    assert found["srm"]["healthy"]
    assert found["decision"]["verdict"] == "pivot", "at most .0002 better, where .005 is the smallest that matters"


@needs("cookie_cats")
def test_cookie_cats_retention_is_as_published() -> None:
    day_7, day_1 = (cookie_cats()["metrics"][name] for name in ("converted", "adopted:day-1"))
    assert [round(100 * day_7["arms"][arm]["mean"], 2) for arm in ("control", "test")] == [19.02, 18.20]
    assert [round(100 * day_1["arms"][arm]["mean"], 2) for arm in ("control", "test")] == [44.82, 44.23]
    assert round(100 * day_7["itt"]["estimate"], 2) == -0.82
    for read_out in ("itt", "exact"):
        assert [round(100 * end, 2) for end in day_7[read_out]["ci"]] == [-1.33, -0.31]
        assert round(day_7[read_out]["p"], 4) == 0.0016
    assert round(day_1["exact"]["p"], 4) == 0.0744


@cache
def udacity() -> Json:
    """Clicks of the first 23 days, each its own account: enrolling is converting, paying is adopting a feature."""
    plan = published(
        plan_of(metric("converted", "primary", 14), metric("adopted:pay", window=14), planned_units=30_000)
    )
    cells: list[Cell] = []
    for arm, name in (("control", "control"), ("test", "experiment")):
        days = pd.read_csv(DATA / "udacity_free_trial" / f"{name}_data.csv").dropna()
        clicks, enrolled, paid = (int(days[column].sum()) for column in ("Clicks", "Enrollments", "Payments"))
        in_, pay = {"converted_at": CONVERTED}, {"first_uses": {"core_action:pay": CONVERTED}}
        cells += [(arm, paid, in_ | pay), (arm, enrolled - paid, in_), (arm, clicks - enrolled, {})]
    return of_cells(plan, cells)


@needs("udacity_free_trial")
@pytest.mark.parametrize(
    ("name", "effect", "low", "high"),
    [("converted", -0.0206, -0.0291, -0.0120), ("adopted:pay", -0.0049, -0.0116, 0.0019)],
)
def test_udacity_gross_and_net_conversion_are_as_published(name: str, effect: float, low: float, high: float) -> None:
    found = udacity()["metrics"][name]
    assert round(found["itt"]["estimate"], 4) == effect
    for read_out in ("itt", "exact"):
        assert [round(end, 4) for end in found[read_out]["ci"]] == [low, high]


@needs("udacity_free_trial")
def test_udacity_pageviews_reached_the_arms_as_planned() -> None:
    views = [
        int(pd.read_csv(DATA / "udacity_free_trial" / f"{name}_data.csv").Pageviews.sum())
        for name in ("control", "experiment")
    ]
    assert views == [345_543, 344_660]
    plan = published(plan_of(metric("converted", "primary", 14)), stopped_at=instant(0) + DAY)
    found = of_cells(plan, [("control", views[0], {}), ("test", views[1], {})])
    assert round(found["srm"]["p_final"], 2) == 0.29
    assert found["srm"]["healthy"]

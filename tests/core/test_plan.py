"""An experiment's plan: every wrong field is refused by its name, and what is published is frozen."""

from typing import Any

import msgspec
import pytest

from models.plan import Exclusive, PlanError, PublishedPlan, Word, check, differences, read_plan
from models.product import Journey, Product
from tests.support.build import instant, plan

pytestmark = pytest.mark.core

TEXT = """
[experiment]
id = "widget"
control = "control"
arms = { control = 0.70, test = 0.30 }
starts_at = 2026-05-05T00:00:00Z
planned_units = 1000
[[metric]]
name = "converted"
role = "primary"
"""


def test_the_contracts_own_example_is_a_plan() -> None:
    found = read_plan("""
        [experiment]
        id = "getting-started-widget"
        hypothesis = "Offering CS help when a trial user gets stuck raises conversion"
        unit = "account"
        randomised_by = "account"
        control = "control"
        arms = { control = 0.70, test = 0.30 }
        starts_at = 2026-05-05T00:00:00Z
        planned_units = 1000
        min_days = 7
        analysis = "sequential"
        alpha = 0.05
        uptake = { type = "help_engaged", source = "CS" }
        covariates = ["employees"]
        segments = ["segment"]
        [srm]
        alpha = 0.01
        concentration = 100
        [[metric]]
        name = "converted"
        role = "primary"
        window_days = 30
        minimum_effect = 0.05
        higher_is_better = true
    """)
    assert (found.id, found.treatment, found.starts_at) == ("getting-started-widget", "test", instant(0))
    assert (found.primary.name, found.primary.window) == ("converted", instant(30) - instant(0))


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ('id = "widget"', 'id = "a/b"', "experiment.id"),
        ('id = "widget"', "", "id"),
        ('control = "control"', 'control = "third"', "control"),
        ("test = 0.30 }", "test = 0.40 }", "arms"),
        ("test = 0.30 }", "test = 0.20, third = 0.1 }", "experiment.arms"),
        ("control = 0.70, test", "control = 1.0, test", "experiment.arms"),
        ("2026-05-05T00:00:00Z", "2026-05-05T00:00:00", "experiment.starts_at"),
        ("planned_units = 1000", "planned_units = 1", "experiment.planned_units"),
        ("planned_units = 1000", "planned_units = 1000\nalpha = 1.5", "experiment.alpha"),
        ("planned_units = 1000", "planned_units = 1000\nunits = 7", "units"),
        ("planned_units = 1000", 'planned_units = 1000\nunit = "team"', "experiment.unit"),
        ("planned_units = 1000", "planned_units = 1000\nmin_days = -1", "experiment.min_days"),
        ("planned_units = 1000", 'planned_units = 1000\nanalysis = "fixed"', "experiment.analyse_at"),
        ("planned_units = 1000", 'planned_units = 1000\nuptake = { source = "BOB" }', "experiment.uptake.source"),
        ('name = "converted"', 'name = "happiness"', "metric"),
        ('name = "converted"', 'name = "outcome:"', "metric"),
        ('role = "primary"', 'role = "secondary"', "primary"),
        ('role = "primary"', 'role = "primary"\nwindow_days = 0', "window_days"),
        ('role = "primary"', 'role = "primary"\n[[metric]]\nname = "mrr"\nrole = "primary"', "primary"),
        ('role = "primary"', 'role = "primary"\n[[metric]]\nname = "converted"', "twice"),
        ('role = "primary"', 'role = "primary"\n[[metric]]\nname = "mrr"\nrole = "guardrail"', "margin"),
        ('role = "primary"', 'role = "primary"\n[srm]\nalpha = 0', "srm.alpha"),
        ('role = "primary"', 'role = "primary"\nminimum_effect = nan', "minimum_effect"),
        ('role = "primary"', 'role = "primary"\nmargin = 0.1', "only a guardrail"),
        ('role = "primary"', 'role = "primary"\nwindow_days = 401', "window_days"),
        (
            'role = "primary"',
            'role = "primary"\n[[metric]]\nname = "mrr"\nrole = "guardrail"\nmargin = -1',
            "margin is -1",
        ),
        (
            'role = "primary"',
            'role = "primary"\n[[metric]]\nname = "mrr"\nrole = "guardrail"\nmargin = inf',
            "margin is inf",
        ),
        (
            "planned_units = 1000",
            f"planned_units = 1000\ncovariates = {[f't{n}' for n in range(9)]}",
            "experiment.covariates",
        ),
        (
            "planned_units = 1000",
            f"planned_units = 1000\nsegments = {[f't{n}' for n in range(5)]}",
            "experiment.segments",
        ),
        ("planned_units = 1000", 'planned_units = 1000\nsegments = ["size", "size"]', "experiment.segments: a trait"),
        ("planned_units = 1000", 'planned_units = 1000\nrandomised_by = "user"', "experiment.randomised_by"),
        ("planned_units = 1000", "planned_units = 1000\nanalyse_at = 2026-05-05T00:00:00Z", "not after starts_at"),
        ("planned_units = 1000", "planned_units = 1000\nexclusive = { from = 0.5 }", "experiment.exclusive"),
        (
            "planned_units = 1000",
            'planned_units = 1000\nexclusive = { group = "g", to = 1.5 }',
            "experiment.exclusive.to",
        ),
        (
            "planned_units = 1000",
            'planned_units = 1000\nexclusive = { group = "g", from = 0.5, to = 0.5 }',
            "nobody is",
        ),
        ("[experiment]", "[experiment", "line"),
    ],
)
def test_what_is_wrong_is_refused_by_its_name(old: str, new: str, named: str) -> None:
    assert old in TEXT
    with pytest.raises(PlanError, match=named.replace(".", r"\.")):
        read_plan(TEXT.replace(old, new, 1))


@pytest.mark.parametrize("name", ["tasks_completed", "task_completed:1", "time_to:3", "helped:CS", "adopted:board",
                                  "concept_correct:vat", "outcome:gmv", "retained", "mrr", "utilisation", "tickets"])  # fmt: skip
def test_every_metric_of_the_contract_can_be_named(name: str) -> None:
    assert read_plan(TEXT + f'[[metric]]\nname = "{name}"').metric[1].name == name


def test_utilisation_is_an_accounts_and_revenue_may_be_anybodys() -> None:
    def with_metric(name: str, unit: str) -> str:
        return TEXT.replace("planned_units", f'unit = "{unit}"\nplanned_units') + f'[[metric]]\nname = "{name}"'

    read_plan(with_metric("utilisation", "account"))
    read_plan(with_metric("mrr", "user"))
    with pytest.raises(PlanError, match='needs unit = "account"'):
        read_plan(with_metric("utilisation", "user"))


def test_tasks_are_checked_against_the_journeys_where_these_are_known() -> None:
    product = Product(journey=(Journey(id="a", tasks=("import", "invite")), Journey(id="b", tasks=("invoice",))))
    text = TEXT + "".join(f'[[metric]]\nname = "{name}"\n' for name in ("task_completed:invoice", "time_to:imprt"))
    assert check(read_plan(TEXT), product) == []
    assert check(read_plan(text), product) == [
        "metric 'time_to:imprt': no journey has a task 'imprt'; there are import, invite, invoice"
    ]


def test_the_hash_is_of_what_the_plan_says_and_not_of_how_it_is_written() -> None:
    base = read_plan(TEXT)
    rewritten = read_plan(
        TEXT.replace("arms = { control = 0.70, test = 0.30 }", "arms = { test = 0.3, control = 0.7 }")
    )
    spelled_out = read_plan(TEXT.replace("planned_units", 'unit = "account"\nalpha = 0.05\nplanned_units'))
    assert base.hash == rewritten.hash == spelled_out.hash


def test_the_same_moment_written_in_another_zone_is_the_same_plan() -> None:
    assert read_plan(TEXT.replace("2026-05-05T00:00:00Z", "2026-05-05T02:00:00+02:00")).hash == read_plan(TEXT).hash


def test_a_published_plan_keeps_its_hash_for_ever() -> None:
    """A new release must not refuse the plans that were published before it: so this number is written down."""
    assert read_plan(TEXT).hash == FROZEN


FROZEN = "b52abbfa137e4d79"


def test_a_slot_is_part_of_the_plan_and_whoever_has_none_keeps_the_hash() -> None:
    slot = 'exclusive = { group = "onboarding", to = 0.5 }'
    found = read_plan(TEXT.replace("planned_units", f"{slot}\nplanned_units"))
    assert found.exclusive == Exclusive(group="onboarding", begin=0.0, end=0.5) and read_plan(TEXT).exclusive is None
    assert found.hash != FROZEN
    (said,) = differences(read_plan(TEXT), found)
    assert said == "experiment.exclusive: None -> {'group': 'onboarding', 'from': 0.0, 'to': 0.5}"
    assert msgspec.json.decode(msgspec.json.encode(found), type=type(found)) == found


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [((0, 0.5), (0.5, 1), False), ((0, 0.6), (0.5, 1), True), ((0.2, 0.3), (0, 1), True), ((0, 1), (0, 1), True)],
)
def test_slots_clash_where_they_overlap(one: tuple[float, float], other: tuple[float, float], expected: bool) -> None:
    slots = [Exclusive(group="g", begin=begin, end=end) for begin, end in (one, other)]
    assert slots[0].clashes(slots[1]) is slots[1].clashes(slots[0]) is expected
    assert not slots[0].clashes(Exclusive(group="h"))


def test_a_record_written_before_experiments_had_a_life_is_one_that_runs() -> None:
    old = msgspec.json.encode({"plan": read_plan(TEXT), "plan_hash": FROZEN, "retrospective": True})
    found = msgspec.json.decode(old, type=PublishedPlan)
    assert found == PublishedPlan(read_plan(TEXT), FROZEN, True)
    assert (found.state, found.words, found.place, found.level) == ("running", (), 1, None)
    assert found.counted and found.begins == instant(0) and found.stopped_at is None
    spoken = msgspec.structs.replace(found, words=(Word("running", 1, "ann", "because"),), level=0.025)
    assert msgspec.json.decode(msgspec.json.encode(spoken), type=PublishedPlan) == spoken


def test_the_fingerprint_changes_exactly_when_rows_must_be_read_anew() -> None:
    base = PublishedPlan(read_plan(TEXT), FROZEN)
    replace = msgspec.structs.replace
    same = [base, replace(base, runs_from=instant(0)), replace(base, words=(Word("running", 1, "ann"),), level=0.1)]
    other = [replace(base, runs_from=instant(1)), replace(base, stopped_at=instant(1)), replace(base, plan_hash="x")]
    assert len({published.fingerprint for published in same}) == 1
    assert len({published.fingerprint for published in [base, *other]}) == 4


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"window": 4}, ["metric"]),
        ({"unit": "user"}, ["experiment.unit: 'account' -> 'user'"]),
        ({"uptake": "{}"}, ["experiment.uptake.source: 'CS' -> None"]),
    ],
)
def test_a_changed_plan_is_told_apart_by_the_fields_that_differ(changed: dict[str, Any], said: list[str]) -> None:
    old, new = plan(), plan(**changed)
    assert old.hash != new.hash
    found = differences(old, new)
    assert len(found) == len(said) and all(line.startswith(start) for line, start in zip(found, said, strict=True))
    assert differences(old, plan()) == []

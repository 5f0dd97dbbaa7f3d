"""An experiment's plan: every wrong field is refused by its name, and what is published is frozen."""

from typing import Any

import pytest

from models.plan import PlanError, differences, read_plan
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

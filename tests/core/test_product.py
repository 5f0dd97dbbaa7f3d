"""`livelift.toml`: an absent file is a product, and a wrong field is refused by its name."""

import pytest

from models.clock import DAY, HOUR
from models.product import Product, ProductError, read_product

pytestmark = pytest.mark.core

JOURNEYS = """
[[journey]]
id = "getting-started"
tasks = ["1", "2", "3"]
"""


def test_an_empty_file_is_a_product() -> None:
    assert read_product("") == Product()
    (journey,) = Product().journey
    assert (journey.id, journey.tasks, journey.order) == ("getting-started", ("1", "2", "3"), "series")
    assert (journey.trial, journey.stuck_after, Product().lateness) == (30 * DAY, 24 * HOUR, HOUR)


def test_the_contracts_own_example() -> None:
    found = read_product("""
        people_are_accounts = false
        lateness_hours = 1
        [[journey]]
        id = "getting-started"
        tasks = ["1", "2", "3"]
        order = "series"
        trial_days = 30
        stuck_after_hours = 24
        applies_to = {}
        [actions]
        key = ["core_action:board_created"]
        regular_days_per_week = 2
        [label]
        kind = "churn"
        horizon_days = 56
        unscored_days = 28
        [capacity]
        per_owner_per_week = 10
        by = "revenue"
    """)
    assert (found.capacity.per_owner_per_week, found.capacity.by) == (10, "revenue")
    assert found.journey == Product().journey


def test_the_tasks_of_all_journeys_may_occur() -> None:
    found = read_product(
        JOURNEYS + '[[journey]]\nid = "admins"\ntasks = ["1", "bill"]\napplies_to = { role = "admin" }'
    )
    assert found.tasks == {"1", "2", "3", "bill"}
    assert found.journey[1].applies_to == {"role": "admin"}


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("lateness_hours = -1", "lateness_hours"),
        ("lateness_hours = 169", "lateness_hours"),
        ("lateness = 1", "lateness"),
        ('people_are_accounts = "yes"', "people_are_accounts"),
        ('[[journey]]\ntasks = ["1"]', "id"),
        ('[[journey]]\nid = "a"\ntasks = []', "tasks"),
        ('[[journey]]\nid = ""\ntasks = ["1"]', "id"),
        ('[[journey]]\nid = "a"\ntasks = ["1", "2", "1"]', "names a task twice"),
        ('[[journey]]\nid = "as_of"\ntasks = ["1"]', "as_of"),
        ('[[journey]]\nid = "a/b"\ntasks = ["1"]', "a/b"),
        ('[[journey]]\nid = "a"\ntasks = ["1"]\norder = "random"', "order"),
        ('[[journey]]\nid = "a"\ntasks = ["1"]\ntrial_days = 0', "trial_days"),
        ('[[journey]]\nid = "a"\ntasks = ["1"]\nstuck_after_hours = 0', "stuck_after_hours"),
        ('[[journey]]\nid = "a"\ntasks = ["1"]\nfailures_for_trouble = 0', "failures_for_trouble"),
        (JOURNEYS + JOURNEYS, "same id"),
        ("[actions]\nregular_days_per_week = 8", "regular_days_per_week"),
        ('[label]\nkind = "luck"', "kind"),
        ("[label]\nhorizon_days = 0", "horizon_days"),
        ("[capacity]\nper_owner_per_week = 0", "per_owner_per_week"),
        ('[capacity]\nby = "size"', "capacity.by"),
        ("[capacity", "livelift.toml"),
    ],
)
def test_what_is_wrong_is_refused_by_its_name(text: str, named: str) -> None:
    with pytest.raises(ProductError, match=named):
        read_product(text)


def test_an_empty_task_name_is_refused() -> None:
    """No event can name it: a name in an event has at least one character."""
    with pytest.raises(ProductError, match="tasks"):
        read_product('[[journey]]\nid = "a"\ntasks = [""]')


@pytest.mark.parametrize("number", ["inf", "nan"])
def test_a_duration_is_a_number_of_hours(number: str) -> None:
    with pytest.raises(ProductError, match="stuck_after_hours"):
        read_product(f'[[journey]]\nid = "a"\ntasks = ["1"]\nstuck_after_hours = {number}')

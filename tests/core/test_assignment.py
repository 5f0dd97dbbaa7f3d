"""Assignment by hash: the planned shares, the same answer everywhere and for ever, independent between experiments."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import xxhash
from msgspec.structs import replace
from scipy.stats import chi2_contingency, chisquare

from models.assignment import assign, position
from models.plan import Exclusive, Plan, read_plan
from tests.support.build import plan
from tests.support.readme import ROOT, blocks

pytestmark = pytest.mark.core

UNITS = [f"account-{number}" for number in range(100_000)]
STRICT = 1e-3
"""The texts are fixed, so a test passes always or never; a fair hash fails one in a thousand of them."""


def widget(id: str = "widget", **changed: object) -> Plan:
    base = plan(id)
    return replace(base, experiment=replace(base.experiment, **changed))


def test_the_shares_are_the_planned_ones() -> None:
    given = widget()
    arms = [assign(given, unit) for unit in UNITS]
    control = arms.count("control")
    assert chisquare([control, len(UNITS) - control], [70_000, 30_000]).pvalue > STRICT
    assert set(arms) == {"control", "test"}


def test_experiments_are_independent_of_each_other() -> None:
    one, other, counts = widget(), widget("banner"), [[0, 0], [0, 0]]
    for unit in UNITS:
        counts[assign(one, unit) == "test"][assign(other, unit) == "test"] += 1
    assert chi2_contingency(counts).pvalue > STRICT


def test_the_answer_stays_the_same_for_ever() -> None:
    """Written down: another answer in a later release would move people between arms."""
    assert [assign(widget(), f"account-{number}") for number in range(12)] == GOLDEN
    assert position("arm|widget|account-0") == GOLDEN_POSITION
    assert position("arm|widget|account-0") == (xxhash.xxh3_64_intdigest(b"arm|widget|account-0") >> 11) / 2**53


def test_the_guides_plan_is_one_and_its_number_for_other_languages_is_right() -> None:
    (example,) = blocks("toml", file=ROOT / "docs" / "guides" / "experiments.md")
    found = read_plan(example)
    assert found.exclusive is not None and found.primary.minimum_effect == 0.05
    assert (
        f"`arm|widget|account-0` gives {GOLDEN_POSITION}" in (ROOT / "docs" / "guides" / "experiments.md").read_text()
    )


GOLDEN = [
    "test",
    "test",
    "control",
    "control",
    "control",
    "control",
    "control",
    "control",
    "test",
    "control",
    "test",
    "control",
]
GOLDEN_POSITION = 0.7113804783086051


def test_the_order_in_which_the_arms_are_written_moves_nobody() -> None:
    given, turned = widget(), widget(arms={"test": 0.3, "control": 0.7})
    assert turned.hash == given.hash
    assert [assign(turned, unit) for unit in UNITS[:1000]] == [assign(given, unit) for unit in UNITS[:1000]]


def test_everybody_of_an_account_gets_its_arm_unless_users_are_randomised() -> None:
    people = [f"user-{number}" for number in range(50)]
    assert {assign(widget(), ("acme", user)) for user in people} == {assign(widget(), "acme")}
    by_user = widget(unit="user", randomised_by="user")
    assert {assign(by_user, ("acme", user)) for user in people} == {"control", "test"}
    with pytest.raises(ValueError, match="randomised by user"):
        assign(by_user, "acme")


def test_slots_of_a_group_share_no_account_and_leave_none_out() -> None:
    left = widget("left", exclusive=Exclusive(group="onboarding", begin=0.0, end=0.4))
    right = widget("right", exclusive=Exclusive(group="onboarding", begin=0.4, end=1.0))
    inside = [(assign(left, unit), assign(right, unit)) for unit in UNITS]
    assert all((one is None) != (other is None) for one, other in inside)
    arms = [one for one, _ in inside if one is not None]
    assert chisquare([len(arms), len(UNITS) - len(arms)], [40_000, 60_000]).pvalue > STRICT
    assert chisquare([arms.count("control"), arms.count("test")], [0.7 * len(arms), 0.3 * len(arms)]).pvalue > STRICT
    by_user = replace(left, experiment=replace(left.experiment, unit="user", randomised_by="user"))
    assert {assign(by_user, (UNITS[n], "ann")) is None for n in range(99) if inside[n][0] is None} == {True}


def test_a_product_assigns_with_what_the_package_offers(tmp_path: Path) -> None:
    (tmp_path / "plan.toml").write_text("""
        [experiment]
        id = "widget"
        control = "control"
        arms = { control = 0.7, test = 0.3 }
        starts_at = 2026-05-05T00:00:00Z
        planned_units = 100
        [[metric]]
        name = "converted"
        role = "primary"
    """)
    code = "import livelift; print(livelift.assign(livelift.load_plan('plan.toml'), 'account-0'))"
    where = {**os.environ, "PYTHONPATH": str(ROOT)}
    said = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=where, capture_output=True, text=True, check=True
    ).stdout
    assert said.strip() == GOLDEN[0]

"""docs/guides/alerts.md names every condition there is, and rules to begin with are rules."""

import re

import pytest

from models.alerts.draft import DRAFT
from models.alerts.rules import When, read_rules
from tests.support.readme import ROOT

pytestmark = pytest.mark.core


def test_the_guide_names_every_condition_and_no_other() -> None:
    guide = (ROOT / "docs/guides/alerts.md").read_text()
    table = guide.partition("| in `when` |")[2].partition("\n\n")[0]
    named = {name for row in re.findall(r"^\| (`.*?) \|", table, re.M) for name in re.findall(r"`(\w+)`", row)}
    assert named == set(When.__struct_fields__)


def test_rules_to_begin_with_use_every_condition_but_those_that_are_much_alike() -> None:
    asked = {name for rule in read_rules(DRAFT).rule for name in When.__struct_fields__
             if getattr(rule.when, name) is not None}  # fmt: skip
    assert set(When.__struct_fields__) - asked == {"score_below", "probability_below"}

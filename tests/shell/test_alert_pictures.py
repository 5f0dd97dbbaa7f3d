"""The pictures of alerts are there, small, and made from what the core says of a cohort that is the same each time."""

import struct

import pytest

from livelift.docs import DOCS
from livelift.pictured import NAMES, records
from livelift.pictures import Pictured, pictures_of
from models.alerts.rules import Rules
from tests.support.alerted import alert

pytestmark = pytest.mark.shell


def test_every_picture_is_there_and_small() -> None:
    for name, picture in pictures_of(Pictured(Rules(), (alert(),), 1)).items():
        drawn = (DOCS / f"alerts-{name}.png").read_bytes()
        assert len(drawn) < 150_000
        assert struct.unpack(">I", drawn[16:20]) == (picture.width,)


def test_the_guide_shows_every_picture() -> None:
    guide = (DOCS / "guides" / "alert-messages.md").read_text()
    for name in pictures_of(Pictured(Rules(), (alert(),), 1)):
        assert f"../alerts-{name}.png" in guide


def test_the_cohort_is_the_same_each_time_and_holds_the_accounts_that_are_shown() -> None:
    once, again = records(), records()
    assert once == again
    assert {account.encode() for account in NAMES} <= {one.key for one in once}

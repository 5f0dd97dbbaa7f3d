"""The screenshots of the dashboard are there, and small; names of any script are in them."""

import pytest

from livelift.docs import DOCS
from livelift.screenshots import FOLDER, shots

pytestmark = pytest.mark.shell
TAKEN = {path.stem: path.stat().st_size for path in (DOCS / FOLDER).glob("*.png")}


def test_every_page_and_every_hard_case_has_its_picture_and_no_other_is_there() -> None:
    assert set(TAKEN) == {shot.name for shot in shots()}, "make docs ARGS=--screenshots"


def test_they_are_small() -> None:
    assert sum(TAKEN.values()) < 6_000_000 and len(TAKEN) <= 30


def test_the_guide_shows_only_pictures_that_are_there() -> None:
    guide = (DOCS / "guides" / "dashboard.md").read_text()
    shown = [part.partition(".png")[0] for part in guide.split(f"../{FOLDER}/")[1:]]
    assert shown and set(shown) <= set(TAKEN)

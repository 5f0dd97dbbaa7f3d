"""What the README says can be typed is typed, in an empty folder; what it and the guides link to is there."""

import json
import re

import pytest
from typer.main import get_command

from livelift.cli import app
from models.product import read_product
from tests.support.readme import README, ROOT, blocks, run_shell

pytestmark = pytest.mark.shell
PAGES = [README, *sorted((ROOT / "docs").rglob("*.md"))]
LINK = re.compile(r"\]\(([^)\s#]+)(?:#[^)]*)?\)")


def test_every_command_that_needs_no_services_runs(tmp_path):
    found = blocks("sh")
    assert found, "the README has commands for a folder of one's own"
    printed = "".join(run_shell(block, tmp_path) for block in found)
    assert "Journey getting-started: 300 users" in printed
    assert "funnel" in json.loads((tmp_path / "snapshot.json").read_text())
    assert json.loads((tmp_path / "events.schema.json").read_text())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_relative_link_leads_somewhere(page):
    links = [link for link in LINK.findall(page.read_text()) if not re.match(r"[a-z]+:", link)]
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_every_command_that_the_pages_name_exists():
    known = get_command(app).commands
    for page in PAGES:
        for text in re.findall(r"```sh[^\n]*\n.*?```|`[^`\n]+`", page.read_text(), re.DOTALL):
            for name, below in re.findall(r"(?:^|`)livelift ([a-z][a-z-]*)(?: ([a-z]+))?", text, re.MULTILINE):
                assert name in known, f"{page}: livelift {name}"
                commands = getattr(known[name], "commands", None)
                assert commands is None or not below or below in commands, f"{page}: livelift {name} {below}"


def test_every_make_target_that_the_readme_names_exists():
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    named = re.findall(r"(?:^|`)make ([a-z]+)", README.read_text(), re.MULTILINE)
    assert named and set(named) <= set(targets)


def test_the_product_file_of_the_guide_is_valid():
    (example,) = blocks("toml", file=ROOT / "docs" / "product.md")
    product = read_product(example)
    assert [journey.tasks for journey in product.journey] == [("import", "invite", "first-report")]

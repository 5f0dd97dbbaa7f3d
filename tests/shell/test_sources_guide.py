"""What the guide on sources says can be typed is typed; a larger file takes no more memory."""

import re

import pytest

from benchmarks.sources import measure
from livelift.sources.mapping import read_mapping
from tests.support.readme import ROOT, blocks, run_shell
from tests.support.sources import write

pytestmark = pytest.mark.shell
GUIDE = ROOT / "docs" / "guides" / "sources.md"


def test_the_guides_commands_run_and_say_what_it_says(tmp_path):
    printed = "".join(run_shell(block, tmp_path) for block in blocks("sh", file=GUIDE))
    (quoted,) = re.findall(r"^```\n(answers.*?)```", GUIDE.read_text(), re.DOTALL | re.MULTILINE)
    for line in quoted.splitlines():
        assert line in printed
    assert "2 events accepted, 0 refused" in printed


def test_the_guides_mappings_can_be_read(tmp_path):
    lookup, database = blocks("toml", file=GUIDE)
    assert read_mapping(write(tmp_path, "sql.toml", database)).source.key == "id"
    answers = re.search(r"cat > answers.toml <<'END'\n(.*?)END\n", GUIDE.read_text(), re.DOTALL)
    assert answers is not None
    found = read_mapping(write(tmp_path, "lookup.toml", answers[1] + lookup))
    assert found.lookup["appointment"].by == "{appointment_id}"


def test_a_file_ten_times_as_large_takes_no_more_memory():
    small, large = measure(2_000_000), measure(20_000_000)
    assert large.rows > 8 * small.rows
    assert large.peak_mb < small.peak_mb + 15

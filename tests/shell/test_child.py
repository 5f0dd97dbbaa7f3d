"""A child process is told to end once, and ends in its own time."""

import pytest

from livelift.local.process import Child
from tests.support.stack import until

pytestmark = pytest.mark.shell
SCRIPT = "trap 'echo told' TERM; echo ready; while [ ! -e {over} ]; do sleep 0.05; done; exit 7"


def test_a_child_is_told_to_end_only_once_however_often_it_is_asked_and_stopped(tmp_path):
    over = tmp_path / "over"
    child = Child("child", ["sh", "-c", SCRIPT.format(over=over)], tmp_path / "child.log")
    until("it is ready", lambda: "ready" in child.log.read_text())
    child.ask()
    until("it is told", lambda: "told" in child.log.read_text())
    child.ask()
    over.touch()
    assert child.stop() == 7
    assert child.log.read_text().split() == ["ready", "told"]

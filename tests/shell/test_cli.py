"""The manners of the command line: help with an example, exit codes, one line that says what went wrong and what to do.

Every command is run as people run it, as a process of its own.
"""

import json
import os
import signal
import socket
import subprocess
import sys

import pytest
from typer.main import get_command

from livelift.cli import app
from tests.support.ended import complaint

pytestmark = pytest.mark.shell
LIVELIFT = [sys.executable, "-m", "livelift"]
DEADLINE_S = 60


def commands(command, path=()):
    """The path of every command and group."""
    yield path
    for name, below in getattr(command, "commands", {}).items():
        yield from commands(below, (*path, name))


COMMANDS = [path for path in commands(get_command(app)) if path]


@pytest.fixture
def nowhere():
    """A port of loopback where nobody answers, for as long as the test lasts: bound, but not listening."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{bound.getsockname()[1]}"


@pytest.fixture
def livelift(tmp_path):
    """Runs a command in an empty folder, with the variables given."""

    def run(*arguments, **variables):
        environment = {**os.environ, "COLUMNS": "200", **variables}
        return subprocess.run(
            [*LIVELIFT, *arguments], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
            timeout=DEADLINE_S,
        )  # fmt: skip

    return run


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_command_has_an_example(path):
    """In the text itself: a process for each of them would take half a minute."""
    command = get_command(app)
    for name in path:
        command = command.commands[name]
    assert f"livelift {' '.join(path)}" in command.help


def test_help_is_shown_and_is_no_failure(livelift):
    shown = livelift("topics", "check", "--help")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "livelift topics check" in shown.stdout and "--json" in shown.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["replya"], "No such command 'replya'"),
        (["replay"], "Missing argument"),
        (["worker", "--role", "chef"], "'chef' is not one of"),
        (["dead-letters", "list", "--last", "0"], "Invalid value for '--last'"),
        (["experiments", "stop", "widget"], "Missing option '--why'"),
        (["experiments", "draft", "plan.toml", "--base-rate", "2"], "Invalid value for '--base-rate'"),
        (["experiments", "draft", "plan.toml", "--sd", "inf"], "Invalid value for --sd: inf is no number"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_usage_ends_with_2(livelift, arguments, said):
    ended = livelift(*arguments)
    assert ended.returncode == 2
    assert said in ended.stderr and "Traceback" not in ended.stderr


@pytest.mark.parametrize("arguments", [["topics", "check"], ["worker", "--role", "scorer"]], ids=" ".join)
def test_no_kafka_is_named(livelift, arguments):
    # A worker writes logs besides; its complaint is the last line.
    ended = livelift(*arguments)
    assert ended.returncode == 1 and "Traceback" not in ended.stderr
    assert ended.stderr.splitlines()[-1] == (
        "livelift: no Kafka is named: set LIVELIFT_KAFKA=host:port, or start one here with `livelift up`"
    )


@pytest.mark.parametrize("role", ["publisher", "all"])
def test_who_writes_to_redis_wants_to_know_it(livelift, nowhere, role):
    ended = livelift("worker", "--role", role, LIVELIFT_KAFKA=nowhere)
    assert ended.returncode == 1 and "Traceback" not in ended.stderr
    assert ended.stderr.splitlines()[-1].startswith("livelift: no Redis is named: set LIVELIFT_REDIS=")


def test_no_redis_is_named(livelift):
    assert "no Redis is named: set LIVELIFT_REDIS=" in complaint(livelift("snapshot", "funnel"))


@pytest.mark.parametrize(
    "arguments",
    [
        ["topics", "check"], ["topics", "create", "--json"], ["experiments", "list"], ["dead-letters", "list"],
        ["forget", "--account", "acme"], ["experiments", "show", "widget"], ["experiments", "apply", "widget"],
        ["experiments", "stop", "widget", "--why", "over"], ["score", "explain", "--account", "acme"],
    ],
    ids=" ".join,
)  # fmt: skip
def test_kafka_does_not_answer(livelift, nowhere, arguments):
    said = complaint(livelift(*arguments, LIVELIFT_KAFKA=nowhere))
    assert said == (
        f"livelift: Kafka at {nowhere} does not answer (Connection refused): "
        "start it, or set LIVELIFT_KAFKA to where it is"
    )


def test_an_address_that_is_none_is_named(livelift):
    assert "Kafka at localhost:kafka does not answer (localhost:kafka is not host:port)" in complaint(
        livelift("topics", "check", LIVELIFT_KAFKA="localhost:kafka")
    )


def test_redis_does_not_answer_and_its_password_stays_secret(livelift, nowhere):
    said = complaint(livelift("snapshot", LIVELIFT_REDIS=f"redis://:secret@{nowhere}/0"))
    assert said == (
        f"livelift: Redis at redis://:***@{nowhere}/0 does not answer (Connection refused): "
        "start it, or set LIVELIFT_REDIS"
    )


def test_a_folder_that_is_no_recording(livelift, tmp_path):
    (tmp_path / "empty").mkdir()
    assert "empty is no recording: it holds neither events.jsonl nor" in complaint(livelift("replay", "empty"))


def test_a_wrong_product_file_is_named_with_the_field(livelift, tmp_path):
    (tmp_path / "trial").mkdir()
    (tmp_path / "trial" / "livelift.toml").write_text("lateness_hours = -1")
    said = complaint(livelift("replay", "trial"))
    assert said == "livelift: trial/livelift.toml: Expected `float` >= 0.0 - at `$.lateness_hours`"


@pytest.mark.parametrize("command", ["draft", "queue", "apply"])
@pytest.mark.parametrize(
    ("text", "said"),
    [(None, "plan.toml: No such file or directory"), ("arms =\n[x]", "plan.toml: Invalid value (at line 1"),
     ("[experiment]\nname = 1", "plan.toml: Object contains unknown field `name`")],
    ids=["absent", "no TOML", "unknown field"],
)  # fmt: skip
def test_a_wrong_plan_file_is_named(livelift, tmp_path, command, text, said):
    if text is not None:
        (tmp_path / "plan.toml").write_text(text)
    assert said in complaint(livelift("experiments", command, "plan.toml"))


def test_json_is_all_that_is_printed(livelift):
    assert livelift("simulate", "trial", "--customers", "50").returncode == 0
    replayed = livelift("replay", "trial", "--json")
    assert json.loads(replayed.stdout)["quality"]["users"] == 50
    assert (replayed.returncode, replayed.stderr) == (0, "")
    assert json.loads(livelift("schema").stdout)
    assert json.loads(livelift("schema", "--asyncapi").stdout)["asyncapi"].startswith("3.")


def test_ctrl_c_ends_with_130_and_without_a_traceback(tmp_path):
    pipe = tmp_path / "plan.toml"
    os.mkfifo(pipe)
    command = [*LIVELIFT, "experiments", "apply", str(pipe)]
    with (
        subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as child,
        pipe.open("w"),  # opens as soon as the command reads
    ):
        child.send_signal(signal.SIGINT)
        _, errors = child.communicate(timeout=DEADLINE_S)
    assert (child.returncode, "Traceback" in errors) == (130, False)

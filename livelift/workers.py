"""Starting a worker process of a role, after checking that the topics are as the contract says."""

import gc
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import structlog

from livelift.logs import configure_logs
from livelift.settings import Settings
from livelift.surroundings import surroundings
from streams.config import Surroundings

if TYPE_CHECKING:  # faust takes most of a second to import
    from faust import App

ROLES = ("scorer", "learner", "publisher")
GRACE_S = 15.0


class WorkerFell(RuntimeError):
    """One of several workers has ended with an error, and the others with it."""


class TopicsUnfit(RuntimeError):
    """A topic is missing or not as the contract says; the message names each."""


def run_worker(role: str, settings: Settings) -> None:
    """Run one role in this process, or `all` as one child process each."""
    configure_logs(role)
    here = surroundings(settings)
    if role in ("publisher", "all"):
        settings.require_redis()
    if role == "all":
        run_all()
        return
    gc.disable()  # until it runs: what is imported would be gone through again and again, and none of it is garbage
    from livelift.local.topics import check_topics
    from streams.app import run

    complaints = check_topics(settings)
    if complaints:
        raise TopicsUnfit("; ".join(complaints) + " (`livelift topics create` makes what is missing)")
    run(make(role, here))


def make(role: str, here: Surroundings) -> "App":
    """The Faust app of a role."""
    match role:
        case "scorer":
            from streams.scorer import make_scorer as make_app
        case "learner":
            from streams.learner import make_learner as make_app
        case "publisher":
            from streams.publisher import make_publisher as make_app
        case _:
            raise ValueError(f"no such role: {role}")
    return make_app(here)


def _ended(child: "subprocess.Popen[bytes]") -> int:
    """The exit code of a child that was told to end; it is made to when it does not."""
    try:
        return child.wait(GRACE_S)
    except subprocess.TimeoutExpired:
        child.kill()
        return child.wait()


def run_all() -> None:
    """One child process a role; when one ends, or this process is told to, the others are told to end too."""
    children = [subprocess.Popen([sys.executable, "-m", "livelift", "worker", "--role", role]) for role in ROLES]
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    fell: dict[str, int] = {}
    try:
        while all(child.poll() is None for child in children):
            signal.sigtimedwait([signal.SIGCHLD], 1.0)
        fell = {role: code for role, child in zip(ROLES, children, strict=True) if (code := child.poll())}
    except KeyboardInterrupt:
        pass
    finally:
        for child in children:
            child.terminate()
        codes = [_ended(child) for child in children]
    structlog.get_logger().info("all workers ended", exit_codes=dict(zip(ROLES, codes, strict=True)))
    if fell:
        raise WorkerFell("; ".join(f"the {role} ended with exit code {code}" for role, code in fell.items()))

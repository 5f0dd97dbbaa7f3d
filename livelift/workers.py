"""Starting a worker process of a role, after checking that the topics are as the contract says."""

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


class TopicsUnfit(RuntimeError):
    """A topic is missing or not as the contract says; the message names each."""


def run_worker(role: str, settings: Settings) -> None:
    """Run one role in this process, or `all` as one child process each."""
    configure_logs(role)
    if role == "all":
        run_all()
        return
    from livelift.local.topics import check_topics
    from streams.app import run

    if role == "publisher":
        settings.require_redis()
    here = surroundings(settings)
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


def run_all() -> None:
    """One child process a role; when one ends, or this process is told to, the others are told to end too."""
    children = [subprocess.Popen([sys.executable, "-m", "livelift", "worker", "--role", role]) for role in ROLES]
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        while all(child.poll() is None for child in children):
            signal.sigtimedwait([signal.SIGCHLD], 1.0)
    except KeyboardInterrupt:
        pass
    finally:
        for child in children:
            child.terminate()
        codes = [child.wait(GRACE_S) for child in children]
    structlog.get_logger().info("all workers ended", exit_codes=dict(zip(ROLES, codes, strict=True)))

"""A child process of ours: its log in a file, its end never later than ours."""

import ctypes
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

GRACE_S = 20.0
LAST_LINES = 15
PR_SET_PDEATHSIG = 1
ENDING = (signal.SIGINT, signal.SIGTERM)
"""Held back while we fork: Python drops an exception that a signal raises in its hooks around a fork."""
LIBC = ctypes.CDLL(None)  # loaded here: between fork and exec nothing may be loaded


class NotStarted(RuntimeError):
    """A service did not come up; the message ends with the last lines of its log."""


def free_port() -> int:
    """A port on loopback that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def check_port(port: int) -> None:
    """Raise NotStarted if the port is taken: what answers there would be somebody else's service, not ours."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # the last run's closed connections do not count
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise NotStarted(f"port {port} cannot be used: {error.strerror}") from error


def _die_with(parent: int) -> None:
    """In the child: a session of its own, so that Ctrl-C reaches only us; and the end when we are killed.

    It is SIGKILL because a child that is stuck or paused would outlive us with less; everything we start can lose its
    process at any moment. Only Linux has this: elsewhere a killed parent leaves its children.
    """
    os.setsid()
    signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)
    if sys.platform == "linux":
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it ended before the line above
            os._exit(1)


class Child:
    """One child process. `stop` asks it to end, and makes it end when it does not."""

    def __init__(self, name: str, command: list[str], log: Path, env: dict[str, str] | None = None) -> None:
        self.name, self.log, self._asked = name, log, False
        log.parent.mkdir(parents=True, exist_ok=True)
        parent = os.getpid()
        before = signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
        try:
            with log.open("ab") as output:
                self.process = subprocess.Popen(
                    command, stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                    env={**os.environ, **(env or {})}, preexec_fn=lambda: _die_with(parent),
                )  # fmt: skip
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    @property
    def pid(self) -> int:
        return self.process.pid

    def ended(self) -> int | None:
        """Its exit code, or None while it runs."""
        return self.process.poll()

    def ask(self) -> None:
        """SIGTERM, once: a second one could cut short what the first has begun."""
        if not self._asked and self.process.poll() is None:
            self.process.terminate()
            self._asked = True

    def stop(self, grace: float = GRACE_S) -> int:
        """SIGTERM, then SIGKILL after the grace time; safe to call again. Returns the exit code."""
        self.ask()
        if self.process.poll() is None:
            try:
                self.process.wait(grace)
            except subprocess.TimeoutExpired:
                self.process.kill()
        return self.process.wait()

    def last_lines(self) -> str:
        """The end of its log, for an error message."""
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        return "\n".join(lines[-LAST_LINES:])

    def failed(self, what: str) -> NotStarted:
        return NotStarted(f"{self.name} {what}; the last lines of {self.log}:\n{self.last_lines()}")

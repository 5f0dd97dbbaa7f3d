"""A recording as a destination: events.jsonl, cut back to where the state says before anything is added to it.

Several sources write to one folder, one after the other. One that was stopped half-way has to be finished first: what
it wrote behind its state is cut off at the file's end.
"""

import fcntl
import os
from pathlib import Path
from typing import Any

import msgspec

from livelift.recording.folder import EVENTS
from livelift.sources.identities import Held, Identity
from livelift.sources.row import SourceError
from livelift.sources.shape import Made, whose
from livelift.sources.state import StateFile
from models.events import SOURCES

UNRESOLVED = "unresolved.jsonl"
STATES = ".sources"
"""The folder's own states: how far each source has been written to it."""


class ToFolder:
    """Appends events, each with its topic. What waits for an alias is in unresolved.jsonl, which only grows."""

    def __init__(self, folder: Path, name: str) -> None:
        if (folder / EVENTS).exists() and not (folder / STATES).is_dir():
            raise SourceError(f"{folder} holds a recording that was not written from sources: name a new folder")
        (folder / STATES).mkdir(parents=True, exist_ok=True)
        self.folder, self.name = folder, name
        self.known: dict[str, Identity] = {}
        self._serial = 0
        self._lock = (folder / STATES / ".lock").open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise SourceError(f"{folder} is being written to by another run") from error
        self._events = (folder / EVENTS).open("ab")
        self._unresolved = (folder / UNRESOLVED).open("ab")

    def begin(self, position: dict[str, Any] | None, at_rest: bool) -> None:
        states = {path.stem: StateFile(path).read() for path in (self.folder / STATES).glob("*.json")}
        for name, state in states.items():
            if name != self.name and not state.at_rest:
                raise SourceError(f"{self.folder}: {name} was stopped half-way; run it again first")
        latest = max((state.out for state in states.values() if state.out), key=lambda out: out["serial"], default={})
        self._serial = latest.get("serial", 0)
        self.known = msgspec.convert(latest.get("known", {}), dict[str, Identity])
        if position is not None and not at_rest:
            for file, what in ((self._events, "events"), (self._unresolved, "unresolved")):
                file.truncate(position[what])
                file.seek(0, os.SEEK_END)

    def send(self, made: Made, value: bytes, account: str) -> None:
        self._write(SOURCES[made.topic], value)

    def _write(self, topic: str, value: bytes) -> None:
        self._events.write(b'{"topic":"%s",' % topic.encode() + value[1:] + b"\n")

    def hold(self, made: Made) -> None:
        held = Held(made.alias or "", SOURCES[made.topic], made.id, msgspec.Raw(made.value))
        self._unresolved.write(msgspec.json.encode(held) + b"\n")

    def link(self, alias: str, identity: Identity) -> None:
        self.known[alias] = identity

    def resolve(self) -> int:
        self._unresolved.flush()
        count, offset = 0, 0
        with (self.folder / UNRESOLVED).open("rb") as lines:
            for line in lines:
                held = msgspec.json.decode(line, type=Held)
                identity = self.known.get(held.alias)
                if identity is not None and offset >= identity.sent:
                    self._write(held.topic, whose(bytes(held.event), identity.account_id, identity.user_id))
                    count += 1
                offset += len(line)
        self.known = {alias: msgspec.structs.replace(held, sent=offset) for alias, held in self.known.items()}
        return count

    def flush(self) -> None:
        for file in (self._events, self._unresolved):
            file.flush()
            os.fsync(file.fileno())

    def position(self) -> dict[str, Any]:
        self._serial += 1
        known = {alias: msgspec.to_builtins(identity) for alias, identity in self.known.items()}
        ends = {"events": self._events.tell(), "unresolved": self._unresolved.tell()}
        return {**ends, "known": known, "serial": self._serial}

    def close(self) -> None:
        for file in (self._events, self._unresolved, self._lock):
            file.close()

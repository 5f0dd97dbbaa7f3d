"""events.jsonl: one event a line, sent as it is written. What is wrong with an event is for the system to say.

Only topic, time and account are read here, to know where and when to send a line. A line in which even topic or
time cannot be found is refused; any other broken line is played, so that it ends among the dead letters as it would
have in life.
"""

import re
from pathlib import Path
from typing import Any

import msgspec

from livelift.recording.record import TICK, Log
from livelift.recording.times import instant_of
from models.events import SOURCES
from streams.topics import MESSAGE_LIMIT

OVERHEAD = 512
"""Bytes that Kafka's framing adds to key and value; what does not fit in its limit could not have been sent."""
BY_NAME = {name: index for index, name in enumerate(SOURCES)}
ADVICE = f"give each line a `topic` (one of {', '.join(SOURCES)}) and a time `at`, or remove it"
HEADINGS = ("topic", "type", "account_id")
FOUND = {
    name: re.compile(rb'"%s"\s*:\s*("(?:[^"\\]|\\.){1,256}"|-?[0-9][0-9.eE+-]{0,40})' % name.encode())
    for name in (*HEADINGS, "at")
}


class Head(msgspec.Struct, gc=False):
    """What is read of a line that is as it should be."""

    at: str | float
    topic: str = ""
    type: str = ""
    account_id: str = ""
    properties: msgspec.Raw = msgspec.Raw(b"{}")


class Assigned(msgspec.Struct):
    experiment: str


HEAD = msgspec.json.Decoder(Head)
ASSIGNED = msgspec.json.Decoder(Assigned)
BROKEN = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


def read_lines(path: Path, log: Log, refused: list[str]) -> None:
    """Append every line of events.jsonl to the log; those that cannot be placed go to `refused` with their number."""
    with path.open("rb") as lines:
        for number, raw in enumerate(lines, start=1):
            line = raw.removeprefix(b"\xef\xbb\xbf").strip(b"\r\n") if number == 1 else raw.strip(b"\r\n")
            if not line.strip():
                continue
            complaint = _add(line, log)
            if complaint is not None:
                refused.append(f"{path.name} line {number}: {complaint}; {ADVICE}")


def _add(line: bytes, log: Log) -> str | None:
    """Append one line, or say why it cannot be placed."""
    try:
        head = HEAD.decode(line)
    except BROKEN:
        head = _search(line)
    if head is None:
        return "no time `at` in it"
    try:
        at = instant_of(head.at)
    except (ValueError, OverflowError):
        return f"`at` is not a time: {str(head.at)[:40]!r}"
    if head.type == "tick":
        log.add(TICK, b"", line, at)
        return None
    if head.topic not in BY_NAME:
        return f"no such topic: {head.topic[:40]!r}" if head.topic else "no topic"
    key = head.account_id.encode(errors="replace")
    if len(line) + len(key) + OVERHEAD > MESSAGE_LIMIT:
        return f"{len(line):,} bytes, more than a record of {MESSAGE_LIMIT:,} bytes holds"
    log.add(BY_NAME[head.topic], key, line, at)
    if head.type == "experiment_assigned":
        _note_assignment(head.properties, log, at)
    return None


def _note_assignment(properties: msgspec.Raw, log: Log, at: int) -> None:
    try:
        log.assign(ASSIGNED.decode(properties).experiment, at)
    except BROKEN:
        return  # no experiment in it: sent all the same, the system will refuse it


def _search(line: bytes) -> Head | None:
    """What can be made out of a line that is not an event of ours: another's event, wrong types, or no JSON at all."""
    try:
        loose: Any = msgspec.json.decode(line)
    except BROKEN:
        loose = {name: _found(pattern, line) for name, pattern in FOUND.items()}
    if not isinstance(loose, dict):
        return None
    # Segment says `timestamp` and CloudEvents `time`; the scorer sends on what is then keyed by nobody.
    at = next((loose[name] for name in ("at", "timestamp", "time") if loose.get(name) is not None), None)
    if not isinstance(at, str | int | float):
        return None
    topic, kind, account = (text if isinstance(text := loose.get(name), str) else "" for name in HEADINGS)
    return Head(at=at, topic=topic, type=kind, account_id=account)


def _found(pattern: re.Pattern[bytes], line: bytes) -> str | float | None:
    match = pattern.search(line)
    if match is None:
        return None
    try:
        return msgspec.json.decode(match.group(1), type=str | float)
    except BROKEN:
        return None

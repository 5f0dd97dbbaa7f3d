"""What a recording says was done: `annotations.jsonl`, one annotation a line."""

from pathlib import Path

import msgspec

from livelift.recording.record import RecordingError
from models.education.annotations import Annotation, decode, in_order

ANNOTATIONS = "annotations.jsonl"


def read_annotations(folder: Path) -> tuple[Annotation, ...]:
    """A recording's annotations in order of time. Raises RecordingError, naming the line that is none."""
    path = folder / ANNOTATIONS
    found = []
    for number, line in enumerate(path.read_bytes().splitlines() if path.is_file() else (), 1):
        if line.strip():
            try:
                found.append(decode(line))
            except msgspec.MsgspecError as error:
                raise RecordingError(f"{path}, line {number}: {error}") from error
    return in_order(found)

"""A recording: a folder of what happened, to be played through Kafka or replayed without it."""

from livelift.recording.folder import Recording, open_recording
from livelift.recording.record import Record, RecordingError

__all__ = ["Record", "Recording", "RecordingError", "open_recording"]

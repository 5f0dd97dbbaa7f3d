"""Reading the dead-letter topic: what was refused, from where and why. Payloads stay masked unless asked for."""

from dataclasses import dataclass
from typing import Any

from kafka import KafkaConsumer, TopicPartition

SHOWN_BYTES = 500
POLL_MS = 1000


@dataclass(frozen=True)
class DeadLetter:
    """One refused record: where it came from, the reason and detail, and its original bytes."""

    origin: str
    reason: str
    detail: str
    payload: bytes | None

    def shown(self, show_payload: bool) -> dict[str, str]:
        """The letter for people to read; the payload only as its size, unless asked for."""
        size = "tombstone" if self.payload is None else f"{len(self.payload)} bytes"
        text = (
            size
            if not show_payload or not self.payload
            else self.payload[:SHOWN_BYTES].decode(errors="backslashreplace")
        )
        return {"origin": self.origin, "reason": self.reason, "detail": self.detail, "payload": text}


def dead_letter(headers: dict[str, str], payload: bytes | None) -> DeadLetter:
    origin = f"{headers.get('topic')}/{headers.get('partition')}/{headers.get('offset')}"
    return DeadLetter(origin, headers.get("reason", "?"), headers.get("detail", ""), payload)


def latest(config: dict[str, Any], topic: str, count: int) -> list[DeadLetter]:
    """The last `count` dead letters of each partition, in partition order."""
    consumer = KafkaConsumer(**config, enable_auto_commit=False, group_id=None)
    try:
        partitions = [TopicPartition(topic, number) for number in sorted(consumer.partitions_for_topic(topic) or ())]
        consumer.assign(partitions)
        ends = consumer.end_offsets(partitions)
        starts = consumer.beginning_offsets(partitions)
        wanted = {}
        for where in partitions:
            first = max(starts[where], ends[where] - count)
            consumer.seek(where, first)
            wanted[where] = ends[where] - first
        return _read(consumer, wanted)
    finally:
        consumer.close()


def _read(consumer: KafkaConsumer, wanted: dict[TopicPartition, int]) -> list[DeadLetter]:
    letters = []
    left = sum(wanted.values())
    while left > 0:
        fetched = consumer.poll(timeout_ms=POLL_MS)
        if not fetched:
            break
        for records in fetched.values():
            for record in records:
                headers = {name: value.decode(errors="replace") for name, value in record.headers}
                letters.append(dead_letter(headers, record.value))
                left -= 1
    return letters

"""Every topic of the contract with its partitions, retention and limits, in one table.

`livelift up` creates them from here, the workers check them against it at start, and the AsyncAPI document is
generated from it, so that the three can never disagree.
"""

from dataclasses import dataclass, field

from models.events import MESSAGE_LIMIT, SOURCES

DAY_MS = 24 * 3_600_000
DEAD_LETTER_LIMIT = MESSAGE_LIMIT + 65_536
"""A dead letter may carry the largest source record whole, plus its headers."""
ROW_LIMIT = 4 * 1024 * 1024
"""More than the largest row can come to: its names, traits, days and helps are all limited (`models.keeping`)."""


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic: `partitions` None means N, the number the installation was created with."""

    name: str
    key: str
    partitions: int | None
    retention_days: int | None = None
    compacted: bool = False
    message_limit: int = MESSAGE_LIMIT
    extra: dict[str, str] = field(default_factory=dict)

    def config(self) -> dict[str, str]:
        """Kafka's settings for the topic, as the admin call takes them."""
        kept = -1 if self.retention_days is None else self.retention_days * DAY_MS
        return {
            "cleanup.policy": "compact" if self.compacted else "delete",
            "retention.ms": str(-1 if self.compacted else kept),
            "max.message.bytes": str(self.message_limit),
            **self.extra,
        }


APPEND_TIME = {"message.timestamp.type": "LogAppendTime"}

TOPICS: tuple[Topic, ...] = (
    *(Topic(name, "account_id", None, extra=APPEND_TIME) for name in SOURCES),
    Topic("account-scores", "account_id", None, retention_days=90),
    Topic("journey-signals", "account_id", None, retention_days=90),
    Topic("health-examples", "account_id", 1),
    Topic("health-models", "model, version", 1, compacted=True, message_limit=ROW_LIMIT),
    Topic("experiment-plans", "experiment", 1, compacted=True),
    Topic("partials", "kind, id, source partition", 1, compacted=True),
    Topic("pulse", "", 1, extra={"retention.ms": "3600000"}),
    Topic("dead-letters", "as received", None, retention_days=30, message_limit=DEAD_LETTER_LIMIT),
    Topic("alerts", "account_id", 1, retention_days=400),
    Topic("alert-commands", "account_id", 1, retention_days=400),
    Topic("annotations", "id", 1, compacted=True),
    Topic("identities", "alias", 1, compacted=True),
    Topic("unresolved", "alias", 1, retention_days=400),
)
ROWS_TABLE = "rows"
"""Faust's name for the rows' table; its changelog is `<app id>-rows-changelog`."""
ROWS_CHANGELOG = Topic(
    "rows-changelog", "row", None, compacted=True, message_limit=ROW_LIMIT,
    extra={"min.compaction.lag.ms": str(6 * 3_600_000)},
)  # fmt: skip
"""The rows themselves. Compaction waits six hours, in which a recovery sees through a paused worker's last write."""

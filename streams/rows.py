"""The rows' table: Faust owns its partitions and recovers it; its writes go by confluent-kafka in whole batches."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any, cast

import faust
import msgspec

from models.forgetting import FORGOTTEN_KEY
from models.rows import NewerRow
from models.working import progress_of
from streams.fatal import leave


class Raw(faust.Schema):
    """Keys and values as they come: bytes, or the transport's batches."""

    def loads_key(self, app: Any, message: Any, **kwargs: Any) -> Any:
        return message.key

    def loads_value(self, app: Any, message: Any, **kwargs: Any) -> Any:
        return message.value


class RowTable(faust.Table):
    """All rows of the assigned partitions, bytes to bytes, in memory.

    `table[key] = value` is not the way in (190 µs each): `put` stores what the sender has already written.
    """

    @property
    def rows(self) -> dict[bytes, bytes]:
        return cast(Any, self.data).data

    @property
    def owners(self) -> dict[bytes, int]:
        """Row key to partition. The memory store fills it in recovery only; without it rows outlive a revocation."""
        return cast(Any, self.data)._key_partition

    def put(self, partition: int, rows: Iterable[tuple[bytes, bytes | None]]) -> None:
        """Store rows of a partition after their changelog has been written."""
        data, owner = self.rows, self.owners
        for key, value in rows:
            if value is None:
                data.pop(key, None)
                owner.pop(key, None)
            else:
                data[key] = value
                owner[key] = partition

    def by_partition(self) -> dict[int, list[tuple[bytes, bytes]]]:
        """Rows grouped by the partition that holds them."""
        grouped: dict[int, list[tuple[bytes, bytes]]] = defaultdict(list)
        owner = self.owners
        for key, value in self.rows.items():
            grouped[owner[key]].append((key, value))
        return grouped

    def apply_changelog_batch(self, batch: Iterable[Any]) -> None:
        """Take recovered rows. Faust logs errors here and goes on without the state: so a bad row ends the process."""
        try:
            for event in batch:
                partition = event.message.partition
                self.put(partition, [(record.key, self._newest(record)) for record in event.value])
        except (NewerRow, msgspec.MsgspecError, IndexError) as error:
            leave(f"a stored row cannot be read: {error}")

    def _newest(self, record: Any) -> bytes | None:
        """The later of the row we hold and the one recovered.

        A worker that was paused between its last check and the network may have written once more after its partition
        had a new owner. Such a row has not applied what the newer one has: its offsets are behind, it is passed over.
        """
        if record.value is None:
            return None
        held = self.rows.get(record.key)
        if record.key.startswith(FORGOTTEN_KEY):
            return record.value
        come = progress_of(record.key, record.value)
        if held is None:
            return record.value
        before = progress_of(record.key, held)
        behind = any(new < old for new, old in zip(come, before, strict=True))
        return held if behind else record.value

"""Where an account lives: murmur2 of its id modulo N, as Kafka's Java clients place keyed records."""

from functools import lru_cache

from aiokafka.partitioner import murmur2


class Placement:
    """Account id to partition among N; remembers the latest answers, since the hash is computed in Python."""

    def __init__(self, partitions: int) -> None:
        self.partitions = partitions
        self.of = lru_cache(maxsize=100_000)(self._of)

    def _of(self, account_id: str) -> int:
        return (murmur2(account_id.encode()) & 0x7FFFFFFF) % self.partitions

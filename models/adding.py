"""Sums by key from which what adds up to nothing is let go, so that equal sums are equal mappings."""

from collections.abc import Sequence
from typing import TypeVar

Key = TypeVar("Key")


def add_rows(*rows: Sequence[int]) -> list[int]:
    """Rows of numbers added up, place by place."""
    return list(map(sum, zip(*rows, strict=True)))


def add(sums: dict[Key, int], key: Key, amount: int) -> None:
    """Add to a sum and let zeros go."""
    total = sums.get(key, 0) + amount
    if total:
        sums[key] = total
    else:
        sums.pop(key, None)

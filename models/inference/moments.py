"""Exact sums and second moments of cluster vectors: all that is kept of an experiment's units (decision 0010).

A cluster's vector stacks one block an arm; a block is the number of its units and the sums of their amounts. Everything
is a Python integer (amounts in fixed point), so that adding, replacing, removing and merging are exact in any order.
"""

from collections.abc import Iterable, Mapping
from operator import add, sub
from typing import NamedTuple

from models.adding import add_rows

Vector = tuple[int, ...]


class Encoded(NamedTuple):
    """Moments as they travel: whole numbers of any size, as `Moments` names them."""

    clusters: list[int]
    sums: list[int]
    products: list[int]
    fourths: list[int]


class Moments:
    """The moments of all clusters of one experiment's one question.

    blocks: how many arms (or cells) a vector stacks; 2 for control and treatment, in this order.
    columns: length of a block; its first column is the units n.

    >>> arms = Moments(blocks=2, columns=2)
    >>> arms.replace((0, 0, 0, 0), (2, 1, 0, 0))  # an account with two units in control, one of which converted
    >>> arms.replace((0, 0, 0, 0), (0, 0, 3, 3))  # and one with three in treatment
    >>> arms.clusters, arms.sums
    ([2, 1, 1], [2, 1, 3, 3])
    """

    __slots__ = ("blocks", "clusters", "columns", "fourths", "products", "sums")

    def __init__(self, blocks: int, columns: int) -> None:
        self.blocks, self.columns = blocks, columns
        self.clusters = [0] * (1 + blocks)
        """Clusters with any unit at all; then, by block, with units in it."""
        width = self.width
        self.sums = [0] * width
        self.products = [0] * (width * (width + 1) // 2)
        """Sums of v[i]·v[j], j >= i, row by row: the upper triangle."""
        self.fourths = [0] * blocks
        """Sums of n⁴ by block: with n² they say how many clusters the units are worth."""

    @property
    def width(self) -> int:
        return self.blocks * self.columns

    @property
    def empty(self) -> bool:
        return not self.clusters[0]

    @property
    def singletons(self) -> bool:
        """Whether every cluster is one unit, in one block."""
        return sum(self.sums[:: self.columns]) == self.clusters[0]

    def column(self, column: int) -> list[int]:
        """A column's sum in each block."""
        return self.sums[column :: self.columns]

    def product(self, i: int, j: int) -> int:
        """The sum over clusters of v[i]·v[j]."""
        low, high = min(i, j), max(i, j)
        return self.products[low * self.width - low * (low + 1) // 2 + high]

    def replace(self, old: Vector, new: Vector) -> None:
        """Put a cluster's vector in place of its former one; a vector of zeros stands for no cluster."""
        if old != new:
            self._add(old, -1)
            self._add(new, 1)

    def _add(self, vector: Vector, sign: int) -> None:
        there = [(i, amount) for i, amount in enumerate(vector) if amount]
        sums, products, width, columns = self.sums, self.products, self.width, self.columns
        units = 0
        for position, (i, amount) in enumerate(there):
            sums[i] += sign * amount
            signed = sign * amount
            row = i * width - i * (i + 1) // 2
            for j, other in there[position:]:
                products[row + j] += signed * other
            if not i % columns:
                block = i // columns
                units += amount
                self.clusters[1 + block] += sign
                self.fourths[block] += sign * amount**4
        if units:
            self.clusters[0] += sign

    def __iadd__(self, other: "Moments") -> "Moments":
        self._combine(other, 1)
        return self

    def __isub__(self, other: "Moments") -> "Moments":
        self._combine(other, -1)
        return self

    def _combine(self, other: "Moments", sign: int) -> None:
        if (self.blocks, self.columns) != (other.blocks, other.columns):
            raise ValueError(
                f"moments of {other.blocks} x {other.columns} cannot be added to {self.blocks} x {self.columns}"
            )
        both = add if sign > 0 else sub
        self.clusters = list(map(both, self.clusters, other.clusters))
        self.sums = list(map(both, self.sums, other.sums))
        self.products = list(map(both, self.products, other.products))
        self.fourths = list(map(both, self.fourths, other.fourths))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Moments) and self._state() == other._state()

    __hash__ = None

    def __repr__(self) -> str:
        return f"Moments({self.blocks}, {self.columns}): clusters {self.clusters}, sums {self.sums}"

    def _state(self) -> tuple[object, ...]:
        return self.blocks, self.columns, self.clusters, self.sums, self.products, self.fourths

    def encode(self) -> Encoded:
        return Encoded(list(self.clusters), list(self.sums), list(self.products), list(self.fourths))

    @classmethod
    def decode(cls, *shares: Encoded) -> "Moments":
        """The moments of `encode`, shares added up; their shape follows from the sums and the fourth powers."""
        clusters, sums, products, fourths = (add_rows(*rows) for rows in zip(*shares, strict=True))
        moments = cls(len(fourths), len(sums) // len(fourths))
        moments.clusters, moments.sums, moments.products, moments.fourths = clusters, sums, products, fourths
        return moments


def add_vectors(vectors: Iterable[Vector]) -> Vector:
    """A cluster's vector from those of its units."""
    return tuple(map(sum, zip(*vectors, strict=True)))


def shifted(vector: Vector, old: Vector, new: Vector) -> Vector:
    """A cluster's vector after one of its units changed."""
    return tuple([whole - before + after for whole, before, after in zip(vector, old, new, strict=True)])


def merged(shares: Iterable[Mapping[str, Moments]]) -> dict[str, Moments]:
    """Moments by name, added up over partitions."""
    total: dict[str, Moments] = {}
    for share in shares:
        for name, moments in share.items():
            if name not in total:
                total[name] = Moments(moments.blocks, moments.columns)
            total[name] += moments
    return total

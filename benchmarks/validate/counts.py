"""What was counted, and what it is held against."""

from dataclasses import dataclass
from math import sqrt

ERRORS = 3
"""Standard errors of the simulation that a rate may be beyond its nominal one."""


@dataclass(frozen=True)
class Count:
    """How often something happened: `count` of `runs`, in a situation; at_most, at_least: the nominal rate, if any."""

    situation: str
    what: str
    count: int
    runs: int
    at_most: float | None = None
    at_least: float | None = None
    allowed: float = ERRORS
    """Standard errors, of the nominal rate, that it may be beyond."""

    @property
    def rate(self) -> float:
        return self.count / self.runs if self.runs else float("nan")

    @property
    def error(self) -> float:
        return sqrt(self.rate * (1 - self.rate) / self.runs) if self.runs else float("nan")

    @property
    def bound(self) -> float | None:
        """The rate that would break it."""
        if not self.runs:
            return None
        if self.at_most is not None:
            return self.at_most + self.allowed * sqrt(self.at_most * (1 - self.at_most) / self.runs)
        if self.at_least is not None:
            return self.at_least - self.allowed * sqrt(self.at_least * (1 - self.at_least) / self.runs)
        return None

    @property
    def holds(self) -> bool:
        bound = self.bound
        if bound is None:
            return True
        return self.rate <= bound if self.at_most is not None else self.rate >= bound

    def __str__(self) -> str:
        """`12 (0.6 ± 0.2 %)`, in bold where the bound is broken; a dash where nothing could be counted."""
        if not self.runs:
            return "-"
        said = f"{self.count:,} ({100 * self.rate:.1f} ± {100 * self.error:.1f} %)"
        return said if self.holds else f"**{said}**"


@dataclass(frozen=True)
class Measure:
    """A number of a situation, and the most that it may be."""

    situation: str
    what: str
    value: float
    at_most: float | None = None

    @property
    def holds(self) -> bool:
        return self.at_most is None or not self.value > self.at_most

    def __str__(self) -> str:
        return f"{self.value:.3f}" if self.holds else f"**{self.value:.3f}**"


Finding = Count | Measure


def broken(findings: list[Finding]) -> list[str]:
    """The bounds that do not hold, a sentence each."""
    return [_sentence(one) for one in findings if not one.holds]


def _sentence(one: Finding) -> str:
    if isinstance(one, Measure):
        return f"{one.situation}: {one.what} is {one.value:.3f}, allowed {one.at_most:g}"
    nominal = one.at_most if one.at_most is not None else one.at_least
    return (
        f"{one.situation}: {one.what} in {one.count:,} of {one.runs:,} ({100 * one.rate:.2f} %), nominal "
        f"{100 * (nominal or 0):g} %, allowed {100 * (one.bound or 0):.2f} %"
    )

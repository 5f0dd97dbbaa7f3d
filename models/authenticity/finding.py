"""What a check found, and figures as a description of what to draw."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

from models.authenticity.thresholds import THRESHOLDS, Threshold

Figure = Mapping[str, Any]
"""JSON-able: `mark` (`bar`, `line` or `point`), `x_title`, `y_title`, `rows` of x, observed and, where there is one,
expected."""


@dataclass(frozen=True, slots=True)
class Finding:
    """effect: what THRESHOLDS[check] says. p: chance of an effect so far beyond the edge if it is on the innocent side
    of it. because: why the check was not examined; then effect and p are None."""

    check: str
    units: int
    says: str = ""
    effect: float | None = None
    p: float | None = None
    because: str | None = None
    figure: Figure = field(default_factory=dict)

    @property
    def threshold(self) -> Threshold:
        return THRESHOLDS[self.check]

    @property
    def examined(self) -> bool:
        return self.because is None

    @property
    def beyond(self) -> bool:
        """Whether the effect is on the side of its edge that means something."""
        if self.effect is None:
            return False
        return (
            self.effect > self.threshold.edge if self.threshold.side == "above" else self.effect < self.threshold.edge
        )


def unexamined(check: str, because: str, units: int = 0) -> Finding:
    """The check lacks what it needs."""
    return Finding(check, units, because=because)


def found(check: str, units: int, effect: float, p: float, says: str, figure: Figure) -> Finding:
    """What was seen; an effect that cannot be told (nothing varies) is said as such."""
    if not (isfinite(effect) and isfinite(p)):
        return unexamined(check, "nothing varies that it could be told from", units)
    return Finding(check, units, says, effect, min(1.0, max(0.0, p)), figure=figure)


def too_few(check: str, units: int) -> Finding | None:
    """Says that there is not enough to examine; None where there is."""
    least, unit = THRESHOLDS[check].least, THRESHOLDS[check].unit
    return unexamined(check, f"{least:,} {unit} are needed; there are {units:,}", units) if units < least else None


def drawn(
    mark: str, x_title: str, y_title: str, x: Iterable[Any], observed: Iterable[Any], expected: Iterable[Any] = ()
) -> Figure:
    """A figure. expected: as long as observed, or empty."""
    names, columns = ["x", "observed"], [_plain(x), _plain(observed)]
    against = _plain(expected)
    if against:
        names, columns = [*names, "expected"], [*columns, against]
    rows = [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]
    return {"mark": mark, "x_title": x_title, "y_title": y_title, "rows": rows}


def _plain(values: Iterable[Any]) -> list[Any]:
    return [value.item() if hasattr(value, "item") else value for value in values]

"""What checks have found together: corrected for their number, and the verdict in words."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from models.authenticity.finding import Finding
from models.readout.holm import adjusted_p
from models.readout.written import Number, chance, number

ALPHA = 0.05
"""Chance of any false alarm in a data set, at most."""
NOTHING_FOUND = "nothing found"
LIMIT = "A careful forgery leaves no trace that these checks look for."


@dataclass(frozen=True, slots=True)
class Examined:
    """The findings, and for each the p value that counts among all that were examined (Holm 1979: whatever their
    dependence, the chance of any false alarm is at most alpha)."""

    findings: tuple[Finding, ...]
    adjusted: tuple[Number, ...]
    alpha: float

    @property
    def alarms(self) -> tuple[Finding, ...]:
        """Effects beyond their edges by more than chance explains."""
        both = zip(self.findings, self.adjusted, strict=True)
        return tuple(one for one, p in both if p is not None and p <= self.alpha and one.beyond)

    @property
    def verdict(self) -> str:
        """In words; where there is no alarm: "nothing found"."""
        ran = sum(one.examined for one in self.findings)
        rest = f"{len(self.findings) - ran} not examined"
        if not ran:
            return f"{NOTHING_FOUND}, because nothing could be examined"
        if not self.alarms:
            return f"{NOTHING_FOUND} by {ran} checks; {rest}. {LIMIT}"
        seen = "; ".join(f"{one.check}: {one.says}" for one in self.alarms)
        return f"{len(self.alarms)} of {ran} checks raise an alarm ({rest}). {seen}"

    def report(self) -> dict[str, Any]:
        """JSON-able, check by check."""
        rows = [_written(one, p, self.alpha) for one, p in zip(self.findings, self.adjusted, strict=True)]
        return {
            "verdict": self.verdict,
            "alarms": [one.check for one in self.alarms],
            "alpha": self.alpha,
            "correction": "Holm",
            "checks": rows,
        }


def together(findings: Sequence[Finding], alpha: float) -> Examined:
    """Findings with their corrected p values."""
    p_values = [one.p for one in findings if one.p is not None]
    adjusted = iter(adjusted_p(p_values, len(p_values)))
    return Examined(tuple(findings), tuple(None if one.p is None else next(adjusted) for one in findings), alpha)


def _written(one: Finding, adjusted: Number, alpha: float) -> dict[str, Any]:
    threshold = one.threshold
    row: dict[str, Any] = {
        "check": one.check,
        "instrumentation": threshold.instrumentation,
        "state": _state(one, adjusted, alpha),
        "units": one.units,
        "unit": threshold.unit,
    }
    if not one.examined:
        return {**row, "because": one.because}
    return {
        **row,
        "says": one.says,
        "effect": {
            "name": threshold.effect,
            "value": number(one.effect if one.effect is not None else float("nan")),
            "alarm_if": threshold.side,
            "edge": threshold.edge,
            "reason": threshold.reason,
        },
        "p": chance(one.p if one.p is not None else float("nan")),
        "p_adjusted": adjusted,
        "figure": dict(one.figure),
    }  # fmt: skip


def _state(one: Finding, adjusted: Number, alpha: float) -> str:
    if adjusted is None:
        return "not examined"
    return "alarm" if adjusted <= alpha and one.beyond else NOTHING_FOUND

"""What looking at an experiment has found once and for all: first crossings, a broken sample ratio, a rejection.

Everything else in a snapshot is a function of the present arms. These depend on when somebody looked, so they are kept
apart and stored by the publisher; `looked` is all that ever changes them, and it only ever adds.
"""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from models.inference.discoveries import rejects

SEQUENCES = {"itt": "p_always_valid", "cuped": "p_always_valid", "cace": "p_always_valid", "exact": "p_always_valid"}


class Looks(Struct, frozen=True):
    """Event times (microseconds) of what was first seen. crossed: metric -> read-out -> when it first excluded 0."""

    unhealthy_at: int | None = None
    """When the sample ratio's e-value first reached its bound."""
    rejected_at: int | None = None
    """When the primary's e-value first reached the queue's bound."""
    crossed: dict[str, dict[str, int]] = {}


NOTHING_SEEN = Looks()


def looked(before: Looks, reading: Mapping[str, Any], alpha: float, srm_alpha: float, level: float, time: int) -> Looks:
    """What is known after this look at the experiment's reading, at event time `time`."""
    e_value = reading["srm"]["e_value"]
    unhealthy = e_value is not None and e_value >= 1 / srm_alpha
    primary = next(metric for metric in reading["metrics"].values() if metric["role"] == "primary")
    evidence = primary["itt"].get("e_value")
    rejected = evidence is not None and rejects(evidence, level)
    crossed = dict(before.crossed)
    for name, metric in reading["metrics"].items():
        seen = crossed.get(name, {})
        new = {key: time for key in crossing(metric, alpha) if key not in seen}
        if new:
            crossed[name] = {**seen, **new}
    return replace(
        before,
        unhealthy_at=_first(before.unhealthy_at, unhealthy, time),
        rejected_at=_first(before.rejected_at, rejected, time),
        crossed=crossed,
    )


def joined(one: Looks, other: Looks) -> Looks:
    """What two observers have found: the earlier of each."""
    crossed = {
        metric: {
            name: at
            for name in sorted({*one.crossed.get(metric, {}), *other.crossed.get(metric, {})})
            if (at := _earlier(one.crossed.get(metric, {}).get(name), other.crossed.get(metric, {}).get(name)))
            is not None
        }
        for metric in sorted({*one.crossed, *other.crossed})
    }
    return Looks(_earlier(one.unhealthy_at, other.unhealthy_at), _earlier(one.rejected_at, other.rejected_at), crossed)


def crossing(metric: Mapping[str, Any], alpha: float) -> list[str]:
    """The metric's always-valid read-outs that exclude "no effect" at present."""
    found = []
    for name, p in SEQUENCES.items():
        value = (metric.get(name) or {}).get(p)
        if value is not None and value <= alpha:
            found.append(name)
    return found


def _earlier(one: int | None, other: int | None) -> int | None:
    return min((at for at in (one, other) if at is not None), default=None)


def _first(before: int | None, now: bool, time: int) -> int | None:
    return time if before is None and now else before

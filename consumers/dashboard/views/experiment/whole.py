"""What several parts of an experiment's page ask of its snapshot."""

from collections.abc import Mapping
from typing import Any

import msgspec

from models.alerts import figures
from models.plan import Metric

Json = Mapping[str, Any]


def primary_of(snapshot: Json) -> tuple[str, Json]:
    return next((name, found) for name, found in snapshot["metrics"].items() if found["role"] == "primary")


def is_fixed(snapshot: Json) -> bool:
    return bool(snapshot["plan"]["experiment"]["analysis"] == "fixed")


def planned(snapshot: Json) -> dict[str, Metric]:
    """The plan's metrics by name."""
    return {one["name"]: msgspec.convert(one, Metric) for one in snapshot["plan"]["metric"]}


def treatment_of(snapshot: Json) -> str:
    return next(arm for arm in snapshot["shares"] if arm != snapshot["control"])


def slot(plan: Json) -> str | None:
    """The part of an exclusive group's accounts that an experiment keeps to."""
    own = plan["experiment"].get("exclusive")
    if not own:
        return None
    return (
        f"{own['group']}, {figures.percent(own.get('from', 0.0))} to {figures.percent(own.get('to', 1.0))} of accounts"
    )

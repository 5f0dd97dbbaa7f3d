"""livelift: customers scored while they use the product. `assign` and `load_plan` are for the product's own code."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from models.assignment import assign
    from models.plan import Plan

__all__ = ["assign", "load_plan"]


def load_plan(path: str | Path) -> "Plan":
    """An experiment's plan from its file. Raises PlanError naming the field that is wrong, with the file's name."""
    from models.plan import PlanError, read_plan

    try:
        return read_plan(Path(path).read_bytes())
    except PlanError as error:
        raise PlanError(f"{path}: {error}") from error


def __getattr__(name: str) -> Any:
    """`livelift.assign`, imported when it is first asked for: commands that assign nobody start without it."""
    if name == "assign":
        from models.assignment import assign

        return assign
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

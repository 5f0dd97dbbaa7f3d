"""livelift: customers scored while they use the product. What is here is for the product's own code: `Emitter` sends
events, `assign` and `load_plan` say which arm of an experiment an account is in."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from livelift.emitter import Emitter
    from models.assignment import assign
    from models.plan import Plan

__all__ = ["Emitter", "assign", "load_plan"]


def load_plan(path: str | Path) -> "Plan":
    """An experiment's plan from its file. Raises PlanError naming the field that is wrong, with the file's name."""
    from models.plan import PlanError, read_plan

    try:
        return read_plan(Path(path).read_bytes())
    except PlanError as error:
        raise PlanError(f"{path}: {error}") from error


def __getattr__(name: str) -> Any:
    """`assign` and `Emitter`, imported when they are first asked for: commands that need neither start without."""
    if name == "assign":
        from models.assignment import assign

        return assign
    if name == "Emitter":
        from livelift.emitter import Emitter

        return Emitter
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

"""One learned model behind a small interface, and the kinds there are.

A model is data: its state is JSON, and a class path never goes into it. The parameters are explicit, so that a model
can be learned again from the examples by the same recipe.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

from models.health.logistic import Logistic
from models.health.state import State

if TYPE_CHECKING:
    from models.health.bayes import Bayes
    from models.health.forest import Forest
    from models.health.tree import Tree

KINDS = ("logistic", "forest", "tree", "bayes")
"""The names of the kinds there are."""


class Classifier(Protocol):
    """What is learned about the odds of an account's event, from examples in a fixed order.

    Log odds are raw: a calibration comes behind them, so what matters most here is that riskier accounts rank higher.
    Features that are absent or not finite are unknown, and unknown counts as typical. Reading never learns.
    """

    @property
    def kind(self) -> str:
        """The name of its kind, as in `fresh` and `restore`."""
        ...

    def learn(self, features: Mapping[str, float], label: bool) -> None:
        """Take one example. label: the event fell within the horizon."""
        ...

    def log_odds(self, features: Mapping[str, float]) -> float:
        """Raw log odds of the event, eta: always finite."""
        ...

    def parts(self, features: Mapping[str, float]) -> tuple[float, dict[str, float]]:
        """The log odds of a typical account, eta0, and each known feature's part phi: eta = eta0 + sum(phi)."""
        ...

    def state(self) -> State:
        """All of the model as JSON data, with its parameters."""
        ...


def fresh(kind: str, parameters: State) -> Classifier:
    """A model that has seen nothing. parameters: those of its kind that are not as by default. ValueError or
    msgspec.ValidationError: no such kind or parameter."""
    return _kind(kind).fresh(parameters)


def restore(kind: str, state: State) -> Classifier:
    """The model whose `state` this is: it reads, learns and is written as that one would."""
    return _kind(kind).restored(state)


def _kind(kind: str) -> "type[Logistic | Forest | Tree | Bayes]":
    """River's kinds are imported where one of them is asked for: that takes a second, and most workers have none."""
    match kind:
        case "logistic":
            return Logistic
        case "forest":
            from models.health.forest import Forest  # noqa: PLC0415 - River's takes a second to import

            return Forest
        case "tree":
            from models.health.tree import Tree  # noqa: PLC0415 - River's takes a second to import

            return Tree
        case "bayes":
            from models.health.bayes import Bayes  # noqa: PLC0415 - River's takes a second to import

            return Bayes
    raise ValueError(f"{kind!r} is no kind of model; there are {', '.join(KINDS)}")

"""Decision trees that grow with the examples: River's adaptive random forest and its Hoeffding adaptive tree.

Both split by the Hellinger distance between the labels (Cieslak, Hoens, Chawla and Kegelmeyer 2012), which does not
depend on how rare the event is, and also in nodes where one label has more than 99 % of the weight.
They take a hundred times as long as the default model and are meant as challengers.
"""

from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Iterable, Mapping
from math import inf
from typing import Any, NamedTuple, Self

import msgspec
from msgspec import Struct
from river.tree.nodes.branch import NumericBinaryBranch

from models.health.inputs import readable
from models.health.nodes import read, written
from models.health.odds import log_odds_of
from models.health.state import State

RESIDUAL = "residual"
"""The part of log odds that is no feature's: what a leaf says beyond its labels, and steps at unknown features."""
NEVER = 10**15
"""River estimates its size in memory every so many examples, which would differ between machines."""


class Labels(NamedTuple):
    """Weights of examples with and without the event."""

    events: float
    others: float

    @property
    def log_odds(self) -> float:
        return log_odds_of(self.events, self.others)


class Grown(ABC):
    """One or more trees: log odds are the mean over trees of those in the leaf that an account falls into.

    A leaf's probability is weighed by the examples in it, so it is never surer than they are. Parts are the changes of
    the log odds of the labels along the way to the leaf (Saabas 2014), from those at the root.
    A feature that is unknown where a tree asks for it sends the account the way that most accounts went. River counts
    such an example in its leaf but does not split there: where a feature has gone, a tree grows only anew.
    """

    parameters: type[Struct]
    learned: tuple[str, ...]
    """The fields of River's model that change when it learns."""

    def __init__(self, parameters: Struct) -> None:
        self._parameters = parameters
        self._river = self._made(parameters)
        self._labels: dict[int, Labels] = {}

    def learn(self, features: Mapping[str, float], label: bool) -> None:
        self._labels = {}
        self._river.learn_one(readable(features), bool(label))

    def log_odds(self, features: Mapping[str, float]) -> float:
        eta0, phi = self.parts(features)
        return eta0 + sum(phi.values())

    def parts(self, features: Mapping[str, float]) -> tuple[float, dict[str, float]]:
        known = readable(features)
        trees = [tree for tree in self._trees() if tree._root is not None]
        eta0: float = 0.0
        phi: defaultdict[str, float] = defaultdict(float)
        for tree in trees:
            eta0 += self._along(tree, known, phi)
        return eta0 / max(1, len(trees)), {name: phi[name] / len(trees) for name in sorted(phi)}

    def _along(self, tree: Any, known: Mapping[str, float], phi: defaultdict[str, float]) -> float:
        """Add the steps from root to leaf to phi, and give the log odds at the root."""
        node = tree._root
        root = before = self._labels_of(node).log_odds
        while isinstance(node, NumericBinaryBranch):
            asked = node.feature
            node = node.next(known) if asked in known else node.most_common_path()[1]
            after = self._labels_of(node).log_odds
            phi[asked if asked in known else RESIDUAL] += after - before
            before = after
        phi[RESIDUAL] += _leaf_log_odds(node, known, tree, self._labels_of(node)) - before
        return root

    def _labels_of(self, node: Any) -> Labels:
        """The labels of a node's examples: the sum over its leaves, found once after each time of learning."""
        found = self._labels.get(id(node))
        if found is None:
            if isinstance(node, NumericBinaryBranch):
                left, right = map(self._labels_of, node.children)
                found = Labels(left.events + right.events, left.others + right.others)
            else:
                found = Labels(node.stats.get(True, 0.0), node.stats.get(False, 0.0))
            self._labels[id(node)] = found
        return found

    @staticmethod
    @abstractmethod
    def _made(how: Any) -> Any:
        """River's model, made with these parameters."""

    @abstractmethod
    def _trees(self) -> Iterable[Any]:
        """River's trees, one or more."""

    def state(self) -> State:
        version, numbers, spare = self._river._rng.getstate()
        return {
            "parameters": msgspec.to_builtins(self._parameters),
            "numbers": [version, list(numbers), spare],
            "learned": {name: written(getattr(self._river, name), self._shared()) for name in self.learned},
        }

    @classmethod
    def fresh(cls, parameters: State) -> Self:
        return cls(msgspec.convert(parameters, cls.parameters))

    @classmethod
    def restored(cls, state: State) -> Self:
        model = cls.fresh(state["parameters"])
        model._take(state)
        return model

    def _take(self, state: State) -> None:
        """Become, freshly made with the same parameters, what the state says."""
        version, numbers, spare = state["numbers"]
        self._river._rng.setstate((version, tuple(numbers), spare))
        for name in self.learned:
            setattr(self._river, name, read(state["learned"][name], self._shared()))

    def _shared(self) -> dict[str, object]:
        """What all nodes refer to: the random numbers, and the splitter that each one's are copies of."""
        return {"numbers": self._river._rng, "splitter": self._river.splitter}


def _leaf_log_odds(leaf: Any, known: Mapping[str, float], tree: Any, labels: Labels) -> float:
    """What a leaf predicts, as if its examples had shown just that probability."""
    votes = leaf.prediction(known, tree=tree) or {}
    total = sum(votes.values())
    if not 0 < total < inf:
        return labels.log_odds
    event, weight = votes.get(True, 0.0) / total, labels.events + labels.others
    return log_odds_of(event * weight, (1 - event) * weight)

"""The nodes of River's trees as data.

The trees have no form of their own to be written in, so their nodes are walked here. Only what is listed can be
written or read: a name of ours stands for each class, and nothing from a topic is ever imported, called or unpickled.
"""

from base64 import b64decode, b64encode
from collections import defaultdict
from collections.abc import Mapping
from math import isfinite
from typing import Any

from river._river_rust.drift import AdaptiveWindowing
from river.drift import ADWIN
from river.forest.adaptive_random_forest import BaseTreeClassifier
from river.proba import Gaussian
from river.stats import Mean
from river.tree.nodes.arf_htc_nodes import RandomLeafMajorityClass, RandomLeafNaiveBayes, RandomLeafNaiveBayesAdaptive
from river.tree.nodes.branch import NumericBinaryBranch
from river.tree.nodes.hatc_nodes import AdaLeafClassifier, AdaNumBinaryBranchClass
from river.tree.splitter import GaussianSplitter

CLASSES: dict[str, type] = {
    "tree": BaseTreeClassifier,
    "branch": NumericBinaryBranch,
    "majority leaf": RandomLeafMajorityClass,
    "bayes leaf": RandomLeafNaiveBayes,
    "adaptive leaf": RandomLeafNaiveBayesAdaptive,
    "watched branch": AdaNumBinaryBranchClass,
    "watched leaf": AdaLeafClassifier,
    "splitter": GaussianSplitter,
    "mean": Mean,
    "drift detector": ADWIN,
}
"""What is written field by field. A field holds data only, so no method can be put in its place."""
NAMES = {one: name for name, one in CLASSES.items()}


def written(value: Any, shared: Mapping[str, object]) -> Any:
    """Any part of a tree as JSON data. shared: parts that several others refer to, which are written elsewhere.
    TypeError: something that is not listed."""
    name = next((name for name, one in shared.items() if one is value), None)
    if name is not None:
        return {"shared": name}
    match value:
        case float() if not isfinite(value):
            return {"number": str(value)}
        case None | bool() | int() | float() | str():
            return value
        case list():
            return [written(one, shared) for one in value]
        case set():
            return {"set": sorted(value)}
        case defaultdict():
            return {"counts": _pairs(value, shared)}
        case dict():
            return {"pairs": _pairs(value, shared)}
        case Gaussian():  # its random numbers, which only sampling needs, are three kilobytes
            var = value._var
            return {"normal": [var.mean.n, var.mean._mean, var._S, var.ddof]}
        case AdaptiveWindowing():
            return {"window": b64encode(value.__getstate__()).decode()}
        case _ if type(value) in NAMES:
            fields = {name: written(one, shared) for name, one in vars(value).items()}
            return {"is": NAMES[type(value)], "with": fields}
    raise TypeError(f"a {type(value).__name__} is not written into a model's state")


def read(value: Any, shared: Mapping[str, object]) -> Any:
    """What was `written`, around the same shared parts. ValueError or KeyError: it was not."""
    match value:
        case list():
            return [read(one, shared) for one in value]
        case {"shared": name}:
            return shared[name]
        case {"number": text}:
            return float(text)
        case {"set": members}:
            return set(members)
        case {"counts": pairs}:
            return defaultdict(int, _unpaired(pairs, shared))
        case {"pairs": pairs}:
            return _unpaired(pairs, shared)
        case {"normal": [n, mean, squares, ddof]}:
            normal = Gaussian()
            normal._var.ddof, normal._var._S = ddof, squares
            normal._var.mean.n, normal._var.mean._mean = n, mean
            return normal
        case {"window": text}:
            window = AdaptiveWindowing(0.5, 1, 1, 1, 1)  # all five are part of what follows
            window.__setstate__(b64decode(text))
            return window
        case {"is": name, "with": fields}:
            one = object.__new__(CLASSES[name])
            vars(one).update({field: read(part, shared) for field, part in fields.items()})
            return one
        case dict():
            raise ValueError(f"no part of a model has the fields {', '.join(value)}")
    return value


def _pairs(mapping: Mapping[Any, Any], shared: Mapping[str, object]) -> list[list[Any]]:
    """In their own order, which breaks ties between classes."""
    return [[key, written(one, shared)] for key, one in mapping.items()]


def _unpaired(pairs: list[list[Any]], shared: Mapping[str, object]) -> dict[Any, Any]:
    return {key: read(one, shared) for key, one in pairs}

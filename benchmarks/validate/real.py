"""Real experiments: how three ways of looking differ, where nobody knows which effects are real."""

import numpy as np

from benchmarks.validate import asos
from benchmarks.validate.counts import Count, Finding
from benchmarks.validate.work import Arrays, Part, Piece


def _shops(runs: int, seed: int) -> list[Piece]:
    return [Piece("asos", "asos_half", _shop, 1, 0, seed, 0)] if asos.is_there() else []


def _shop(piece: Piece) -> Arrays:
    return {"shop": np.array([asos.shop()], dtype=object)}


def _of_shops(seen: dict[str, Arrays]) -> list[Finding]:
    found: list[Finding] = []
    for situation, arrays in seen.items():
        metrics = arrays["shop"][0].metrics
        for what, field_ in (
            ("fixed p < .05 at some checkpoint", "peeking"),
            ("always valid at some checkpoint", "always_valid"),
            ("the same, planned for a tenth of the units", "always_valid_early"),
            ("fixed p < .05 at the last checkpoint", "at_end"),
        ):
            found.append(Count(situation, what, sum(getattr(one, field_) for one in metrics), len(metrics)))
    return found


PART = Part(
    "asos",
    "Real experiments",
    "Arm-metrics of 46 online experiments (`asos_half`), checkpoint by checkpoint. Some effects are real, so "
    "these are no error rates. The sequences are planned for the units that came in the end.",
    _shops,
    _of_shops,
)

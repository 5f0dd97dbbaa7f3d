"""Holm's correction of several p values."""

from collections.abc import Sequence

from models.readout.written import Number, chance


def adjusted_p(p_values: Sequence[float], hypotheses: int) -> list[Number]:
    """Each p value as it counts among so many hypotheses (Holm 1979, step down).

    Those not known yet count too, at worst as the largest: then they spare the known ones nothing.
    """
    order = sorted(range(len(p_values)), key=lambda i: p_values[i])
    found: list[Number] = [None] * len(p_values)
    least = 0.0
    for rank, i in enumerate(order):
        least = max(least, min(1.0, p_values[i] * (hypotheses - rank)))
        found[i] = chance(least)
    return found

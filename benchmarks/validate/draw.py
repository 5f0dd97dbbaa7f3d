"""Units of many simulated experiments at once, in the order in which they mature."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.validate.cells import Cell

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Units:
    """Arrays (runs, units). cluster: None where every unit is its own account. Amounts are in thousandths."""

    cluster: Ints | None
    accounts: int
    arm: Ints
    outcome: Ints
    uptake: Ints
    covariate: Ints
    by_account: bool
    """Accounts are assigned, with all of their users."""
    worth: float = 1.0
    """What one of an outcome's whole numbers is worth; the covariate's too."""

    @property
    def scale(self) -> list[float]:
        """Of units, outcome, uptake, covariate."""
        return [1.0, self.worth, 1.0, self.worth]

    def amounts(self, until: int) -> NDArray[np.float64]:
        """(runs, until, 4): what is summed up of the first units: one, outcome, uptake, covariate."""
        columns = (np.ones_like(self.arm), self.outcome, self.uptake, self.covariate)
        return np.stack([column[:, :until] for column in columns], axis=-1).astype(float)


def units_of(cell: Cell, runs: int, rng: np.random.Generator) -> Units:
    """Draw them. Which units comply is independent of all else; help moves a complier's chance by `effect` on average.

    The covariate is what the outcome would have been without help for half of the units, and unrelated for the others.
    """
    shape = runs, cell.units
    cluster, place = _grouping(cell, runs, rng)
    by_account = cell.randomised_by == "account" or cluster is None
    arm = (rng.random((runs, cell.accounts) if by_account else shape) < cell.share).astype(np.int64)
    arm = arm[place] if by_account and cluster is not None else arm
    willing = rng.random(shape)
    uptake = (willing < np.where(arm == 1, cell.uptake[1], cell.uptake[0])).astype(np.int64)
    known = rng.random(shape) < 0.5
    if cell.p is not None:
        chance = _chances(cell, runs, rng)
        own = chance[place] if chance is not None else np.full(shape, cell.p)
        luck, other = rng.random(shape), rng.random(shape) < cell.p
        # Scaled by 1 - p: on average a complier's chance grows by `effect`, and never beyond 1.
        outcome = luck < own + uptake * cell.effect * (1 - own) / (1 - cell.p)
        covariate = np.where(known, luck < own, other)
        return Units(
            cluster, cell.accounts, arm, outcome.astype(np.int64), uptake, covariate.astype(np.int64), by_account
        )
    level = np.sqrt(1 - cell.icc) * rng.standard_normal(shape)
    if cell.icc:
        level += np.sqrt(cell.icc) * rng.standard_normal((runs, cell.accounts))[place]
    covariate = np.where(known, level, rng.standard_normal(shape))
    level = np.exp(level) if cell.skewed else level
    return Units(
        cluster, cell.accounts, arm, _fixed(level + cell.effect * uptake), uptake, _fixed(covariate), by_account, 0.001
    )


def _grouping(cell: Cell, runs: int, rng: np.random.Generator) -> tuple[Ints | None, tuple[Ints, Ints]]:
    """Each unit's account (None: its own), and the index of it in an array (runs, accounts)."""
    if cell.grouping == "alone":
        cluster = np.broadcast_to(np.arange(cell.units), (runs, cell.units))
        return None, (np.arange(runs)[:, None], cluster)
    if cell.grouping == "shared":
        cluster = rng.integers(0, cell.accounts, (runs, cell.units))
    else:
        order = np.repeat(np.arange(cell.accounts), 5)
        cluster = rng.permuted(np.broadcast_to(order, (runs, len(order))), axis=1)
    return cluster, (np.arange(runs)[:, None], cluster)


def _chances(cell: Cell, runs: int, rng: np.random.Generator) -> NDArray[np.float64] | None:
    """Every account's share that converts: Beta, its spread such that two of its users correlate by `icc`."""
    if not cell.icc or cell.p is None:
        return None
    strength = 1 / cell.icc - 1
    return rng.beta(cell.p * strength, (1 - cell.p) * strength, (runs, cell.accounts))


def _fixed(amounts: NDArray[np.float64]) -> Ints:
    return np.rint(1000 * amounts).astype(np.int64)

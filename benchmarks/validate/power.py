"""How much the right to look all day costs: power of the always-valid read-out where the fixed one has .80."""

from dataclasses import replace
from functools import cache

import numpy as np

from benchmarks.validate.cells import Cell
from benchmarks.validate.counts import Count, Finding, Measure
from benchmarks.validate.draw import units_of
from benchmarks.validate.follow import after
from benchmarks.validate.readouts import CONVERSIONS, OFFERED, ready
from benchmarks.validate.work import ALPHA, Arrays, Part, Piece, pieces_of, question_of, watched
from models.inference.effect import intention_to_treat, p_value

POWER = 0.80
PILOT_SEED = 7
STEPS = 13
OFFERED_TO_ALL = (0.0, 1.0)
CELLS = [
    Cell(planned=n, p=p, uptake=OFFERED_TO_ALL)
    for n, p in ((50, None), (200, None), (200, 0.3), (1000, None), (1000, 0.3), (1000, 0.05))
] + [Cell(planned=300, grouping="fives", icc=0.3, uptake=OFFERED_TO_ALL)]


def fixed_power(cell: Cell, runs: int, alpha: float) -> float:
    """How often the fixed test finds the effect at planned_units; the same luck for every effect."""
    # Users of an account come at any time, so the first ones of a grouped cell are drawn among all.
    shorter = replace(cell, longest=1.0) if cell.grouping == "alone" else cell
    units = units_of(shorter, runs, np.random.default_rng(PILOT_SEED))
    stack = after(units, cell.planned)
    kept = ready(stack, cell.binary)
    p = p_value(intention_to_treat(stack.means(units.scale, kept)))
    return float((p < alpha).sum() / runs)


@cache
def with_power(cell: Cell, power: float = POWER, runs: int = 4000, alpha: float = 0.05) -> Cell:
    """The cell with an effect that the fixed test finds at planned_units with this power, by bisection."""
    low, high = 0.0, 3.0 if cell.p is None else 0.95 * (1 - cell.p)
    for _ in range(STEPS):
        middle = (low + high) / 2
        weak = fixed_power(replace(cell, effect=middle), runs, alpha) < power
        low, high = (middle, high) if weak else (low, middle)
    return replace(cell, effect=(low + high) / 2)


def _powers(runs: int, seed: int) -> list[Piece]:
    # Known by its name only; the effect that gives the fixed test its power is found by the piece itself.
    return pieces_of("power", CELLS, _power, runs, seed)


def _power(piece: Piece) -> Arrays:
    cell = with_power(piece.cell)
    units = units_of(cell, piece.runs, piece.luck)
    names = [OFFERED, *([CONVERSIONS] if cell.grouping == "alone" and cell.binary else [])]
    found = watched(units, question_of(cell), names)
    stack = after(units, cell.planned)
    once = np.zeros(piece.runs, bool)
    kept = ready(stack, cell.binary)
    once[kept] = p_value(intention_to_treat(stack.means(units.scale, kept))) < ALPHA
    return {**found, "once": once, "effect": np.full(piece.runs, cell.itt)}


def _of_powers(seen: dict[str, Arrays]) -> list[Finding]:
    cells = {cell.name: cell for cell in CELLS}
    found: list[Finding] = []
    for situation, arrays in seen.items():
        planned, crossed = cells[situation].planned, arrays[f"{OFFERED}, crossed"]
        found.append(Measure(situation, "true effect", float(arrays["effect"][0])))
        found.append(Count(situation, "fixed test, at planned_units", int(arrays["once"].sum()), len(crossed)))
        for times, least in ((1, 0.48), (2, 0.80), (3, None)):
            found_by = int(((crossed > 0) & (crossed <= times * planned)).sum())
            what = f"always valid, by {times} x planned_units"
            found.append(Count(situation, what, found_by, len(crossed), None, least, 0))
        by_conversions = arrays.get(f"{CONVERSIONS}, crossed")
        if by_conversions is not None:
            found_by = int(((by_conversions > 0) & (by_conversions <= planned)).sum())
            found.append(Count(situation, "conversions alone, by 1 x", found_by, len(by_conversions)))
    return found


PART = Part(
    "power",
    "What the right to look all day costs",
    "An effect that the fixed test finds with power .80 at planned_units, of an offer that everybody takes. "
    "Asked for: at least .48 always valid by then, .80 by twice that (theory for many units: .535 and .88).",
    _powers,
    _of_powers,
)

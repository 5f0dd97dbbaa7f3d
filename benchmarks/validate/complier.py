"""The complier effect: how often its sets leave the truth out, and how much they say."""

import numpy as np

from benchmarks.validate.cells import HELPS
from benchmarks.validate.counts import Count, Finding, Measure
from benchmarks.validate.draw import Units, units_of
from benchmarks.validate.follow import Question
from benchmarks.validate.readouts import COMPLIER
from benchmarks.validate.sets import Sets, at_planned, few_takers
from benchmarks.validate.work import ALPHA, Arrays, Part, Piece, pieces_of, question_of, watched

BOUNDED, WIDER = 0.90, 1.5
"""At planned_units, of the always-valid sets where at least `STRONG` take help: asked for."""
STRONG = 0.30


def _helps(piece: Piece) -> Arrays:
    cell, question = piece.cell, question_of(piece.cell)
    units = units_of(cell, piece.runs, piece.luck)
    return {**watched(units, question, [COMPLIER]), **sets_seen(units, question)}


def sets_seen(units: Units, question: Question) -> Arrays:
    """Columns: holds the truth, bounded, width; NaN for runs without a set."""
    found: Arrays = {}
    every: list[tuple[str, Sets]] = list(zip(("fixed", "always valid"), at_planned(units, question), strict=True))
    if units.cluster is None and question.binary:
        every.append(("few takers", few_takers(units, question)))
    for name, sets in every:
        table = np.full((len(units.arm), 3), np.nan)
        table[sets.kept] = np.column_stack([sets.holds, sets.bounded, sets.width])
        found[name] = table
    return found


def _of_helps(seen: dict[str, Arrays]) -> list[Finding]:
    cells = {cell.name: cell for cell in HELPS}
    return [
        finding
        for situation, arrays in seen.items()
        for finding in told_of_sets(situation, arrays, cells[situation].uptake[1] >= STRONG)
    ]


def told_of_sets(situation: str, arrays: Arrays, strong: bool) -> list[Finding]:
    fixed, always = (arrays[name][~np.isnan(arrays[name][:, 0])] for name in ("fixed", "always valid"))
    there, runs = len(fixed), len(arrays["fixed"])
    found: list[Finding] = [
        Count(situation, "have a set at planned_units", there, runs),
        Count(situation, "fixed set leaves the truth out", int((fixed[:, 0] == 0).sum()), there, ALPHA),
        Count(
            situation,
            "always-valid set ever does",
            int((arrays[f"{COMPLIER}, crossed"] > 0).sum()),
            int((arrays[f"{COMPLIER}, read"] > 0).sum()),
            ALPHA,
        ),
        Count(
            situation, "always-valid set bounded", int(always[:, 1].sum()), there, None, BOUNDED if strong else None, 0
        ),
        Count(situation, "fixed set bounded", int(fixed[:, 1].sum()), there),
    ]
    few = arrays["few takers"][~np.isnan(arrays["few takers"][:, 0])] if "few takers" in arrays else []
    if len(few):
        found.append(Count(situation, "1 to 9 takers: set leaves it out", int((few[:, 0] == 0).sum()), len(few), ALPHA))
    if there:
        with np.errstate(invalid="ignore"):
            ratio = float(np.median(always[:, 2]) / np.median(fixed[:, 2]))
        found.append(Measure(situation, "median width, always valid / fixed", ratio, WIDER if strong else None))
    return found


PART = Part(
    "complier",
    "The effect on those who take help",
    "Help raises conversion by 25 points (amounts by .25) among those who take it. Anderson-Rubin sets: how often "
    "they leave the truth out (5 %; the always-valid one at *any* look up to 3 x planned_units), and at "
    "planned_units how many are bounded and how wide the always-valid one is. From 10 takers on (below, by "
    "randomisation, once); 90 % bounded and at most 1.5 times as wide are asked for where at least 30 % take "
    "help. (With many accounts and strong uptake the widths are as the critical values, 3.04 to 1.96: 1.55, the "
    "least that any tuning of the mixture comes to at planned_units; 1.5 is reached from 1.07 x planned_units.)",
    lambda runs, seed: pieces_of("complier", HELPS, _helps, runs, seed),
    _of_helps,
)

"""Nothing differs: how often a read-out that is looked at all day ever finds a difference."""

from benchmarks.validate.cells import NOTHING_DIFFERS
from benchmarks.validate.counts import Count, Finding
from benchmarks.validate.draw import units_of
from benchmarks.validate.readouts import ADJUSTED, CONVERSIONS, OFFERED, PEEKING, RATIO
from benchmarks.validate.work import ALPHA, SRM_ALPHA, Arrays, Part, Piece, crossed_in, pieces_of, question_of, watched


def _nothing(piece: Piece) -> Arrays:
    cell = piece.cell
    names = [PEEKING, OFFERED, ADJUSTED, RATIO, *([CONVERSIONS] if cell.grouping == "alone" and cell.binary else [])]
    return watched(units_of(cell, piece.runs, piece.luck), question_of(cell), names)


def _of_nothing(seen: dict[str, Arrays]) -> list[Finding]:
    found: list[Finding] = []
    for situation, arrays in seen.items():
        found.append(_read(situation, arrays, OFFERED, "runs with an ITT"))
        for name, limit in (
            (OFFERED, ALPHA), (ADJUSTED, ALPHA), (CONVERSIONS, ALPHA), (RATIO, SRM_ALPHA), (PEEKING, None),
        ):  # fmt: skip
            if f"{name}, crossed" in arrays:
                found.append(crossed_in(situation, arrays, name, limit))
    return found


def _read(situation: str, seen: Arrays, name: str, what: str) -> Count:
    there = seen[f"{name}, read"]
    return Count(situation, what, int((there > 0).sum()), len(there))


PART = Part(
    "nothing",
    "Nothing differs",
    "The offer changes nothing. How often does a read-out, looked at after every unit up to 3 x planned_units, "
    "*ever* find a difference? Nominal: 5 %, of the sample ratio 1 %. A read-out waits for 10 accounts in each arm "
    "and 5 conversions and 5 non-conversions in each; a run that never gets there finds nothing. The last column "
    "is what happens to those who look at an ordinary p value all day.",
    lambda runs, seed: pieces_of("nothing", NOTHING_DIFFERS, _nothing, runs, seed),
    _of_nothing,
)

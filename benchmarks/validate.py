"""`make validate`: how often the read-out of an experiment is wrong, counted over simulations whose truth is known.

(a) Arms that differ in nothing: how often a difference is found all the same, and how often the interval holds zero.
(b) The trial exercise: how often the interval holds the known effect of being offered help, and how often it is found.
(c) Those who took help against those who did not: what people are tempted to compare, and what it makes them believe.
"""

import argparse
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from math import sqrt
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np

from benchmarks.report import write_section
from livelift.progress import counting
from models.inference.proportions import newcombe, score_p
from models.simulation import SimulatedExercise, simulate

ALPHA = 0.05
SHARE_TEST = 0.30
UNITS = (50, 200, 1000)
CONVERSIONS = (0.05, 0.20)
CUSTOMERS = 1000
LEAST_UNITS = 10
DOCS = Path("docs/validate.md")
HEAD = "# How often the read-outs are wrong\n\n"
BEGIN, END = "<!-- begin: make validate -->", "<!-- end: make validate -->"
Progress = Callable[[int], None]


class Arms(NamedTuple):
    """Converted and all units: of the arm looked at, and of the one it is compared with."""

    x1: int
    n1: int
    x0: int
    n0: int


class Reading(NamedTuple):
    """One read-out beside the truth."""

    estimate: float
    found: bool
    """The test says that there is a difference."""
    held: bool
    """The interval holds the truth."""


@dataclass(frozen=True)
class Rates:
    """What many read-outs of one situation come to."""

    runs: int
    unread: int
    """Runs in which nothing could be said: nobody, or everybody, had converted."""
    truth: float
    mean: float
    found: int
    held: int

    @property
    def read(self) -> int:
        return self.runs - self.unread

    @property
    def found_rate(self) -> float:
        """Of all runs: where nothing is said, nothing is found."""
        return self.found / self.runs

    @property
    def held_rate(self) -> float:
        """Of the runs that gave an interval."""
        return self.held / self.read if self.read else float("nan")


@dataclass(frozen=True)
class Results:
    """Everything that was counted."""

    runs: int
    seed: int
    nothing: dict[str, Rates]
    """(a) by "units, conversion"."""
    effects: dict[str, dict[str, Rates]]
    """(b) and (c): effect of the help -> "offered" or "takers"."""


@cache
def _read(arms: Arms, alpha: float = ALPHA) -> tuple[float, float, float, float] | None:
    """Estimate, interval and p; small samples come to the same counts again and again."""
    x1, n1, x0, n0 = arms
    if min(n1, n0) < LEAST_UNITS or x1 + x0 in (0, n1 + n0):
        return None
    low, high = newcombe(x1, n1, x0, n0, alpha)
    return x1 / n1 - x0 / n0, float(low), float(high), float(score_p(x1, n1, x0, n0))


def reading(arms: Arms, truth: float) -> Reading | None:
    told = _read(arms)
    if told is None:
        return None
    estimate, low, high, p = told
    return Reading(estimate, p < ALPHA, low <= truth <= high)


def rates(readings: Iterable[Reading | None], truth: float) -> Rates:
    every = list(readings)
    known = [one for one in every if one is not None]
    mean = sum(one.estimate for one in known) / len(known) if known else float("nan")
    found, held = sum(one.found for one in known), sum(one.held for one in known)
    return Rates(len(every), len(every) - len(known), truth, mean, found, held)


def nothing_differs(runs: int, seed: int, units: int, conversion: float) -> Rates:
    """(a) Both arms convert with the same chance; 30 % of the units are in the test arm."""
    rng = np.random.default_rng([seed, units, round(1000 * conversion)])
    n1 = round(SHARE_TEST * units)
    n0 = units - n1
    draws = zip(rng.binomial(n1, conversion, runs).tolist(), rng.binomial(n0, conversion, runs).tolist(), strict=True)
    return rates((reading(Arms(x1, n1, x0, n0), 0.0) for x1, x0 in draws), 0.0)


def exercises(runs: int, seed: int, effect: float = 1.0, progress: Progress = lambda _: None) -> dict[str, Rates]:
    """(b) and (c) Simulated exercises of 1,000 customers: by the arm they were in, and by whether they took CS help."""
    offered, takers = [], []
    population = simulate(0, effect=effect).population
    for run in range(runs):
        exercise = simulate(CUSTOMERS, seed=seed * 1_000_000 + run, effect=effect)
        offered.append(reading(by_arm(exercise), population.itt))
        takers.append(reading(by_uptake(exercise), population.complier_effect or 0.0))
        progress(run + 1)
    return {"offered": rates(offered, population.itt), "takers": rates(takers, population.complier_effect or 0.0)}


def by_arm(exercise: SimulatedExercise) -> Arms:
    return compare(exercise, exercise.in_test)


def by_uptake(exercise: SimulatedExercise) -> Arms:
    return compare(exercise, np.where(exercise.in_test, exercise.test.took_cs, exercise.control.took_cs))


def compare(exercise: SimulatedExercise, looked_at: np.ndarray) -> Arms:
    """Those looked at against the others, by what happened to each in the arm they were in."""
    converted = np.where(exercise.in_test, exercise.test.converted, exercise.control.converted)
    n1 = int(looked_at.sum())
    x1 = int(converted[looked_at].sum())
    return Arms(x1, n1, int(converted.sum()) - x1, len(converted) - n1)


def validate(runs: int, seed: int, progress: Progress = lambda _: None) -> Results:
    nothing = {
        f"{units} units, {100 * conversion:.0f} % convert": nothing_differs(runs, seed, units, conversion)
        for units in UNITS
        for conversion in CONVERSIONS
    }
    helps = exercises(runs, seed, progress=progress)
    no_better = exercises(runs, seed, effect=0.0, progress=lambda done: progress(runs + done))
    return Results(runs, seed, nothing, {"helps": helps, "is no better": no_better})


# -- the page ---------------------------------------------------------------------------------------------------------


def share(part: int, whole: int) -> str:
    """A rate in per cent with its Monte-Carlo standard error."""
    if not whole:
        return "-"
    rate = part / whole
    return f"{100 * rate:.1f} ± {100 * sqrt(rate * (1 - rate) / whole):.1f} %"


def page(results: Results) -> str:
    """What came out, in Markdown."""
    helps, no_better = results.effects["helps"], results.effects["is no better"]
    nothing = [
        f"| {name} | {share(rates.found, rates.runs)} | {share(rates.held, rates.read)} | {rates.unread:,} |"
        for name, rates in results.nothing.items()
    ]
    return "\n".join([
        f"{results.runs:,} runs of each, seed {results.seed}, {facts()}. Each is looked at once, as the "
        "fixed-horizon test asks. After ± stands the standard error of the simulation itself.",
        "",
        "## Nothing differs",
        "",
        "Both arms convert with the same chance, 30 % of the units are in the test arm. A difference should be found "
        "in 5 % of the runs at most, and 95 % of the intervals should hold zero.",
        "",
        "| | a difference is found (5 %) | the interval holds zero (95 %) | runs without a read-out |",
        "|---|---|---|---|",
        *nothing,
        "",
        "## The trial exercise",
        "",
        f"{CUSTOMERS:,} simulated customers, 30 % of them offered help. Compared by the arm they were in, as livelift "
        "does.",
        "",
        "| | true effect of the offer | mean estimate | the interval holds it (95 %) | a difference is found |",
        "|---|---|---|---|---|",
        line("CS help is better than other help", helps["offered"]),
        line("CS help is no better", no_better["offered"]),
        "",
        "In the first row the last column is the power, in the second the rate of false alarms (5 %).",
        "",
        "## Takers against others",
        "",
        "The same exercises, comparing those who took CS help with those who did not. The truth beside it is the "
        "effect on those who take help because it is offered. Motivated customers ask for help *and* subscribe, so "
        "the comparison finds them, not the help: this is why livelift does not show it as an effect.",
        "",
        "| | true effect of the help | mean estimate | the interval holds it (95 %) | a difference is found |",
        "|---|---|---|---|---|",
        line("CS help is better than other help", helps["takers"]),
        line("CS help is no better", no_better["takers"]),
    ])  # fmt: skip


def line(name: str, rates: Rates) -> str:
    found, held = share(rates.found, rates.runs), share(rates.held, rates.read)
    return f"| {name} | {points(rates.truth)} | {points(rates.mean)} | {held} | {found} |"


def points(difference: float) -> str:
    return f"{100 * difference:+.1f} points"


def facts() -> str:
    """What computed it: the same versions give the same page."""
    return ", ".join(f"{name} {version(name)}" for name in ("numpy", "scipy", "statsmodels"))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.validate", description=__doc__)
    parser.add_argument("--runs", type=int, default=4000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="print JSON for programs")
    parser.add_argument("--write", nargs="?", const=DOCS, type=Path, help=f"put the result into a file ({DOCS})")
    return parser.parse_args()


def main() -> None:
    given = arguments()
    with counting("simulating", 2 * given.runs) as progress:
        results = validate(given.runs, given.seed, progress)
    print(msgspec.json.encode(results).decode() if given.json else page(results))
    if given.write is not None:
        write_section(given.write, page(results), HEAD, BEGIN, END)


if __name__ == "__main__":
    main()

"""`make bench`: what a health score costs, by kind of model, in one process.

Reading: one account's features to a score with its drivers. Learning: one example. River's own scaler and logistic
regression, with inputs squashed and cut off as here, learn the same examples in turn with the kinds. CPU time, because
the machine is shared. Exit code 1 when the default model takes longer than promised.
"""

import argparse
import gc
import sys
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import thread_time

import msgspec
import numpy as np
from river import linear_model, optim, preprocessing

from benchmarks.publishing import spread
from benchmarks.report import cpu_name, now, write_section
from models.health.calibration import Calibration
from models.health.classifier import KINDS, Classifier, fresh
from models.health.drivers import explained
from models.health.inputs import readable
from models.health.logistic import FURTHEST
from streams.app import GC_THRESHOLDS

DOCS = Path("docs/bench.md")
BEGIN, END = "<!-- begin: make bench, health -->", "<!-- end: make bench, health -->"
DEFAULT, RIVER = "logistic", "logistic, of River's parts"
FEATURES, RATE = 30, 0.02
LEARN_US, READ_US = 25, 50
"""Promised of the default model, an example and a row."""

Row = tuple[dict[str, float], bool]
Took = dict[str, list[float]]
"""Kind of model -> CPU microseconds a row, by round."""


def rows(seed: int, n: int) -> list[Row]:
    """Examples of counts and of noise, all known, which costs most; a fifth of the features tells."""
    rng = np.random.default_rng(seed)
    labels = rng.random(n) < RATE
    values = rng.normal(size=(n, FEATURES)) + np.outer(labels, np.arange(FEATURES) % 5 == 0)
    values[:, ::3] = np.expm1(abs(values[:, ::3]) * 2).round()
    names = [f"a_feature_of_an_account_{i:02}" for i in range(FEATURES)]
    return [(dict(zip(names, row, strict=True)), y) for row, y in zip(values.tolist(), labels.tolist(), strict=True)]


def timed(work: Callable[[], None], n: int) -> float:
    began = thread_time()
    work()
    return 1e6 * (thread_time() - began) / n


def learn(model: Classifier, given: list[Row]) -> None:
    for features, label in given:
        model.learn(features, label)


def read(model: Classifier, given: list[Row]) -> None:
    calibration = Calibration(-0.1, 0.9)
    for features, _ in given:
        explained(*model.parts(features), calibration, wanted=False)


def learn_by_river(given: list[Row]) -> None:
    scaler, model = preprocessing.StandardScaler(), linear_model.LogisticRegression(optim.SGD(0.01))
    for features, label in given:
        values = readable(features)
        scaler.learn_one(values)
        away = scaler.transform_one(values)
        model.learn_one({name: max(-FURTHEST, min(FURTHEST, one)) for name, one in away.items()}, label)


def measured(n: int, rounds: int) -> tuple[Took, Took, dict[str, int]]:
    """Learning, reading, and bytes of state after the last round. Each round's models start afresh and take turns."""
    learning: Took = {kind: [] for kind in (*KINDS, RIVER)}
    reading: Took = {kind: [] for kind in KINDS}
    sizes = {}
    for number in range(rounds):
        given, asked = rows(2 * number, n), rows(2 * number + 1, n)
        learning[RIVER].append(timed(lambda given=given: learn_by_river(given), n))
        for kind in KINDS:
            model = fresh(kind, {})
            learning[kind].append(timed(lambda model=model, given=given: learn(model, given), n))
            reading[kind].append(timed(lambda model=model, asked=asked: read(model, asked), n))
            sizes[kind] = len(msgspec.json.encode(model.state()))
        print(f"round {number + 1} of {rounds}", file=sys.stderr, flush=True)
    return learning, reading, sizes


def report(learning: Took, reading: Took, sizes: dict[str, int], n: int, rounds: int) -> str:
    """The section in Markdown."""
    lines = [
        f"## Health scores, {now()}",
        "",
        f"`python -m benchmarks.health --write --no-fail`. {FEATURES} features, all known, {n:,} "
        f"examples from the first one on, {RATE:.0%} of them events, then {n:,} rows read; {rounds} rounds in which "
        "the kinds take turns. CPU microseconds, because the machine is shared; medians, and in brackets the least "
        "and the greatest.",
        "",
        "| model | learning an example, µs | a row to a score with drivers, µs | state, kB |",
        "|---|---|---|---|",
        *(
            f"| {kind} | {spread(learning[kind], 1)} | {spread(reading[kind], 1)} | {sizes[kind] / 1000:,.0f} |"
            for kind in KINDS
        ),
        f"| {RIVER} | {spread(learning[RIVER], 1)} |  |  |",
        "",
        f"Promised of the default model, {DEFAULT}: {LEARN_US} µs to learn, {READ_US} µs to read. "
        + ("Kept." if not (broken := failures(learning, reading)) else f"**Not kept: {'; '.join(broken)}.**"),
        "",
        f"{cpu_name()}.",
    ]
    return "\n".join(lines)


def failures(learning: Took, reading: Took) -> list[str]:
    """What was promised of the default model and not kept."""
    costs = (("learning", median(learning[DEFAULT]), LEARN_US), ("reading", median(reading[DEFAULT]), READ_US))
    return [f"{what} took {cost:.1f} µs, more than {most}" for what, cost, most in costs if cost > most]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.health", description=__doc__)
    parser.add_argument("--rows", type=int, default=2_000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--no-fail", action="store_true", help="only print, whatever comes out")
    parser.add_argument("--write", nargs="?", const=DOCS, type=Path, help=f"put the result into a file ({DOCS})")
    args = parser.parse_args()
    gc.set_threshold(*GC_THRESHOLDS)
    learning, reading, sizes = measured(args.rows, args.rounds)
    text = report(learning, reading, sizes, args.rows, args.rounds)
    print(text)
    if args.write:
        write_section(args.write, text, begin=BEGIN, end=END)
    return 0 if args.no_fail else int(bool(failures(learning, reading)))


if __name__ == "__main__":
    sys.exit(main())

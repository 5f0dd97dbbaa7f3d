"""The trial exercise, whose truth is known: takers against others mislead, the offer's and the help's effect hold."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.validate.complier import sets_seen, told_of_sets
from benchmarks.validate.counts import Count, Finding, Measure
from benchmarks.validate.draw import Units
from benchmarks.validate.follow import Question, after
from benchmarks.validate.readouts import ADJUSTED_TRUTH, COMPLIER, OFFERED, OFFERED_TRUTH, RATIO
from benchmarks.validate.work import ALPHA, SRM_ALPHA, Arrays, Part, Piece, crossed_in, watched
from models.inference.effect import Effect, intention_to_treat, interval, p_value
from models.simulated_truth import Truth
from models.simulation import SimulatedExercise, simulate

CUSTOMERS = 1000
CHUNK = 500
"""Exercises in a piece of work."""
HELP_IS = {"CS help is better than other help": 1.0, "CS help is no better": 0.0}


class Exercises(NamedTuple):
    """Many exercises as units in the order in which they joined, and what is true of the customers' population."""

    units: Units
    truth: Truth


def exercises(seeds: range, effect: float = 1.0, customers: int = CUSTOMERS) -> Exercises:
    """One a seed; every customer is an account. The covariate is the logarithm of the number of employees."""
    columns: list[tuple[NDArray[np.int64], ...]] = []
    for seed in seeds:
        exercise = simulate(customers, seed=seed, effect=effect)
        columns.append((exercise.in_test, *_chosen(exercise), np.rint(1000 * np.log(exercise.people.employees))))
    arm, outcome, uptake, covariate = (np.array(column).astype(np.int64) for column in zip(*columns, strict=True))
    units = Units(None, customers, arm, outcome, uptake, covariate, by_account=True)
    return Exercises(units, simulate(0, effect=effect).population)


def _chosen(exercise: SimulatedExercise) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """What happened to each in the arm they were in: converted, took CS help."""
    return (
        np.where(exercise.in_test, exercise.test.converted, exercise.control.converted),
        np.where(exercise.in_test, exercise.test.took_cs, exercise.control.took_cs),
    )


def takers_against_others(units: Units) -> Units:
    """The comparison that people are tempted to make: the "arm" is whether they took CS help."""
    return replace(units, arm=units.uptake)


def _exercises(runs: int, seed: int) -> list[Piece]:
    return [
        Piece("exercise", name, _exercise, min(CHUNK, runs - start), start, seed, CUSTOMERS)
        for name in HELP_IS
        for start in range(0, runs, CHUNK)
    ]


def _exercise(piece: Piece) -> Arrays:
    first = piece.seed * 1_000_000 + piece.number
    units, truth = exercises(range(first, first + piece.runs), HELP_IS[piece.situation])
    helped = truth.complier_effect or 0.0
    question = Question(CUSTOMERS, 0.30, True, truth.itt, helped)
    found = watched(units, question, [OFFERED, OFFERED_TRUTH, ADJUSTED_TRUTH, COMPLIER, RATIO])
    found |= sets_seen(units, question)
    for name, looked_at, true in (
        ("offer", units, truth.itt),
        ("takers", takers_against_others(units), helped),
    ):
        effect = intention_to_treat(after(looked_at, CUSTOMERS).means(units.scale))
        found |= {f"{name}, estimate": effect.estimate, f"{name}, holds": _holds(effect, true),
                  f"{name}, differs": p_value(effect) < ALPHA, f"{name}, truth": np.full(piece.runs, true)}  # fmt: skip
    return found


def _holds(effect: Effect, truth: float) -> NDArray[np.bool_]:
    low, high = interval(effect, ALPHA)
    return (low <= truth) & (truth <= high)


def _of_exercises(seen: dict[str, Arrays]) -> list[Finding]:
    found: list[Finding] = []
    for situation, arrays in seen.items():
        runs = len(arrays["offer, holds"])
        left_out = {name: int((~arrays[f"{name}, holds"]).sum()) for name in ("offer", "takers")}
        sets = told_of_sets(situation, arrays, strong=True)
        found += [
            Measure(situation, "true effect of the offer", float(arrays["offer, truth"][0])),
            Measure(situation, "mean estimate", float(arrays["offer, estimate"].mean())),
            Count(situation, "fixed interval leaves it out", left_out["offer"], runs, ALPHA),
            crossed_in(situation, arrays, OFFERED_TRUTH, ALPHA, "always-valid interval ever leaves it out"),
            crossed_in(situation, arrays, ADJUSTED_TRUTH, ALPHA, "the adjusted one ever"),
            Count(situation, "a difference is found, fixed", int(arrays["offer, differs"].sum()), runs),
            crossed_in(situation, arrays, OFFERED, None, "found, always valid"),
            Measure(situation, "true effect of the help", float(arrays["takers, truth"][0])),
            *sets[1:],
            Measure(situation, "takers against others: mean difference", float(arrays["takers, estimate"].mean())),
            Count(situation, "their interval leaves the truth out", left_out["takers"], runs, None, 0.5),
            crossed_in(situation, arrays, RATIO, SRM_ALPHA),
        ]
    return found


PART = Part(
    "exercise",
    "The trial exercise",
    "1,000 simulated customers, 30 % of them offered help, looked at after every one of them. Motivated customers "
    "ask for help *and* subscribe, so that those who took help and those who did not differ whatever help does: "
    "this is why livelift does not show the comparison as an effect.",
    _exercises,
    _of_exercises,
)

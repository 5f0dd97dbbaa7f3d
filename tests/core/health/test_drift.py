"""A moved mean is flagged with before and after; a steady one is not; state and repeats change nothing."""

import json

import msgspec
import numpy as np
import pytest
from river.drift import ADWIN

from models.health.drift import DriftWatch, Watched, Watches, watch_inputs

pytestmark = pytest.mark.core


def watch(means: np.ndarray, watched: DriftWatch | None = None, first: int = 0) -> DriftWatch:
    found = watched or DriftWatch()
    for week, mean in enumerate(means, first):
        found.update(7 * week, float(mean))
    return found


def moving(seed: int, shift: float, before: int = 40, after: int = 40) -> np.ndarray:
    """Means that move by `shift` spreads."""
    return 5 + 0.01 * (
        np.random.default_rng(seed).normal(size=before + after) + shift * (np.arange(before + after) >= before)
    )


def test_a_steady_mean_is_not_flagged() -> None:
    assert not any(watch(moving(seed, 0)).watched.drift for seed in range(100))


def test_a_moved_mean_is_flagged_with_when_and_by_how_much() -> None:
    drift = watch(moving(1, 6)).watched.drift
    assert drift is not None
    assert 40 * 7 <= drift.seen <= 60 * 7
    assert drift.since == 40 * 7
    assert drift.before == pytest.approx(5, abs=0.005) and drift.after == pytest.approx(5.06, abs=0.005)


def test_the_flag_is_that_of_adwin_on_the_same_means() -> None:
    means = moving(2, 4)
    plain, unit = ADWIN(clock=1), np.std(means[:8], ddof=1)
    flagged = None
    for week, mean in enumerate(means):
        plain.update((mean - means[:8].mean()) / unit)
        if plain.drift_detected and flagged is None:
            flagged = 7 * week
    drift = watch(means[: flagged // 7 + 1]).watched.drift
    assert drift is not None and drift.seen == flagged


def test_units_do_not_matter() -> None:
    small, large = watch(moving(3, 5)).watched.drift, watch(1024 * moving(3, 5)).watched.drift
    assert small is not None and large is not None
    assert (small.seen, small.since, 1024 * small.after) == (large.seen, large.since, large.after)


def test_stored_and_read_again_it_goes_on_as_it_would_have() -> None:
    means = np.concatenate([moving(4, 6), moving(5, -6)])
    straight = watch(means)
    for cut in (0, 5, 8, 30, 47, 60, 100):
        state = msgspec.json.decode(msgspec.json.encode(watch(means[:cut]).watched), type=Watched)
        assert watch(means[cut:], DriftWatch(state), cut).watched == straight.watched
    assert straight.watched.drift is not None


def test_a_day_seen_twice_or_a_mean_unknown_changes_nothing() -> None:
    found = watch(moving(6, 0))
    before = found.watched
    found.update(before.days[-1], 99.0)
    found.update(before.days[3], 99.0)
    found.update(before.days[-1] + 7, float("nan"))
    found.update(before.days[-1] + 7, float("inf"))
    assert found.watched == before


def test_a_constant_that_changes_is_a_drift_whatever_its_unit() -> None:
    for size in (0.0, 1.0, 1e9):
        means = np.full(60, size)
        means[30:] += 3 * (size or 1)
        assert watch(means).watched.drift is not None
        assert watch(np.full(60, size) + 1e-15 * size * (np.arange(60) % 7)).watched.drift is None


def test_the_flag_falls_after_four_weeks_and_the_drift_stays_to_be_read() -> None:
    found = DriftWatch()
    flags = []
    for week, mean in enumerate(moving(7, 8, 40, 30)):
        found.update(7 * week, float(mean))
        flags.append(found.written()["flag"])
    assert sum(flags) == 4 and not flags[-1]
    written = json.loads(json.dumps(found.written()))
    assert written["drift"]["after"] > written["drift"]["before"]
    assert DriftWatch().written() == {"flag": False, "drift": None}


def test_a_batch_is_its_means_over_those_who_know() -> None:
    watches: Watches = {}
    watch_inputs(watches, 7, [{"seats": 4.0}, {"seats": 8.0, "nps": 9.0}, {"seats": float("inf")}])
    watch_inputs(watches, 14, [{"nps": 7.0}])
    seen = {name: (one.watched.days, one.watched.means) for name, one in watches.items()}
    assert seen == {"nps": ([7, 14], [9, 7]), "seats": ([7], [6])}

"""Who converted, by arm: conversion by conversion, and what chance alone does to it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import betaln
from scipy.stats import binom

from models.inference.conversions import e_value
from models.inference.evidence import p_always_valid
from tests.support.build import checked

pytestmark = pytest.mark.core

SHARES = st.sampled_from([0.3, 0.5, 0.1, 0.001, 0.999])


@given(st.lists(st.booleans(), max_size=200), SHARES)
@checked(60)
def test_e_value_is_the_product_over_conversions(treated: list[bool], share: float) -> None:
    """Each converter's chance of its arm given those before, over the planned chance."""
    seen, found = {True: 20 * share, False: 20 * (1 - share)}, 1.0
    for arm in treated:
        found *= seen[arm] / sum(seen.values()) / (share if arm else 1 - share)
        seen[arm] += 1
    assert e_value(sum(treated), len(treated) - sum(treated), share) == pytest.approx(found, rel=1e-10)


@given(st.integers(0, 5000), st.integers(0, 5000), st.sampled_from([0.3, 0.5, 0.1]))
@checked(60)
def test_e_value_is_a_ratio_of_beta_functions(treatment: int, control: int, share: float) -> None:
    a, b = 20 * share, 20 * (1 - share)
    log = betaln(a + treatment, b + control) - betaln(a, b) - treatment * np.log(share) - control * np.log1p(-share)
    assert e_value(treatment, control, share) == pytest.approx(np.exp(min(log, 700)), rel=1e-10)


@pytest.mark.parametrize("share", [0.3, 0.5])
def test_without_an_effect_its_mean_stays_one_and_it_rarely_crosses(share: float) -> None:
    runs, last = 4000, 400
    treated = (np.random.default_rng(11).random((runs, last)) < share).cumsum(1)
    e = e_value(treated, np.arange(1, last + 1) - treated, share)
    for conversions in (2, 5, 10, 20, 60):
        ways = np.arange(conversions + 1)
        chance, worth = binom.pmf(ways, conversions, share), e_value(ways, conversions - ways, share)
        assert chance @ worth == pytest.approx(1, rel=1e-10)
        if conversions <= 20:  # beyond, the mean hangs on paths too rare for a simulation: at 60 the deviation is 207
            error = np.sqrt((chance @ worth**2 - 1) / runs)
            assert abs(e[:, conversions - 1].mean() - 1) <= 3 * error
    crossed = (p_always_valid(e) <= 0.05).any(1).mean()
    assert 0.005 < crossed <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / runs)


def test_an_effect_is_found() -> None:
    """Twice as many convert when helped: a converter is in treatment with 6 in 13, not 3 in 10."""
    treated = (np.random.default_rng(5).random((500, 300)) < 6 / 13).cumsum(1)
    assert (e_value(treated, np.arange(1, 301) - treated, 0.3) >= 20).any(1).mean() > 0.95


def test_no_conversion_is_no_evidence() -> None:
    assert e_value(0, 0, 0.3) == 1 and e_value(1, 0, 0.3) == pytest.approx(1) == e_value(0, 1, 0.3)
    assert e_value([[0], [10]], [0, 5, 9], 0.3).shape == (2, 3)

"""The Net Promoter Score against the multinomial and against statsmodels' clustered least squares."""

from collections import Counter

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st

from models.education.cells import ANY_MONTH, cells
from models.education.learner import Answers, Learner
from models.education.promoters import Net, Shared, change, score
from models.education.surveys import net_in, read_survey, shared_in
from tests.support.build import checked

pytestmark = pytest.mark.core

FIRST, SECOND = 24_316, 24_317
Answered = list[tuple[int, int, int]]
"""(respondent, month, +1 for a promoter, -1 for a detractor, 0)."""


def sums_of(answered: Answered) -> dict[str, dict[str, int]]:
    """What respondents add up to, by name and key, as the publisher has it."""
    found: dict[str, Counter[str]] = {}
    for who in {who for who, _, _ in answered}:
        answers: dict[tuple[str, int], Answers] = {}
        for one, month, kind in answered:
            if one == who:
                before = answers.get(("product", month), Answers())
                answers["product", month] = Answers(
                    before.promoters + (kind > 0), before.detractors + (kind < 0), before.count + 1
                )
        for id_, name, key, amount in cells(Learner(answers=answers)):
            assert id_ == "surveys:product"
            found.setdefault(name, Counter())[str(key)] += amount
    return {name: dict(counts) for name, counts in found.items()}


def clustered(y: list[float], x: np.ndarray, groups: list[int]) -> tuple[float, float]:
    """The last coefficient of least squares and its error, clustered, with G/(G - 1) only."""
    fit = sm.OLS(y, x).fit(cov_type="cluster", cov_kwds={"groups": np.array(groups), "use_correction": False})
    count = len(set(groups))
    return fit.params[-1], fit.bse[-1] * np.sqrt(count / (count - 1))


def drawn(seed: int, respondents: int = 60) -> Answered:
    draw = np.random.default_rng(seed)
    mood = draw.integers(-1, 2, respondents)
    return [
        (who, int(draw.choice([FIRST, SECOND])), int(mood[who] if draw.random() < 0.7 else draw.integers(-1, 2)))
        for who in draw.integers(0, respondents, 3 * respondents).tolist()
    ]


def test_one_answer_each_has_the_multinomials_variance() -> None:
    promoters, detractors, n = 40, 25, 100
    found = score(Net(n, promoters - detractors, n, n, promoters - detractors, promoters + detractors))
    p, d = promoters / n, detractors / n
    assert found.value == pytest.approx(15)
    assert found.se == pytest.approx(100 * np.sqrt((p + d - (p - d) ** 2) / n) * np.sqrt(n / (n - 1)), rel=1e-12)


@pytest.mark.parametrize("seed", range(4))
def test_several_answers_of_one_respondent_are_a_cluster(seed: int) -> None:
    answered = [one for one in drawn(seed) if one[1] == FIRST]
    found = score(net_in(sums_of(answered), FIRST))
    value, se = clustered([kind for *_, kind in answered], np.ones(len(answered)), [who for who, *_ in answered])
    assert (found.value, found.se) == pytest.approx((100 * value, 100 * se), rel=1e-9)
    alone = score(net_in(sums_of([(place, *rest) for place, (_, *rest) in enumerate(answered)]), FIRST))
    assert alone.value == pytest.approx(found.value)
    assert alone.se < found.se, "the same answers of as many people would be known better"


@pytest.mark.parametrize("seed", range(4))
def test_a_change_counts_those_who_answered_twice_as_the_same_people(seed: int) -> None:
    answered = drawn(seed)
    sums = sums_of(answered)
    found = change(net_in(sums, FIRST), net_in(sums, SECOND), shared_in(sums, FIRST, SECOND))
    later = np.array([month == SECOND for _, month, _ in answered], dtype=float)
    x = sm.add_constant(later)
    value, se = clustered([kind for *_, kind in answered], x, [who for who, *_ in answered])
    assert found is not None
    assert (found.difference, found.se) == pytest.approx((100 * value, 100 * se), rel=1e-9)


def test_a_change_is_found_as_often_as_it_should_be_where_there_is_none() -> None:
    """600 pairs of months without a change; 5 % of them, give or take three standard errors."""
    draw, rejected = np.random.default_rng(5), 0
    for _ in range(600):
        mood = draw.choice([-1, 0, 1], 80, p=[0.3, 0.3, 0.4])
        answered = [
            (who, month, int(mood[who] if draw.random() < 0.6 else draw.choice([-1, 0, 1], p=[0.3, 0.3, 0.4])))
            for who in range(80)
            for month in (FIRST, SECOND)
        ]  # fmt: skip
        kinds = {month: [kind for _, at, kind in answered if at == month] for month in (FIRST, SECOND)}
        first, second = (np.array(kinds[month]) for month in (FIRST, SECOND))
        nets = [Net(80, int(k.sum()), 80, 80, int(k.sum()), int((k * k).sum())) for k in (first, second)]
        shared = Shared(80, 80, int(second.sum()), int(first.sum()), int((first * second).sum()))
        found = change(nets[0], nets[1], shared)
        assert found is not None
        rejected += found.p < 0.05
    assert abs(rejected / 600 - 0.05) < 3 * np.sqrt(0.05 * 0.95 / 600)


def test_what_cannot_be_known_is_not_said() -> None:
    assert score(Net(0, 0, 0, 0, 0, 0)).value is None
    assert score(Net(3, 1, 1, 9, 3, 1))[1:] == (None, None, None), "one respondent"
    assert score(Net(2, 2, 2, 2, 2, 2)) == (100, None, None, None), "nobody who is not a promoter"
    assert change(Net(2, 2, 2, 2, 2, 2), Net(2, 0, 2, 2, 0, 2), Shared()) is None
    read = read_survey({}, range(FIRST, SECOND + 1))
    assert (read["nps"], read["because"]) == (None, "nobody has answered")
    assert read["change"]["because"]


Kinds = st.lists(st.tuples(st.integers(0, 5), st.sampled_from([FIRST, SECOND]), st.integers(-1, 1)), min_size=1)


@given(Kinds)
@checked(60)
def test_all_months_together_are_one_period(answered: Answered) -> None:
    sums, whole = sums_of(answered), sums_of([(who, FIRST, kind) for who, _, kind in answered])
    assert net_in(sums, ANY_MONTH) == net_in(whole, FIRST)
    assert sum(net_in(sums, month).answers for month in (FIRST, SECOND)) == len(answered)

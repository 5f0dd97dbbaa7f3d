"""The activity index: its inputs counted from the events by brute force, its drivers, its bands."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.bands import band_of
from models.events import instant as moment
from models.index import (
    BANDS,
    BASELINE,
    FULL_BREADTH,
    HYSTERESIS,
    WEIGHTS,
    Inputs,
    drivers_of,
    inputs_of,
    score_of,
)
from tests.core.generated import MEMBERSHIP, histories
from tests.support.build import FIRST_DAY, Json, Worker, checked, decoded, event, instant

pytestmark = pytest.mark.core

VISITS = ("session_started", "task_started", "task_completed", "task_failed", "core_action", "usage_reported",
          "feature_configured")  # fmt: skip
Share = st.floats(0, 1)


def brute_force(history: list[Json], day: int, regular: float = 2.0) -> Inputs:
    """The inputs of account acme as of the end of a day, from its events; nobody is removed in these."""
    visits: dict[str | None, set[int]] = {}
    features: dict[str, set[int]] = {}
    joined: dict[str, int] = {}
    for one in history:
        on, user = moment(decoded(one).at) // (24 * 3_600_000_000), one.get("user_id")
        if user is not None:
            joined[user] = min(on, joined.get(user, on))
        properties = one["properties"]
        if one["type"] in VISITS and not properties.get("automated", False):
            visits.setdefault(user, set()).add(on)
        name = {"core_action": "feature", "feature_configured": "feature", "task_completed": "task"}.get(one["type"])
        if name is not None:
            features.setdefault(f"{one['type']}:{properties[name]}", set()).add(on)
    window = range(day - 27, day + 1)
    active = {on for days in visits.values() for on in days} & set(window)
    wide = sum(bool(days & set(window)) for days in features.values())
    users = sum(on <= day for on in joined.values())
    weekly = sum(any(day - 6 <= on <= day for on in days) for days in visits.values())
    return Inputs(
        recency=1 - (day - max(active)) / 28 if active else 0.0,
        frequency=min(1.0, len(active) / (regular * 4)),
        breadth=min(1.0, wide / FULL_BREADTH),
        share_active=min(1.0, weekly / users) if users and active else 0.0,
    )


@st.composite
def accounts(draw: st.DrawFn) -> list[Json]:
    """One account's events within 60 days, of two users and of nobody."""
    history = [one for one in draw(histories(days=60, size=25)) if one["type"] not in MEMBERSHIP]
    found = []
    for one in history:
        kinds = ["ann", "bob", None] if one["type"] == "core_action" else ["ann", "bob"]
        user = draw(st.sampled_from(kinds))
        found.append({**{k: v for k, v in one.items() if k != "user_id"}, **({"user_id": user} if user else {})})
    return found


@given(accounts(), st.integers(0, 62))
@checked(80)
def test_the_inputs_are_what_a_count_over_the_events_says(history: list[Json], day: int) -> None:
    worker = Worker()
    worker.given(*history)
    account = worker.partition.ledger.sums.accounts.get("acme")
    if account is not None:
        expected = brute_force(history, FIRST_DAY + day)
        assert inputs_of(account, FIRST_DAY + day, 2.0) == pytest.approx(expected, abs=1e-12)


def test_a_removed_member_counts_until_the_day_of_leaving() -> None:
    worker = Worker()
    worker.given(
        event("session_started", instant(0)), event("session_started", instant(0), user="bob"),
        event("member_removed", instant(2), user="bob"),
    )  # fmt: skip
    account = worker.partition.ledger.sums.accounts["acme"]
    assert [account.users_on(FIRST_DAY + day) for day in range(4)] == [2, 2, 1, 1]


@given(st.builds(Inputs, Share, Share, Share, Share))
@checked(200)
def test_drivers_add_up_to_score_minus_baseline_exactly(inputs: Inputs) -> None:
    parts = [driver.contribution for driver in drivers_of(inputs)]
    assert sum(parts) == score_of(inputs) - 100 * BASELINE
    for part, weight, value in zip(parts, WEIGHTS.values(), inputs, strict=True):
        assert abs(part - 100 * weight * (value - 0.5)) <= 1


def test_the_index_goes_from_0_to_100() -> None:
    assert sum(WEIGHTS.values()) == 100
    assert (score_of(Inputs(0, 0, 0, 0)), score_of(Inputs(1, 1, 1, 1))) == (0, 10_000)


# -- bands ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("score", "band"), [(0, "at_risk"), (2999, "at_risk"), (3000, "watch"), (5999, "watch"),
                                             (6000, "healthy"), (10_000, "healthy")])  # fmt: skip
def test_without_a_former_close_the_edge_decides(score: int, band: str) -> None:
    assert band_of(score, None, BANDS) == band


@pytest.mark.parametrize(
    ("before", "score", "band"),
    [
        ("watch", 6000, "watch"), ("watch", 6299, "watch"), ("watch", 6300, "healthy"),
        ("watch", 2999, "watch"), ("watch", 2700, "watch"), ("watch", 2699, "at_risk"),
        ("healthy", 5700, "healthy"), ("healthy", 5699, "watch"), ("healthy", 100, "at_risk"),
        ("at_risk", 3299, "at_risk"), ("at_risk", 3300, "watch"), ("at_risk", 9000, "healthy"),
    ],
)  # fmt: skip
def test_a_band_is_left_only_beyond_the_hysteresis(before: str, score: int, band: str) -> None:
    assert band_of(score, before, BANDS) == band


@given(st.integers(0, 10_000), st.sampled_from([band.name for band in BANDS]))
@checked(200)
def test_a_band_is_never_further_from_the_score_than_the_hysteresis(score: int, before: str) -> None:
    possible = {band_of(near, None, BANDS) for near in (score - HYSTERESIS, score, score + HYSTERESIS) if near >= 0}
    assert band_of(score, before, BANDS) in possible


@given(st.integers(0, 9_999), st.sampled_from([band.name for band in BANDS]))
@checked(200)
def test_a_higher_score_never_has_a_lower_band(score: int, before: str) -> None:
    names = [band.name for band in BANDS]
    assert names.index(band_of(score + 1, before, BANDS)) <= names.index(band_of(score, before, BANDS))

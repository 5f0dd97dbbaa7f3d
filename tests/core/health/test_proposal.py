"""Whether a challenger is proposed: only by differences that are known, and never one that cannot score."""

import pytest

from models.health.proposal import proposal

pytestmark = pytest.mark.core


def challenger(loss: tuple[float, float], auc: tuple[float, float]) -> dict[str, object]:
    def figure(low: float, high: float) -> dict[str, object]:
        return {"estimate": (low + high) / 2, "ci": [low, high]}

    return {"rows": 1200, "minus_champion": {"log_loss": figure(*loss), "auc": figure(*auc)}}


@pytest.mark.parametrize(
    ("loss", "auc", "promote"),
    [
        ((-0.05, -0.01), (-0.01, 0.02), True),
        ((-0.05, -0.01), (0.01, 0.02), True),
        ((-0.05, -0.01), (-0.03, -0.01), False),
        ((-0.05, 0.0), (0.01, 0.02), False),
        ((0.01, 0.05), (0.01, 0.02), False),
    ],
)
def test_it_has_to_predict_better_and_must_not_rank_worse(
    loss: tuple[float, float], auc: tuple[float, float], promote: bool
) -> None:
    found = proposal(challenger(loss, auc))
    assert found.promote == promote
    assert f"log-loss {sum(loss) / 2:+.3g} ({loss[0]:+.3g} to {loss[1]:+.3g})" in found.because
    assert "1,200 predictions" in found.because


@pytest.mark.parametrize(
    ("given", "because"),
    [
        ({"because": "3 labels with the event are missing"}, "3 labels"),
        ({}, "nothing has been predicted"),
        ({"minus_champion": {"because": "no row has been predicted by both"}}, "no row"),
        (
            {
                "rows": 3,
                "minus_champion": {
                    "log_loss": {"estimate": -0.1, "ci": None, "because": "an interval needs 30 accounts"},
                    "auc": {"estimate": 0.1, "ci": None, "because": "an interval needs 30 accounts"},
                },
            },
            "an interval needs 30 accounts",
        ),
    ],
)
def test_what_is_not_known_proposes_nothing(given: dict[str, object], because: str) -> None:
    found = proposal(given)
    assert not found.promote and because in found.because

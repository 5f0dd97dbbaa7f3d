"""What alerts change: read from accounts at risk that were drawn to be alerted to nobody."""

from random import Random

import pytest
from statsmodels.stats.proportion import confint_proportions_2indep

from models.assignment import is_held_out
from models.health.example import Example, encode_example
from models.health.hold_out import NOBODY, NONE, alerting
from models.health.learning import Learning
from models.health.seen import AT_RISK, HELD_OUT, Kept, Seen, seen_of
from models.health.told import model_snapshot
from models.messages import encode
from models.product import Capacity, Label, Product
from tests.support.contending import FIRST_WEEK

pytestmark = pytest.mark.core
SHARE = 0.3


def seen(rows: list[tuple[str, int, bool, int]]) -> Seen:
    """Account, day, label and flags of each."""
    return seen_of([Kept(Example(account, day, day + 14, {}, label), 0.0, 0.5, 0.0, flags)
                    for account, day, label, flags in rows])  # fmt: skip


def test_a_share_of_accounts_is_drawn_for_good_and_a_larger_one_keeps_them() -> None:
    accounts = [f"account {number}" for number in range(20_000)]
    few, more = ({one for one in accounts if is_held_out(one, share)} for share in (0.1, 0.3))
    assert few < more and not any(is_held_out(one, 0.0) for one in accounts)
    for drawn, share in ((few, 0.1), (more, 0.3)):
        assert abs(len(drawn) / 20_000 - share) < 4 * (share * (1 - share) / 20_000) ** 0.5


def test_accounts_at_risk_count_once_by_their_first_snapshot_at_risk() -> None:
    weeks = [
        seen([("a", 14, False, AT_RISK), ("b", 14, True, AT_RISK | HELD_OUT), ("c", 14, True, 0)]),
        seen([("a", 7, True, AT_RISK), ("b", 21, False, AT_RISK | HELD_OUT), ("d", 21, False, AT_RISK | HELD_OUT)]),
    ]
    found = alerting(weeks, SHARE)
    assert found["alerted"] == {"accounts": 1, "with_event": 1}
    assert found["held_out"] == {"accounts": 2, "with_event": 1}
    assert found["alerted_minus_held_out"] == 0.5
    low, high = confint_proportions_2indep(1, 1, 1, 2, method="newcomb", compare="diff")
    assert found["ci"] == pytest.approx([low, high], abs=1e-6)


def test_without_a_hold_out_or_anybody_in_one_arm_it_says_why_nothing_is_known() -> None:
    weeks = [seen([("a", 14, False, AT_RISK)])]
    assert alerting(weeks, 0.0) == {"hold_out": 0.0, "because": NONE}
    assert alerting(weeks, SHARE)["because"] == NOBODY and alerting([], SHARE)["ci"] is None


def test_alerts_that_save_accounts_are_seen_to_do_so() -> None:
    """Risky accounts leave unless somebody calls; those that are held out are called by nobody."""
    chance, product = (
        Random(3),
        Product(label=Label(horizon_days=14, unscored_days=0), capacity=Capacity(hold_out=SHARE)),
    )
    learning = Learning(product)
    for week in range(30):
        day = FIRST_WEEK + 7 * week
        for number in range(150):
            account, risky = f"{week} {number}", chance.random() < 0.25
            called = risky and week > 10 and not is_held_out(account, SHARE)
            label = chance.random() < (0.15 if called else 0.6 if risky else 0.05)
            learning.take(encode_example(Example(account, day, day + 14, {"x": float(risky)}, label, contacted=called)))
        learning.take(encode({"marker": day + 14, "partition": 0}))
        learning.learn(1)
    said = model_snapshot(learning, 20)["alerting"]
    assert said["held_out"]["accounts"] > 100 and said["ci"][1] < 0
    truth = 0.15 - 0.6
    assert said["ci"][0] < truth + 0.25 and said["alerted_minus_held_out"] < -0.15

"""What is said of the model, and what is kept of its predictions."""

from random import Random

import msgspec
import pytest

from models.health.calibration import Calibration
from models.health.champion import ENOUGH, Version, why_heuristic
from models.health.classifier import fresh
from models.health.contender import recipe_of
from models.health.example import Example
from models.health.known import Known
from models.health.learning import Learning
from models.health.records import (
    TAKEN_KEY,
    Progress,
    packed,
    progress_key,
    sample_key,
    seen_key,
    split_key,
    version_key,
)
from models.health.seen import Kept, Seen, all_predictions, seen_of
from models.health.told import model_snapshot
from models.messages import encode
from models.product import Product
from models.rows import NEVER, SnapshotRow, owner_of, snapshot_day, snapshot_key
from models.working import SNAPSHOT_ROWS, progress_of

pytestmark = pytest.mark.core


def version(events: int, others: int, calibrated: float = 20, day: int = 7) -> Version:
    calibration = Calibration(0.5, 1, calibrated, 50)
    return Version("logistic", day, fresh("logistic", {}).state(), calibration, False, 0.0, events, others)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (None, "no label is known yet"),
        (version(ENOUGH - 3, 500), "3 labels with the event are missing"),
        (version(ENOUGH - 3, ENOUGH - 1), "3 labels with the event and 1 labels without the event are missing"),
        (version(500, ENOUGH - 1), "1 labels without the event are missing"),
        (version(500, 500, calibrated=9), "not calibrated yet"),
        (version(ENOUGH, ENOUGH), None),
    ],
)
def test_it_is_said_what_is_missing_until_a_model_scores(given: Version | None, says: str | None) -> None:
    said = why_heuristic(given)
    assert (said is None) == (says is None) and (says or "") in (said or "")


@pytest.mark.parametrize("last", [version(50, 50, day=14), version(50, 50, calibrated=3, day=14)])
def test_the_snapshot_names_the_basis_that_scorers_have(last: Version) -> None:
    """Also when a version that was enough is followed by one that is not any more."""
    first = version(40, 40)
    kept = {version_key("logistic", one.day): packed(one) for one in (first, last)}
    kept[progress_key("logistic")] = encode(Progress(recipe_of("logistic", Product()), learned=14))
    known = Known(Product())
    for key, value in kept.items():
        known.take(key, value)
    said = model_snapshot(Learning(Product(), kept), replicates=5)
    assert said["basis"] == known.before(15).name, "of the day that closes next"
    assert ("because" in said) == (not last.enough)


def test_what_was_not_finished_when_the_learner_died_is_not_taken_up() -> None:
    kept = {version_key("logistic", day): packed(version(40, 40, day=day)) for day in (7, 14)}
    kept[progress_key("logistic")] = encode(Progress(recipe_of("logistic", Product()), learned=7))
    learning = Learning(Product(), kept)
    assert list(learning.champion.versions) == [7]
    assert model_snapshot(learning, replicates=5)["learned"] == "1970-01-08"


# -- predictions as they are kept ----------------------------------------------------------------------------------


def examples(count: int) -> list[Example]:
    chance = Random(2)
    return [
        Example(f"account {number}", 3, 59, {}, *(chance.random() < 0.5 for _ in range(3))) for number in range(count)
    ]


def test_predictions_are_read_as_they_were_kept() -> None:
    given = examples(30)
    etas, calibration = [number / 10 for number in range(30)], Calibration(0.5, 2.0)
    rows = zip(given, etas, strict=True)
    seen = msgspec.json.decode(
        encode(seen_of([Kept(one, eta, calibration.probability(eta), eta) for one, eta in rows])), type=Seen
    )
    read = all_predictions([seen, seen])
    assert read is not None and len(read) == 60 and seen.etas().tolist() == etas
    assert read.p[:30].tolist() == [calibration.probability(eta) for eta in etas]
    for name in ("label", "scored", "contacted", "day"):
        assert getattr(read, name)[:30].tolist() == [getattr(one, name) for one in given]
    assert all_predictions([]) is None


def test_of_very_many_accounts_a_sample_is_kept_that_is_the_same_every_week(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.health.seen.MOST", 10)
    given = examples(100)
    every = seen_of([Kept(one, 0.0, 0.5, 0.0) for one in given]).predictions().account
    fewer = seen_of([Kept(one, 0.0, 0.5, 0.0) for one in given[::-1][:50]]).predictions().account
    assert len(every) == len(fewer) == 10
    sampled = set(every.tolist())
    assert {code for code in fewer.tolist() if code <= max(sampled)} <= sampled
    none = seen_of([]).predictions()
    assert len(none) == 0


# -- keys ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("account", ["acme", "a:b", "9", "café|x"])
def test_a_snapshots_row_says_whose_it_is_of_which_day_and_how_far_it_had_come(account: str) -> None:
    key = snapshot_key(account, 20_583)
    assert (owner_of(key), snapshot_day(key)) == ((account, None), 20_583)
    assert progress_of(key, SNAPSHOT_ROWS.encode(SnapshotRow([20_583], {"x": 1.5}))) == [20_583]


def test_the_keys_of_what_is_learned() -> None:
    assert split_key(version_key("logistic", 7)) == ("version", "logistic", 7)
    assert split_key(seen_key("forest", 7)) == ("seen", "forest", 7)
    assert split_key(progress_key("tree")) == ("progress", "tree", NEVER)
    assert split_key(sample_key(7)) == ("sample", "", 7)
    assert split_key(TAKEN_KEY) == ("taken", "", NEVER)

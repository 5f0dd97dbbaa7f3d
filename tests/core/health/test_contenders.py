"""Champion and challengers: learned side by side, anew by another recipe, and promoted by a person."""

from collections.abc import Iterable
from random import Random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.health.champion import decode_version
from models.health.contender import Contender
from models.health.known import Known
from models.health.learning import Learning
from models.health.monitoring import MOST
from models.health.records import (
    CHAMPION_KEY,
    MONITORING_KEY,
    Promotion,
    champion_on,
    decode_progress,
    of_model,
    progress_key,
    split_key,
    version_key,
)
from models.health.told import contenders, held_out, model_snapshot
from models.messages import Output, encode
from models.product import Health, Label, Product
from tests.support.build import checked
from tests.support.contending import FIRST_WEEK, a_log

pytestmark = pytest.mark.core

LABEL = Label(horizon_days=14, unscored_days=0)
Kept = dict[bytes, bytes]


def product(*challengers: str, **health: object) -> Product:
    return Product(label=LABEL, health=msgspec.structs.replace(Health(challengers=challengers), **health))


def put(kept: Kept, outputs: Iterable[Output]) -> None:
    for output in outputs:
        assert output.key is not None
        if output.value is None:
            kept.pop(output.key, None)
        else:
            kept[output.key] = output.value


def learned(log: Iterable[bytes], by: Product, kept: Kept | None = None) -> tuple[Learning, Kept]:
    kept = {} if kept is None else kept
    learning = Learning(by, dict(kept))
    for message in log:
        learning.take(message)
        put(kept, learning.learn(1))
    return learning, kept


def of(kept: Kept, model: str) -> Kept:
    return {key: kept[key] for key in of_model(kept, model)}


# -- side by side --------------------------------------------------------------------------------------------------


def test_a_challenger_learns_what_it_would_have_learned_alone() -> None:
    log = a_log(1, 9)
    _, together = learned(log, product("bayes", "tree", "forest"))
    for kind in ("logistic", "bayes", "tree", "forest"):
        _, alone = learned(log, product(model=kind))
        assert of(together, kind) == of(alone, kind) and len(of(alone, kind)) > 9, kind


@given(st.integers(0, 100), st.data())
@checked(10)
def test_whatever_had_come_when_the_learner_died_the_same_is_learned(seed: int, data: st.DataObject) -> None:
    """Records of the models come before how far each has come, and that before what has been taken of the topic."""
    log, by = a_log(seed, 7, accounts=12), product("bayes")
    _, whole = learned(log, by)
    kept: Kept = {}
    learning = Learning(by)
    for message in log:
        learning.take(message)
    outputs = learning.learn(1)
    put(kept, outputs[: data.draw(st.integers(0, len(outputs)))])
    _, again = learned(log, by, kept)
    assert {key: value for key, value in again.items() if key in whole} == whole


# -- another recipe ------------------------------------------------------------------------------------------------


def relearned(log: list[bytes], by: Product, kept: Kept) -> tuple[Learning, list[Output]]:
    learning = Learning(by, dict(kept))
    assert learning.wants_all
    return learning, learning.relearn(log, 1)


@pytest.mark.parametrize("by", [product(inputs=("x",)), product("bayes"), product(allowed=("leak",))])
def test_what_is_new_or_changed_is_learned_as_if_it_had_always_been_so(by: Product) -> None:
    log = a_log(2, 10, told=("x", "y", "leak"))
    _, kept = learned(log, product())
    _, fresh = learned(log, by)
    before = dict(kept)
    learning, outputs = relearned(log, by, kept)
    put(kept, outputs)
    assert kept == fresh
    assert not Learning(by, kept).wants_all
    assert encode(model_snapshot(learning, 20)) == encode(model_snapshot(Learning(by, kept), 20))
    changed = [one.key for one in outputs if one.key in before and one.value != before[one.key]]
    assert changed or by.health.challengers


def test_a_former_recipe_stands_until_the_new_one_has_been_learned_whatever_is_interrupted() -> None:
    log, by = a_log(3, 8), product(inputs=("x",))
    _, before = learned(log, product())
    _, fresh = learned(log, by)
    _, outputs = relearned(log, by, before)
    first = next(at for at, one in enumerate(outputs) if one.key == progress_key("logistic"))
    for count in range(first + 1):
        kept = dict(before)
        put(kept, outputs[:count])
        assert (
            decode_progress(kept[progress_key("logistic")]).recipe
            == decode_progress(before[progress_key("logistic")]).recipe
        )
        assert len(of(kept, "logistic")) >= len(of(before, "logistic"))
        put(kept, relearned(log, by, kept)[1])
        assert kept == fresh


def test_what_is_not_whole_yet_waits_when_all_is_read_again() -> None:
    """The last week's marker has not come: its examples are read once from the topic and once more by the group."""
    log = a_log(4, 8)
    _, before = learned(log[:-1], product())
    learning, outputs = relearned(log[:-1], product("bayes"), before)
    put(before, outputs)
    assert not learning.has_all
    for message in log[-20:]:
        learning.take(message)
    put(before, learning.learn(1))
    assert before == learned(log, product("bayes"))[1]


# -- who scores ----------------------------------------------------------------------------------------------------


def promotion(model: str, day: int, at: str = "2026-06-01T00:00:00Z") -> Promotion:
    return Promotion(model, day, "ann", at)


@given(st.lists(st.tuples(st.sampled_from(["bayes", "tree"]), st.integers(0, 9)), max_size=5), st.integers(-1, 10))
@checked(60)
def test_a_promotion_counts_from_its_day_on_until_another_one(given_: list[tuple[str, int]], day: int) -> None:
    promotions = [promotion(model, since, f"2026-06-01T00:00:{at:02}Z") for at, (model, since) in enumerate(given_)]
    current, latest = "logistic", -1
    for model, since in given_:
        if latest <= since <= day:
            current, latest = model, since
    assert champion_on(promotions, day, "logistic") == current


def test_days_are_closed_with_the_model_that_was_champion_on_them() -> None:
    log = a_log(5, 12)
    learning, kept = learned(log, product("bayes"))
    known = Known(product("bayes"), waits=True)
    for key, value in kept.items():
        known.take(key, value)
    last = learning.learned
    assert known.before(last + 1).kind == "logistic"
    known.take(CHAMPION_KEY, encode((promotion("bayes", last + 1),)))
    assert (known.before(last).kind, known.before(last + 1).kind) == ("logistic", "bayes")
    assert known.may_close(last + 1)
    known.take(progress_key("bayes"), None)
    assert known.may_close(last) and not known.may_close(last + 1), "only the champion's progress counts"


def test_the_learner_knows_who_was_promoted_also_when_the_settings_no_longer_name_it() -> None:
    _, kept = learned(a_log(6, 6), product("tree"))
    kept[CHAMPION_KEY] = encode((promotion("tree", FIRST_WEEK + 90),))
    learning = Learning(product(), kept)
    assert learning.champion.kind == "tree" and learning.contenders.keys() == {"logistic", "tree"}


# -- what is said of them ------------------------------------------------------------------------------------------


def test_models_are_compared_on_the_rows_that_both_have_predicted() -> None:
    log = a_log(7, 16, accounts=60)
    learning, _ = learned(log, product("bayes"))
    said = contenders(learning, 50)
    assert said.keys() == {"logistic", "bayes", "index"}
    assert [one["role"] for one in said.values()] == ["champion", "challenger", "baseline"]
    mine, his = (one.seen for one in learning.contenders.values())
    assert said["bayes"]["rows"] == sum(len(one.etas()) for day, one in his.items() if day in mine)
    auc = said["bayes"]["minus_champion"]["auc"]
    judged = model_snapshot(learning, 50)["judged"]["auc"]["estimate"]
    assert auc["estimate"] == pytest.approx(said["bayes"]["auc"]["estimate"] - judged, abs=1e-9)
    assert said["index"]["auc"]["estimate"] == 0.5, "nothing that the index reads is told here"
    assert said["index"]["minus_champion"]["auc"]["ci"][1] < 0
    assert model_snapshot(learning, 20)["little_known"] == {
        "accounts": 60, "of_them": 15, "share": 0.25,
        "because": "younger than four weeks, or nothing heard of their use for eight",
    }  # fmt: skip


# -- inputs that tell too much -------------------------------------------------------------------------------------


def test_a_leak_is_held_out_of_every_model_from_the_day_on_which_it_is_seen_until_it_is_allowed() -> None:
    log = a_log(8, 40, told=("x", "leak"))
    learning, kept = learned(log, product("bayes"))
    why = held_out(learning)["leak"]
    since = learning.monitoring.state.held_out["leak"].since
    assert why["auc"] >= 0.99 and why["with_event"] >= 20 and not why["allowed"]
    first = FIRST_WEEK + 4 * 7 + 14
    assert first < since < first + 9 * 7, "in the first four weeks it was noise"
    for model in ("logistic", "bayes"):
        for key in of(kept, model):
            kind, _, day = split_key(key)
            if kind == "version":
                version = decode_version(kept[key])
                assert version.withheld == (("leak",) if day >= since else ())
                assert ("leak" in version.read({"leak": 1.0, "x": 0.0})) == (day < since)
    assert "x" not in learning.monitoring.state.held_out, "what tells much, but not all, is an input like others"

    allowed, _ = learned(log, product(allowed=("leak",)))
    assert allowed.monitoring.withheld(10**6) == () and held_out(allowed)["leak"]["allowed"]
    latest, without = allowed.champion.latest, learning.champion.latest
    assert latest is not None and without is not None
    weights = [one.state["inputs"]["leak"]["average"] for one in (latest, without)]
    assert weights[0] > 1.5 * weights[1]


def test_of_very_many_accounts_the_same_few_are_looked_at_for_leaks() -> None:
    log = a_log(9, 3, accounts=4 * MOST)
    _, one = learned(log, product())
    week = len(log) // 3
    mixed = [[*Random(at).sample(log[at : at + week - 1], week - 1), log[at + week - 1]] for at in (0, week, 2 * week)]
    _, other = learned([one for part in mixed for one in part], product())
    samples = [{key: value for key, value in kept.items() if key.startswith(b"sample")} for kept in (one, other)]
    assert samples[0] == samples[1] and len(samples[0]) == 3
    for value in samples[0].values():
        labels = [row["label"] for row in msgspec.json.decode(value)]
        assert labels.count(True) == labels.count(False) == MOST


def test_the_watch_over_the_inputs_goes_on_after_a_death_as_if_nothing_had_been() -> None:
    log = a_log(10, 30)
    half = log.index(next(one for one in log[len(log) // 2 :] if one.startswith(b'{"marker"'))) + 1
    _, whole = learned(log, product())
    _, kept = learned(log[:half], product())
    _, kept = learned(log[half:], product(), kept)
    assert kept == whole and MONITORING_KEY in whole


def test_a_model_of_another_kind_is_not_taken_for_ones_own() -> None:
    _, kept = learned(a_log(11, 5), product("bayes"))
    one = Contender("logistic", product(), kept)
    assert {version.kind for version in one.versions.values()} == {"logistic"}
    assert version_key("bayes", FIRST_WEEK + 14) in kept

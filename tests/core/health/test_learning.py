"""Learning: one log gives one model, whatever the order, the partitions and the deaths; and never a look ahead."""

from collections.abc import Iterable, Sequence
from math import exp
from random import Random

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.health.champion import Version, decode_version
from models.health.classifier import restore
from models.health.contender import CALIBRATED_ON, LEAST_ALIKE, typical
from models.health.example import Example, due, encode_example
from models.health.learning import Learning
from models.health.records import decode_progress, progress_key, split_key, version_key
from models.messages import Output, encode
from models.product import Label, Product
from tests.support.build import checked, place

pytestmark = pytest.mark.core

TWO_WEEKS = Product(label=Label(horizon_days=14, unscored_days=4))
FIRST_WEEK = 20_583
"""A Sunday: the end of the first week that anything is learned of."""
Kept = dict[bytes, bytes]


def example(account: str, day: int, label: bool, x: float = 0.0, horizon: int = 14, **more: object) -> Example:
    features = {"x": x, "members": float(len(account))}
    return msgspec.structs.replace(Example(account, day, day + horizon, features, label), **more)


def marker(partition: int, day: int) -> bytes:
    return encode({"marker": day, "partition": partition})


def a_log(seed: int, weeks: int, partitions: int = 1, accounts: int = 12) -> list[list[bytes]]:
    """What each partition sends: its examples week by week, each week with its marker behind it."""
    chance = Random(seed)
    sent: list[list[bytes]] = [[] for _ in range(partitions)]
    for week in range(weeks):
        day = FIRST_WEEK + 7 * week
        for number in range(accounts):
            x = chance.gauss(0, 1)
            one = example(f"{'a' * (number % 5)}{number}", day, chance.random() < 1 / (1 + exp(1 - x)), x)
            sent[place(partitions)(one.account_id)].append(encode_example(one))
        for number, mine in enumerate(sent):
            mine.append(marker(number, day + 14))
    return sent


def interleaved(sent: Sequence[Sequence[bytes]], chance: Random) -> list[bytes]:
    """One topic as the partitions happen to write it: each in its order."""
    left = [list(mine) for mine in sent]
    found = []
    while any(left):
        found.append(chance.choice([mine for mine in left if mine]).pop(0))
    return found


def put(kept: Kept, outputs: Iterable[Output]) -> None:
    for output in outputs:
        assert output.key is not None
        if output.value is None:
            kept.pop(output.key, None)
        else:
            kept[output.key] = output.value


def learned(log: Iterable[bytes], partitions: int = 1, product: Product = TWO_WEEKS) -> tuple[Kept, dict[bytes, bytes]]:
    """What is kept in the end, and every version that ever was."""
    learning, kept, versions = Learning(product), Kept(), {}
    for message in log:
        learning.take(message)
        outputs = learning.learn(partitions)
        put(kept, outputs)
        versions |= {one.key: one.value for one in outputs if one.value and one.key and one.key.startswith(b"version")}
    return kept, versions


def models(kept: Kept) -> Kept:
    """What is kept of the models themselves: how far markers have come depends on the partitions."""
    return {key: value for key, value in kept.items() if key.startswith((b"version", b"seen", b"sample"))}


def progress(kept: Kept, model: str = "logistic") -> int:
    return decode_progress(kept[progress_key(model)]).learned


# -- order, partitions, repeats ------------------------------------------------------------------------------------


@given(st.integers(0, 50), st.randoms(use_true_random=False))
@checked(15)
def test_three_partitions_in_any_order_give_the_models_of_one(seed: int, chance: Random) -> None:
    whole, every = learned(interleaved(a_log(seed, 8), chance))
    three, same = learned(interleaved(a_log(seed, 8, partitions=3), chance), 3)
    assert every == same and len(every) == 8
    assert models(three) == models(whole)


@given(st.integers(0, 50), st.randoms(use_true_random=False))
@checked(15)
def test_what_comes_again_changes_nothing(seed: int, chance: Random) -> None:
    (log,) = a_log(seed, 6)
    again = [one for message in log for one in (message, *chance.choices(log[: log.index(message) + 1], k=2))]
    assert learned(again) == learned(log)


@given(st.integers(0, 50), st.integers(1, 3), st.randoms(use_true_random=False), st.integers(1, 40))
@checked(30)
def test_a_learner_may_die_anywhere(seed: int, partitions: int, chance: Random, size: int) -> None:
    """It reads on from what was acknowledged, and takes up what of its last records had come: a beginning of them."""
    log = interleaved(a_log(seed, 8, partitions), chance)
    whole, every = learned(log, partitions)
    kept, versions, acknowledged = Kept(), {}, 0
    learning, at = Learning(TWO_WEEKS), 0
    while at < len(log):
        for message in log[at : at + size]:
            learning.take(message)
        at += size
        outputs = learning.learn(partitions)
        dies = chance.random() < 0.3
        sent = outputs[: chance.randint(0, len(outputs))] if dies else outputs
        put(kept, sent)
        versions |= {one.key: one.value for one in sent if one.value and one.key and one.key.startswith(b"version")}
        if dies:
            learning, at = Learning(TWO_WEEKS, dict(kept)), acknowledged
        elif learning.has_all:
            acknowledged = at
    assert versions == every
    put(kept, learning.learn(partitions))
    assert models(kept).items() >= models(whole).items()
    assert progress(kept) == progress(whole)


def test_a_marker_that_was_acknowledged_is_not_forgotten() -> None:
    """One partition has nothing to say of a week but its marker, and waits for the other's labels to be learned."""
    kept = Kept()
    first = Learning(TWO_WEEKS)
    for message in (marker(0, FIRST_WEEK), marker(1, FIRST_WEEK - 7)):
        first.take(message)
    put(kept, first.learn(2))
    first.take(marker(0, FIRST_WEEK + 7))
    put(kept, first.learn(2))
    second = Learning(TWO_WEEKS, kept)
    if not first.has_all:  # what was not acknowledged is read again
        second.take(marker(0, FIRST_WEEK + 7))
    second.take(marker(1, FIRST_WEEK + 7))
    put(kept, second.learn(2))
    assert progress(kept) == FIRST_WEEK + 7


def test_versions_that_a_day_needs_that_has_to_be_learned_again_are_still_there() -> None:
    """Many weeks are learned at once, and of what followed only a beginning had come when the learner died."""
    (log,) = a_log(3, 12)
    _, every = learned(log)
    half = len(log) // 4
    kept = Kept()
    first = Learning(TWO_WEEKS)
    for message in log[:half]:
        first.take(message)
    put(kept, first.learn(1))
    before = dict(kept)
    for message in log:
        first.take(message)
    outputs = first.learn(1)
    for written in range(len(outputs)):
        kept = dict(before)
        put(kept, outputs[:written])
        second = Learning(TWO_WEEKS, kept)
        for message in log:
            second.take(message)
        again = {one.key: one.value for one in second.learn(1) if one.value is not None}
        assert all(every[key] == value for key, value in again.items() if key in every), written


# -- no look ahead -------------------------------------------------------------------------------------------------


def leaking(weeks: int, since: int) -> list[bytes]:
    """From week `since` on, a feature gives the label away; before, it is noise."""
    chance, found = Random(1), []
    for week in range(weeks):
        day = FIRST_WEEK + 7 * week
        for number in range(40):
            label = chance.random() < 0.4
            x = (3.0 if label else -3.0) if week >= since else chance.gauss(0, 3)
            found.append(encode_example(example(f"a{number}", day, label, x)))
        found.append(marker(0, day + 14))
    return found


def test_an_example_is_predicted_by_what_was_learned_before_its_snapshot() -> None:
    """The leak of week 10 is learned at the end of week 12: snapshots of weeks 10 to 12 can know nothing of it."""
    since = 10
    learning = Learning(TWO_WEEKS)
    for message in leaking(16, since):
        learning.take(message)
        learning.learn(1)
    apart = {}
    for one in learning.champion.seen.values():
        known, eta, label = one.predictions(), one.etas(), one.labels()
        week = (int(known.day[0]) - FIRST_WEEK) // 7
        apart[week] = float(eta[label].mean() - eta[~label].mean())
    before = [apart[week] for week in range(5, since)]
    assert min(apart) == 3, "the first version is of the end of week 2, and is known to snapshots behind it"
    for week in (since, since + 1, since + 2):
        slope = abs(apart[week]) / 6  # labels lie 6 apart in x
        assert slope < 0.05, "what a weight on noise makes of it"
    assert apart[since + 3] > 5 * max(map(abs, before))


@given(st.integers(0, 20))
@checked(5)
def test_predictions_are_those_of_the_version_known_at_the_snapshot(seed: int) -> None:
    (log,) = a_log(seed, 9)
    learning = Learning(TWO_WEEKS)
    versions: dict[int, Version] = {}
    for message in log:
        learning.take(message)
        if learning.learn(1):
            versions |= learning.champion.versions
    examples = [msgspec.json.decode(one, type=Example) for one in log if b"marker" not in one]
    for day, seen in learning.champion.seen.items():
        mine = sorted((one for one in examples if one.release == day), key=lambda one: one.place)
        told = []
        for one in mine:
            version = versions[max(learned for learned in versions if learned < one.day)]
            told.append(version.calibration.probability(restore(version.kind, version.state).log_odds(one.features)))
        assert seen.predictions().p.tolist() == told
        assert seen.labels().tolist() == [one.label for one in mine]


# -- how far it is sure, what it keeps -----------------------------------------------------------------------------


@given(st.integers(0, 30), st.sampled_from([1, 7, 10, 14, 28, 56]), st.integers(0, 12))
@checked(20)
def test_it_is_never_sure_of_days_for_which_a_version_comes_that_scores(seed: int, horizon: int, silent: int) -> None:
    """silent: weeks at the beginning in which nothing happens to anybody."""
    product = Product(label=Label(horizon_days=horizon, unscored_days=0))
    chance, learning = Random(seed), Learning(product)
    said: list[tuple[int, int]] = []
    for week in range(40):
        day = FIRST_WEEK + 7 * week
        release = next(end for end in range(day, day + 100) if due(end, product) == day and end % 7 == 3)
        for number in range(12):
            label = week >= silent and chance.random() < 0.4
            one = example(f"a{number}", day, label, chance.gauss(0, 1), release=release)
            learning.take(encode_example(one))
        learning.take(marker(0, release))
        learning.learn(1)
        latest = learning.champion.latest
        assert latest is not None
        if latest.enough:
            assert not [1 for learned, sure in said if learned < latest.day <= sure], latest.day
        said.append((learning.learned, learning.champion.progress.sure))
    assert learning.champion.latest is not None and learning.champion.latest.enough


def test_what_no_snapshot_waits_for_is_let_go_and_nothing_else() -> None:
    kept, every = learned(interleaved(a_log(2, 80, accounts=3), Random(0)))
    days = sorted(split_key(key)[2] for key in kept if key.startswith(b"version"))
    last = max(days)
    assert last == FIRST_WEEK + 7 * 79 + 14
    waiting = range(due(last, TWO_WEEKS) + 7, last + 8, 7)  # snapshots up to the next one
    for snapshot in waiting:
        needed = max(split_key(key)[2] for key in every if split_key(key)[2] < snapshot)
        assert needed in days
    assert len(days) <= len(waiting) + 3
    seen = [split_key(key)[2] for key in kept if key.startswith(b"seen")]
    assert min(seen) == last - CALIBRATED_ON + 7 and len(seen) == CALIBRATED_ON // 7


# -- what is told beside -------------------------------------------------------------------------------------------


@given(st.lists(st.tuples(st.integers(0, 9), st.floats(-1e12, 1e12)), max_size=60))
@checked(40)
def test_typical_ranges_are_the_quartiles_of_accounts_of_a_size(values: list[tuple[int, float]]) -> None:
    examples = [example("a" * members, FIRST_WEEK, False, x) for members, x in values]
    found = typical(examples).get("x", {})
    classes = {0: [0], 1: [1], 2: [2, 3], 3: [4, 5, 6, 7], 4: [8, 9]}
    for size, members in classes.items():
        mine = [x for count, x in values if count in members]
        if len(mine) >= LEAST_ALIKE:
            assert found[size] == tuple(np.quantile(mine, (0.25, 0.75)))
        else:
            assert size not in found


def test_a_version_says_how_often_the_event_was_of_late_and_how_many_labels_it_has() -> None:
    (log,) = a_log(5, 8)
    kept, _ = learned(log)
    labels = [msgspec.json.decode(one, type=Example).label for one in log if b"marker" not in one]
    version = decode_version(kept[version_key("logistic", FIRST_WEEK + 7 * 7 + 14)])
    assert (version.events, version.others) == (sum(labels), len(labels) - sum(labels))
    assert version.usual == pytest.approx(np.log((sum(labels) + 0.5) / (len(labels) - sum(labels) + 0.5)))

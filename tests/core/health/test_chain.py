"""Scorers and learner together: which model a day is closed with, who waits for whom, and what changes with a model."""

from functools import cache
from random import Random
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livelift.replay import Replay
from models.basis import HEURISTIC
from models.closing import change_over
from models.health.calibration import Calibration
from models.health.champion import Version, decode_version
from models.health.classifier import fresh
from models.health.known import Known
from models.health.learning import Learning
from models.health.records import Progress, packed, progress_key, split_key, version_key
from models.messages import Output, encode
from models.product import Label, Product
from models.rows import Close
from tests.support.build import (  # fmt: skip
    FIRST_DAY,
    Json,
    Placed,
    Worker,
    checked,
    event,
    facts,
    instant,
    place,
    recorded,
    records,
    tick,
    world,
)

pytestmark = pytest.mark.core

A_WEEK = world(label=Label(kind="inactivity", horizon_days=7, unscored_days=0))
ACCOUNTS = [f"account {number}" for number in range(24)]
WEEKS = 11


@cache
def days() -> tuple[tuple[Json, ...], ...]:
    """Day by day what comes, the tick behind it: accounts that visit by habit, some of them on most days."""
    chance = Random(4)
    habits = {account: chance.random() ** 2 for account in ACCOUNTS}
    return tuple(
        (
            *(event("session_started", instant(day, 9), account=account)
              for account in ACCOUNTS if day == 0 or chance.random() < habits[account] / 2),
            tick(instant(day + 1, 1)),
        )
        for day in range(7 * WEEKS)
    )  # fmt: skip


class Chain:
    """Scorers of some partitions and a learner, with what is in the topics between them."""

    def __init__(self, partitions: int = 1, waits: bool = True) -> None:
        self.waits = waits
        self.kept: dict[bytes, bytes] = {}
        self.versions: dict[bytes, bytes] = {}
        """Every version that ever was."""
        self.examples: list[bytes] = []
        self.learning = Learning(A_WEEK.product)
        self._sent = [0] * partitions
        self._read = self._acknowledged = 0
        self._delivered: list[list[Placed]] = [[] for _ in range(partitions)]
        self.workers = [self._worker(number, {}) for number in range(partitions)]

    def _worker(self, number: int, rows: dict[bytes, bytes]) -> Worker:
        known = Known(A_WEEK.product, self.waits)
        for key, value in self.kept.items():
            known.take(key, value)
        return Worker(A_WEEK, rows, number, len(self._sent), known=known)

    def deliver(self, number: int, placed: list[Placed]) -> None:
        self._delivered[number] += placed
        self._carry_out(number, placed)

    def _carry_out(self, number: int, placed: list[Placed]) -> None:
        worker = self.workers[number]
        worker.take(placed)
        sent = [one for one in worker.sent[self._sent[number] :] if one.topic == "health-examples"]
        self.examples += [one.value for one in sent if one.value is not None]
        self._sent[number] = len(worker.sent)

    def go_on(self) -> bool:
        """Learn what can be learned, and let days go on that waited; whether anything has come of it."""
        for message in self.examples[self._read :]:
            self.learning.take(message)
        self._read = len(self.examples)
        outputs = self.learning.learn(len(self.workers))
        self._keep(outputs)
        if self.learning.has_all:
            self._acknowledged = self._read
        for number, worker in enumerate(self.workers):
            if worker.partition.days.unfinished and not worker.partition.waiting:
                self._carry_out(number, [])
        return bool(outputs) or self._read < len(self.examples)

    def _keep(self, outputs: list[Output]) -> None:
        for output in outputs:
            assert output.key is not None
            if output.value is None:
                self.kept.pop(output.key, None)
            else:
                self.kept[output.key] = output.value
                if output.key.startswith(b"version"):
                    assert self.versions.setdefault(output.key, output.value) == output.value
            for worker in self.workers:
                worker.partition.known.take(output.key, output.value)

    def kill_learner(self) -> None:
        self.learning, self._read = Learning(A_WEEK.product, dict(self.kept)), self._acknowledged

    def kill_scorer(self, number: int) -> None:
        """Its successor has the rows, and reads everything again: more than it would have to."""
        sent = self.workers[number].sent
        self.workers[number] = self._worker(number, self.workers[number].rows)
        self.workers[number].sent = sent
        self._carry_out(number, self._delivered[number])

    def to_the_end(self) -> None:
        while self.go_on():
            pass

    def facts(self) -> dict[bytes, bytes]:
        return {key: facts(value) for one in self.workers for key, value in one.rows.items() if key[:1] in b"au"}


def played(partitions: int = 1, chance: Random | None = None, waits: bool = True) -> Chain:
    """The chain over the whole log; with chance, at different speeds and with deaths."""
    chain = Chain(partitions, waits)
    homes = [records([one for day in days() for one in day
                      if one["type"] == "tick" or place(partitions)(one["account_id"]) == number])
             for number in range(partitions)]  # fmt: skip
    at = [0] * partitions
    while any(at[number] < len(homes[number]) for number in range(partitions)):
        number = chance.randrange(partitions) if chance else 0
        size = chance.randint(1, 200) if chance else 40
        chain.deliver(number, homes[number][at[number] : at[number] + size])
        at[number] += size
        if chance and chance.random() < 0.1:
            chain.kill_learner()
        if chance and chance.random() < 0.04:
            chain.kill_scorer(number)
        chain.go_on()
    chain.to_the_end()
    return chain


@cache
def whole() -> Chain:
    return played()


def closes(chain: Chain) -> dict[str, list[Close]]:
    return {account: worker.row(None, account).closes for worker in chain.workers
            for account in worker.partition.ledger.sums.accounts}  # fmt: skip


def first_that_scores(chain: Chain) -> int:
    return min(split_key(key)[2] for key, value in chain.versions.items()
               if decode_version(value).enough)  # fmt: skip


def test_scores_rest_on_a_model_from_the_day_behind_the_first_one_that_has_learned_enough() -> None:
    first = first_that_scores(whole())
    assert first < FIRST_DAY + 7 * (WEEKS - 2)
    for account, kept in closes(whole()).items():
        assert {close.basis for close in kept if close.day > first} == {"logistic"}, account
    messages = [one for worker in whole().workers for one in worker.to("account-scores")]
    assert {one["basis"].partition("@")[0] for one in messages} == {HEURISTIC, "logistic"}


def test_a_day_is_closed_with_the_last_model_learned_before_it() -> None:
    """Every close that is kept is what the model known on its day makes of the account now."""
    known = Known(A_WEEK.product)
    for key, value in whole().versions.items():
        known.take(key, value)
    (worker,) = whole().workers
    checked_closes = 0
    for account in worker.partition.ledger.sums.accounts.values():
        for close in account.closes:
            basis = known.before(close.day)
            assert (basis.judge(account, close.day).score, basis.kind) == (close.score, close.basis)
            checked_closes += 1
    assert checked_closes > len(ACCOUNTS)


def test_a_replay_is_the_chain_in_one_process() -> None:
    running = Replay(A_WEEK.product, {})
    running.feed(recorded([one for day in days() for one in day]), instant(7 * WEEKS, 1))
    rows = {key: facts(value) for key, value in running.rows.items() if key[:1] in b"au"}
    assert rows == whole().facts()
    for day, version in running.learning.champion.versions.items():
        assert packed(version) == whole().versions[version_key("logistic", day)]


@pytest.mark.parametrize("seed", range(4))
def test_partitions_at_different_speeds_and_deaths_of_anybody_change_nothing(seed: int) -> None:
    chain = played(3, Random(seed))
    assert chain.versions == whole().versions
    assert chain.facts() == whole().facts()


def test_slices_change_nothing_either_also_while_models_come() -> None:
    with patch("models.days.SLICE", 60):
        chain = played(2, Random(9))
    assert chain.versions == whole().versions
    assert chain.facts() == whole().facts()


def test_nobody_waits_where_the_log_is_not_what_counts() -> None:
    chain = Chain(waits=False)
    chain.deliver(0, records([one for day in days() for one in day]))
    assert not chain.workers[0].partition.days.unfinished
    assert {close.basis for kept in closes(chain).values() for close in kept} == {HEURISTIC}


def test_a_day_waits_for_the_labels_before_it_and_with_it_all_that_comes_behind() -> None:
    chain = Chain()
    chain.deliver(0, records([one for day in days() for one in day]))
    (worker,) = chain.workers
    assert worker.partition.waiting
    assert not worker.acknowledged
    chain.to_the_end()
    assert not worker.partition.days.unfinished and sorted(worker.acknowledged) == [0, 1, 2]
    assert chain.facts() == whole().facts()


def test_the_first_score_of_a_model_says_that_the_model_changed_and_compares_itself_with_none_before() -> None:
    (worker,) = whole().workers
    messages = [one for one in worker.to("account-scores") if one["account_id"] == ACCOUNTS[0]]
    turn = next(at for at, one in enumerate(messages) if one["basis"] != HEURISTIC)
    assert messages[turn]["causes"] == [{"type": "model changed"}] or "event" in messages[turn]["causes"][0]
    quiet = [one for one in worker.to("account-scores") if one["causes"] == [{"type": "model changed"}]]
    assert quiet and all(one["probability"] is not None for one in quiet)
    change = [one["change_7d"] for one in messages[turn:]]
    assert None in change and change[-1] is not None


def test_closes_of_different_kinds_are_not_compared() -> None:
    kept = [Close(1, 5000, "watch"), Close(8, 7000, "watch", "logistic")]
    assert change_over(kept, 8, 7) is None
    assert change_over([kept[0], Close(8, 7000, "watch")], 8, 7) == 2000


# -- what is known -------------------------------------------------------------------------------------------------


def version(day: int, enough: bool = True) -> bytes:
    labels = Calibration(0, 1, 40, 40) if enough else Calibration(0, 1, 2, 40)
    state = fresh("logistic", {}).state()
    return packed(Version("logistic", day, state, labels, wanted=False, usual=-1.0, events=40, others=40))


@given(st.lists(st.tuples(st.integers(0, 9), st.sampled_from([True, False, None])), max_size=20), st.integers(0, 80))
@checked(60)
def test_before_a_day_counts_the_last_version_learned_before_it_and_no_other(
    told: list[tuple[int, bool | None]], day: int
) -> None:
    known, there = Known(Product()), dict[int, bool]()
    for week, enough in told:
        known.take(version_key("logistic", 7 * week), None if enough is None else version(7 * week, enough))
        there.pop(7 * week, None)
        if enough is not None:
            there[7 * week] = enough
    before = max((learned for learned in there if learned < day), default=None)
    expected = f"logistic@{before}" if before is not None and there[before] else HEURISTIC
    assert known.before(day).name == expected


def test_of_other_models_and_of_predictions_nothing_is_taken() -> None:
    known = Known(Product())
    known.take(version_key("forest", 7), version(7))
    assert not known.take(b"seen|logistic|7", b"{}")
    assert known.before(10**6).kind == HEURISTIC


@given(st.integers(0, 60), st.integers(-1, 60))
@checked(60)
def test_a_day_may_close_when_the_last_week_that_ended_before_it_has_been_learned(day: int, sure: int) -> None:
    waits, live = Known(Product(), waits=True), Known(Product())
    for known in (waits, live):
        known.take(progress_key("logistic"), encode(Progress(sure=sure)))
    ends = [end for end in range(-10, day) if end % 7 == 3]
    assert waits.may_close(day) == (sure >= ends[-1])
    assert live.may_close(day)

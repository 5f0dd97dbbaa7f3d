"""The education snapshot of a made-up log against pandas, however it is delivered, split, taken out and rebuilt."""

from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st

from models.education.annotations import new_annotation
from models.education.sequence import PAIRS
from models.product import Actions, Product
from models.snapshot import canonical
from models.world import World
from tests.core.generated import histories, intervals, shuffled
from tests.support.build import (
    Json,
    Worker,
    checked,
    event,
    in_batches,
    instant,
    place,
    rebuilt,
    records,
    snapshot,
    sums_of,
)
from tests.support.education_log import ACTIONS, AREAS, DAYS, ByPandas, timeline

pytestmark = pytest.mark.core

SEEDS = (1, 2)
each = pytest.mark.parametrize("seed", SEEDS)
PUBLISHED = new_annotation(instant(40), "article published", "billing")
GIVEN = World(Product(actions=Actions(key=tuple(ACTIONS))), annotations=(PUBLISHED,))
ROUGHLY = {"rel": 1e-9, "abs": 1e-9}


@lru_cache
def worker(seed: int) -> Worker:
    found = Worker(GIVEN)
    found.take(records(timeline(seed)))
    return found


@lru_cache
def read(seed: int) -> Any:
    return worker(seed).snapshot()["education"]


@lru_cache
def oracle(seed: int) -> ByPandas:
    return ByPandas(timeline(seed))


def by_month(rows: list[Json]) -> dict[str, Json]:
    return {row["month"]: row for row in rows}


@each
def test_activity_and_coverage(seed: int) -> None:
    told, covered = by_month(read(seed)["activity"]["by_month"]), by_month(read(seed)["coverage"])
    for month in oracle(seed).months:
        here, active = oracle(seed).here(month), oracle(seed).visited(month)
        trained = oracle(seed).trained_by(month)
        row = told[month]
        assert (row["users"], row["trained"]) == (len(here), len(trained))
        assert (row["active"], row["active_trained"]) == (len(active), len(active & trained))
        assert row["share_active"] == pytest.approx(len(active) / len(here), **ROUGHLY)
        accounts, with_trained = {one for one, _ in active}, {one for one, _ in active & trained}
        assert covered[month]["accounts"]["active"] == len(accounts)
        assert covered[month]["accounts"]["with_trained_user"] == len(with_trained)
        assert covered[month]["users"]["share"] == pytest.approx(len(active & trained) / len(active), **ROUGHLY)


@each
def test_the_last_month_that_is_over_is_held_against_training(seed: int) -> None:
    month = oracle(seed).months[-2]
    here, active, trained = oracle(seed).here(month), oracle(seed).visited(month), oracle(seed).trained_by(month)
    told = read(seed)["activity"]["against_training"]
    assert told["month"] == month
    assert told["table"] == {
        "both": len(active & trained),
        "only_trained": len(trained - active),
        "only_untrained": len(active - trained),
        "neither": len(here - active - trained),
    }


@each
def test_adoption(seed: int) -> None:
    told, last = read(seed)["adoption"], oracle(seed).months[-1]
    here, trained, adopted = oracle(seed).here(last), oracle(seed).trained_by(last), oracle(seed).adopted_by(last)
    assert (told["users"], told["adopted"]) == (len(here), len(adopted))
    assert told["against_training"]["table"] == {
        "both": len(adopted & trained),
        "only_trained": len(trained - adopted),
        "only_untrained": len(adopted - trained),
        "neither": len(here - adopted - trained),
    }
    done = oracle(seed).key_actions()
    for name in ACTIONS:
        users = set(done[done.name == name].groupby(["account", "user"]).groups) & here
        assert told["actions"][name]["users"] == len(users)
    for month in oracle(seed).months:
        assert by_month(told["by_month"])[month]["adopted"] == len(oracle(seed).adopted_by(month))


@each
def test_comprehension(seed: int) -> None:
    told, last = read(seed)["comprehension"], oracle(seed).months[-1]
    tries, adopted = oracle(seed).first_tries(), oracle(seed).adopted_by("9999-12")
    ever = set(oracle(seed).first(oracle(seed).key_actions()))
    tries["adopted"] = [who in ever for who in zip(tries.account, tries.user, strict=True)]
    for concept, found in tries.groupby("concept"):
        row = told["concepts"][concept]
        right = found.correct.astype(bool)
        assert (row["checked"], row["first_try_correct"]) == (len(found), right.sum())
        assert (row["adopted"], row["adopted_and_correct"]) == (found.adopted.sum(), (right & found.adopted).sum())
    share = tries.groupby(["account", "user"]).correct.agg(lambda right: right.astype(float).mean())
    here, adopted = oracle(seed).here(last), oracle(seed).adopted_by(last)
    understood = {who for who in adopted if share.get(who, 0) > 0.5}
    unasked = {who for who in adopted if who not in share.index}
    assert told["adoption"]["understood"] == len(understood)
    assert told["adoption"]["used_only"] == {
        "users": len(adopted - understood),
        "not_asked": len(unasked),
        "answered_wrong": len(adopted - understood - unasked),
    }
    assert told["adoption"]["neither"] == len(here - adopted)
    assert understood and unasked and adopted - understood - unasked


@each
@pytest.mark.parametrize("about", ["product", "training", "support"])
def test_surveys(seed: int, about: str) -> None:
    answers = oracle(seed).of("survey_answered")
    answers = answers[(answers.survey == "nps") & (answers.about.fillna("product") == about)].copy()
    answers["net"] = (answers.score >= 9).astype(int) - (answers.score <= 6).astype(int)
    answers["who"] = answers.account + answers.user
    told = read(seed)["nps"][about]
    assert (told["answers"], told["respondents"]) == (len(answers), answers.who.nunique())
    assert told["nps"] == pytest.approx(100 * answers.net.mean(), **ROUGHLY)
    left = ((answers.net - answers.net.mean()).groupby(answers.who).sum() ** 2).sum()
    count = answers.who.nunique()
    assert told["se"] == pytest.approx(100 * np.sqrt(left * count / (count - 1)) / len(answers), **ROUGHLY)
    for month, found in answers.groupby("month"):
        assert by_month(told["by_month"])[month]["nps"] == pytest.approx(100 * found.net.mean(), **ROUGHLY)
    first, second = sorted(answers.month.unique())[-2:]
    two = answers[answers.month.isin([first, second])]
    x = sm.add_constant((two.month == second).astype(float).to_numpy())
    groups, people = pd.factorize(two.who)[0], two.who.nunique()
    fit = sm.OLS(two.net.to_numpy(), x).fit(
        cov_type="cluster", cov_kwds={"groups": groups, "use_correction": False}
    )  # fmt: skip
    assert (told["change"]["from"], told["change"]["to"]) == (first, second)
    assert told["change"]["difference"] == pytest.approx(100 * fit.params[1], **ROUGHLY)
    assert told["change"]["se"] == pytest.approx(100 * fit.bse[1] * np.sqrt(people / (people - 1)), **ROUGHLY)


def tickets_of(seed: int, area: str | None, every: bool = False) -> pd.DataFrame:
    """account, month -> tickets of an area (None: without one; every: of all) and active users."""
    opened = oracle(seed).of("ticket_opened")
    if not every:
        opened = opened[opened.area.isna() if area is None else opened.area == area]
    active = pd.DataFrame(
        [(account, month) for month in oracle(seed).months for account, _ in oracle(seed).visited(month)],
        columns=["account", "month"],
    )
    counts = [frame.groupby(["account", "month"]).size() for frame in (opened, active)]
    return pd.concat(counts, axis=1, keys=["tickets", "active"]).fillna(0).astype(int)


@each
def test_tickets_by_month_and_area(seed: int) -> None:
    for area in [*AREAS, "every"]:
        every = area == "every"
        told = read(seed)["tickets"]["all"] if every else read(seed)["tickets"]["areas"][area or "(no area)"]
        expected = tickets_of(seed, area, every).groupby("month").sum()
        active = tickets_of(seed, None, every=True).groupby("month").active.sum()
        for month in oracle(seed).months:
            row = by_month(told["by_month"])[month]
            tickets = int(expected.tickets.get(month, 0))
            assert (row["tickets"], row["active_users"]) == (tickets, active[month])
            assert row["per_active_user"] == pytest.approx(tickets / active[month], **ROUGHLY)


@each
@pytest.mark.parametrize("around", [False, True])
def test_ticket_ratios_have_accounts_as_clusters(seed: int, around: bool) -> None:
    """Month over month, and May against July around what was published in June. By the score residuals, one by one."""
    tickets = read(seed)["tickets"]
    told = tickets["annotations"][0] if around else tickets["areas"]["billing"]["month_over_month"]
    before, after = ("2026-05", "2026-07") if around else ("2026-06", "2026-07")
    assert (told["before"], told["after"]) == (before, after)
    found = tickets_of(seed, "billing")["tickets"].unstack(fill_value=0)
    active = tickets_of(seed, None, every=True)
    there = active[["tickets", "active"]].sum(axis=1).unstack(fill_value=0)[[before, after]].sum(axis=1) > 0
    active = active["active"].unstack(fill_value=0)
    found, active = (one.reindex(there[there].index, fill_value=0) for one in (found, active))
    rates = [found[month].sum() / active[month].sum() for month in (before, after)]
    left = [
        (found[month] - rate * active[month]) / found[month].sum()
        for month, rate in zip((before, after), rates, strict=True)
    ]  # fmt: skip
    accounts = int(there.sum())
    assert told["accounts"] == accounts
    assert told["ratio"] == pytest.approx(rates[1] / rates[0], **ROUGHLY)
    se = np.sqrt(((left[1] - left[0]) ** 2).sum() * accounts / (accounts - 1))
    assert told["log_se"] == pytest.approx(se, **ROUGHLY)
    assert told["ci"][0] < told["ratio"] < told["ci"][1]


@each
def test_which_came_first(seed: int) -> None:
    all_ = oracle(seed)
    of_source = {
        "adoption": all_.of("session_started", "core_action", "feature_configured"),
        "training": all_.of("lesson_started", "lesson_completed", "concept_checked"),
        "support_contact": all_.of("ticket_opened", "ticket_closed", "cs_contacted"),
    }
    since = {name: frame.groupby("account")["at"].min() for name, frame in of_source.items()}
    firsts = {
        "adoption": all_.first(all_.key_actions()),
        "training": all_.first(all_.of("lesson_completed")),
        "support_contact": all_.first(all_.of("ticket_opened", "cs_contacted")),
    }
    here = all_.here(all_.months[-1])
    for told, (first, second) in zip(read(seed)["sequence"]["pairs"], PAIRS, strict=True):
        counts = {"before": 0, "after": 0, "unknown": 0}
        for who in here & firsts[first].keys() & firsts[second].keys():
            one, other = firsts[first][who], firsts[second][who]
            later = second if one < other else first
            if one == other or not since[later][who[0]] < min(one, other):
                counts["unknown"] += 1
            else:
                counts["before" if one < other else "after"] += 1
        assert {name: told[name] for name in counts} == counts
        assert all(counts.values()), "each answer is given"
        assert told[f"only_{first}"] == len(here & firsts[first].keys() - firsts[second].keys())


# -- order, split, removal, rebuild --------------------------------------------------------------------------------------


@each
@pytest.mark.parametrize("partitions", [1, 3])
def test_any_delivery_and_any_split_give_the_same_snapshot(seed: int, partitions: int) -> None:
    draw = np.random.default_rng(9)
    days = [one for one in timeline(seed) if one["type"] == "tick"]
    events = [one for one in timeline(seed) if one["type"] != "tick"]
    events = [events[place] for place in draw.permutation(len(events))]
    others = [Worker(GIVEN, number=number, partitions=partitions) for number in range(partitions)]
    for one in others:
        home = [given for given in events if place(partitions)(given["account_id"]) == one.partition.number]
        for batch in in_batches(records([*home, *days]), [37] * 20):
            one.take(batch)
    assert canonical({"education": snapshot(*others)["education"]}) == canonical({"education": read(seed)})


@each
def test_rows_read_anew_are_the_same_sums(seed: int) -> None:
    assert sums_of(worker(seed).partition) == sums_of(rebuilt(worker(seed)))
    assert sums_of(worker(seed).partition)["education"]


@each
def test_who_is_forgotten_has_never_been(seed: int) -> None:
    """A user here, an account there; and everybody, which leaves nothing."""
    whole = timeline(seed)
    gone = {("account-0", None), ("account-1", "user-0")}

    def of_the_gone(one: Json) -> bool:
        account = one.get("account_id")
        return (account, None) in gone or (account, one.get("user_id")) in gone

    removed, never = Worker(GIVEN), Worker(GIVEN)
    removed.take(records(whole))
    never.take(records([one for one in whole if not of_the_gone(one)]))
    removed.given(*(forget(*one) for one in gone))
    assert removed.snapshot()["education"] == never.snapshot()["education"]
    removed.given(*(forget(account, None) for account in {one["account_id"] for one in whole if "account_id" in one}))
    assert not sums_of(removed.partition)["education"]
    nothing = removed.snapshot()["education"]
    assert (nothing["nps"]["product"]["answers"], nothing["adoption"]["users"]) == (0, 0)
    assert not nothing["coverage"] and not nothing["tickets"]["areas"]


def forget(account: str, user: str | None) -> Json:
    return event("forget", instant(DAYS - 1), account, user)


@given(histories(), st.lists(st.integers(1, 5), max_size=8))
@checked(60)
def test_a_user_of_years_reads_the_same_in_any_batches_and_order(events: list[Json], sizes: list[int]) -> None:
    world = World(Product(actions=Actions(key=("core_action:board", "task:1"))))
    one, other = Worker(world), Worker(world)
    one.take(records(events))
    for batch in in_batches(records(events[::-1]), sizes):
        other.take(batch)
    found = sums_of(one.partition)
    assert found["education"] == sums_of(other.partition)["education"]
    assert found["education"] == sums_of(rebuilt(one))["education"]


@given(st.data())
@checked(40)
def test_members_come_and_go_late_and_the_sums_are_those_of_the_rows(data: st.DataObject) -> None:
    world = World(Product(actions=Actions(key=("core_action:board",))))
    by_interval = data.draw(intervals(days=6, late=True))
    one = Worker(world)
    for interval in by_interval:
        one.given(*shuffled(data.draw, interval))
    assert sums_of(one.partition) == sums_of(rebuilt(one))

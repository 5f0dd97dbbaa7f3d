"""A simulated log through the whole core, and each figure of its experiments once more by pandas from the events."""

from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest

from models.inference.moments import Moments
from models.snapshot import canonical
from models.tally import Share, Total
from tests.support.build import Json, rebuilt, snapshot
from tests.support.by_pandas import ARMS, DAY, HOUR, ONE, Experiment, frame_of
from tests.support.experiment_log import END, KINDS, WINDOWS, arrivals, log, played

pytestmark = pytest.mark.core

PRIMARY = {"by-user": "converted", "by-account": "outcome:gmv"}
UNITS = {"by-user": "user", "by-account": "account"}
OTHER = {"by-user": "also-by-user", "by-account": "also-by-account"}
OTHERS_WINDOW = 8 * DAY
METRICS = [(id_, name) for id_ in UNITS for name, _ in KINDS] + [("by-account", "utilisation")]
every_metric = pytest.mark.parametrize(("id_", "name"), METRICS)
EVENTS = {"converted", "task_completed", "helped", "adopted", "concept_correct"}
each = pytest.mark.parametrize("id_", UNITS)
PUBLISHED = {"rel": 1e-11, "abs": 1e-14}
"""Figures are published to twelve significant digits."""


@cache
def events() -> list[Json]:
    return log(seed=1)


@cache
def workers() -> Any:
    return played(arrivals(events()))


@cache
def experiments() -> Json:
    """The log in the order of its instants through one partition, as it is published."""
    return {name: one for name, one in snapshot(*workers()).items() if name.startswith("experiment")}


@cache
def total(id_: str) -> Total:
    """The experiment's sums, in whole numbers."""
    return Total([workers()[0].partition.ledger.sums.experiments[id_].share()])


@cache
def oracle(id_: str) -> Experiment:
    unit = "account" if id_.endswith("account") else "user"
    return Experiment(frame_of(events()), id_, unit, END)


def kind_of(name: str) -> str:
    return name.partition(":")[0]


def window(name: str) -> int:
    return round(WINDOWS[name] * DAY)


@cache
def mature(id_: str, name: str) -> pd.DataFrame:
    return oracle(id_).mature(name, window(name))


@cache
def known(id_: str, name: str) -> pd.DataFrame:
    """Mature units whose outcome is not missing."""
    return mature(id_, name).dropna(subset="amount")


def read(id_: str, name: str | None = None) -> Any:
    found = experiments()[f"experiment:{id_}"]
    return found if name is None else found["metrics"][name]


def by_arm(values: pd.Series, units: pd.DataFrame) -> dict[str, float]:
    return values.groupby(units.arm).sum().reindex(ARMS, fill_value=0).to_dict()


def effect(units: pd.DataFrame, amount: pd.Series) -> float:
    means = amount.groupby(units.arm).mean()
    return means["test"] - means["control"]


@cache
def clustered(id_: str, name: str) -> tuple[float, float]:
    """Estimate and clustered error by least squares on the units, without the correction for their number."""
    import statsmodels.api as sm

    units = known(id_, name)
    design = sm.add_constant((units.arm == "test").to_numpy(float))
    groups = pd.factorize(units.account)[0]
    fit = sm.OLS(units.amount.to_numpy() / ONE, design).fit(cov_type="cluster", cov_kwds={"groups": groups})
    n = len(units)
    return fit.params[1], fit.bse[1] / np.sqrt((n - 1) / (n - 2))


# -- arms, exclusions, notes -------------------------------------------------------------------------------------------


def test_the_log_holds_what_it_is_for() -> None:
    for id_, unit in UNITS.items():
        found, units = read(id_), oracle(id_).units
        assert found["notes"]["both_arms"] and found["notes"]["overlaps"][0]["units"] > 50
        assert (found["notes"]["mixed_accounts"] > 10) == (unit == "user")
        assert min(arm["immature"] for arm in found["arms"].values()) >= 0 and len(units) > 80
    assert read("by-user")["notes"]["outcome_before_assignment"] > 5
    assert sum(arm["missing"] for arm in read("by-account")["arms"].values()) > 10
    assert {event["properties"]["arm"] for event in events() if event["type"] == "experiment_assigned"} == {
        *ARMS,
        "third",
    }


@each
def test_arms(id_: str) -> None:
    units, primary = oracle(id_).units, PRIMARY[id_]
    helps, shown = oracle(id_).of("help_engaged"), oracle(id_).of("experiment_exposed", experiment=id_)
    until = units.join(oracle(id_).outcome(primary, window(primary))).event_at.fillna(units.start + window(primary))
    in_window = oracle(id_).within(helps, window(primary))
    took = in_window[(in_window.source == "CS") & (in_window["at"] < in_window.unit.map(until))]
    for arm in ARMS:
        here, ripe = units[units.arm == arm], mature(id_, primary)[mature(id_, primary).arm == arm]
        assert read(id_)["arms"][arm] == {
            "assigned": len(here),
            "exposed": here.index.isin(shown.unit).sum(),
            "took_up": here.index.isin(took.unit).sum(),
            "took_up:CS": here.index.isin(in_window[in_window.source == "CS"].unit).sum(),
            "took_up:OTHER": here.index.isin(in_window[in_window.source == "OTHER"].unit).sum(),
            "mature": len(ripe),
            "immature": len(here) - len(ripe),
            "clusters": here.account.nunique(),
            "missing": ripe.amount.isna().sum(),
        }


@each
def test_notes(id_: str) -> None:
    units, notes = oracle(id_).units, read(id_)["notes"]
    before = oracle(id_).of("converted")
    early = before[before["at"] < before.start].unit.nunique() if PRIMARY[id_] == "converted" else 0
    assert notes["both_arms"] == units.both.sum()
    assert notes["mixed_accounts"] == (units.groupby("account").arm.nunique() > 1).sum()
    assert notes["outcome_before_assignment"] == early
    counts = units.arm.value_counts() if id_ == "by-user" else units.groupby("arm").account.nunique()
    assert read(id_)["srm"]["counts"] == counts.to_dict()


@each
def test_overlap_with_another_experiment(id_: str) -> None:
    primary = PRIMARY[id_]
    there = oracle(id_).overlapping(oracle(OTHER[id_]), window(primary), OTHERS_WINDOW)
    (noted,) = read(id_)["notes"]["overlaps"]
    assert (noted["experiment"], noted["units"]) == (OTHER[id_], len(there))
    both = known(id_, primary).join(there, how="inner")
    cells = both.groupby(["arm", "arm_there"]).agg(amount=("amount", "mean"), accounts=("account", "nunique"))
    sums = Moments.decode(total(id_).moments[f"{primary}/with/{OTHER[id_]}"].encode()).sums
    every = pd.MultiIndex.from_product([ARMS, ARMS])
    assert sums[::2] == both.groupby(["arm", "arm_there"]).size().reindex(every, fill_value=0).tolist()
    if cells.accounts.reindex(every, fill_value=0).min() < 10:
        assert noted["interaction"] is None and noted["because"]
    else:
        mean = cells.amount / ONE
        crossed = mean["test", "test"] - mean["test", "control"] - mean["control", "test"] + mean["control", "control"]
        assert noted["interaction"] == pytest.approx(crossed, **PUBLISHED)


# -- each metric -------------------------------------------------------------------------------------------------------


@every_metric
def test_every_column_of_every_metric_is_exactly_what_pandas_counts(id_: str, name: str) -> None:
    units = known(id_, name)
    amount = units.amount.astype("int64")
    columns = [
        pd.Series(1, units.index), amount, units.uptake, units.triggered, units.triggered * amount,
        units.both, units.both * amount, units.employees.astype("int64"), units.unknown,
    ]  # fmt: skip
    expected = [by_arm(column, units)[arm] for arm in ARMS for column in columns]
    moments = total(id_).moments[name]
    assert moments.sums == expected
    assert moments.clusters == [units.account.nunique(), *units.groupby("arm").account.nunique().reindex(ARMS)]


@every_metric
def test_units_sums_and_means_are_published(id_: str, name: str) -> None:
    units = known(id_, name)
    for arm in ARMS:
        amount = units[units.arm == arm].amount / ONE
        found = read(id_, name)["arms"][arm]
        assert found == {
            "units": len(amount),
            "sum": pytest.approx(amount.sum(), rel=1e-11, abs=1e-9),
            "mean": pytest.approx(amount.mean(), **PUBLISHED),
        }


@every_metric
def test_effect_and_its_error_are_those_of_a_clustered_fit(id_: str, name: str) -> None:
    itt, units = read(id_, name)["itt"], known(id_, name)
    accounts = units.groupby("arm").account.nunique()
    events = units[units.amount > 0].groupby("arm").size().reindex(ARMS, fill_value=0)
    without = units[units.amount <= 0].groupby("arm").size().reindex(ARMS, fill_value=0)
    if accounts.min() < 10 or (kind_of(name) in {*EVENTS, "retained"} and min(*events, *without) < 5):
        assert itt["estimate"] is None and itt["because"]
        return
    estimate, se = clustered(id_, name)
    assert itt["estimate"] == pytest.approx(estimate, rel=1e-9)
    assert itt["se"] == pytest.approx(se, rel=1e-9)


def test_hardly_any_metric_was_too_rare_to_be_compared() -> None:
    assert sum(read(id_, name)["itt"]["estimate"] is not None for id_, name in METRICS) >= len(METRICS) - 5


@every_metric
def test_uptake_and_trouble(id_: str, name: str) -> None:
    units, found = known(id_, name), read(id_, name)
    assert found["triggered"]["units"] == by_arm(units.triggered, units)
    if found["cace"].get("first_stage") is not None:
        assert found["cace"]["first_stage"] == pytest.approx(effect(units, units.uptake), **PUBLISHED)
    if found["triggered"]["estimate"] is not None:
        some = units[units.triggered == 1]
        assert found["triggered"]["estimate"] == pytest.approx(effect(some, some.amount / ONE), **PUBLISHED)
        assert found["triggered"]["balance"] == pytest.approx(effect(units, units.triggered), **PUBLISHED)
    if "without_both_arms" in found:
        once = units[units.both == 0]
        assert found["without_both_arms"]["units"] == units.both.sum() > 0
        assert found["without_both_arms"]["estimate"] == pytest.approx(effect(once, once.amount / ONE), **PUBLISHED)


@every_metric
def test_outcomes_that_never_came(id_: str, name: str) -> None:
    units, found = mature(id_, name), read(id_, name).get("missing")
    lost = by_arm(units.amount.isna(), units)
    if name not in ("outcome:gmv", "utilisation"):
        assert found is None and not sum(lost.values())
        return
    assert found["units"] == lost
    assert found["difference"] == pytest.approx(effect(units, units.amount.isna().astype(float)), **PUBLISHED)


@every_metric
def test_histograms_of_amounts_hold_everybody(id_: str, name: str) -> None:
    units = known(id_, name)
    for arm in ARMS:
        here = units[units.arm == arm].amount
        spread = total(id_).group(f"{arm}:spread:{name}")
        if spread:
            assert sum(count for key, count in spread.items() if key.endswith(":units")) == len(here)
            assert sum(count for key, count in spread.items() if key.endswith(":sum")) == here.sum()


@every_metric
def test_event_times_in_bins(id_: str, name: str) -> None:
    found = {}
    for arm in ARMS:
        row = total(id_).times.get(f"{arm}:{name}", [])
        keys = [f"{arm}:{at}:event" for at in range(len(row) // 2)]
        keys += [f"{arm}:{at}:censored" for at in range(len(keys) + 1)]
        found |= {key: count for key, count in zip(keys, row, strict=False) if count}
    timed = kind_of(name) in {*EVENTS, "time_to"}
    assert found == (oracle(id_).durations(name, window(name)) if timed else {})
    assert ("by_day" in read(id_, name)) == ("time" in read(id_, name)) == timed


@pytest.mark.parametrize("name", ["converted", "time_to:1"])
def test_share_by_day_is_that_of_everybody_watched_so_far(name: str) -> None:
    """By lifelines, each unit watched for as many whole bins as are over."""
    from lifelines import KaplanMeierFitter

    counts = oracle("by-user").durations(name, window(name))
    width = 3 if name == "converted" else 2
    for arm in ARMS:
        here = [(int(at), what == "event", count) for key, count in counts.items()
                for its, at, what in [key.split(":")] if its == arm]  # fmt: skip
        fit = KaplanMeierFitter().fit(
            [at + (0.5 if event else 0) for at, event, _ in here], [event for _, event, _ in here],
            weights=[count for *_, count in here],
        )  # fmt: skip
        days = read("by-user", name)["by_day"][arm]
        assert [day["day"] for day in days] == list(range(1, round(WINDOWS[name]) + 1))
        for day in days:
            ends = day["day"] * 24 // width
            assert day["share"] == pytest.approx(1 - fit.predict(ends), abs=1e-9)
            assert day["at_risk"] == sum(count for at, event, count in here if at >= ends or (event and at == ends - 1))


# -- the primary in parts ----------------------------------------------------------------------------------------------


def same_slice(found: Json, units: pd.DataFrame, amount: pd.Series) -> None:
    assert found["units"] == by_arm(pd.Series(1, units.index), units)
    if units.groupby("arm").account.nunique().reindex(ARMS, fill_value=0).min() < 10:
        assert found["estimate"] is None and found["because"]
    elif found["estimate"] is not None:
        assert found["estimate"] == pytest.approx(effect(units, amount / ONE), **PUBLISHED)
    else:
        assert amount.nunique() == 1 and found["because"]


@each
def test_segments(id_: str) -> None:
    units = known(id_, PRIMARY[id_])
    label = oracle(id_).trait("segment").reindex(units.index).fillna("(none)")
    found = read(id_, PRIMARY[id_])["segments"]["segment"]["segments"]
    assert {one["segment"] for one in found} == set(label)
    sizes = [sum(one["units"].values()) for one in found]
    assert sizes == sorted(sizes, reverse=True)
    for one in found:
        same_slice(one, units[label == one["segment"]], units[label == one["segment"]].amount)


@each
def test_weekdays(id_: str) -> None:
    units = known(id_, PRIMARY[id_])
    day = pd.to_datetime(units.start, unit="us").dt.day_name()
    found = read(id_, PRIMARY[id_])["by_weekday"]
    assert [one["weekday"] for one in found] == [day_ for day_ in _week() if day_ in set(day)]
    for one in found:
        same_slice(one, units[day == one["weekday"]], units[day == one["weekday"]].amount)


def _week() -> list[str]:
    return list(pd.date_range("2026-05-04", periods=7).day_name())


@each
def test_weeks_since_assignment(id_: str) -> None:
    name = PRIMARY[id_]
    units, found = known(id_, name), read(id_, name)["by_week_since_assignment"]
    grown = oracle(id_).increments(name, window(name))
    week = (grown["at"] - grown.start) // (7 * DAY)
    assert [one["week"] for one in found] == list(range(1, -(-window(name) // (7 * DAY)) + 1))
    for one in found:
        amount = grown[week == one["week"] - 1].groupby("unit").amount.sum().reindex(units.index).fillna(0)
        same_slice(one, units, amount)


# -- beside the effect -------------------------------------------------------------------------------------------------


@each
def test_doses(id_: str) -> None:
    name = PRIMARY[id_]
    units, found = known(id_, name), read(id_)["dose"]
    dose = oracle(id_).doses(units, window(name))
    groups = (units.amount / ONE).groupby(dose).agg(["size", "mean"])
    assert [(one["completions"], one["units"]) for one in found] == list(groups["size"].items())
    assert [one["mean"] for one in found] == [pytest.approx(mean, **PUBLISHED) for mean in groups["mean"]]
    steps = [one["step"] for one in found]
    assert steps[0] is None
    assert steps[1:] == [pytest.approx(step, **PUBLISHED) for step in groups["mean"].diff()[1:]]
    slope = np.polyfit(dose, units.amount / ONE, 1)[0]
    assert read(id_)["dose_trend"]["slope"] == pytest.approx(slope, rel=1e-9)


@each
def test_landmarks(id_: str) -> None:
    name = PRIMARY[id_]
    units, expected = known(id_, name), []
    until = units.event_at.fillna(units.start + window(name))
    for day in (1, 3, 7, 14, 30) if name == "converted" else ():
        mark = units.start + day * DAY
        still = units[(until >= mark) & (day * DAY < window(name))]
        done = oracle(id_).done()
        done = done[(done["at"] >= done.start) & (done["at"] < done.start + day * DAY)]
        by_then = done.groupby("unit").size().reindex(still.index, fill_value=0)
        for dose, rows in still.groupby(by_then):
            converted = round(rows.amount.sum() / ONE)
            expected.append({"day": day, "completions": dose, "units": len(rows), "converted": converted,
                             "rate": pytest.approx(converted / len(rows), **PUBLISHED)})  # fmt: skip
    assert read(id_)["landmark"] == expected


@each
def test_first_help_after_trouble(id_: str) -> None:
    name = PRIMARY[id_]
    units, found = known(id_, name), read(id_)["help"]
    helps = oracle(id_).of("help_engaged").merge(units.trouble, left_on="unit", right_index=True)
    helps = helps[(helps["at"] >= helps.trouble) & (helps["at"] < helps.start + window(name))]
    first = helps.sort_values(["at", "source"]).groupby("unit").source.first()
    for source in ("CS", "OTHER"):
        amount = units.amount[first.index[first == source]] / ONE
        expected = pytest.approx(amount.mean(), **PUBLISHED) if len(amount) else None
        assert found[source] == {"units": len(amount), "mean": expected}
    assert found["CS"]["units"] >= 4
    if found["difference"]["estimate"] is not None:
        mean = (units.amount[first.index] / ONE).groupby(first).mean()
        assert found["difference"]["estimate"] == pytest.approx(mean["CS"] - mean["OTHER"], **PUBLISHED)


@each
def test_successes(id_: str) -> None:
    name = PRIMARY[id_]
    units, found = known(id_, name), read(id_)["success"]
    key = ["unit", "task"]
    done = oracle(id_).done()
    begun = oracle(id_).of("task_started").groupby(key, as_index=False).agg({"at": "min", "start": "first"})
    begun = oracle(id_).within(begun[begun.unit.isin(units.index)], window(name))
    completed = oracle(id_).within(done, window(name)).set_index(key)["at"]
    begun["done"] = completed.reindex(pd.MultiIndex.from_frame(begun[key])).notna().to_numpy()
    pairs = begun.reset_index()[["index", "unit", "at"]].merge(done[["unit", "at"]], on="unit", suffixes=("", "_done"))
    begun["experience"] = pairs[pairs.at_done < pairs["at"]].groupby("index").size().reindex(begun.index, fill_value=0)
    begun["hour"] = pd.to_datetime(begun["at"], unit="us").dt.hour
    begun["day"] = ((begun["at"] - begun.start) // DAY).clip(upper=30)
    for name_ in ("hour", "day", "experience"):
        expected = begun.groupby(name_).done.agg(["size", "sum"])
        assert [(one[name_], one["begun"], one["completed"]) for one in found[f"by_{name_}"]] == [
            (value, size, good) for value, size, good in expected.itertuples()
        ]


# -- order and split do not matter ---------------------------------------------------------------------------------------


def test_any_delivery_and_any_split_give_the_same_experiments() -> None:
    """Three partitions; events up to an hour after their time, some days late, some twice."""
    others = played(arrivals(events(), seed=2), partitions=3)
    assert sum(worker.partition.book.row.late for worker in others) > 20
    assert all(worker.partition.ledger.sums.users for worker in others)
    found = canonical({name: one for name, one in snapshot(*others).items() if name.startswith("experiment")})
    assert found == canonical(experiments())


@each
def test_rows_read_anew_are_the_same_experiments(id_: str) -> None:
    (worker,) = workers()
    share = worker.partition.ledger.sums.experiments[id_].share()
    assert rebuilt(worker).ledger.sums.experiments[id_].share() == share
    assert isinstance(share, Share) and share.counts


def test_lateness_is_an_hour() -> None:
    assert workers()[0].world.product.lateness == HOUR

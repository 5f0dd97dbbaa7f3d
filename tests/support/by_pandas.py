"""What experiments say of a log, computed a second time: by pandas, in one go, from the events themselves.

Nothing of the core is used here, not even its names of kinds: EVENTS.md is written out as data frames. Instants are
microseconds, amounts whole millionths.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

HOUR = 3_600_000_000
DAY = 24 * HOUR
ONE = 1_000_000
ARMS = ["control", "test"]
SHARED = ["converted", "churned", "experiment_assigned", "traits_set"]
"""What an account's own event says of each of its users."""
VISITS = ["session_started", "task_started", "task_completed", "task_failed", "core_action"]
COLUMNS = ["experiment", "arm", "task", "source", "channel", "feature", "concept", "correct", "name", "value", "mrr"]
NATURAL = [1, 2, 3, 4, 6, 8, 12, 24, 48, 96, 168]


def frame_of(events: Iterable[dict[str, Any]]) -> pd.DataFrame:
    """One row an event (by id, once): id, type, at, account, user (None: the account's), and every property."""
    rows = [
        {"id": one["id"], "type": one["type"], "at": one["at"], "account": one["account_id"],
         "user": one.get("user_id"), **dict.fromkeys(COLUMNS), **one["properties"]}
        for one in events
    ]  # fmt: skip
    frame = pd.DataFrame(rows).drop_duplicates("id")
    moment = pd.to_datetime(frame["at"], utc=True, format="ISO8601")
    frame["at"] = (moment - pd.Timestamp(0, tz="UTC")) // pd.Timedelta(microseconds=1)
    for name in ("value", "mrr"):
        frame[name] = (frame[name].astype(float) * ONE).round()
    return frame


class Experiment:
    """One experiment's units: index unit, columns account, arm, start, both (seen in both arms)."""

    def __init__(self, frame: pd.DataFrame, id_: str, unit: str, now: int) -> None:
        self.id, self.unit, self.now = id_, unit, now
        self.everything = frame
        self.events = self._of_units(frame)
        given = self.events[(self.events.type == "experiment_assigned") & (self.events.experiment == id_)]
        first = given[given.arm.isin(ARMS)].sort_values(["at", "arm"])
        self.units = first.groupby("unit").agg(
            account=("account", "first"), arm=("arm", "first"), start=("at", "first"), arms=("arm", "nunique")
        )
        self.units["both"] = (self.units.pop("arms") > 1).astype(int)

    def _of_units(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The events that are said of each unit."""
        if self.unit == "account":
            return frame.assign(unit=frame.account)
        theirs = frame[frame.user.notna()]
        people = theirs[["account", "user"]].drop_duplicates()
        of_all = frame[frame.user.isna() & frame.type.isin(SHARED)].drop(columns="user").assign(mrr=np.nan)
        found = pd.concat([theirs, of_all.merge(people, on="account")])
        return found.assign(unit=found.account + "/" + found.user)

    def of(self, type_: str, **equal: Any) -> pd.DataFrame:
        """Events of a type of units in the experiment, with the unit's `start`."""
        found = self.events[self.events.type == type_]
        for name, value in equal.items():
            found = found[found[name] == value]
        return found.merge(
            self.units[["start", "arm"]].rename(columns={"arm": "in_arm"}), left_on="unit", right_index=True
        )

    def within(self, found: pd.DataFrame, window: float) -> pd.DataFrame:
        return found[(found["at"] >= found.start) & (found["at"] < found.start + window)]

    def first(self, found: pd.DataFrame) -> pd.Series:
        """Unit -> the first instant; NaN without one."""
        return found.groupby("unit")["at"].min().reindex(self.units.index).astype(float)

    # -- outcomes ----------------------------------------------------------------------------------------------------

    def outcome(self, name: str, window: int) -> pd.DataFrame:
        """Index unit: amount (NaN: missing), event_at (NaN: none in the window)."""
        kind, _, about = name.partition(":")
        units = self.units
        end = units.start + window
        event_at = self._event(kind, about, window)
        event_at = event_at.where((event_at >= units.start) & (event_at < end))
        match kind:
            case "converted" | "task_completed" | "adopted" | "helped" | "concept_correct":
                amount = event_at.notna() * float(ONE)
            case "time_to":
                amount = ((event_at.fillna(end) - units.start) * ONE / HOUR).round()
            case "tasks_completed" | "tickets" | "outcome":
                amount = self.increments(name, window).groupby("unit").amount.sum().reindex(units.index)
                amount = amount if kind == "outcome" else amount.fillna(0)
            case "retained":
                gone = self.within(self.of("churned"), window).unit
                amount = pd.Series(np.where(units.index.isin(gone), 0, ONE), units.index).astype(float)
            case "mrr":
                amount = self._mrr(window)
            case "utilisation":
                amount = self._utilisation(window)
        return pd.DataFrame({"amount": amount, "event_at": event_at})

    def _event(self, kind: str, about: str, window: int) -> pd.Series:
        """When an event first came, of some kinds ever, of others in the window; NaN for what is no event."""
        match kind:
            case "converted":
                return self.first(self.of("converted"))
            case "task_completed" | "time_to":
                return self.first(self.of("task_completed", task=about))
            case "adopted":
                return self.first(self.of("core_action", feature=about))
            case "helped":
                return self.first(self.within(self.of("help_engaged", source=about), window))
            case "concept_correct":
                return self.first(self.within(self.of("concept_checked", concept=about, correct=True), window))
            case _:
                return pd.Series(np.nan, self.units.index)

    def increments(self, name: str, window: int) -> pd.DataFrame:
        """What a summed outcome, or an event's, is made of: unit, at, amount."""
        kind, _, about = name.partition(":")
        if kind == "tasks_completed":
            found = (
                self.of("task_completed").groupby(["unit", "task"], as_index=False).agg({"at": "min", "start": "first"})
            )
            return self.within(found.assign(amount=ONE), window)
        if kind == "tickets":
            return self.within(self.of("ticket_opened").assign(amount=ONE), window)
        if kind == "outcome":
            found = self.of("outcome_observed", name=about)
            return self.within(found.assign(amount=found.value), window)
        found = self.outcome(name, window).dropna().rename(columns={"event_at": "at"}).rename_axis("unit").reset_index()
        return found.merge(self.units.start, left_on="unit", right_index=True)

    def _mrr(self, window: int) -> pd.Series:
        told = pd.concat([self.of(type_) for type_ in ("converted", "renewed", "mrr_changed")])
        told = told[told.mrr.notna() & (told["at"] < told.start + window)].sort_values(["at", "mrr"])
        last = told.groupby("unit").agg(at=("at", "last"), mrr=("mrr", "last"))
        left = self.of("churned")
        left = left[left["at"] < left.start + window].groupby("unit")["at"].max()
        last["left"] = left.reindex(last.index)
        return last.mrr.where(~(last.left > last["at"]), 0).reindex(self.units.index).fillna(0)

    def _utilisation(self, window: int) -> pd.Series:
        people = self.everything[self.everything.user.notna()].assign(day=lambda one: one["at"] // DAY)
        last = ((self.units.start + window) // DAY - 1).rename("last")
        people = people.merge(last, left_on="account", right_index=True)
        by = ["account", "user"]
        here = people.groupby(by).agg(began=("day", "min"), last=("last", "first"))
        words = people[people.type.isin(["member_added", "member_removed"]) & (people.day <= people["last"])]
        away = words.sort_values(["at", "type"]).groupby(by).type.last() == "member_removed"
        here = here[(here.began <= here["last"]) & ~away.reindex(here.index, fill_value=False)]
        week = people[people.type.isin(VISITS) & (people.day <= people["last"]) & (people.day > people["last"] - 7)]
        regular = week.groupby(by).day.nunique().reindex(here.index, fill_value=0) >= 2
        share = regular.groupby("account").mean()
        return (share * ONE).round().reindex(self.units.index)

    # -- columns of a mature unit ------------------------------------------------------------------------------------

    def mature(self, name: str, window: int, lateness: int = HOUR) -> pd.DataFrame:
        """Units old enough, with amount (NaN: missing), uptake, triggered, both, employees and what is made of them."""
        found = self.units.join(self.outcome(name, window))
        until = (found.start + window).where(found.event_at.isna(), found.event_at)
        helps = self.of("help_engaged", source="CS")
        helps = helps[(helps["at"] >= helps.start) & (helps["at"] < helps.unit.map(until))]
        found["uptake"] = found.index.isin(helps.unit).astype(int)
        found["trouble"] = self.trouble(window)
        found["triggered"] = found.trouble.notna().astype(int)
        employees = self.trait("employees")
        found["employees"] = (employees.astype(float) * ONE).round().fillna(0)
        found["unknown"] = employees.isna().astype(int)
        return found[found.start + window + lateness <= self.now]

    def trouble(self, window: int) -> pd.Series:
        """Unit -> first instant of trouble in the window."""
        key = ["unit", "task"]
        done = self.of("task_completed").groupby(key)["at"].min()
        failed = self.of("task_failed").sort_values("at")
        failed = failed[failed.groupby(key).cumcount() == 1]
        started = self.of("task_started").sort_values("at").drop_duplicates(key)
        started = started.assign(at=started["at"] + DAY)
        tasks = pd.concat([failed, started])
        finished = done.reindex(pd.MultiIndex.from_frame(tasks[key])).to_numpy()
        open_ = tasks[np.isnan(finished) | (tasks["at"].to_numpy() < finished)]
        return self.first(self.within(pd.concat([open_, self.of("help_needed")]), window))

    def trait(self, name: str) -> pd.Series:
        """Unit -> the last value at or before its assignment; of one instant, the last by text."""
        told = self.of("traits_set")
        told = told[told[name].notna() & (told["at"] <= told.start)]
        told = told.assign(text=told[name].astype(str)).sort_values(["at", "text"])
        return told.groupby("unit")[name].last().reindex(self.units.index)

    def durations(self, name: str, window: int, lateness: int = HOUR) -> dict[str, int]:
        """`ARM:BIN:event` and `ARM:BIN:censored` counts of what has been watched by now."""
        width = next(hours for hours in NATURAL if -(-window // (hours * HOUR)) <= 128) * HOUR
        bins = -(-window // width)
        found = self.units.join(self.outcome(name, window))
        watched = ((self.now - lateness) // width - found.start // width - 1).clip(0, bins)
        at = (found.event_at - found.start) // width
        seen = at < watched
        label = np.where(seen, at.fillna(0).astype(int).astype(str) + ":event", watched.astype(str) + ":censored")
        return (found.arm + ":" + label).value_counts().to_dict()

    # -- beside the effect -------------------------------------------------------------------------------------------

    def done(self) -> pd.DataFrame:
        """First completions: unit, task, at, start."""
        return self.of("task_completed").groupby(["unit", "task"], as_index=False).agg({"at": "min", "start": "first"})

    def doses(self, mature: pd.DataFrame, window: int) -> pd.Series:
        """Unit -> tasks done in the window before the outcome."""
        until = (mature.start + window).where(mature.event_at.isna(), mature.event_at)
        done = self.done()
        done = done[(done["at"] >= done.start) & (done["at"] < done.unit.map(until))]
        return done.groupby("unit").size().reindex(mature.index, fill_value=0)

    def overlapping(self, other: "Experiment", mine: int, theirs: int) -> pd.Series:
        """Unit -> its arm in another experiment, where both primaries' windows meet."""
        both = self.units.join(other.units[["arm", "start"]].add_suffix("_there"), how="inner")
        meet = (both.start_there < both.start + mine) & (both.start < both.start_there + theirs)
        return both[meet].arm_there

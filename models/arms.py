"""What one unit adds to its experiment's sums.

A unit counts in its *first* assigned arm (intention to treat). Its outcome of a metric enters the estimates once the
unit is mature for it, at least window + lateness old, once, and never earlier because it converted. Counters and
durations know every assigned unit from the start.
"""

from collections.abc import Mapping
from functools import lru_cache
from sys import intern
from typing import NamedTuple

from models.clock import DAY, HOUR, day_of
from models.events import Trait
from models.inference.durations import bin_width
from models.inference.missing import bin_of
from models.inference.moments import Vector
from models.keeping import fixed
from models.outcomes import BINARY, EVENTS, STATES, Outcome, Window, kind_of, outcome_of
from models.plan import Metric, Plan, PublishedPlan
from models.product import Product
from models.subject import Subject, trait_at
from models.trouble import trouble_at

WEEKS = 8
"""Weeks since assignment that are read apart; the last one holds whatever comes later."""
LANDMARKS = (1, 3, 7, 14, 30)
"""Days after assignment at which is asked what had been done by then, and what came of it."""
DOSES = 16
"""Completions counted apart; more count as so many."""
SOURCES_OF_HELP = ("CS", "OTHER")


Counted = tuple[str, str]
"""A counter's group and its name there. A group is what is read together: an arm's, an arm's amounts by bin, doses."""


class Part(NamedTuple):
    """A unit's vector in one of the experiment's moments: so many blocks side by side."""

    blocks: int
    vector: Vector


class Unit(NamedTuple):
    """A unit's part in one experiment.

    counts: what it adds to plain counters. parts: to moments, by name. durations: (metric, arm) -> cohort of assignment
    and bin of the event, None without one. matures_at: when more of it becomes known by time alone.
    """

    arm: str
    counts: Mapping[Counted, int]
    parts: Mapping[str, Part]
    durations: Mapping[tuple[str, str], tuple[int, int | None]]
    matures_at: int | None


class Asked(NamedTuple):
    """What a unit is read against: a published plan, the other experiments looked at beside it, the product."""

    published: PublishedPlan
    companions: tuple[PublishedPlan, ...]
    product: Product


class Assignment(NamedTuple):
    """A unit's place in an experiment: its first arm, since when, and whether it was seen in the other one, too."""

    arm: str
    at: int
    both_arms: bool


def assignment_of(subject: Subject, published: PublishedPlan) -> Assignment | None:
    """The first assignment while the experiment took units in; None if there was none to an arm of it."""
    plan = published.plan
    seen = subject.assignments.get(plan.id)
    if seen is None:
        return None
    known = plan.experiment.arms
    arms = [(at, arm) for arm, at in seen.items() if arm in known and published.takes_in(at)]
    if not arms:
        return None
    at, arm = min(arms)
    return Assignment(arm, at, len(arms) > 1)


def units_of(subject: Subject, every: Mapping[str, Asked], now: int) -> dict[str, Unit]:
    """What this unit adds at `now` to each of the experiments, by id, to an arm of which it was ever assigned."""
    places = {
        id_: place
        for id_ in subject.assignments
        if (asked := every.get(id_)) is not None and (place := assignment_of(subject, asked.published)) is not None
    }
    return {id_: _Reading(subject, every[id_], places, now).unit() for id_ in places}


def unit_of(subject: Subject, asked: Asked, now: int) -> Unit | None:
    """What this unit adds to one experiment."""
    every = {one.plan.id: asked._replace(published=one) for one in (asked.published, *asked.companions)}
    return units_of(subject, every, now).get(asked.published.plan.id)


class _Reading:
    """One unit being read: collects what it adds."""

    def __init__(self, subject: Subject, asked: Asked, places: Mapping[str, Assignment], now: int) -> None:
        self.subject, self.asked, self.now = subject, asked, now
        self.plan: Plan = asked.published.plan
        self.place = places[self.plan.id]
        self.overlapping = self._overlapping(places)
        self.treated = int(self.place.arm != self.plan.experiment.control)
        self.counts: dict[Counted, int] = {}
        self.parts: dict[str, Part] = {}
        self.durations: dict[tuple[str, str], tuple[int, int | None]] = {}
        self.dues: list[int] = []

    def unit(self) -> Unit:
        self._counted()
        for metric in self.plan.metric:
            self._metric(metric)
        due = min(self.dues, default=None)
        return Unit(self.place.arm, self.counts, self.parts, self.durations, due)

    # -- what is known from the start ------------------------------------------------------------------------------

    def _counted(self) -> None:
        subject, primary = self.subject, self.plan.primary
        window = self._window(primary)
        outcome = self._outcome(primary, window)
        self._count("assigned")
        self.parts["assigned"] = self._part(1)
        if self.place.both_arms:
            self._count("both_arms")
        if self._came_before(primary):
            self._count("outcome_before_assignment")
        if self.plan.id in subject.exposures:
            self._count("exposed")
        if self._took_up(window, outcome, None):
            self._count("took_up")
        for source in SOURCES_OF_HELP:
            if any(window.holds(one.at) for one in subject.helps if one.source == source):
                self._count(f"took_up:{source}")
        for other, _ in self.overlapping:
            self._count(other.plan.id, of="overlap")

    def _came_before(self, metric: Metric) -> bool:
        """Whether the primary's event came before assignment: it is then no outcome of it."""
        if kind_of(metric) not in EVENTS:
            return False
        return outcome_of(self.subject, metric, Window(0, self.place.at), 1).event_at is not None

    def _metric(self, metric: Metric) -> None:
        window = self._window(metric)
        outcome = self._outcome(metric, window)
        kind = kind_of(metric)
        if kind in EVENTS and outcome.amount:
            self._count(f"events:{metric.name}")
        if kind in EVENTS or kind == "time_to":
            width = bin_width(window.end - window.start)
            exit_ = None if outcome.event_at is None else (outcome.event_at - window.start) // width
            self.durations[metric.name, self.place.arm] = (window.start // width, exit_)
        matures_at = window.end + self.asked.product.lateness
        if matures_at > self.now:
            self.dues.append(matures_at)
            if metric.role == "primary":
                self._count("immature")
            return
        if metric.role == "primary":
            self._count("mature")
        if outcome.amount is None:
            self._count(f"missing:{metric.name}")
            return
        if kind not in BINARY:
            self._spread(metric, outcome.amount)
        self._mature(metric, window, outcome, outcome.amount)

    # -- what is known of a mature unit ----------------------------------------------------------------------------

    def _mature(self, metric: Metric, window: Window, outcome: Outcome, amount: int) -> None:
        taken = int(self._took_up(window, outcome, metric))
        trouble = trouble_at(self.subject, window, self.asked.product.journey)
        triggered, both = int(trouble is not None), int(self.place.both_arms)
        columns = (1, amount, taken, triggered, triggered * amount, both, both * amount, *self._covariates())
        self.parts[metric.name] = self._part(*columns)
        if metric.role == "primary":
            self._slices(metric, amount)
            if kind_of(metric) not in STATES:
                self.parts[intern(f"{metric.name}/weeks")] = self._part(1, *self._weeks(window, outcome))
            self._beside(metric, window, outcome, amount, trouble)

    def _slices(self, metric: Metric, amount: int) -> None:
        """The primary's effect in parts of the units: registered segments, weekdays, arms of other experiments."""
        for name in self.plan.experiment.segments:
            label = segment_label(trait_at(self.subject, name, self.place.at))
            self.parts[intern(f"{metric.name}/segment/{name}/{label}")] = self._part(1, amount)
        self.parts[intern(f"{metric.name}/weekday/{(day_of(self.place.at) + 3) % 7}")] = self._part(1, amount)
        for other, arm in self.overlapping:
            cell = 2 * self.treated + int(arm != other.plan.experiment.control)
            self.parts[intern(f"{metric.name}/with/{other.plan.id}")] = Part(4, stacked(4, cell, (1, amount)))

    def _weeks(self, window: Window, outcome: Outcome) -> list[int]:
        """What the outcome grew by in each week since assignment."""
        weeks = [0] * min(WEEKS, -(-(window.end - window.start) // (7 * DAY)))
        for at, amount in outcome.increments:
            weeks[min((at - window.start) // (7 * DAY), len(weeks) - 1)] += amount
        return weeks

    def _beside(self, metric: Metric, window: Window, outcome: Outcome, amount: int, trouble: int | None) -> None:
        """What is associated with the outcome, in both arms together: doses, landmarks, first help, successes."""
        until = window.end if outcome.event_at is None else outcome.event_at
        done = sorted(at for facts in self.subject.tasks.values() if (at := facts.completed) is not None)
        dose = min(sum(window.start <= at < until for at in done), DOSES)
        self._total("dose", f"{dose}:units", 1)
        self._total("dose", f"{dose}:sum", amount)
        self._total("dose", f"{dose}:squares", amount * amount)
        self.parts[intern(f"{metric.name}/dose")] = Part(
            1, stacked(1, 0, (1, amount, dose, dose * dose, dose * amount))
        )
        if kind_of(metric) in EVENTS:
            for day in LANDMARKS:
                landmark = window.start + day * DAY
                if landmark < window.end and until >= landmark:
                    by_then = min(sum(window.start <= at < landmark for at in done), DOSES)
                    self._total(f"landmark:{day}", f"{by_then}:units", 1)
                    self._total(f"landmark:{day}", f"{by_then}:sum", amount)
        if trouble is not None:
            first = min((one for one in self.subject.helps if trouble <= one.at < window.end), default=None)
            if first is not None:
                cell = SOURCES_OF_HELP.index(first.source)
                self.parts[intern(f"{metric.name}/help")] = Part(2, stacked(2, cell, (1, amount)))
        self._successes(window, done)

    def _successes(self, window: Window, done: list[int]) -> None:
        """Tasks begun in the window and those of them completed in it, by hour, day since assignment and experience."""
        for facts in self.subject.tasks.values():
            if facts.started is None or not window.holds(facts.started):
                continue
            before = sum(at < facts.started for at in done)
            hour, day = facts.started % DAY // HOUR, (facts.started - window.start) // DAY
            for name, at in (("hour", hour), ("day", min(day, 30)), ("experience", min(before, DOSES))):
                self._total(f"success:{name}", f"{at}:begun", 1)
                if window.holds(facts.completed):
                    self._total(f"success:{name}", f"{at}:completed", 1)

    def _spread(self, metric: Metric, amount: int) -> None:
        """The outcome's place in a histogram: bounds for missing outcomes need to know who is at the edge."""
        bin_ = bin_of(amount)
        self._count(f"{bin_}:units", of=f"spread:{metric.name}")
        self._count(f"{bin_}:sum", amount, of=f"spread:{metric.name}")

    # -- pieces ----------------------------------------------------------------------------------------------------

    def _window(self, metric: Metric) -> Window:
        return Window(self.place.at, self.place.at + metric.window)

    def _outcome(self, metric: Metric, window: Window) -> Outcome:
        return outcome_of(self.subject, metric, window, self.asked.product.actions.regular_days_per_week)

    def _took_up(self, window: Window, outcome: Outcome, metric: Metric | None) -> bool:
        """Uptake counts within the window and before the outcome: help sought after converting caused nothing."""
        uptake, end = self.plan.experiment.uptake, window.end
        if outcome.event_at is not None:
            end = min(end, outcome.event_at)
        if uptake.type == "experiment_exposed":
            return any(window.start <= shown < end for shown in self.subject.exposures.get(self.plan.id, ()))
        return any(window.start <= one.at < end and uptake.source in (None, one.source) for one in self.subject.helps)

    def _covariates(self) -> list[int]:
        """Each as its value, 0 where missing, and whether it is missing."""
        found: list[int] = []
        for name in self.plan.experiment.covariates:
            value = trait_at(self.subject, name, self.place.at)
            found += [0, 1] if value is None or isinstance(value, str) else [fixed(value), 0]
        return found

    def _overlapping(self, places: Mapping[str, Assignment]) -> list[tuple[PublishedPlan, str]]:
        """Companions whose window overlaps with this one's, and the unit's arm in them."""
        begins, ends = self.place.at, self.place.at + self.plan.primary.window
        return [
            (other, theirs.arm)
            for other in self.asked.companions
            if (theirs := places.get(other.plan.id)) is not None
            and theirs.at < ends
            and begins < theirs.at + other.plan.primary.window
        ]

    def _part(self, *columns: int) -> Part:
        return Part(2, stacked(2, self.treated, columns))

    def _count(self, name: str, amount: int = 1, of: str = "") -> None:
        """Count the unit in its arm."""
        self._total(f"{self.place.arm}:{of}" if of else self.place.arm, name, amount)

    def _total(self, group: str, name: str, amount: int) -> None:
        """Count in both arms together."""
        counter = counted(group, name)
        self.counts[counter] = self.counts.get(counter, 0) + amount


@lru_cache(maxsize=65_536)
def counted(group: str, name: str) -> Counted:
    """A counter. Units alike share one, as they do vectors."""
    return group, name


@lru_cache(maxsize=65_536)
def stacked(blocks: int, block: int, columns: tuple[int, ...]) -> Vector:
    """A vector with these columns in one of its blocks. Units alike share one: there are few distinct ones."""
    nothing = (0,) * len(columns)
    return tuple(amount for one in range(blocks) for amount in (columns if one == block else nothing))


def segment_label(value: Trait | None) -> str:
    """A trait's value as the name of a segment."""
    return "(none)" if value is None else str(value)[:64]

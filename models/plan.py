"""An experiment's plan: what is tried, on whom, judged by what. Frozen when it is published."""

import hashlib
from datetime import UTC, datetime
from functools import cached_property
from math import isfinite
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType, field

from models.clock import DAY, micros
from models.product import Product

Share = Annotated[float, Meta(gt=0, lt=1)]
Part = Annotated[float, Meta(ge=0, le=1)]
Id = Annotated[str, Meta(min_length=1, max_length=128, pattern=r"^[A-Za-z0-9._-]+$")]
METRICS = "converted|tasks_completed|retained|mrr|utilisation|tickets"
METRIC_KINDS = "task_completed|time_to|helped|adopted|concept_correct|outcome"
FORM = 2
"""Of what partitions tell of an experiment (`models.tally.Share`): who has told another form has to tell it anew."""
MetricName = Annotated[str, Meta(pattern=rf"^(?:(?:{METRICS})|(?:{METRIC_KINDS}):.{{1,128}})$")]


class Uptake(Struct, frozen=True, forbid_unknown_fields=True):
    """What counts as having taken the offer: a help engagement of a source, or merely having been exposed."""

    type: Literal["help_engaged", "experiment_exposed"] = "help_engaged"
    source: Literal["CS", "OTHER"] | None = None


class Exclusive(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A slot of a group of experiments that must not meet: accounts are divided by hash over the whole from 0 to 1."""

    group: Id
    begin: Part = field(name="from", default=0.0)
    end: Part = field(name="to", default=1.0)

    def clashes(self, other: "Exclusive") -> bool:
        """Whether some account falls into both slots."""
        return self.group == other.group and self.begin < other.end and other.begin < self.end


class Experiment(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Units, arms and rules. `exclusive` is left out of the file, and so of the hash, where there is none."""

    id: Id
    hypothesis: Annotated[str, Meta(max_length=2000)] = ""
    unit: Literal["account", "user"] = "account"
    randomised_by: Literal["account", "user"] = "account"
    control: str
    arms: Annotated[dict[str, Share], Meta(min_length=2, max_length=2)]
    starts_at: Annotated[datetime, Meta(tz=True)]
    planned_units: Annotated[int, Meta(ge=2)]
    min_days: Annotated[float, Meta(ge=0, le=3660)] = 7.0
    analysis: Literal["sequential", "fixed"] = "sequential"
    analyse_at: Annotated[datetime, Meta(tz=True)] | None = None
    alpha: Share = 0.05
    uptake: Uptake = Uptake()
    covariates: Annotated[tuple[str, ...], Meta(max_length=8)] = ()
    segments: Annotated[tuple[str, ...], Meta(max_length=4)] = ()
    exclusive: Exclusive | UnsetType = UNSET


class SampleRatio(Struct, frozen=True, forbid_unknown_fields=True):
    alpha: Share = 0.01
    concentration: Annotated[float, Meta(gt=0)] = 100.0


class Metric(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, dict=True):
    name: MetricName
    role: Literal["primary", "secondary", "guardrail"] = "secondary"
    window_days: Annotated[float, Meta(gt=0, le=400)] = 30.0
    minimum_effect: float = 0.0
    margin: float | None = None
    higher_is_better: bool = True

    @cached_property
    def window(self) -> int:
        """How long after assignment the outcome is read, in microseconds."""
        return round(self.window_days * DAY)

    @property
    def smallest_gain(self) -> float:
        """The smallest effect that matters, in the direction in which more is better, however its sign is written."""
        return abs(self.minimum_effect) if self.higher_is_better else -abs(self.minimum_effect)

    @property
    def task(self) -> str | None:
        """The task that the metric is about, as journeys name it; None where it is about something else."""
        kind, _, about = self.name.partition(":")
        return about if kind in ("task_completed", "time_to") else None


class Plan(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, dict=True):
    """A whole plan file. The first arm named `control` is compared against the other one."""

    experiment: Experiment
    metric: Annotated[tuple[Metric, ...], Meta(min_length=1)]
    srm: SampleRatio = SampleRatio()

    @property
    def id(self) -> str:
        return self.experiment.id

    @property
    def treatment(self) -> str:
        """The arm that is not the control."""
        return next(arm for arm in self.experiment.arms if arm != self.experiment.control)

    @cached_property
    def starts_at(self) -> int:
        return micros(self.experiment.starts_at)

    @property
    def analyse_at(self) -> int | None:
        """The one date of a fixed analysis, in microseconds."""
        stated = self.experiment.analyse_at
        return None if stated is None else micros(stated)

    @cached_property
    def primary(self) -> Metric:
        return next(metric for metric in self.metric if metric.role == "primary")

    @property
    def exclusive(self) -> Exclusive | None:
        """The slot of an exclusive group that the experiment keeps to, if any."""
        slot = self.experiment.exclusive
        return None if isinstance(slot, UnsetType) else slot

    @property
    def hash(self) -> str:
        """Fingerprint of everything the plan says, whatever zone its moments are written in.

        A published plan with another fingerprint is refused.
        """
        experiment = self.experiment
        analyse_at = experiment.analyse_at
        in_utc = msgspec.structs.replace(
            experiment,
            starts_at=experiment.starts_at.astimezone(UTC),
            analyse_at=None if analyse_at is None else analyse_at.astimezone(UTC),
        )
        said = msgspec.json.encode(msgspec.structs.replace(self, experiment=in_utc), order="deterministic")
        return hashlib.sha256(said).hexdigest()[:16]


State = Literal["draft", "queued", "running", "stopped"]


class Word(Struct, frozen=True):
    """Who brought an experiment into a state, when (microseconds), and why."""

    state: State
    at: int
    by: str
    why: str = ""


class PublishedPlan(Struct, frozen=True):
    """A plan on the `experiment-plans` topic (key: experiment), and where its experiment stands.

    Fields are only ever appended, with defaults: a record written before they existed is a plan that runs.
    """

    plan: Plan
    plan_hash: str
    retrospective: bool = False
    """Whether its data had begun to arrive before it was published."""
    state: State = "running"
    words: tuple[Word, ...] = ()
    place: int = 1
    """Among all experiments ever queued or applied, in that order from 1; 0 for a draft."""
    level: float | None = None
    """What the experiment may spend of the queue's false discovery rate, fixed when it got its place (e-LOND)."""
    runs_from: int | None = None
    """Assignments before it do not count, in microseconds; None: the plan's `starts_at`."""
    stopped_at: int | None = None
    """Assignments at or after it do not count; those before mature to their end."""

    @property
    def begins(self) -> int:
        """The instant from which assignments count."""
        return self.plan.starts_at if self.runs_from is None else self.runs_from

    def takes_in(self, at: int) -> bool:
        """Whether an assignment at this instant makes its unit one of the experiment's."""
        return self.begins <= at and (self.stopped_at is None or at < self.stopped_at)

    @property
    def counted(self) -> bool:
        """Whether workers read their rows against it: it runs, or has run and was stopped."""
        return self.state == "running" or (self.state == "stopped" and self.runs_from is not None)

    @property
    def fingerprint(self) -> str:
        """Changes exactly when rows must be read anew: with the plan, the assignments that count, and what is told."""
        said = f"{self.plan_hash} {self.begins} {self.stopped_at} {FORM}"
        return hashlib.sha256(said.encode()).hexdigest()[:16]


class PlanError(ValueError):
    """The plan is wrong or differs from the published one; the message names the field."""


def read_plan(text: bytes | str) -> Plan:
    """Parse and check a plan file; raises PlanError naming the field that is wrong."""
    try:
        plan = msgspec.toml.decode(text, type=Plan)
    except msgspec.MsgspecError as error:
        raise PlanError(str(error)) from error
    for complaint in _complaints(plan):
        raise PlanError(complaint)
    return plan


def check(plan: Plan, product: Product) -> list[str]:
    """What in a plan does not fit the product: tasks that are on no journey. Empty if all is well."""
    unknown = [metric for metric in plan.metric if metric.task is not None and metric.task not in product.tasks]
    known = ", ".join(sorted(product.tasks))
    return [f"metric {metric.name!r}: no journey has a task {metric.task!r}; there are {known}" for metric in unknown]


def _complaints(plan: Plan) -> list[str]:
    return [*_of_experiment(plan.experiment), *_of_metrics(plan)]


def _of_experiment(experiment: Experiment) -> list[str]:
    found = []
    if experiment.control not in experiment.arms:
        found.append(f"control {experiment.control!r} is not one of the arms {sorted(experiment.arms)}")
    if abs(sum(experiment.arms.values()) - 1) > 1e-9:
        found.append(f"arms: the shares add up to {sum(experiment.arms.values()):g}, not to 1")
    if experiment.unit == "account" and experiment.randomised_by == "user":
        found.append(
            'experiment.randomised_by: "user" would put both arms into one account, which is the unit: '
            'say unit = "user", or randomised_by = "account"'
        )
    if experiment.analysis == "fixed" and experiment.analyse_at is None:
        found.append("experiment.analyse_at: a fixed analysis needs its one date stated in advance")
    if experiment.analyse_at is not None and experiment.analyse_at <= experiment.starts_at:
        found.append("experiment.analyse_at: it is not after starts_at")
    for name, traits in (("covariates", experiment.covariates), ("segments", experiment.segments)):
        if len(set(traits)) != len(traits):
            found.append(f"experiment.{name}: a trait appears twice")
    slot = experiment.exclusive
    if isinstance(slot, Exclusive) and slot.begin >= slot.end:
        found.append(f"experiment.exclusive: nobody is from {slot.begin:g} to {slot.end:g}")
    return found


def _of_metrics(plan: Plan) -> list[str]:
    found = []
    if [metric.role for metric in plan.metric].count("primary") != 1:
        found.append('metric: exactly one must have role = "primary"')
    if len({metric.name for metric in plan.metric}) != len(plan.metric):
        found.append("metric: a name appears twice")
    for metric in plan.metric:
        if not isfinite(metric.minimum_effect):
            found.append(f"metric {metric.name!r}: minimum_effect is no number")
        if metric.name == "utilisation" and plan.experiment.unit == "user":
            found.append('metric "utilisation": seats in use are an account\'s, so it needs unit = "account"')
        if metric.role == "guardrail" and metric.margin is None:
            found.append(f"metric {metric.name!r}: a guardrail needs a margin, the harm that is put up with")
        if metric.role != "guardrail" and metric.margin is not None:
            found.append(f"metric {metric.name!r}: only a guardrail has a margin")
        if metric.margin is not None and not (isfinite(metric.margin) and metric.margin >= 0):
            found.append(f"metric {metric.name!r}: margin is {metric.margin:g}, but harm is put up with from 0 upwards")
    return found


def differences(published: Plan, changed: Plan) -> list[str]:
    """The fields in which a changed plan differs from the published one, as `path: old -> new`."""
    return sorted(_differences("", msgspec.to_builtins(published), msgspec.to_builtins(changed)))


def _differences(path: str, old: Any, new: Any) -> list[str]:
    if isinstance(old, dict) and isinstance(new, dict):
        return [
            line
            for key in {*old, *new}
            for line in _differences(f"{path}.{key}".lstrip("."), old.get(key), new.get(key))
        ]
    return [] if old == new else [f"{path}: {old!r} -> {new!r}"]

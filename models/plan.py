"""An experiment's plan: what is tried, on whom, judged by what. Frozen when it is published."""

import hashlib
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from models.clock import DAY, micros

Share = Annotated[float, Meta(gt=0, lt=1)]
Id = Annotated[str, Meta(min_length=1, max_length=128, pattern=r"^[A-Za-z0-9._-]+$")]
METRICS = "converted|tasks_completed|retained|mrr|utilisation|tickets"
METRIC_KINDS = "task_completed|time_to|helped|adopted|concept_correct|outcome"
MetricName = Annotated[str, Meta(pattern=rf"^(?:(?:{METRICS})|(?:{METRIC_KINDS}):.{{1,128}})$")]


class Uptake(Struct, frozen=True, forbid_unknown_fields=True):
    """What counts as having taken the offer: a help engagement of a source, or merely having been exposed."""

    type: Literal["help_engaged", "experiment_exposed"] = "help_engaged"
    source: Literal["CS", "OTHER"] | None = None


class Experiment(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
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
    covariates: tuple[str, ...] = ()
    segments: tuple[str, ...] = ()


class SampleRatio(Struct, frozen=True, forbid_unknown_fields=True):
    alpha: Share = 0.01
    concentration: Annotated[float, Meta(gt=0)] = 100.0


class Metric(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    name: MetricName
    role: Literal["primary", "secondary", "guardrail"] = "secondary"
    window_days: Annotated[float, Meta(gt=0, le=400)] = 30.0
    minimum_effect: float = 0.0
    margin: float | None = None
    higher_is_better: bool = True

    @property
    def window(self) -> int:
        """How long after assignment the outcome is read, in microseconds."""
        return round(self.window_days * DAY)


class Plan(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
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

    @property
    def starts_at(self) -> int:
        return micros(self.experiment.starts_at)

    @property
    def primary(self) -> Metric:
        return next(metric for metric in self.metric if metric.role == "primary")

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


class PublishedPlan(Struct, frozen=True):
    """A plan on the `experiment-plans` topic: frozen, with whether its data had begun to arrive before it."""

    plan: Plan
    plan_hash: str
    retrospective: bool = False


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


def _complaints(plan: Plan) -> list[str]:
    experiment = plan.experiment
    found = []
    if experiment.control not in experiment.arms:
        found.append(f"control {experiment.control!r} is not one of the arms {sorted(experiment.arms)}")
    if abs(sum(experiment.arms.values()) - 1) > 1e-9:
        found.append(f"arms: the shares add up to {sum(experiment.arms.values()):g}, not to 1")
    if [metric.role for metric in plan.metric].count("primary") != 1:
        found.append('metric: exactly one must have role = "primary"')
    if len({metric.name for metric in plan.metric}) != len(plan.metric):
        found.append("metric: a name appears twice")
    if any(metric.role == "guardrail" and metric.margin is None for metric in plan.metric):
        found.append("metric: a guardrail needs a margin")
    if experiment.analysis == "fixed" and experiment.analyse_at is None:
        found.append("experiment.analyse_at: a fixed analysis needs its one date stated in advance")
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

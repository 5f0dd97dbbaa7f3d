"""Advice before an experiment starts: can it see what it looks for, how long does it take, and whom does it meet?

Everything follows from numbers that somebody measured or stated. What is not known is said to be so, with what would
make it known; nothing is filled in silently.
"""

from collections.abc import Iterable
from math import ceil, isfinite, sqrt

from msgspec import Struct
from scipy.optimize import brentq

from models.clock import DAY, HOUR, rfc3339
from models.lifecycle import clashes
from models.plan import Metric, Plan, PublishedPlan
from models.power import always_valid_power, design_effect, drift_for, fixed_power

WANTED = 0.8
"""The power that experiments are usually planned for."""
LONGEST = 10.0
"""Multiples of planned_units up to which an answer is looked for."""
SHARES = ("converted", "retained")
SHARE_KINDS = ("task_completed", "helped", "adopted", "concept_correct")


class Known(Struct, frozen=True, kw_only=True):
    """The numbers there really are; None where nobody has measured or stated them."""

    units: int | None = None
    """Units that can be assigned on the first day."""
    arrivals_per_week: float | None = None
    base_rate: float | None = None
    """Share of units with the outcome, without the treatment; for primary metrics that are shares."""
    sd: float | None = None
    """Standard deviation of the primary metric between units; for amounts."""
    users_per_account: float | None = None
    users_variance: float | None = None
    icc: float = 0.05
    """How alike the users of an account are; .05 is usual, and it is assumed where nobody has said otherwise."""
    lateness: int = HOUR


class Running(Struct, frozen=True):
    """Another experiment that runs, with its counters where they are known."""

    published: PublishedPlan
    assigned: int | None = None
    exposed: int | None = None
    weeks: float | None = None
    """For how long it has run."""


class Power(Struct, frozen=True):
    """At planned_units. effect: the plan's minimum_effect in its favourable direction."""

    effect: float | None = None
    fixed: float | None = None
    """Looked at once."""
    always_valid: float | None = None
    """Looked at all the time, up to then."""
    detectable_fixed: float | None = None
    """The smallest effect that is seen with probability .8."""
    detectable_always_valid: float | None = None
    units_wanted: int | None = None
    """Units at which the always-valid read-out has seen the effect with probability .8."""
    because: str = ""


class Duration(Struct, frozen=True):
    """weeks: until planned_units are assigned. days: until they are mature and a verdict may be given."""

    weeks: float | None = None
    days: int | None = None
    answer_by: str | None = None
    because: str = ""


class Overlap(Struct, frozen=True):
    """share: the part of this experiment's units that also takes part in the other one."""

    experiment: str
    share: float


class Advice(Struct, frozen=True, kw_only=True):
    experiment: str
    units: dict[str, int]
    """By arm, at planned_units."""
    known: Known
    design_effect: float | None
    power: Power
    duration: Duration
    clashes: tuple[str, ...]
    overlaps: tuple[Overlap, ...]
    offers_per_unit_per_week: float | None
    """What a unit in all running experiments is shown already, at least: exposed units count once."""
    notes: tuple[str, ...]


def advise(plan: Plan, known: Known, running: Iterable[Running] = ()) -> Advice:
    """Everything that can be said before the start."""
    others = [other for other in running if other.published.plan.id != plan.id and other.published.state == "running"]
    overlaps = tuple([found for other in others if (found := _overlap(plan, other.published.plan)) is not None])
    grown, notes = _design_effect(plan, known)
    total = plan.experiment.planned_units
    return Advice(
        experiment=plan.id,
        units={arm: round(total * share) for arm, share in plan.experiment.arms.items()},
        known=known,
        design_effect=grown,
        power=_power(plan, known, grown),
        duration=_duration(plan, known),
        clashes=tuple(clashes(plan, [other.published for other in others])),
        overlaps=overlaps,
        offers_per_unit_per_week=_offers(others),
        notes=tuple(notes),
    )


def is_share(metric: Metric) -> bool:
    """Whether the metric is 0 or 1 for each unit."""
    return metric.name in SHARES or metric.name.partition(":")[0] in SHARE_KINDS


def _design_effect(plan: Plan, known: Known) -> tuple[float | None, list[str]]:
    experiment = plan.experiment
    if experiment.unit == "account":
        return 1.0, []
    if experiment.randomised_by == "user":
        return 1.0, [
            "users are randomised: accounts hold both arms, and nothing is added for how alike their users are"
        ]
    if known.users_per_account is None:
        return None, ["how many users an account has is not known (--users-per-account)"]
    mean, notes = known.users_per_account, [f"users of an account are taken to be alike by icc = {known.icc:g}"]
    variance = known.users_variance
    if variance is None:
        variance = mean**2
        notes.append("how much the number of users differs between accounts is not known: its sd is taken as its mean")
    return design_effect(mean, variance, known.icc), notes


def _power(plan: Plan, known: Known, grown: float | None) -> Power:
    metric, alpha = plan.primary, plan.experiment.alpha
    if grown is None:
        return Power(because="how many users an account has is not known (--users-per-account)")
    spread = _Spread(plan, known, grown)
    if spread.missing:
        return Power(because=spread.missing)

    def fixed(drift: float) -> float:
        return fixed_power(drift, alpha)

    def always_valid(drift: float) -> float:
        return always_valid_power(drift, alpha)

    once, always = (spread.effect_of(drift_for(power, WANTED)) for power in (fixed, always_valid))
    effect = spread.sign * metric.minimum_effect
    if effect * spread.sign <= 0:
        because = "the plan names no minimum_effect above 0, so there is nothing to have power for"
        return Power(None, None, None, once, always, None, because)
    if not spread.possible(effect):
        because = f"an effect of {effect:+g} on a share of {known.base_rate:g} is not possible"
        return Power(effect, None, None, once, always, None, because)
    drift = spread.drift(effect)
    return Power(effect, fixed(drift), always_valid(drift), once, always, _units_wanted(plan, drift))


class _Spread:
    """How uncertain the difference between the arms is when planned_units are in, for any effect."""

    def __init__(self, plan: Plan, known: Known, grown: float) -> None:
        experiment = plan.experiment
        share = experiment.arms[plan.treatment]
        self.parts = (experiment.planned_units * (1 - share) / grown, experiment.planned_units * share / grown)
        self.sign = 1 if plan.primary.higher_is_better else -1
        self.rate = known.base_rate if is_share(plan.primary) else None
        self.sd = known.sd
        self.missing = ""
        if is_share(plan.primary) and (self.rate is None or not 0 < self.rate < 1):
            self.missing = "how many have the outcome without the treatment is not known (--base-rate, between 0 and 1)"
        if not is_share(plan.primary) and not self.sd:
            self.missing = f"how much {plan.primary.name} differs between units is not known (--sd)"

    def possible(self, effect: float) -> bool:
        return self.rate is None or 0 < self.rate + effect < 1

    def drift(self, effect: float) -> float:
        """The effect in standard errors of its estimate."""
        if self.rate is None:
            variances = ((self.sd or 0.0) ** 2,) * 2
        else:
            variances = self.rate * (1 - self.rate), (self.rate + effect) * (1 - self.rate - effect)
        return abs(effect) / sqrt(variances[0] / self.parts[0] + variances[1] / self.parts[1])

    def effect_of(self, drift: float) -> float | None:
        """The effect, in the favourable direction, that is so many standard errors; None if none is possible."""
        if not isfinite(drift):
            return None
        if self.rate is None:
            return self.sign * drift / self.drift(1.0)
        limit = (1 - self.rate if self.sign > 0 else self.rate) * (1 - 1e-9)
        if self.drift(self.sign * limit) < drift:
            return None
        return self.sign * float(brentq(lambda size: self.drift(self.sign * size) - drift, 1e-12, limit))


def _units_wanted(plan: Plan, drift: float) -> int | None:
    """Units until the always-valid read-out reaches the wanted power; None beyond LONGEST times planned_units."""
    alpha = plan.experiment.alpha

    def lacking(until: float) -> float:
        return always_valid_power(drift, alpha, until) - WANTED

    if lacking(LONGEST) < 0:
        return None
    return ceil(plan.experiment.planned_units * float(brentq(lacking, 1e-3, LONGEST, xtol=1e-3)))


def _duration(plan: Plan, known: Known) -> Duration:
    """Until planned_units are assigned and the last is mature, in whole weeks and at least min_days."""
    experiment = plan.experiment
    part = _width(plan)
    ready = (known.units or 0) * part
    missing = experiment.planned_units - ready
    if missing > 0 and not known.arrivals_per_week:
        there = "how many units there are is not known (--units)" if known.units is None else f"{ready:.0f} are there"
        return Duration(
            because=f"{experiment.planned_units} units are needed and {there}; "
            "how many more come is not known (--arrivals-per-week)"
        )
    weeks = max(missing, 0.0) / ((known.arrivals_per_week or 1.0) * part)
    mature = weeks * 7 + plan.primary.window_days + known.lateness / DAY
    days = 7 * ceil(max(mature, experiment.min_days) / 7)
    return Duration(weeks, days, rfc3339(plan.starts_at + days * DAY))


def _width(plan: Plan) -> float:
    """The part of all accounts that the experiment can have."""
    slot = plan.exclusive
    return 1.0 if slot is None else slot.end - slot.begin


def _overlap(plan: Plan, other: Plan) -> Overlap | None:
    own, slot = plan.exclusive, other.exclusive
    if own is not None and slot is not None and own.group == slot.group:
        return None
    return Overlap(other.id, _width(other))


def _offers(others: Iterable[Running]) -> float | None:
    """What running experiments show to a unit in a week; None if it is known of none of them."""
    rates = [
        _width(other.published.plan) * other.exposed / other.assigned / other.weeks
        for other in others
        if other.assigned and other.weeks and other.exposed is not None
    ]
    return sum(rates) if rates else None

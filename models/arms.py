"""What one unit adds to its experiment's arms.

A unit counts in its *first* assigned arm (intention to treat). It is mature when it is at least window + lateness
old, and enters the estimates then, once, never earlier because it converted. The fuller engine (clusters, always-valid
sequences, complier effects) plugs in here and in `models.experiment`; both speak only in added counters.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from models.plan import Plan
from models.rows import Help, Row


class Subject(NamedTuple):
    """The facts of a unit that experiments ask about; account units are joined from their rows'."""

    assignments: Mapping[str, Mapping[str, int]]
    exposures: Mapping[str, list[int]]
    helps: tuple[Help, ...]
    converted_at: int | None


def subject_of(row: Row, converted_at: int | None) -> Subject | None:
    """The row as a subject, or None when no experiment can ask anything of it."""
    if not (row.assignments or row.exposures or row.helps or converted_at is not None):
        return None
    return Subject(row.assignments, row.exposures, tuple(row.helps), converted_at)


def join(subjects: Iterable[Subject]) -> Subject:
    """One account's rows as one unit: earliest assignment per arm, all exposures and helps, first conversion."""
    assignments: dict[str, dict[str, int]] = {}
    exposures: dict[str, list[int]] = {}
    helps: list[Help] = []
    conversions: list[int] = []
    for subject in subjects:
        for experiment, arms in subject.assignments.items():
            joined = assignments.setdefault(experiment, {})
            for arm, at in arms.items():
                joined[arm] = min(at, joined.get(arm, at))
        for experiment, shown in subject.exposures.items():
            exposures[experiment] = sorted([*exposures.get(experiment, ()), *shown])
        helps.extend(subject.helps)
        if subject.converted_at is not None:
            conversions.append(subject.converted_at)
    return Subject(assignments, exposures, tuple(sorted(helps)), min(conversions, default=None))


class Unit(NamedTuple):
    """A unit's part in one experiment: its arm, its counters, and when it will mature (None when it has)."""

    arm: str
    counters: tuple[str, ...]
    matures_at: int | None


def unit_of(subject: Subject, plan: Plan, now: int, lateness: int) -> Unit | None:
    """What this unit adds to the experiment's counters at `now`; None if it was never assigned to an arm of it."""
    arms = {arm: at for arm, at in subject.assignments.get(plan.id, {}).items() if arm in plan.experiment.arms}
    if not arms:
        return None
    assigned_at, arm = min((at, arm) for arm, at in arms.items())
    window = plan.primary.window
    converted = subject.converted_at
    names = ["assigned"]
    if len(arms) > 1:
        names.append("both_arms")
    if converted is not None and converted < assigned_at:
        names.append("outcome_before_assignment")
    if plan.id in subject.exposures:
        names.append("exposed")
    if _took_up(subject, plan, assigned_at):
        names.append("took_up")
    matures_at = assigned_at + window + lateness
    if matures_at > now:
        return Unit(arm, (*names, "immature"), matures_at)
    names.append("mature")
    if converted is not None and assigned_at <= converted < assigned_at + window:
        names.append("converted")
    return Unit(arm, tuple(names), None)


def _took_up(subject: Subject, plan: Plan, assigned_at: int) -> bool:
    """Uptake counts within the window and before the outcome: help sought after converting caused nothing."""
    uptake = plan.experiment.uptake
    end = assigned_at + plan.primary.window
    if subject.converted_at is not None and subject.converted_at >= assigned_at:
        end = min(end, subject.converted_at)
    if uptake.type == "experiment_exposed":
        return any(assigned_at <= shown < end for shown in subject.exposures.get(plan.id, ()))
    return any(assigned_at <= engaged.at < end and uptake.source in (None, engaged.source) for engaged in subject.helps)

"""The snapshot of an experiment, `experiment:{id}` (EVENTS.md), from its merged sums: everything that is published."""

from typing import Any

from msgspec import to_builtins

from models.arms import SOURCES_OF_HELP
from models.clock import DAY, rfc3339
from models.inference import sample_ratio
from models.inference.moments import Moments
from models.plan import PublishedPlan
from models.readout.beside import read_doses, read_help, read_landmarks, read_missing, read_successes, read_trend
from models.readout.compliers import read_cace
from models.readout.counts import read_exact
from models.readout.decision import decide
from models.readout.holm import adjusted_p
from models.readout.looks import Looks, looked
from models.readout.metric import (
    Arms,
    Question,
    arms_of,
    read_adjusted,
    read_arms,
    read_itt,
    read_power,
    read_sensitivity,
    read_triggered,
)
from models.readout.slices import by_week, by_weekday, interactions, segments
from models.readout.timing import lasting, read_by_day, read_time
from models.readout.written import chance, explained
from models.tally import Total

Snapshot = dict[str, Any]
FURTHEST = 3660 * DAY
METHOD = "e-LOND (Xu and Ramdas 2024)"


def read(published: PublishedPlan, total: Total, looks: Looks, time: int) -> tuple[Snapshot, Looks]:
    """The experiment at event time `time`, and what is known once and for all after this look at it."""
    plan = published.plan
    questions = {metric.name: Question(published, metric, total, time) for metric in plan.metric}
    primary, arms = questions[plan.primary.name], arms_of(questions)
    reading: Snapshot = {
        "experiment": plan.id,
        "hypothesis": plan.experiment.hypothesis,
        "plan": to_builtins(plan),
        "plan_hash": published.plan_hash,
        "retrospective": published.retrospective,
        "unit": plan.experiment.unit,
        "control": plan.experiment.control,
        "shares": dict(plan.experiment.arms),
        "arms": {arm: read_counts(total, primary, arm) for arm in plan.experiment.arms},
        "notes": read_notes(primary),
        "srm": read_sample_ratio(primary),
        "metrics": {name: read_metric(question, arms[name]) for name, question in questions.items()},
        "dose": read_doses(primary),
        "dose_trend": read_trend(primary),
        "landmark": read_landmarks(primary),
        "help": read_help(primary),
        "success": read_successes(primary),
    }
    _correct_secondaries(reading)
    level = published.level if published.level is not None else plan.experiment.alpha
    looks = looked(looks, reading, plan.experiment.alpha, plan.srm.alpha, level, time)
    reading["srm"]["healthy"] = looks.unhealthy_at is None and not _fails(reading["srm"]["p_final"], plan.srm.alpha)
    reading["queue"] = {"method": METHOD, "level": level, "rejected": looks.rejected_at is not None}
    reading["looks"] = _written(looks)
    reading["decision"] = decide(published, reading, looks, time)._asdict()
    return reading, looks


def read_counts(total: Total, question: Question, arm: str) -> dict[str, int]:
    """An arm in numbers; `missing` are mature units without a known primary outcome."""
    names = (
        "assigned",
        "exposed",
        "took_up",
        *(f"took_up:{source}" for source in SOURCES_OF_HELP),
        "mature",
        "immature",
    )
    counts = total.group(arm)
    found = {name: counts.get(name, 0) for name in names}
    everybody = total.moments.get("assigned")
    block = question.arms.index(arm)
    found["clusters"] = 0 if everybody is None else everybody.clusters[1 + block]
    found["missing"] = counts.get(f"missing:{question.metric.name}", 0)
    return found


def read_notes(primary: Question) -> Snapshot:
    """What may spoil the comparison: units in both arms, accounts in both arms, outcomes before, other experiments."""
    everybody = primary.total.moments.get("assigned")
    mixed = 0 if everybody is None else everybody.clusters[1] + everybody.clusters[2] - everybody.clusters[0]
    notes: Snapshot = {
        "both_arms": sum(primary.counts("both_arms")),
        "mixed_accounts": mixed,
        "outcome_before_assignment": sum(primary.counts("outcome_before_assignment")),
        "overlaps": interactions(primary),
    }
    if mixed:
        notes["spillover"] = (
            f"{mixed} accounts have users in both arms: help that is passed on between colleagues makes the effect "
            'look smaller than it is; assigning whole accounts (randomised_by = "account") avoids it'
        )
    return notes


def read_sample_ratio(question: Question) -> Snapshot:
    """Whether units reached the arms in the planned shares: of those that were randomised, before any exclusion."""
    plan, everybody = question.plan, question.total.moments.get("assigned")
    counts = (0, 0) if everybody is None else _randomised(everybody, plan.experiment.randomised_by)
    shares = [plan.experiment.arms[arm] for arm in question.arms]
    ended = question.published.stopped_at is not None or _analysed(question)
    read = {
        "counts": dict(zip(question.arms, counts, strict=True)),
        "e_value": chance(sample_ratio.e_value(counts, shares, plan.srm.concentration)),
        "p_final": chance(sample_ratio.p_final(counts, shares)) if ended and sum(counts) else None,
    }
    return explained(read, "the one final test comes when the experiment has been stopped")


def _randomised(everybody: Moments, by: str) -> tuple[int, int]:
    if by == "account":
        return everybody.clusters[1], everybody.clusters[2]
    return everybody.sums[0], everybody.sums[1]


def _analysed(question: Question) -> bool:
    date = question.plan.analyse_at
    return date is not None and question.time >= date


def _fails(p: float | None, alpha: float) -> bool:
    return p is not None and p < alpha


def read_metric(question: Question, arms: Arms) -> Snapshot:
    """Everything that is said of one metric."""
    in_time = lasting(question)
    itt = read_itt(question, arms)
    found: Snapshot = {
        "role": question.metric.role,
        "arms": read_arms(question),
        "itt": itt,
        "cuped": read_adjusted(question, arms),
        "cace": read_cace(question, arms, itt),
        "triggered": read_triggered(question, arms),
        "without_both_arms": read_sensitivity(question, arms),
        "missing": read_missing(question),
        "by_day": read_by_day(question, in_time),
        "time": read_time(question, in_time),
    }
    if min(arms.gate.units):
        found["exact"] = read_exact(question, arms.gate)
    if question.metric.role == "primary":
        found |= {
            "by_week_since_assignment": by_week(question),
            "by_weekday": by_weekday(question),
            "segments": segments(question),
            "power": read_power(question, arms),
            "answer_by": answer_by(question),
        }
    return {name: value for name, value in found.items() if value is not None}


def answer_by(question: Question) -> str | None:
    """The day by which the planned units will have matured at the rate so far; None while nobody comes, or when it is
    past."""
    assigned, immature = sum(question.counts("assigned")), sum(question.counts("immature"))
    stopped, begins = question.published.stopped_at, question.published.begins
    ran = min(question.time, stopped or question.time) - begins
    missing = question.plan.experiment.planned_units - assigned
    if assigned == 0 or ran <= 0:
        return None
    if stopped is not None or missing <= 0:
        last = begins + ran if immature else None
    else:
        last = question.time + round(ran * missing / assigned)
    if last is None or last > question.time + FURTHEST:
        return None
    ready = last + question.metric.window + DAY
    return rfc3339(ready // DAY * DAY)


def _correct_secondaries(reading: Snapshot) -> None:
    """Secondary metrics are many: Holm's correction of their p values, always valid and of one look."""
    secondary = [metric for metric in reading["metrics"].values() if metric["role"] == "secondary"]
    for name, corrected in (("p_always_valid", "p_always_valid_holm"), ("p", "p_holm")):
        known = [metric["itt"] for metric in secondary if metric["itt"].get(name) is not None]
        for itt, p in zip(known, adjusted_p([itt[name] for itt in known], len(secondary)), strict=True):
            itt[corrected] = p


def _written(looks: Looks) -> Snapshot:
    """First crossings and latches, as dates."""
    return {
        "unhealthy_at": _date(looks.unhealthy_at),
        "rejected_at": _date(looks.rejected_at),
        "crossed": {name: {key: rfc3339(at) for key, at in seen.items()} for name, seen in looks.crossed.items()},
    }


def _date(at: int | None) -> str | None:
    return None if at is None else rfc3339(at)

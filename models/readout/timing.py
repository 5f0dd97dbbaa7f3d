"""A metric's event over time since assignment, from every assigned unit, before anybody's window is over."""

from math import nan
from typing import Any

from models.inference.durations import Fold, bin_width, bins_of, edges, fold
from models.inference.survival import by_day, log_rank, median, restricted_means
from models.outcomes import kind_of
from models.readout.metric import Question
from models.readout.written import chance, explained, number

Snapshot = dict[str, Any]
NOT_HALF = "fewer than half of the units have had it within the window"
NOTHING_YET = "no unit has been watched for long enough, or hardly any has had it"
SEVERAL_UNITS = "accounts hold several units, which are not independent: the clustered effect is the one to believe"


def lasting(question: Question) -> tuple[Fold, Fold] | None:
    """Event times by bin in control and treatment; None for metrics without an event, or without units."""
    if not question.is_event and kind_of(question.metric) != "time_to":
        return None
    bins = bins_of(question.metric.window, bin_width(question.metric.window))
    control, treatment = (_fold(question, arm, bins) for arm in question.arms)
    return control, treatment


def _fold(question: Question, arm: str, bins: int) -> Fold:
    return fold(question.total.times.get(f"{arm}:{question.metric.name}") or [0] * (2 * bins + 1))


def read_by_day(question: Question, arms: tuple[Fold, Fold] | None) -> Snapshot | None:
    """Provisional share with the event by day since assignment, by arm: a cohort of one day is not blank for thirty.

    arms: what `lasting` found.
    """
    if arms is None:
        return None
    ends = edges(question.metric.window)
    return {
        arm: [{"day": one.day, "share": number(one.share), "at_risk": one.at_risk} for one in by_day(found, ends)]
        for arm, found in zip(question.arms, arms, strict=True)
    }


def read_time(question: Question, arms: tuple[Fold, Fold] | None) -> Snapshot | None:
    """Median hours, log-rank test and difference of restricted means, treatment minus control."""
    if arms is None:
        return None
    control, treatment = arms
    ends = edges(question.metric.window)
    means = restricted_means(control, treatment, ends)
    everybody = question.total.moments.get("assigned")
    independent = everybody is not None and everybody.singletons
    p = log_rank(control.events, control.at_risk, treatment.events, treatment.at_risk) if independent else nan
    medians = {arm: number(median(found, ends)) for arm, found in zip(question.arms, arms, strict=True)}
    read = {
        "log_rank_p": chance(p),
        "rmst_difference": number(means.difference),
        "rmst_se": number(means.se) if independent else None,
        "rmst_until_hours": number(means.until),
        "bin_hours": bin_width(question.metric.window) / 3_600_000_000,
    }
    return {"median": explained(medians, NOT_HALF), **explained(read, NOTHING_YET if independent else SEVERAL_UNITS)}

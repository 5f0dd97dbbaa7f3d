"""Whether a rule holds for what has been read: yes, no, or not to be known from it."""

from collections.abc import Callable, Iterator
from operator import attrgetter
from typing import NamedTuple

from models.alerts.evidence import Score, Shown, Signal
from models.alerts.rules import Rule, Stuck, When

POINTS_BACK = 3.0
"""A score has to come so far back over a threshold, as over the edge of a band, before the episode is over."""
SHARE_BACK = 0.9
"""Likewise revenue at risk and probability: to so much of the threshold, or beyond it by as much."""
DROP_BACK = 0.5
"""A drop is over when half of it has been made up for."""


class Condition(NamedTuple):
    """One condition of a rule.

    name, asked: the field of the rule and what it says. value: what a score shows of it. holds: of a score, and whether
    the alert is there already; then a threshold has to be passed clearly before the episode is over (hysteresis). None:
    not to be known from this message, whatever was the case before stays so. reason: what makes an alert another than
    one of the same rule.
    """

    name: str
    asked: object
    value: Callable[[Score], object]
    holds: Callable[[Score, bool], bool | None]
    reason: Callable[[Score], str]


def conditions(when: When) -> tuple[Condition, ...]:
    """The conditions of a rule that reads scores."""
    return tuple(_conditions(when))


def _conditions(when: When) -> Iterator[Condition]:
    if when.bands:
        bands = when.bands
        yield Condition("band", list(bands), lambda score: score.band, _within(bands), lambda score: score.band)
    if when.left_band is not None:
        band = when.left_band
        yield Condition("left_band", band, lambda score: score.band, _left(band), lambda _: f"left {band}")
    if when.score_below is not None:
        below = when.score_below
        yield Condition("score_below", below, lambda score: score.score, _below(below), lambda _: "score")
    if when.drop is not None:
        points, days = when.drop, when.within_days
        yield Condition(
            "drop",
            f"{points:g} in {days} days",
            lambda score: score.drop(days),
            _dropped(points, days),
            lambda _: "drop",
        )
    if when.probability_below is not None:
        below = when.probability_below
        yield Condition(
            "probability_below", below, lambda score: score.probability, _unlikely(below), lambda _: "probability"
        )
    if when.revenue_at_risk is not None:
        lost = when.revenue_at_risk
        yield Condition(
            "revenue_at_risk", lost, lambda score: score.revenue_at_risk, _at_risk(lost), lambda _: "revenue at risk"
        )
    for name in Shown.__struct_fields__:
        least = getattr(when, name)
        if least is not None:
            value = attrgetter(f"signs.{name}")
            yield Condition(name, least, value, _at_least(value, least), lambda _, name=name: name)
    if when.on_capacity_list:
        yield Condition(
            "on_capacity_list", True, lambda score: score.listed, lambda score, _: score.listed,
            lambda _: "on the capacity list",
        )  # fmt: skip


def _within(bands: tuple[str, ...]) -> Callable[[Score, bool], bool | None]:
    return lambda score, _: score.band in bands


def _left(band: str) -> Callable[[Score, bool], bool | None]:
    """Left since the last close; the episode lasts until the account is in it again."""
    return lambda score, was: score.band != band and (was or score.close.band == band)


def _below(threshold: float) -> Callable[[Score, bool], bool | None]:
    return lambda score, was: score.score < threshold + (POINTS_BACK if was else 0)


def _dropped(points: float, days: int) -> Callable[[Score, bool], bool | None]:
    def holds(score: Score, was: bool) -> bool | None:
        drop = score.drop(days)
        return None if drop is None else drop >= points * (DROP_BACK if was else 1)

    return holds


def _unlikely(threshold: float) -> Callable[[Score, bool], bool | None]:
    """No probability, no alert: an activity index is none."""

    def holds(score: Score, was: bool) -> bool | None:
        return None if score.probability is None else score.probability < (threshold / SHARE_BACK if was else threshold)

    return holds


def _at_risk(threshold: float) -> Callable[[Score, bool], bool | None]:
    def holds(score: Score, was: bool) -> bool | None:
        lost = score.revenue_at_risk
        return None if lost is None else lost >= threshold * (SHARE_BACK if was else 1)

    return holds


def _at_least(value: Callable[[Score], int | None], least: int) -> Callable[[Score, bool], bool | None]:
    def holds(score: Score, _: bool) -> bool | None:
        shown = value(score)
        return shown is not None and shown >= least

    return holds


class Judge:
    """A rule that reads scores, ready to be asked many times."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self.conditions = conditions(rule.when)
        self.first = self.conditions[0].holds
        """Where it does not hold, the rule does not: mostly that is all that needs to be asked."""
        self._segments = frozenset(rule.segments)

    def holds(self, score: Score, was: bool) -> bool | None:
        """Whether all conditions hold. One that does not is enough to know; None where the rest is not known."""
        if not self.concerns(score):
            return False
        found: bool | None = True
        for condition in self.conditions:
            one = condition.holds(score, was)
            if one is False:
                return False
            found = found and one
        return found

    def concerns(self, score: Score) -> bool:
        """Whether the account is in one of the rule's segments."""
        return not self._segments or score.trait("segment") in self._segments

    def reason(self, score: Score) -> str:
        """What makes this alert another than one of the same rule: being in `watch` is another than `at_risk`."""
        return ", ".join(condition.reason(score) for condition in self.conditions)


def stuck(asked: Stuck, signal: Signal) -> str | None:
    """The task at which a user is stuck, if that is what a rule asks for."""
    task = signal.stuck_at
    if task is None or (asked.journey is not None and asked.journey != signal.journey):
        return None
    if asked.task is not None and asked.task != task:
        return None
    return task


def reason_of(signal: Signal, task: str) -> str:
    """Whose trouble an alert is about, and where."""
    return f"{scope_of(signal)}{task}"


def scope_of(signal: Signal) -> str:
    """How the reasons of everything that is said of this user on this journey begin. A journey's id has no slash."""
    return f"{signal.journey}/{signal.user_id}/"

"""Whether a rule holds for what has been read: yes, no, or not to be known from it."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from models.alerts.evidence import Score, Signal
from models.alerts.rules import Rule, Stuck, When

POINTS_BACK = 3.0
"""A score has to come so far back over a threshold, as over the edge of a band, before the episode is over."""
SHARE_BACK = 0.9
"""Likewise revenue at risk and probability: to so much of the threshold, or beyond it by as much."""
DROP_BACK = 0.5
"""A drop is over when half of it has been made up for."""


class Condition(NamedTuple):
    """One condition of a rule, with its threshold.

    holds: of a score, and whether the alert is there already; then a threshold has to be passed clearly before the
    episode is over (hysteresis). None: not to be known from this message, whatever was the case before stays so.
    """

    reason: Callable[[Score], str]
    holds: Callable[[Score, bool], bool | None]


def conditions(when: When) -> tuple[Condition, ...]:
    """The conditions of a rule that reads scores."""
    return tuple(_conditions(when))


def _conditions(when: When) -> Iterator[Condition]:
    signs = "champion_gone_days", "trained_gone_days", "tickets_open", "payments_failed"
    if when.bands:
        yield Condition(lambda score: score.band, lambda score, _: score.band in when.bands)
    if when.left_band is not None:
        yield Condition(lambda _: f"left {when.left_band}", _left(when.left_band))
    if when.score_below is not None:
        yield Condition(lambda _: "score", _below(when.score_below))
    if when.drop is not None:
        yield Condition(lambda _: "drop", _dropped(when.drop, when.within_days))
    if when.probability_below is not None:
        yield Condition(lambda _: "probability", _unlikely(when.probability_below))
    if when.revenue_at_risk is not None:
        yield Condition(lambda _: "revenue at risk", _at_risk(when.revenue_at_risk))
    for name in signs:
        threshold = getattr(when, name)
        if threshold is not None:
            yield Condition(lambda _, name=name: name, _sign(name, threshold))
    if when.on_capacity_list:
        yield Condition(lambda _: "on the capacity list", lambda score, _: score.listed)


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


def _sign(name: str, threshold: int) -> Callable[[Score, bool], bool | None]:
    def holds(score: Score, _: bool) -> bool | None:
        shown = getattr(score.signs, name)
        return shown is not None and shown >= threshold

    return holds


class Judge:
    """A rule that reads scores, ready to be asked many times."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self._conditions = conditions(rule.when)
        self._segments = frozenset(rule.segments)

    def holds(self, score: Score, was: bool) -> bool | None:
        """Whether all conditions hold. One that does not is enough to know; None where the rest is not known."""
        if self._segments and score.trait("segment") not in self._segments:
            return False
        found: bool | None = True
        for condition in self._conditions:
            one = condition.holds(score, was)
            if one is False:
                return False
            found = found and one
        return found

    def reason(self, score: Score) -> str:
        """What makes this alert another than one of the same rule: being in `watch` is another than `at_risk`."""
        return ", ".join(condition.reason(score) for condition in self._conditions)


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

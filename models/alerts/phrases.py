"""The conditions of rules in words: what is said of an account for which one holds, why it does, and what to do."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from models.alerts import figures
from models.alerts.evidence import Score, instant_of
from models.alerts.names import name
from models.alerts.rules import Rule, When
from models.basis import HEURISTIC
from models.clock import date_of, day_of

BANDS = {"healthy": "healthy", "watch": "to be watched", "at_risk": "at risk"}
Says = Callable[[When, Score], str]


class Phrase(NamedTuple):
    """One condition. asked: whether a rule has it. title: said after the account's name. step: what to do; empty where
    that depends on what pulls the score down. of_model: it speaks of what an activity index does not tell."""

    asked: Callable[[When], bool]
    title: Says
    why: Says
    step: str = ""
    of_model: bool = False


def band(held: str) -> str:
    """A band in words."""
    return BANDS.get(held, name(held))


def of_rule(rule: Rule, score: Score) -> Iterator[Phrase]:
    """The conditions of a rule that such a score can meet, those first that tell what to do."""
    index = score.basis == HEURISTIC
    return (phrase for phrase in PHRASES if phrase.asked(rule.when) and not (index and phrase.of_model))


def dropped(when: When, score: Score) -> str:
    """How far a score has fallen, and since when. The closes themselves are told, so that anybody can look them up."""
    asked = (
        f"it fell by {figures.points(when.drop or 0)} points or more within {figures.count(when.within_days, 'day')}"
    )
    close = close_before(score, when.within_days)
    if close is None:
        return asked
    return f"{asked}: from {figures.score(close[1])} at the close of {close[0]} to {figures.score(score.score)}"


def close_before(score: Score, days: int) -> tuple[str, float] | None:
    """The comparable close that held so many days ago: the day on which it was made, and its score."""
    then = date_of(day_of(instant_of(score.at)) - days)
    return next((close for close in reversed(score.closes) if close[0] <= then), None)


PHRASES = (
    Phrase(
        lambda when: when.payments_failed is not None,
        lambda when, score: "has payments failing",
        lambda when, score: f"{figures.count(when.payments_failed or 0, 'payment')} or more failed since one succeeded",
        "Ask whoever pays whether their card or contact has changed.",
    ),
    Phrase(
        lambda when: when.champion_gone_days is not None,
        lambda when, score: "has lost its champion",
        lambda when, score: f"no champion was active for {figures.count(when.champion_gone_days or 0, 'day')} or more",
        "Find out who speaks for the product there now, and meet them.",
    ),
    Phrase(
        lambda when: when.trained_gone_days is not None,
        lambda when, score: "has lost its last trained user",
        lambda when, score: (
            f"nobody trained was active for {figures.count(when.trained_gone_days or 0, 'day')} or more"
        ),
        "Offer a training to those who use the product now.",
    ),
    Phrase(
        lambda when: when.tickets_open is not None,
        lambda when, score: "has tickets piling up",
        lambda when, score: f"{figures.count(when.tickets_open or 0, 'ticket')} or more are open",
        "Ask support what is open, and tell the account what happens next.",
    ),
    Phrase(lambda when: when.drop is not None, lambda when, score: "is falling", dropped),
    Phrase(
        lambda when: bool(when.bands),
        lambda when, score: f"is {band(score.band)}",
        lambda when, score: f"it is {band(score.band)}",
    ),
    Phrase(
        lambda when: when.left_band is not None,
        lambda when, score: f"is no longer {band(when.left_band or '')}",
        lambda when, score: f"it was {band(when.left_band or '')}, and is {band(score.band)}",
    ),
    Phrase(
        lambda when: when.score_below is not None,
        lambda when, score: "has a low score",
        lambda when, score: f"its score is below {figures.number(when.score_below or 0)}",
    ),
    Phrase(
        lambda when: when.revenue_at_risk is not None,
        lambda when, score: "has revenue at risk",
        lambda when, score: f"{figures.money(when.revenue_at_risk or 0)} a month or more are expected to be lost",
        of_model=True,
    ),
    Phrase(
        lambda when: when.probability_below is not None,
        lambda when, score: "is not likely to end well",
        lambda when, score: f"the probability of a good end is below {figures.percent(when.probability_below or 0)}",
        of_model=True,
    ),
    Phrase(
        lambda when: when.on_capacity_list is not None,
        lambda when, score: "is among the first to look at",
        lambda when, score: "it is on the capacity list",
    ),
)
"""In the order in which their steps are suggested."""

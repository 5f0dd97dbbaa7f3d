"""Which came first: the training, the adoption or the support contact? Before, after, or not known.

What is seen first need not have been first: a source may have been connected later. So the later of two is known to be
later only if its source was observed from before the earlier one, else nobody can tell.
"""

from typing import Literal

from models.education.learner import MILESTONES, SOURCE_OF, SOURCES, Instants

Order = Literal["before", "after", "unknown"]
PAIRS = (("training", "adoption"), ("training", "support_contact"), ("support_contact", "adoption"))
"""Whether the first of a pair came before or after the second."""
_PLACES = tuple(tuple((MILESTONES.index(one), SOURCES.index(SOURCE_OF[one])) for one in pair) for pair in PAIRS)


def order_of(first: int, second: int, first_history: int | None, second_history: int | None) -> Order:
    """Whether the first of two came before the second. Instants; a history is since when its source was observed."""
    if first < second:
        return "before" if second_history is not None and second_history < first else "unknown"
    if second < first:
        return "after" if first_history is not None and first_history < second else "unknown"
    return "unknown"


def orders(milestones: Instants, histories: Instants) -> list[tuple[str, str]]:
    """(pair, what is known of its order) of one user, for the pairs of which they did both."""
    found = []
    for pair, ((first, its), (second, others)) in zip(PAIRS, _PLACES, strict=True):
        one, other = milestones[first], milestones[second]
        if one is not None and other is not None:
            found.append((":".join(pair), order_of(one, other, histories[its], histories[others])))
    return found


def only_one(milestones: Instants) -> list[tuple[str, str]]:
    """(pair, which of it was done) of one user, for the pairs of which they did one only."""
    found = []
    for pair, ((first, _), (second, _)) in zip(PAIRS, _PLACES, strict=True):
        one, other = milestones[first] is not None, milestones[second] is not None
        if one != other:
            found.append((":".join(pair), f"only_{pair[0] if one else pair[1]}"))
    return found

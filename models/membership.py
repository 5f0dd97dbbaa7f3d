"""Who belongs to an account, and when: from the words on each user's membership."""

from collections.abc import Iterable

from models.clock import day_of
from models.rows import Membership


def membership(began: int, words: Iterable[Membership]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The days on which a user joined or came back, and those on which they left. What comes later changes neither.

    began: the day of the user's first event.
    """
    joined, left = [began], list[int]()
    for day, removed in {day_of(word.at): word.removed for word in words}.items():
        away = len(left) == len(joined)
        if removed != away:
            (left if removed else joined).append(day)
    return tuple(joined), tuple(left)


def here_on(day: int, first_at: int, words: Iterable[Membership]) -> bool:
    """Whether a user belongs to the account at the end of a day."""
    joined, left = membership(day_of(first_at), words)
    return sum(one <= day for one in joined) > sum(one <= day for one in left)

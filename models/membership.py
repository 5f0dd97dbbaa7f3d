"""Who belongs to an account, and when: from the words on each user's membership."""

from collections.abc import Iterable, Iterator, Sequence

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


def roles(words: Sequence[Membership]) -> Iterator[tuple[str, int, int | None]]:
    """The roles that a user has had: each with its first day and the day on which it was another or they had left."""
    last = {day_of(word.at): "" if word.removed else word.role for word in words}
    ends = [*list(last)[1:], None]
    return ((role, since, until) for (since, role), until in zip(last.items(), ends, strict=True) if role)


def here_on(day: int, first_at: int, words: Iterable[Membership]) -> bool:
    """Whether a user belongs to the account at the end of a day."""
    joined, left = membership(day_of(first_at), words)
    return sum(one <= day for one in joined) > sum(one <= day for one in left)

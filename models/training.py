"""How far the users of one account are trained, as far as is known now: plain counts, told with every score."""

from typing import NamedTuple

from models.account import Account
from models.dated import LESSONS


class Training(NamedTuple):
    """What there is to see of an account's users.

    users: those who belong to it. trained: those of them who have ever completed a lesson. checked: their first tries
    at concepts, one a user and concept; first_try_correct: those that were right. last_lesson: the day on which
    somebody last completed a lesson, whoever has left since; None if nobody has within the 400 days that are kept.
    """

    users: int
    trained: int
    checked: int
    first_try_correct: int
    last_lesson: int | None


def training_of(account: Account) -> Training:
    """The account's training, of everything that has been told: a lesson counts at once, whatever the clock says."""
    present, lessons = account.education.present.get, account.dated.get(LESSONS)
    last = max(lessons) if lessons else None
    return Training(present("users", 0), present("trained", 0), present("checked", 0), present("correct", 0), last)

"""Everybody in a recording as the report reads them: one person, one journey, when what happened."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from models.inference.moments import Moments, Vector, add_vectors
from models.outcomes import Window
from models.product import Journey
from models.rows import USER_KEY, Codec, Help, Row, owner_of, row_key
from models.subject import subject_of
from models.trouble import trouble_at

CODEC = Codec(Row)


class Person(NamedTuple):
    """Instants in microseconds; started, completed: one a task of the journey, None where it did not happen.

    trial: from the trial's start (without one, the first event) to its end. trouble: the first in the trial.
    """

    account: str
    trial: Window
    started: tuple[int | None, ...]
    completed: tuple[int | None, ...]
    helps: tuple[Help, ...]
    trouble: int | None
    converted_at: int | None

    @property
    def done_at(self) -> list[int]:
        """When tasks were completed, in order of time."""
        return sorted(at for at in self.completed if at is not None)

    @property
    def all_done(self) -> bool:
        """Whether every task was completed within the trial."""
        return all(self.trial.holds(at) for at in self.completed)


def people_of(rows: Mapping[bytes, bytes], journey: Journey) -> list[Person]:
    """The persons of a replay's rows who did anything, in the order of their keys. A person has converted, too, when
    the account as a whole has."""
    found = []
    for key in sorted(key for key in rows if key.startswith(USER_KEY)):
        account, _ = owner_of(key)
        row = CODEC.decode(rows[key])[0]
        of_account = rows.get(row_key(account, None))
        shared = None if of_account is None else CODEC.decode(of_account)[0].converted_at
        person = person_of(row, account, shared, journey)
        if person is not None:
            found.append(person)
    return found


def person_of(row: Row, account: str, shared: int | None, journey: Journey) -> Person | None:
    """A user's row as a person; None for one that holds no event."""
    begins = row.trial_at if row.trial_at is not None else row.first_at
    if begins is None:
        return None
    trial = Window(begins, begins + journey.trial)
    facts = [row.tasks.get(task) for task in journey.tasks]
    return Person(
        account=account,
        trial=trial,
        started=tuple(None if one is None else one.started for one in facts),
        completed=tuple(None if one is None else one.completed for one in facts),
        helps=tuple(row.helps),
        trouble=trouble_at(subject_of(row, True), trial, [journey]),
        converted_at=min((at for at in (row.converted_at, shared) if at is not None), default=None),
    )


def clustered(units: Iterable[tuple[str, Vector]], blocks: int, columns: int) -> Moments:
    """The moments of units' vectors, with their accounts as clusters."""
    by_account: dict[str, list[Vector]] = defaultdict(list)
    for account, vector in units:
        by_account[account].append(vector)
    moments = Moments(blocks, columns)
    nothing = (0,) * (blocks * columns)
    for vectors in by_account.values():
        moments.replace(nothing, add_vectors(vectors))
    return moments

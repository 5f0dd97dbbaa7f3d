"""What one row says of education: who was trained, did a key action, asked for support, answered, and when.

A few of these change with mere usage (months of visits, a first key action); the others with few events (`TOLD_BY`), so
that a row need not be read for them again after most.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from models import events as e
from models.education.months import month_at, month_of, months_of
from models.keeping import FIXED_POINT, active_days
from models.rows import Row

SOURCES = ("product", "training", "support")
"""Where facts come from: the product, the system that teaches, and the one in which customers are helped."""
MILESTONES = ("training", "support_contact", "adoption")
"""What may come first. Each is learned of from one source."""
SOURCE_OF = {"training": "training", "support_contact": "support", "adoption": "product"}
TRAINED, CONTACTED = "trained", "contacted"
TOLD_BY = frozenset({
    e.LessonStarted, e.LessonCompleted, e.ConceptChecked, e.SurveyAnswered, e.TicketOpened, e.TicketClosed,
    e.CsContacted,
})  # fmt: skip
"""Events after which a row is read again for education."""
ABOUT = ("product", "training", "support")
PROMOTER_FROM, DETRACTOR_TO = 9, 6

Instants = tuple[int | None, int | None, int | None]


class Answers(NamedTuple):
    """One respondent's answers on one matter in one month."""

    promoters: int = 0
    detractors: int = 0
    count: int = 0

    @property
    def net(self) -> int:
        return self.promoters - self.detractors


class Learner(NamedTuple):
    """A row's part in the sums of education, instants in microseconds. An account's own: tickets and histories."""

    stays: tuple[tuple[int, int | None], ...] = ()
    """The months in which the user came, and in which they were removed (None: is still there)."""
    months: tuple[int, ...] = ()
    """The months in which they visited and belonged to the account, the latest first."""
    milestones: Instants = (None, None, None)
    """When each of `MILESTONES` first was."""
    histories: Instants = (None, None, None)
    """The first event of each of `SOURCES`."""
    actions: tuple[str, ...] = ()
    """The key actions that they have done."""
    checks: Mapping[str, bool] = {}
    """concept -> whether the first try was correct."""
    answers: Mapping[tuple[str, int], Answers] = {}
    """(about, month) -> what they answered."""
    tickets: Mapping[tuple[str, int], int] = {}
    """(area, month) -> tickets."""

    @property
    def present(self) -> bool:
        """Whether they belong to the account."""
        return bool(self.stays) and self.stays[-1][1] is None

    @property
    def trained(self) -> bool:
        return self.milestones[0] is not None

    @property
    def adopted(self) -> bool:
        """Whether they have done a key action."""
        return self.milestones[2] is not None

    @property
    def understood(self) -> bool | None:
        """Whether more than half of their first tries at concepts were right; None where they were never asked."""
        return 2 * sum(self.checks.values()) > len(self.checks) if self.checks else None


NOBODY = Learner()
NOTHING: Mapping[Any, Any] = {}
NONE_YET: Instants = (None, None, None)


def learner_of(
    row: Row, user: bool, joined: tuple[int, ...], left: tuple[int, ...], key_actions: tuple[str, ...]
) -> Learner:
    """Read a row. joined, left: the days on which the user came and was removed."""
    tickets = NOTHING if not row.areas else {
        (area, month): count
        for area, days in row.areas.items()
        for month, count in _by_month(days).items()
    }  # fmt: skip
    histories = _histories(row)
    if not user:
        return Learner(tickets=tickets, histories=histories) if tickets or any(histories) else NOBODY
    stays = _stays(joined, left)
    return Learner(
        stays=stays,
        months=visited(row, stays),
        milestones=_milestones(row, key_actions),
        histories=histories,
        actions=_done(row, key_actions),
        checks={concept: correct for concept, (_, correct) in row.first_checks.items()}
        if row.first_checks
        else NOTHING,
        answers=_answers(row) if row.outcomes else NOTHING,
        tickets=tickets,
    )


def visited(row: Row, stays: tuple[tuple[int, int | None], ...]) -> tuple[int, ...]:
    """The months in which the user visited and, as the month ended, belonged to the account."""
    months = months_of(row.top_day, active_days(row))
    if len(stays) == 1 and stays[0][1] is None:
        return months
    return tuple(month for month in months if any(_here(month, *stay) for stay in stays))


def adopted_at(row: Row, key_actions: tuple[str, ...]) -> int | None:
    """When the user first did a key action."""
    uses = row.first_uses
    return min([uses[name] for name in key_actions if name in uses], default=None)


def only_used(row: Row, before: Learner, visits_moved: bool, key_actions: tuple[str, ...]) -> bool:
    """Whether what the row says of education is as before, of events that are not among `TOLD_BY`."""
    return (
        row.firsts.get("product") == before.histories[0]
        and (not key_actions or _used(row, key_actions) == (before.milestones[2], before.actions))
        and not (visits_moved and visited(row, before.stays) != before.months)
    )


def _used(row: Row, key_actions: tuple[str, ...]) -> tuple[int | None, tuple[str, ...]]:
    return adopted_at(row, key_actions), _done(row, key_actions)


def _done(row: Row, key_actions: tuple[str, ...]) -> tuple[str, ...]:
    return tuple([name for name in key_actions if name in row.first_uses])


def _milestones(row: Row, key_actions: tuple[str, ...]) -> Instants:
    found = row.firsts.get(TRAINED), row.firsts.get(CONTACTED), adopted_at(row, key_actions)
    return NONE_YET if found == NONE_YET else found


def _histories(row: Row) -> Instants:
    firsts = row.firsts
    return firsts.get("product"), firsts.get("training"), firsts.get("support")


def _stays(joined: tuple[int, ...], left: tuple[int, ...]) -> tuple[tuple[int, int | None], ...]:
    if len(joined) == 1 and not left:
        return _still_there(month_of(joined[0]))
    ends = [*map(month_of, left), *[None] * (len(joined) - len(left))]
    return tuple(zip(map(month_of, joined), ends, strict=True))


@lru_cache(1024)
def _still_there(since: int) -> tuple[tuple[int, int | None], ...]:
    """Most users are, and many have come in the same month: one value for all of those."""
    return ((since, None),)


def _here(month: int, since: int, until: int | None) -> bool:
    return since <= month and (until is None or month < until)


def since_in(stay: tuple[int, int | None], at: int | None) -> int | None:
    """The first month of a stay at the end of which something was true that was from an instant on; None: in none."""
    if at is None:
        return None
    month = max(stay[0], month_at(at))
    return month if _here(month, *stay) else None


def _by_month(days: Mapping[int, int]) -> Mapping[int, int]:
    found: dict[int, int] = {}
    for day, count in days.items():
        month = month_of(day)
        found[month] = found.get(month, 0) + count
    return found


def _answers(row: Row) -> Mapping[tuple[str, int], Answers]:
    found: dict[tuple[str, int], Answers] = {}
    for noted, days in row.outcomes.items():
        if noted.startswith("nps:"):
            _, about, score = noted.split(":")
            for month, amount in _by_month(days).items():
                before = found.get((about, month), Answers())
                found[about, month] = _and(before, int(score), amount // FIXED_POINT)
    return found


def _and(before: Answers, score: int, count: int) -> Answers:
    return Answers(
        before.promoters + count * (score >= PROMOTER_FROM),
        before.detractors + count * (score <= DETRACTOR_TO),
        before.count + count,
    )

"""One partition's sums of what its rows say of clocks, repeats and volume, kept true by replacing a row's part.

Two spans of time, each up to the present day and what is ahead of it: the drawn instants of the last weeks, and how
many people came on each of the last days.
"""

from msgspec import Struct

from models.account import shift_days
from models.adding import add_rows
from models.authenticity.drawing import Drawn
from models.clock import SECOND, day_of
from models.keeping import DAYS_KEPT
from models.rows import NEVER

SECONDS, TENTHS = 60, 10
REPEATED = SECONDS + TENTHS
"""Where, behind the cells of seconds and tenths, Σr, Σn, Σr², Σrn, Σn² of the events at the drawn instants stand."""
WIDTH = REPEATED + 5
DRAWN_DAYS, VISIT_DAYS = 28, 42


NO_VISITS = (NEVER, 0)


class Share(Struct):
    """A partition's sums as they travel. drawn: see `REPEATED`. visits: day -> people who came on it."""

    drawn: list[int]
    visits: dict[int, int]


class AuthenticitySums:
    """The sums of one partition at event time `now`."""

    def __init__(self, now: int = NEVER) -> None:
        self.visits: dict[int, int] = {}
        self.changed = False
        """Whether the share is no longer what was last sent."""
        self._by_day: dict[int, list[int]] = {}
        """day -> what was drawn on it."""
        self._today = day_of(now)

    def share(self) -> Share:
        drawn = add_rows([0] * WIDTH, *self._by_day.values())
        return Share(drawn, dict(sorted(self.visits.items())))

    def redraw(self, old: Drawn, new: Drawn) -> None:
        """Put what was drawn of a person in place of what was before."""
        self._add(old, -1)
        self._add(new, 1)
        self.changed = True

    def visit(self, old: tuple[int, int], new: tuple[int, int]) -> None:
        """Put a person's days of visits (top day, mask) in place of their former ones."""
        shift_days(self.visits, self._kept(old), self._kept(new))
        self.changed = True

    def advance(self, now: int) -> None:
        """Let time pass: what is longer ago than is kept is let go."""
        if day_of(now) == self._today:
            return
        self._today = day_of(now)
        for day in [day for day in self._by_day if day <= self._today - DRAWN_DAYS]:
            del self._by_day[day]
            self.changed = True
        for day in [day for day in self.visits if day <= self._today - VISIT_DAYS]:
            del self.visits[day]
            self.changed = True

    def _add(self, drawn: Drawn, sign: int) -> None:
        at, n, r = drawn
        day = day_of(at)
        if not n or day <= self._today - DRAWN_DAYS:
            return
        of_day = self._by_day.get(day)
        if of_day is None:
            of_day = self._by_day[day] = [0] * WIDTH
        of_day[at // SECOND % SECONDS] += sign
        if at % SECOND:  # whole seconds are times that are written to the second: they have no tenth
            of_day[SECONDS + at % SECOND // (SECOND // TENTHS)] += sign
        of_day[REPEATED + 1] += sign * n
        of_day[REPEATED + 4] += sign * n * n
        if r:
            of_day[REPEATED] += sign * r
            of_day[REPEATED + 2] += sign * r * r
            of_day[REPEATED + 3] += sign * r * n

    def _kept(self, visits: tuple[int, int]) -> tuple[int, int]:
        """The days that are not longer ago than is kept."""
        top, mask = visits
        days = min(top - (self._today - VISIT_DAYS), DAYS_KEPT)
        return (top, mask & (1 << days) - 1) if days > 0 else NO_VISITS

"""A recording's events as the checks of authenticity look at them."""

from array import array

import numpy as np

from models import events as e
from models.authenticity.observed import MISSING, Assigned, Dated, Events, Ints, Observed, Tasks
from models.clock import DAY, SECOND
from models.plan import Plan
from models.product import Journey

FREE = (e.SessionStarted, e.CoreAction, e.UsageReported)
"""What people do as often as they like; where it is recorded it is looked at, else the steps of the course."""
RESOLUTIONS = (DAY, SECOND, SECOND // 1000)


class Table:
    """Columns of whole numbers that grow row by row."""

    def __init__(self, columns: int) -> None:
        self._columns = [array("q") for _ in range(columns)]

    def add(self, *values: int) -> None:
        for column, value in zip(self._columns, values, strict=True):
            column.append(value)

    def columns(self) -> list[Ints]:
        return [np.array(column, dtype=np.int64) for column in self._columns]

    def __len__(self) -> int:
        return len(self._columns[0])


class Evidence:
    """Takes the events in the order in which they were recorded, repeats and all. plan: whose arms are looked at."""

    def __init__(self, journey: Journey, plan: Plan | None) -> None:
        self.tasks = {task: at for at, task in enumerate(journey.tasks)}
        self.series, self.plan = journey.order == "series", plan
        self.arms = {} if plan is None else {arm: at for at, arm in enumerate(plan.experiment.arms)}
        self._people: dict[tuple[str, str], int] = {}
        self._kinds: dict[type[e.Event], int] = {}
        self._free, self._steps, self._ends = Table(3), Table(3), Table(3)
        self._joined, self._help, self._converted, self._assigned = (Table(2) for _ in range(4))
        self._begun: dict[tuple[int, int], int] = {}
        self._done: dict[tuple[int, int], int] = {}

    def take(self, event: e.Event) -> None:
        """One event; what no check looks at is let go."""
        at = e.instant(event.at)
        who = self._people.setdefault((event.account_id, event.user_id or ""), len(self._people))
        match event:
            case e.TrialStarted():
                self._joined.add(who, at)
            case e.ExperimentAssigned() if self.plan is not None and event.properties.experiment == self.plan.id:
                arm = self.arms.get(event.properties.arm)
                if arm is not None:
                    self._assigned.add(who, arm)
            case e.TaskStarted() if event.properties.task in self.tasks:
                task = self.tasks[event.properties.task]
                self._steps.add(who, at, task)
                self._begun[who, task] = min(at, self._begun.get((who, task), at))
            case e.TaskCompleted() if event.properties.task in self.tasks:
                task = self.tasks[event.properties.task]
                self._ends.add(who, at, task)
                self._done[who, task] = min(at, self._done.get((who, task), at))
            case e.HelpEngaged():
                self._help.add(who, at)
            case e.Converted():
                self._converted.add(who, at)
            case _ if isinstance(event, FREE):
                self._free.add(who, at, self._kinds.setdefault(type(event), len(self._kinds)))
            case _:
                pass

    def observed(self) -> Observed:
        """The tables, those without a row left out."""
        events = self._events()
        assigned = None
        if self.plan is not None and len(self._assigned):
            assigned = Assigned(*self._assigned.columns(), tuple(self.plan.experiment.arms.values()))
        return Observed(
            events=events,
            resolution=self._resolution(events),
            assigned=assigned,
            joined=_dated(self._joined),
            tasks=self._attempts(),
            help=_dated(self._help),
            converted=_dated(self._converted),
        )

    def _events(self) -> Events | None:
        for table, free in ((self._free, True), (self._steps, False), (self._ends, False)):
            if len(table):
                user, at, kind = table.columns()
                return Events(user, at, kind, free=free)
        return None

    def _attempts(self) -> Tasks | None:
        pairs = sorted({*self._begun, *self._done})
        if not pairs:
            return None
        columns = [
            [who for who, _ in pairs],
            [task for _, task in pairs],
            [self._begun.get(pair, MISSING) for pair in pairs],
            [self._done.get(pair, MISSING) for pair in pairs],
        ]
        return Tasks(*(np.array(column, dtype=np.int64) for column in columns), series=self.series)

    def _resolution(self, events: Events | None) -> int:
        """The coarsest of days, seconds and milliseconds that every time is written in; whole minutes are not asked
        of, since who writes seconds claims them."""
        times = [*(table.columns()[1] for table in (self._joined, self._help, self._converted) if len(table))]
        times += [] if events is None else [events.at]
        return next((one for one in RESOLUTIONS if all((at % one == 0).all() for at in times)), 1)


def _dated(table: Table) -> Dated | None:
    return Dated(*table.columns()) if len(table) else None

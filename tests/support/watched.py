"""Data sets as a running system would see them on some day: rows, drawn instants and visits, as the core keeps them."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np

from models.authenticity.drawing import NOTHING_DRAWN, Drawn, draw, drawn_of
from models.authenticity.examined import Examined
from models.authenticity.live import RESOLUTIONS, counters_of_shares, examined
from models.authenticity.observed import Events, Observed
from models.authenticity.sums import NO_VISITS, AuthenticitySums
from models.clock import DAY, HOUR, SECOND, start_of
from models.events import Action, CoreAction, Event
from models.keeping import use
from models.rows import NEVER, Row
from tests.support.forgeries import MONDAY, Draw, N, lives
from tests.support.observed_sets import SETS, SUSPECT

MINUTE = 60 * SECOND
DAYS = 42
FOUR_WEEKS = 28
LAST = MONDAY // DAY + DAYS - 1
"""The last day of what forgers start from."""
UPLOAD = 23 * HOUR + 17 * SECOND + 123_000
"""When, in the evening, a batch of events is sent."""


class One(NamedTuple):
    """An event and its instant."""

    at: int
    event: Event


class Person(NamedTuple):
    """What is kept of a person on some day."""

    drawn: Drawn
    visits: tuple[int, int]


class Watched(NamedTuple):
    """A set. minutes: whether its times claim no more than minutes. after: days after its end on which it is looked at;
    None: on all days from the fifth week on."""

    folder: str
    read: Callable[[], Observed]
    accounts: int
    minutes: bool = False
    after: int | None = None

    @property
    def resolution(self) -> int:
        return RESOLUTIONS["minute" if self.minutes else "millisecond"]

    def days(self, events: Events) -> range:
        """The days at whose end somebody may look: the recording begins and ends with a hundredth of the events."""
        first, last = (int(one) for one in np.quantile(events.at // DAY, (0.01, 0.99)))
        return (
            range(min(first + FOUR_WEEKS, last), last + 1)
            if self.after is None
            else range(last + self.after, last + self.after + 1)
        )


WATCHED = {
    "answers": Watched("nps_service_appointments", SETS["answers"].read, 1000),
    "freemium": Watched("hubspot_freemium", SETS["freemium"].read, 1000),
    "submissions": Watched("oulad_subset", lambda: submissions(SETS["learners"].read()), 1000),
}
"""Made by people."""
BROKEN = {
    "listeners": Watched("sparkify_dend_logs", SUSPECT["listeners"].read, 90),
    "appointments": Watched("nps_service_appointments", SETS["appointments"].read, 150, True, 11),
}
"""Where an alarm is right: milliseconds that never change, and visits that are recorded no more."""


class Break(NamedTuple):
    """Broken recording. made: events of six weeks up to `LAST`. seen_by: checks, any of which may raise the alarm."""

    name: str
    made: Callable[[Draw], Events]
    seen_by: tuple[str, ...]


def submissions(observed: Observed) -> Observed:
    """Learners' submissions as events; the first presentation is taken to begin on `MONDAY`."""
    tasks = observed.tasks
    assert tasks is not None
    return Observed(events=Events(tasks.user, tasks.completed + MONDAY + 100 * DAY, tasks.task), resolution=DAY)


def people_on(events: Events, day: int) -> list[Person]:
    """Everybody as their rows are when a day is over."""
    kinds = np.zeros(len(events), dtype=np.int64) if events.kind is None else events.kind
    values = np.zeros(len(events)) if events.value is None else events.value
    acts: dict[tuple[int, float], CoreAction] = {}
    happened: dict[int, list[One]] = {}
    for user, at, kind, value in zip(
        events.user.tolist(), events.at.tolist(), kinds.tolist(), values.tolist(), strict=True
    ):
        if at < start_of(day + 1):
            act = acts.setdefault((kind, value), _act(f"{kind}:{value}"))
            happened.setdefault(user, []).append(One(at, act))
    return [_person(one) for one in happened.values()]


def looked_at(people: Iterable[Person], day: int, resolution: int) -> Examined:
    """What the checks find in the sums of these people's rows when a day is over."""
    sums = AuthenticitySums(start_of(day + 1))
    for one in people:
        sums.redraw(NOTHING_DRAWN, one.drawn)
        sums.visit(NO_VISITS, one.visits)
    return examined(counters_of_shares([sums.share()], day), resolution, day)


def _act(feature: str) -> CoreAction:
    return CoreAction(id="one", at=0.0, account_id="a", user_id="u", properties=Action(feature))


def _person(happened: list[One]) -> Person:
    row = Row([NEVER] * 3)
    draw(row, happened)
    for one in happened:
        use(row, one.at)
    return Person(drawn_of(row), (row.top_day, row.days))


# -- broken recording -------------------------------------------------------------------------------------------------


def clocked(draw_: Draw) -> Events:
    """Six weeks of people's events, to the millisecond, of 40 kinds."""
    events = lives(draw_)
    at = events.at + draw_.integers(0, 1000, len(events)) * 1000
    return Events(events.user, at, draw_.integers(0, 40, len(events)))


def standing_seconds(draw_: Draw) -> Events:
    """On the last three days every event has the same second."""
    events = clocked(draw_)
    stands = events.at >= start_of(LAST - 4)
    at = np.where(stands, events.at // MINUTE * MINUTE + 37 * SECOND + events.at % SECOND, events.at)
    return Events(events.user, at, events.kind)


def cut_to_minutes(draw_: Draw) -> Events:
    """One in ten people's times are cut to the minute."""
    events = clocked(draw_)
    cut = events.user % 10 == 0
    return Events(events.user, np.where(cut, events.at // MINUTE * MINUTE, events.at), events.kind)


def standing_milliseconds(draw_: Draw) -> Events:
    """A clock that moves on by whole seconds, from where it began."""
    events = clocked(draw_)
    return Events(events.user, events.at // SECOND * SECOND + 796_000, events.kind)


def sent_again(draw_: Draw) -> Events:
    """A producer repeats 5 % of its events under new ids."""
    events = clocked(draw_)
    return _with(events, draw_.random(len(events)) < 0.05)


def day_sent_twice(draw_: Draw) -> Events:
    """One of the last working days is there twice, under new ids."""
    events = clocked(draw_)
    return _with(events, events.at // DAY == LAST - 2 - int(draw_.integers(0, 5)))


def day_vanished(draw_: Draw) -> Events:
    """Nearly nothing has come of one working day of the last four weeks."""
    events = clocked(draw_)
    return _without(events, (events.at // DAY == _working_day(draw_)) & (draw_.random(len(events)) < 0.98))


def silent_end(draw_: Draw) -> Events:
    """Nothing has come since Thursday evening: a working day without anything, and a weekend."""
    events = clocked(draw_)
    return _without(events, events.at // DAY >= LAST - 2)


def time_of_sending(draw_: Draw) -> Events:
    """A working day's events all have the instant at which they were sent, in its evening."""
    events = clocked(draw_)
    day = LAST - 2 - int(draw_.integers(0, 5))
    at = np.where(events.at // DAY == day, start_of(day) + UPLOAD, events.at)
    return Events(events.user, at, events.kind)


def twice_as_many(draw_: Draw) -> Events:
    """On one working day twice as many people came: what a campaign does, too."""
    events = clocked(draw_)
    return _with(events, events.at // DAY == _working_day(draw_), others=N)


def half_lost(draw_: Draw) -> Events:
    """Half of the events of a working day are lost."""
    events = clocked(draw_)
    return _without(events, (events.at // DAY == _working_day(draw_)) & (draw_.random(len(events)) < 0.5))


def sent_one_by_one(draw_: Draw) -> Events:
    """A working day's events were sent one after the other in half an hour of its evening, and have those times."""
    events = clocked(draw_)
    day = LAST - 2 - int(draw_.integers(0, 5))
    sent = start_of(day) + UPLOAD + draw_.integers(0, 1_800_000, len(events)) * 1000
    return Events(events.user, np.where(events.at // DAY == day, sent, events.at), events.kind)


BREAKS = (
    Break("all seconds are the same on the last days", standing_seconds, ("second_of_minute",)),
    Break("one in ten people's times are cut to the minute", cut_to_minutes, ("second_of_minute",)),
    Break("milliseconds never change", standing_milliseconds, ("sub_second",)),
    Break("a producer repeats 5 % of the events under new ids", sent_again, ("duplicates",)),
    Break("a day's events are sent twice under new ids", day_sent_twice, ("duplicates",)),
    Break("a day vanishes", day_vanished, ("volume_break",)),
    Break("nothing comes any more, from a Friday on", silent_end, ("volume_break",)),
    Break(
        "a day's events get the time of sending, all at once", time_of_sending,
        ("second_of_minute", "sub_second", "duplicates"),
    ),
)  # fmt: skip
NOT_SEEN = (
    Break("on one day twice as many people come", twice_as_many, ("volume_break",)),
    Break("half of a day's events are lost", half_lost, ("volume_break",)),
    Break("a day's events get the time of sending, one by one", sent_one_by_one, ("second_of_minute", "sub_second")),
)
"""What is known not to be seen, so that nobody relies on it."""


def _working_day(draw_: Draw) -> int:
    return LAST - 6 - 7 * int(draw_.integers(0, 4)) + int(draw_.integers(0, 5))


def _with(events: Events, again: np.ndarray, others: int = 0) -> Events:
    """These events once more, of the same people or of others."""
    assert events.kind is not None
    rows = np.r_[np.arange(len(events)), np.flatnonzero(again)]
    user = np.r_[events.user, events.user[again] + others]
    return Events(user, events.at[rows], events.kind[rows])


def _without(events: Events, lost: np.ndarray) -> Events:
    assert events.kind is not None
    return Events(events.user[~lost], events.at[~lost], events.kind[~lost])

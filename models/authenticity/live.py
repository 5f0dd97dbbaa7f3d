"""The `authenticity` snapshot, read from all partitions' sums: whether recording is broken, as far as sums can tell."""

from collections.abc import Iterable
from typing import Any

from models.adding import add
from models.authenticity.counters import Cells, Counters, PerPerson, Repeated
from models.authenticity.examined import Examined
from models.authenticity.instrumentation import examine_instrumentation
from models.authenticity.sums import DRAWN_DAYS, REPEATED, SECONDS, VISIT_DAYS, WIDTH, Share
from models.clock import SECOND, date_of, day_of
from models.product import Product

RESOLUTIONS = {"millisecond": SECOND // 1000, "second": SECOND, "minute": 60 * SECOND}
DRAWN = (
    f"one instant of each person who did anything in the last {DRAWN_DAYS} days, drawn among those of their last day; "
    f"people who came on each of the last {VISIT_DAYS} days"
)
EVENTS_OF, DAYS_OF = "people's drawn events", "people"


def read(shares: Iterable[Share], product: Product, now: int) -> dict[str, Any]:
    """What the checks of instrumentation found. now: event time, -1 before it is known."""
    if now < 0:
        return {"day": None, "because": "no event time is known yet"}
    until = day_of(now - product.lateness) - 1
    counters = counters_of_shares(shares, until)
    found = examined(counters, RESOLUTIONS[product.authenticity.resolution], until)
    return {"day": date_of(until), "of": DRAWN, "people": counters.per_person.people, **found.report()}


def examined(counters: Counters, resolution: int, until: int) -> Examined:
    """The checks that mean broken recording, as they are made live. until: the last day that is over."""
    return examine_instrumentation(counters, resolution, until, events_of=EVENTS_OF, days_of=DAYS_OF)


def counters_of_shares(shares: Iterable[Share], until: int) -> Counters:
    """Partitions' sums as what the checks read. Each person has one instant, so that nobody repeats themselves.

    until: the last day whose visits count; later ones are not over.
    """
    drawn, visits = [0] * WIDTH, dict[int, int]()
    for share in shares:
        drawn = [a + b for a, b in zip(drawn, share.drawn, strict=True)]
        for day, people in share.visits.items():
            if until - VISIT_DAYS < day <= until:
                add(visits, day, people)
    seconds, repeated = _one_each(drawn[:SECONDS]), Repeated(*drawn[REPEATED:])
    return Counters(
        seconds=seconds,
        tenths=_one_each(drawn[SECONDS:REPEATED]),
        days=visits,
        repeated=repeated,
        per_person=PerPerson(seconds.totals, repeated.n, repeated.nn),
    )


def _one_each(counts: list[int]) -> Cells:
    return Cells(tuple(counts), sum(counts), sum(counts))

"""The `education` snapshot, read from all partitions' sums (docs/guides/education.md says what each number means)."""

from collections.abc import Mapping, Sequence
from typing import Any

from models.education.annotations import Annotation
from models.education.cells import CONCEPTS, SURVEYS, USERS
from models.education.learner import ABOUT
from models.education.months import MONTHS_READ, month_at, name_of
from models.education.sums import ALL_TICKETS, AREAS, OF_AREA, fewest
from models.education.surveys import read_survey
from models.education.tickets import read_tickets
from models.education.users import (
    read_activity,
    read_adoption,
    read_comprehension,
    read_coverage,
    read_sequence,
    up_to,
)
from models.product import Product

Counts = Mapping[str, Mapping[str, int]]
"""One partial: name -> month, concept or cell -> count."""


def read(sums: Mapping[str, Counts], product: Product, annotations: Sequence[Annotation], now: int) -> dict[str, Any]:
    """Everything that is said of education. sums: partial -> merged counts. now: event time, -1 before it is known."""
    if now < 0:
        return {"month": None, "because": "no event time is known yet"}
    present = month_at(now)
    months = range(present - MONTHS_READ + 1, present + 1)
    users, actions = sums.get(USERS, {}), product.actions.key
    concepts = sums.get(CONCEPTS, {})
    return {
        "month": name_of(present),
        "nps": {about: read_survey(sums.get(f"{SURVEYS}:{about}", {}), months) for about in ABOUT},
        "adoption": read_adoption(users, actions, months),
        "activity": read_activity(users, months, _told_month(users, months)),
        "comprehension": read_comprehension(users, concepts, sorted(fewest(concepts.get("checked", ()))), actions),
        "coverage": read_coverage(users, months),
        "tickets": _tickets(sums, months, annotations),
        "sequence": read_sequence(users, actions),
    }


def _told_month(users: Counts, months: Sequence[int]) -> int | None:
    """The last month that is over, if there were users in it, else the present one; None without users."""
    known = up_to(users, "known", months)
    return next((month for month in (months[-2], months[-1]) if known[month]), None)


def _tickets(sums: Mapping[str, Counts], months: Sequence[int], annotations: Sequence[Annotation]) -> dict[str, Any]:
    told = fewest(id_ for id_, counts in sums.items() if id_.startswith(OF_AREA) and any(counts.values()))
    areas = {id_.removeprefix(OF_AREA): _by_month(sums[id_]) for id_ in told}
    return read_tickets(_by_month(sums.get(ALL_TICKETS, {})), areas, months, annotations)


def _by_month(counts: Counts) -> dict[str, dict[int, int]]:
    return {name: {int(month): count for month, count in of.items()} for name, of in counts.items() if name != AREAS}

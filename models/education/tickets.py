"""How tickets read: by area of the product and month for each active user, and around what was done about them."""

from collections.abc import Mapping, Sequence
from typing import Any

from models.clock import rfc3339
from models.education.annotations import Annotation
from models.education.months import month_at, name_of
from models.education.rates import Merged, Ratio, between, month_in, rate_ratio
from models.readout.written import bounds, number

NO_AREA = "(no area)"
OBSERVATIONAL = "Observed, not tried: whatever else changed in these months changed tickets, too."
TOO_FEW = "one of the months has no tickets or no active users, or there are not two accounts that differ"
NOT_OVER = "the month after it is not over yet"
TOO_OLD = "the month before it is no longer kept"
NO_TICKETS_OF_AREA = "no ticket of this area is told of"


def read_tickets(
    everywhere: Merged, areas: Mapping[str, Merged], months: Sequence[int], annotations: Sequence[Annotation]
) -> dict[str, Any]:
    """All tickets and those of each area. months: those told of, the present one (not over) the last of them."""
    over = months[:-1]
    return {
        "all": _area(everywhere, everywhere, months, over),
        "areas": {area or NO_AREA: _area(of, everywhere, months, over) for area, of in sorted(areas.items())},
        "annotations": [_around(one, everywhere, areas, over) for one in annotations],
        "note": OBSERVATIONAL,
    }


def _area(of: Merged, everywhere: Merged, months: Sequence[int], over: Sequence[int]) -> dict[str, Any]:
    by_month = []
    for month in months:
        found = month_in(of, everywhere, month)
        if found.tickets or found.active:
            rate = number(found.tickets / found.active) if found.active else None
            by_month.append({
                "month": name_of(month),
                "tickets": found.tickets,
                "active_users": found.active,
                "per_active_user": rate,
            })  # fmt: skip
    return {"by_month": by_month, "month_over_month": _compared(of, everywhere, over[-2], over[-1])}


def _around(
    annotation: Annotation, everywhere: Merged, areas: Mapping[str, Merged], over: Sequence[int]
) -> dict[str, Any]:
    """The whole month before against the whole month after; the month in which it was done belongs to neither."""
    told: dict[str, Any] = {
        "id": annotation.id,
        "at": rfc3339(annotation.instant),
        "what": annotation.what,
        "area": annotation.area,
    }
    month = month_at(annotation.instant)
    of = everywhere if annotation.area is None else areas.get(annotation.area)
    because = NOT_OVER if month + 1 > over[-1] else TOO_OLD if month - 1 < over[0] else None
    if because is not None or of is None:
        return {**told, "ratio": None, "because": because or NO_TICKETS_OF_AREA}
    told |= _compared(of, everywhere, month - 1, month + 1)
    if annotation.area is not None:
        told["elsewhere"] = _elsewhere(of, everywhere, month)
    return told


def _compared(of: Merged, everywhere: Merged, first: int, second: int) -> dict[str, Any]:
    before, after = month_in(of, everywhere, first), month_in(of, everywhere, second)
    both = between(of, everywhere, first, second)
    told = {"before": name_of(first), "after": name_of(second), "accounts": both.accounts}
    found = rate_ratio(before, after, both)
    if found is None:
        return {**told, "ratio": None, "because": TOO_FEW}
    return {**told, **_ratio(found)}


def _ratio(found: Ratio) -> dict[str, Any]:
    return {"ratio": number(found.ratio), "log_se": number(found.se), "ci": bounds(found.low, found.high)}


def _elsewhere(of: Merged, everywhere: Merged, month: int) -> float | None:
    """The same ratio of all other areas: what changed tickets of the whole product is in it, too."""
    rates = []
    for one in (month - 1, month + 1):
        all_, own = month_in(everywhere, everywhere, one), month_in(of, everywhere, one)
        rates.append((all_.tickets - own.tickets) / all_.active if all_.active else 0.0)
    return number(rates[1] / rates[0]) if rates[0] else None

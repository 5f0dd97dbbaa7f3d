"""Whether alerting helps: some accounts, drawn at random, are alerted to nobody, and what becomes of them is compared.

Whoever is alerted to is also whoever was at risk, so without a hold-out nobody can say what alerts change.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from models.health.seen import AT_RISK, HELD_OUT, Seen
from models.inference.proportions import newcombe
from models.readout.written import bounds, number

ALPHA = 0.05
NONE = "no account is held out of alerts: [capacity] hold_out in livelift.toml draws some at random"
NOBODY = "no account at risk is known yet by what became of it, in one of the two"


def alerting(seen: Sequence[Seen], share: float) -> dict[str, Any]:
    """What alerts change: how many of the accounts at risk had the event, held out and alerted to, and the difference.

    Every account counts once, by its first snapshot in the band `at_risk` in the time that is judged: later ones may be
    what they are because of alerts. As assigned (intention-to-treat), with Newcombe's interval (1998, method 10).
    """
    if not share:
        return {"hold_out": 0.0, "because": NONE}
    counts = {arm: _outcomes(seen, arm == "held_out") for arm in ("held_out", "alerted")}
    told: dict[str, Any] = {
        "hold_out": share,
        **{arm: {"accounts": n, "with_event": x} for arm, (x, n) in counts.items()},
    }
    (x1, n1), (x0, n0) = counts["alerted"], counts["held_out"]
    if not n1 or not n0:
        return {**told, "alerted_minus_held_out": None, "ci": None, "because": NOBODY}
    low, high = newcombe(x1, n1, x0, n0, ALPHA)
    return {**told, "alerted_minus_held_out": number(x1 / n1 - x0 / n0), "ci": bounds(float(low), float(high))}


def _outcomes(seen: Sequence[Seen], held_out: bool) -> tuple[int, int]:
    """Events and accounts among those at risk, of one arm."""
    first: dict[int, tuple[int, bool]] = {}
    for one in seen:
        flags = np.frombuffer(one.flags, "u1")
        chosen = (flags & AT_RISK != 0) & ((flags & HELD_OUT != 0) == held_out)
        days = np.frombuffer(one.day, "<i8")
        for account, day, label in zip(
            one.accounts()[chosen].tolist(), days[chosen].tolist(), one.labels()[chosen].tolist(), strict=True
        ):
            first[account] = min(first.get(account, (day, label)), (day, label))
    return sum(label for _, label in first.values()), len(first)

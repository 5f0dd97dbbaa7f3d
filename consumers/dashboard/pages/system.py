"""Health of the system: what came in, what was refused, how far everything is behind, and how old each snapshot is."""

from datetime import UTC, datetime

from consumers.dashboard import ages
from consumers.dashboard.letters import KEY
from consumers.dashboard.page import Asked, Page, View
from consumers.dashboard.read import Read
from consumers.dashboard.views import system as views

AGED = "quality", "funnel", "experiments", "at-risk", "model", "education", "authenticity", "alerts:rules"
MOST = 200
"""Experiments of which the age is shown."""


async def system(read: Read, _: Asked) -> View:
    """Rates, lag, refusals, ignored names, authenticity, ages."""
    held = await _aged(read)
    quality, authenticity, now = held["quality"], held["authenticity"], datetime.now(UTC)
    read.pace.take(quality)
    rates, letters = read.pace.rates(), await read.letters.latest()
    aged, stopped = ages.ages(held, now), ages.all_old(quality, now)
    troubles = views.troubles(held, aged, stopped)
    return View(
        "Health of the system",
        "system.html",
        {
            "quality": quality, "authenticity": authenticity, "pace": rates._asdict(),
            "dead-letters": letters._asdict(), "ages": [one._asdict() for one in aged], "troubles": troubles,
        },
        {
            "counted": [] if quality is None else views.counts(quality), "seen": quality,
            "pace": views.pace_in_words(rates), "lag": [] if quality is None else views.lag(quality),
            "refused": views.refused(quality, letters), "letters": letters,
            "ignored": [] if quality is None else views.ignored(quality), "authenticity": authenticity,
            "checks": views.checks(authenticity), "ages": aged, "troubles": troubles,
        },
        ("quality", *AGED[1:], "experiment:*", KEY),
    )  # fmt: skip


async def _aged(read: Read) -> dict[str, ages.Json | None]:
    """All at once, so that none is read before and another after they are written."""
    listed = ((await read.get("experiments")) or {}).get("experiments", [])[:MOST]
    keys = (*AGED, *(f"experiment:{one['experiment']}" for one in listed))
    return dict(zip(keys, await read.many(keys), strict=True))


async def age(read: Read, _: Asked) -> View:
    """When what came in was last published: asked by open pages, which show nothing else of it."""
    quality = await read.get("quality")
    return View("Age", "", {"published_at": (quality or {}).get("published_at")})


PAGES = (
    Page("/system", "/system", system, "Health of the system"),
    Page("/age", "/system", age, "When figures were last published", json_only=True),
)

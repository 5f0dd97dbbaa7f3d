"""Health of the system: what came in, what was refused, how far everything is behind, and how old each snapshot is."""

from consumers.dashboard.page import Asked, Page, View
from consumers.dashboard.read import Read

AGED = "quality", "funnel", "experiments", "at-risk", "model", "education", "authenticity", "alerts:rules"


async def system(read: Read, _: Asked) -> View:
    """Rates, lag, refusals, ignored names, authenticity, ages."""
    held = dict(zip(AGED, await read.many(AGED), strict=True))
    quality = held["quality"]
    return View("System", "system.html", held, {"held": held, "shown": quality}, ("quality", "authenticity"))


async def age(read: Read, _: Asked) -> View:
    """When snapshots were last published."""
    quality = await read.get("quality")
    published = (quality or {}).get("published_at")
    return View("Age", "system.html", {"published_at": published}, {"held": {}, "shown": quality}, ("quality",))


PAGES = (
    Page("/system", "/system", system, "Health of the system"),
    Page("/age", "/system", age, "When snapshots were last published"),
)

"""Times as people write them into files, read leniently enough to order by, never guessed."""

from datetime import UTC, datetime
from math import isfinite

from models.clock import from_seconds, micros


def instant_of(value: object) -> int:
    """Microseconds of RFC 3339, `YYYY-MM-DD HH:MM:SS` (taken as UTC) or epoch seconds; ValueError if it is neither."""
    if isinstance(value, str):
        moment = datetime.fromisoformat(value.strip())
        return micros(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    if isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value):
        return from_seconds(value)
    raise ValueError(f"not a time: {type(value).__name__}")

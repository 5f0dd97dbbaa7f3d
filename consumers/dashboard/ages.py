"""How old snapshots are, and whether one is older than it should be.

`published_at` alone does not tell. A snapshot is written again only when it has changed, so one of last week may be as
true as ever; only `quality` is written every second. What is true of each:

- `quality`: its `published_at` is when the publisher last lived. Older than `STALE_S`, every figure is old.
- `funnel`, `education`, `experiments`, `experiment:*`, `model`, `authenticity` are written by the same publisher, at
  once with `quality`, whenever they differ, and the event time they are of is a part of them. So they are as old as
  `quality` as long as both are of the same event time. One that stayed behind (its plan was withdrawn, or the workers
  are reading their rows anew) is old, whatever the publisher does.
- `at-risk` is read from rankings every five seconds and written when it differs; of which event time is not told. It is
  as old as `quality`.
- `model` is put together anew by the publisher, too, but what it says is the learner's: `learned`, its last day, tells
  whether that one still lives.
- `account:*` and `journeys:*` are written as messages come, each of its own time, and `alerts:*` when an alert has
  changed or a command was refused. Nothing of theirs tells a quiet account from a publisher that hangs; `quality` does.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

STALE_S = 30
"""Age of `quality`, which is published every second, from which everything is old."""
SETTLED_S = 10.0
"""A page may read one snapshot just before, another just after they are written; beyond that they differ."""
LEARNED_DAYS = 3
"""Days that the learner may be behind: a day is learned when it is over and everything late has come."""
Json = Mapping[str, Any]
NAMES = {
    "quality": "What came in", "funnel": "Onboarding funnels", "experiments": "List of experiments",
    "at-risk": "Capacity list", "model": "The model", "education": "Education", "authenticity": "Checks of recording",
    "alerts:rules": "Alert rules",
}  # fmt: skip
MERGED = "funnel", "education", "experiments", "model", "authenticity"
"""Written together with `quality`, and of its event time."""


class Age(NamedTuple):
    """A line of the table of ages. state: `good`, `bad` or neither, beside what it means in words."""

    key: str
    name: str
    of: str | None
    published_at: str | None
    state: str
    says: str

    @property
    def badge(self) -> str:
        return {"good": "Up to date", "bad": "Old"}.get(self.state, "")


def name_of_key(key: str) -> str:
    kind, _, rest = key.partition(":")
    return NAMES.get(key) or {"experiment": f"Experiment {rest}", "account": "This account"}.get(kind, key)


def seconds_since(text: Any, now: datetime) -> float | None:
    """Wall time since a moment that a snapshot tells; None where it tells none."""
    at = moment_of(text)
    return None if at is None else (now - at).total_seconds()


def moment_of(text: Any) -> datetime | None:
    try:
        at = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)


def lasting(seconds: float) -> str:
    """How long, as the band says it."""
    if seconds < 120:
        return f"{seconds:.0f} seconds"
    return f"{seconds / 60:.0f} minutes" if seconds < 7200 else f"{seconds / 3600:,.0f} hours"


def all_old(quality: Json | None, now: datetime, stale_s: float = STALE_S) -> str:
    """What stands over a page whose figures are all old; empty if they are not, or if it is not known."""
    since = seconds_since((quality or {}).get("published_at"), now)
    if since is None or since <= stale_s:
        return ""
    return f"What you see is old: nothing has been published for {lasting(since)}. Is a publisher running?"


def event_time(snapshot: Json | None) -> str | None:
    """The event time that a snapshot is of."""
    found: str | None = ((snapshot or {}).get("as_of") or {}).get("time")
    return found


def behind(snapshot: Json | None, quality: Json | None) -> bool:
    """Whether a merged snapshot has stayed behind the others."""
    if not snapshot or not quality or event_time(snapshot) is None or event_time(quality) is None:
        return False
    mine, theirs = moment_of(snapshot.get("published_at")), moment_of(quality.get("published_at"))
    if mine is None or theirs is None or (theirs - mine).total_seconds() <= SETTLED_S:
        return False
    return event_time(snapshot) != event_time(quality)


def left_behind(data: Any, quality: Json | None) -> list[Age]:
    """Of the merged snapshots that a page was made of those that are old, for a note on top of it."""
    if not isinstance(data, Mapping):
        return []
    held = {key: value for key, value in data.items() if isinstance(value, Mapping)}
    return [_age(key, value, quality) for key, value in held.items() if is_merged(key) and behind(value, quality)]


def is_merged(key: str) -> bool:
    return key in MERGED or key.startswith("experiment:")


def learner_behind(model: Json | None) -> int:
    """Days between the last day that was learned and event time, if they are more than they should be; else 0."""
    learned, now = (model or {}).get("learned"), moment_of(event_time(model))
    if learned is None or now is None:
        return 0
    days = (now.date() - date.fromisoformat(learned)).days
    return days if days > LEARNED_DAYS else 0


def ages(held: Mapping[str, Json | None], now: datetime) -> list[Age]:
    """The table of ages. held: by key, `quality` among them."""
    quality = held.get("quality")
    stopped = all_old(quality, now)
    return [_told(key, snapshot, quality, stopped) for key, snapshot in held.items()]


def _told(key: str, snapshot: Json | None, quality: Json | None, stopped: str) -> Age:
    if snapshot is None:
        return Age(key, name_of_key(key), None, None, "", "Not there yet")
    if stopped:
        return _age(key, snapshot, quality)._replace(state="bad", says="Nothing is being published")
    return _age(key, snapshot, quality)


def _age(key: str, snapshot: Json, quality: Json | None) -> Age:
    state, says = _state(key, snapshot, quality)
    return Age(key, name_of_key(key), event_time(snapshot), snapshot.get("published_at"), state, says)


def _state(key: str, snapshot: Json, quality: Json | None) -> tuple[str, str]:
    if key == "quality":
        return "good", "Published every second"
    if is_merged(key) and behind(snapshot, quality):
        return "bad", "It was not written again, although events went on"
    if key == "model" and (days := learner_behind(snapshot)):
        return "bad", f"The last day that was learned is {days} days ago. Is a learner running"
    if is_merged(key):
        return "good", "Nothing of it has changed since"
    if key == "at-risk":
        return "", "Written when it changes: as old as what came in"
    return "", "Written when an alert changes"

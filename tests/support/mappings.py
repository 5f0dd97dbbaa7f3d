"""Mappings of sources for tests, in as few words as what they say; they are read back from TOML as anybody's."""

import json
from typing import Any


def mapping(kind: str, name: str, path: str | None, *events: str, lookups: str = "", **source: Any) -> str:
    """A whole mapping. `events` as `event` writes them, `lookups` as `lookup` does; `source`: more of the source."""
    told = {"kind": kind, "name": name, **({} if path is None else {"path": path}), **source}
    return _section("[source]", told) + lookups + "".join(events)


def event(kind: str, at: Any, account: Any = None, user: Any = None, **more: Any) -> str:
    """One [[event]]; account and user may be left out where an alias tells them."""
    told = {"type": kind, "at": at, "account_id": account, "user_id": user, **more}
    return _section("[[event]]", {name: value for name, value in told.items() if value is not None})


def lookup(name: str, path: str, key: str, by: str | None = None) -> str:
    """Another table, of which the row with this key is found by what our row says (default: the same)."""
    return _section(f"[lookup.{name}]", {"path": path, "key": key, "by": by or key})


def _section(header: str, values: dict[str, Any]) -> str:
    return f"{header}\n" + "".join(f"{name} = {toml(value)}\n" for name, value in values.items())


def toml(value: Any) -> str:
    """A value on one line, tables within it inline."""
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{json.dumps(name)} = {toml(inner)}' for name, inner in value.items())} }}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(toml, value))}]"
    return json.dumps(value)


def lower(text: str) -> dict[str, Any]:
    """What a row says, in small letters."""
    return {"from": text, "lower": True}


LESSONS = mapping(
    "jsonl", "lms", "lms.jsonl",
    event("lesson_completed", "{at}", alias=lower("{email}"), properties={"lesson": "{lesson}"}),
)  # fmt: skip
"""Courses that know their learners by email only: who is not known yet waits."""


USED = event("core_action", "{at}", "{account}", properties={"feature": "{feature}"})
"""A feature that an account has used."""


def signed_up(**more: Any) -> str:
    """Segment's "Signed Up" as the start of a trial; `more`: further fields of the event."""
    when = {"type": "track", "event": "Signed Up"}
    return event("trial_started", "{timestamp}", "{context.groupId}", when=when, **more)

"""Segment objects and CloudEvents, read as if they were ours where they plainly are, else ignored by name.

A Segment `track` or a CloudEvent whose event name is one of our types maps onto it; `identify` and `group` set traits.
Everything else well-formed is counted by its name and left alone: other teams' events are not mistakes.
Sources: Segment, "Spec: Common Fields" (2024); CNCF, "CloudEvents 1.0.2", sections 3.1 and "JSON Event Format".
"""

from typing import Any, NamedTuple

from models.events import HOME

SEGMENT_KINDS = ("track", "identify", "group", "page", "screen", "alias")
NAME_LIMIT = 80


class ForeignEvent(NamedTuple):
    """The foreign event's name and, where there is a mapping, the same event in our form."""

    name: str
    ours: dict[str, Any] | None


def translate(loose: dict[str, Any]) -> ForeignEvent | None:
    """Read a decoded JSON object as a foreign event; None if it is not one (then it is ours, or wrong)."""
    if isinstance(loose.get("specversion"), str):
        return from_cloudevent(loose)
    if loose.get("type") in SEGMENT_KINDS and ("messageId" in loose or "userId" in loose or "anonymousId" in loose):
        return from_segment(loose)
    return None


def from_cloudevent(loose: dict[str, Any]) -> ForeignEvent:
    """CloudEvents, structured mode: `type` is our type, `data` holds account_id, user_id and properties."""
    name = str(loose.get("type"))[:NAME_LIMIT]
    data = loose.get("data")
    if name not in HOME or not isinstance(data, dict):
        return ForeignEvent(f"cloudevent:{name}", None)
    ours = {**data, "id": loose.get("id"), "type": name, "at": loose.get("time")}
    return ForeignEvent(f"cloudevent:{name}", _present(ours))


def from_segment(loose: dict[str, Any]) -> ForeignEvent:
    """Segment: `track` by its event name, `identify` and `group` as `traits_set`; the account is `groupId`."""
    kind = loose["type"]
    event = loose.get("event") if kind == "track" else None
    name = f"segment:{kind}" + (f":{str(event)[:NAME_LIMIT]}" if event is not None else "")
    context = loose.get("context")
    group = loose.get("groupId") or (context.get("groupId") if isinstance(context, dict) else None)
    person = loose.get("userId")
    common = {"id": loose.get("messageId"), "at": loose.get("timestamp"), "account_id": group or person}
    if kind == "track" and event in HOME:
        properties = loose.get("properties")
        return ForeignEvent(name, _present({**common, "type": event, "user_id": person, "properties": properties}))
    if kind in ("identify", "group"):
        traits = loose.get("traits")
        flat = (
            {k: v for k, v in traits.items() if isinstance(v, str | int | float | bool)}
            if isinstance(traits, dict)
            else {}
        )
        who = {"user_id": person} if kind == "identify" else {}
        return ForeignEvent(name, _present({**common, **who, "type": "traits_set", "properties": flat}))
    return ForeignEvent(name, None)


def _present(ours: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in ours.items() if value is not None}

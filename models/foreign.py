"""Segment objects and CloudEvents, read as if they were ours where they plainly are, else ignored by name.

A Segment `track` or a CloudEvent whose event name is one of our types maps onto it; `identify` and `group` set traits.
Everything else well-formed is counted by its name and left alone: other teams' events are not mistakes.
Sources: Segment, "Spec: Common Fields" (2024); CNCF, "CloudEvents 1.0.2", sections 3.1 and "JSON Event Format";
CNCF, "Kafka Protocol Binding for CloudEvents 1.0.2", section 3.2 (binary mode: attributes in `ce_` headers).
"""

from typing import Any, NamedTuple

from models.events import HOME
from models.record import Headers

SEGMENT_KINDS = ("track", "identify", "group", "page", "screen", "alias")
NAME_LIMIT = 80
ATTRIBUTE = "ce_"
MAPPED = frozenset(HOME) - {"forget"}
"""Our event types that a foreign event's name maps onto; nobody is forgotten because of a name."""


class ForeignEvent(NamedTuple):
    """The foreign event's name and, where there is a mapping, the same event in our form."""

    name: str
    ours: dict[str, Any] | None


def short_name(value: object) -> str:
    """What somebody called an event, cut short; of anything that is no text only its type."""
    return value[:NAME_LIMIT] if isinstance(value, str) else type(value).__name__


def translate(loose: dict[str, Any]) -> ForeignEvent | None:
    """Read a decoded JSON object as a foreign event; None if it is not one (then it is ours, or wrong)."""
    if isinstance(loose.get("specversion"), str):
        return from_cloudevent(loose)
    kind = loose.get("type")
    if isinstance(kind, str) and kind in SEGMENT_KINDS and not {"messageId", "userId", "anonymousId"}.isdisjoint(loose):
        return from_segment(kind, loose)
    return None


def binary_cloudevent(headers: Headers, data: object) -> ForeignEvent | None:
    """A CloudEvent in binary mode: its attributes come as headers, the record's value is its `data`."""
    attributes = {
        name.removeprefix(ATTRIBUTE): value.decode(errors="replace")
        for name, value in headers
        if name.startswith(ATTRIBUTE) and value is not None
    }
    return from_cloudevent({**attributes, "data": data}) if "specversion" in attributes else None


def from_cloudevent(loose: dict[str, Any]) -> ForeignEvent:
    """CloudEvents: `type` is our type, `data` holds account_id, user_id and properties."""
    kind, data = loose.get("type"), loose.get("data")
    name = f"cloudevent:{short_name(kind)}"
    if not isinstance(kind, str) or kind not in MAPPED or not isinstance(data, dict):
        return ForeignEvent(name, None)
    return ForeignEvent(name, _present({**data, "id": loose.get("id"), "type": kind, "at": loose.get("time")}))


def from_segment(kind: str, loose: dict[str, Any]) -> ForeignEvent:
    """Segment: `track` by its event name, `identify` and `group` as `traits_set`; the account is `groupId`."""
    event = loose.get("event") if kind == "track" else None
    name = f"segment:{kind}" + (f":{short_name(event)}" if event is not None else "")
    context = loose.get("context")
    group = loose.get("groupId") or (context.get("groupId") if isinstance(context, dict) else None)
    person = loose.get("userId")
    common = {"id": loose.get("messageId"), "at": loose.get("timestamp"), "account_id": group or person}
    if isinstance(event, str) and event in MAPPED:
        properties = loose.get("properties")
        return ForeignEvent(name, _present({**common, "type": event, "user_id": person, "properties": properties}))
    if kind in ("identify", "group"):
        traits = loose.get("traits")
        held = traits.items() if isinstance(traits, dict) else ()
        flat = {name: value for name, value in held if isinstance(value, str | int | float | bool)}
        who = {"user_id": person} if kind == "identify" else {}
        return ForeignEvent(name, _present({**common, **who, "type": "traits_set", "properties": flat}))
    return ForeignEvent(name, None)


def _present(ours: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in ours.items() if value is not None}

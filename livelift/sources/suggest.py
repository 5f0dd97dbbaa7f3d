"""What foreign systems send to us without a mapping, commonest first, each with a mapping to begin with."""

from difflib import get_close_matches
from typing import Any, NamedTuple

import msgspec
from confluent_kafka import Consumer, TopicPartition

from models.events import BY_TOPIC, HOME, SOURCES
from models.foreign import MAPPED
from streams.config import Surroundings

ASK_S = 10.0
WORDS = {
    "signup": "trial_started", "signed up": "trial_started", "trial": "trial_started", "login": "session_started",
    "logged in": "session_started", "session": "session_started", "page": "session_started",
    "screen": "session_started",
    "ticket": "ticket_opened", "conversation": "ticket_opened", "course completed": "lesson_completed",
    "lesson": "lesson_completed", "video": "lesson_completed", "article": "help_engaged", "help": "help_engaged",
    "order completed": "converted", "subscribed": "converted", "subscription": "converted", "upgrade": "converted",
    "purchase": "converted", "cancel": "churned", "payment failed": "payment_failed", "invited": "member_added",
    "survey": "survey_answered", "nps": "survey_answered",
}  # fmt: skip
"""Words in the names that other systems give to events -> our type; what none of them is in is a feature's use."""


class Suggestion(NamedTuple):
    """A foreign event's name, how often it came, and a mapping of it in TOML."""

    name: str
    count: int
    sample: str | None
    mapping: str


def suggestions(ignored: dict[str, Any], sample: Any, most: int) -> list[Suggestion]:
    """ignored: as the `quality` snapshot has it. sample: position -> the record there as JSON, or None."""
    named = ((name, held) for name, held in ignored.items() if name != "(others)")
    ranked = sorted(named, key=lambda item: (-item[1]["count"], item[0]))
    return [
        Suggestion(name, held["count"], held.get("sample"), mapping(name, sample(held.get("sample"))))
        for name, held in ranked[:most]
    ]


def mapping(name: str, record: dict[str, Any] | None) -> str:
    """An [[event]] for a foreign event, to be looked through by a person: the type is a guess by its name."""
    system, _, rest = name.partition(":")
    kind, _, event = rest.partition(":")
    if system == "segment":
        when = f'type = "{kind}"' + (f", event = {_quoted(event)}" if event else "")
        fields, within = (
            ('at = "{timestamp}"', 'account_id = "{context.groupId}"', 'user_id = "{userId}"'),
            "properties",
        )
        key = "{messageId}"
    else:
        when = f"type = {_quoted(rest)}"
        fields, within = ('at = "{time}"', 'account_id = "{data.account_id}"', 'user_id = "{data.user_id}"'), "data"
        key = "{id}"
    type_ = guess(event or rest)
    lines = ["[[event]]", f'type = "{type_}"', f"when = {{ {when} }}", *fields, f'id = "{key}"']
    return "\n".join([*lines, _properties(type_, event or rest, (record or {}).get(within), within)])


def guess(name: str) -> str:
    """The type of ours that a foreign name is most like."""
    said = name.replace("_", " ").replace(".", " ").lower()
    for word, type_ in WORDS.items():
        if word in said:
            return type_
    close = get_close_matches(said.replace(" ", "_"), sorted(MAPPED), n=1, cutoff=0.6)
    return close[0] if close else "core_action"


def _properties(type_: str, name: str, held: Any, within: str) -> str:
    """The type's properties, those that the record has by the same name taken from it, with all the names there are."""
    kind = next(kind for kind in BY_TOPIC[HOME[type_]] if kind.__struct_config__.tag == type_)
    about = next(field.type for field in msgspec.structs.fields(kind) if field.name == "properties")
    there = sorted(held) if isinstance(held, dict) else []
    taken = []
    if isinstance(about, type) and issubclass(about, msgspec.Struct):
        for field in msgspec.structs.fields(about):
            if field.name in there:
                taken.append(f'{field.name} = "{{{within}.{field.name}}}"')
            elif field.name == "feature":
                taken.append(f"feature = {_quoted(name)}")
            elif field.required:
                taken.append(f'{field.name} = "?"')
    comment = f"  # there are: {', '.join(there)}" if there else ""
    return f"properties = {{ {', '.join(taken)} }}{comment}"


def _quoted(text: str) -> str:
    return msgspec.json.encode(text).decode()  # a JSON string is a basic string of TOML, too


def record_at(here: Surroundings, where: str | None) -> dict[str, Any] | None:
    """The JSON object at `topic/partition/offset`; None if it is not there any more."""
    parts = (where or "").rsplit("/", 2)
    if len(parts) != 3 or parts[0] not in SOURCES:
        return None
    consumer = Consumer({**here.confluent, "group.id": "livelift-reader", "enable.auto.commit": False, "log_level": 3})
    try:
        consumer.assign([TopicPartition(here.topic(parts[0]), int(parts[1]), int(parts[2]))])
        message = consumer.poll(ASK_S)
        value: Any = None if message is None or message.error() else message.value()
        found = msgspec.json.decode(value) if value else None
        return found if isinstance(found, dict) else None
    except msgspec.MsgspecError:
        return None
    finally:
        consumer.close()

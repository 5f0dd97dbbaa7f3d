"""JSON Schema and AsyncAPI, generated from the event structs and the topic table; nothing here is kept by hand."""

from importlib.metadata import version
from typing import Any

import msgspec

from models.decode import one_of
from models.events import BY_TOPIC, Event, Forget, Tick
from streams.topics import SOURCES, TOPICS, Topic

DRAFT = "https://json-schema.org/draft/2020-12/schema"


def public_types(topic: int) -> tuple[type[Event] | type[Tick], ...]:
    """The event types other systems may send to a source topic (the forget request is our own)."""
    return (Tick, *(kind for kind in BY_TOPIC[topic] if kind is not Forget))


def json_schema() -> dict[str, Any]:
    """One schema for any event on any source topic, with a definition for every type."""
    kinds = [kind for topic in range(len(SOURCES)) for kind in public_types(topic) if kind is not Tick]
    return {"$schema": DRAFT, "title": "livelift events", **msgspec.json.schema(one_of((Tick, *kinds)))}


def asyncapi_document(partitions: int) -> dict[str, Any]:
    """An AsyncAPI 3.0 document of every topic, with the messages of the three source topics."""
    channels = {topic.name: _channel(topic, partitions) for topic in TOPICS}
    operations = {
        f"send-{topic}": {"action": "receive", "channel": {"$ref": f"#/channels/{topic}"}} for topic in SOURCES
    }
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "livelift", "version": version("livelift")},
        "defaultContentType": "application/json",
        "channels": channels,
        "operations": operations,
    }


def _channel(topic: Topic, partitions: int) -> dict[str, Any]:
    return {
        "address": topic.name,
        "description": f"key: {topic.key or 'none'}",
        "bindings": {
            "kafka": {"partitions": topic.partitions or partitions, "topicConfiguration": _configuration(topic)}
        },
        "messages": _messages(topic),
    }


def _configuration(topic: Topic) -> dict[str, Any]:
    config = topic.config()
    return {
        "cleanup.policy": [config["cleanup.policy"]],
        "retention.ms": int(config["retention.ms"]),
        "max.message.bytes": int(config["max.message.bytes"]),
    }


def _messages(topic: Topic) -> dict[str, Any]:
    if topic.name not in SOURCES:
        return {}
    kinds = public_types(SOURCES.index(topic.name))
    return {
        str(kind.__struct_config__.tag): {"payload": {"schemaFormat": DRAFT, "schema": msgspec.json.schema(kind)}}
        for kind in kinds
    }

"""Generates the parts of `docs/` that come from the code; `--check` only says whether they are up to date."""

import sys
from pathlib import Path

import msgspec

from livelift.schema import asyncapi_document, json_schema
from livelift.settings import Settings
from models.index import BANDS, WEIGHTS
from models.journey import REACHES, STATES, TRANSITIONS
from streams.topics import TOPICS

DOCS = Path(__file__).resolve().parents[1] / "docs"


def journey_states() -> str:
    """The transition table of a task, as a table and as a diagram."""
    head = "| state | " + " | ".join(REACHES) + " |\n|" + "---|" * (len(REACHES) + 1) + "\n"
    rows = "".join(
        f"| **{state}** | " + " | ".join(TRANSITIONS[state, given] for given in REACHES) + " |\n" for state in STATES
    )
    arrows = sorted(
        f"    {state} --> {reached}: {given}\n" for (state, given), reached in TRANSITIONS.items() if reached != state
    )
    diagram = f"```mermaid\nstateDiagram-v2\n    [*] --> untouched\n{''.join(arrows)}```\n"
    return f"# The states of a task\n\n{head}{rows}\n{diagram}"


def topics() -> str:
    """The topic table."""
    rows = "".join(
        f"| {topic.name} | {topic.key or '-'} | {topic.partitions or 'N'} | {topic.config()['cleanup.policy']} | "
        f"{topic.config()['retention.ms']} | {topic.message_limit:,} |\n"
        for topic in TOPICS
    )
    head = "| topic | key | partitions | policy | retention (ms) | message limit (bytes) |\n|---|---|---|---|---|---|\n"
    return f"# Topics\n\n{head}{rows}"


def index() -> str:
    """The weights of the activity index."""
    rows = "".join(f"| {name} | {weight} |\n" for name, weight in WEIGHTS.items())
    bands = ", ".join(f"{name} from {lowest / 100:g}" for name, lowest in BANDS)
    return f"# The activity index\n\n| input | points at its best |\n|---|---|\n{rows}\nBands: {bands}.\n"


def documents() -> dict[str, str]:
    """Every generated file by its name under `docs/generated`."""
    partitions = int(Settings.model_fields["partitions"].default)
    return {
        "journey-states.md": journey_states(),
        "topics.md": topics(),
        "activity-index.md": index(),
        "events.schema.json": pretty(json_schema()),
        "asyncapi.json": pretty(asyncapi_document(partitions)),
    }


def pretty(document: object) -> str:
    return msgspec.json.format(msgspec.json.encode(document), indent=1).decode() + "\n"


def outdated(folder: Path = DOCS / "generated") -> list[str]:
    """The generated files that differ from what the code says now."""
    held = {name: (folder / name).read_text() if (folder / name).exists() else None for name in documents()}
    return [name for name, text in documents().items() if held[name] != text]


def main() -> None:
    """Write the documents, or with --check exit 1 if any is out of date."""
    if "--check" in sys.argv[1:]:
        names = outdated()
        if names:
            print("out of date, run `make docs`:", ", ".join(names))
        sys.exit(1 if names else 0)
    (DOCS / "generated").mkdir(parents=True, exist_ok=True)
    for name, text in documents().items():
        (DOCS / "generated" / name).write_text(text)


if __name__ == "__main__":
    main()

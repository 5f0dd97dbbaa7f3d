"""Generates the parts of `docs/` that come from the code; `--check` only says whether they are up to date.

`--pictures` draws the pictures of alerts anew, which takes a Chromium and half a minute. `--screenshots` takes those of
the dashboard anew, from the demo as it is played through everything, in some minutes; a folder named after it gets each
at full size.
"""

import sys
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import msgspec
from pydantic.fields import FieldInfo

from livelift.schema import asyncapi_document, json_schema
from livelift.settings import BESIDE, PREFIX, Settings
from models.alerts.life import printed
from models.authenticity.thresholds import THRESHOLDS
from models.health.listed import INPUTS
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


def alert_states() -> str:
    """What each input makes of an alert."""
    rows = "".join(f"| {' | '.join(row)} |\n" for row in printed())
    head = "| state | input | becomes | transition | somebody is told |\n|---|---|---|---|---|\n"
    arrows = "".join(
        f"    {state.replace('absent', '[*]')} --> {to}: {given}\n" for state, given, to, *_ in printed() if state != to
    )
    return f"# The life of an alert\n\n{head}{rows}\n```mermaid\nstateDiagram-v2\n{arrows}```\n"


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
    bands = ", ".join(f"{band.name} from {band.lowest / 100:g}" for band in BANDS)
    return f"# The activity index\n\n| input | points at its best |\n|---|---|\n{rows}\nBands: {bands}.\n"


def inputs() -> str:
    """What a health score may be learned from."""
    rows = "".join(f"| `{one.name}` | {one.unit} | {one.meaning} |\n" for one in INPUTS)
    head = "# Inputs of the health score\n\n`[health] inputs` in livelift.toml chooses among them by name or pattern."
    return f"{head}\n\n| input | unit | meaning |\n|---|---|---|\n{rows}"


def authenticity() -> str:
    """From where on a check of authenticity raises an alarm, and why from there."""
    rows = "".join(
        f"| `{check}`{' (live)' if one.instrumentation else ''} | {one.effect} | {one.side} {one.edge:g} | "
        f"{one.least:,} {one.unit} | {one.reason} |\n"
        for check, one in THRESHOLDS.items()
    )
    head = (
        "# Checks of authenticity\n\nAn alarm needs an effect beyond its edge *and* a chance of at most 5 % after "
        "Holm's correction. Checks marked live mean broken recording.\n\n"
        "| check | effect | alarm if | needs | because |\n|---|---|---|---|---|\n"
    )
    return f"{head}{rows}"


SETTINGS = """# Settings of an installation

From `LIVELIFT_*` variables, else from `livelift-services.toml` in the folder where livelift is started. What the
product is stands in [livelift.toml](product.md) instead. A name that is no setting is refused, in the file as in the
variables, and a wrong value is refused with its name.

| in the file | variable | default | meaning |
|---|---|---|---|
{rows}
Three variables cannot stand in the file:

| variable | meaning |
|---|---|
{beside}
## A file

```toml
kafka = "127.0.0.1:9092"
redis = "redis://127.0.0.1:6379/0"
partitions = 12
data_dir = "/var/lib/livelift"
config = "/etc/livelift/livelift.toml"
```

## TLS and a password

```toml
kafka = "kafka-1.example.com:9093,kafka-2.example.com:9093"
kafka_security = "sasl_ssl"
kafka_ca_file = "/etc/livelift/ca.pem"     # leave out where the system's certificates do
kafka_mechanism = "SCRAM-SHA-512"
kafka_username = "livelift"
redis = "rediss://redis.example.com:6380/0"
```

The password comes beside it, and is shown nowhere:

```sh no-ci
export LIVELIFT_KAFKA_PASSWORD=...
livelift topics check
```
"""


def settings_page() -> str:
    """Every setting with what is said of it where it is declared."""
    rows = "".join(
        f"| `{name}` | `{PREFIX}{name.upper()}` | {default(field.default)} | {field.description}{choices(field)} |\n"
        for name, field in Settings.model_fields.items()
    )
    beside = "".join(f"| `{name}` | {meaning} |\n" for name, meaning in BESIDE.items())
    return SETTINGS.format(rows=rows, beside=beside)


def default(value: Any) -> str:
    return "none" if value is None else "empty" if value == "" else f"`{value}`"


def choices(field: FieldInfo) -> str:
    """What may be chosen, where it is one of some words."""
    words = get_args(field.annotation) if get_origin(field.annotation) is Literal else ()
    return f" One of {', '.join(f'`{word}`' for word in words)}." if words else ""


def documents() -> dict[str, str]:
    """Every generated file by its name under `docs`."""
    partitions = int(Settings.model_fields["partitions"].default)
    return {
        "settings.md": settings_page(),
        "generated/journey-states.md": journey_states(),
        "generated/alert-states.md": alert_states(),
        "generated/topics.md": topics(),
        "generated/activity-index.md": index(),
        "generated/health-inputs.md": inputs(),
        "generated/authenticity-checks.md": authenticity(),
        "generated/events.schema.json": pretty(json_schema()),
        "generated/asyncapi.json": pretty(asyncapi_document(partitions)),
    }


def pretty(document: object) -> str:
    return msgspec.json.format(msgspec.json.encode(document), indent=1).decode() + "\n"


def outdated(folder: Path = DOCS) -> list[str]:
    """The generated files that differ from what the code says now."""
    held = {name: (folder / name).read_text() if (folder / name).exists() else None for name in documents()}
    return [name for name, text in documents().items() if held[name] != text]


def main() -> None:
    """Write the documents; --check: exit 1 if any is out of date; --pictures, --screenshots: draw pictures instead."""
    if "--pictures" in sys.argv[1:]:
        from livelift.pictures import draw

        draw(DOCS)
        return
    if "--screenshots" in sys.argv[1:]:
        from livelift.screenshots import take

        given = sys.argv[sys.argv.index("--screenshots") + 1 :]
        for taken in take(DOCS, Path(given[0]) if given else None):
            print(f"{taken} {taken.stat().st_size / 1000:,.0f} kB")
        return
    if "--check" in sys.argv[1:]:
        names = outdated()
        if names:
            print("out of date, run `make docs`:", ", ".join(names))
        sys.exit(1 if names else 0)
    for name, text in documents().items():
        (DOCS / name).parent.mkdir(parents=True, exist_ok=True)
        (DOCS / name).write_text(text)


if __name__ == "__main__":
    main()

"""Looking at what there is: snapshots, schemas, refusals; noting what was done; asking for somebody to be forgotten."""

from typing import Annotated

import msgspec
import typer

from livelift.commands.given import At, Json, needs_time, shown, when
from livelift.settings import Settings

SHOWN = 20


def snapshot(
    key: Annotated[str | None, typer.Argument(help="A snapshot's key, e.g. funnel; without one, everything.")] = None,
    canonical: Annotated[bool, typer.Option("--canonical", help="Only what any two runs agree on.")] = False,
    clear: Annotated[
        bool, typer.Option("--clear", help="Remove every snapshot under the prefix (it can be rebuilt).")
    ] = False,
) -> None:
    """Print what Redis holds, as JSON.

    Example: [bold]livelift snapshot funnel[/bold]
    """
    from consumers.snapshots import Snapshots
    from livelift.reach import reach_redis

    settings = Settings()
    held = Snapshots(reach_redis(settings), settings.redis_prefix)
    if clear:
        print(f"{held.clear()} keys removed")
        return
    value = held.everything() if key is None else held.get(key)
    if value is None:
        raise ValueError(no_snapshot(str(key), settings, held.keys()))
    if canonical:
        from models.snapshot import canonical as canonical_of

        value = canonical_of(value) if key is None else canonical_of({key: value}).get(key)
    print(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


def no_snapshot(key: str, settings: Settings, keys: list[str]) -> str:
    """What to do about a key that Redis does not hold."""
    where = f"no snapshot {key!r} in {settings.redis_shown} under the prefix {settings.redis_prefix!r}"
    if not keys:
        return f"{where}, nor any other: do the workers run?"
    more = f" and {len(keys) - SHOWN} more" if len(keys) > SHOWN else ""
    return f"{where}; there are {', '.join(keys[:SHOWN])}{more}"


def schema(
    asyncapi: Annotated[
        bool, typer.Option("--asyncapi", help="The AsyncAPI 3 document instead of JSON Schema.")
    ] = False,
) -> None:
    """Print the contract, generated from the code.

    Example: [bold]livelift schema --asyncapi > asyncapi.json[/bold]
    """
    from livelift.schema import asyncapi_document, json_schema

    document = asyncapi_document(Settings().partitions) if asyncapi else json_schema()
    print(msgspec.json.format(msgspec.json.encode(document), indent=2).decode())


def forget(
    account: Annotated[str, typer.Option("--account", help="The account (alone: all of it).")],
    user: Annotated[str | None, typer.Option("--user", help="Only this user of the account.")] = None,
) -> None:
    """Remove what is kept of a user or an account, and keep out what is sent again.

    Example: [bold]livelift forget --account acme --user ann[/bold]
    """
    from livelift.privacy import forget as send_forget
    from livelift.privacy import forget_aliases
    from livelift.reach import reach_kafka

    here = reach_kafka(Settings(), "product-events", "identities")
    send_forget(here, account, user)
    aliases = forget_aliases(here, account, user)
    print(
        "asked: rows, sums and snapshots are removed as soon as the scorer reads it; source topics keep their retention"
    )
    if aliases:
        print(
            f"{aliases} alias{'es' if aliases != 1 else ''} removed; what still waits for one stays until its retention"
        )


def annotate(
    what: Annotated[str, typer.Option("--what", help="What was done, e.g. `article published`.")],
    area: Annotated[str | None, typer.Option("--area", help="The area of the product (without: all of it).")] = None,
    at: At = None,
) -> None:
    """Note what was done, so that the tickets before and after it are compared.

    Example: [bold]livelift annotate --area billing --what "article published"[/bold]
    """
    from livelift.annotations import annotate as write_annotations
    from livelift.reach import reach_kafka
    from models.education.annotations import new_annotation

    settings = Settings()
    needs_time(settings, at)
    one = new_annotation(when(at), what, area)
    write_annotations(reach_kafka(settings, "annotations"), [one])
    print(f"{shown(one.instant)}  {area or 'all areas'}: {what}  ({one.id})")


def journey_table() -> None:
    """Print the transition table of a task: what each input makes of each state.

    Example: [bold]livelift journeys table[/bold]
    """
    from models.journey import REACHES, STATES, TRANSITIONS

    print("".join(f"{name:<16}" for name in ("state", *REACHES)))
    for state in STATES:
        print("".join(f"{name:<16}" for name in (state, *(TRANSITIONS[state, given] for given in REACHES))))


def list_dead_letters(
    last: Annotated[int, typer.Option(min=1, help="How many, the latest of each partition.")] = 20,
    show_payload: Annotated[
        bool, typer.Option("--show-payload", help="Show the original bytes (they may name people).")
    ] = False,
    json: Json = False,
) -> None:
    """List what was refused, with reason and origin; payloads are masked.

    Example: [bold]livelift dead-letters list --last 5[/bold]
    """
    from consumers.dead_letters import latest
    from livelift.reach import reach_kafka

    settings = Settings()
    reach_kafka(settings, "dead-letters")
    letters = latest(settings.kafka_python(), settings.topic("dead-letters"), last)
    for letter in letters:
        shown = letter.shown(show_payload)
        if json:
            print(msgspec.json.encode(shown).decode())
        else:
            print(f"{shown['origin']:<32} {shown['reason']:<18} {shown['detail']}  {shown['payload']}")
    if not letters and not json:
        print("no dead letters")

"""Sending events: one by one from a shell, or from an HTTP server that others send theirs to."""

import sys
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from livelift.commands.given import Json, as_json
from livelift.settings import Settings


def emit(
    type_: Annotated[str, typer.Argument(metavar="TYPE", help="Type of event; `-` reads whole events from stdin.")],
    account: Annotated[str | None, typer.Option("--account")] = None,
    user: Annotated[str | None, typer.Option("--user")] = None,
    properties: Annotated[
        list[str] | None, typer.Option("--set", "-s", help="A property as name=value; JSON where it reads as such.")
    ] = None,
    at: Annotated[str | None, typer.Option("--at", help="When, as RFC 3339 (default: now).")] = None,
    id_: Annotated[str | None, typer.Option("--id", help="The event's id (default: a new one).")] = None,
    json: Json = False,
) -> None:
    """Send one event, or one from each line of stdin; returns when Kafka has them.

    Example: [bold]livelift emit task_completed --account acme --user ann --set task=1[/bold]
    """
    from livelift.commands.given import when
    from livelift.emitter import Emitter, NotAnEvent
    from livelift.reach import reach_kafka
    from livelift.surroundings import complain
    from models.clock import SECOND
    from models.events import SOURCES

    settings = Settings()
    here = reach_kafka(settings, *SOURCES)
    sent, refused = 0, 0
    given = settings.kafka_python()
    with Emitter(
        given.pop("bootstrap_servers"), namespace=settings.namespace,
        people_are_accounts=here.product.people_are_accounts, **given,
    ) as emitter:  # fmt: skip
        if type_ == "-":
            for number, line in enumerate(sys.stdin.buffer, start=1):
                if not line.strip():
                    continue
                try:
                    emitter.send(_event(line))
                    sent += 1
                except NotAnEvent as error:
                    refused += 1
                    complain(f"stdin line {number}: {error}")
        else:
            if account is None:
                raise typer.BadParameter("whose event is it? give --account", param_hint="--account")
            moment = None if at is None else when(at) / SECOND
            emitter.emit(type_, account_id=account, user_id=user, properties=_properties(properties or []), at=moment,
                         id=id_)  # fmt: skip
            sent = 1
    if json:
        print(as_json({"sent": sent, "refused": refused}))
    else:
        print(f"{sent} sent" + (f", {refused} refused" if refused else ""))
    if refused:
        raise typer.Exit(1)


def collect(
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on (0: a free one).")] = 8088,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    mapping: Annotated[
        Path | None, typer.Option(help="A mapping of kind segment, for events that are not called as ours.")
    ] = None,
) -> None:
    """Take Segment's track, identify, group and batch over HTTP, until Ctrl-C.

    An answer of 200 means that Kafka has acknowledged every event of the request.

    Example: [bold]livelift collect --port 8088[/bold]
    """
    from livelift.collector import serve
    from livelift.reach import reach_kafka
    from models.events import SOURCES

    settings = Settings()
    serve(reach_kafka(settings, *SOURCES), settings, host, port, mapping)


def _event(line: bytes) -> dict[str, object]:
    from livelift.emitter import NotAnEvent

    try:
        found = msgspec.json.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise NotAnEvent("datatype_mismatch", f"not JSON: {error}") from error
    if not isinstance(found, dict):
        raise NotAnEvent("datatype_mismatch", "not a JSON object")
    return found


def _properties(given: list[str]) -> dict[str, object]:
    """`name=value` pairs. JSON is taken as such, except for fields that hold text, whatever it looks like: task 1."""
    found: dict[str, object] = {}
    for pair in given:
        name, sign, text = pair.partition("=")
        if not sign:
            raise typer.BadParameter(f"{pair!r} is not name=value", param_hint="--set")
        found[name] = _value(name, text)
    return found


TEXTS = frozenset({"task", "feature", "lesson", "concept", "ticket", "article", "plan", "setting", "experiment", "arm"})


def _value(name: str, text: str) -> object:
    if name in TEXTS:
        return text
    try:
        return msgspec.json.decode(text)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return text

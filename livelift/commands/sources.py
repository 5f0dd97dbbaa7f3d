"""Sources: try a mapping, send what it maps, link aliases, and find what is sent to us without a mapping."""

import re
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Annotated, Any

import msgspec
import typer

from livelift.commands.given import Json, as_json
from livelift.settings import Settings

Mappings = Annotated[list[Path], typer.Argument(help="Mapping files (TOML), one a source.")]
Folder = Annotated[Path | None, typer.Option("--to", help="Write a recording here instead of sending to Kafka.")]
SHOWN = 20


def check(
    mapping: Annotated[Path, typer.Argument(help="A mapping file (TOML).")],
    first: Annotated[int, typer.Option(min=0, help="How many events to show.")] = 5,
    rows: Annotated[int | None, typer.Option(min=1, help="Read only so many rows.")] = None,
    json: Json = False,
) -> None:
    """Try a mapping: the first events, every refusal, and the count. Nothing is sent or written.

    Example: [bold]livelift sources check nps.toml[/bold]
    """
    from itertools import islice

    from livelift.sources.counts import Counts

    stream = _stream(mapping, None)
    counts, shown, refusals = Counts(), list[Any](), list[dict[str, Any]]()
    for outcome in islice(stream.outcomes(), rows):
        counts.add(outcome, any(made.account is None for made in outcome.made))
        for made in outcome.made:
            counts.note(made)
            if len(shown) < first:
                shown.append(_event(made))
                if not json:
                    print(as_json(shown[-1]))
        if outcome.reason is not None:
            refusals.append(_refusal(outcome))
            if not json:
                print(f"{outcome.where}: {outcome.reason}: {outcome.detail}")
    if json:
        print(as_json({"source": stream.mapping.name, **counts.shown(), "first": shown, "refusals": refusals}))
    else:
        print(f"{stream.mapping.name}: {counts}")


def run(
    mappings: Mappings,
    to: Folder = None,
    every: Annotated[
        str | None, typer.Option(help="Read again after so long (30s, 5m, 2h), until Ctrl-C; for queries and logs.")
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="Begin at the first row, whatever has been sent.")] = False,
    refused: Annotated[Path | None, typer.Option(help="Write every refusal to this file, one JSON a line.")] = None,
    json: Json = False,
) -> None:
    """Send sources to the topics, or write them as a recording; goes on where it stopped.

    Example: [bold]livelift sources run nps.toml orders.toml[/bold]
    """
    import signal
    from time import sleep

    pause_s = None if every is None else _seconds(every)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with ExitStack() as exits:
        note = _noting(exits, refused, json)
        while True:
            _run_once(mappings, to, again, note, json)
            if pause_s is None:
                return
            sleep(pause_s)
            again = False


def _run_once(mappings: list[Path], to: Path | None, again: bool, note: Callable[[Any], None], json: bool) -> None:
    """Every source once, one after the other, then the closing ticks of the finished ones."""
    from livelift.progress import counting
    from livelift.sources.run import Sending, state_file
    from livelift.surroundings import complain

    settings = Settings()
    sendings: list[tuple[Sending, Any]] = []
    for path in mappings:
        with ExitStack() as exits:
            stream = _stream(path, to)
            name = stream.mapping.name
            out, states = _destination(exits, settings, to, name)
            file = state_file(states, name)
            exits.enter_context(file.held())
            sending = Sending(stream, out, file, note, complain)
            with counting(name, stream.reader.total, quiet=json) as progress:
                sending.run(progress, again)
            sendings.append((sending, out))
            _say(name, sending, json)
    if to is None and settings.clock == "log":
        _close(sendings)


def _say(name: str, sending: Any, json: bool) -> None:
    """The count of a source, of all its rows; and how many of them were read now."""
    from livelift.sources.run import shown

    if json:
        print(as_json(shown(name, sending)), flush=True)
        return
    later = f" ({sending.new_rows:,} of them now)" if sending.new_rows != sending.counts.rows else ""
    sent_on = f", {sending.counts.linked:,} sent on as linked" if sending.counts.linked else ""
    print(f"{name}: {sending.counts}{sent_on}{later}", flush=True)


def _close(sendings: list[tuple[Any, Any]]) -> None:
    """The closing ticks, once, behind everything of the sources that are finished."""
    finished = [(one, out) for one, out in sendings if one.stream.mapping.source.finished and not one.state.closed]
    if not finished:
        return
    finished[-1][1].close_history([one.counts for one, _ in sendings])
    for one, _ in finished:
        one.state.closed = True
        one.file.write(one.state)


def _destination(exits: ExitStack, settings: Settings, to: Path | None, name: str) -> tuple[Any, Path]:
    """Where events go, and where the states of what goes there are kept."""
    if to is not None:
        from livelift.sources.to_folder import STATES, ToFolder

        folder = ToFolder(to, name)
        exits.callback(folder.close)
        return folder, to / STATES
    from livelift.reach import reach_kafka
    from livelift.sources.to_kafka import IDENTITIES, UNRESOLVED, ToKafka
    from models.events import SOURCES

    kafka = ToKafka(reach_kafka(settings, *SOURCES, IDENTITIES, UNRESOLVED), name)
    exits.callback(kafka.close)
    return kafka, settings.data_dir / "sources" / (settings.namespace or "default")


def _stream(path: Path, to: Path | None) -> Any:
    """The source of a mapping; what the product is says the recording's livelift.toml, else the installation's."""
    from datetime import UTC, datetime

    from livelift.sources.mapping import Topic, read_mapping
    from livelift.sources.stream import Stream
    from livelift.surroundings import complain, product_of
    from models.clock import micros

    beside = to / "livelift.toml" if to is not None else None
    product = product_of(beside if beside is not None and beside.is_file() else Settings().config)
    mapping, reader = read_mapping(path), None
    if isinstance(mapping.source, Topic):
        from livelift.reach import reach_kafka
        from livelift.sources.ignored import IgnoredEvents
        from models.events import SOURCES

        reader = IgnoredEvents(reach_kafka(Settings(), *SOURCES))
    return Stream(mapping, product, micros(datetime.now(UTC)), complain, reader)


def _event(made: Any) -> dict[str, Any]:
    """An event as it would be sent, with its topic, and the alias that it waits for."""
    from models.events import SOURCES

    waits = {} if made.alias is None else {"alias": made.alias}
    return {"topic": SOURCES[made.topic], **waits, **msgspec.json.decode(made.value)}


def _refusal(outcome: Any) -> dict[str, Any]:
    return {"file": outcome.file, "line": outcome.number, "reason": outcome.reason, "detail": outcome.detail}


def _noting(exits: ExitStack, file: Path | None, json: bool) -> Callable[[Any], None]:
    """What is told of every refusal: the first on stderr, all of them in the file where one is named."""
    from livelift.surroundings import complain

    kept: IO[str] | None = exits.enter_context(file.open("a", encoding="utf-8")) if file is not None else None
    told = 0

    def note(outcome: Any) -> None:
        nonlocal told
        told += 1
        if kept is not None:
            kept.write(as_json(_refusal(outcome)) + "\n")
        if told <= SHOWN:
            complain(f"{outcome.where}: {outcome.reason}: {outcome.detail}")
        elif told == SHOWN + 1:
            complain("more were refused: --refused FILE keeps all of them, and `livelift sources check` shows them")

    return note


def _seconds(every: str) -> int:
    """The seconds of 30s, 5m or 2h."""
    found = re.fullmatch(r"([1-9]\d*)([smhd])", every)
    if found is None:
        raise typer.BadParameter(f"{every!r} is no time like 30s, 5m or 2h", param_hint="--every")
    return int(found[1]) * {"s": 1, "m": 60, "h": 3600, "d": 86_400}[found[2]]


def link(
    alias: Annotated[str, typer.Argument(help="An email or an id that sources send instead of account and user.")],
    account: Annotated[str, typer.Option("--account", help="The account that it stands for.")],
    user: Annotated[str | None, typer.Option("--user", help="The user of the account, where it is a person.")] = None,
    hash_key: Annotated[
        str | None, typer.Option(help="env:NAME or file:PATH: hash the alias first, as the mapping does.")
    ] = None,
) -> None:
    """Say whose an alias is, and send on what waited for it.

    Example: [bold]livelift sources link ann@acme.example --account acme --user ann[/bold]
    """
    from livelift.sources.linking import link as link_now
    from livelift.sources.values import keyed_hash

    known = alias if hash_key is None else keyed_hash(alias, hash_key, Path())
    with ExitStack() as exits:
        out, _ = _destination(exits, Settings(), None, "link")
        count = link_now(out, known, account, user)
    print(f"linked; {count} event{'s' if count != 1 else ''} sent on")


def suggest(
    most: Annotated[int, typer.Option("--most", min=1, help="How many, the commonest first.")] = 10,
    json: Json = False,
) -> None:
    """List the commonest foreign events that are ignored, each with a mapping to paste.

    Example: [bold]livelift sources suggest[/bold]
    """
    from consumers.snapshots import Snapshots
    from livelift.reach import reach_kafka, reach_redis
    from livelift.sources.suggest import record_at, suggestions

    settings = Settings()
    here = reach_kafka(settings)
    quality = Snapshots(reach_redis(settings), settings.redis_prefix).get("quality") or {}
    found = suggestions(quality.get("ignored", {}), lambda where: record_at(here, where), most)
    if json:
        print(as_json([one._asdict() for one in found]))
        return
    for one in found:
        print(f"# {one.name}: {one.count:,} times, the latest at {one.sample}\n{one.mapping}\n")
    if not found:
        print("nothing is ignored: every foreign event has a mapping")

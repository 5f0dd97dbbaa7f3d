"""Recordings: play them through the topics, replay them without, make a simulated one."""

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from livelift.commands.given import Json
from livelift.settings import Settings

Folder = Annotated[
    Path, typer.Argument(help="A recording: events.jsonl or the four tables, optionally plans/ and livelift.toml.")
]
AsWritten = Annotated[bool, typer.Option("--as-written", help="Send lines in file order instead of by time.")]


def play(
    folder: Folder,
    speed: Annotated[
        float | None,
        typer.Option(min=0.001, help="Event seconds a wall second (default: as fast as Kafka takes them)."),
    ] = None,
    as_written: AsWritten = False,
    json: Json = False,
) -> None:
    """Send a recording through the real topics.

    Example: [bold]livelift play ./trial --speed 86400[/bold]
    """
    from livelift.player import Player
    from livelift.progress import counting
    from livelift.reach import reach_kafka
    from livelift.recording import open_recording
    from livelift.surroundings import complain
    from models.events import SOURCES

    recording = open_recording(folder, as_written)
    here = reach_kafka(Settings(), *SOURCES, "experiment-plans")
    for line in recording.refused:
        complain(line)
    with counting("playing", recording.events, quiet=json) as progress:
        played = Player(here, speed).play(recording, progress)
    result = {"events": played.events, "ticks": played.ticks, "unreadable": len(recording.refused),
              "seconds": round(played.seconds, 3), "events_per_second": round(played.rate)}  # fmt: skip
    if json:
        print(msgspec.json.encode(result).decode())
    else:
        print(f"{played.events} events and {played.ticks} ticks in {played.seconds:.1f} s: {played.rate:,.0f} events/s")


def replay(folder: Folder, as_written: AsWritten = False, json: Json = False,
           canonical: Annotated[bool, typer.Option("--canonical", help="Only what any two runs agree on.")] = False,
           ) -> None:  # fmt: skip
    """The same core in one process, without Kafka and Redis.

    Example: [bold]livelift replay ./trial --json[/bold]
    """
    from livelift.progress import counting
    from livelift.recording import open_recording
    from livelift.replay import replay as run_replay
    from livelift.surroundings import complain, product_of
    from models.snapshot import canonical as canonical_of

    recording = open_recording(folder, as_written)
    for line in recording.refused:
        complain(line)
    with counting("replaying", recording.events, quiet=json) as progress:
        snapshot = run_replay(recording, product_of(recording.config or Settings().config), progress)
    if canonical:
        snapshot = canonical_of(snapshot)
    if json:
        print(msgspec.json.encode(snapshot).decode())
        return
    from livelift.show import print_overview

    print_overview(snapshot)


def simulate(
    folder: Annotated[Path, typer.Argument(help="Where to write; must be new, empty, or a former simulation.")],
    customers: Annotated[int, typer.Option(min=1)] = 1000,
    seed: Annotated[int, typer.Option()] = 1,
    effect: Annotated[
        float | None, typer.Option(help="Strength of the widget's effect (0: an A/A test; default: the exercise's).")
    ] = None,
) -> None:
    """Write the trial exercise with its known truth.

    Example: [bold]livelift simulate ./trial --customers 1000[/bold]
    """
    from livelift.recording.write import write_exercise
    from models.simulation import simulate as run_simulation

    options = {} if effect is None else {"effect": effect}
    write_exercise(run_simulation(customers=customers, seed=seed, **options), folder)
    print(f"{folder}: {customers} simulated customers (seed {seed}); the truth is in truth.json")

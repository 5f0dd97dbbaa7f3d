"""Judging health scores by what became of the accounts."""

from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from livelift.commands.given import Json
from livelift.commands.recordings import AsWritten, Folder
from livelift.settings import Settings


class Kind(StrEnum):
    """The models of `models.health.classifier`, which is too heavy to be asked by every command."""

    LOGISTIC = "logistic"
    FOREST = "forest"
    TREE = "tree"
    BAYES = "bayes"


def backtest(
    folder: Folder,
    model: Annotated[
        Kind | None, typer.Option(help="The champion (default: the one in the recording's livelift.toml).")
    ] = None,
    challenger: Annotated[
        list[Kind] | None, typer.Option(help="A model that runs beside it; may be named several times.")
    ] = None,
    first: Annotated[
        datetime | None,
        typer.Option("--from", formats=["%Y-%m-%d"], help="Judge snapshots from this day on; learned is from all."),
    ] = None,
    every: Annotated[int, typer.Option(min=1, help="Judge the snapshots of every so many weeks only.")] = 1,
    replicates: Annotated[int, typer.Option(min=20, help="Draws of accounts that intervals rest on.")] = 1000,
    out: Annotated[
        Path | None, typer.Option(help="Write report.md, report.html, report.json and the figures to this folder.")
    ] = None,
    as_written: AsWritten = False,
    json: Json = False,
) -> None:
    """How good the health score would have been: a recording's history, learned and predicted week by week.

    Nothing looks ahead. The champion is compared with challengers, the activity index and visits alone.

    Example: [bold]livelift backtest ./history --challenger bayes --out ./report[/bold]
    """
    from livelift.backtest.run import run, usage_totals
    from livelift.backtest.write import made_ready, write_report
    from livelift.progress import counting
    from livelift.recording import open_recording
    from livelift.surroundings import complain, product_of
    from models.clock import day_of, micros
    from models.health.judgement import Judgement

    if out is not None:
        made_ready(out)
    recording = open_recording(folder, as_written)
    for line in recording.refused:
        complain(line)
    product = product_of(recording.config or Settings().config)
    champion = product.health.model if model is None else model.value
    product = msgspec.structs.replace(product, health=msgspec.structs.replace(product.health, model=champion))
    challengers = [kind.value for kind in dict.fromkeys(challenger or ()) if kind.value != champion]
    with counting("replaying", recording.events, quiet=json) as progress:
        found = run(recording, product, challengers, progress)
    since = None if first is None else day_of(micros(first.replace(tzinfo=UTC)))
    judgement = Judgement(found, since, usage_totals(recording, product), replicates, every)
    with counting("judging", judgement.steps, quiet=json) as progress:
        said = judgement.report(progress)
    report = {"recording": folder.resolve().name, "simulated": recording.simulated, **said}
    if out is not None:
        write_report(out, report, judgement.predictions())
    if json:
        print(msgspec.json.encode(report).decode())
        return
    from rich.console import Console
    from rich.markdown import Markdown

    from livelift.backtest.page import page

    Console().print(Markdown(page(report, pictures=False)))
    if out is not None:
        print(f"{out}: report.html (one file, with its figures), report.md, report.json")

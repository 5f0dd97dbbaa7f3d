"""The exercise's questions, answered from a recording."""

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from livelift.commands.given import Json
from livelift.commands.recordings import AsWritten, Folder
from livelift.settings import Settings


def report(
    folder: Folder,
    out: Annotated[
        Path, typer.Option(help="Where to write report.html, report.md, report.json and the figures.")
    ] = Path("report"),
    as_written: AsWritten = False,
    json: Json = False,
) -> None:
    """A case study of a trial: is CS help better, do tasks go with conversion, did the test work, is the data real.

    What was decided at random is read as effects, everything else as what goes together. Without a plan in the
    recording that of the exercise is assumed, and said to be.

    Example: [bold]livelift report ./trial --out ./report[/bold]
    """
    from livelift.backtest.write import made_ready
    from livelift.progress import counting
    from livelift.recording import open_recording
    from livelift.report.figures import specs
    from livelift.report.plan import assume
    from livelift.report.run import run
    from livelift.report.write import drawings, write_report
    from livelift.surroundings import complain, product_of

    made_ready(out)
    recording = open_recording(folder, as_written, assume)
    for line in recording.refused:
        complain(line)
    product = product_of(recording.config or Settings().config)
    with counting("replaying", recording.events, quiet=json) as progress:
        found = run(recording, product, progress)
    with counting("drawing", len(specs(found)), quiet=json) as progress:
        drawn = drawings(found, progress)
    write_report(out, found, drawn)
    if json:
        print(msgspec.json.encode(found).decode())
        return
    from rich.console import Console
    from rich.markdown import Markdown

    from livelift.report.page import in_short

    Console().print(Markdown(in_short(found)))
    print(f"{out}: report.html (one file, with its figures), report.md, report.json")

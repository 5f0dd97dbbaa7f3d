"""Scores: why one is what it is."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from livelift.commands.recordings import AsWritten, Json
from livelift.settings import Settings


def when(text: str | None) -> str | None:
    """Refuse what is neither a day nor an instant before anything is read."""
    if text is not None:
        from livelift.explain import day_asked

        try:
            day_asked(text, 0)
        except ValueError as error:
            raise typer.BadParameter(f"neither YYYY-MM-DD nor RFC 3339 ({error})") from error
    return text


def explain(
    account: Annotated[str, typer.Option("--account", help="The account.")],
    as_of: Annotated[
        str | None,
        typer.Option(callback=when, metavar="T", help="A day, or an instant: the last close by then (default: now)."),
    ] = None,
    since: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The earlier close (default: a week before).")
    ] = None,
    recording: Annotated[
        Path | None, typer.Option(help="Explain from a recording, without Kafka: it is replayed up to that day.")
    ] = None,
    as_written: AsWritten = False,
    json: Json = False,
) -> None:
    """Why an account's score is what it is, and what has changed it since an earlier close.

    The change is split exactly: by the model, by the passing of time, and by events, each by input.

    Example: [bold]livelift score explain --account acme --as-of 2026-06-14[/bold]
    """
    from livelift.explain import Asked, explain_live, explain_recorded
    from livelift.recording import open_recording
    from livelift.surroundings import complain, product_of
    from models.clock import day_of, micros
    from models.health.explanation import told

    asked = Asked(account, as_of, None if since is None else day_of(micros(since.replace(tzinfo=UTC))))
    settings = Settings()
    if recording is None:
        product = product_of(settings.config)
        found = explain_live(asked, settings, quiet=json)
    else:
        opened = open_recording(recording, as_written)
        for line in opened.refused:
            complain(line)
        product = product_of(opened.config or settings.config)
        found = explain_recorded(asked, opened, product, quiet=json)
    if json:
        print(msgspec.json.encode(told(found)).decode())
        return
    from rich.console import Console

    from livelift.explained import page

    Console().print(page(found, product.label.kind), highlight=False)

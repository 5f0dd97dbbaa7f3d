"""The dashboard."""

from typing import Annotated

import typer

from livelift.settings import Settings


def dashboard(
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on (0: a free one).")] = 8000,
    host: Annotated[str, typer.Option(help="Address; other than loopback needs a token.")] = "127.0.0.1",
    open_browser: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
) -> None:
    """Serve the dashboard until Ctrl-C: a live page over what Redis holds.

    Example: [bold]livelift dashboard --port 8000[/bold]
    """
    from livelift.dashboard import serve

    serve(Settings(), host, port, open_browser)

"""The dashboard."""

from typing import Annotated

import typer

from livelift.settings import Settings


def dashboard(
    context: typer.Context,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on (0: a free one).")] = 8000,
    host: Annotated[str, typer.Option(help="Address; other than loopback needs a token.")] = "127.0.0.1",
    open_browser: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
) -> None:
    """Serve the dashboard until Ctrl-C: a live page over what Redis holds.

    Example: [bold]livelift dashboard --port 8000[/bold]
    """
    if context.invoked_subcommand is not None:
        return
    from livelift.dashboard import serve

    serve(Settings(), host, port, open_browser)


def acl(
    user: Annotated[str, typer.Option(help="The Redis user's name.")] = "dashboard",
    password: Annotated[str, typer.Option(help="Its password.")] = "CHANGE-ME",
) -> None:
    """Print the line of Redis' ACL file for a user that may read what the dashboard shows, and nothing else.

    Example: [bold]livelift dashboard acl --password secret >> users.acl[/bold]
    """
    from livelift.dashboard import ACL

    print(ACL.format(user=user, password=password, prefix=Settings().redis_prefix))

"""What commands that decide something are given alike: who says so, when, and for whom to print."""

from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
import typer

from livelift.settings import NotSet, Settings

By = Annotated[str | None, typer.Option("--by", help="Who says so (default: who is logged in).")]
At = Annotated[
    str | None,
    typer.Option("--at", help="When, as RFC 3339 (default: now; where the clock is a recording's, its time)."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]


def who(by: str | None) -> str:
    """A name for the record: the one given, else who is logged in."""
    from getpass import getuser

    try:
        name = (by if by is not None else getuser()).strip()
    except (KeyError, OSError, ImportError):
        name = ""
    if not name:
        raise ValueError("it is not known who says so: give a name with --by")
    return name


def when(at: str | None) -> int:
    """The moment given, else now, in microseconds."""
    from models.clock import micros

    if at is None:
        return micros(datetime.now(UTC))
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise typer.BadParameter(
            f"{at!r} is no RFC 3339 time with an offset, e.g. 2026-05-05T08:30:00Z", param_hint="--at"
        )
    return micros(moment)


def needs_time(settings: Settings, at: str | None) -> None:
    """Where the clock is a recording's, now is long after everything that it tells: the moment has to be said."""
    if settings.clock == "log" and at is None:
        raise NotSet("the clock here is a recording's (LIVELIFT_CLOCK=log): say when with --at")


def shown(at: int) -> str:
    from models.clock import rfc3339

    return rfc3339(at // 1_000_000 * 1_000_000)


def as_json(value: Any) -> str:
    return msgspec.json.encode(value).decode()

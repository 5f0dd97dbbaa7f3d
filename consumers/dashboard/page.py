"""What a page is: the snapshots it reads, and what a template makes of them."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from consumers.dashboard.read import Read

Asked = Mapping[str, str]
"""Path and query parameters of a request, by name; `path:NAME` for those of the path."""


@dataclass(frozen=True)
class View:
    """A page made. data: the snapshots it was made of, as `/api/...` gives them. shown: what the template says. keys:
    what has to change for it to be made anew, `account:*` for all that begin so. missing: why nothing is there that has
    this address."""

    title: str
    template: str
    data: Any
    shown: Mapping[str, Any] = field(default_factory=dict)
    keys: tuple[str, ...] = ()
    missing: str | None = None


Make = Callable[[Read, Asked], Awaitable[View]]


@dataclass(frozen=True)
class Page:
    """One address. section: what the navigation marks. asks: query parameters, for OpenAPI. json_only: no page, just
    what would stand beside it."""

    path: str
    section: str
    make: Make
    says: str
    asks: tuple[str, ...] = ()
    json_only: bool = False


@dataclass(frozen=True)
class File:
    """One address that is saved rather than read. lines: its text, part by part; None where it is not complete yet."""

    path: str
    name: str
    media_type: str
    lines: Callable[[Read, Asked], Awaitable[AsyncIterator[str] | None]]

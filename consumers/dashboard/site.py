"""The site: how a view becomes an answer, as a page or as JSON."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, unquote

from fastapi import Request
from fastapi.responses import (
    HTMLResponse,
    JSONResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
    StreamingResponse,
)
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from consumers.dashboard import ages
from consumers.dashboard.commands import Commands, NotAsked
from consumers.dashboard.config import Here
from consumers.dashboard.guard import HEADERS, NAME, Guard
from consumers.dashboard.letters import KEY, TOPIC, Letters
from consumers.dashboard.live import Updates, told
from consumers.dashboard.page import File, Page, View
from consumers.dashboard.pages import SECTIONS
from consumers.dashboard.read import Read
from consumers.dashboard.views.asked import Sent
from consumers.dashboard.words import FILTERS

FOLDER = Path(__file__).parent
OPEN = "/static/", "/login", "/ready"
"""Addresses that anybody may ask for."""
FORM_LIMIT = 10_000
YEAR_S = 31_536_000
Answer = Callable[[Request], Awaitable[Response]]


def templates() -> Environment:
    """The templates, everything in them escaped."""
    found = Environment(
        loader=FileSystemLoader(FOLDER / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    found.filters.update(FILTERS)
    found.filters["behind"] = ages.behind
    return found


class Site:
    """Everything that requests share."""

    def __init__(self, here: Here, read: Read | None = None) -> None:
        self.here = here
        self.read = Read(here.redis_url, here.redis_prefix) if read is None else read
        self.updates = Updates(self.read)
        self.read.letters = Letters(here.kafka, here.topic(TOPIC), lambda: self.updates.changed(KEY))
        self.guard, self.commands = Guard(here), Commands(here)
        self._templates = templates()

    async def close(self) -> None:
        self.commands.close()
        await self.read.close()

    # -- answers ------------------------------------------------------------------------------------------------------

    def render(self, request: Request, template: str, status: int = 200, **shown: Any) -> HTMLResponse:
        """A page. Whoever may look and has no session gets one with it, so that forms on it can be sent."""
        session = self.guard.session(request)
        given = {"section": "", "quality": None, "keys": "", "old": (), "since": self.updates.said, **shown}
        now = datetime.now(UTC)
        all_old = ages.all_old(given["quality"], now, self.here.stale_s)
        response = HTMLResponse(status_code=status)
        if session is None and self.guard.may_look(request):
            session = self.guard.begin(response, request.url.scheme == "https")
        text = self._templates.get_template(template).render(
            sections=SECTIONS, path=quote(request.scope["path"]), query=request.url.query,
            user=self.guard.user(request),
            form_token="" if session is None else self.guard.form_token(session),
            name=unquote(request.cookies.get(NAME, "")), stale_s=self.here.stale_s, instance=self.updates.instance,
            now=now.isoformat(), can_write=self.commands.may, all_old=all_old, **given,
        )  # fmt: skip
        response.body = text.encode()
        response.headers["content-length"] = str(len(response.body))
        return response

    def trouble(self, request: Request, status: int, heading: str, what: str, keys: str = "", **shown: Any) -> Response:
        """Something is not there, or not to be had."""
        if request.scope["path"].startswith("/api/"):
            return JSONResponse({"error": heading, "detail": what}, status)
        return self.render(request, "trouble.html", status, title=heading, what=what, keys=keys, **shown)

    def refusal(self, request: Request) -> Response | None:
        """What somebody hears who may not look; None for who may."""
        path = request.scope["path"]
        if not self.guard.is_named(request):
            return PlainTextResponse("This host name is none of dashboard_names.\n", 421)
        if self.guard.may_look(request) or path.startswith(OPEN):
            return None
        if path.startswith("/api/"):
            return JSONResponse({"error": "Who are you?", "detail": "send the token as a bearer"}, 401)
        if self.here.proxy_header:
            return PlainTextResponse("The proxy has not said who looks.\n", 401)
        return RedirectResponse(f"/login?to={quote(path)}", 303)

    # -- pages --------------------------------------------------------------------------------------------------------

    def html_of(self, page: Page) -> Answer:
        async def answer(request: Request) -> Response:
            since = self.updates.said
            view = await self._made(page, request)
            if view.missing is not None:
                return self.trouble(request, 404, view.title, view.missing, told(view.keys), since=since)
            quality = await self.read.get("quality")
            keys = told(view.keys)
            return self.render(
                request, view.template, title=view.title, section=page.section, quality=quality, keys=keys,
                old=ages.left_behind(view.data, quality), since=since, **view.shown,
            )  # fmt: skip

        return answer

    def json_of(self, page: Page) -> Answer:
        async def answer(request: Request) -> Response:
            view = await self._made(page, request)
            if view.missing is not None:
                return JSONResponse({"error": view.title, "detail": view.missing}, 404)
            return JSONResponse(view.data)

        return answer

    def file_of(self, file: File) -> Answer:
        async def answer(request: Request) -> Response:
            lines = await file.lines(self.read, request.query_params)
            if lines is None:
                what = "Not all accounts have been read since the dashboard was started: try again in a moment."
                return self.trouble(request, 503, "Not complete yet", what)
            headers = {"Content-Disposition": f'attachment; filename="{file.name}"'}
            return StreamingResponse(lines, media_type=file.media_type, headers=headers)

        return answer

    async def _made(self, page: Page, request: Request) -> View:
        path = {f"path:{name}": str(value) for name, value in request.path_params.items()}
        return await page.make(self.read, {**request.query_params, **path})

    # -- forms --------------------------------------------------------------------------------------------------------

    async def login(self, request: Request) -> Response:
        """The form that asks for the token."""
        return self.render(request, "login.html", title="Who are you?", wrong=False)

    async def enter(self, request: Request) -> Response:
        """The token as it was given."""
        given = await form_of(request)
        if not self.guard.knows(given.get("token", "")):
            return self.render(request, "login.html", 403, title="Who are you?", wrong=True)
        response = RedirectResponse(within(request.query_params.get("to", "/")), 303)
        self.guard.begin(response, request.url.scheme == "https")
        return response

    def command(self, request: Request, given: dict[str, str]) -> Response:
        """What somebody asks of an alert. Waits for Kafka: not for the event loop."""
        if not self.guard.may_write(request, given.get("form_token", "")):
            return self.trouble(
                request, 403, "This form is too old", "Go back, load the page again, and send it once more."
            )
        by = self.guard.user(request) or given.get("by", "").strip()
        try:
            asked = self.commands.ask(str(request.path_params["alert_id"]), given, by)
        except NotAsked as error:
            return self.trouble(request, 400, "That could not be asked for", str(error))
        response = RedirectResponse(to_see(asked, within(given.get("to", "/"))), 303)
        response.set_cookie(NAME, quote(by), max_age=YEAR_S, httponly=True, samesite="strict")
        return response


class Guarded:
    """Lets in who may look, and says to the browser what it may do. It is in nobody's way afterwards: an event stream
    ends when its page does."""

    def __init__(self, app: ASGIApp, site: Site) -> None:
        self._app, self._site = app, site

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for header, value in HEADERS.items():
                    headers.setdefault(header, value)
            await send(message)

        refused = self._site.refusal(Request(scope))
        return await (refused or self._app)(scope, receive, with_headers)


def to_see(asked: Sent, address: str) -> str:
    """The address of a page on which is seen what becomes of a command."""
    return f"{address}{'&' if '?' in address else '?'}asked={quote(str(asked))}#asked"


def within(address: str) -> str:
    """An address of this site, whatever was asked for."""
    return address if address.startswith("/") and not address.startswith(("//", "/\\")) else "/"


async def form_of(request: Request) -> dict[str, str]:
    """The fields of a form that was sent; of a body that is too long none."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > FORM_LIMIT:
            return {}
    return {name: values[-1] for name, values in parse_qs(body.decode("utf-8", "replace"), True).items()}

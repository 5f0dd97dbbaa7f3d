"""The dashboard as an ASGI application: its addresses."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import cache
from threading import Lock
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import PlainTextResponse, Response
from sse_starlette import EventSourceResponse
from starlette.concurrency import run_in_threadpool
from starlette.staticfiles import StaticFiles

from consumers.dashboard.config import Here
from consumers.dashboard.following import keep
from consumers.dashboard.live import heard
from consumers.dashboard.page import Page
from consumers.dashboard.pages import FILES, PAGES
from consumers.dashboard.read import Away, Read
from consumers.dashboard.site import FOLDER, Guarded, Site, form_of

DAY = {"Cache-Control": "max-age=86400"}
MAKE_CHARTS = "import sys, vl_convert; sys.stdout.buffer.write(vl_convert.javascript_bundle().encode())"
_MAKING = Lock()
NEVER_PINGED = 3600
"""Seconds: open pages are told by `live` that the server lives."""


def make_dashboard(here: Here, read: Read | None = None) -> FastAPI:
    """The application for one installation. read: where snapshots are, if not in the Redis that is named."""
    site = Site(here, read)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        tasks = [
            asyncio.create_task(one)
            for one in (site.updates.run(), site.read.keep_pace(), keep(site.read, site.updates))
        ]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await site.close()

    app = FastAPI(
        title="livelift", description="The snapshots behind each page.", lifespan=lifespan, docs_url=None,
        redoc_url=None, openapi_url="/api/openapi.json",
    )  # fmt: skip
    app.state.site = site
    app.mount("/static", StaticFiles(directory=FOLDER / "static"), name="static")
    app.add_middleware(Guarded, site=site)
    for file in FILES:
        app.add_api_route(file.path, site.file_of(file), methods=["GET"], include_in_schema=False)
    for page in PAGES:
        _add_page(app, site, page)
    _add_trouble(app, site)
    _add_live(app, site)
    _add_forms(app, site)
    return app


def _add_page(app: FastAPI, site: Site, page: Page) -> None:
    if not page.json_only:
        app.add_api_route(page.path, site.html_of(page), methods=["GET"], include_in_schema=False)
    asks = [{"name": name, "in": "query", "required": False, "schema": {"type": "string"}} for name in page.asks]
    extra: dict[str, Any] | None = {"parameters": asks} if asks else None
    app.add_api_route(
        f"/api{page.path}" if page.path != "/" else "/api/start", site.json_of(page), methods=["GET"],
        summary=page.says, tags=[page.section], openapi_extra=extra,
    )  # fmt: skip


def _add_trouble(app: FastAPI, site: Site) -> None:
    @app.exception_handler(Away)
    async def _away(request: Request, error: Exception) -> Response:
        what = "Nothing can be shown until it does; this page looks again by itself."
        return site.trouble(request, 503, "Redis does not answer", what, "quality")

    @app.exception_handler(404)
    async def _nothing(request: Request, error: Exception) -> Response:
        return site.trouble(request, 404, "There is no such page", "Choose one above.")


def _add_live(app: FastAPI, site: Site) -> None:
    @app.get("/live", include_in_schema=False)
    async def _live(keys: str = "", since: int | None = None) -> EventSourceResponse:
        return EventSourceResponse(site.updates.events(heard(keys), since), ping=NEVER_PINGED)

    @app.get("/charts.js", include_in_schema=False)
    async def _charts() -> Response:
        return Response(await run_in_threadpool(charts_script), media_type="text/javascript", headers=DAY)

    @app.get("/ready", include_in_schema=False)
    async def _ready() -> Response:
        """For health checks: whether Redis answers."""
        await site.read.get("quality")
        return PlainTextResponse("ready\n")


def _add_forms(app: FastAPI, site: Site) -> None:
    @app.get("/login", include_in_schema=False)
    async def _login(request: Request) -> Response:
        return await site.login(request)

    @app.post("/login", include_in_schema=False)
    async def _enter(request: Request) -> Response:
        return await site.enter(request)

    @app.post("/alerts/{alert_id}", include_in_schema=False)
    async def _command(request: Request, alert_id: str) -> Response:
        return await run_in_threadpool(site.command, request, await form_of(request))


def charts_script() -> bytes:
    """Vega-Lite with its interpreter, from the wheel that brings it: seconds at first, then at once.

    Made by a process of its own: the wheel is a whole JavaScript engine, which would hold up everybody meanwhile and
    stay in memory.
    """
    with _MAKING:
        return _charts_script()


@cache
def _charts_script() -> bytes:
    return subprocess.run([sys.executable, "-c", MAKE_CHARTS], capture_output=True, check=True, timeout=120).stdout

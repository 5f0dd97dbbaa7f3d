"""Event streams of open pages over real HTTP: what they are told, and that nothing is left of those that are closed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
import uvicorn

from consumers.dashboard.app import make_dashboard
from consumers.dashboard.config import Here
from consumers.dashboard.live import RECENT, Updates
from livelift.dashboard import listen
from tests.support.pages import URL, Given

pytestmark = pytest.mark.shell


@asynccontextmanager
async def served() -> AsyncIterator[tuple[str, Updates]]:
    socket = listen("127.0.0.1", 0)
    app = make_dashboard(Here(redis_url=URL), Given({}))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False))
    serving = asyncio.create_task(server.serve(sockets=[socket]))
    try:
        yield f"http://127.0.0.1:{socket.getsockname()[1]}", app.state.site.updates
    finally:
        server.should_exit = True
        await asyncio.wait_for(serving, 20)


async def until(condition) -> None:
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0.02)


@pytest.mark.asyncio
async def test_nothing_is_left_of_pages_that_were_closed() -> None:
    async with served() as (url, updates), httpx.AsyncClient(base_url=url, timeout=30) as client:
        await until(lambda: len(updates.listeners) == 1)  # the index of accounts, which stays
        for _ in range(2):
            streams = [client.stream("GET", "/live?keys=at-risk") for _ in range(50)]
            opened = await asyncio.gather(*(stream.__aenter__() for stream in streams))
            assert {one.headers["content-security-policy"] for one in opened}
            await until(lambda: len(updates.listeners) == 51)
            await asyncio.gather(*(stream.__aexit__(None, None, None) for stream in streams))
            await until(lambda: len(updates.listeners) == 1)


@pytest.mark.asyncio
async def test_a_page_hears_of_its_keys_only_of_many_changes_at_once_and_that_redis_is_away() -> None:
    updates = Updates(Given({}))
    told = updates.events(["at-risk", "account:*"])
    assert await anext(told) == {"event": "hello", "data": f"{updates.instance} away"}
    (page,) = updates.listeners
    for key in ("experiments", "account:b", "account:a", "at-risk", "account:a"):
        page.hears(key)
    assert await anext(told) == {"event": "changed", "data": "account:a account:b at-risk"}
    updates._say("here")
    assert [(await anext(told))["event"] for _ in range(2)] == ["here", "changed"], "something may have been missed"
    await told.aclose()
    assert not updates.listeners


@pytest.mark.asyncio
async def test_what_changed_between_making_a_page_and_its_listening_is_told_at_once() -> None:
    updates = Updates(Given({}))
    updates.changed("at-risk")
    made = updates.said
    for key in ("experiments", "account:a", "at-risk"):
        updates.changed(key)
    told = updates.events(["at-risk", "account:*"], made)
    assert [(await anext(told)) for _ in range(2)][1] == {"event": "changed", "data": "account:a at-risk"}
    await told.aclose()
    updates._say("here")
    for unheard, changed in ((0, None), (1, "*"), (4, "* account:a at-risk"), (RECENT + 9, "* account:a at-risk")):
        told = updates.events(["at-risk", "account:*"], updates.said - unheard)
        await anext(told)
        (page,) = updates.listeners
        assert page.changed == (set() if changed is None else set(changed.split())), unheard
        await told.aclose()

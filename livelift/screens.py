"""What a dashboard is looked at with: snapshots in a Redis, an address for each of its pages, a server in a thread."""

import re
from collections.abc import Generator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import quote

import msgspec
import redis
import uvicorn

from consumers.dashboard.app import make_dashboard
from consumers.dashboard.config import Here
from consumers.dashboard.page import Page
from consumers.snapshots import HASHES, RANKINGS
from livelift.dashboard import listen
from livelift.local.redis import LocalRedis

PLACE = re.compile(r"\{(\w+)(?::path)?\}")
AT_ONCE = 1_000


@contextmanager
def served(here: Here) -> Generator[str]:
    """The address of a dashboard in a thread of its own."""
    socket = listen("127.0.0.1", 0)
    config = uvicorn.Config(make_dashboard(here), log_config=None, access_log=False, timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = Thread(target=lambda: server.run(sockets=[socket]), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{socket.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(20)


@contextmanager
def shown(
    folder: Path, cases: Mapping[str, Mapping[str, Any]], histories: Mapping[str, list[Any]] | None = None
) -> Generator[dict[str, str]]:
    """The addresses of dashboards over snapshots in a Redis of their own, by case. histories: of all that have such
    accounts."""
    with ExitStack() as exits:
        store = LocalRedis(folder)
        exits.callback(store.stop)
        store.start()
        store.wait_ready()
        client = redis.Redis.from_url(store.address)
        for case, held in cases.items():
            fill(client, f"{case}:", held, histories)
        yield {case: exits.enter_context(served(Here(store.address, f"{case}:"))) for case in cases}


def address(page: Page, examples: Mapping[str, str]) -> str:
    """A page's address with examples put in for what it names. KeyError: an example is missing."""
    return PLACE.sub(lambda found: quote(examples[found[1]], safe=""), page.path)


def examples_of(held: Mapping[str, Any]) -> dict[str, str]:
    """What pages about one thing are about: who needs somebody first, the first experiment, the first journey."""
    accounts = (held.get("at-risk") or {}).get("accounts") or [{"account_id": "nobody"}]
    experiments = sorted(key.partition(":")[2] for key in held if key.startswith("experiment:"))
    journeys = [
        name for name, value in (held.get("funnel") or {}).items() if isinstance(value, dict) and "tasks" in value
    ]
    first = experiments[0] if experiments else "none"
    return {
        "account_id": accounts[0]["account_id"], "account": accounts[0]["account_id"], "experiment": first,
        "experiment_id": first, "journey": journeys[0] if journeys else "none",
    }  # fmt: skip


def fill(client: Any, prefix: str, held: Mapping[str, Any], histories: Mapping[str, list[Any]] | None = None) -> None:
    """Put snapshots into a Redis (redis-py's client), as the publisher does: values, hashes, rankings, streams."""
    pipe = client.pipeline(transaction=False)
    for count, (key, value) in enumerate(held.items(), 1):
        name = prefix + key
        if key.startswith(RANKINGS):
            if value:
                pipe.zadd(name, value)
        elif key.startswith(HASHES):
            if value:
                pipe.hset(name, mapping={field: msgspec.json.encode(one) for field, one in value.items()})
        else:
            pipe.set(name, msgspec.json.encode(value))
        if count % AT_ONCE == 0:
            pipe.execute()
    for key, entries in (histories or {}).items():
        for entry in entries:
            pipe.xadd(prefix + key, {"value": msgspec.json.encode(entry)})
    pipe.execute()

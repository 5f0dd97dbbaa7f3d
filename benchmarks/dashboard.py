"""The dashboard, measured: from an event to open pages, memory of an open page, and a long list.

1. One process serves 50 open pages of the real stack: 49 event streams over HTTP that fetch their page as a browser
   does when they are told to, and one page in a real Chromium. The clock runs from before an event is sent to Kafka
   until a page says that it is counted.
2. An open page in a real Chromium while 1,000 updates a minute are published: its JavaScript heap and its nodes, after
   a collection of garbage.
3. The list of 100,000 accounts: time to the first byte.
"""

import argparse
import asyncio
import json
import re
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from random import Random
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from threading import Event as Flag
from threading import Thread
from time import monotonic, sleep, time
from typing import Any, NamedTuple
from uuid import uuid4

import httpx
import redis
from confluent_kafka import Producer

from benchmarks.report import facts, now, write_section
from consumers.dashboard.pages import PAGES
from livelift.local.browser import NoBrowser, browser
from livelift.local.process import Child
from livelift.local.redis import LocalRedis
from livelift.local.stack import ROLES, Stack
from livelift.screens import fill
from livelift.screenshots import of_simulation
from livelift.settings import Settings
from models.clock import SECOND, rfc3339
from models.keys import account_key

DOCS = Path("docs/bench.md")
BEGIN, END = "<!-- begin: make bench, dashboard -->", "<!-- end: make bench, dashboard -->"
PAGES_OPEN, EVENTS = 50, 30
BEFORE = 5_000
"""Events that are counted before: so that their number stands nowhere else on a page."""
MOST_S, MOST_MB, MOST_MS, MOST_GROWTH = 2.0, 200.0, 200.0, 1.1
UPDATES_A_MINUTE = 1_000
ACCOUNTS, ASKED = 100_000, 30
DEADLINE_S = 90.0


class Live(NamedTuple):
    """Seconds from an event to pages that fetch by themselves, and to the one in a browser; the server's memory."""

    pages: list[float]
    browser: list[float]
    peak_mb: float


class Memory(NamedTuple):
    """Heap (MB) and nodes of an open page, sample by sample; how many updates it lived through."""

    minutes: float
    updates: int
    heap: list[float]
    nodes: list[int]

    @property
    def growth(self) -> float:
        """The end against the beginning, a third of the samples each."""
        third = max(1, len(self.heap) // 3)
        return median(self.heap[-third:]) / median(self.heap[:third])


class Listed(NamedTuple):
    """Milliseconds to the first byte of the list, and to its last; how long it is (kB). None: there is no such page."""

    first: list[float]
    whole: list[float]
    kilobytes: float


# -- 1: from an event to the page -------------------------------------------------------------------------------------


class Pages:
    """Open pages without a browser: each is told of changes, and then fetches itself."""

    def __init__(self, base: str, count: int) -> None:
        self.base, self.count = base, count
        self.seen: list[dict[int, float]] = [{} for _ in range(count)]
        """For each page: when it said first that so many are counted."""
        self._thread = Thread(target=lambda: asyncio.run(self._all()), daemon=True)
        self._stop = Flag()

    def __enter__(self) -> "Pages":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(20)

    async def _all(self) -> None:
        limits = httpx.Limits(max_connections=2 * self.count + 10)
        async with httpx.AsyncClient(base_url=self.base, timeout=60, limits=limits) as client:
            running = [asyncio.create_task(self._one(client, seen)) for seen in self.seen]
            while not self._stop.is_set():
                await asyncio.sleep(0.1)
            for one in running:
                one.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    async def _one(self, client: httpx.AsyncClient, seen: dict[int, float]) -> None:
        page = (await client.get("/system")).text
        seen.update(dict.fromkeys(counted(page), time()))
        found = re.search(r'data-keys="([^"]*)"', page)
        async with client.stream("GET", "/live", params={"keys": found[1] if found else "quality"}) as stream:
            async for line in stream.aiter_lines():
                if line == "event: changed":
                    page = (await client.get("/system")).text
                    for number in counted(page):
                        seen.setdefault(number, time())


def counted(page: str) -> set[int]:
    """The numbers of events that the page may say are counted."""
    found = {int(text.replace(",", "")) for text in re.findall(r">(\d,\d{3})<", page)}
    return {number for number in found if BEFORE <= number <= BEFORE + EVENTS}


def live(folder: Path) -> Live:
    """From an event to 50 pages."""
    settings = Settings(data_dir=folder, config=folder / "absent.toml", alerts=folder / "absent.toml", partitions=3,
                        kafka=None, redis=None)  # fmt: skip
    with ExitStack() as exits:
        stack = exits.enter_context(Stack(settings, (*ROLES, "dashboard")))
        stack.wait_ready()
        producer = Producer({**stack.settings.confluent(), "linger.ms": 0})
        for number in range(BEFORE):
            send(producer, f"account-{number % 200}")
        producer.flush(60)
        pages = exits.enter_context(Pages(stack.dashboard, PAGES_OPEN - 1))
        until("every page is open", lambda: all(BEFORE in seen for seen in pages.seen))
        page = exits.enter_context(browser()).new_page()
        page.goto(f"{stack.dashboard}system")
        sent, watched, luck = {}, [], Random(7)
        for number in range(BEFORE + 1, BEFORE + EVENTS + 1):
            sent[number] = time()
            send(producer, "account-0")
            producer.flush(60)
            page.wait_for_function("text => document.body.innerText.includes(text)", arg=f"{number:,}", timeout=60_000)
            watched.append(time() - sent[number])
            sleep(1 + luck.random())  # at any time between two pulses of the publisher
        until("every page has counted the last", lambda: all(BEFORE + EVENTS in seen for seen in pages.seen))
        taken = [at - sent[number] for seen in pages.seen for number, at in seen.items() if number in sent]
        return Live(taken, watched, peak_mb(stack.workers["dashboard"].pid))


def send(producer: Producer, account: str) -> None:
    made = {"id": str(uuid4()), "type": "session_started", "at": rfc3339(int(time() * SECOND)), "account_id": account,
            "user_id": "ann", "properties": {}}  # fmt: skip
    producer.produce("product-events", json.dumps(made).encode(), key=account.encode())
    producer.poll(0)


def peak_mb(pid: int) -> float:
    """The most memory that a process has held (VmHWM), MB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1000 for line in lines if line.startswith("VmHWM"))


def until(what: str, condition: Any) -> None:
    deadline = monotonic() + DEADLINE_S
    while not condition():
        if monotonic() > deadline:
            raise TimeoutError(what)
        sleep(0.1)


# -- 2 and 3: over snapshots without a stream -------------------------------------------------------------------------


@contextmanager
def over(folder: Path, held: dict[str, Any]) -> Iterator[tuple[Any, str, int]]:
    """A dashboard over snapshots: Redis' client, the address, and the process."""
    store = LocalRedis(folder / "redis")
    with ExitStack() as exits:
        exits.callback(store.stop)
        store.start()
        store.wait_ready()
        client = redis.Redis.from_url(store.address)
        fill(client, "livelift:", held)
        log = folder / "dashboard.log"
        child = Child("dashboard", [sys.executable, "-m", "livelift", "dashboard", "--port", "0"], log,
                      {"LIVELIFT_REDIS": store.address})  # fmt: skip
        exits.callback(child.stop)
        until("the dashboard is served", lambda: log.exists() and "http" in log.read_text())
        yield client, log.read_text().partition("\n")[0], child.pid


def memory(folder: Path, minutes: float) -> Memory:
    """An open page while updates are published."""
    held = of_simulation(folder / "exercise", 200)
    experiment = next(key for key in held if key.startswith("experiment:"))
    address = next((page.path for page in PAGES if "{experiment" in page.path), "/")
    stop, said = Flag(), [0]

    def publish(client: Any) -> None:
        began = monotonic()
        while not stop.is_set():
            said[0] += 1
            for key in (experiment, "at-risk", "experiments"):
                value = held[key] | {"published_at": rfc3339(int(time() * SECOND)), "fence": said[0]}
                client.set(f"livelift:{key}", json.dumps(value))
            client.publish("livelift:updates", experiment if said[0] % 2 else "at-risk")
            sleep(max(0.0, began + said[0] * 60 / UPDATES_A_MINUTE - monotonic()))

    with over(folder, held) as (client, base, _), browser() as chromium:
        page = chromium.new_page()
        page.goto(base.rstrip("/") + re.sub(r"\{[^}]*\}", experiment.partition(":")[2], address))
        inside = page.context.new_cdp_session(page)
        publishing = Thread(target=publish, args=(client,), daemon=True)
        publishing.start()
        heap, nodes = [], []
        began = monotonic()
        while monotonic() < began + 60 * minutes:
            page.wait_for_timeout(1000 * max(2.0, 60 * minutes / 20))
            inside.send("HeapProfiler.collectGarbage")
            heap.append(inside.send("Runtime.getHeapUsage")["usedSize"] / 1e6)
            nodes.append(inside.send("Memory.getDOMCounters")["nodes"])
        stop.set()
        publishing.join(10)
    return Memory(minutes, said[0], heap, nodes)


def listed(folder: Path, accounts: int) -> Listed | None:
    """The list of so many accounts."""
    if "/accounts" not in {page.path for page in PAGES}:
        return None
    held = many(of_simulation(folder / "exercise", 1000), accounts)
    named = held["at-risk"]["accounts"][0]["account_id"].encode()
    with over(folder, held) as (_, base, _pid), httpx.Client(base_url=base, timeout=60) as client:
        first, whole, text = [], [], b""
        for _ in range(ASKED):
            began = monotonic()
            with client.stream("GET", "/accounts") as answer:
                parts = answer.iter_bytes()
                text = next(parts)
                first.append(1000 * (monotonic() - began))
                text += b"".join(parts)
                whole.append(1000 * (monotonic() - began))
            assert answer.status_code == 200 and named in text, "the list is on the page"
    return Listed(first, whole, len(text) / 1000)


def many(held: dict[str, Any], accounts: int) -> dict[str, Any]:
    """The same snapshots with so many accounts: those that there are, again and again under other names."""
    known = [value for key, value in held.items() if key.startswith("account:")]
    found = {key: value for key, value in held.items() if not key.startswith(("account:", "journeys:"))}
    rankings = {key: value for key, value in held.items() if key.startswith("accounts:by-")}
    found |= {ranking: {} for ranking in rankings}
    for number in range(accounts):
        value = known[number % len(known)]
        id_ = another(value["account_id"], number // len(known))
        found[account_key(id_)] = value | {"account_id": id_}
        for ranking, scores in rankings.items():
            if value["account_id"] in scores:
                found[ranking][id_] = scores[value["account_id"]]
    return found | {"at-risk": held["at-risk"] | {"of": accounts}}


def another(account_id: str, time: int) -> str:
    """The name under which an account is there once more; the first time it has its own."""
    return f"{account_id}-{time}" if time else account_id


# -- what came out ----------------------------------------------------------------------------------------------------


def report(seen: Live | None, kept: Memory | None, long: Listed | None) -> tuple[str, list[str]]:
    """The page in Markdown, and what was promised and not kept."""
    lines, broken = [f"## The dashboard, {now()}", "", facts(), ""], []
    if seen is not None:
        p95 = quantiles(seen.pages, n=20)[-1]
        lines += [
            f"**From an event to {PAGES_OPEN} open pages**, {EVENTS} events, one process: median "
            f"{median(seen.pages):.2f} s, 95th percentile **{p95:.2f} s**, greatest {max(seen.pages):.2f} s; in a "
            f"Chromium median {median(seen.browser):.2f} s, greatest {max(seen.browser):.2f} s. The process held at "
            f"most **{seen.peak_mb:.0f} MB**. Promised: {MOST_S:g} s and {MOST_MB:g} MB.", "",
        ]  # fmt: skip
        broken += [f"p95 of {p95:.2f} s from event to page"] if p95 > MOST_S else []
        broken += [f"{seen.peak_mb:.0f} MB for {PAGES_OPEN} pages"] if seen.peak_mb > MOST_MB else []
    if kept is not None:
        lines += [
            f"**An open page through {kept.updates:,} updates in {kept.minutes:g} minutes**: its heap went from "
            f"{kept.heap[0]:.2f} to {kept.heap[-1]:.2f} MB (last third against first: {kept.growth:.2f}), its nodes "
            f"from {kept.nodes[0]:,} to {kept.nodes[-1]:,}. Promised: flat, which is at most {MOST_GROWTH:g}.", "",
        ]  # fmt: skip
        broken += [f"the page's memory grew {kept.growth:.2f} times"] if kept.growth > MOST_GROWTH else []
    if long is not None:
        p95 = quantiles(long.first, n=20)[-1]
        lines += [
            f"**The list of {ACCOUNTS:,} accounts**, asked for from the server's start on: first byte after "
            f"{median(long.first):.0f} ms (95th percentile **{p95:.0f} ms**, greatest {max(long.first):.0f} ms), the "
            f"whole of {long.kilobytes:.0f} kB after {median(long.whole):.0f} ms. Promised: {MOST_MS:g} ms.", "",
        ]  # fmt: skip
        broken += [f"{p95:.0f} ms to the first byte of the list"] if p95 > MOST_MS else []
    return "\n".join(lines).rstrip(), broken


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.dashboard", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", choices=("live", "memory", "list"), help="one of the three")
    parser.add_argument("--minutes", type=float, default=10.0, help="how long a page is kept open")
    parser.add_argument("--accounts", type=int, default=ACCOUNTS)
    parser.add_argument("--no-fail", action="store_true", help="only print, whatever comes out")
    parser.add_argument("--write", nargs="?", const=DOCS, type=Path, help=f"put the result into a file ({DOCS})")
    given = parser.parse_args()
    wanted = (given.only,) if given.only else ("live", "memory", "list")
    with TemporaryDirectory(prefix="livelift-bench-") as held:
        folder = Path(held)
        try:
            text, broken = report(
                live(folder / "live") if "live" in wanted else None,
                memory(folder / "memory", given.minutes) if "memory" in wanted else None,
                listed(folder / "list", given.accounts) if "list" in wanted else None,
            )
        except NoBrowser as error:
            print(error)
            return 0 if given.no_fail else 1
    print(text)
    for one in broken:
        print(f"NOT KEPT: {one}")
    if given.write:
        write_section(given.write, text, begin=BEGIN, end=END)
    return 0 if given.no_fail else int(bool(broken))


if __name__ == "__main__":
    sys.exit(main())

"""Screenshots of the dashboard for docs/: of the demo's data as it is played through everything, and of hard cases.

One picture a page: on a phone (dark), on a laptop and on a wide screen, side by side at half their size.
"""

import re
from base64 import b64encode
from collections.abc import Callable, Generator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from consumers.dashboard.page import Page
from consumers.dashboard.pages import PAGES
from consumers.snapshots import Snapshots
from livelift.demo import Demo
from livelift.local.browser import browser
from livelift.local.stack import ROLES, Stack
from livelift.player import Player
from livelift.recording import open_recording
from livelift.recording.write import write_exercise
from livelift.replay import replay
from livelift.screens import address, examples_of, shown
from livelift.settings import Settings
from livelift.surroundings import product_of, surroundings
from models.alerts.draft import DRAFT
from models.clock import rfc3339
from models.simulation import simulate

if TYPE_CHECKING:
    from playwright.sync_api import Browser

FOLDER = "dashboard"
WIDTHS: dict[int, Literal["light", "dark"]] = {390: "dark", 1280: "light", 1920: "light"}
HIGHEST = 2_400
"""Pixels of a page that are shown at most."""
HALF = 2
SETTLE_S, DRAWN_MS = 120.0, 15_000
NAMES = ("株式会社みらい教育", "شركة النور للتدريب", "Müller & Söhne GmbH", "<script>alert('x')</script>",
         "บริษัท เรียนรู้ จำกัด", "Ελληνική Ακαδημία", "חברת הלמידה", "W" * 60)  # fmt: skip
SHEET = """<!doctype html><title>sheet</title><style>
body {{ margin: 0; display: inline-flex; align-items: start; gap: 12px;
padding: 12px; background: #8b949e }} img {{ display: block }}</style><body>{images}</body>"""
DRAWN = """() => document.querySelectorAll('figure[data-chart]').length
    === document.querySelectorAll('figure[data-chart] svg').length"""


class Shot(NamedTuple):
    """A page of one case, and the file that shows it."""

    name: str
    case: str
    page: Page


def shots(pages: tuple[Page, ...] = PAGES) -> list[Shot]:
    """What is to be seen: every page of the demo, the start page of an empty system, hard cases on what they hit."""
    pages = tuple(page for page in pages if not page.json_only)
    about = {name: [page for page in pages if f"{{{name}" in page.path] for name in ("account", "experiment")}
    (start,) = (page for page in pages if page.path == "/")
    accounts = [page for page in pages if page.path == "/accounts"]
    hard = [("empty", start), ("one-account", start), ("names", start), *(("names", page) for page in accounts)]
    hard += [("one-account", page) for page in about["account"][:1]]
    hard += [(case, page) for case in ("one-unit", "unbounded") for page in about["experiment"][:1]]
    return [
        *(Shot(name_of(page), "demo", page) for page in pages),
        *(Shot(f"{case}-{name_of(page)}", case, page) for case, page in hard),
    ]


def name_of(page: Page) -> str:
    return re.sub(r"\{[^}]*\}", "one", page.path.strip("/")).replace("/", "-") or "start"


def take(docs: Path, singly: Path | None = None, progress: Callable[[str], None] = print) -> list[Path]:
    """Take all screenshots. singly: a folder for those of each width at full size, to be looked at.

    Raises NoBrowser where there is no Chromium.
    """
    folder = docs / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.png"):
        old.unlink()
    with ExitStack() as exits:
        work = Path(exits.enter_context(TemporaryDirectory(prefix="livelift-screens-")))
        cases = {"demo": exits.enter_context(demo(work / "demo", progress))}
        cases |= exits.enter_context(hard_cases(work / "hard"))
        chromium = exits.enter_context(browser(progress))
        return [_taken(chromium, shot, *cases[shot.case], folder, singly) for shot in shots()]


def _taken(
    chromium: "Browser", shot: Shot, base: str, held: Mapping[str, Any], folder: Path, singly: Path | None
) -> Path:
    pictures = {width: _of_width(chromium, f"{base}{address(shot.page, examples_of(held))}", width) for width in WIDTHS}
    if singly is not None:
        singly.mkdir(parents=True, exist_ok=True)
        for width, picture in pictures.items():
            (singly / f"{shot.name}-{width}.png").write_bytes(picture)
    images = "".join(
        f'<img width="{width // HALF}" src="data:image/png;base64,{b64encode(picture).decode()}">'
        for width, picture in pictures.items()
    )
    sheet = chromium.new_page(viewport={"width": sum(WIDTHS) // HALF + 60, "height": 100})
    sheet.set_content(SHEET.format(images=images))
    sheet.wait_for_function("[...document.images].every(one => one.complete)")
    path = folder / f"{shot.name}.png"
    sheet.locator("body").screenshot(path=path)
    sheet.close()
    return path


def _of_width(chromium: "Browser", url: str, width: int) -> bytes:
    page = chromium.new_page(
        viewport={"width": width, "height": 800}, color_scheme=WIDTHS[width], timezone_id="UTC", locale="en-GB"
    )
    page.goto(url)
    page.wait_for_function(DRAWN, timeout=DRAWN_MS)
    height = min(HIGHEST, page.evaluate("document.documentElement.scrollHeight"))
    picture = page.screenshot(full_page=True, clip={"x": 0, "y": 0, "width": width, "height": height})
    page.close()
    return picture


# -- what is seen -----------------------------------------------------------------------------------------------------


@contextmanager
def demo(folder: Path, progress: Callable[[str], None]) -> Generator[tuple[str, Mapping[str, Any]]]:
    """The demo as it is played through Kafka, workers and Redis, with alerts: its dashboard, and what it holds."""
    write_exercise(simulate(customers=1000, seed=1), folder / "exercise")
    recording = open_recording(folder / "exercise")
    rules = folder / "alerts.toml"
    rules.write_text(DRAFT)
    settings = Settings(clock="log", config=folder / "exercise" / "livelift.toml", data_dir=folder, alerts=rules,
                        kafka=None, redis=None)  # fmt: skip
    with Stack(settings, (*ROLES, "alerts", "dashboard"), progress=progress) as stack:
        stack.wait_ready()
        progress("playing the demo")
        Player(surroundings(stack.settings), Demo.comfortable(recording)).play(recording)
        snapshots = Snapshots(stack.settings.require_redis(), stack.settings.redis_prefix)
        deadline = monotonic() + SETTLE_S
        while not settled(snapshots.get("quality") or {}, rfc3339(recording.last_tick)) and monotonic() < deadline:
            stack.check()
            sleep(1.0)
        sleep(5.0)  # the accounts' and journeys' last messages
        yield stack.dashboard.rstrip("/"), snapshots.everything()


def settled(quality: Mapping[str, Any], end: str) -> bool:
    """Whether everything that was played is in the sums."""
    return quality.get("as_of", {}).get("time") == end and not any(quality.get("lag", {"": 1}).values())


@contextmanager
def hard_cases(folder: Path) -> Generator[dict[str, tuple[str, Mapping[str, Any]]]]:
    """Dashboards over what is hard to show, by case."""
    one = of_simulation(folder / "one", 1)
    cases = {"empty": {}, "one-account": one, "one-unit": one, "names": named(of_simulation(folder / "names", 80)),
             "unbounded": of_simulation(folder / "unbounded", 44, seed=6)}  # fmt: skip
    with shown(folder / "redis", cases) as bases:
        yield {case: (bases[case], held) for case, held in cases.items()}


def of_simulation(folder: Path, customers: int, seed: int = 1) -> dict[str, Any]:
    """Snapshots of a simulated trial with so many customers."""
    write_exercise(simulate(customers=customers, seed=seed), folder)
    recording = open_recording(folder)
    assert recording.config is not None
    return replay(recording, product_of(recording.config))


def named(held: dict[str, Any]) -> dict[str, Any]:
    """The same with accounts whose names are of any script, and of any length."""
    for account, name in zip(held["at-risk"]["accounts"], NAMES, strict=False):
        account["name"] = name
        held[f"account:{account['account_id']}"].update(name=name, traits={"name": name})
    return held

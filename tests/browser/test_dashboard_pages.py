"""Every page of the dashboard in a real Chromium: in nobody's way, in light and in dark, with its charts drawn."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from consumers.dashboard.pages import PAGES
from livelift.recording import open_recording
from livelift.recording.write import write_exercise
from livelift.replay import replay
from livelift.screens import address, examples_of, shown
from livelift.surroundings import product_of
from models.simulation import simulate
from tests.support.axe import serious
from tests.support.stack import until

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]
WATCHED = """
window.violations = [];
document.addEventListener('securitypolicyviolation', one => violations.push(`${one.violatedDirective} ${one.sample}`));
"""
HOSTILE = "<script>alert('x')</script>"
NAMES = (HOSTILE, "W" * 120, "株式会社テスト" * 12, "شركة النور 12", "Müller & Söhne", "ทดสอบ" * 20)


class House(NamedTuple):
    """Dashboards over a played simulation and over nothing, and what the first one holds."""

    full: str
    empty: str
    held: dict[str, Any]


def played(folder: Any) -> dict[str, Any]:
    """Snapshots of a simulated trial whose first accounts have names that break pages."""
    write_exercise(simulate(customers=120, seed=1), folder)
    recording = open_recording(folder)
    assert recording.config is not None
    held = replay(recording, product_of(recording.config))
    for account, name in zip(held["at-risk"]["accounts"], NAMES, strict=False):
        account["name"] = name
        held[f"account:{account['account_id']}"].update(name=name, traits={"name": name})
    return held


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("pages")
    held = played(folder / "exercise")
    with shown(folder / "redis", {"full": held, "empty": {}}) as bases:
        yield House(**bases, held=held)


@pytest.fixture(params=[one.path for one in PAGES if not one.json_only])
def path(request: Any, house: House) -> str:
    """The address of each page."""
    (page,) = (one for one in PAGES if one.path == request.param)
    return address(page, examples_of(house.held))


def drawn(page: Any) -> bool:
    return page.locator("figure[data-chart]").count() == page.locator("figure[data-chart] svg").count()


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_nothing_stands_in_anybodys_way(chromium, house, path, colours):
    with chromium.new_context(color_scheme=colours, viewport={"width": 1280, "height": 900}) as context:
        page = context.new_page()
        for base in (house.full, house.empty):
            page.goto(f"{base}{path}")
            until("its charts are drawn", lambda: drawn(page))
            page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")
            assert serious(page) == [], base


def test_a_page_keeps_to_its_policy_and_its_host_and_draws_its_charts(chromium, house, path):
    with chromium.new_context(base_url=house.full) as context:
        page, asked, said = context.new_page(), [], []
        page.add_init_script(WATCHED)
        page.on("request", lambda one: asked.append(one.url))
        page.on("console", lambda one: said.append(one.text) if one.type in ("error", "warning") else None)
        page.on("pageerror", lambda one: said.append(str(one)))
        page.goto(path)
        until("its charts are drawn", lambda: drawn(page))
        assert page.evaluate("window.violations") == [] and said == []
        assert all(one.startswith((house.full, "data:")) for one in asked)


def test_a_phone_need_not_scroll_sideways(chromium, house, path):
    with chromium.new_context(viewport={"width": 390, "height": 800}) as context:
        page = context.new_page()
        page.goto(f"{house.full}{path}")
        until("its charts are drawn", lambda: drawn(page))
        assert page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.parametrize("base", ["full", "empty"])
def test_a_page_that_is_old_is_in_nobodys_way_either(chromium, house, base):
    with chromium.new_context(color_scheme="dark") as context:
        page = context.new_page()
        page.goto(getattr(house, base))
        page.evaluate("leave(); say(SERVER_AWAY)")
        assert page.locator("#band").is_visible()
        assert serious(page) == []


def test_a_page_that_is_in_the_background_holds_no_connection(chromium, house):
    with chromium.new_context(base_url=house.full) as context:
        page = context.new_page()
        page.goto("/")
        until("it listens", lambda: page.evaluate("source !== null && heard > 0"))
        for state in ("hidden", "visible"):
            page.evaluate(f"""Object.defineProperty(document, 'visibilityState', {{value: '{state}', configurable: true}});
                document.dispatchEvent(new Event('visibilitychange'))""")
            assert page.evaluate("source === null") == (state == "hidden")

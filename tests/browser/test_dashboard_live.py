"""An open page in a real Chromium on the real stack: it stays true by itself, and says so where it cannot."""

import json
import os
import signal
from contextlib import ExitStack
from typing import Any

import pytest
from confluent_kafka import Producer

from consumers.dashboard.pages import PAGES
from consumers.dashboard.site import templates
from livelift.local.process import Child
from livelift.local.redis import LocalRedis
from livelift.local.stack import Stack
from models.events import HOME, SOURCES
from tests.support.build import event
from tests.support.stack import until

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]
ROLES = ("scorer", "learner", "publisher", "dashboard")
STALE_S = 8
BAND = "#band:visible"
WATCHED = """
window.violations = [];
document.addEventListener('securitypolicyviolation', one => violations.push(`${one.violatedDirective} ${one.blockedURI} ${one.sample}`));
"""
SPEC = {
    "$schema": "https://vega.github.io/schema/vega-lite/v6.json", "width": "container", "height": 120,
    "data": {"values": [{"day": "2026-05-05", "score": 61, "low": 50}, {"day": "2026-05-06", "score": 40, "low": 35}]},
    "transform": [{"calculate": "datum.score / 100", "as": "share"}],
    "layer": [{"mark": {"type": "area", "opacity": 0.3}, "encoding": {"y2": {"field": "low"}}},
              {"mark": {"type": "line", "point": True, "strokeDash": [4, 2]}},
              {"mark": {"type": "text", "dy": -8}, "encoding": {"text": {"field": "share", "format": ".0%"}}}],
    "encoding": {"x": {"field": "day", "type": "temporal"}, "y": {"field": "score", "type": "quantitative"}},
}  # fmt: skip


class House:
    """The stack with a Redis of its own, and what is sent into it."""

    def __init__(self, settings: Any, exits: ExitStack) -> None:
        self.redis = LocalRedis(settings.data_dir / "redis")
        exits.callback(lambda: self.redis.stop())  # noqa: PLW0108 - it is another one by then
        self.redis.start()
        self.redis.wait_ready()
        self.settings = settings.model_copy(update={"redis": self.redis.address, "dashboard_stale_s": STALE_S})
        self.stack = exits.enter_context(Stack(self.settings, ROLES))
        self.stack.wait_ready()
        self._producer = Producer({**self.settings.confluent(), "linger.ms": 5})
        self.sent = 0

    def send(self, kind: str, **given: Any) -> None:
        made = event(kind, **given)
        topic = self.settings.topic(SOURCES[HOME[kind]])
        self._producer.produce(topic, json.dumps(made).encode(), key=made["account_id"].encode())
        assert self._producer.flush(20) == 0
        self.sent += 1

    def counted(self, page: Any) -> None:
        """Wait until the page counts everything that was sent."""
        until("the page counts it", lambda: accepted(page) == self.sent)

    def again(self, name: str) -> Child:
        child = self.stack.start_worker(name)
        self.stack.wait_ready((name,))
        return child

    def revive(self) -> None:
        """Start again what has ended because Redis was away, as `livelift up` does."""
        while (child := self.stack.fallen()) is not None:
            self.again(child.name)

    def kill(self, name: str) -> None:
        self.stack.workers[name].process.kill()
        self.stack.workers[name].process.wait()


@pytest.fixture(scope="module")
def house(module_namespace):
    with ExitStack() as exits:
        yield House(module_namespace(clock="live"), exits)


@pytest.fixture
def page(chromium, house):
    with chromium.new_context(base_url=house.stack.dashboard) as context:
        opened = context.new_page()
        opened.add_init_script(WATCHED)
        yield opened


def opened(page: Any, path: str = "/system") -> None:
    """Open a page and mark it: the mark is gone where it is loaded anew."""
    page.goto(path)
    page.evaluate("window.mark = 'the same page'")


def accepted(page: Any) -> int:
    found = page.locator("tr", has=page.get_by_role("rowheader", name="Accepted", exact=True)).locator("td").first
    return int(found.inner_text().replace(",", "")) if found.count() else 0


def says(page: Any, what: str, within_s: float = 30) -> None:
    page.locator(BAND, has_text=what).wait_for(timeout=within_s * 1000)
    assert page.get_by_role("status").count() == 1, "a screen reader says it, too"


def says_nothing(house: House, page: Any, within_s: float = 40) -> None:
    """All is well again; what ends meanwhile is started again."""

    def quiet() -> bool:
        house.revive()
        return page.locator("#band").is_hidden()

    until("all is well again", quiet, within_s)


def test_an_event_in_kafka_changes_the_open_page_without_its_being_loaded_anew(house, page):
    opened(page)
    house.send("session_started", account="acme")
    house.counted(page)
    assert page.evaluate("window.mark") == "the same page"
    says_nothing(house, page)
    assert page.evaluate("window.violations") == []


def test_where_nothing_happens_the_page_knows_that_it_is_not_old(house, page):
    opened(page)
    seen = "Date.parse(document.documentElement.dataset.published)"
    began = until("something is published", lambda: page.evaluate(seen))
    until("it is published still", lambda: (page.evaluate(seen) or 0) > began + 1000 * (STALE_S + 2))
    assert page.locator("#band").is_hidden()


def test_redis_away_is_said_and_what_comes_back_empty_is_filled_again(house, page):
    opened(page)
    house.send("session_started", account="acme")
    house.counted(page)
    house.redis.child.process.kill()
    house.redis.child.process.wait()
    says(page, "Redis does not answer")
    house.send("session_started", account="acme")
    house.redis = LocalRedis(house.redis.folder, house.redis.port)
    house.redis.start()
    house.redis.wait_ready()
    says_nothing(house, page)
    house.counted(page)
    assert page.evaluate("window.mark") == "the same page"


def test_a_redis_that_hangs_is_away_and_back_when_it_goes_on(house, page):
    opened(page)
    os.kill(house.redis.child.pid, signal.SIGSTOP)
    try:
        says(page, "Redis does not answer")
    finally:
        os.kill(house.redis.child.pid, signal.SIGCONT)
    says_nothing(house, page)
    assert page.evaluate("window.mark") == "the same page"


def test_a_server_that_is_killed_is_said_and_the_next_one_is_found(house, page):
    opened(page)
    house.send("session_started", account="acme")
    house.counted(page)
    house.kill("dashboard")
    says(page, "The dashboard's server does not answer")
    house.send("session_started", account="acme")
    house.again("dashboard")
    says_nothing(house, page)
    house.counted(page)
    assert page.evaluate("window.mark") == "the same page"


def test_without_a_publisher_the_page_says_that_it_is_old_with_or_without_a_script(house, page, chromium):
    opened(page)
    house.send("session_started", account="acme")
    house.counted(page)
    house.kill("publisher")
    try:
        says(page, "What you see is old", STALE_S + 25)
        with chromium.new_context(base_url=house.stack.dashboard, java_script_enabled=False) as context:
            plain = context.new_page()
            plain.goto("/")
            assert "What you see is old" in plain.get_by_role("status").inner_text()
    finally:
        house.again("publisher")
    says_nothing(house, page)
    assert page.evaluate("window.mark") == "the same page"


# -- what a reader has begun -----------------------------------------------------------------------------------------

ADDED = """
<form><label for="name">Name <input id="name" name="name" value=""></label>
<label for="note">Note <textarea id="note"></textarea></label>
<label for="which">Which <select id="which"><option>one<option>two</select></label>
<label for="sure">Sure <input type="checkbox" id="sure"></label></form>
<details id="more"><summary>More</summary><p>Details</p></details>
<ul><li><a href="/accounts/{first}">{first}</a></li><li><a href="/accounts/{second}">{second}</a></li></ul>
"""


def test_open_details_focus_and_half_filled_fields_survive(house, page):
    order = ["acme", "zeta"]

    def with_form(route):
        answer = route.fetch()
        added = ADDED.format(first=order[0], second=order[1])
        route.fulfill(response=answer, body=answer.text().replace("</main>", f"{added}</main>"))

    page.route("**/system", with_form)
    opened(page)
    page.fill("#name", "half a na")
    page.fill("#note", "a note")
    page.select_option("#which", "two")
    page.check("#sure")
    page.click("#more summary")
    page.focus("#name")
    page.evaluate("document.getElementById('name').setSelectionRange(2, 4)")
    house.send("session_started", account="acme")
    house.counted(page)
    held = page.evaluate("""({name: name.value, at: document.activeElement.id, open: more.open, which: which.value,
        note: note.value, sure: sure.checked, from: document.getElementById('name').selectionStart})""".replace(
        "name: name.value", "name: document.getElementById('name').value"))  # fmt: skip
    assert held == {
        "name": "half a na",
        "at": "name",
        "open": True,
        "which": "two",
        "note": "a note",
        "sure": True,
        "from": 2,
    }
    page.get_by_role("link", name="zeta").focus()
    order.reverse()
    house.send("session_started", account="acme")
    house.counted(page)
    assert page.evaluate("document.activeElement.textContent") == "zeta", "whoever presses Enter gets what they chose"
    assert page.locator("main li").all_inner_texts() == ["zeta", "acme"]


# -- without a script, and charts -----------------------------------------------------------------------------------

PLAIN = [one.path for one in PAGES if "{" not in one.path and not one.json_only]


@pytest.mark.parametrize("path", PLAIN)
def test_every_page_reads_without_javascript(house, chromium, path):
    with chromium.new_context(base_url=house.stack.dashboard, java_script_enabled=False) as context:
        page = context.new_page()
        assert page.goto(path).ok
        assert page.get_by_role("heading", level=1).inner_text()
        assert page.get_by_role("main").inner_text()
        assert page.locator("#band").is_hidden()


def test_charts_are_drawn_under_the_policy_follow_the_colours_and_are_drawn_anew_only_where_they_changed(house, page):
    part = templates().from_string(
        '{% import "parts.html" as parts %}{{ parts.chart(spec, "Scores", "It fell to 40.", ["day"], [["1"]], "scores") }}'
    )
    said, spec = [], json.loads(json.dumps(SPEC))
    page.on("console", lambda one: said.append(one.text) if one.type in ("error", "warning") else None)

    def with_chart(route):
        answer = route.fetch()
        body = answer.text().replace("</main>", f"{part.render(spec=spec)}</main>")
        route.fulfill(response=answer, body=body.replace("</head>", '<script src="/charts.js" defer></script></head>'))

    page.route("**/system", with_chart)
    opened(page)
    page.wait_for_selector("[data-place] svg")
    assert page.locator("[data-place] svg text", has_text="61%").count() == 1
    assert page.locator("[data-place] svg").bounding_box()["width"] > 300
    assert page.evaluate("window.violations") == [] and said == []
    dark = page.locator("[data-place] svg .role-axis-label text").first.get_attribute("fill")
    page.emulate_media(color_scheme="dark")
    until("it is drawn in the other colours", lambda: page.locator("[data-place] svg .role-axis-label text").first
          .get_attribute("fill") not in (dark, None))  # fmt: skip
    page.evaluate("document.querySelector('[data-place] svg').marked = true")
    house.send("session_started", account="acme")
    house.counted(page)
    assert page.evaluate("document.querySelector('[data-place] svg').marked") is True
    spec["data"]["values"][0]["score"] = 73
    house.send("session_started", account="acme")
    page.locator("[data-place] svg text", has_text="73%").wait_for()
    assert page.locator("[data-place] svg").count() == 1
    assert page.evaluate("window.violations") == [] and said == []

"""Alerts in a real browser: their emails, for everybody, in light and in dark, and on a phone as well; and what people
do with them on the dashboard, with an alerts process that does it."""

import pytest

from consumers.alerts.forms import Forms, forms_of
from livelift.dashboard import here_of
from livelift.screens import served
from tests.support.alerted import RULES, alert, evidence
from tests.support.alerting import AT_RISK, score
from tests.support.axe import serious
from tests.support.listening import Hook
from tests.support.office import Office
from tests.support.stack import until

pytestmark = pytest.mark.browser


def forms(key: str, called: str = "Acme Ltd") -> Forms:
    return forms_of(key, [alert(evidence(called))], RULES, waiting=2)


@pytest.mark.parametrize("key", ["a-1-0", "digest-dana-2026-05-15"])
@pytest.mark.parametrize("colours", ["light", "dark"])
def test_nothing_stands_in_anybodys_way(chromium, key, colours):
    with chromium.new_context(color_scheme=colours) as context:
        page = context.new_page()
        page.set_content(forms(key).html)
        assert serious(page) == []


@pytest.mark.parametrize("called", ["Acme Ltd", "W" * 200, "株" * 120, "شركة" * 40])
def test_a_phone_need_not_scroll_sideways(chromium, called):
    with chromium.new_context(viewport={"width": 360, "height": 700}) as context:
        page = context.new_page()
        for key in ("a-1-0", "digest-dana-2026-05-15"):
            page.set_content(forms(key, called).html)
            assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_dark_is_dark_and_light_is_light(chromium):
    with chromium.new_context(color_scheme="dark") as context:
        page = context.new_page()
        page.set_content(forms("a-1-0").html)
        colour = "getComputedStyle(document.querySelector('main')).backgroundColor"
        assert page.evaluate(colour) == "rgb(22, 27, 34)"
        page.emulate_media(color_scheme="light")
        assert page.evaluate(colour) == "rgb(255, 255, 255)"


def test_a_name_from_right_to_left_stays_where_it_stands(chromium):
    with chromium.new_context() as context:
        page = context.new_page()
        page.set_content(forms("a-1-0", "שלום 12").html)
        left = """text => { const node = document.querySelector('h1').firstChild, range = document.createRange()
          const at = node.data.indexOf(text); range.setStart(node, at); range.setEnd(node, at + text.length)
          return range.getBoundingClientRect().left }"""
        places = [page.evaluate(left, text) for text in ("שלום 12", "is at risk", "health score")]
        assert places == sorted(places), "what follows the name stands behind it"


# -- what people do with them --------------------------------------------------------------------------------------------


@pytest.fixture
def office(namespace, tmp_path):
    with Hook() as hook:
        made = Office(namespace(clock="live", partitions=1), tmp_path, hook, AT_RISK)
        made.start()
        made.send(score(10, account="acme", traits={"owner": "olga", "name": "Acme Ltd"}))
        until("it is open", made.open)
        yield made
        made.stop()


@pytest.fixture
def site(office):
    with served(here_of(office.settings)) as address:
        yield address


def does(page, what, article):
    """Press a button on an alert by keyboard."""
    button = page.get_by_role("article", name=article).get_by_role("button", name=what)
    button.focus()
    page.keyboard.press("Enter")


def becomes(page, what):
    """Wait until the page says so, by itself."""
    page.locator("#asked", has_text=what).wait_for()
    assert page.get_by_role("status").filter(has_text=what).count() == 1, "a screen reader says it, too"


@pytest.mark.timeout(120)
def test_what_was_closed_by_mistake_is_reopened_on_the_page_and_what_is_refused_appears(chromium, site, office):
    with chromium.new_context(base_url=site) as context, chromium.new_context(
        base_url=site, java_script_enabled=False
    ) as other:  # fmt: skip
        page, stale, watching = context.new_page(), other.new_page(), context.new_page()
        page.goto("/accounts/acme")
        page.get_by_label("Your name").fill("olga")
        page.get_by_label("Was it useful?").select_option("not useful")
        does(page, "Resolve", "at-risk")
        becomes(page, "Done Resolve")
        assert page.evaluate("document.activeElement.id") == "asked", "whoever reads on reads what became of it"
        closed = page.get_by_role("region", name="Closed alerts")
        closed.wait_for()
        assert "Closed by olga" in closed.inner_text() and "not useful" in closed.inner_text()
        page.goto("/alerts?state=closed")
        assert serious(page) == []
        page.get_by_text("What you do about it").click()
        does(page, "Reopen", "Acme Ltd")
        becomes(page, "Done Reopen")
        until("it is open again", lambda: [one["state"] for one in office.open().values()] == ["open"])

        watching.goto("/alerts")
        stale.goto("/accounts/acme")
        page.goto("/accounts/acme")
        does(page, "Acknowledge", "at-risk")
        becomes(page, "Done Acknowledge")
        stale.get_by_label("Your name").fill("pete")
        does(stale, "Acknowledge", "at-risk")
        stale.wait_for_url("**asked=**")
        refused = watching.get_by_role("region", name="Refused", exact=True)
        refused.get_by_role("listitem").filter(has_text="pete").wait_for()
        (one,) = refused.get_by_role("listitem").all_inner_texts()
        assert one.startswith("Acknowledge of acme: at-risk, asked by pete")
        assert "Not done: an alert that is acknowledged cannot be acknowledged." in one
        stale.reload()
        becomes(stale, "Refused Acknowledge: at-risk of Acme Ltd. It was refused")
        for one in (watching, page):
            assert serious(one) == []

"""Emails of alerts in a real browser: for everybody, in light and in dark, and on a phone as well."""

import pytest

from consumers.alerts.forms import Forms, forms_of
from tests.support.alerted import RULES, alert, evidence
from tests.support.axe import serious

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

"""The browser that tests drive, and the checker of accessibility, do what the other tests here rely on."""

import pytest

from tests.support.axe import serious

pytestmark = pytest.mark.browser
PAGE = "<!doctype html><html lang=en><head><title>t</title>{head}</head><body><main><h1>Hello</h1>{body}</main></body></html>"


def test_pages_run_scripts_and_follow_light_and_dark(chromium):
    with chromium.new_context(color_scheme="dark") as context:
        page = context.new_page()
        page.set_content(PAGE.format(head="", body="<p id=said></p><script>said.textContent = 6 * 7</script>"))
        assert page.inner_text("#said") == "42"
        assert page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
        page.emulate_media(color_scheme="light")
        assert not page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")


def test_axe_finds_what_is_wrong_only_where_it_is_wrong(chromium):
    with chromium.new_context() as context:
        page = context.new_page()
        page.set_content(PAGE.format(head="", body="<img src='' alt='a dot'><p>Legible.</p>"))
        assert serious(page) == []
        page.set_content(PAGE.format(head="", body="<img src=''><p style='color:#ccc'>Illegible.</p>"))
        assert {one.split(" ")[0] for one in serious(page)} == {"image-alt", "color-contrast"}


def test_axe_looks_at_a_page_that_forbids_scripts(chromium):
    policy = "<meta http-equiv=Content-Security-Policy content=\"default-src 'none'\">"
    with chromium.new_context() as context:
        page = context.new_page()
        page.set_content(PAGE.format(head=policy, body="<p>Strict.</p><script>document.title = 'ran'</script>"))
        assert page.title() == "t"
        assert serious(page) == []

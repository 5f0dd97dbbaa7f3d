"""The dashboard's base: who may look, what a browser may do, what is escaped, and what is said when nothing is there."""

import re

import pytest

from consumers.dashboard.app import make_dashboard
from consumers.dashboard.commands import NotAsked, command_of
from consumers.dashboard.config import Here
from consumers.dashboard.pages import PAGES, SECTIONS
from consumers.dashboard.site import within
from livelift.dashboard import NotGuarded, serve
from livelift.settings import Settings
from models.clock import DAY
from tests.support.pages import Given, dashboard, text_of

pytestmark = pytest.mark.shell
EMPTY = Given({})
PLAIN = [page.path for page in PAGES if "{" not in page.path and not page.json_only]
HOSTILE = "<script>alert('x')</script>"


@pytest.mark.parametrize("path", PLAIN)
def test_every_page_of_an_empty_system_says_what_to_do_and_has_its_json_beside_it(path: str) -> None:
    with dashboard(EMPTY) as client:
        page, json = client.get(path), client.get(f"/api{path}" if path != "/" else "/api/start")
    assert (page.status_code, json.status_code) == (200, 200)
    assert json.headers["content-type"] == "application/json"
    assert "None" not in text_of(page.text) and "undefined" not in page.text


@pytest.mark.parametrize("path", PLAIN)
def test_no_page_runs_anything_that_is_not_ours_or_calls_anybody(path: str) -> None:
    with dashboard(EMPTY) as client:
        page = client.get(path)
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy
    assert not re.findall(r"(?:src|href|action)=[\"'](?:https?:)?//", page.text)
    assert not re.findall(r"\son\w+=|style=", page.text), "an inline handler or style would not run"
    scripts = re.findall(r"<script([^>]*)>", page.text)
    assert all('src="/' in one or 'type="application/json"' in one for one in scripts)


def test_redis_away_is_said_on_the_page_and_in_json() -> None:
    with dashboard(Given({}, away=True)) as client:
        page, json = client.get("/"), client.get("/api/start")
    assert page.status_code == json.status_code == 503
    assert "Redis does not answer" in text_of(page.text) and json.json()["error"] == "Redis does not answer"
    assert 'data-keys="quality"' in page.text, "it looks again by itself"


def test_an_address_that_is_none_is_said_so_within_the_site() -> None:
    with dashboard(EMPTY) as client:
        page = client.get("/nothing")
        assert (page.status_code, client.get("/api/nothing").status_code) == (404, 404)
    assert "There is no such page" in text_of(page.text) and all(says in page.text for _, says in SECTIONS)


def test_a_name_is_just_a_name() -> None:
    account = {"account_id": HOSTILE, "name": HOSTILE, "owner": None, "score": 1.0, "band": "at_risk",
               "probability": None, "mrr": None, "revenue_at_risk": None}  # fmt: skip
    with dashboard(Given({"at-risk": {"of": 1, "accounts": [account]}})) as client:
        page = client.get("/").text
    assert HOSTILE in text_of(page) and "<script>alert" not in page


def test_a_page_elsewhere_cannot_be_made_to_point_here() -> None:
    with dashboard(EMPTY) as client:
        assert client.get("/", headers={"Host": "evil.example"}).status_code == 421
        assert client.get("/", headers={"Host": "127.0.0.1:8000"}).status_code == 200
    with dashboard(EMPTY, names=("lift.example",)) as client:
        assert client.get("/", headers={"Host": "lift.example"}).status_code == 200
        assert client.get("/").status_code == 421


def test_with_a_token_nobody_looks_without_it() -> None:
    with dashboard(EMPTY, token="right") as client:
        assert client.get("/system").headers["location"] == "/login?to=/system"
        assert client.get("/api/system").status_code == 401
        assert client.get("/live").status_code == 303
        assert client.get("/api/system", headers={"Authorization": "Bearer right"}).status_code == 200
        assert client.get("/api/system", headers={"Authorization": "Bearer wrong"}).status_code == 401
        wrong = client.post("/login", data={"token": "wrong"})
        assert wrong.status_code == 403 and "This is not the token" in text_of(wrong.text)
        client.cookies.set("livelift_session", "made.up")
        assert client.get("/system").status_code == 303
        client.cookies.clear()
        right = client.post("/login?to=/system", data={"token": "right"})
        assert (right.status_code, right.headers["location"]) == (303, "/system")
        assert client.get("/system").status_code == 200


@pytest.mark.parametrize(("path", "status"), [("/static/none", 404), ("/ready", 503), ("/login", 200)])
def test_what_everybody_may_ask_for_lets_nobody_in(path: str, status: int) -> None:
    with dashboard(Given({}, away=True), token="right") as client:
        assert client.get(path).status_code == status
        assert client.get("/system").status_code == 303


def test_whoever_has_entered_stays_when_the_server_is_started_anew() -> None:
    with dashboard(EMPTY, token="right") as client:
        client.post("/login", data={"token": "right"})
        held = dict(client.cookies)
    for token, status in (("right", 200), ("another", 303)):
        with dashboard(EMPTY, token=token) as client:
            client.cookies.update(held)
            assert client.get("/system").status_code == status


def test_behind_a_proxy_whoever_it_names_looks_and_nobody_else() -> None:
    with dashboard(EMPTY, proxy_header="X-Forwarded-Email") as client:
        assert client.get("/").status_code == 401
        assert client.get("/", headers={"X-Forwarded-Email": "ann@example.com"}).status_code == 200


@pytest.mark.parametrize("to", ["//evil.example", "https://evil.example", "/\\evil.example", "evil"])
def test_nobody_is_sent_elsewhere(to: str) -> None:
    assert within(to) == "/"


def test_it_is_not_served_to_others_without_asking_who_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIVELIFT_REDIS", "redis://127.0.0.1:1/0")
    with pytest.raises(NotGuarded, match="LIVELIFT_DASHBOARD_TOKEN"):
        serve(Settings(), "0.0.0.0", 0)


# -- commands ------------------------------------------------------------------------------------------------------------

FORM = {"do": "resolve", "account_id": "acme", "verdict": "useful"}


def test_a_form_that_is_not_from_a_page_of_ours_asks_for_nothing() -> None:
    with dashboard(EMPTY) as client:
        assert client.post("/alerts/a1", data=FORM).status_code == 403
        client.get("/")
        assert client.post("/alerts/a1", data={**FORM, "form_token": "guessed"}).status_code == 403
        token = make_dashboard(Here(redis_url="redis://127.0.0.1:1")).state.site.guard.form_token("another")
        assert client.post("/alerts/a1", data={**FORM, "form_token": token}).status_code == 403


def test_what_a_form_asks_for_is_checked() -> None:
    assert command_of("a1", FORM, "ann", 0).verdict == "useful"
    assert command_of("a1", {**FORM, "do": "snooze", "days": "2"}, "ann", 5).until == 5 + 2 * DAY
    for wrong, by in (
        ({"do": "dance"}, "ann"), ({"verdict": "so so"}, "ann"), ({"do": "snooze", "days": "many"}, "ann"),
        ({"do": "snooze", "days": "-1"}, "ann"), ({"do": "snooze", "days": "nan"}, "ann"), ({}, ""),
    ):  # fmt: skip
        with pytest.raises(NotAsked):
            command_of("a1", {**FORM, **wrong}, by, 0)
    with pytest.raises(NotAsked):
        command_of("a1", {"do": "resolve", "verdict": "useful"}, "ann", 0)
    assert command_of("a1", {"do": "retry", "account_id": ""}, "ann", 0).account_id == "", "a notice is of no account"

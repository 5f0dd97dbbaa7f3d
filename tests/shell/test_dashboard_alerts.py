"""Pages on alerts that were closed, commands that were refused, and what has become of what somebody has just asked."""

import re
from contextlib import contextmanager
from types import SimpleNamespace
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest
from msgspec.structs import replace

from consumers.dashboard.views.asked import ADVICE, DONE, FASTER, STRANGE, WORDS, Sent, advice, asked_of
from models.alerts.alert import Alert, Refused, Source
from models.alerts.decide import Command, of_command
from models.clock import DAY
from tests.support.alerting import score, signal
from tests.support.pages import dashboard, text_of
from tests.support.wall import LOST, Wall

pytestmark = pytest.mark.shell
HOSTILE = "<script>alert('x')</script>"
ACME = {"traits": {"owner": "olga", "name": "Acme Ltd"}}


@pytest.fixture
def wall():
    made = Wall().show()
    made.desk.take(score(10, **ACME), signal("ann", **ACME), score(10, account="zeta"))
    return made.show()


def risk(wall, account="acme"):
    """The account's alert of being at risk, as it is now."""
    return next(one for one in wall.desk.book.alerts_of(account).values() if one.rule == "at-risk")


def closed(wall):
    return wall.ask("resolve", risk(wall), verdict="not useful")


def html(wall, path, snapshots=None, **here):
    with dashboard(wall.read(snapshots), **{"kafka": {"x": "y"}, **here}) as client:
        answer = client.get(path)
    assert answer.status_code == 200, answer.text
    return answer.text


def part(page, heading):
    """One section of a page, by its heading's id."""
    return re.search(rf'<section[^>]* aria-labelledby="{heading}".*?</section>', page, re.DOTALL)[0]


def says(wall, path, **more):
    return text_of(html(wall, path, **more))


def test_an_alert_says_of_when_what_it_rests_on_is(wall):
    day, hour = risk(wall).evidence["at"].split("T")
    said = text_of(part(html(wall, "/accounts/acme"), "alerts-heading"))
    assert f"Score 10 of 100. As of {day} {hour[:5]} UTC" in said


# -- closed -----------------------------------------------------------------------------------------------------------------


def test_an_accounts_page_shows_what_was_closed_by_whom_and_how_it_is_reopened(wall):
    one = closed(wall)
    page = html(wall, "/accounts/acme")
    section = part(page, "closed-alerts")
    assert "Closed at-risk, since" in text_of(section)
    assert re.search(r"Closed by olga , [-\d]+ [:\d]+ UTC : not useful", text_of(section))
    assert set(re.findall(r'name="do" value="(\w+)"', section)) == {"reopen", "resolve"}
    assert f'action="/alerts/{one.id}"' in section and "<option selected>not useful</option>" in section
    assert "Stuck" not in section and one.id not in part(page, "alerts-heading")


@pytest.fixture
def many(wall):
    """Nine people are stuck; what is told of them is closed one after the other, the last one last."""
    wall.desk.take(*(signal(f"user-{number}", **ACME) for number in range(9)))
    wall.show()
    for number in range(9):
        wall.desk.now += 60_000_000
        (one,) = [one for one in wall.desk.book.alerts_of("acme").values() if f"user-{number}/" in one.reason]
        wall.ask("resolve", one, verdict="useful")
    return wall


def test_of_many_that_were_closed_the_last_stand_first_and_others_behind_a_fold(many):
    section = part(html(many, "/accounts/acme"), "closed-alerts")
    users = re.findall(r"user-(\d) is stuck", section)
    assert users == list("876543210")
    assert re.findall(r"user-(\d) is stuck", section[section.index("<details") :]) == list("3210")
    assert "4 that were closed before" in text_of(section)


def test_closed_alerts_are_found_by_state_owner_and_rule_and_are_not_among_the_open_ones(many):
    opened, gone = html(many, "/alerts"), html(many, "/alerts?state=closed")
    assert "3 open, 9 closed" in text_of(opened) and "3 open, 9 closed" in text_of(gone)
    assert re.findall(r"user-(\d) is stuck", gone) == list("876543210") and "user-0" not in opened
    assert "closed (9)" in text_of(opened) and 'href="/alerts?state=closed"' in opened
    assert "stuck (9)" in text_of(gone) and "at-risk (" not in text_of(gone), "counts are of what is looked through"
    with dashboard(many.read()) as client:
        for asked, found in (("owner=olga", 9), ("owner=pete", 0), ("rule=stuck", 9), ("rule=at-risk", 0)):
            assert len(client.get(f"/api/alerts?state=closed&{asked}").json()["alerts"]) == found, asked


def test_where_nothing_is_open_what_was_closed_can_be_found():
    wall = Wall().show()
    wall.desk.take(score(10))
    wall.show().ask("resolve", verdict="useful")
    page = html(wall, "/alerts")
    assert "Nothing open, 1 closed" in text_of(page) and 'href="/alerts?state=closed"' in page
    assert "Nothing is open. Closed alerts can be looked at and reopened." in text_of(page)


def test_without_kafka_closed_alerts_can_be_looked_at_only(wall):
    for one in [*wall.desk.book.alerts_of("acme").values()]:
        wall.ask("resolve", one, verdict="useful")
    for path in ("/alerts?state=closed", "/accounts/acme"):
        page = html(wall, path, kafka={})
        assert 'name="do"' not in page and "the dashboard knows no Kafka" in text_of(page)


def test_an_account_reads_its_own_alerts_and_no_others(wall):
    read = wall.read()
    asked = []
    some, fields = read.some, read.fields

    async def noting(key, given):
        asked.append((key, tuple(given)))
        return await some(key, given)

    async def scanned(key):
        assert not key.startswith("alerts:"), "it goes through all alerts"
        yield {}

    read.some, read.scanned = noting, scanned
    with dashboard(read) as client:
        found = client.get("/api/accounts/zeta").json()
    assert {one["account_id"] for one in found["alerts"]} == {"zeta"} and fields
    ids = (risk(wall, "zeta").id,)
    assert asked == [("alerts:accounts", ("zeta",)), ("alerts:open", ids), ("alerts:closed", ids)]


# -- refused ------------------------------------------------------------------------------------------------------------------


def why_not(alert, do, now, **given):
    found = of_command(alert, Command(alert_id="a", account_id="acme", do=do, by="ann", at=now, **given), now)
    assert isinstance(found, Refused)
    return found.because


def test_whatever_can_be_refused_has_an_advice_of_its_own(wall):
    one, now = risk(wall), wall.desk.now
    found = {
        advice(why_not(None, "reopen", now)), advice(why_not(one, "reopen", now)), advice(why_not(one, "snooze", now)),
        advice(why_not(one, "resolve", now)), advice(why_not(one, "retry", now)), advice(why_not(one, "dance", now)),
    }  # fmt: skip
    assert found == {*ADVICE.values(), FASTER, STRANGE}
    assert advice("not a command: JSON is malformed") == STRANGE


def test_what_was_refused_is_said_with_whom_of_which_alert_why_and_what_to_do(wall):
    one = risk(wall)
    wall.refuse(one.id, "an alert that is open cannot be reopened", by="pete")
    wall.refuse("nobody's", "there is no such alert", do="acknowledge")
    wall.refuse(one.id, f"unknown command {HOSTILE!r}", do=HOSTILE, by=HOSTILE)
    acme = {"account_id": "acme", **ACME}
    page = html(wall, "/alerts", {"account:acme": acme})
    section = part(page, "refused")
    rows = [text_of(row) for row in re.findall(r"<li>.*?</li>", section, re.DOTALL)]
    assert rows[0].startswith(HOSTILE) and "<script>alert" not in page and rows[0].endswith(STRANGE)
    assert (
        rows[1].startswith("Acknowledge of an alert that is not known, asked by olga on ")
        and "Not done: there is no such alert. Load" in rows[1]
    )
    assert rows[2].startswith("Reopen of Acme Ltd : at-risk, asked by pete on ")
    assert rows[2].endswith(f"Not done: an alert that is open cannot be reopened. {FASTER}")
    assert 'href="/accounts/acme"' in section
    assert 'href="#refused"' in page


def test_of_many_that_were_refused_the_oldest_are_behind_a_fold(wall):
    for number in range(13):
        wall.refuse(risk(wall).id, f"reason {number}")
    section = part(html(wall, "/alerts"), "refused")
    folded = section[section.index("<details") :]
    assert "3 that were refused before" in folded and re.findall(r"reason (\d+)", folded) == ["2", "1", "0"]
    assert re.findall(r"reason (\d+)", section) == [str(number) for number in range(12, -1, -1)]


def test_where_nothing_was_refused_nothing_is_said_of_it(wall):
    assert "Refused" not in says(wall, "/alerts")


# -- what has become of it ----------------------------------------------------------------------------------------------------


class Kafka:
    """Takes messages, and says where it has put them."""

    def __init__(self):
        self.sent = []

    def send(self, topic, key, value, partition):
        self.sent.append((topic, key, msgspec.json.decode(value, type=Command)))
        return SimpleNamespace(get=lambda timeout: SimpleNamespace(offset=len(self.sent) - 1))

    def close(self, timeout):
        pass


@contextmanager
def office(read):
    """A client of the dashboard whose commands go nowhere, and what was sent."""
    with dashboard(read, kafka={"x": "y"}, namespace="n-") as client:
        client.app.state.site.commands._producer = kafka = Kafka()
        token = re.search(r'name="form_token" value="(\w+)"', client.get("/alerts").text)[1]

        def send(alert_id, do, to="/alerts", account="acme", **given):
            return client.post(f"/alerts/{alert_id}", data={
                "form_token": token, "do": do, "account_id": account, "to": to, "by": "ann", **given})  # fmt: skip

        yield SimpleNamespace(client=client, kafka=kafka, send=send)


@pytest.mark.parametrize(
    ("to", "back"), [("/accounts/acme", "/accounts/acme"), ("/alerts?state=closed&page=2", "/alerts"), ("//evil", "/")]
)
def test_whoever_sends_a_form_comes_back_to_where_its_outcome_is_said(wall, to, back):
    one = closed(wall)
    with office(wall.read()) as there:
        answer = there.send(one.id, "reopen", to)
    at = urlsplit(answer.headers["location"])
    assert (answer.status_code, at.netloc, at.path, at.fragment) == (303, "", back, "asked")
    assert parse_qs(at.query)["asked"] == [f"reopen/{one.id}/0"]
    assert parse_qs(at.query).get("state") == (["closed"] if "state" in to else None)
    ((topic, key, command),) = there.kafka.sent
    assert (topic, key, command.do, command.alert_id, command.by) == (
        "n-alert-commands",
        b"acme",
        "reopen",
        one.id,
        "ann",
    )


def test_a_notice_that_could_not_be_delivered_is_sent_again(wall):
    notice = Alert(
        id="n", account_id="", rule="started", reason="", state="over", transition="opened", deliveries=(LOST,)
    )
    wall.put(notice)
    with office(wall.read()) as there:
        page = there.client.get("/alerts?state=undeliverable").text
        assert 'name="account_id" value=""' in page and 'value="retry"' in page
        assert there.send("n", "retry", account="").status_code == 303
    assert there.kafka.sent[0][2].do == "retry"


@pytest.mark.parametrize("path", ["/alerts", "/accounts/acme"])
def test_a_page_says_what_became_of_a_command_as_soon_as_it_is_known(wall, path):
    one = risk(wall)
    here = f"{path}?asked={Sent('reopen', one.id, 0)}"
    assert "Asked for Reopen: at-risk of Acme Ltd . It has been sent as a message" in says(wall, here)
    keys = re.search(r'data-keys="([^"]*)"', html(wall, here))[1].split()
    assert {"alerts:open", "alerts:closed", "alerts:refused", "alerts:rules"} <= set(keys)
    wall.refuse(one.id, "an alert that is open cannot be reopened")
    text = says(wall, here)
    assert (
        f"Refused Reopen: at-risk of Acme Ltd . It was refused: an alert that is open cannot be reopened. {FASTER}"
        in text
    )
    found = wall.desk.asks("resolve", one, verdict="useful")
    wall.put(replace(found, source=Source("alert-commands", 0, 1)))
    text = says(wall, f"{path}?asked={Sent('resolve', one.id, 1)}")
    assert f"Done Resolve: at-risk of Acme Ltd . {DONE['resolve']}" in text
    assert "Asked for" in says(wall, f"{path}?asked={Sent('reopen', one.id, 2)}")


def test_what_became_of_it_is_said_to_a_screen_reader_and_is_in_the_json(wall):
    here = f"/alerts?asked={Sent('snooze', risk(wall).id, 0)}"
    assert re.search(r'<p id="asked"[^>]* role="status" tabindex="-1"', html(wall, here))
    with dashboard(wall.read()) as client:
        assert client.get(f"/api{here}").json()["asked"]["state"] == "waits"


@pytest.mark.parametrize("asked", ["", "reopen", "dance/a/1", "reopen//1", "reopen/a/", "reopen/a/-1", "reopen/a/٣",
                                   f"reopen/a/{'9' * 30}", f"{HOSTILE}/a/1"])  # fmt: skip
def test_an_address_that_names_no_command_says_nothing(wall, asked):
    assert asked_of(asked) is None
    with dashboard(wall.read()) as client:
        assert 'id="asked"' not in client.get("/alerts", params={"asked": asked}).text


def test_an_address_may_name_any_alert_and_what_it_names_is_not_said():
    assert asked_of(f"reopen/{HOSTILE}/7") == ("reopen", HOSTILE, 7)
    assert HOSTILE not in says(Wall().show(), f"/alerts?asked=reopen/{HOSTILE}/7")
    assert {str(asked_of(f"{do}/a/b/3")) for do in WORDS} == {f"{do}/a/b/3" for do in WORDS}


def test_a_snooze_and_who_reopened_are_said(wall):
    wall.ask("snooze", risk(wall), until=wall.desk.now + DAY)
    assert "Snoozed by olga" in says(wall, "/alerts")
    wall.ask("reopen", risk(wall))
    assert "Reopened by olga" in says(wall, "/alerts")

"""Pages on accounts, alerts and the start page, over snapshots of a real replay: what is said, and what is hard to say."""

import asyncio
import csv
import random
import re
from io import StringIO
from urllib.parse import quote

import httpx
import pytest

from consumers.alerts.shown import shown as board_shown
from consumers.dashboard.app import make_dashboard
from consumers.dashboard.config import Here
from consumers.dashboard.following import fill, take
from consumers.dashboard.index import Index, Known, Sought
from consumers.dashboard.live import Listener, heard, told
from consumers.dashboard.views.account import Point, points, reason
from consumers.dashboard.views.account_changes import Fall, changed, comparable, falling
from consumers.dashboard.views.accounts import harmless, wanted
from models.alerts.alert import Alert, Delivery
from models.clock import DAY
from models.keys import account_key, account_of, history_key
from tests.support.accounts_shown import accounts_of, edited, given, shown
from tests.support.pages import URL, Given, dashboard, text_of

pytestmark = pytest.mark.shell
ODD = "pete/ops: 100 %"
NO_RULES = {"as_of": {"time": "2026-05-20T17:00:00Z"}, "rules": []}
HOSTILE = "<script>alert('x')</script>"


@pytest.fixture(scope="module")
def snapshots(tmp_path_factory):
    return shown(tmp_path_factory.mktemp("shown") / "recording")


@pytest.fixture(scope="module")
def first(snapshots):
    """The account at the head of the capacity list."""
    return snapshots[account_key(snapshots["at-risk"]["accounts"][0]["account_id"])]


def alert(account, state="open", **more):
    """An alert as `alerts:open` shows it."""
    one = Alert(id="a1", account_id=account["account_id"], rule="at-risk", reason="at_risk", state=state, at=5 * DAY,
                episode=1, opened_at=4 * DAY, owner="olga", evidence=account, **more)  # fmt: skip
    return board_shown(one, 5 * DAY)


def with_alert(snapshots, account, state="open", **more):
    place = "alerts:closed" if state == "closed" else "alerts:open"
    held = {place: {"a1": alert(account, state, **more)}, "alerts:accounts": {account["account_id"]: ["a1"]}}
    return given({**snapshots, "alerts:rules": {**NO_RULES, "open": 1}}, hashes=held)


def page(read, path, filled=True, **here):
    if filled:
        asyncio.run(fill(read))
    with dashboard(read, **here) as client:
        answer = client.get(path)
    assert answer.status_code == 200, answer.text
    return answer.text


def said(read, path, **here):
    return text_of(page(read, path, **here))


def address(account_id):
    return f"/accounts/{quote(account_id, safe='')}"


# -- everything that the issue lists is shown -------------------------------------------------------------------------------

ACCOUNT_ITEMS = {
    "score": lambda one: f"{one['score']:.1f} of 100",
    "band": lambda one: {"at_risk": "At risk", "watch": "Watch", "healthy": "Healthy"}[one["band"]],
    "band_since": lambda one: f"In this band since {one['band_since']}",
    "days_in_band": lambda one: f"{one['days_in_band']} day",
    "change_7d": lambda one: f"{one['change_7d']:+.1f} in a week".replace("-", "−"),
    "probability": lambda one: f"Probability of staying for the next 28 days {percent(one['probability'])}",
    "probability_interval": lambda one: f"between {percent(one['probability_interval'][0])} and",
    "revenue_at_risk": lambda one: f"Revenue at risk a month {money(one['revenue_at_risk'])} of {money(one['mrr'])}",
    "revenue_at_risk_interval": lambda one: f"between {money(one['revenue_at_risk_interval'][0])} and",
    "renews_at": lambda one: f"Renews {one['renews_at'][:10]}",
    "renewal_probability": lambda one: f"Probability of renewing {percent(one['renewal_probability'])}",
    "risk": lambda one: f"at risk from {one['risk']['at_risk_from']:.3g}",
    "drivers.value": lambda one: "Users who are there regularly",
    "drivers.typical": lambda one: "Typical: the middle half of accounts of similar size",
    "drivers.contribution": lambda one: f"{one['drivers'][0]['contribution']:+.2f}".replace("-", "−"),
    "baseline": lambda one: f"= {one['baseline']:.1f} (a typical account)",
    "causes": lambda one: "What changed it last",
    "signs": lambda one: "1 ticket open",
    "traits.owner": lambda one: one["traits"].get("owner", "nobody has been told"),
    "traits.segment": lambda one: one["traits"]["segment"],
    "closes": lambda one: f"{one['closes'][0][1]:.1f} close of the day",
    "basis": lambda one: one["basis"],
    "journeys.trouble": lambda one: "started task board and has not completed it in 24 hours",
    "journeys.next_step": lambda one: "Offer help with task board",
    "journeys.tasks": lambda one: "board in trouble",
    "training.trained": lambda one: (
        f"Trained users {one['training']['trained']} of {one['training']['users']} users "
        f"({percent(one['training']['trained'] / one['training']['users'])})"
    ),
    "training.last_lesson": lambda one: f"the last lesson was completed on {one['training']['last_lesson']}",
    "training.first_try_correct": lambda one: (
        f"at the first try {one['training']['first_try_correct']} of {one['training']['checked']} answers"
    ),
    "education.coverage": lambda one: "active accounts have a trained user",
    "alerts:open.rule": lambda one: "at-risk, since",
    "alerts:open.owner": lambda one: "Owner olga",
    "alerts:open.state": lambda one: "Open at-risk",
}  # fmt: skip


def percent(share):
    return f"{100 * share:.3g}\u00a0%".replace("\u00a0", " ")


def money(amount):
    return f"{amount:,.0f}" if amount >= 100 else f"{amount:,.2f}"


@pytest.fixture(scope="module")
def account_text(snapshots, first):
    return said(with_alert(snapshots, first), address(first["account_id"]))


@pytest.mark.parametrize("item", ACCOUNT_ITEMS)
def test_an_accounts_page_shows_every_item(item, account_text, first):
    assert ACCOUNT_ITEMS[item](first) in account_text


def test_parts_of_a_score_add_up_on_the_page(account_text, first):
    table = account_text[account_text.index("What the score is made of") : account_text.index("What changed it last")]
    assert sum(one["contribution"] for one in first["drivers"]) + first["baseline"] == pytest.approx(first["score"])
    for driver in first["drivers"]:
        points_of = f"{driver['contribution']:+.2f}".replace("-", "−")
        assert ("0.00" if points_of[1:] == "0.00" else points_of) in table


def test_the_json_beside_a_page_is_the_snapshot(snapshots, first):
    with dashboard(given(snapshots)) as client:
        assert client.get(f"/api{address(first['account_id'])}").json()["account"] == first


def test_the_chart_has_a_text_and_a_table(snapshots, first):
    html = page(given(snapshots), address(first["account_id"]))
    assert re.search(r'role="img" aria-label="The health score is \d+ of 100', html)
    assert "The same as a table" in html and "/charts.js" in html


def scored(*scores, kind="logistic"):
    return [Point(f"2026-05-0{day}T00:00:00Z", score, "watch", kind) for day, score in enumerate(scores, start=1)]


def test_since_when_it_falls_is_the_end_of_its_last_top():
    told_ = scored(50, 70, 70, 60, 60.5, 40)
    assert falling(told_) == Fall(told_[2].at, 70, False)
    assert falling(told_[:3]) is None and falling([]) is None
    assert falling(scored(70, 69.5)) is None, "less than a point is no fall"
    assert falling(scored(70, 60, 62, 50)).score == 62, "after a rise of more than a point it falls anew"
    other = [one._replace(kind="heuristic") for one in told_[:3]] + told_[3:]
    assert falling(other).since == told_[4].at and comparable(other) == told_[3:], "another kind is not compared"


def test_since_when_it_falls_is_earlier_than_is_known_where_nothing_higher_is_known(snapshots, first):
    account_id = first["account_id"]
    closes = [[f"2026-03-0{day}", first["score"] + 60 - 10 * day] for day in range(1, 4)]
    lower = [["2026-02-28", first["score"] + 10]]
    for known, since in ((closes, "since at least 2026-03-01"), (lower + closes, "since 2026-03-01")):
        text = said(given(edited(snapshots, account_id, closes=known)), address(account_id))
        assert f"Falling {since}" in text and f"been falling {since}" in text
    risen = said(given(edited(snapshots, account_id, closes=lower, score=99.0)), address(account_id))
    assert "It is not falling." in risen and "alling since" not in risen
    alone = said(given(edited(snapshots, account_id, closes=[])), address(account_id))
    assert "alling" not in alone, "of one score nobody can tell"


def test_what_changed_it_last_is_told_beside_what_came_last(snapshots, first):
    part = first["drivers"][0]
    higher = {**first, "score_id": "b", "at": "2026-04-02T00:00:00Z", "score": first["score"] + 5,
              "drivers": [{**part, "contribution": part["contribution"] + 5}, *first["drivers"][1:]]}  # fmt: skip
    same = {**first, "score_id": "c", "at": "2026-04-03T00:00:00Z"}

    def last(*before):
        return said(given(snapshots, histories={history_key(first["account_id"]): [*before, first]}),
                    address(first["account_id"]))  # fmt: skip

    assert changed([higher, same], first).at == same["at"] and changed([higher], first).at == first["at"]
    assert f"It fell from {higher['score']:.1f} ( 2026-04-02 00:00 UTC ) to {first['score']:.1f}: " in last(higher)
    assert " −5" in last(higher)[last(higher).index("It fell from") :][:200]
    assert "That left it as it was. It changed last 2026-04-03 00:00 UTC : it fell from" in last(higher, same)
    assert "No earlier score is known" in last(same) and "No earlier score is known" in last()
    assert changed([{**higher, "basis": "heuristic"}], first) is None, "scores of another kind are not compared"


def test_a_days_close_stands_between_the_scores_that_were_sent(first):
    found = points([], first)
    assert [one.at for one in found] == sorted(one.at for one in found)
    assert found[-1].score == first["score"] and len(found) == len(first["closes"]) + (
        first["at"][:10] not in dict(first["closes"])
    )


# -- lists ---------------------------------------------------------------------------------------------------------------------


def test_the_capacity_list_is_told_owner_by_owner_with_totals(snapshots):
    text, at_risk = said(given(snapshots), "/accounts"), snapshots["at-risk"]
    assert (
        f"first 3 accounts of each owner, as many as can be reached in a week, by risk: {len(at_risk['accounts'])} of"
        in text
    )
    assert text.count(ODD) >= 2 and "Nobody's" in text
    for one in at_risk["accounts"]:
        assert one["name"] in text
    for owner in at_risk["totals"]["owners"]:
        assert f"{owner['revenue_at_risk']:,.0f} a month at risk of {owner['mrr']:,.0f}" in text


def test_the_list_by_revenue_has_those_with_the_most_at_risk(snapshots):
    with dashboard(given(snapshots)) as client:
        found = client.get("/api/accounts?by=revenue").json()
    ranking = snapshots["accounts:by-revenue/olga"]
    most = sorted(ranking, key=lambda id_: (ranking[id_], id_))[:3]
    assert [one["account_id"] for one in found["accounts"]][:3] == most
    own = [snapshots[account_key(one)]["revenue_at_risk"] for one in most]
    total = next(one for one in found["capacity"]["totals"]["owners"] if one["owner"] == "olga")
    assert total["revenue_at_risk"] == pytest.approx(sum(own))


FILTERS = {
    "list=all": lambda one: True,
    "owner=olga": lambda one: one["traits"].get("owner") == "olga",
    f"owner={quote(ODD, safe='')}": lambda one: one["traits"].get("owner") == ODD,
    "unowned=1": lambda one: "owner" not in one["traits"],
    "segment=small": lambda one: one["traits"]["segment"] == "small",
    "band=at_risk": lambda one: one["band"] == "at_risk",
    "change=fell": lambda one: one["change_7d"] is not None and one["change_7d"] <= -5,
    "change=rose": lambda one: one["change_7d"] is not None and one["change_7d"] >= 5,
    "q=ANY+2": lambda one: "any 2" in one["traits"]["name"].lower(),
    "q=account-01": lambda one: "account-01" in one["account_id"],
    "segment=small&band=at_risk&owner=olga": lambda one: (
        one["traits"]["segment"] == "small" and one["band"] == "at_risk" and one["traits"].get("owner") == "olga"
    ),
}  # fmt: skip


@pytest.mark.parametrize("by", ["risk", "revenue"])
@pytest.mark.parametrize("which", ["all", "everyone"])
@pytest.mark.parametrize("asked", FILTERS)
def test_a_filter_finds_what_looking_at_each_account_finds(asked, which, by, snapshots):
    read = given(snapshots)
    asyncio.run(fill(read))
    with dashboard(read) as client:
        found = client.get(f"/api/accounts?{asked}&list={which}&by={by}".replace("list=all&list", "list")).json()
    listed = [one for one in accounts_of(snapshots) if which == "everyone" or not one["event_has_come"]]
    expected = [one for one in listed if FILTERS[asked](one)]
    ids = [one["account_id"] for one in found["accounts"]]
    assert found["of"] == len(expected) and found["complete"]
    assert len(ids) == min(50, len(expected)) and set(ids) <= {one["account_id"] for one in expected}
    of = {one["account_id"]: one for one in expected}
    if by == "risk":
        assert ids == sorted(of, key=lambda id_: (of[id_]["score"], id_))[:50]
    elif which == "all":
        assert ids == sorted(of, key=lambda id_: (-of[id_]["revenue_at_risk"], id_))[:50]


def test_pages_follow_one_another_without_a_gap(snapshots):
    read = given(snapshots)
    asyncio.run(fill(read))
    with dashboard(read) as client:
        ids = [one["account_id"] for number in (1, 2) for one in
               client.get(f"/api/accounts?list=everyone&page={number}").json()["accounts"]]  # fmt: skip
        beyond = text_of(client.get("/accounts?list=everyone&page=9").text)
    assert len(ids) == len(set(ids)) == 60
    assert "There are not so many." in beyond


def test_a_list_that_is_not_read_yet_says_so_and_no_file_is_made_of_it(snapshots):
    read = given(snapshots)
    read.members = lambda ranking: _never()
    with dashboard(read) as client:
        text = text_of(client.get("/accounts?q=Company").text)
        assert "Still reading: 0 of 60 accounts so far" in text
        assert client.get("/accounts.csv?q=Company").status_code == 503
        assert client.get("/accounts.csv").status_code == 200, "the capacity list is published whole"


async def _never():
    await asyncio.sleep(60)
    yield []


def test_the_index_follows_what_changes(snapshots, first):
    read, id_ = given(snapshots), first["account_id"]
    asyncio.run(fill(read))
    assert len(read.index) == 60 and read.index.full
    read.snapshots = edited(snapshots, id_, traits={"name": "Änderung", "segment": "new"})
    asyncio.run(take(read, [account_key(id_), "account:nobody", f"{account_key(id_)}:history"]))
    assert [read.index.ids[row] for row in read.index.find(Sought(text="änder", everyone=True))] == [id_]
    del read.snapshots[account_key(id_)]
    asyncio.run(take(read, [account_key(id_)]))
    assert len(read.index) == 59 and id_ not in read.index.ids
    read.snapshots["accounts:by-score"] = {"account-001": 1.0}
    asyncio.run(fill(read))
    assert read.index.ids == ["account-001"]


def test_a_removed_row_leaves_the_others_whole():
    index = Index()
    for number in range(5):
        index.put(plain(f"a{number}", score=float(number)))
    index.remove("a1")
    index.remove("a4")
    index.put(plain("a3", score=9.0))
    assert index.page(index.find(Sought()), "risk", 0, 9) == ["a0", "a2", "a3"]
    index.remove("never")
    assert len(index) == 3


def plain(account_id, score=5.0, **more):
    return Known(account_id, score, "watch", None, None, None, **more)


def test_a_page_of_many_equal_scores_is_a_page_of_all_in_order():
    rng, index = random.Random(1), Index()
    accounts = [plain(f"a{number:04}", score=float(rng.randrange(7))) for number in rng.sample(range(5000), 3000)]
    for one in accounts:
        index.put(one)
    ordered = [one.account_id for one in sorted(accounts, key=lambda one: (one.score, one.account_id))]
    for start in (0, 1, 426, 1500, 2990, 3000, 9999):
        assert index.page(index.find(Sought()), "risk", start, 50) == ordered[start : start + 50]


def test_owners_that_have_no_account_any_more_are_not_offered():
    index = Index()
    index.put(plain("a", traits={"owner": "olga"}))
    index.put(plain("b", traits={"owner": "pete"}))
    index.put(plain("a", traits={"owner": "pete"}))
    assert index.shared("owner") == ["pete"]
    index.remove("a")
    index.remove("b")
    assert not index.shared("owner") and not len(index.find(Sought(owner="nobody ever")))


def test_the_file_has_the_same_accounts_and_nothing_that_a_spreadsheet_runs(snapshots, first):
    evil = {"name": '=HYPERLINK("http://evil.example")', "owner": "olga", "segment": "\t@x"}
    read = given(edited(snapshots, first["account_id"], traits=evil))
    asyncio.run(fill(read))
    with dashboard(read) as client:
        answer = client.get("/accounts.csv?list=everyone")
        few = client.get("/accounts.csv?owner=olga&band=at_risk").text
    rows = list(csv.DictReader(StringIO(answer.text)))
    assert (
        answer.headers["content-type"].startswith("text/csv")
        and "accounts.csv" in answer.headers["content-disposition"]
    )
    assert len(rows) == 60
    row = next(one for one in rows if one["account_id"] == first["account_id"])
    assert row["name"] == "'" + evil["name"] and row["segment"] == "'\t@x"
    assert float(row["score"]) == first["score"] and row["lowered_most_by"] == reason(first)
    assert 0 < len(list(csv.DictReader(StringIO(few)))) < 30


@pytest.mark.parametrize("cell", ["=1", "+1", "-1", "@x", "\t=1", " =1", "＝1"])
def test_what_begins_as_a_formula_is_text(cell):
    assert harmless(cell) == f"'{cell}"
    assert harmless(-1.5) == -1.5 and harmless("a=1") == "a=1" and harmless(None) is None


def test_an_address_that_asks_for_nonsense_is_the_plain_list():
    assert wanted({"by": "x", "list": "y", "page": "-3", "band": "z"}) == wanted({})
    assert wanted({"page": "²"}).page == wanted({"page": "9" * 50}).page == 1
    assert wanted({"owner": ODD}).address() == "/accounts?list=all&owner=pete%2Fops%3A+100+%25"


# -- what is hard to say ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "id_", ["a/b", "a%2Fb", "100 %", "a:history", "a b\tc", "a?b#c&d", "..a", "/", HOSTILE, "שלום", "🙂", "x" * 256]
)
def test_an_account_of_any_id_has_an_address_that_leads_to_it(id_, snapshots, first):
    one = {**first, "account_id": id_}
    listed = {"of": 1, "by": "risk", "per_owner_per_week": None, "totals": {"accounts": 1, "mrr": None,
              "revenue_at_risk": None, "owners": [{"owner": None, "accounts": 1, "mrr": None, "revenue_at_risk": None}]},
              "accounts": [{**snapshots["at-risk"]["accounts"][0], "account_id": id_, "owner": None}]}  # fmt: skip
    read = with_alert({account_key(id_): one, "at-risk": listed, "accounts:by-score": {id_: 1.0}}, one)
    start = asyncio.run(asked(read, "/"))
    link = next(href for href in re.findall(r'href="(/accounts/[^"]*)"', start.text))
    found, json = asyncio.run(asked(read, link)), asyncio.run(asked(read, f"/api{link}"))
    assert found.status_code == 200 and json.json()["account"]["account_id"] == id_
    assert 'name="account_id"' in found.text and f'name="to" value="{address(id_)}"' in found.text
    assert f'href="/api{quote(f"/accounts/{id_}")}"' in found.text
    keys = re.search(r'data-keys="([^"]*)"', found.text)[1]
    assert account_key(id_) in heard(keys.replace("&amp;", "&")) and account_of(account_key(id_)) == id_


async def asked(read, path):
    """Asked as a server does: starlette's client would decode an address twice."""
    app = make_dashboard(Here(redis_url=URL, kafka={"x": "y"}), read)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
        return await client.get(path)


def test_keys_with_blanks_reach_who_listens():
    keys = ["account:a b", "account:a%3Ab", "at-risk", "account:*"]
    assert heard(told(keys)) == keys
    listener = Listener(heard(told(["account:a b"])), "here")
    listener.hears("account:a b")
    assert listener.taken() == {"account:a b"} and not listener.taken()


@pytest.mark.parametrize("name", [HOSTILE, "\u202eevil", "مرحبا", "long " * 200, "💥" * 50])
def test_a_name_is_just_a_name(name, snapshots, first):
    changed = edited(snapshots, first["account_id"], traits={"name": name, "owner": name, "segment": name})
    read = with_alert(changed, changed[account_key(first["account_id"])])
    for path in (address(first["account_id"]), "/accounts?list=all", "/alerts", "/"):
        html = page(read, path)
        assert "<script>alert" not in html
        if path != "/":
            assert re.search(rf"<bdi>{re.escape(escaped(name))}</bdi>", html), path


def escaped(name):
    return name.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("'", "&#39;")


def test_without_a_name_the_id_stands_for_it(snapshots, first):
    text = said(given(edited(snapshots, first["account_id"], traits={})), address(first["account_id"]))
    assert first["account_id"] in text and "none has been told" in text and "nobody has been told" in text


def test_an_index_is_no_probability_and_says_why(snapshots, first):
    because = "no label is known yet: a model needs 30 with the event and 30 without"
    changes = {
        "basis": "heuristic", "name": "activity index", "probability": None, "probability_interval": None,
        "revenue_at_risk": None, "revenue_at_risk_interval": None, "because": because, "risk": None,
        "renewal_probability": None, "renewal_because": "no model has learned yet",
        "drivers": [{"feature": "recency", "value": 0.0, "typical": None, "change_7d": -0.2, "contribution": -17.5}],
    }  # fmt: skip
    text = said(given(edited(snapshots, first["account_id"], **changes)), address(first["account_id"]))
    assert f"It is no probability: {because}" in text
    assert f"Probability of staying for the next 28 days not known because: {because}" in text
    assert "Renewal not known because: no model has learned yet" in text and "an index has none" in text


def test_one_who_has_left_is_told_as_such(snapshots):
    gone = next(one for one in accounts_of(snapshots) if one["event_has_come"])
    assert "The account has left: nothing is to be done any more" in said(given(snapshots), address(gone["account_id"]))
    assert "(the account has left)" in said(given(snapshots), "/accounts?list=everyone&q=" + gone["account_id"])
    assert "No account is like that." in said(given(snapshots), "/accounts?list=all&q=" + gone["account_id"])


def test_one_who_is_held_out_is_told_as_such(snapshots, first):
    text = said(given(edited(snapshots, first["account_id"], held_out=True)), address(first["account_id"]))
    assert "Held out of alerts: drawn at random" in text and "The account is held out of alerts." in text


UNTAUGHT = {"users": 3, "trained": 0, "checked": 0, "first_try_correct": 0, "last_lesson": None}


@pytest.mark.parametrize(
    ("training", "says"),
    [
        (UNTAUGHT, ("Trained users 0 of 3 users (0 %) no lesson has been completed", "try nobody has been asked")),
        ({**UNTAUGHT, "users": 0, "last_lesson": "2026-05-06"}, ("it has no users the last lesson was completed on 2026",)),
        ({**UNTAUGHT, "users": 1, "trained": 1, "checked": 1}, ("1 of 1 user (100 %)", "0 of 1 answer (0 %)")),
        (None, ("Trained users not known because: its score has not been told anew since this is counted",)),
    ],
)  # fmt: skip
def test_how_far_an_account_is_trained(training, says, snapshots, first):
    text = said(given(edited(snapshots, first["account_id"], training=training)), address(first["account_id"]))
    assert [one for one in says if one not in text] == []


def test_an_account_without_people_says_where_they_come_from(snapshots, first):
    without = {key: value for key, value in snapshots.items() if not key.startswith("journeys:")}
    assert "Nobody of this account is on a journey." in said(given(without), address(first["account_id"]))


def test_an_account_of_which_only_people_are_known_has_a_page(snapshots):
    known = {"journeys:account-001": snapshots["journeys:account-001"]}
    assert "No score of this account has come yet." in said(Given(known), "/accounts/account-001")


def test_an_account_that_nobody_has_heard_of_is_said_to_be_none():
    with dashboard(Given({})) as client:
        answer = client.get(f"/accounts/{quote(HOSTILE, safe='')}")
        assert answer.status_code == 404 and client.get("/api/accounts/none").status_code == 404
    assert f"Nothing has been told of an account {HOSTILE}" in text_of(answer.text) and HOSTILE not in answer.text


def test_a_system_of_one_account(snapshots, first):
    id_ = first["account_id"]
    one = next(entry for entry in snapshots["at-risk"]["accounts"] if entry["account_id"] == id_)
    owner = {"owner": one["owner"], "accounts": 1, "mrr": one["mrr"], "revenue_at_risk": one["revenue_at_risk"]}
    single = {account_key(id_): first, "accounts:by-score": {id_: 1.0}, "accounts:by-risk": {id_: 1.0},
              "at-risk": {**snapshots["at-risk"], "of": 1, "accounts": [one], "totals": {**owner, "owners": [owner]}}}  # fmt: skip
    for path in ("/accounts", "/accounts?list=all", "/", address(id_)):
        assert first["traits"]["name"] in said(given(single), path)
    assert "1 account, by risk" in said(given(single), "/accounts?list=all")


# -- alerts ----------------------------------------------------------------------------------------------------------------------

BUTTONS = {
    "open": {"acknowledge", "snooze", "resolve"}, "acknowledged": {"snooze", "resolve", "reopen"},
    "snoozed": {"acknowledge", "resolve", "reopen"}, "closed": {"resolve", "reopen"},
}  # fmt: skip


@pytest.mark.parametrize("state", BUTTONS)
def test_an_alert_offers_what_its_state_takes(state, snapshots, first):
    html = page(with_alert(snapshots, first, state), address(first["account_id"]), kafka={"x": "y"})
    assert set(re.findall(r'name="do" value="(\w+)"', html)) == BUTTONS[state]
    assert re.search(r'name="form_token" value="[0-9a-f]{64}"', html) and 'name="by"' in html
    for verdict in ("useful", "not useful", "already known"):
        assert f"<option>{verdict}</option>" in html


def test_who_the_proxy_names_is_not_asked_for_a_name(snapshots, first):
    read = with_alert(snapshots, first)
    with dashboard(read, kafka={"x": "y"}, proxy_header="X-User") as client:
        html = client.get(address(first["account_id"]), headers={"X-User": "ann"}).text
    assert 'name="do"' in html and 'name="by"' not in html


@pytest.mark.parametrize("path", ["/alerts", "account"])
def test_without_kafka_there_are_no_forms_and_it_is_said_why(path, snapshots, first):
    html = page(with_alert(snapshots, first), address(first["account_id"]) if path == "account" else path)
    assert 'name="do"' not in html and "the dashboard knows no Kafka" in text_of(html)


def test_alerts_are_found_by_owner_state_and_rule(snapshots, first):
    lost = Delivery("slack", "m", "undeliverable", tries=9, error="it said 503")
    other = {**alert(first, "snoozed", deliveries=(lost,)), "alert_id": "a2", "rule": "falling", "owner": ODD}
    report = {"as_of": {"time": "2026-05-20T00:00:00Z"}, "rules": [{
        "rule": "at-risk", "opened": 7, "told": 5, "noted": 1, "ended_unheard": 2, "undeliverable": 1, "useful": 3,
        "not useful": 1, "already known": 0, "useful_share": 0.75,
    }]}  # fmt: skip
    read = given({**snapshots, "alerts:rules": report}, hashes={"alerts:open": {"a1": alert(first), "a2": other}})
    text = said(read, "/alerts")
    assert "2 open, 1 could not be delivered" in text and "slack: it said 503 (tried 9 times)" in text
    assert "at-risk 7 5 1 2 1 3 1 0 75 %" in text
    for asked, ids in (
        ("", ["a1", "a2"]), ("?owner=olga", ["a1"]), (f"?owner={quote(ODD)}", ["a2"]), ("?state=snoozed", ["a2"]),
        ("?state=undeliverable", ["a2"]), ("?rule=at-risk", ["a1"]), ("?rule=none", []),
    ):  # fmt: skip
        with dashboard(read) as client:
            assert [one["alert_id"] for one in client.get(f"/api/alerts{asked}").json()["alerts"]] == ids


def test_an_alert_of_somebody_forgotten_keeps_nothing_to_say(snapshots, first):
    forgotten = {**alert(first), "evidence": {}}
    read = given(snapshots, hashes={"alerts:open": {"a1": forgotten}})
    assert "What it rested on is not kept any more." in said(read, "/alerts")


# -- the start page --------------------------------------------------------------------------------------------------------------


def test_the_start_page_says_who_is_first_and_why(snapshots, first):
    text = said(with_alert(snapshots, first), "/")
    assert first["traits"]["name"] in text and f"Lowered most by {reason(first)}" in text
    assert f"At risk since {first['band_since']} , {first['score']:.0f} of 100" in text
    assert "Open alerts 1" in text and "All is well" in text


def test_however_many_alerts_are_open_the_start_page_reads_those_of_the_first_accounts(snapshots, first, monkeypatch):
    second = snapshots[account_key(snapshots["at-risk"]["accounts"][1]["account_id"])]
    states = {f"a{number}": state for number, state in enumerate(("snoozed", "open", "acknowledged", *["open"] * 4))}
    held = {id_: {**alert(first, state, by="olga"), "alert_id": id_} for id_, state in states.items()}
    others = {f"b{number}": {**alert(first), "alert_id": f"b{number}", "account_id": "x"} for number in range(100)}
    theirs = {first["account_id"]: [*held, "closed"], second["account_id"]: ["gone"], "x": [*others]}
    read = given({**snapshots, "alerts:rules": {**NO_RULES, "open": 107, "undeliverable": 2}}, hashes={
        "alerts:open": held | others, "alerts:accounts": theirs,
        "alerts:closed": {"closed": {**alert(first, "closed"), "alert_id": "closed"}},
    })  # fmt: skip
    asked = []

    async def some(key, fields):
        asked.extend(fields)
        return await Given.some(read, key, fields)

    monkeypatch.setattr(read, "some", some)
    monkeypatch.setattr(read, "scanned", None)
    with dashboard(read) as client:
        shown_, text = client.get("/api/start").json()["alerts"], text_of(client.get("/").text)
    assert shown_["open"] == 107 and [one["alert_id"] for one in shown_["first"]] == ["a1", "a3", "a4", "a5", "a6"]
    assert not set(asked) & {*others, "x"}
    assert "Open alerts 107 All alerts Of the accounts that need you first:" in text and "And 2 more of theirs." in text
    assert "2 alerts could not be delivered" in text


def test_that_no_alert_is_open_is_said_only_where_somebody_watches(snapshots):
    assert "Open alerts Nobody watches yet." in said(given(snapshots), "/")
    assert "Open alerts Nothing is open." in said(given({**snapshots, "alerts:rules": {**NO_RULES, "open": 0}}), "/")


def test_an_alert_that_somebody_has_taken_up_says_whose_it_is(snapshots, first):
    assert "Acknowledged by olga ." in said(with_alert(snapshots, first, "acknowledged", by="olga"), "/")
    assert " by olga" not in said(with_alert(snapshots, first, "open", by="olga"), "/")


def test_what_is_not_well_is_said(snapshots):
    quality = {**snapshots["quality"], "refused": {"out_of_range": 3}, "lag": {"product-events": 5000}}
    heads = [
        {"experiment": "w", "hypothesis": "Help helps", "decision": {"verdict": "double_down", "because": "enough"}},
        {"experiment": "x", "because": "the workers are reading their rows against its plan"},
        {"experiment": "y", "hypothesis": "Bad", "decision": {"verdict": "unhealthy", "because": "arms are uneven"}},
    ]
    text = said(given({**snapshots, "quality": quality, "experiments": {"experiments": heads}}), "/")
    assert "3 events refused" in text and "5,000 events not read yet" in text and "All is well" not in text
    assert "w : Roll out . Help helps. Enough." in text and "Too early to say" in text and "Arms are uneven." in text

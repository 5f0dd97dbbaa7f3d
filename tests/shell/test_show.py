"""The screen of `livelift demo` and `livelift replay`, as a person reads it."""

from io import StringIO

import pytest
from rich.console import Console

from livelift.show import overview

pytestmark = pytest.mark.shell

ITT = {"estimate": 0.069, "ci": [0.013, 0.128], "cs": [-0.02, 0.158], "p": 0.015}
CACE = {"estimate": 0.2, "ar_cs": {"shape": "two rays", "intervals": [[None, -0.3], [0.1, None]]}}
WHY = "the product saw trouble at task 1; started task 1 and has not completed it in 24 hours"


def experiment(itt):
    return {
        "experiment": "widget", "hypothesis": "Offering help when a trial user gets stuck raises conversion a good deal",
        "plan": {"experiment": {"alpha": 0.05}},
        "arms": {
            "control": {"assigned": 1697, "took_up": 120, "mature": 697},
            "test": {"assigned": 303, "took_up": 152, "mature": 0},
        },
        "metrics": {"converted": {
            "role": "primary", "itt": itt, "cace": CACE,
            "arms": {"control": {"units": 697, "sum": 136.0, "mean": 0.195},
                     "test": {"units": 0, "sum": 0.0, "mean": None}},
        }},
        "decision": {"verdict": "keep_running", "because": "converted does not decide yet"},
    }  # fmt: skip


def user(number):
    return {"user_id": f"user-{number}", "position": "1", "stuck_since": f"2026-05-05T0{number}:48:34Z",
            "trouble": {"yes": True, "why": WHY.split("; ")}}  # fmt: skip


def listed(account_id, score, **known):
    return {"account_id": account_id, "name": None, "owner": None, "score": score, "band": "watch", "probability": None,
            "mrr": None, "revenue_at_risk": None, **known}  # fmt: skip


SNAPSHOT = {
    "quality": {"as_of": {"time": "2026-06-05T00:58:47Z"}, "accepted": 9168, "refused": {"late": 2}, "users": 1000,
                "simulated": True},
    "funnel": {
        "schema": 1,
        "getting-started": {
            "users": 1000, "tasks": {"1": {"started": 864, "completed": 578, "median_hours": 1.163, "stuck": 286}},
            "dose": [{"completions": 0, "users": 422, "converted": 6}, {"completions": 1, "users": 0, "converted": 0}],
        },
    },
    "experiment:widget": experiment(ITT),
    "journeys:acme": {f"getting-started/user-{number}": user(number) for number in range(1, 8)},
    "at-risk": {"accounts": [listed("acme", 12.34)]},
    "account:acme": {"drivers": [
        {"feature": "breadth", "contribution": -7.5}, {"feature": "frequency", "contribution": 12.5},
        {"feature": "recency", "contribution": -17.5}, {"feature": "share_active", "contribution": -12.5},
    ]},
}  # fmt: skip


def screen(snapshot, width=110):
    console = Console(width=width, file=StringIO(), record=True)
    console.print(overview(snapshot))
    return console.export_text()


def row(text, begins):
    return next(line.split() for line in text.splitlines() if line.startswith(begins))


def test_it_says_what_is_known():
    text = screen(SNAPSHOT)
    assert text.startswith("SIMULATED DATA   event time 2026-06-05 00:58 UTC\n9,168 events accepted, 2 refused, 1,000")
    assert row(text, "1 ") == ["1", "864", "578", "1.16", "286"]
    assert row(text, "0 ") == ["0", "422", "6", "(1.4%)"]
    assert row(text, "control") == ["control", "1,697", "120", "697", "136", "(19.5%)"]
    assert row(text, "test") == ["test", "303", "152", "0", "-"]
    words = " ".join(text.split())
    assert "on converted: +6.9 points, between -2 points and +15.8 points (95%, whenever you look)" in words
    assert "those who took it: +20 points, at most -30 points or at least +10 points (95%)" in words
    assert "Keep running: converted does not decide yet." in words
    assert "Stuck now: 7 users; the 5 waiting longest" in text
    assert "user-5" in text and "user-6" not in text
    assert row(text, "user-1")[:4] == ["user-1", "1", "2026-05-05", "01:48"]
    assert "To look at first: 1 account\n" in text
    assert row(text, "acme") == ["acme", "12.3", "recency", "-17.5,", "share_active", "-12.5"]


def test_of_an_index_it_says_that_it_is_one_and_leaves_out_what_nobody_has_told():
    text = screen(SNAPSHOT)
    assert "activity index" in text and "no probability" in text
    assert "owner" not in text and "at risk" not in text and "health score" not in text


def test_the_list_names_owners_and_what_is_expected_to_be_lost():
    rows = [listed("a:b", 12.34, name="Acme", owner="Ann", probability=0.1234, mrr=2000.0, revenue_at_risk=1753.2),
            listed("bolt", 30.0, probability=0.3)]  # fmt: skip
    drivers = [{"feature": "recency", "contribution": -17.5}]
    totals = {"accounts": 2, "mrr": 2000.0, "revenue_at_risk": 1753.2}
    text = screen(
        {"at-risk": {"by": "revenue", "accounts": rows, "totals": totals}, "account:a%3Ab": {"drivers": drivers}}
    )
    assert row(text, "account")[:4] == ["account", "owner", "health", "score"]
    assert row(text, "Acme") == ["Acme", "Ann", "12.3", "1,753.20", "recency", "-17.5"]
    assert row(text, "bolt") == ["bolt", "30.0"]
    assert "expected to be lost on the whole list: 1,753.20 a month" in text
    assert "activity index" not in text.lower()


EDUCATION = {
    "coverage": [{"month": "2026-05", "users": {"active": 200, "trained": 50}}],
    "adoption": {"share": 0.25},
    "nps": {
        "product": {"nps": -29.95, "ci": [-33.1, -26.8]}, "training": {"nps": 100.0, "ci": None},
        "support": {"nps": None, "ci": None},
    },
}  # fmt: skip
CHECKS = [{"check": "duplicates", "state": "nothing found", "says": "1 of 9 repeat"},
          {"check": "volume_break", "state": "not examined", "because": "28 days are needed"}]  # fmt: skip


def test_of_education_and_of_recording_it_says_one_line_each():
    text = screen({
        "education": EDUCATION, "authenticity": {"verdict": "nothing found", "alarms": [], "checks": CHECKS},
    })  # fmt: skip
    words = " ".join(text.split())
    assert (
        "Education: 50 (25.0%) of the users active in 2026-05 trained; 25.0% of users have done a key action; " in words
    )
    assert "NPS of the product -30 (-33 to -27); NPS of the training +100." in words
    assert "Is recording broken? Nothing found; 1 of 2 checks could be made." in words


def test_an_alarm_is_said_with_what_was_seen_and_where_nothing_could_be_examined_it_says_so():
    alarm = {"verdict": "1 of 1", "alarms": ["duplicates"], "checks": [{**CHECKS[0], "state": "alarm"}]}
    assert "Is recording broken? Look at it: 1 of 9 repeat." in screen({"authenticity": alarm})
    none = {"verdict": "nothing found", "alarms": [], "checks": CHECKS[1:]}
    assert "Is recording broken? There is too little to look at." in screen({"authenticity": none})
    unknown = {"education": {"month": None, "because": "no event time"}, "authenticity": {"day": None}}
    assert "recording broken" not in screen(unknown) and "Education" not in screen(unknown)


@pytest.mark.parametrize("width", [80, 110])
def test_no_line_is_too_long_and_headings_are_not_squeezed_into_their_tables(width):
    lines = screen(SNAPSHOT, width).splitlines()
    assert max(map(len, lines)) <= width
    title = "Experiment widget: Offering help when a trial user gets stuck raises conversion a good deal"
    start = next(index for index, line in enumerate(lines) if line.startswith("Experiment widget"))
    assert " ".join(line.strip() for line in lines[start : start + 2]).startswith(title)
    assert not set("┃│┏└") & set("".join(lines)), "all tables are of one kind"


def test_what_is_not_known_is_said_as_such():
    told = screen({"experiment:widget": experiment({"estimate": None, "because": "nobody has converted yet"})})
    assert "too early to say (nobody has converted yet)" in told
    empty = screen({})
    assert "event time not yet known" in empty
    assert "Stuck now: nobody" in empty and "To look at first: nobody" in empty

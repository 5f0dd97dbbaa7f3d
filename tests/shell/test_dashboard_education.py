"""The page of onboarding and education, over a replayed recording of a made-up year and small edits of it."""

import json
import re
from copy import deepcopy
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from consumers.dashboard.pages.education import AT_ONCE, MOST
from consumers.dashboard.views import education as views
from consumers.dashboard.views import onboarding
from consumers.dashboard.views.education_charts import months_between
from livelift.recording import open_recording
from livelift.replay import replay
from livelift.surroundings import product_of
from models.events import HOME, SOURCES
from tests.support.build import event, instant
from tests.support.education_log import ACTIONS, timeline
from tests.support.pages import Given, dashboard, text_of

pytestmark = pytest.mark.shell
Json = dict[str, Any]
HOSTILE = "<script>alert('x')</script>"
SETTINGS = f"""
[actions]
key = {json.dumps(ACTIONS)}
[[journey]]
id = "setup"
tasks = ["invite", "import"]
trial_days = 30
"""
NOTED = [
    {"id": "a1", "at": "2026-06-18T09:00:00Z", "what": f"{HOSTILE} published", "area": "billing"},
    {"id": "a2", "at": "2026-08-10T09:00:00Z", "what": "page changed"},
]


def onboarded() -> list[Json]:
    """Three people: one completes with help, one without, one is stuck at the first task; with names of markup."""
    found = [event("traits_set", instant(0), "acme", None, name=HOSTILE)]
    for number, user in enumerate(("ann", "bob", HOSTILE)):
        start = instant(1, number)
        found += [
            event("trial_started", start, "acme", user),
            event("task_started", start, "acme", user, task="invite"),
        ]
    found.append(event("help_engaged", instant(1, 3), "acme", "ann", source="CS", channel="chat"))
    for user in ("ann", "bob"):
        found.append(event("task_completed", instant(1, 5), "acme", user, task="invite"))
    return found


@pytest.fixture(scope="module")
def snapshots(tmp_path_factory: pytest.TempPathFactory) -> Json:
    folder: Path = tmp_path_factory.mktemp("year")
    events = [*onboarded(), *timeline(3)]
    lines = [one if one["type"] == "tick" else {"topic": SOURCES[HOME[one["type"]]], **one} for one in events]
    (folder / "events.jsonl").write_text("".join(json.dumps(one) + "\n" for one in lines))
    (folder / "annotations.jsonl").write_text("".join(json.dumps(one) + "\n" for one in NOTED))
    (folder / "livelift.toml").write_text(SETTINGS)
    recording = open_recording(folder, False)
    found: Json = json.loads(json.dumps(replay(recording, product_of(folder / "livelift.toml"))))
    return found


def html_of(snapshots: Json, query: str = "") -> str:
    with dashboard(Given(snapshots)) as client:
        page = client.get(f"/education{query}")
    assert page.status_code == 200
    return page.text


def said(snapshots: Json, query: str = "") -> str:
    return text_of(html_of(snapshots, query))


def with_education(snapshots: Json, **parts: Any) -> Json:
    return {**snapshots, "education": {**snapshots["education"], **parts}}


def share(part: int, whole: int) -> str:
    return f"{part:,} of {whole:,} {100 * part / whole:.0f} %"


def items(found: Json) -> dict[str, str]:
    """Items of the page in the issue: what the page has to say, made from the field of the snapshot that has it."""
    funnel, education = found["funnel"]["setup"], found["education"]
    task, nps = funnel["tasks"]["invite"], education["nps"]
    adoption, split = education["adoption"], education["comprehension"]["adoption"]
    concept, covered = education["comprehension"]["concepts"]["x/y"], education["coverage"][-1]
    pair, area = education["sequence"]["pairs"][1], education["tickets"]["areas"]["billing"]["by_month"][0]
    left = task["started"] - task["completed"]
    return {
        "funnel: began, completed, left": f"invite {100 * task['started'] / funnel['users']:.0f} % {task['started']} "
        f"{task['completed']} {left} ({100 * left / task['started']:.0f} %)",
        "funnel: helped": f"Took help: {funnel['helped']['CS']} from customer success",
        "NPS of the product": f"{nps['product']['respondents']} people have answered ({nps['product']['answers']} answers)",
        "NPS of the programme": f"{nps['training']['nps']:.0f}".replace("-", "−"),
        "adoption": f"Any key action {share(adoption['adopted'], adoption['users'])}",
        "adoption: correlation": f"{adoption['against_training']['tetrachoric']['estimate']:+.2f}".replace("-", "−"),
        "understood": f"answers rightly {share(split['understood'], split['users'])}",
        "used only": f"Used only {share(split['used_only']['users'], split['users'])}",
        "neither": f"understood {share(split['neither'], split['users'])}",
        "comprehension": f"x/y {concept['checked']} {100 * concept['share']:.0f} %",
        "coverage": f"{covered['month']} {covered['accounts']['with_trained_user']} of {covered['accounts']['active']}",
        "what came first": f"training came first for {pair['before']}, a support contact for {pair['after']}",
        "tickets": f"billing {area['month']} {area['tickets']} {area['active_users']} {area['per_active_user']:.3f}",
        "annotations": "2026-06-18 09:00 UTC , billing : " + HOSTILE + " published",
    }  # fmt: skip


def test_every_item_of_the_page_is_a_field_of_a_snapshot_and_is_shown(snapshots: Json) -> None:
    text = said(snapshots)
    assert {item: shows in text for item, shows in items(snapshots).items()} == dict.fromkeys(items(snapshots), True)


def test_the_json_beside_it_has_the_snapshots(snapshots: Json) -> None:
    with dashboard(Given(snapshots)) as client:
        beside = client.get("/api/education").json()
    assert beside["education"] == snapshots["education"] and beside["funnel"] == snapshots["funnel"]
    assert beside["journeys"] == {"acme": snapshots["journeys:acme"]}


def test_whatever_names_say_they_are_just_names(snapshots: Json) -> None:
    areas = {
        **snapshots["education"]["tickets"]["areas"],
        HOSTILE: snapshots["education"]["tickets"]["areas"]["billing"],
    }
    page = html_of(with_education(snapshots, tickets={**snapshots["education"]["tickets"], "areas": areas}))
    assert "<script>alert" not in page and text_of(page).count(HOSTILE) >= 5
    assert not re.findall(r"<script(?! src=\"/| type=\"application/json\")", page)


# -- people -------------------------------------------------------------------------------------------------------------


def test_who_is_stuck_is_told_with_where_since_when_why_and_what_next(snapshots: Json) -> None:
    text = said(snapshots)
    assert f"{HOSTILE} {HOSTILE} task invite of setup 2026-05-06 02:00 UTC" in text, "user, account by its name, where"
    assert "started task invite and has not completed it in 24 hours Offer help with task invite" in text
    assert "1 found in trouble in 25 of 25 accounts." in text


def test_of_many_accounts_the_first_are_gone_through_and_that_is_said(snapshots: Json) -> None:
    one = next(iter(snapshots["journeys:acme"].values()))
    stuck = {**one, "trouble": {"yes": True, "why": ["waits"]}, "stuck_since": "2026-05-06T02:00:00Z"}
    many = {
        f"account {number:04}": {f"setup/{number}": {**stuck, "user_id": f"user {number:04}"}} for number in range(500)
    }
    crowded = {
        **snapshots, "accounts:by-score": {name: number for number, name in enumerate(many)},
        "at-risk": {**snapshots["at-risk"], "accounts": [{"account_id": "account 0499"}]},
        **{f"journeys:{name}": users for name, users in many.items()},
    }  # fmt: skip
    text = said(crowded)
    assert f"{MOST} found in trouble in {MOST} of 500 accounts (those on the capacity list" in text
    assert f"page 1 of {MOST // AT_ONCE}" in text and "user 0000" in text and "user 0499" not in text
    assert "user 0499" in said(crowded, f"?page={MOST // AT_ONCE}"), "it is on the capacity list"
    assert "user 0030" in said(crowded, "?page=2") and "page 1 of" in said(crowded, "?page=²")
    assert "Nobody is stuck there." in said(crowded, "?task=nowhere")


def test_help_counts_as_before_success_only_if_it_came_before(snapshots: Json) -> None:
    rows = onboarding.helped({"acme": snapshots["journeys:acme"]}, onboarding.journeys(snapshots["funnel"]))
    assert [(row.task, row.completed, row.cs, row.other, row.neither) for row in rows] == [
        ("invite", 2, "1 (50 %)", "0 (0 %)", "1 (50 %)")
    ]
    assert "task invite of setup 2 1 (50 %) 0 (0 %) 1 (50 %)" in said(snapshots)


# -- trends -------------------------------------------------------------------------------------------------------------


PLAN = """
[experiment]
id = "{name}"
hypothesis = "{says}"
unit = "user"
control = "control"
arms = {{ control = 0.5, test = 0.5 }}
starts_at = 2026-05-05T00:00:00Z
planned_units = 10
[[metric]]
name = "tasks_completed"
role = "primary"
window_days = 5
"""
TRIED = {"hints": (9, "Hints <b>help</b>"), "videos": (15, "Videos help")}
"""Experiment -> the hour at which its users begin, and its hypothesis."""
DRAFT = {"experiment": "later", "state": "draft", "because": "it is a draft: nobody is assigned yet", "decision": None}


def begun(name: str, hour: int, users: int) -> list[Json]:
    """So many users in an experiment: all begin the first task on the day after, one fails to complete it; who does
    begins the second an hour later, and does not complete that."""
    found = []
    for number in range(users):
        who, arm = f"{name}-{number}", ("control", "test")[number % 2]
        found += [
            event("experiment_assigned", instant(1), name, who, experiment=name, arm=arm),
            event("task_started", instant(2, hour), name, who, task="invite"),
        ]
        if number:
            found += [
                event("task_completed", instant(2, hour + 0.5), name, who, task="invite"),
                event("task_started", instant(2, hour + 1), name, who, task="import"),
            ]
    return found


@pytest.fixture(scope="module")
def tried(tmp_path_factory: pytest.TempPathFactory) -> Json:
    """Two experiments whose users begin at other hours."""
    folder: Path = tmp_path_factory.mktemp("tried")
    (folder / "plans").mkdir()
    events: list[Json] = []
    for users, (name, (hour, says)) in enumerate(TRIED.items(), 3):
        events += begun(name, hour, users)
        (folder / "plans" / f"{name}.toml").write_text(PLAN.format(name=name, says=says))
    lines = [{"topic": SOURCES[HOME[one["type"]]], **one} for one in sorted(events, key=lambda one: one["at"])]
    (folder / "events.jsonl").write_text("".join(json.dumps(one) + "\n" for one in lines))
    (folder / "livelift.toml").write_text(SETTINGS)
    recording = open_recording(folder, False)
    found: Json = json.loads(json.dumps(replay(recording, product_of(folder / "livelift.toml"))))
    return found


TREND_ITEMS = {
    "within the day": ("by_hour", "{hour:02}:00 to {hour:02}:59 UTC {begun} {completed} {share:.0f} %"),
    "since assignment": ("by_day", "Days since assignment Begun Completed Share {day} {begun} {completed} {share:.0f} %"),
    "experience": ("by_experience", "{experience} {begun} {completed} {share:.0f} %"),
}  # fmt: skip
"""Items of the page in the issue, the part of `experiment:{id}`'s `success` that each shows, and how."""


@pytest.mark.parametrize("name", TRIED)
@pytest.mark.parametrize("item", TREND_ITEMS)
def test_trends_are_those_of_the_experiment_that_is_asked_for(item: str, name: str, tried: Json) -> None:
    part, shows = TREND_ITEMS[item]
    rows = tried[f"experiment:{name}"]["success"][part]
    text = said(tried, f"?experiment={name}")
    expected = [shows.format(**row, share=100 * row["rate"]) for row in rows]
    assert len(rows) == (1 if part == "by_day" else 2) and [one for one in expected if one not in text] == []


def test_one_experiments_trends_are_not_anothers(tried: Json) -> None:
    """Three began the first task of hints at nine, and two completed it; of videos four at three, and three."""
    texts = {name: said(tried, f"?experiment={name}") for name in TRIED}
    assert "09:00 to 09:59 UTC 3 2 67 %" in texts["hints"] and "15:00 to" not in texts["hints"]
    assert "15:00 to 15:59 UTC 4 3 75 %" in texts["videos"] and "09:00 to" not in texts["videos"]
    assert "Of the users of hints , all arms together ( Hints <b>help</b> )" in texts["hints"]
    assert "by day since assignment: 40 % at 1." in texts["hints"], "of five that were begun two were completed"
    assert said(tried) == texts["hints"], "the first is shown until one is asked for"
    with dashboard(Given(tried)) as client:
        beside = client.get("/api/education?experiment=videos").json()
    assert beside["experiment:videos"] == tried["experiment:videos"] and "experiment:hints" not in beside


def test_every_experiment_is_offered_and_what_else_was_asked_for_stays(tried: Json) -> None:
    page = html_of(tried, "?experiment=videos&journey=setup&task=invite")
    assert re.findall(r"<option( selected)?>(hints|videos)</option>", page) == [("", "hints"), (" selected", "videos")]
    assert page.count('<input type="hidden" name="experiment" value="videos">') == 1
    assert page.count('<input type="hidden" name="journey" value="setup">') == 1
    assert page.count('<input type="hidden" name="task" value="invite">') == 1


def test_where_there_are_no_trends_it_is_said_why(snapshots: Json, tried: Json) -> None:
    assert "such trends are kept of users in experiments only; `livelift experiments draft" in said(snapshots)
    listed = tried["experiments"]["experiments"]
    waiting = {**tried, "experiments": {**tried["experiments"], "experiments": [DRAFT, *listed]}}
    assert "Not known of later : it is a draft: nobody is assigned yet." in said(waiting, "?experiment=later")
    assert said(waiting).count("Of the users of hints") == 1, "the first of which something is read"
    asked = said(tried, f"?experiment={HOSTILE}")
    assert f"Not known of {HOSTILE} : there is no experiment of this name." in asked
    success = {**tried["experiment:hints"]["success"], "by_hour": [], "by_day": [], "by_experience": []}
    emptied = {**tried, "experiment:hints": {**tried["experiment:hints"], "success": success}}
    assert "Not known of hints : nobody in it has begun a task yet." in said(emptied)


# -- charts -------------------------------------------------------------------------------------------------------------


def charts_of(page: str) -> list[Json]:
    return [json.loads(one) for one in re.findall(r'<script type="application/json">(.*?)</script>', page, re.DOTALL)]


def test_every_chart_says_in_a_sentence_what_is_to_be_seen(snapshots: Json) -> None:
    page = html_of(snapshots)
    charts = charts_of(page)
    labels = [unescape(one) for one in re.findall(r'role="img" aria-label="([^"]*)"', page)]
    assert [chart["description"] for chart in charts] == labels and len(charts) == 3
    assert all(re.search(r"\d", label) for label in labels)


def test_what_was_done_is_marked_in_its_month(snapshots: Json) -> None:
    chart = charts_of(html_of(snapshots))[-1]
    marks = [layer["data"]["values"] for layer in chart["layer"] if "data" in layer]
    assert marks[0] == [{"month": "2026-06", "number": "1"}, {"month": "2026-08", "number": "2"}]


def test_a_month_without_tickets_is_0_and_one_that_is_not_told_is_a_gap(snapshots: Json) -> None:
    tickets = deepcopy(snapshots["education"]["tickets"])
    months = tickets["all"]["by_month"]
    months[0] |= {"tickets": 0, "per_active_user": 0.0}
    del months[1]
    chart = charts_of(html_of(with_education(snapshots, tickets=tickets)))[-1]
    everywhere = {row["month"]: row["rate"] for row in chart["data"]["values"] if row["area"] == "All areas"}
    assert everywhere["2026-05"] == 0 and "2026-06" not in everywhere
    assert chart["layer"][0]["encoding"]["x"]["scale"]["domain"] == ["2026-05", "2026-06", "2026-07", "2026-08"]
    assert months_between("2025-11", "2026-02") == ["2025-11", "2025-12", "2026-01", "2026-02"]


# -- what is not known --------------------------------------------------------------------------------------------------


def nobody() -> Json:
    return {"nps": None, "se": None, "ci": None, "answers": 0, "respondents": 0, "promoters": 0, "detractors": 0,
            "because": "nobody has answered", "by_month": [],
            "change": {"difference": None, "because": "there are answers in fewer than two months"}}  # fmt: skip


def test_without_surveys_it_is_said_and_there_is_no_chart_of_nothing(snapshots: Json) -> None:
    page = html_of(with_education(snapshots, nps=dict.fromkeys(("product", "training", "support"), nobody())))
    assert text_of(page).count("Not known: nobody has answered") == 3 and len(charts_of(page)) == 2


def test_one_respondent_has_a_score_and_no_interval(snapshots: Json) -> None:
    why = "the error is not known of fewer than two respondents, or of answers that are all of one kind"
    one = {**nobody(), "nps": 100.0, "answers": 1, "respondents": 1, "promoters": 1, "because": why}
    month = {name: value for name, value in one.items() if name not in ("by_month", "change")}
    alone = {**one, "by_month": [{"month": "2026-07", **month}]}
    text = said(with_education(snapshots, nps={"product": alone, "training": nobody(), "support": nobody()}))
    assert f"The product +100 95 % interval: not known ( {why})".replace("( ", "(") in text
    assert "1 person has answered (1 answer)" in text and f"The product 2026-07 +100 {why} 1" in text


def test_a_strong_correlation_is_no_proof_and_one_that_may_be_0_is_none() -> None:
    table = {"both": 100, "only_trained": 50, "only_untrained": 90, "neither": 1000}
    found = {"table": table, "approximation": 0.853, "note": "Associated, not caused",
             "tetrachoric": {"estimate": 0.8, "ci": [0.74, 0.85], "method": "ml"}}  # fmt: skip
    strong = views.correlation(found, "adopted")
    assert strong is not None and strong.says.startswith("Strongly associated") and "no proof" in strong.says
    unsure = views.correlation(
        {**found, "tetrachoric": {"estimate": 0.1, "ci": [-0.1, 0.3], "method": "ml"}}, "adopted"
    )
    assert unsure is not None and "may have nothing to do with each other" in unsure.says
    unknown = views.correlation({**found, "tetrachoric": None, "approximation": None, "because": "one kind"}, "adopted")
    assert unknown is not None and "not known: one kind" in unknown.says


def test_without_key_actions_adoption_says_what_to_configure(snapshots: Json) -> None:
    because = "no key action is configured"
    education = snapshots["education"]
    text = said(with_education(
        snapshots, adoption={"share": None, "because": because},
        comprehension={**education["comprehension"], "adoption": {"understood": None, "because": because}},
    ))  # fmt: skip
    assert f"Adoption is not known: {because}" in text and f"only used is not known: {because}" in text


def test_before_any_event_time_and_with_nothing_at_all_it_says_what_to_do() -> None:
    early = {
        "education": {"schema": 1, "as_of": {"time": None}, "month": None, "because": "no event time is known yet"}
    }
    assert "no event time is known yet" in said(early)
    assert "Start the workers" in said({}) and "There is no journey to show yet." in said({})


def test_a_journey_that_nobody_is_on_has_no_chart(snapshots: Json) -> None:
    empty = {"users": 0, "tasks": {"a": {"started": 0, "completed": 0, "median_hours": None, "stuck": 0}},
             "dose": [{"completions": 0, "users": 0, "converted": 0, "rate": None}], "out_of_order": 0, "skipped": {},
             "helped": {"CS": 0, "OTHER": 0},
             "trouble_rule": {"users": 0, "precision": None, "recall": None, "because": "no trial has ended yet"}}  # fmt: skip
    page = html_of({"funnel": {"schema": 1, "early": empty}})
    assert charts_of(page) == [] and "nobody has begun" in text_of(page) and "no trial has ended yet" in text_of(page)

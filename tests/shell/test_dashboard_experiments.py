"""The pages of experiments say everything that a snapshot holds, and no more: over a replay, and hard cases made of it."""

import copy
import json
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest

from consumers.dashboard.views.experiment import charts
from consumers.dashboard.views.experiment.effects import (
    Effect,
    chance,
    difference,
    effects_of,
    in_short,
    interval,
    metric_name,
    says_zero,
    set_of,
)
from consumers.dashboard.views.experiment.looks import crossings, look, looks
from consumers.dashboard.words import verdict
from livelift.recording import open_recording
from livelift.recording.write import write_exercise
from livelift.replay import Replay, applied
from livelift.surroundings import product_of
from models.contribution import World
from models.lifecycle import Registration, draft, queue
from models.plan import read_plan
from models.product import Product
from models.simulation import simulate
from models.snapshot import Partials, aggregates
from tests.support.pages import Given, dashboard, text_of

pytestmark = [pytest.mark.shell, pytest.mark.timeout(120)]
ID, KEY = "getting-started-widget", "experiment:getting-started-widget"
PLAN = """
[experiment]
id = "{id}"
hypothesis = "Offering CS help when a trial user gets stuck raises conversion"
control = "control"
arms = {{ control = 0.7, test = 0.3 }}
starts_at = 2026-05-05T00:00:00Z
planned_units = {units}
uptake = {{ type = "help_engaged", source = "CS" }}
covariates = ["employees"]
segments = ["segment"]
exclusive = {{ group = "onboarding", from = {begin}, to = {end} }}
[[metric]]
name = "converted"
role = "primary"
window_days = {window}
minimum_effect = 0.05
[[metric]]
name = "time_to:1"
window_days = 5
higher_is_better = false
[[metric]]
name = "helped:OTHER"
role = "guardrail"
margin = 0.2
higher_is_better = false
window_days = 5
[[metric]]
name = "tickets"
role = "guardrail"
margin = 0.1
higher_is_better = false
window_days = 5
"""
HOSTILE, ARABIC, HEBREW = "<script>alert('x')</script>", "عرض المساعدة", "סגמנט"
Json = dict[str, Any]


class Ran(NamedTuple):
    """A replay at its end, and what was published of the experiment day by day."""

    snapshot: Json
    history: list[Json]


def plan(id_: str = ID, begin: float = 0.0, end: float = 0.5, units: int = 300, window: float = 5) -> Any:
    return read_plan(PLAN.format(id=id_, begin=begin, end=end, units=units, window=window))


def ran(folder: Any, customers: int, **of_plan: Any) -> Ran:
    """So many customers in one day's cohort, read at every daily tick."""
    write_exercise(simulate(customers=customers, seed=3), folder)
    recording = open_recording(folder)
    plans = applied([plan(**of_plan), plan("other-widget", 0.5, 1.0)])
    running = Replay(product_of(recording.config), plans, by_index=True)
    history, day = [], []
    for record in recording.records():
        day.append(record)
        if record.topic is None:
            running.feed(day, recording.last_tick)
            day = []
            history.append(plain(aggregates(running.read_side.partials, running.read_side.world)[KEY]))
    running.feed(day, recording.last_tick)
    return Ran(plain(running.snapshot()), history)


def plain(value: Any) -> Any:
    return json.loads(json.dumps(value))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    return ran(tmp_path_factory.mktemp("experiments") / "trial", 300)


@pytest.fixture(scope="module")
def young(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """The same before anybody is mature: the window is longer than what was watched."""
    return ran(tmp_path_factory.mktemp("experiments") / "trial", 60, window=400)


@pytest.fixture(scope="module")
def lonely(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """One customer."""
    return ran(tmp_path_factory.mktemp("experiments") / "trial", 1)


def said(html: str) -> str:
    """What a page says, as it is read: no space before a comma, and only plain ones."""
    return re.sub(r" (?=[,.:;])", "", text_of(html).replace("\N{NO-BREAK SPACE}", " "))


def page(found: Ran, address: str = f"/experiments/{ID}") -> tuple[str, Json]:
    """What a page is, and the JSON beside it."""
    histories = {f"{KEY}:history": found.history}
    with dashboard(Given(found.snapshot, histories=histories)) as client:
        answer, beside = client.get(address), client.get(f"/api{address}")
    assert (answer.status_code, beside.status_code) == (200, 200)
    return answer.text, beside.json()


def edited(found: Ran, edit: Callable[[Json], Any]) -> Ran:
    """The replay with its experiment's snapshot changed, in the list, too."""
    snapshot = copy.deepcopy(found.snapshot)
    edit(snapshot[KEY])
    for row in snapshot["experiments"]["experiments"]:
        if row["experiment"] == ID:
            row["decision"], row["hypothesis"] = snapshot[KEY]["decision"], snapshot[KEY]["hypothesis"]
    return Ran(snapshot, found.history)


def specs(html: str) -> list[Json]:
    return [json.loads(one) for one in re.findall(r'<script type="application/json">(.*?)</script>', html, re.DOTALL)]


def leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from leaves(inner)
    else:
        yield value


# -- everything on the list ------------------------------------------------------------------------------------


def first(snapshot: Json) -> Json:
    return snapshot["metrics"]["converted"]


ITEMS: dict[str, Callable[[Json], list[str]]] = {
    "verdict and the reason in words": lambda one: [verdict(one["decision"]["verdict"]), one["decision"]["because"][1:]],
    "state, place, approved by": lambda one: ["Running", "Place 1 in the queue", f"approved by {word(one)['by']}"],
    "arms with counts": lambda one: [
        f"control (control) 70 % {counts['assigned']} {counts['clusters']} {counts['exposed']} {counts['took_up']}"
        for counts in (one["arms"]["control"],)
    ],
    "running chart": lambda one: ["looks told an effect", "Each dot is a look", "Against: time"],
    "confidence sequence": lambda one: [interval("converted", first(one)["itt"]["cs"]), "whenever you look"],
    "by_day": lambda one: [f"{100 * first(one)['by_day']['test'][-1]['share']:.3g} % by day 5 in test"],
    "fixed horizon, behind a fold": lambda one: [
        interval("converted", first(one)["itt"]["ci"]), chance(first(one)["itt"]["p"]) or "", first(one)["exact"]["method"]
    ],
    "effect of being offered help": lambda one: [
        "Effect of being offered help", difference("converted", first(one)["itt"]["estimate"])
    ],
    "effect on those who took it": lambda one: [
        "Effect on those who took it", set_of("converted", first(one)["cace"]["ar_cs"]), first(one)["cace"]["assumes"][0]
    ],
    "adjusted beside unadjusted": lambda one: [
        "adjusted for what was known before", interval("converted", first(one)["cuped"]["cs"])
    ],
    "triggered analysis": lambda one: [
        "of those in trouble", difference("converted", first(one)["triggered"]["estimate"]),
        f"p {chance(first(one)['triggered']['balance_p'])}",
    ],
    "sample-ratio health": lambda one: ["As planned", f"{one['srm']['counts']['test']} in test", "an e-value of"],
    "guardrails": lambda one: ["Helped by OTHER", "20 points (less is better)", "Safe", "Too early to say"],
    "dose-response": lambda one: [
        f"One more task completed goes with {difference('converted', one['dose_trend']['slope'])}"
    ],
    "landmark": lambda one: [f"{one['landmark'][0]['day']} {one['landmark'][0]['completions']}"],
    "CS against OTHER with its caution": lambda one: [
        f"CS against OTHER: {difference('converted', one['help']['difference']['estimate'])}", one["help"]["note"][1:]
    ],
    "time-to-complete curves": lambda one: ["Hours to complete task 1", "Half have had it after", "log-rank test"],
    "novelty and segments": lambda one: [
        "was it novelty?", "Week 1", "By weekday of assignment", "Tuesday", "By segment", "retail", "Cochran's Q"
    ],
    "immature, missing and excluded units": lambda one: ["No account is immature", "outcome that never came", "both arms"],
    "overlaps": lambda one: ["Other experiments on the same units", "None of its units is in another experiment"],
    "exclusive group": lambda one: ["onboarding, 0 % to 50 % of accounts", "other-widget (onboarding, 50 %"],
    "the frozen plan and its hash": lambda one: [one["plan_hash"], "experiment.planned_units 300"],
    "expected date of an answer": lambda one: ["Answer expected", "Everybody assigned so far is mature"],
    "queue": lambda one: [one["queue"]["method"], f"level {one['queue']['level']:.3g}"],
}  # fmt: skip


def word(one: Json) -> Json:
    return one["queue_state"]["words"][-1]


@pytest.mark.parametrize("item", ITEMS)
def test_every_item_of_the_list_is_shown(whole: Ran, item: str) -> None:
    words = said(page(whole)[0])
    for part in ITEMS[item](whole.snapshot[KEY]):
        assert part and part in words, f"{item}: {part!r} is not on the page"


def test_the_json_beside_it_is_the_snapshot_and_the_looks(whole: Ran) -> None:
    _, beside = page(whole)
    assert beside[KEY] == whole.snapshot[KEY]
    assert beside["experiment"]["queue_state"] == whole.snapshot[KEY]["queue_state"]
    told = beside[f"{KEY}:history"]
    assert told[-1] == look(whole.snapshot[KEY]) and len({point["units"] for point in told}) > 2


def test_the_truth_of_a_simulation_is_nowhere(whole: Ran) -> None:
    assert whole.snapshot["quality"]["simulated"]
    html, beside = page(whole)
    assert "These figures are of a simulation" in said(html)
    assert "truth" not in html.lower() and "truth" not in json.dumps(beside).lower()


def test_fixed_horizon_figures_stand_behind_a_fold(whole: Ran) -> None:
    html, _ = page(whole)
    open_text = text_of(re.sub(r"<details.*?</details>", "", html, flags=re.DOTALL))
    itt, exact = (first(whole.snapshot[KEY])[name] for name in ("itt", "exact"))
    assert interval("converted", itt["cs"]) in open_text
    assert interval("converted", exact["ci"]) not in open_text and exact["method"] not in open_text


# -- the running chart -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("by", "field", "kind"), [("time", "time", "temporal"), ("n", "units", "quantitative")])
def test_the_running_chart_holds_every_look_against_time_or_units(whole: Ran, by: str, field: str, kind: str) -> None:
    html, beside = page(whole, f"/experiments/{ID}?by={by}")
    drawn = specs(html)[0]
    told = [point for point in beside[f"{KEY}:history"] if point["estimate"] is not None]
    assert [row["x"] for row in drawn["data"]["values"]] == [point[field] for point in told]
    assert [row["low"] for row in drawn["data"]["values"]] == [100 * point["low"] for point in told]
    assert drawn["layer"][2]["encoding"]["x"]["type"] == kind
    table = re.search(r'<details id="looks-table">(.*?)</details>', html, re.DOTALL)
    assert table is not None and difference("converted", told[-1]["estimate"]) in text_of(table[1])


def test_first_crossings_are_marked_with_their_tick(whole: Ran) -> None:
    at = whole.history[-2]["as_of"]["time"]
    crossed = edited(whole, lambda one: one["looks"]["crossed"].update({"converted": {"itt": at}}))
    html, beside = page(crossed)
    assert "0 excluded: effect of being offered help" in said(html)
    marked = [layer["data"]["values"] for layer in specs(html)[0]["layer"] if "data" in layer]
    assert [{"x": at, "says": "1"}] in marked
    found = crossings(crossed.snapshot[KEY], beside[f"{KEY}:history"])
    assert found[0]["units"] == look(whole.history[-2])["units"]


def test_a_look_that_tells_nothing_new_and_one_before_any_event_are_not_drawn(whole: Ran) -> None:
    before = {**look(whole.snapshot[KEY]), "time": None}
    assert looks([before, *[look(whole.snapshot[KEY])] * 3], whole.snapshot[KEY]) == [look(whole.snapshot[KEY])]


# -- sets without an end -----------------------------------------------------------------------------------------------

RAYS = {"shape": "two rays", "intervals": [[None, -0.5], [0.1, None]]}
LINE = {"shape": "whole line", "intervals": [[None, None]]}
RAY = {"shape": "interval", "intervals": [[0.2, None]]}


@pytest.mark.parametrize(
    ("found", "within", "zero", "lines", "open_ends"),
    [
        (RAYS, "−50 points or less, or +10 points or more", "Zero, no effect, is ruled out.", 2, 2),
        (LINE, "anything is possible", "Zero, no effect, is still possible.", 1, 2),
        (RAY, "+20 points or more", "Zero, no effect, is ruled out.", 1, 1),
    ],
)
def test_an_unbounded_set_is_said_and_drawn_without_an_end(
    whole: Ran, found: Json, within: str, zero: str, lines: int, open_ends: int
) -> None:
    unbounded = edited(whole, lambda one: first(one)["cace"].update(ar_cs=found))
    html, _ = page(unbounded)
    assert within.lower() in said(html).lower() and zero in said(html)
    drawn = next(one for one in specs(html) if one["layer"][1]["encoding"].get("x2") == {"field": "to"})
    assert sum(row["name"] == "Took it" for row in drawn["layer"][1]["data"]["values"]) == lines
    ends = [row for layer in drawn["layer"] for row in layer["data"]["values"] if row.get("sign") == "∞"]
    assert len(ends) == 2 * open_ends, "an arrow and its sign each"
    limits = drawn["layer"][1]["encoding"]["x"]["scale"]["domain"]
    assert {row["at"] for row in ends} <= set(limits) and limits[0] < 0 < limits[1]
    assert "Infinity" not in html and "NaN" not in html


def test_an_empty_set_is_said_to_be_one(whole: Ran) -> None:
    nothing = {"ar_cs": None, "ar_set": None, "estimate": None, "because": "no effect on them explains it"}
    html, _ = page(edited(whole, lambda one: first(one)["cace"].update(nothing)))
    assert "Effect on those who took it Too early to say. No effect on them explains it." in said(html)


def test_an_interval_that_goes_on_beyond_the_picture_has_an_arrow_without_the_sign_of_no_end() -> None:
    shown = [
        Effect("a", "A", "", 0.0, "", ((-0.1, 0.1),), "", None), Effect("b", "B", "", 0.0, "", ((-60.0, 0.2),), "", None)
    ]  # fmt: skip
    drawn = charts.effects("converted", shown)
    ends = [row for layer in drawn["layer"] for row in layer["data"]["values"] if "sign" in row]
    assert {(row["name"], row["sign"]) for row in ends} == {("B", "")}


# -- hard cases --------------------------------------------------------------------------------------------------------


def test_before_anybody_is_mature_reasons_and_provisional_shares_are_shown_and_no_figure_is_made_up(young: Ran) -> None:
    html, _ = page(young)
    words = said(html)
    snapshot = young.snapshot[KEY]
    assert first(snapshot)["itt"]["estimate"] is None
    because = first(snapshot)["itt"]["because"]
    assert f"Too early to say Converted: E{because[1:]}." in words
    assert "60 accounts are immature" in words and "No unit is mature yet" in words
    assert "Provisional" in words and re.search(r"Converted: [\d.]+ % by day \d+ in control", words)
    assert re.search(r"Answer expected 20\d\d-\d\d-\d\d", words), "the day by which they will have matured"
    assert not re.search(r"\bNone\b(?! of)|nan", words)


def test_an_experiment_with_one_unit_has_its_page(lonely: Ran) -> None:
    snapshot = lonely.snapshot[KEY]
    assert sum(arm["assigned"] for arm in snapshot["arms"].values()) == 1
    html, _ = page(lonely)
    words = said(html)
    assert "Too early to say" in words and "No look has told an effect on Converted yet." in words
    assert "None of" in words and not re.search(r"\bNone\b(?! of)|nan|Infinity", words)


def test_because_instead_of_every_figure(whole: Ran) -> None:
    """Every null figure of a metric, with one reason for each part: the reasons are there, and no zero is."""

    def empty(one: Json) -> None:
        for name in ("itt", "cuped", "cace", "triggered"):
            part = first(one)[name]
            for key in part:
                if key not in ("assumes", "units"):
                    part[key] = None
            part["because"] = f"reason of {name}"
        first(one)["exact"] = {"method": None, "ci": None, "p": None, "because": "reason of exact", "e_value": None,
                               "p_always_valid": None, "e_value_because": "reason of e"}  # fmt: skip
        first(one)["power"] = {"now": None, "at_planned_units": None, "because": "reason of power"}
        first(one)["time"] = {"median": {"control": None, "test": None, "because": "reason of median"},
                              "log_rank_p": None, "rmst_difference": None, "because": "reason of time"}  # fmt: skip
        one["help"]["difference"] = {"estimate": None, "se": None, "ci": None, "p": None, "because": "reason of help"}
        one["dose_trend"] = {"slope": None, "se": None, "p": None, "because": "reason of dose", "note": ""}
        for part in first(one)["by_weekday"]:
            part.update(estimate=None, se=None, ci=None, because="reason of weekday")
        first(one)["segments"]["segment"]["heterogeneity"] = {
            "q": None,
            "df": None,
            "p": None,
            "because": "reason of q",
        }
        one["decision"] = {"verdict": "keep_running", "because": "too early to say: reason of itt"}

    html, _ = page(edited(whole, empty))
    words = said(html).lower()
    for part in (
        "itt",
        "cuped",
        "cace",
        "triggered",
        "exact",
        "e",
        "power",
        "median",
        "time",
        "help",
        "dose",
        "weekday",
        "q",
    ):
        assert f"reason of {part}" in words, part
    assert "none" not in words.replace("none of", "")


def test_an_unhealthy_experiment_is_not_to_be_believed(whole: Ran) -> None:
    def broken(one: Json) -> None:
        one["srm"] |= {"healthy": False, "e_value": 250.0}
        one["looks"]["unhealthy_at"] = "2026-05-09T00:00:00Z"
        one["decision"] = {"verdict": "unhealthy", "because": "the sample ratio's e-value reached 100"}

    words = said(page(edited(whole, broken))[0])
    assert "Do not trust yet The sample ratio's e-value reached 100." in words
    assert "Do not believe any effect on this page" in words and "Not as planned" in words
    assert "Found on 2026-05-09 00:00 UTC, and kept." in words


def test_a_retrospective_experiment_says_so(whole: Ran) -> None:
    assert "Retrospective" not in said(page(whole)[0])
    assert "Retrospective." in said(page(edited(whole, lambda one: one.update(retrospective=True)))[0])


def test_markup_and_right_to_left_are_just_names(whole: Ran) -> None:
    def named(one: Json) -> None:
        one["hypothesis"] = f"{HOSTILE} {ARABIC}"
        first(one)["segments"]["segment"]["segments"][0]["segment"] = HEBREW
        first(one)["segments"][HOSTILE] = first(one)["segments"].pop("segment")
        one["queue_state"]["words"][-1] |= {"by": HOSTILE, "why": ARABIC}
        one["notes"]["overlaps"] = [{"experiment": HOSTILE, "units": 3, "interaction": None, "interaction_p": None,
                                     "because": "each pair of arms needs 10 mature accounts"}]  # fmt: skip
        rename(one, "test", f"{HOSTILE}{HEBREW}")

    found = edited(whole, named)
    for address in (f"/experiments/{ID}", "/experiments"):
        html, _ = page(found, address)
        assert "<script>alert" not in html and HOSTILE in said(html)
        assert f"<bdi>{ARABIC}" in html or f"{ARABIC}</bdi>" in html
    html, _ = page(found)
    assert f"<bdi>{HEBREW}</bdi>" in html and "3 units are in both. Each pair of arms needs 10" in said(html)
    assert specs(html), "the data of charts are still JSON"


def rename(value: Any, old: str, new: str) -> None:
    """An arm by another name, wherever it is a key."""
    if isinstance(value, dict):
        if old in value:
            value[new] = value.pop(old)
        for inner in value.values():
            rename(inner, old, new)
    elif isinstance(value, list):
        for inner in value:
            rename(inner, old, new)


def test_guardrails_are_judged_as_the_verdict_judges_them(whole: Ran) -> None:
    def stand(cs: list[float | None]) -> str:
        def held(one: Json) -> None:
            one["metrics"]["helped:OTHER"]["itt"] |= {"estimate": 0.1, "cs": cs}

        words = said(page(edited(whole, held))[0])
        return words[words.index("What must not get worse") : words.index("20 points (less is better)")]

    assert "Safe" in stand([-0.1, 0.19]) and "Not yet safe" in stand([-0.1, 0.21])
    assert "Worse than it may be" in stand([0.21, 0.5]) and "Not yet safe" in stand([-0.1, None])


def test_a_fixed_plan_shows_the_interval_of_its_one_look(whole: Ran) -> None:
    def fix(one: Json) -> None:
        one["plan"]["experiment"] |= {"analysis": "fixed", "analyse_at": "2026-06-05T00:00:00Z"}
        for name in ("itt", "cuped", "cace", "triggered"):
            first(one)[name] |= dict.fromkeys(("cs", "ar_cs", "e_value", "p_always_valid"))

    found = edited(whole, fix)
    html, _ = page(found)
    assert (
        f"{interval('converted', first(found.snapshot[KEY])['itt']['ci'])} (95\N{NO-BREAK SPACE}% sure, for the one"
        in html
    )


def test_two_experiments_of_a_group_name_each_other_and_the_one_without_units_has_reasons(whole: Ran) -> None:
    words = said(page(whole, "/experiments/other-widget")[0])
    assert f"In the group, too: {ID} (onboarding, 0 % to 50 % of accounts)" in words
    assert "Nobody has been assigned yet, so no date can be told." in words and "Place 2 in the queue" in words


# -- the queue ---------------------------------------------------------------------------------------------------------


def test_the_queue_has_states_places_verdicts_and_who_approved(whole: Ran) -> None:
    html, beside = page(whole, "/experiments")
    words = said(html)
    assert beside["experiments"] == whole.snapshot["experiments"]
    assert words.index(ID) < words.index("other-widget"), "by place"
    row = whole.snapshot["experiments"]["experiments"][0]
    assert f"Keep running {row['decision']['because'][:1].upper()}{row['decision']['because'][1:]}" in words
    assert "Running, since 2026-05-05 00:00 UTC" in words and "Approved by recording" in words
    assert f"{row['mature']} of {row['assigned']}" in words
    assert f"{difference('converted', row['estimate'])}, {interval('converted', row['cs'])}" in words
    assert "Keeps to onboarding, 50 % to 100 % of accounts" in words


def test_the_queue_is_filtered_by_its_address(whole: Ran) -> None:
    assert "No experiment is so." in said(page(whole, "/experiments?state=draft")[0])
    assert "2 of 2" in said(page(whole, "/experiments?state=running&verdict=keep_running")[0])
    assert "0 of 2" in said(page(whole, "/experiments?verdict=pivot")[0])


def test_drafts_and_the_queue_are_listed_and_have_a_page(whole: Ran) -> None:
    at = 1_777_000_000_000_000
    waiting = {
        "written": draft(None, plan("written"), "ann", at), "next": queue(None, plan("next"), "bo", at, Registration(3, 0.01))
    }  # fmt: skip
    rows = plain(aggregates(Partials(), World(Product(), waiting=waiting)))["experiments"]["experiments"]
    listed = copy.deepcopy(whole.snapshot)
    listed["experiments"]["experiments"] += rows
    found = Ran(listed, [])
    words = said(page(found, "/experiments")[0])
    assert words.index("other-widget") < words.index("next") < words.index("written"), "drafts come last"
    assert "It is a draft: nobody is assigned yet." in words and "drafts have no place" in words
    assert "1 of 4" in said(page(found, "/experiments?state=queued")[0])
    words = said(page(found, "/experiments/next")[0])
    assert "It waits in the queue" in words and "place 3 in the queue" in words and "approved by bo" in words
    assert waiting["next"].plan_hash in words and "and is frozen" in words
    assert "and may still change" in said(page(found, "/experiments/written")[0])


def test_who_stopped_it_and_why_is_in_its_life(whole: Ran) -> None:
    def stopped(one: Json) -> None:
        one["queue_state"]["words"].append(
            {"state": "stopped", "at": "2026-06-01T10:00:00Z", "by": "ann", "why": "answered"}
        )

    words = said(page(edited(whole, stopped))[0])
    assert "Stopped since 2026-06-01 10:00 UTC, stopped by ann: answered" in words


def test_an_experiment_that_is_none_is_said_so(whole: Ran) -> None:
    with dashboard(Given(whole.snapshot)) as client:
        answer = client.get("/experiments/nobody")
        assert (answer.status_code, client.get("/api/experiments/nobody").status_code) == (404, 404)
    assert "There is no experiment nobody" in text_of(answer.text)


def test_an_empty_system_says_how_an_experiment_begins() -> None:
    with dashboard(Given({})) as client:
        assert "livelift experiments draft plan.toml writes" in text_of(client.get("/experiments").text)


def test_workers_that_still_read_are_said_to(whole: Ran) -> None:
    row = {"experiment": "fresh", "because": "the workers are reading their rows against its plan"}
    found = Ran({"experiments": {"experiments": [row]}}, [])
    for address in ("/experiments", "/experiments/fresh"):
        assert "The workers are reading their rows against its plan." in said(page(found, address)[0])


# -- figures -----------------------------------------------------------------------------------------------------------


def test_figures_have_three_digits_their_unit_and_no_exponent() -> None:
    assert difference("converted", -66.84) == "−6,684 points" and difference("converted", 0.0) == "0 points"
    assert difference("time_to:1", -3.14159) == "−3.14 hours" and difference("mrr", 1234567.0) == "+1,234,567"
    assert interval("converted", [None, 0.1]) == "+10 points or less"
    assert (chance(1e-9), chance(0.0312), chance(None)) == ("below 0.001", "0.031", None)


@pytest.mark.parametrize(
    ("name", "said"),
    [("converted", "Converted"), ("time_to:{x}", "Hours to complete task {x}"), ("outcome:gmv", "gmv"), ("new", "new")],
)
def test_metrics_have_plain_names(name: str, said: str) -> None:
    assert metric_name(name) == said


def test_nothing_known_is_never_zero() -> None:
    itt = {"estimate": None, "cs": None, "because": "few"}
    shown = effects_of("converted", {"itt": itt, "cace": {}, "triggered": {}}, fixed=False)
    assert in_short(shown[0], 0.05) == "Few." and says_zero(shown[0]) == ""
    assert in_short(shown[1], 0.05) == "Nothing has come yet."


def test_a_picture_holds_no_number_that_json_has_not(whole: Ran) -> None:
    html, _ = page(whole)
    for spec in specs(html):
        assert all(leaf == leaf for leaf in leaves(spec))  # noqa: PLR0124 - NaN is not itself

"""The page of the model, over what the core says of models that have really learned."""

import json
import re
from copy import deepcopy
from typing import Any

import msgspec
import pytest

from models.health.learning import Learning
from models.health.listed import INPUTS
from models.health.told import model_snapshot
from models.product import Health, Label, Product
from tests.support.contending import a_log
from tests.support.pages import Given, dashboard, text_of

pytestmark = pytest.mark.shell
Json = dict[str, Any]
ENVELOPE = {"schema": 1, "as_of": {"time": "2026-12-31T00:00:00Z"}, "published_at": "2027-01-01T00:00:00Z"}


def said(log: list[bytes], **health: Any) -> Json:
    """The snapshot of a learner that has taken a log, as Redis holds it."""
    settings = msgspec.structs.replace(Health(), **health)
    learning = Learning(Product(label=Label(horizon_days=14, unscored_days=0), health=settings))
    for value in log:
        learning.take(value)
        learning.learn(partitions=1)
    told: Json = json.loads(msgspec.json.encode(model_snapshot(learning, replicates=20)))
    return {**ENVELOPE, **told}


@pytest.fixture(scope="module")
def learned() -> Json:
    return said(a_log(8, 40, told=("x", "leak")), challengers=("bayes",))


@pytest.fixture(scope="module")
def choosy() -> Json:
    """The same of a model that reads some inputs only, one of which tells too much."""
    log = [one.replace(b'"leak":', b'"trait:leak":').replace(b'"x":', b'"trait:x":').replace(b'"y":', b'"tickets":')
           for one in a_log(8, 40, told=("x", "y", "leak"))]  # fmt: skip
    return said(log, challengers=("bayes",), inputs=("trait:*", "breadth"))


def page_of(model: Json | None) -> tuple[str, str, Json]:
    """The page's HTML, what it says, and the JSON beside it."""
    with dashboard(Given({} if model is None else {"model": model})) as client:
        page, beside = client.get("/model"), client.get("/api/model")
    assert page.status_code == beside.status_code == 200
    return page.text, text_of(page.text), beside.json()


def shown(value: float, digits: int = 3) -> str:
    """Written anew here: what the page has to say of a number."""
    return f"{value:,.{digits}f}".replace("-", "−")


ITEMS = {
    "lift": ("judged.lift.estimate", 2), "lift, from": ("judged.lift.ci.0", 2), "AUC": ("judged.auc.estimate", 3),
    "AUC, from": ("judged.auc.ci.0", 3), "AUC, to": ("judged.auc.ci.1", 3),
    "Brier skill": ("judged.brier_skill.estimate", 3), "prequential log-loss": ("judged.log_loss.estimate", 3),
    "calibration": ("judged.slope.estimate", 2), "calibration error": ("judged.calibration_error.estimate", 3),
    "label counts": ("labels.with_event", 0), "labels without": ("labels.without", 0),
    "feature list: chosen": ("inputs.chosen.0", None), "feature list: held out": ("inputs.withheld.0", None),
    "leakage flags": ("held_out.trait:leak.auc", 3), "drift": ("drift.watched", 0),
    "challengers": ("contenders.bayes.auc.estimate", 3), "promotion": ("judged.rows", 0),
}  # fmt: skip
"""Items of the page in the issue, the field of `model` that each shows, and the digits of a number."""


@pytest.mark.parametrize("item", ITEMS)
def test_every_item_of_the_page_is_a_field_of_the_snapshot_and_is_shown(item: str, choosy: Json) -> None:
    path, digits = ITEMS[item]
    found: Any = choosy
    for step in path.split("."):
        found = found[int(step)] if isinstance(found, list) else found[step]
    assert (found if digits is None else shown(found, digits)) in page_of(choosy)[1]


def test_the_json_beside_it_is_the_snapshot(learned: Json) -> None:
    assert page_of(learned)[2] == {"model": learned}


def test_an_input_that_tells_too_much_is_named_as_held_out_and_as_allowed_once_it_is(learned: Json) -> None:
    assert learned["held_out"]["leak"]["allowed"] is False
    assert "Held out" in page_of(learned)[1] and "Allowed by a person" not in page_of(learned)[1]
    allowed = deepcopy(learned)
    allowed["held_out"]["leak"]["allowed"] = True
    assert "Allowed by a person" in page_of(allowed)[1]


def test_the_list_of_inputs_has_all_of_them_with_what_leaks_or_moves(learned: Json) -> None:
    edited = deepcopy(learned)
    edited["held_out"] = {"trait:closed_by": learned["held_out"]["leak"]}
    edited["drift"] = {**learned["drift"], "flagged": ["tickets"], "inputs": {
        "tickets": {"flag": True, "drift": {"seen": 20_737, "since": 20_639, "before": 1.5, "after": 4.25}}}}  # fmt: skip
    html, text, _ = page_of(edited)
    assert all(f"<code>{one.name}</code>" in html for one in INPUTS)
    assert "trait:closed_by : held out" in text and "tickets : moved" in text
    assert "2026-10-11" in text and "1.5 tickets" in text and "4.25 tickets" in text


def reads(text: str, name: str) -> str:
    """What the list of inputs says of one: between its meaning and what was found of leakage."""
    one = next(one for one in INPUTS if one.name == name)
    found = re.search(rf"{re.escape(f'{name} {one.unit} {one.meaning}')} (.*?)(?: trait:leak :| none seen)", text)
    assert found is not None, name
    return found[1]


def test_the_list_of_inputs_says_which_of_them_the_model_reads(learned: Json, choosy: Json) -> None:
    """Examples have members, tickets, and two numbers told of accounts, one of which leaks."""
    assert choosy["inputs"] == {
        "chosen": ["trait:*", "breadth"], "withheld": ["trait:leak"],
        "of": {"members": {"told": 1, "read": 0}, "tickets": {"told": 1, "read": 0}, "trait:*": {"told": 2, "read": 1}},
    }  # fmt: skip
    text = page_of(choosy)[1]
    names = ("members", "tickets", "trait:*", "breadth", "visitors", "usage:*")
    assert [reads(text, name) for name in names] == [
        "no", "no", "1 of 2 names", "nothing of it has been told", "no", "nothing of it has been told",
    ]  # fmt: skip
    assert "Chosen by [health] inputs in livelift.toml: trait:*, breadth." in text
    every = page_of(learned)[1]
    assert reads(every, "members") == "yes" and "All are chosen: [health] inputs in livelift.toml names none." in every


def test_of_an_input_that_is_held_out_and_of_a_learner_that_has_not_told_it_is_said(choosy: Json) -> None:
    told = {**choosy["inputs"], "chosen": [], "withheld": ["tickets"], "of": {
        "tickets": {"told": 1, "read": 0}, "trait:*": {"told": 2, "read": 2}, "usage:*": {"told": 3, "read": 0}}}  # fmt: skip
    text = page_of({**choosy, "inputs": told})[1]
    assert [reads(text, name) for name in ("tickets", "trait:*", "usage:*", "members")] == [
        "no, it is held out", "yes, 2 names", "none of 3 names", "nothing of it has been told",
    ]  # fmt: skip
    older = {name: value for name, value in choosy.items() if name != "inputs"}
    assert reads(page_of(older)[1], "tickets") == "not told yet"
    assert "the learner tells it with the next labels" in page_of(older)[1]


def test_calibration_is_a_chart_with_a_sentence_and_the_same_as_a_table(learned: Json) -> None:
    html, text, _ = page_of(learned)
    spec = json.loads(re.findall(r'<script type="application/json">(.*?)</script>', html, re.DOTALL)[0])
    rows = learned["judged"]["reliability"]
    assert [(one["said"], one["came"]) for one in spec["data"]["values"]] == [
        (row["mean_p"], row["observed"]) for row in rows
    ]
    assert 'role="img" aria-label="Observed share over the probability that was said, in' in html
    assert all(f"{100 * row['mean_p']:.1f} % {100 * row['observed']:.1f} %" in text for row in rows)


def test_a_challenger_is_proposed_only_on_evidence(learned: Json) -> None:
    better = deepcopy(learned)
    minus = better["contenders"]["bayes"]["minus_champion"]
    minus["log_loss"], minus["auc"] = (
        {"estimate": sign * 0.1, "ci": sorted((sign * 0.2, sign * 0.05))} for sign in (-1, 1)
    )
    assert "Naive Bayes: Proposed it predicts better: log-loss -0.1" in page_of(better)[1]
    minus["log_loss"] = {"estimate": -0.1, "ci": [-0.2, 0.05]}
    assert "Not proposed it is not shown to predict better" in page_of(better)[1]


def test_where_only_the_heuristic_scores_it_is_said_why_and_nothing_is_made_up() -> None:
    model = said([])
    html, text, _ = page_of(model)
    assert model["because"] in text and "Why there is no model yet" in text and "activity index" in text
    assert "no prediction has a label yet" in text and "data-chart" not in html and "Has skill" not in text
    assert "Not known: no account is held out of alerts" in text


def test_what_alerts_change_is_a_difference_with_its_interval() -> None:
    model = {**said([]), "alerting": {
        "hold_out": 0.1, "held_out": {"accounts": 7, "with_event": 3}, "alerted": {"accounts": 104, "with_event": 55},
        "alerted_minus_held_out": 0.1, "ci": [-0.2, 0.4]}}  # fmt: skip
    text = page_of(model)[1]
    assert "+10.0 points from that of those held out (95 %: −20.0 to +40.0); that may be chance" in text


def test_the_label_that_one_hopes_for_is_not_called_a_loss() -> None:
    model = said([])
    assert "how likely it converts" in page_of({**model, "label": {**model["label"], "kind": "conversion"}})[1]


def test_no_learner_yet_is_said() -> None:
    assert "No learner has said anything yet." in page_of(None)[1]

"""`livelift backtest` over a made-up history: every number counted again by another way, and nothing looks ahead."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import defaultdict
from datetime import date, timedelta
from xml.etree import ElementTree

import msgspec
import numpy as np
import pandas as pd
import pytest
from scipy.stats import mannwhitneyu

from livelift.backtest.page import page
from livelift.backtest.run import run, usage_totals
from livelift.commands.judging import Kind
from livelift.recording import open_recording
from livelift.surroundings import product_of
from models.health.baselines import BASELINES
from models.health.classifier import KINDS
from models.health.judgement import Judgement, NothingToJudge
from models.health.seen import all_predictions
from tests.support.ended import complaint
from tests.support.leaving import START, write_leaving
from tests.support.readme import ROOT, blocks, run_shell

pytestmark = pytest.mark.shell
LIVELIFT = [sys.executable, "-m", "livelift"]
HORIZON, UNSCORED, CONTACT = 28, 7, 28
SETTINGS = f"[label]\nhorizon_days = {HORIZON}\nunscored_days = {UNSCORED}\n"
LEARNED = ("logistic", "bayes")
FILES = {"report.md", "report.html", "report.json", "lift.svg", "calibration.svg"}
DEADLINE_S = 200


def livelift(*arguments):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200"}
    return subprocess.run([*LIVELIFT, *map(str, arguments)], env=environment, capture_output=True, text=True,
                          check=False, timeout=DEADLINE_S)  # fmt: skip


@pytest.fixture(scope="module")
def history(tmp_path_factory):
    return write_leaving(tmp_path_factory.mktemp("history") / "history", accounts=80, days=210, settings=SETTINGS)


@pytest.fixture(scope="module")
def out(history):
    return history.parent / "made" / "report"


@pytest.fixture(scope="module")
def printed(history, out):
    """The command, once: its JSON."""
    ended = livelift("backtest", history, "--challenger", "bayes", "--challenger", "bayes", "--challenger", "logistic",
                     "--replicates", 60, "--out", out, "--json")  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


@pytest.fixture(scope="module")
def report(printed, out):
    return json.loads((out / "report.json").read_text())


@pytest.fixture(scope="module")
def rows(report):
    """The judged predictions, a row each."""
    told = report["predictions"]
    plain = {name: told[name] for name in ("account", "day", "label", "scored", "contacted")}
    return pd.DataFrame({**plain, **told["p"], **told["order"]})


@pytest.fixture(scope="module")
def events(history):
    """The events by account and type, as the days they fell on."""
    found = defaultdict(list)
    for line in (history / "events.jsonl").read_text().splitlines():
        one = json.loads(line)
        found[one["account_id"], one["type"]].append((date.fromisoformat(one["at"][:10]), one["properties"]))
    return found


def area(risk, label):
    return mannwhitneyu(risk[label], risk[~label]).statistic / (label.sum() * (~label).sum())


# -- the rows --------------------------------------------------------------------------------------------------------


def test_labels_are_what_the_events_say(rows, events):
    assert rows["label"].sum() > 50
    for row in rows.itertuples():
        day = date.fromisoformat(row.day)
        churned = [(when - day).days for when, _ in events[row.account, "churned"]]
        soon = [after for after in churned if 0 < after <= HORIZON]
        contacts = [(when - day).days for when, _ in events[row.account, "cs_contacted"]]
        assert day.weekday() == 6
        assert row.label == bool(soon)
        assert row.scored == (not soon or soon[0] > UNSCORED)
        assert row.contacted == any(-CONTACT < after <= HORIZON for after in contacts)


def test_counts_are_those_of_the_rows(report, rows):
    judged = report["judged"]
    assert (judged["from"], judged["to"]) == (rows["day"].min(), rows["day"].max())
    assert judged["rows"] == len(rows) and judged["with_event"] == rows["label"].sum()
    assert judged["accounts"] == rows["account"].nunique()
    assert judged["accounts_with_event"] == rows["account"][rows["label"]].nunique()
    assert judged["unscored"] == (~rows["scored"]).sum() > 0
    assert judged["contacted"] == rows["contacted"].sum() > 0
    assert judged["contacted_with_event"] == (rows["contacted"] & rows["label"]).sum()
    labels = report["labels"]
    assert labels["with_event"] >= judged["with_event"] and labels["without"] >= (~rows["label"]).sum()


def test_visits_alone_are_the_days_with_a_visit(rows, events):
    for row in rows.iloc[::7].itertuples():
        day = date.fromisoformat(row.day)
        visits = {when for kind in ("core_action", "usage_reported") for when, _ in events[row.account, kind]}
        active = sum(day - timedelta(ago) in visits for ago in range(28))
        assert -10 * row.visits == pytest.approx(active / 4)


# -- the figures -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [*LEARNED, "index", "visits"])
def test_ranks_are_counted_again(report, rows, name):
    model = report["models"][name]
    for found, part in ((model, rows), (model["without_contacted"], rows[~rows["contacted"]])):
        scored = part[part["scored"]]
        assert found["auc"]["estimate"] == pytest.approx(area(scored[name], scored["label"]), abs=1e-9)
        assert found["lift"]["estimate"] == pytest.approx(caught(scored, name, 0.1) / 0.1, abs=1e-9)
    low, high = model["auc"]["ci"]
    assert low < model["auc"]["estimate"] < high


def caught(rows, name, share):
    """The share of events in the riskiest share of rows; those equally risky at its edge by expectation."""
    room, found = share * len(rows), 0.0
    for _, tied in sorted(rows.groupby(name), key=lambda group: -group[0]):
        part = min(1.0, max(0.0, room) / len(tied))
        found, room = found + part * tied["label"].sum(), room - len(tied)
    return found / rows["label"].sum()


def test_the_lift_curve_is_counted_again(report, rows):
    scored = rows[rows["scored"]]
    assert [at["share"] for at in report["lift_curve"]][-1] == 1
    for at in report["lift_curve"][::4]:
        for name, lift in at["lift"].items():
            assert lift == pytest.approx(caught(scored, name, at["share"]) / at["share"], abs=1e-9)


@pytest.mark.parametrize("name", LEARNED)
def test_probabilities_are_counted_again(report, rows, name):
    model = report["models"][name]
    later = rows[rows["day"] >= model["scores_since"]]
    assert 0 < len(later) < len(rows)
    for found, part in ((model, rows), (model["once_scoring"], later)):
        p, label = part[name], part["label"].astype(float)
        safe = p.clip(1e-9, 1 - 1e-9)
        brier, rate = ((p - label) ** 2).mean(), label.mean()
        assert found["brier"]["estimate"] == pytest.approx(brier)
        assert found["brier_skill"]["estimate"] == pytest.approx(1 - brier / (rate * (1 - rate)))
        assert found["log_loss"]["estimate"] == pytest.approx(-np.log(np.where(label == 1, safe, 1 - safe)).mean())
        assert found["observed_over_expected"]["estimate"] == pytest.approx(label.sum() / p.sum())
        assert sum(one["rows"] for one in found["reliability"]) == len(part)


def test_baselines_say_why_they_have_no_brier_score(report):
    for name in ("index", "visits"):
        model = report["models"][name]
        assert model["role"] == "baseline" and "no probability" in model["because"]
        assert not {"brier", "log_loss", "intercept", "reliability"} & model.keys()
        assert report["champion_minus"][name].keys() == {"auc", "lift"}


def test_differences_are_those_of_the_figures(report):
    models = report["models"]
    assert report["champion_minus"].keys() == {"bayes", "index", "visits"}
    for other, found in report["champion_minus"].items():
        for name, one in found.items():
            expected = models["logistic"][name]["estimate"] - models[other][name]["estimate"]
            assert one["estimate"] == pytest.approx(expected, abs=1e-9)
            assert one["ci"][0] < one["estimate"] < one["ci"][1]


@pytest.mark.parametrize("name", [*LEARNED, "index"])
def test_the_likeness_to_visits_is_that_of_pandas(report, rows, name):
    found = report["like_visits"][name]
    parts = [part for _, part in rows.groupby("account") if len(part) >= 8]
    each = pd.Series([part[name].corr(part["visits"]) for part in parts if part[name].std() and part["visits"].std()])
    assert found["accounts"] == len(each) > 30
    assert found["median"] == pytest.approx(each.median())
    assert found["share_above"]["accounts"] == pytest.approx((each > 0.9).mean())
    assert found["pooled"] == pytest.approx(rows[name].corr(rows["visits"]))


def test_a_whole_history_knows_more_than_the_day_did(report, rows, events):
    """Usage until the snapshot and in all, both counted from the events: the latter looks ahead, and flatters."""
    scored = rows[rows["scored"]]

    def used(row, until):
        reports = events[row.account, "usage_reported"]
        return sum(properties["records"] for when, properties in reports if when.isoformat() <= until)

    until = np.array([-used(row, row.day) for row in scored.itertuples()])
    in_all = np.array([-used(row, "9999") for row in scored.itertuples()])
    found, label = report["whole_history"], scored["label"].to_numpy()
    assert found["until_snapshot"]["estimate"] == pytest.approx(area(until, label), abs=1e-9)
    assert found["auc"]["estimate"] == pytest.approx(area(in_all, label), abs=1e-9)
    assert found["auc"]["estimate"] > found["until_snapshot"]["estimate"] + 0.05
    assert "not available in reality" in found["look_ahead"]


# -- no look-ahead ---------------------------------------------------------------------------------------------------


def replayed(folder, challengers=()):
    recording, told = open_recording(folder), []
    product = product_of(recording.config)
    backtest = run(recording, product, challengers, told.append)
    assert told == sorted(told) and told[-1] == recording.events, "progress counts the events so far"
    return backtest, usage_totals(recording, product)


KNOWN_UNTIL = START + 150


@pytest.fixture(scope="module")
def otherwise(history):
    """The same history for 150 days; then nobody does anything any more, nor leaves, while time goes on."""
    folder = history.parent / "otherwise"
    folder.mkdir()
    (folder / "livelift.toml").write_text((history / "livelift.toml").read_text())
    end, late = (str(date(1970, 1, 1) + timedelta(day)) for day in (KNOWN_UNTIL, KNOWN_UNTIL + 60))
    lines = (history / "events.jsonl").read_text().splitlines(keepends=True)
    kept = [line for line in lines if json.loads(line)["at"] < end]
    assert 0.5 < len(kept) / len(lines) < 0.9
    last = {**json.loads(kept[0]), "id": "late", "account_id": "late", "at": f"{late}T00:00:00Z"}
    (folder / "events.jsonl").write_text("".join([*kept, json.dumps(last)]))
    return replayed(folder, ["bayes"])


def test_what_came_later_changes_nothing_that_was_said_before(otherwise, rows):
    """Until both histories part, all is said of both alike, to the last bit; though labels differ from a horizon
    before that on, and so does what is learned before they come."""
    backtest, _ = otherwise
    said = Judgement(backtest, replicates=20).predictions()
    other = pd.DataFrame({**{name: said[name] for name in ("account", "day", "label")}, **said["p"], **said["order"]})
    until = str(date(1970, 1, 1) + timedelta(KNOWN_UNTIL))
    places = ["account", "day"]
    one, two = (each[each["day"] < until].sort_values(places, ignore_index=True) for each in (rows, other))
    assert len(one) > 400
    assert one["day"][one["label"] != two["label"]].nunique() >= HORIZON // 7 - 1
    for name in (*places, *LEARNED, "index", "visits"):
        assert one[name].tolist() == two[name].tolist(), name


def test_nothing_is_predicted_by_what_its_own_label_taught(rows, report):
    """Labels come a horizon after the snapshot, so the first prediction stands a horizon after the first snapshot."""
    first = date.fromisoformat(rows["day"].min())
    assert (first - date(1970, 1, 1)).days >= START + HORIZON
    assert report["models"]["logistic"]["scores_since"] > rows["day"].min()


def test_the_track_record_is_what_the_learner_keeps(otherwise):
    backtest, _ = otherwise
    for walk in backtest.models.values():
        kept, track = all_predictions(walk.contender.seen.values()), walk.track.predictions()
        for name in ("account", "day", "p", "label", "scored", "contacted"):
            assert np.array_equal(getattr(kept, name), getattr(track, name)), name


def test_a_model_says_the_same_as_champion_and_as_challenger(tmp_path):
    folder = write_leaving(tmp_path / "two", accounts=25, days=180, settings=SETTINGS)
    recording = open_recording(folder)
    product = product_of(recording.config)
    bayes = msgspec.structs.replace(product, health=msgspec.structs.replace(product.health, model="bayes"))
    one, two = run(recording, product, ["bayes"]), run(recording, bayes, ["logistic"])
    assert list(one.models) == ["logistic", "bayes"] and list(two.models) == ["bayes", "logistic"]
    for kind, walk in one.models.items():
        assert walk.track.said().tolist() == two.models[kind].track.said().tolist()
        assert len(set(walk.track.said())) > 50 and walk.scores_since == two.models[kind].scores_since


# -- from a day on ---------------------------------------------------------------------------------------------------


def test_judged_from_a_day_on(otherwise):
    backtest, totals = otherwise
    every = Judgement(backtest, replicates=20).predictions()
    middle = sorted(set(every["day"]))[2]
    day = (date.fromisoformat(middle) - date(1970, 1, 1)).days
    judgement = Judgement(backtest, day, totals, replicates=20)
    later, report = judgement.predictions(), judgement.report()
    assert later["day"] == [one for one in every["day"] if one >= middle]
    assert report["judged"]["from"] == middle and report["judged"]["rows"] == len(later["day"])
    scored = np.array(later["scored"])
    risk, label = np.array(later["order"]["index"])[scored], np.array(later["label"])[scored]
    assert 0 < label.sum() < len(label)
    assert report["models"]["index"]["auc"]["estimate"] == pytest.approx(area(risk, label), abs=1e-9)
    third = Judgement(backtest, day, totals, replicates=20, weeks=3).predictions()
    assert set(third["day"]) == set(sorted(set(later["day"]))[::3])
    last = max(every["day"])
    with pytest.raises(
        NothingToJudge, match=f"no snapshot from 2199-12-26 on has a label; the last that has is of {last}"
    ):
        Judgement(backtest, 84_000)


def test_where_the_event_is_wanted_the_busiest_come_first(tmp_path):
    """The same history, told as if leaving were converting: the baselines' order is turned round."""
    folder = write_leaving(tmp_path / "trials", accounts=60, days=180, settings=f'{SETTINGS}kind = "conversion"\n')
    found = [json.loads(line) for line in (folder / "events.jsonl").open()]
    kept = [{**one, "type": one["type"].replace("churned", "converted")} for one in found if one["type"] != "converted"]
    (folder / "events.jsonl").write_text("".join(json.dumps(one) + "\n" for one in kept))
    backtest, totals = replayed(folder)
    judgement = Judgement(backtest, None, totals, 20)
    report, said = judgement.report(), judgement.predictions()
    visits, scored, label = (np.array(column) for column in (said["order"]["visits"], said["scored"], said["label"]))
    assert visits.min() >= 0 and label.sum() > 10
    found = report["models"]["visits"]["auc"]["estimate"]
    assert found == pytest.approx(area(visits[scored], label[scored]), abs=1e-9)
    assert found < 0.5, "here it is the idle that have the event"
    assert report["whole_history"]["auc"]["estimate"] < 0.5


# -- the files -------------------------------------------------------------------------------------------------------


def test_the_report_is_written(report, printed, out):
    assert {path.name for path in out.iterdir()} == FILES
    assert printed == {name: value for name, value in report.items() if name != "predictions"}
    assert (report["recording"], report["simulated"]) == ("history", True)
    markdown, html = (out / "report.md").read_text(), (out / "report.html").read_text()
    auc = report["models"]["logistic"]["auc"]["estimate"]
    for text in (markdown, html):
        assert "SIMULATED DATA" in text and f"{auc:.3g} (" in text and "not available in reality" in text
    assert "](lift.svg)" in markdown and "](calibration.svg)" in markdown
    assert html.count("<svg") == 2 and "<img" not in html


def test_the_figures_show_the_figures(report, out):
    """Curves end where all accounts are looked at; a dot for each bin; nothing is drawn outside."""
    lift, calibration = (ElementTree.fromstring((out / name).read_text()) for name in ("lift.svg", "calibration.svg"))
    svg = "{http://www.w3.org/2000/svg}"
    curves = list(lift.iter(f"{svg}polyline"))
    assert len(curves) == 2 * len(report["models"])
    for curve in curves[: len(report["models"])]:
        points = [tuple(map(float, point.split(","))) for point in curve.attrib["points"].split()]
        assert points == sorted(points, key=lambda point: (point[0], -point[1])), "events caught only grow"
        assert points[-1] == (366, 48)
    bins = sum(len(report["models"][name]["once_scoring"]["reliability"]) for name in LEARNED)
    dots = list(calibration.iter(f"{svg}circle"))
    assert len(dots) == bins
    assert all(52 <= float(dot.attrib["cx"]) <= 366 and 48 <= float(dot.attrib["cy"]) <= 256 for dot in dots)


def test_the_guide_can_be_typed(tmp_path, history):
    few = sorted({json.loads(line)["account_id"] for line in (history / "events.jsonl").open()})[:25]
    (tmp_path / "history").mkdir()
    (tmp_path / "history" / "livelift.toml").write_text((history / "livelift.toml").read_text())
    lines = [line for line in (history / "events.jsonl").open() if json.loads(line)["account_id"] in few]
    (tmp_path / "history" / "events.jsonl").write_text("".join(lines))
    found = blocks("sh", file=ROOT / "docs" / "guides" / "backtest.md")
    assert found
    printed = "".join(run_shell(block, tmp_path, {"PYTHONPATH": str(ROOT)}) for block in found)
    assert "Backtest of history" in printed and "visits alone" in printed
    assert {path.name for path in (tmp_path / "report").iterdir()} == FILES
    assert json.loads((tmp_path / "report.json").read_text())["judged"]["from"] >= "2026-05-01"


# -- what cannot be done ---------------------------------------------------------------------------------------------


def test_every_kind_of_model_can_be_named():
    assert [kind.value for kind in Kind] == list(KINDS)
    assert not {one.kind for one in BASELINES} & set(KINDS)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--model", "oracle"], "'oracle' is not one of"),
        (["--challenger", "index"], "'index' is not one of"),
        (["--from", "yesterday"], "Invalid value for '--from'"),
        (["--replicates", "0"], "Invalid value for '--replicates'"),
    ],
    ids=" ".join,
)  # fmt: skip
def test_wrong_usage_ends_with_2(tmp_path, arguments, said):
    ended = livelift("backtest", tmp_path, *arguments)
    assert ended.returncode == 2 and said in ended.stderr and "Traceback" not in ended.stderr


def test_too_short_a_history_is_told_what_to_do(tmp_path):
    folder = write_leaving(tmp_path / "short", accounts=3, days=50)
    assert complaint(livelift("backtest", folder, "--json")) == (
        "livelift: no label is known: a snapshot at the end of a week gets its label 56 days later. Record for longer, "
        "or set a shorter horizon_days under [label] in livelift.toml; only paying customers can churn"
    )


def nothing_to_judge(folder):
    with pytest.raises(NothingToJudge) as found:
        Judgement(replayed(folder)[0])
    return str(found.value)


def test_a_history_in_which_nobody_leaves_is_told_what_to_do(tmp_path):
    folder = write_leaving(tmp_path / "loyal", accounts=3, days=120, settings=SETTINGS)
    lines = [line for line in (folder / "events.jsonl").open() if json.loads(line)["type"] != "churned"]
    (folder / "events.jsonl").write_text("".join(lines))
    said = nothing_to_judge(folder)
    assert "labels none is the event (churn): `churned` events tell of it. Record what tells of it" in said


def test_a_history_that_ends_with_its_first_labels_is_told_what_to_do(tmp_path):
    folder = write_leaving(tmp_path / "brief", accounts=3, days=100)
    assert nothing_to_judge(folder) == (
        "4 labels with the event and 6 without are known, but no snapshot was made after 10 of each and has its label: "
        "record for longer"
    )


def test_chosen_inputs_are_what_the_model_reads_and_nothing_else(tmp_path):
    """Baselines are told whatever the model reads; a history too small for intervals says so."""
    inputs = '[health]\ninputs = ["breadth", "age"]\n'
    folder = write_leaving(tmp_path / "few", accounts=60, days=180, settings=SETTINGS + inputs)
    backtest, totals = replayed(folder)
    report = Judgement(backtest, None, totals, 20).report()
    assert report["models"].keys() == {"logistic", "index", "visits"}
    latest = backtest.champion.contender.latest
    assert latest is not None and latest.inputs == ("breadth", "age")
    assert latest.state["inputs"].keys() == {"breadth", "age"}
    markdown = page({"recording": "few", "simulated": True, **report})
    assert "No interval: an interval needs 30 accounts with the event" in markdown


def test_a_folder_that_cannot_be_written_to_is_known_before_the_replay(tmp_path, history):
    (tmp_path / "taken").write_text("a file")
    assert f"{tmp_path / 'taken'}: File exists" in complaint(livelift("backtest", history, "--out", tmp_path / "taken"))


def test_interrupted_it_ends_at_once_and_writes_nothing(tmp_path, history):
    out = tmp_path / "report"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    running = subprocess.Popen([*LIVELIFT, "backtest", history, "--out", out], env=environment,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)  # fmt: skip
    deadline = time.monotonic() + DEADLINE_S
    while not out.exists() and time.monotonic() < deadline:
        assert running.poll() is None, running.stderr.read()
        time.sleep(0.02)
    running.send_signal(signal.SIGINT)
    printed, complained = running.communicate(timeout=DEADLINE_S)
    assert (running.returncode, printed, complained) == (130, "", "")
    assert list(out.iterdir()) == []

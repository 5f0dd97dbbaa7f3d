"""`livelift report`: every number of its prose is one of its JSON, truth is stated as it is, and where nobody drew lots
no cause is claimed."""

import csv
import json
import os
import re
import subprocess
import sys
from dataclasses import asdict
from xml.etree import ElementTree

import msgspec
import pytest

from livelift.recording import open_recording
from livelift.recording.write import write_exercise
from livelift.replay import replay
from livelift.report.draw import TEXT_WIDTH_MM
from livelift.report.figures import figure_of
from livelift.report.page import page
from livelift.report.plan import assume
from livelift.report.run import run
from livelift.report.write import drawings, html
from livelift.surroundings import product_of
from models.product import Product
from models.simulation import simulate
from tests.support import oulad
from tests.support.ended import complaint
from tests.support.readme import ROOT, blocks, run_shell
from tests.support.shared_data import needs

pytestmark = pytest.mark.shell
CUSTOMERS = 400
POINT_MM, LEAST_POINTS = 0.352778, 7
NUMBER = re.compile(r"\d+(?:,\d{3})*(?:\.\d+)?(?:e[+-]?\d+)?")
CAUSAL = re.compile(
    r"\b(?:caus\w*|effects?|impact\w*|(?:leads?|led) to|due to|thanks to|results? in|raise[sd]?|raising|lower(?:s|ed)|"
    r"increas\w*|reduc\w*|improv\w*|boost\w*|driv(?:es?|en|ing)|works?|worked|makes? (?:people|customers))\b",
    re.IGNORECASE,
)


def livelift(*arguments, folder):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200"}
    return subprocess.run([sys.executable, "-m", "livelift", *map(str, arguments)], env=environment, cwd=folder,
                          capture_output=True, text=True, check=False, timeout=200)  # fmt: skip


def exercise(folder, customers=CUSTOMERS, seed=3, **options):
    write_exercise(simulate(customers=customers, seed=seed, **options), folder)
    return folder


def answered(folder):
    """The report's JSON, as a program reads it."""
    recording = open_recording(folder, assume=assume)
    product = product_of(recording.config) if recording.config else Product()
    return json.loads(msgspec.json.encode(run(recording, product)))


@pytest.fixture(scope="module")
def trial(tmp_path_factory):
    return exercise(tmp_path_factory.mktemp("report") / "trial")


@pytest.fixture(scope="module")
def printed(trial):
    """The command, once, in the folder beside the recording."""
    ended = livelift("report", "trial", "--out", "made/report", "--json", folder=trial.parent)
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


@pytest.fixture(scope="module")
def out(trial, printed):
    return trial.parent / "made" / "report"


@pytest.fixture(scope="module")
def learners(tmp_path_factory):
    """Every fourth learner of each presentation."""
    folder = tmp_path_factory.mktemp("learners") / "courses"
    users = oulad.learners()
    kept = [(one.presentation, one.student) for one in users.iloc[::4].itertuples()]
    oulad.write_oulad(folder, kept)
    return answered(folder), oulad.reference(kept)


# -- numbers -----------------------------------------------------------------------------------------------------------


DRAWN = {"figure", "curves", "by_day"}
"""Parts of the JSON that figures are drawn from, and no sentence is made of."""


def leaves(value):
    if isinstance(value, dict):
        for key, inner in value.items():
            if key not in DRAWN:
                yield from leaves(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from leaves(inner)
    else:
        yield value


def written(value):
    """Every way in which the page writes a number."""
    return {str(value), f"{value:,}", f"{value:.3g}", f"{value:.2g}", f"{100 * value:.3g}"}


def numbers_of(report):
    """Everything that may stand in the prose: the numbers of the JSON, and those within its texts."""
    found = set()
    for leaf in leaves(report):
        if isinstance(leaf, str):
            found |= set(NUMBER.findall(leaf))
        elif isinstance(leaf, int | float) and not isinstance(leaf, bool):
            found |= {text.lstrip("-") for text in written(leaf)}
    return found


def invented(markdown, report):
    """Numbers of the prose that are not of the JSON."""
    text = re.sub(r"\]\([\w-]+\.svg\)", "", markdown)
    return sorted(set(NUMBER.findall(text)) - numbers_of(report))


def otherwise(value, counter):
    """The same report with every number, also within texts, another one: what is not read from it cannot follow."""
    if isinstance(value, dict):
        return {key: otherwise(inner, counter) for key, inner in value.items()}
    if isinstance(value, list):
        return [otherwise(inner, counter) for inner in value]
    if isinstance(value, str):
        return re.sub(r"\d+", lambda found: f"{found[0]}{next(counter)}", value)
    if isinstance(value, bool) or value is None:
        return value
    return value + 10_000 + next(counter) if isinstance(value, int) else value * (1 + next(counter) / 10_007) + 0.1


def test_every_number_in_the_prose_is_one_of_the_json(printed, out):
    markdown = (out / "report.md").read_text()
    assert len(NUMBER.findall(markdown)) > 300
    assert invented(markdown, printed) == []


@needs("oulad_subset")
def test_so_is_every_number_about_real_learners(learners):
    courses, _ = learners
    assert invented(page(courses, list(drawings(courses))), courses) == []
    assert_follows(courses)


def test_the_prose_follows_when_every_number_of_the_json_is_another(printed):
    assert_follows(printed)


def assert_follows(report):
    figures = ["dose", "landmark", "success"]
    for start in (1_000, 20_011, 300_007):
        changed = otherwise(report, iter(range(start, 10**6)))
        assert invented(page(changed, figures), changed) == []
        assert len(invented(page(report, figures), changed)) > 50, "the numbers are others indeed"


def test_a_number_that_is_not_in_the_json_is_seen(printed):
    changed = otherwise(printed, iter(range(1_000, 10**6)))
    assert invented(page(changed) + "\nand 3 of them, 12.34 %, since 2024", changed) == ["12.34", "2024", "3"]


def test_json_is_the_same_printed_and_written(printed, out):
    assert json.loads((out / "report.json").read_text()) == printed


# -- the simulated exercise --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("seed", "options"), [(1, {}), (2, {"effect": 0.0}), (5, {"effect": 0.5})])
def test_the_stated_truth_is_the_simulations(tmp_path, seed, options):
    made = simulate(customers=250, seed=seed, **options)
    write_exercise(made, tmp_path / "trial")
    report = answered(tmp_path / "trial")
    truth = report["truth"]
    for whose, known in (("population", made.population), ("sample", made.sample)):
        assert truth[whose] == json.loads(json.dumps(asdict(known)))
    said = page(report).partition("## Known truth")[2]
    for name in ("first_stage", "itt", "complier_effect"):
        for known in (made.population, made.sample):
            assert f"{100 * getattr(known, name):+.3g} points" in said
        row = truth["beside"][name]
        assert row["inside"] == (row["ci"][0] <= getattr(made.population, name) <= row["ci"][1])
    assert truth["beside"]["itt"]["estimate"] == report["offer"]["metrics"]["converted"]["itt"]["estimate"]


def test_no_truth_is_stated_where_none_is_known(tmp_path, trial):
    folder = copied(trial, tmp_path / "trial")
    (folder / "truth.json").write_text('{"simulated": true, "population": {"itt": 1}}')
    report = answered(folder)
    assert report["truth"] is None and "Known truth" not in page(report)
    assert report["simulated"] and "SIMULATED DATA" in page(report)


def test_what_goes_together_is_what_the_snapshot_says(trial, printed):
    """With one customer an account, trial and window are the same: another way to the same figures."""
    recording = open_recording(trial)
    snapshot = replay(recording, product_of(recording.config))["experiment:getting-started-widget"]
    theirs = [(row["completions"], row["units"], row["mean"], row["step"], row["step_ci"]) for row in snapshot["dose"]]
    ours = [(row["completions"], row["units"], row["rate"], row["step"], row["step_ci"])
            for row in printed["completing"]["dose"]]  # fmt: skip
    assert ours == theirs and len(ours) == 4
    trend = printed["completing"]["trend"]
    assert [trend[name] for name in ("slope", "se", "p")] == [snapshot["dose_trend"][n] for n in ("slope", "se", "p")]
    landmarks = [(at["day"], row["completions"], row["units"], row["successes"])
                 for at in printed["completing"]["landmark"] for row in at["rows"]]  # fmt: skip
    assert landmarks == [tuple(row[name] for name in ("day", "completions", "units", "converted"))
                         for row in snapshot["landmark"]]  # fmt: skip
    help_, theirs = printed["help"]["outcomes"]["converted"], snapshot["help"]
    assert {s: help_[s]["rate"] for s in ("CS", "OTHER")} == {s: theirs[s]["mean"] for s in ("CS", "OTHER")}
    assert help_["difference"]["ci"] == theirs["difference"]["ci"]
    experience = [(int(row["group"]), row["units"], row["successes"])
                  for row in printed["succeeding"]["by_experience"]["groups"]]  # fmt: skip
    assert experience == [(row["experience"], row["begun"], row["completed"])
                          for row in snapshot["success"]["by_experience"]]  # fmt: skip


def test_the_tables_counted_again(trial, printed):
    """Completions and sources from the files themselves."""
    done = {(row["customer_id"], row["task"]): row["at"] for row in rows(trial, "product_activity.csv") if row["at"]}
    first = {}
    for row in sorted(rows(trial, "help_activity.csv"), key=lambda row: row["at"]):
        if row["needed_at"]:
            first.setdefault(row["customer_id"], row)
    found = printed["help"]["outcomes"]["task"]
    for source in ("CS", "OTHER"):
        mine = [row for row in first.values() if row["help"] == source]
        came = [(row["customer_id"], row["task"]) in done for row in mine]
        # Trouble may be seen by other signs before help was needed, so that help from curiosity counts first.
        assert abs(found[source]["units"] - len(mine)) <= 0.02 * len(first)
        assert found[source]["rate"] == pytest.approx(sum(came) / len(mine), abs=0.02)


def test_the_test_is_read_as_ended(printed):
    offer = printed["offer"]
    assert offer["sample_ratio"]["p_final"] is not None
    engagement = offer["engagement"]
    rates = [engagement["arms"][arm]["rate"] for arm in ("control", "test")]
    assert engagement["estimate"] == pytest.approx(rates[1] - rates[0], abs=1e-9)
    assert engagement["ci"] == pytest.approx(engagement["exact"]["ci"], abs=0.02)
    assert printed["verdict"]["verdict"] in ("keep_running", "double_down", "pivot")


# -- without a plan, without columns -----------------------------------------------------------------------------------


def copied(trial, folder, without=()):
    (folder / "plans").mkdir(parents=True)
    for path in trial.rglob("*"):
        name = str(path.relative_to(trial))
        if path.is_file() and not name.startswith(tuple(without)):
            (folder / name).write_bytes(path.read_bytes())
    return folder


def rows(folder, name):
    with (folder / name).open(newline="") as file:
        return list(csv.DictReader(file))


def rewrite(folder, name, change):
    every = [change(row) for row in rows(folder, name)]
    with (folder / name).open("w", newline="") as file:
        writer = csv.DictWriter(file, list(every[0]))
        writer.writeheader()
        writer.writerows(every)


def test_without_a_plan_that_of_the_exercise_is_assumed_and_said_to_be(tmp_path, trial, printed):
    report = answered(copied(trial, tmp_path / "trial", without=["plans", "truth.json", "livelift.toml"]))
    assert report["plan_assumed"] and not printed["plan_assumed"]
    assert "The recording has no plan." in page(report) and "(assumed)" in page(report)
    ours, theirs = (one["offer"]["metrics"]["converted"]["itt"] for one in (report, printed))
    assert (ours["estimate"], ours["ci"]) == (theirs["estimate"], theirs["ci"])
    assert report["offer"]["shares"] == {"control": 0.7, "test": 0.3} and report["offer"]["analysis"] == "fixed"
    assert not report["simulated"] and report["truth"] is None


def test_arms_in_other_shares_than_assumed_are_not_to_be_trusted(tmp_path):
    folder = exercise(tmp_path / "even", share_test=0.5)
    for path in (folder / "plans").iterdir():
        path.unlink()
    report = answered(folder)
    assert report["verdict"]["verdict"] == "unhealthy"
    assert "Do not trust yet" in page(report) and "stop here" in page(report)


def test_the_columns_of_the_published_tables_are_enough(tmp_path, trial):
    """Completion times and choices of help only: what needs more says that it cannot be answered, and why."""
    folder = copied(trial, tmp_path / "bare", without=["plans", "truth.json", "livelift.toml"])
    rewrite(folder, "test_cohorts.csv", lambda row: {k: row[k] for k in ("customer_id", "cohort", "joined_at")})
    rewrite(folder, "help_activity.csv", lambda row: {k: row[k] for k in ("customer_id", "at", "help")})
    done = [row for row in rows(folder, "product_activity.csv") if row["at"]]
    with (folder / "product_activity.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, ["customer_id", "task", "at"], extrasaction="ignore")
        writer.writeheader()
        writer.writerows(done)
    report = answered(folder)
    assert all(report[key]["answered"] for key in ("help", "completing", "succeeding", "offer", "verdict"))
    since = report["succeeding"]["by_since"]
    assert not since["answered"] and "when a task was begun" in since["because"]
    assert report["succeeding"]["by_step"]["answered"] and report["succeeding"]["by_joining"]["answered"]
    assert invented(page(report), report) == []


def test_assignments_that_no_plan_reads(tmp_path, trial):
    def line(n, kind, **properties):
        return json.dumps({"topic": "product-events", "id": f"{kind}{n}", "type": kind,
                           "at": f"2026-05-05T00:00:{n:02}Z", "account_id": f"a{n}", "user_id": f"u{n}",
                           "properties": properties})  # fmt: skip

    lines = [line(n, "trial_started") for n in range(20)]
    lines += [line(n, "experiment_assigned", experiment="new", arm="ab"[n % 2]) for n in range(20)]
    tmp_path.joinpath("events.jsonl").write_text("\n".join(lines))
    report = answered(tmp_path)
    assert "no plan says which arm of new is the control" in report["offer"]["because"]
    for key in ("help", "completing", "offer"):
        assert f"Cannot be answered, because {report[key]['because']}" in page(report)
    (tmp_path / "plans").mkdir()
    other = (trial / "plans" / "getting-started-widget.toml").read_text()
    (tmp_path / "plans" / "other.toml").write_text(other)
    assert "the plans are not about new" in answered(tmp_path)["offer"]["because"]


@pytest.mark.parametrize("customers", [1, 12, 60])
def test_too_few_customers_are_said_to_be_too_few(tmp_path, customers):
    report = answered(exercise(tmp_path / "few", customers=customers))
    markdown = page(report, list(drawings(report)))
    assert invented(markdown, report) == []
    if customers < 20:
        assert "Not known, because" in markdown and report["verdict"]["verdict"] == "keep_running"
    assert "None" not in markdown and "nan" not in markdown


METRICS = """
[[metric]]
name = "time_to:1"
[[metric]]
name = "task_completed:3"
[[metric]]
name = "outcome:clicks"
[[metric]]
name = "tickets"
role = "guardrail"
margin = 0.5
higher_is_better = false
"""


def test_a_plan_with_other_outcomes_is_read_as_it_says(tmp_path, trial):
    folder = copied(trial, tmp_path / "trial", without=["plans"])
    plan = (trial / "plans" / "getting-started-widget.toml").read_text()
    fixed = 'analysis = "fixed"\nanalyse_at = 2026-06-05T00:00:00Z'
    (folder / "plans" / "one.toml").write_text(plan.replace('analysis = "sequential"', fixed) + METRICS)
    (folder / "livelift.toml").write_text(
        (trial / "livelift.toml").read_text() + '[[journey]]\nid = "later"\ntasks = ["9"]\norder = "any"\n'
    )
    report = answered(folder)
    markdown = page(report)
    assert report["verdict"]["analysis"] == "fixed" and "read_once" not in report["verdict"]
    assert set(report["offer"]["metrics"]) > {"time_to:1", "task_completed:3", "outcome:clicks", "tickets"}
    assert "more than is read here: later" in markdown and invented(markdown, report) == []
    assert report["offer"]["metrics"]["task_completed:3"]["is_share"]
    assert not report["offer"]["metrics"]["time_to:1"]["is_share"]


# -- where nobody drew lots --------------------------------------------------------------------------------------------


@needs("oulad_subset")
def test_on_real_learners_no_cause_is_claimed(learners):
    report, counted = learners
    assert not report["randomised"] and not report["offer"]["answered"] and not report["verdict"]["answered"]
    assert "nobody in this recording was assigned to an arm at random" in report["offer"]["because"]
    markdown = page(report, list(drawings(report)))
    assert CAUSAL.findall(markdown) == []
    assert "Nobody drew lots" in markdown and "Associated with" in markdown
    doses = [(row["completions"], row["units"], row["successes"]) for row in report["completing"]["dose"]]
    theirs = [(row["completions"], row["users"], row["converted"]) for row in counted["dose"]]
    # One of all learners handed in after the end: before conversion it is one task less.
    assert sum(abs(ours[1] - other[1]) for ours, other in zip(doses, theirs, strict=True)) <= 2
    assert sum(row[2] for row in doses) == sum(row[2] for row in theirs)


def test_words_of_cause_are_found_where_lots_were_drawn(printed):
    """The check of the test above can fail: on what was decided at random such words stand, and only there."""
    before, _, test = page(printed).partition("## 4.")
    assert len(CAUSAL.findall(test)) > 5
    observed = before.partition("## 2.")[2]
    assert CAUSAL.findall(observed) == []


# -- figures -----------------------------------------------------------------------------------------------------------

SVG = "{http://www.w3.org/2000/svg}"
GREY = re.compile(r"none|white|black|transparent|#([0-9a-f]{1,2})\1\1|rgb\((\d+), ?\2, ?\2\)")


def test_figures_are_legible_on_a4_and_need_no_colour(out, printed):
    drawn = sorted(out.glob("*.svg"))
    assert {"help-outcomes", "help-speed", "dose", "landmark", "success", "effects", "by-day"} <= {
        p.stem for p in drawn
    }
    for path in drawn:
        tree = ElementTree.parse(path).getroot()
        width = float(tree.get("width").removesuffix("mm"))
        assert 70 <= width <= TEXT_WIDTH_MM + 0.1, path.stem
        scale = width / float(tree.get("viewBox").split()[2])
        texts = [one for one in tree.iter(f"{SVG}text") if one.text]
        assert texts, path.stem
        for text in texts:
            size = float(text.get("font-size").removesuffix("px")) * scale / POINT_MM
            assert size >= LEAST_POINTS, (path.stem, text.text, size)
            assert "Liberation Sans" in text.get("font-family")
        for part in tree.iter():
            for paint in (part.get("fill"), part.get("stroke")):
                assert paint is None or GREY.fullmatch(paint.lower()), (path.stem, paint)


def test_each_figure_is_inside_the_page_with_its_caption_and_in_words(out, printed):
    text = (out / "report.html").read_text()
    names = [path.stem for path in out.glob("*.svg")]
    assert text.count("<figure") == text.count("<figcaption>") == text.count('role="img"') == len(names)
    assert "<img" not in text and "http://" not in re.sub(r'xmlns(:\w+)?="[^"]*"', "", text)
    for name in names:
        figure = figure_of(name, printed)
        assert f'aria-label="{figure.alt}"' in text and figure.caption in text.replace("&quot;", '"')
    ids = re.findall(r'\bid="([^"]+)"', text)
    assert len(ids) == len(set(ids))
    assert "@page{size:A4" in text and "break-before:page" in text


def test_a_recordings_name_is_text(printed):
    text = html(page({**printed, "recording": "<script>alert()</script>"}), "<b>", {})
    assert "<script>" not in text and "<b>" not in text


# -- the command -------------------------------------------------------------------------------------------------------


def test_by_default_it_writes_beside_and_not_into_the_recording(tmp_path):
    folder = exercise(tmp_path / "data" / "trial", customers=40)
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    ended = livelift("report", folder, folder=tmp_path)
    assert ended.returncode == 0 and ended.stderr == ""
    assert {"report.html", "report.md", "report.json"} <= {path.name for path in (tmp_path / "report").iterdir()}
    assert "The recommendation" in ended.stdout and "report: report.html" in ended.stdout.splitlines()[-1]
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_what_cannot_be_read_or_written_is_one_line(tmp_path, trial):
    (tmp_path / "taken").write_text("a file")
    for arguments, said in (((trial, "--out", "taken"), "taken: File exists"), (("nothing",), "nothing")):
        assert said in complaint(livelift("report", *arguments, folder=tmp_path))


def test_the_commands_of_the_guide_run(tmp_path):
    found = blocks("sh", file=ROOT / "docs" / "guides" / "report.md")
    assert found
    for block in found:
        run_shell(block, tmp_path, {"PYTHONPATH": str(ROOT)})
    assert list(tmp_path.rglob("report.html"))

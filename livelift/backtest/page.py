"""A backtest's report for people: Markdown, which the terminal shows as well, and the same as one HTML file."""

from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

from markdown_it import MarkdownIt

from livelift.backtest.figures import CALIBRATION, LIFT
from models.health.evaluation import RANKED

Report = dict[str, Any]
SAID = {
    "churn": "churn within {} days",
    "conversion": "conversion within {} days",
    "inactivity": "no visit for {} days",
}
PROBABILITIES = {
    "log_loss": "log-loss",
    "brier": "Brier",
    "brier_skill": "Brier skill",
    "observed_over_expected": "observed / expected",
    "intercept": "intercept",
    "slope": "slope",
}
FIGURES = {LIFT: "Lift curve", CALIBRATION: "Calibration"}
NAMES = {"index": "activity index", "visits": "visits alone"}
SIMULATED = "**SIMULATED DATA: these accounts are made up.**"
WHOLE = """## How looking ahead would have flattered

From here on nothing is available in reality. Order accounts by their usage, and count

- what was known at the snapshot (the last 400 days): AUC {until};
- **the same with each account's whole history (look-ahead): AUC {auc}**.
  What came of an account is part of that sum: it {look_ahead}.
"""


def page(report: Report, pictures: bool = True) -> str:
    """The report in Markdown. pictures: with its figures, which lie beside it."""
    parts = [
        f"# Backtest of {report['recording']}",
        *([SIMULATED] if report["simulated"] else []),
        introduction(report),
        "## Who ranks best",
        ranking(report),
        *([picture(LIFT)] if pictures else []),
        "## Are the probabilities true",
        probabilities(report),
        *([picture(CALIBRATION)] if pictures else []),
        f"## {report['champion']} minus each of the others",
        differences(report),
        "## How much of it is visits",
        visits(report),
    ]
    if report["whole_history"] is not None:
        parts.append(whole_history(report["whole_history"]))
    return "\n\n".join(part.strip() for part in parts) + "\n"


def html(markdown: str, title: str, drawn: Mapping[str, str]) -> str:
    """The page as one file that can be sent around: its figures are inside."""
    body = MarkdownIt("js-default").render(markdown)
    for name, picture_ in drawn.items():
        body = body.replace(f'<img src="{name}" alt="{FIGURES[name]}">', picture_)
    return (
        f'<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<title>{escape(title)}</title>\n'
        "<style>body{font:15px/1.5 sans-serif;max-width:70em;margin:2em auto;padding:0 1em}"
        "table{border-collapse:collapse}td,th{padding:.2em .8em;border-bottom:1px solid #ddd;text-align:left}"
        "svg{max-width:100%;height:auto}</style>\n"
        f"{body}</html>\n"
    )


def introduction(report: Report) -> str:
    label, judged, labels = report["label"], report["judged"], report["labels"]
    what = SAID[label["kind"]].format(label["horizon_days"])
    return "\n\n".join((
        f"The event is {what}. Each model predicted each snapshot with what had been learned before it; then its label "
        "came, and only then was it learned. Intervals are 95 %, by drawing accounts again "
        f"({report['replicates']:,} times).",
        f"- Labels: {labels['with_event']:,} with the event and {labels['without']:,} without.\n"
        f"- Judged: {judged['rows']:,} snapshots of {judged['accounts']:,} accounts from {judged['from']} to "
        f"{judged['to']}, {judged['with_event']:,} of them with the event ({judged['accounts_with_event']:,} "
        "accounts).\n"
        f"- {judged['unscored']:,} of these came within {label['unscored_days']} days of the snapshot: they count in "
        "probabilities, not in AUC and lift.\n"
        f"- {judged['contacted']:,} snapshots are of accounts that customer success was in contact with, "
        f"{judged['contacted_with_event']:,} with the event.\n"
        + "\n".join(since(name, model) for name, model in report["models"].items() if model["role"] != "baseline"),
    ))  # fmt: skip


def since(name: str, model: Report) -> str:
    """From when people would have seen the model's scores."""
    day = model["scores_since"]
    if day is None:
        return f"- {name} would never have scored: {model['no_score_because']}."
    return f"- {name} would have scored from {day}; before, the score would have been the activity index."


def ranking(report: Report) -> str:
    rows = []
    for name, model in report["models"].items():
        alone = model["without_contacted"]
        figures = [figure(one[key]) for one in (model, alone) for key in RANKED]
        rows.append([NAMES.get(name, name), model["role"], *figures, "yes" if model["has_skill"] else "not yet"])
    heads = ("", "", "AUC", "top-decile lift", "AUC, not contacted", "lift, not contacted", "skill")
    return f"{table(heads, rows)}\n\n{because(model for model in report['models'].values())}"


def because(models: Iterable[Report]) -> str:
    """Why a figure has no interval, each reason once."""
    found = {one[key]["because"] for model in models for one in (model, model["without_contacted"]) for key in RANKED
             if "because" in one[key]}  # fmt: skip
    return "\n".join(f"- No interval: {reason}." for reason in sorted(found))


def probabilities(report: Report) -> str:
    rows = []
    for name, model in report["models"].items():
        if model["role"] != "baseline":
            rows.append([name, "all", *calibrated(model)])
            if model["once_scoring"] is not None:
                rows.append([name, f"from {model['scores_since']}", *calibrated(model["once_scoring"])])
    heads = ("", "snapshots", *PROBABILITIES.values(), "ECE", "ECE if calibrated")
    without = [NAMES[name] for name, model in report["models"].items() if model["role"] == "baseline"]
    reason = next((model["because"] for model in report["models"].values() if model["role"] == "baseline"), "")
    note = f" Not for {' and '.join(without)}: {reason}." if without else ""
    return (
        f"{table(heads, rows)}\n\nOf a true probability: observed / expected 1, intercept 0, slope 1, and an expected "
        "calibration error (ECE) as small as by chance. Before a model would have scored it is hardly calibrated."
        f"{note}"
    )


def calibrated(model: Report) -> list[str]:
    """The figures of a model's probabilities, as they stand in a row."""
    error = model["calibration_error"]
    chance = error["if_calibrated"]
    by_chance = f"{plain(chance['mean'])}, up to {plain(chance['q95'])}"
    return [*(figure(model[key]) for key in PROBABILITIES), plain(error["estimate"]), by_chance]


def differences(report: Report) -> str:
    keys = ("auc", "lift", "log_loss", "brier")
    rows = [
        [NAMES.get(name, name), *(figure(found[key], "+") if key in found else "" for key in keys)]
        for name, found in report["champion_minus"].items()
    ]
    note = "On the same rows, under the same draws. AUC and lift: above 0 is better; log-loss and Brier: below 0 is."
    return f"{table(('', 'AUC', 'lift', 'log-loss', 'Brier'), rows)}\n\n{note}"


def visits(report: Report) -> str:
    found = report["like_visits"]
    if not found:
        return "Not known: `active_days` is not among the inputs of livelift.toml."
    rows = []
    for name, one in found.items():
        half = "" if one["middle_half"] is None else f"{plain(one['middle_half'][0])} to {plain(one['middle_half'][1])}"
        above = one["share_above"]["accounts"]
        rows.append([
            NAMES.get(name, name), f"{one['accounts']:,}", plain(one["median"]), half,
            "-" if above is None else f"{above:.0%}", plain(one["pooled"]),
        ])  # fmt: skip
    heads = ("", "accounts", "median", "middle half", "above .9", "over all rows")
    note = (
        "Correlation of each account's score with its days of visits in the last four weeks, over its snapshots. "
        "Near 1 the two graphs are nearly indistinguishable, and the score says what visits say."
    )
    return f"{table(heads, rows)}\n\n{note}"


def whole_history(found: Report) -> str:
    until = figure(found["until_snapshot"])
    return WHOLE.format(until=until, auc=figure(found["auc"]), look_ahead=found["look_ahead"])


def picture(name: str) -> str:
    return f"![{FIGURES[name]}]({name})"


def figure(found: Report, sign: str = "") -> str:
    """An estimate with its interval."""
    if found["estimate"] is None:
        return "-"
    estimate = format(found["estimate"], f"{sign}.3g")
    if found["ci"] is None:
        return estimate
    low, high = (plain(end, sign) for end in found["ci"])
    return f"{estimate} ({low} to {high})"


def plain(value: float | None, sign: str = "") -> str:
    return "-" if value is None else format(value, f"{sign}.3g")


def table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    heads = list(heads)
    lines = [heads, ["---"] * len(heads), *(list(row) for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)

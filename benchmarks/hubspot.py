"""`make validate`: how good a health score is on real accounts, point in time, and what knowing too early would add.

The freemium accounts of ../shared/data/hubspot_freemium are replayed through the core as `livelift backtest` does, with
the reports known when they are dated and when the week that they count is over. Exit code 1 when the score falls short
of what it promises on the former, which is how the published comparison was made.
"""

import argparse
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import msgspec

from benchmarks.report import facts, now, write_section
from livelift.backtest.run import run, usage_totals
from livelift.recording import open_recording
from livelift.surroundings import product_of
from models.health.judgement import Judgement
from tests.support.hubspot import FIRST_JUDGED, KNOWN, Known, write_hubspot

DOCS = Path("docs/health.md")
BEGIN, END = "<!-- begin: python -m benchmarks.hubspot -->", "<!-- end: python -m benchmarks.hubspot -->"
HEAD = "# How good the health score is on real accounts\n\n"
REPLICATES = 1_000
WAYS = {
    "dated": "as dated (a report counts from the Monday on which its week begins)",
    "honest": "honest (a report counts when its week is over)",
}


class Promise(NamedTuple):
    """What a figure has to be."""

    what: str
    kept: bool
    found: str


def judged(known: Known) -> dict[str, Any]:
    """The backtest's report on the snapshots of every second week of 2020 whose label is known."""
    with TemporaryDirectory() as folder:
        write_hubspot(Path(folder), known)
        recording = open_recording(Path(folder))
        assert recording.config is not None
        product = product_of(recording.config)
        found = run(recording, product)
        judgement = Judgement(found, FIRST_JUDGED[known], usage_totals(recording, product), REPLICATES, weeks=2)
    return dict(judgement.report())


def promises(report: dict[str, Any]) -> list[Promise]:
    """What the score promises for these accounts."""
    model, difference = report["models"]["logistic"], report["champion_minus"]["index"]["auc"]
    auc, lift, ratio, skill = (
        model[name]["estimate"] for name in ("auc", "lift", "observed_over_expected", "brier_skill")
    )
    return [
        Promise("AUC at least .945", auc >= 0.945, told(model["auc"])),
        Promise("top-decile lift at least 8.0", lift >= 8.0, told(model["lift"])),
        Promise("AUC above the activity index, lower bound above 0", difference["ci"][0] > 0, told(difference)),
        Promise("calibration intercept's interval holds 0", holds(model["intercept"], 0), told(model["intercept"])),
        Promise("calibration slope's interval holds 1", holds(model["slope"], 1), told(model["slope"])),
        Promise("observed over expected in [.8, 1.25]", 0.8 <= ratio <= 1.25, told(model["observed_over_expected"])),
        Promise("Brier skill above 0", skill > 0, told(model["brier_skill"])),
    ]


def holds(figure: dict[str, Any], value: float) -> bool:
    low, high = figure["ci"]
    return bool(low <= value <= high)


def told(figure: dict[str, Any]) -> str:
    """A figure with its interval."""
    low, high = figure["ci"]
    return f"{figure['estimate']:.4g} ({low:.3g} to {high:.3g})"


def lines(reports: dict[Known, dict[str, Any]]) -> list[str]:
    found = [f"Snapshots of every second week of 2020; intervals are 95 %, from {REPLICATES:,} draws of accounts.", ""]
    for known, report in reports.items():
        rows, whole = report["judged"], report["whole_history"]
        index = report["models"].get("index") or report["baselines"]["index"]
        found += [
            f"**{WAYS[known][0].upper()}{WAYS[known][1:]}**: {rows['rows']:,} snapshots from {rows['from']} to "
            f"{rows['to']}, {rows['with_event']} of them of accounts that became customers within "
            f"{report['label']['horizon_days']} days behind the snapshot's own.",
            "",
            "| | found | kept |",
            "|---|---|---|",
            *(f"| {one.what} | {one.found} | {'yes' if one.kept else '**no**'} |" for one in promises(report)),
            f"| AUC of the activity index | {told(index['auc'])} | |",
            f"| AUC of total use before the snapshot | {told(whole['until_snapshot'])} | |",
            f"| AUC of total use in the *whole* history (a leak) | {told(whole['auc'])} | |",
            "",
        ]
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print JSON for programs")
    parser.add_argument("--write", action="store_true", help=f"put the result into {DOCS}")
    given = parser.parse_args()
    reports: dict[Known, dict[str, Any]] = {}
    for known in KNOWN:
        print(f"replaying, {WAYS[known]}", file=sys.stderr, flush=True)
        reports[known] = judged(known)
    if given.json:
        print(msgspec.json.encode(reports).decode())
    else:
        text = [f"{now()}, {facts()}", "", *lines(reports)]
        print("\n".join(text))
        if given.write:
            write_section(DOCS, "\n".join(text), HEAD, BEGIN, END)
    sys.exit(not all(one.kept for one in promises(reports["dated"])))


if __name__ == "__main__":
    main()

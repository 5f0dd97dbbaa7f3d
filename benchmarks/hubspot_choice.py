"""`make validate`: could the default model's steps and inputs have been chosen before 2020, by what 2019 tells?

The freemium accounts of ../shared/data/hubspot_freemium until the end of 2019, dated reports: every setting predicts
each snapshot before its label is known, and is compared with the default on the same snapshots. The default is kept if
no other is known to predict better there: 95 % intervals of the difference in log-loss under the same draws of
accounts, corrected for the number of settings (Bonferroni). Exit code 1 if another is.
"""

import argparse
import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import msgspec
import numpy as np

from benchmarks.report import facts, now, write_section
from livelift.recording import open_recording
from livelift.replay import Replay
from livelift.surroundings import product_of
from models.health.contender import Contender, Predicted
from models.health.evaluation import probabilities, ranks
from models.health.example import Example
from models.health.intake import Intake
from models.health.measured import Measured
from models.health.predictions import Predictions
from models.health.replicates import draws
from models.health.track import Track
from models.messages import Output
from models.product import Product
from tests.support.hubspot import FIRST_JUDGED, write_hubspot

DOCS = Path("docs/health.md")
BEGIN, END = "<!-- begin: python -m benchmarks.hubspot_choice -->", "<!-- end: python -m benchmarks.hubspot_choice -->"
REPLICATES = 2_000
UNTIL = "2020-01-06"
"""Nothing that happened from this day on is read."""


class Setting(NamedTuple):
    """Parameters of the logistic regression that are not as by default; inputs: those read, none for all."""

    name: str
    parameters: dict[str, float]
    every_input: bool = False


SETTINGS = (
    Setting("default", {}),
    *(Setting(f"rate {rate:g}", {"rate": rate, "intercept_rate": rate}) for rate in (0.01, 0.1)),
    *(Setting(f"slowing {slowing:g}", {"slowing": slowing}) for slowing in (0, 1_000, 10_000)),
    *(Setting(f"memory {memory:,}", {"memory": memory}) for memory in (0, 1_000, 20_000)),
    *(Setting(f"penalty {penalty:g}", {"penalty": penalty}) for penalty in (0.001, 0.01)),
    *(Setting(f"balance {balance:g}", {"balance": balance}) for balance in (0.5, 1)),
    Setting("every input", {}, every_input=True),
)


class Gathered:
    """Stands where models would learn, and keeps the examples day by day."""

    def __init__(self) -> None:
        self._intake, self.days = Intake(), list[tuple[int, list[Example]]]()

    def take(self, message: bytes) -> None:
        self._intake.take(message, -1)

    def learn(self, partitions: int) -> list[Output]:
        self.days += self._intake.days(self._intake.whole_until(partitions))
        return []


def examples_of_2019() -> tuple[Product, list[tuple[int, list[Example]]]]:
    """Every example whose label was known before 2020, by the day on which it was."""
    with TemporaryDirectory() as folder:
        write_hubspot(Path(folder), "dated")
        events = Path(folder) / "events.jsonl"
        lines = [line for line in events.read_text().splitlines() if json.loads(line)["at"] < UNTIL]
        events.write_text("\n".join(lines) + "\n")
        recording = open_recording(Path(folder))
        assert recording.config is not None
        product = product_of(recording.config)
        gathered: Any = Gathered()
        Replay(product, {}, gathered, by_index=True).feed(recording.records(), recording.last_tick)
    return product, gathered.days


def said(setting: Setting, product: Product, days: list[tuple[int, list[Example]]]) -> Predictions:
    """What a setting predicted of the snapshots of every second week."""
    track = Track()

    def take(predicted: list[Predicted]) -> None:
        for example, version, eta in predicted:
            if (example.day - FIRST_JUDGED["dated"]) % 14 == 0:
                track.add(example, version.calibration.probability(eta))

    if setting.every_input:
        product = msgspec.structs.replace(product, health=msgspec.structs.replace(product.health, inputs=()))
    contender = Contender("logistic", product, told=take, parameters=setting.parameters)
    for day, examples in days:
        contender.learn_day(day, examples, ())
    return track.predictions()


def differences(default: Predictions, other: Predictions, level: float) -> dict[str, tuple[float, float, float]]:
    """The other's log-loss and AUC less the default's, with intervals at a level."""
    first, second = Measured(default), Measured(other)
    found: dict[str, list[np.ndarray]] = {"log_loss": [], "auc": []}
    for weights in (first.alone, *draws(first.accounts, len(default), REPLICATES)):
        found["log_loss"].append(second.means(weights)["log_loss"] - first.means(weights)["log_loss"])
        found["auc"].append(second.ranks(weights)["auc"] - first.ranks(weights)["auc"])
    edges = (1 - level) / 2, (1 + level) / 2
    return {
        name: (float(parts[0][0]), *map(float, np.quantile(np.concatenate(parts[1:]), edges)))
        for name, parts in found.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help=f"put the result into {DOCS}")
    given = parser.parse_args()
    print("replaying 2019", file=sys.stderr, flush=True)
    product, days = examples_of_2019()
    predicted = {}
    for setting in SETTINGS:
        print(f"learning: {setting.name}", file=sys.stderr, flush=True)
        predicted[setting.name] = said(setting, product, days)
    default = predicted["default"]
    level = 1 - 0.05 / (len(SETTINGS) - 1)
    rows, better = [], []
    for name, one in predicted.items():
        rank, loss = ranks(one, 20)["auc"].estimate, probabilities(one, 20)["log_loss"].estimate
        told = ""
        if name != "default":
            found = differences(default, one, level)
            better += [name] if found["log_loss"][2] < 0 else []
            told = " | ".join("{:+.5f} ({:+.5f} to {:+.5f})".format(*found[key]) for key in ("log_loss", "auc"))
        rows.append(f"| {name} | {loss:.5f} | {rank:.4f} | {told or ' | '} |")
    text = [
        f"{now()}, {facts()}",
        "",
        f"**Chosen on 2019 only.** {len(default):,} snapshots of every second week whose label was known before "
        f"{UNTIL}, {int(default.label.sum())} of them of accounts that became customers. One parameter moved at a "
        f"time; in brackets the {level:.1%} interval of the difference from the default.",
        "",
        "| setting | log-loss | AUC | log-loss less default's | AUC less default's |",
        "|---|---|---|---|---|",
        *rows,
        "",
        "Known to predict better than the default in 2019: " + (", ".join(better) or "none") + ".",
    ]
    print("\n".join(text))
    if given.write:
        write_section(DOCS, "\n".join(text), begin=BEGIN, end=END)
    sys.exit(bool(better))


if __name__ == "__main__":
    main()

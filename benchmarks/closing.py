"""`make bench`: closing a day over 100,000 accounts, in slices between which a worker is heard of.

One partition holds all accounts. The day is closed with the activity index, and with a model at the end of a week, when
every account's inputs become a snapshot, too. A slice is all that happens in a step: judging, sending what is new, and
what there is to store; not the sending itself. CPU time, because the machine is shared. Exit code 1 when a slice takes
longer than promised.
"""

import argparse
import gc
import sys
from pathlib import Path
from statistics import quantiles
from time import thread_time
from typing import NamedTuple

import msgspec

from benchmarks.report import facts, now, write_section
from livelift.replay import Replayed
from models.alignment import Alignment
from models.clock import DAY, HOUR, rfc3339
from models.events import HOME, SOURCES
from models.health.calibration import Calibration
from models.health.champion import ENOUGH, Version
from models.health.classifier import fresh
from models.health.known import Known
from models.health.records import packed, version_key
from models.partition import Partition
from models.product import Product
from models.record import RECORDING_END
from models.world import World
from streams.app import GC_THRESHOLDS

DOCS = Path("docs/bench.md")
BEGIN, END = "<!-- begin: make bench, closing -->", "<!-- end: make bench, closing -->"
ACCOUNTS, MOST_MS = 100_000, 20.0
SUNDAY = 20_457
"""2026-01-04, as a day since 1970."""


class Slices(NamedTuple):
    """CPU milliseconds of the slices of one day, and how many messages were sent."""

    ms: list[float]
    messages: int


class Closing:
    """A partition of many accounts, each with a user, a few days of use, a report and a price."""

    def __init__(self, accounts: int) -> None:
        self.rows: dict[bytes, bytes] = {}
        self.known = Known(Product())
        self.partition = Partition(0, World(Product()), self.rows.get, lambda _: 0, known=self.known)
        self._alignment: Alignment[None] = Alignment(self.partition)
        self._offsets = [0] * len(SOURCES)
        for first in range(0, accounts, 2_000):
            self._offer([one for number in range(first, min(first + 2_000, accounts)) for one in events(number)])
            self._steps()

    def close(self, day: int) -> Slices:
        """Close a day; the slices that it took."""
        self._offer([{"type": "tick", "at": rfc3339((day + 1) * DAY + 2 * HOUR)}])
        return self._steps()

    def _steps(self) -> Slices:
        ms, messages, steps = [], 0, self._alignment.steps()
        while True:
            began = thread_time()
            step = next(steps, None)
            ms.append(1_000 * (thread_time() - began))
            if step is None:
                return Slices(ms[:-1], messages)
            effects, _ = step
            messages += len(effects.outputs)
            effects.keep(self.rows)

    def _offer(self, given: list[dict[str, object]]) -> None:
        headers = [(RECORDING_END, str((SUNDAY + 99) * DAY).encode())]
        batches: list[list[Replayed]] = [[] for _ in SOURCES]
        for one in given:
            topics = range(len(SOURCES)) if one["type"] == "tick" else (HOME[str(one["type"])],)
            for topic in topics:
                value = msgspec.json.encode(one)
                batches[topic].append(Replayed(self._offsets[topic], b"key", value, 0, headers))
                self._offsets[topic] += 1
        for topic, records in enumerate(batches):
            if records:
                self._alignment.offer(topic, records, None)


def events(number: int) -> list[dict[str, object]]:
    """One account's history: a customer for four weeks."""
    account = f"account-{number:06}"

    def event(kind: str, day: int, user: str | None = None, **properties: object) -> dict[str, object]:
        at = rfc3339((SUNDAY - day) * DAY + (8 + number % 9) * HOUR)
        who = {"account_id": account} | ({"user_id": user} if user else {})
        return {"id": f"{account}-{kind}-{day}", "type": kind, "at": at, **who, "properties": properties}

    return [
        event("converted", 27, mrr=100 + number % 900),
        *(event("core_action", day, "ann", feature=f"f{(number + day) % 5}") for day in (20, 9, 2, number % 7)),
        event("usage_reported", 6, records=number % 400, exports=number % 7),
    ]


def version(day: int) -> Version:
    """A model of all the accounts' inputs: what it says does not matter here, only that it takes as long."""
    closing = Closing(200)
    model = fresh("logistic", {})
    for number, (_, account) in enumerate(closing.partition.ledger.sums.accounts.items()):
        model.learn(closing.partition.days.features(account, SUNDAY - 1), number % 10 == 0)
    calibration = Calibration(0.0, 1.0, ENOUGH, ENOUGH)
    return Version("logistic", day, model.state(), calibration, False, -2.0, ENOUGH, ENOUGH)


def lines(found: dict[str, Slices]) -> list[str]:
    table = [
        "| the day is closed with | slices | CPU ms a slice: median | 99 % | longest | CPU s in all | messages |",
        "|---|---|---|---|---|---|---|",
    ]
    for what, slices in found.items():
        cuts = quantiles(slices.ms, n=100)
        table.append(
            f"| {what} | {len(slices.ms):,} | {cuts[49]:.1f} | {cuts[98]:.1f} | {max(slices.ms):.1f} "
            f"| {sum(slices.ms) / 1000:.1f} | {slices.messages:,} |"
        )
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--accounts", type=int, default=ACCOUNTS)
    parser.add_argument("--write", action="store_true", help=f"put the result into {DOCS}")
    parser.add_argument("--no-fail", action="store_true")
    given = parser.parse_args()
    gc.set_threshold(*GC_THRESHOLDS)
    closing = Closing(given.accounts)
    closing.close(SUNDAY - 2)
    found = {"the activity index": closing.close(SUNDAY - 1)}
    closing.known.take(version_key("logistic", SUNDAY - 1), packed(version(SUNDAY - 1)))
    found["a model, and snapshots of all accounts"] = closing.close(SUNDAY)
    longest = max(max(slices.ms) for slices in found.values())
    kept = longest <= MOST_MS
    text = [
        f"## Closing a day over {given.accounts:,} accounts in one partition, {now()}",
        "",
        *lines(found),
        "",
        f"The longest slice took {longest:.1f} ms; promised are {MOST_MS:g}: {'kept' if kept else '**not kept**'}.",
        "",
        facts(),
    ]
    print("\n".join(text))
    if given.write:
        write_section(DOCS, "\n".join(text), begin=BEGIN, end=END)
    sys.exit(0 if kept or given.no_fail else 1)


if __name__ == "__main__":
    main()

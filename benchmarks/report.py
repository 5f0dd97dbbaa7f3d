"""What was measured, as a dated page with the facts of the machine beside it."""

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import NamedTuple

import confluent_kafka

from benchmarks.load import Size
from benchmarks.watch import Measured, Volume

LEAST_RATE = 25_000
LEAST_RATIO = 0.6
HEAD = """\
# Bench

Made by `make bench ARGS=--write`; everything between the markers is its output. The limit is a plain confluent-kafka
loop around the same core; it has to turn every message into a record in Python, which the worker's transport is
spared, so that the two can come out even.

"""
BEGIN, END = "<!-- begin: make bench -->", "<!-- end: make bench -->"


class Run(NamedTuple):
    """One contestant in one round."""

    measured: Measured
    rows: Volume
    outputs: Volume

    @property
    def rate(self) -> float:
        return self.measured.rate


class Round(NamedTuple):
    """Both contestants over the same log, and who went first."""

    number: int
    first: str
    limit: Run
    spine: Run

    @property
    def ratio(self) -> float:
        return self.spine.rate / self.limit.rate


def failures(rounds: list[Round], same: bool, workers: int) -> list[str]:
    """What the spine promises and did not keep, one sentence each."""
    rate, ratio = median(both.spine.rate for both in rounds), median(both.ratio for both in rounds)
    found = []
    if rate < LEAST_RATE * workers:
        found.append(f"{rate:,.0f} events/s are fewer than {LEAST_RATE * workers:,}")
    if ratio < LEAST_RATIO:
        found.append(f"{ratio:.2f} of the limit is less than {LEAST_RATIO}")
    if not same:
        found.append("the spine and the plain loop came to different sums")
    return found


def report(rounds: list[Round], size: Size, workers: int, events: int, sizes: tuple[int, int, int], same: bool) -> str:
    """The page in Markdown."""
    rates, ratios = [both.spine.rate for both in rounds], [both.ratio for both in rounds]
    lines = [
        f"### {now()}, {workers} worker{'s' if workers > 1 else ''}",
        "",
        f"{events:,} events of {sizes[0]} to {sizes[2]} bytes (5th to 95th percentile, median {sizes[1]}) of "
        f"{size.accounts:,} accounts over {size.hours} h of event time, hourly ticks, {size.partitions} partitions, "
        f"three topics, seed {size.seed}.",
        "",
        facts(),
        "",
        "| round | first | limit, events/s | spine, events/s | ratio | CPU µs an event: limit / spine "
        "| rows an event: limit / spine | bytes written an event: limit / spine |",
        "|---|---|---|---|---|---|---|---|",
        *(line(both, events) for both in rounds),
        "",
        f"**Median: {median(rates):,.0f} events/s (from {min(rates):,.0f} to {max(rates):,.0f}), "
        f"{median(ratios):.2f} of the limit (from {min(ratios):.2f} to {max(ratios):.2f}).** "
        f"Promised: {LEAST_RATE * workers:,} and {LEAST_RATIO}. "
        f"Sums of both over the whole log: {'equal in every round' if same else 'DIFFERENT'}.",
        "",
        "The clock runs from the first `partials` record after the processes were ready to the one with which the "
        "last partition reached the log's end, for both alike; events in the sums at the start do not count. "
        "CPU is of the measured processes only: broker and others share the cores.",
    ]
    return "\n".join(lines)


def line(both: Round, events: int) -> str:
    limit, spine = both.limit, both.spine
    cells = [
        str(both.number),
        both.first,
        f"{limit.rate:,.0f}",
        f"{spine.rate:,.0f}",
        f"{both.ratio:.2f}",
        f"{limit.measured.cpu_us:.1f} / {spine.measured.cpu_us:.1f}",
        f"{limit.rows.records / events:.2f} / {spine.rows.records / events:.2f}",
        f"{written(limit) / events:,.0f} / {written(spine) / events:,.0f}",
    ]
    return f"| {' | '.join(cells)} |"


def written(run: Run) -> int:
    """Bytes of rows, outputs and partials, keys and values, before compression."""
    return run.rows.bytes + run.outputs.bytes


def now() -> str:
    """The time of measuring, to the minute."""
    return datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")


def facts() -> str:
    """The machine and the versions, on one line."""
    names = ("faust-streaming", "aiokafka", "msgspec")
    libraries = ", ".join(f"{name} {version(name)}" for name in names)
    load = os.getloadavg()[0]
    return (
        f"{cpu_name()}, {os.cpu_count()} cores shared with the broker (load average at the end {load:.1f}), "
        f"Python {platform.python_version()}, {libraries}, confluent-kafka {confluent_kafka.__version__} "
        f"(librdkafka {confluent_kafka.libversion()[0]})."
    )


def cpu_name() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []:
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def write_section(path: Path, text: str, head: str = HEAD, begin: str = BEGIN, end: str = END) -> None:
    """Put the page between the markers of a file (a new one begins with `head`); the rest of the file stays."""
    before, _, rest = (path.read_text() if path.exists() else head).partition(begin)
    after = rest.partition(end)[2]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{before}{begin}\n{text}\n{end}{after or chr(10)}")

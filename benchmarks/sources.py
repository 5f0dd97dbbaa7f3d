"""`make bench`: a CSV of two gigabytes becomes a recording's events: how many rows a second, in how much memory.

The file is made first (and removed afterwards), the sending is a process of its own whose peak resident memory the
system tells. Exit code 1 when it takes more than promised.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import NamedTuple

from benchmarks.report import facts, now, write_section

DOCS = Path("docs/bench.md")
BEGIN, END = "<!-- begin: make bench, sources -->", "<!-- end: make bench, sources -->"
MOST_MB = 300
BATCH = 1_000
RUN = """
import atexit, sys
from livelift.cli import main
peak = lambda: next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
atexit.register(lambda: print(peak(), file=sys.stderr))
main()
"""
"""The command line, saying at its end how much memory it held at most: of itself, not of who started it."""
MAPPING = """
[source]
kind = "csv"
name = "bench"
path = "bench.csv"
zone = "Europe/Berlin"
ambiguous = "earlier"

[[event]]
type = "core_action"
at = "{at}"
account_id = "{account}"
user_id = "{user}"
properties = { feature = "{feature}", count = { from = "{count}", as = "integer" } }
"""


class Measured(NamedTuple):
    """A file of so many rows and bytes: seconds, and peak resident memory in MB."""

    rows: int
    size: int
    seconds: float
    peak_mb: float

    @property
    def rate(self) -> float:
        """Rows a second."""
        return self.rows / self.seconds


def write_file(path: Path, size: int) -> int:
    """Write rows of some 500 bytes, most of them notes that nobody maps, until the file has the size; their number."""
    note = "n" * 420
    rows = 0
    with path.open("w", encoding="utf-8") as file:
        file.write("at,account,user,feature,count,note\n")
        while file.tell() < size:
            file.writelines(_rows(rows, note))
            rows += BATCH
    return rows


def _rows(first: int, note: str) -> Iterator[str]:
    for number in range(first, first + BATCH):
        at = f"2026-{number % 9 + 1:02d}-{number % 28 + 1:02d} {number % 24:02d}:{number % 60:02d}:00"
        yield f'{at},account {number % 5000},user {number},feature {number % 40},{number % 7},"{note}"\n'


def measure(size: int) -> Measured:
    """Send a file of this size into a recording, and throw the recording away."""
    with TemporaryDirectory(prefix="livelift-bench-") as name:
        folder = Path(name)
        rows = write_file(folder / "bench.csv", size)
        (folder / "bench.toml").write_text(MAPPING)
        began = monotonic()
        ended = subprocess.run(
            [sys.executable, "-c", RUN, "sources", "run", folder / "bench.toml", "--to", folder / "out", "--json"],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        seconds = monotonic() - began
        count = json.loads(ended.stdout)
        assert count["rows"] == rows == count["sent"] + sum(count["refused"].values()), count
        return Measured(rows, (folder / "bench.csv").stat().st_size, seconds, int(ended.stderr.split()[-2]) / 1024)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gigabytes", type=float, default=2.0)
    parser.add_argument("--write", action="store_true", help="write the result into docs/bench.md")
    parser.add_argument("--no-fail", action="store_true", help="exit 0 whatever is measured")
    given = parser.parse_args()
    found = [measure(round(share * given.gigabytes * 1e9)) for share in (0.01, 1.0)]
    rows = "\n".join(
        f"| {one.size / 1e9:.2f} | {one.rows:,} | {one.seconds:,.0f} | {one.rate:,.0f} | {one.peak_mb:.0f} |"
        for one in found
    )
    text = f"""## Sources, {now()}

`python -m benchmarks.sources --write`. A CSV through a mapping with a time zone and a number, into a recording, each in
a process of its own. {facts()}

| GB | rows | seconds | rows/s | peak memory, MB |
|---|---|---|---|---|
{rows}

Promised: at most {MOST_MB} MB, whatever the file's size."""
    print(text)
    if given.write:
        write_section(DOCS, text, begin=BEGIN, end=END)
    return int(max(one.peak_mb for one in found) > MOST_MB and not given.no_fail)


if __name__ == "__main__":
    sys.exit(main())

"""Run the parts on all cores, print what came out, and end with 1 if a bound does not hold."""

import argparse
import os
import sys
from pathlib import Path

import msgspec

from benchmarks.report import write_section
from benchmarks.validate import __doc__ as about
from benchmarks.validate.counts import Finding, broken
from benchmarks.validate.page import FIGURE, figure, page
from benchmarks.validate.parts import PARTS
from benchmarks.validate.run import Seen, done
from benchmarks.validate.work import Part
from livelift.progress import counting

DOCS = Path("docs/validate.md")
HEAD = "# How often the read-outs are wrong\n\n"
BEGIN, END = "<!-- begin: make validate -->", "<!-- end: make validate -->"


def validate(parts: list[Part], runs: int, seed: int, processes: int) -> tuple[Seen, dict[str, list[Finding]]]:
    """What was seen, and what it comes to, by part."""
    pieces = [piece for part in parts for piece in part.pieces(runs, seed)]
    with counting("simulating", sum(piece.cost for piece in pieces)) as progress:
        seen = done(pieces, processes, progress)
    return seen, {part.key: part.findings(seen.get(part.key, {})) for part in parts}


def arguments() -> argparse.Namespace:
    keys = [part.key for part in PARTS]
    parser = argparse.ArgumentParser(prog="python -m benchmarks.validate", description=about)
    parser.add_argument("--runs", type=int, default=2000, help="runs a cell")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", nargs="+", choices=keys, default=keys, help="parts to run")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--json", action="store_true", help="print JSON for programs")
    parser.add_argument("--write", nargs="?", const=DOCS, type=Path, help=f"put the result into a file ({DOCS})")
    return parser.parse_args()


def main() -> None:
    given = arguments()
    parts = [part for part in PARTS if part.key in given.only]
    seen, told = validate(parts, given.runs, given.seed, given.processes)
    text = page(told, seen, parts, given.runs, given.seed)
    print(msgspec.json.encode(told).decode() if given.json else text)
    if given.write is not None:
        write_section(given.write, text, HEAD, BEGIN, END)
        drawn = figure(seen)
        if drawn is not None:
            given.write.with_name(FIGURE).write_text(drawn)
    wrong = broken([one for findings in told.values() for one in findings])
    for sentence in wrong:
        print(sentence, file=sys.stderr)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()

"""`make bench`: what experiments cost, by their number and their units.

Publishing: a pulse in this process, then through a publisher process with real Kafka and Redis; 1,000 and 10 million
units take turns. Scoring: the core's throughput and memory with experiments running. Exit code 1 when publishing 100
experiments takes a second or more.
"""

import argparse
import gc
import sys
from collections.abc import Iterable
from pathlib import Path
from shlex import join
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks.merging import Merging, Taken, profile
from benchmarks.people import LARGE, SMALL, Sizes, Sums, sums_of
from benchmarks.pulses import Published, publishers
from benchmarks.report import facts, now, write_section
from benchmarks.running import Case, Running, run_apart
from livelift.local.stack import Stack
from livelift.settings import Settings
from streams.app import GC_THRESHOLDS

DOCS = Path("docs/bench.md")
BEGIN, END = "<!-- begin: make bench, experiments -->", "<!-- end: make bench, experiments -->"
EXPERIMENTS = (1, 100, 1_000)
ROUNDS = {1: 4, 100: 3, 1_000: 1}
"""Each there and back."""
SEEDS = (1, 2)
PROMISED = 100
MOST_S = 1.0
KINDS = {"everything": "all shares of all", "one": "one share of each"}
CASES = (
    Case(0, "each"), Case(1, "each"), Case(10, "each"), Case(100, "each"), Case(10, "one"), Case(100, "one"),
    Case(10, "each", usage=True), Case(10, "each", days=1),
)  # fmt: skip


def tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def spread(values: Iterable[float], digits: int = 2) -> str:
    """Median, and from the least to the greatest."""
    found = list(values)
    return f"{median(found):.{digits}f} ({min(found):.{digits}f} to {max(found):.{digits}f})"


# -- in this process -----------------------------------------------------------------------------------------------

InProcess = dict[tuple[int, str], list[tuple[Taken, Taken]]]
"""Number of experiments and kind of pulse -> by round, small and large."""


def merge(sums: tuple[list[Sums], list[Sums]], experiments: Iterable[int]) -> InProcess:
    found: InProcess = {}
    for count in experiments:
        small, large = (Merging(one, count) for one in sums)
        for number in range(ROUNDS.get(count, 3)):
            for kind in KINDS:
                taken: dict[int, list[Taken]] = {}
                for which in (0, 1) if number % 2 else (1, 0):
                    taken[which] = getattr((small, large)[which], kind)()
                found.setdefault((count, kind), []).extend(zip(taken[0], taken[1], strict=True))
        tell(f"{count} in this process: {spread((s.total for s, _ in found[count, 'everything']), 3)} s")
        del small, large
        gc.collect()
    return found


def merge_lines(found: InProcess) -> list[str]:
    lines = [
        "| experiments | what changed | 1,000 units, CPU s | 10 million, CPU s | ratio | put / read / encode, ms |",
        "|---|---|---|---|---|---|",
    ]
    for (count, kind), rounds in found.items():
        parts = (median(part) / count * 1000 for part in zip(*(large for _, large in rounds), strict=True))
        cells = [
            f"{count:,}",
            KINDS[kind],
            spread((small.total for small, _ in rounds), 3),
            spread((large.total for _, large in rounds), 3),
            spread(large.total / small.total for small, large in rounds),
            " / ".join(f"{part:.2f}" for part in parts),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


# -- through Kafka and Redis ---------------------------------------------------------------------------------------


def publish_lines(found: list[Published]) -> list[str]:
    lines = [
        "| experiments | what changed | 1,000 units, s | 10 million, s | ratio | CPU s: 1,000 / 10 million | pulses |",
        "|---|---|---|---|---|---|---|",
    ]
    for one in found:
        for kind, name in KINDS.items():
            small, large = one.small[kind], one.large[kind]
            cells = [
                f"{one.experiments:,}",
                name,
                spread(each.seconds for each in small),
                spread(each.seconds for each in large),
                spread(b.seconds / a.seconds for a, b in zip(small, large, strict=True)),
                f"{median(each.cpu for each in small):.2f} / {median(each.cpu for each in large):.2f}",
                f"{median(each.pulses for each in small):g} / {median(each.pulses for each in large):g}",
            ]
            lines.append(f"| {' | '.join(cells)} |")
    return lines


def memory_lines(found: list[Published]) -> list[str]:
    lines = [
        "| experiments | peak memory of the publisher, MB: 1,000 units / 10 million | before any experiment, MB "
        "| MB an experiment: 1,000 units / 10 million | first pulse after a start, s: 1,000 units / 10 million |",
        "|---|---|---|---|---|",
    ]
    for one in found:
        a, b = one.memory
        each = [(memory.peak - memory.empty) / one.experiments for memory in (a, b)]
        lines.append(
            f"| {one.experiments:,} | {a.peak:,.0f} / {b.peak:,.0f} | {a.empty:,.0f} | {each[0]:.2f} / {each[1]:.2f} "
            f"| {one.first[0]:.2f} / {one.first[1]:.2f} |"
        )
    return lines


# -- scoring -------------------------------------------------------------------------------------------------------


def run_cases(rounds: int, events: int) -> dict[Case, list[Running]]:
    """Cases take turns, and each runs in a process of its own."""
    found: dict[Case, list[Running]] = {case: [] for case in CASES}
    for number in range(rounds):
        for case in CASES if number % 2 else reversed(CASES):
            found[case].append(run_apart(case, events))
            tell(f"{case.label}: {found[case][-1].us:.1f} CPU µs an event")
    return found


def running_lines(found: dict[Case, list[Running]]) -> list[str]:
    nothing = found[CASES[0]]
    lines = [
        "| running experiments | CPU µs an event | events in a CPU second | of those without experiments "
        "| partials, MB | bytes of memory a unit | units |",
        "|---|---|---|---|---|---|---|",
    ]
    for case, rounds in found.items():
        units = rounds[0].units
        cells = [
            case.label,
            spread((one.us for one in rounds), 1),
            f"{1e6 / median(one.us for one in rounds):,.0f}",
            spread(base.us / one.us for base, one in zip(nothing, rounds, strict=True)),
            f"{rounds[0].partial_bytes / 1e6:,.1f}",
            f"{median(one.unit_bytes for one in rounds):,.0f}" if units else "",
            f"{units:,}",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


# -- the page ------------------------------------------------------------------------------------------------------


def failures(found: list[Published]) -> list[str]:
    """What is promised of publishing and was not kept."""
    return [
        f"publishing {PROMISED} experiments of {name} units took {seconds:.2f} s, not less than {MOST_S:g} s"
        for one in found
        if one.experiments == PROMISED
        for name, measured in (("1,000", one.small), ("10 million", one.large))
        if (seconds := median(each.seconds for each in measured["everything"])) >= MOST_S
    ]


def described(sizes: Sizes) -> str:
    return f"{sizes.units:,} units" + (f" merged {sizes.merged} times" if sizes.merged > 1 else "")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.publishing", description=__doc__)
    parser.add_argument("--experiments", type=int, nargs="+", default=EXPERIMENTS)
    parser.add_argument("--only", choices=("merging", "publishing", "running"), help="one of the three parts")
    parser.add_argument("--rounds", type=int, default=3, help="of the scoring part")
    parser.add_argument("--events", type=int, default=20_000, help="of the scoring part")
    parser.add_argument("--no-fail", action="store_true", help="only print, whatever comes out")
    parser.add_argument("--write", nargs="?", const=DOCS, type=Path, help=f"put the result into a file ({DOCS})")
    parser.add_argument("--profile", action="store_true", help="cProfile of a pulse of 10 million units instead")
    parser.add_argument("--lines", type=int, default=40)
    parser.add_argument("--sort", default="tottime")
    return parser.parse_args()


def main() -> int:
    args = arguments()
    gc.set_threshold(*GC_THRESHOLDS)
    tell("making units")
    sums = [sums_of(SMALL, seed) for seed in SEEDS], [sums_of(LARGE, seed) for seed in SEEDS]
    if args.profile:
        profile(sums[1], args.experiments[0], args.lines, args.sort)
        return 0
    lines, complaints = head(), list[str]()
    if args.only in (None, "merging"):
        lines += ["", *MERGING, "", *merge_lines(merge(sums, args.experiments))]
    if args.only in (None, "publishing"):
        found = publish(sums, args.experiments)
        complaints = failures(found)
        lines += ["", *PUBLISHING, "", *publish_lines(found), "", *memory_lines(found), "", verdict(found, complaints)]
    if args.only in (None, "running"):
        lines += ["", *RUNNING, "", *running_lines(run_cases(args.rounds, args.events))]
    text = "\n".join([*lines, "", facts()])
    print(text)
    if args.write is not None:
        write_section(args.write, text, begin=BEGIN, end=END)
    for complaint in complaints:
        tell(f"bench: {complaint}")
    return 1 if complaints and not args.no_fail else 0


def publish(sums: tuple[list[Sums], list[Sums]], experiments: Iterable[int]) -> list[Published]:
    with TemporaryDirectory(prefix="livelift-bench-") as temporary:
        settings = Settings(kafka=None, redis=None, clock="log", data_dir=Path(temporary))
        with Stack(settings, roles=(), progress=tell) as services:
            found = []
            for count in experiments:
                found.append(publishers(services.settings, sums, count, ROUNDS.get(count, 3)))
                gc.collect()  # its clients would complain when the services end
                tell(f"{count} published: {spread((one.seconds for one in found[-1].small['everything']), 2)} s")
            return found


def head() -> list[str]:
    return [
        f"## Experiments, {now()}",
        "",
        f"`{join(['python', '-m', 'benchmarks.publishing', *sys.argv[1:]])}`. Each experiment has a 0/1 "
        "primary, an amount and a guardrail, read 30 days after assignment, one covariate, a segment trait of three "
        f"values, CS uptake and 12 partitions. 1,000 units: {described(SMALL)}; 10 million: {described(LARGE)}, so "
        "that every integer is as large as if so many had come. The two take turns, and the ratio is of neighbours. "
        "Medians, and in brackets the least and the greatest.",
    ]


MERGING = (
    "**A pulse in one process**: taking the changed shares, reading every experiment, encoding. CPU seconds, because "
    "the machine is shared; everything is in one thread. The last column is of 10 million units, for one experiment.",
)
PUBLISHING = (
    "**From the pulse's record in Kafka to the snapshots in Redis**, by a publisher process as it runs in production, "
    "except that the pulses are sent from here, when the shares are in Kafka. Wall seconds, with the broker, Redis and "
    "others on the same cores, until Redis holds every experiment as of the new shares; where these are more than a "
    "pulse finds fetched, that takes several pulses.",
)
RUNNING = (
    "**Scoring with experiments running**: the core alone, one partition of 500 accounts, 48 h of events in batches of "
    "1,000. `each`: every user is in every experiment, `one`: in one of them. Before what is measured everybody is "
    "assigned; the ratio is to the same log without assignments and plans. Memory is what the process holds more "
    "than with the same log and no plans.",
)


def verdict(found: list[Published], complaints: list[str]) -> str:
    if not any(one.experiments == PROMISED for one in found):
        return ""
    return f"Promised: {PROMISED} experiments in less than {MOST_S:g} s. " + (
        "**Not kept: " + "; ".join(complaints) + ".**" if complaints else "**Kept.**"
    )


if __name__ == "__main__":
    sys.exit(main())

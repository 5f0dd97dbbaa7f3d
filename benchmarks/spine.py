"""`make bench`: the spine end to end, and in the same run the limit: a plain loop over the same log.

Rounds are interleaved and change who goes first, because the machine is shared: a ratio within a round means more
than a rate. Exit code 1 when the medians are below what the spine promises.
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from confluent_kafka.admin import AdminClient
from msgspec.json import decode

from benchmarks.load import Size, events_in, generate, produce, typical_size
from benchmarks.report import Round, Run, failures, report, write_section
from benchmarks.watch import Ends, Volume, Watch, volume
from livelift.local.process import Child
from livelift.local.stack import Stack
from livelift.local.topics import create_topics, rows_changelog_name, wanted
from livelift.settings import Settings
from livelift.surroundings import surroundings
from models.messages import MODEL_KEY, Output

TIMEOUT_S = 300.0
OUTPUTS = ("account-scores", "journey-signals", "dead-letters")
DOCS = Path("docs/bench.md")


class Bench(NamedTuple):
    """What every run of this benchmark has in common."""

    settings: Settings
    load: list[Output]
    workers: int
    wrap: list[str]
    """Put before the worker's command, e.g. a profiler."""


def tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def run_round(bench: Bench, number: int) -> Round:
    """Produce the log into a namespace of its own and let both read it, taking turns in who is first."""
    settings = bench.settings.model_copy(update={"namespace": f"r{number}-"})
    scratch = settings.model_copy(update={"namespace": f"x{number}-"})
    create_topics(scratch)
    with Stack(settings, roles=()) as stack:
        stack.start_worker("learner")  # days wait to be closed until a learner has nothing more to learn before them
        stack.wait_ready(("learner",))
        tell(f"round {number}: sending the log")
        ends = produce(surroundings(settings), bench.load)

        def limit() -> Run:
            return run_limit(bench, stack, scratch, ends)

        def spine() -> Run:
            return run_spine(bench, stack, ends)

        contestants: list[tuple[str, Callable[[], Run]]] = [("limit", limit), ("spine", spine)]
        if number % 2 == 0:
            contestants.reverse()
        found = {name: run() for name, run in contestants}
    for name in (settings, scratch):
        delete_topics(name)
    both = Round(number, contestants[0][0], found["limit"], found["spine"])
    tell(f"round {number}: limit {both.limit.rate:,.0f}/s, spine {both.spine.rate:,.0f}/s, ratio {both.ratio:.2f}")
    return both


def run_limit(bench: Bench, stack: Stack, scratch: Settings, ends: Ends) -> Run:
    """The plain loop, in as many processes as there are workers, each with its share of the partitions."""
    numbers = [str(number) for number in range(bench.settings.partitions)]
    names = [f"limit-{index}" for index in range(bench.workers)]
    for index, name in enumerate(names):
        command = [sys.executable, "-m", "benchmarks.plain", scratch.namespace, *numbers[index :: bench.workers]]
        stack.start_worker("plain", name, command)
    return finish(stack, names, scratch, ends)


def run_spine(bench: Bench, stack: Stack, ends: Ends) -> Run:
    """`livelift worker --role scorer`, as it runs in production."""
    names = [f"scorer-{index}" for index in range(bench.workers)]
    for name in names:
        command = [sys.executable, "-m", "livelift", "worker", "--role", "scorer"]
        stack.start_worker("scorer", name, [*bench.wrap, *command])
    return finish(stack, names, stack.settings, ends)


def finish(stack: Stack, names: list[str], where: Settings, ends: Ends) -> Run:
    """Wait until the processes are through, end them, and count what they have written."""
    children = [stack.workers[name] for name in names]

    def check() -> None:
        for child in children:
            if child.ended() not in (None, 0):
                raise child.failed(f"ended with exit code {child.ended()}")

    def ready() -> float:
        return max((stack.settings.data_dir / "ready" / name).stat().st_mtime for name in names)

    watch = Watch(where.confluent(), where.topic("partials"), ends)
    measured = watch.until_end(lambda: [child.pid for child in children], ready, check, TIMEOUT_S)
    stop(stack, names, children)
    return Run(measured, *volumes(where))


def stop(stack: Stack, names: list[str], children: list[Child]) -> None:
    for name, child in zip(names, children, strict=True):
        child.stop()
        del stack.workers[name]


def volumes(where: Settings) -> tuple[Volume, Volume]:
    """Rows written, and outputs with partials."""
    config, partitions = where.confluent(), where.partitions
    rows = volume(config, {rows_changelog_name(where): partitions})
    outputs = {where.topic(name): partitions for name in OUTPUTS} | {where.topic("partials"): 1}
    return rows, volume(config, outputs)


def delete_topics(settings: Settings) -> None:
    admin = AdminClient(settings.confluent())
    for future in admin.delete_topics(list(wanted(settings))).values():
        future.result()


def same_sums(rounds: list[Round]) -> bool:
    """Whether both came to the same sums in every round: else they did not do the same work. What the learner beside
    the scorers says of its model is none."""
    runs = [run for both in rounds for run in (both.limit, both.spine)]
    found = [{key: decode(value) for key, value in run.measured.partials.items() if key != MODEL_KEY} for run in runs]
    return all(sums == found[0] for sums in found)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.spine", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--events", type=int, default=Size().events)
    parser.add_argument("--accounts", type=int, default=Size().accounts)
    parser.add_argument("--hours", type=int, default=Size().hours, help="event time that the log spans")
    parser.add_argument("--partitions", type=int, default=Size().partitions)
    parser.add_argument("--seed", type=int, default=Size().seed)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--no-fail", action="store_true", help="only print, whatever comes out")
    parser.add_argument("--write", nargs="?", const=DOCS, type=Path, help=f"put the result into a file ({DOCS})")
    parser.add_argument("--data", type=Path, help="keep Kafka's data and the logs here (default: a temporary folder)")
    parser.add_argument("--wrap", default="", help="put before the worker's command, e.g. a profiler")
    return parser.parse_args()


def main() -> int:
    args = arguments()
    size = Size(args.events, args.accounts, args.hours, args.partitions, args.seed)
    tell(f"making {size.events:,} events")
    load = generate(size)
    with TemporaryDirectory(prefix="livelift-bench-") as temporary:
        data = args.data or Path(temporary)
        settings = Settings(kafka=None, redis=None, partitions=size.partitions, clock="log", data_dir=data)
        with Stack(settings, roles=(), progress=tell) as services:
            bench = Bench(services.settings, load, args.workers, args.wrap.split())
            rounds = [run_round(bench, number) for number in range(1, args.rounds + 1)]
    text = report(rounds, size, args.workers, events_in(load), typical_size(load), same_sums(rounds))
    print(text)
    if args.write is not None:
        write_section(args.write, text)
    found = failures(rounds, same_sums(rounds), args.workers)
    for complaint in found:
        tell(f"bench: {complaint}")
    return 1 if found and not args.no_fail else 0


if __name__ == "__main__":
    sys.exit(main())

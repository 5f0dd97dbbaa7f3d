"""`make chaos`: real learners through real services while these are killed, paused, scaled and restarted.

The scenarios are those of `make test` (tests/support/faults.py), in full. Each has topics, groups and Redis keys of its
own. Exit code 1 when a snapshot differs from `livelift replay`, an event is not counted once, or a row went back.
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from benchmarks.report import facts, write_section
from livelift.local.kafka import LocalKafka
from livelift.local.redis import LocalRedis
from livelift.local.stack import Stack
from livelift.recording import Recording, open_recording
from livelift.recording.write import write_exercise
from livelift.settings import Settings
from models.simulation import simulate
from tests.support import oulad
from tests.support.faults import Outcome, comings, kills, pause, readers

DOCS = Path("docs/chaos.md")
BEGIN, END = "<!-- begin: make chaos -->", "<!-- end: make chaos -->"
HEAD = "# Chaos\n\nMade by `make chaos ARGS=--write`; everything between the markers is its output.\n\n"
KILLS, PAUSE_S, PARTITIONS = 20, 30.0, 12
LEARNERS = "7,685 learners of seven OULAD presentations"
CUSTOMERS = "2,000 simulated customers (the learners' data is not on this machine)"


class Ground(NamedTuple):
    """What every scenario stands on."""

    kafka: LocalKafka
    redis: LocalRedis
    recording: Recording
    folder: Path
    seed: int

    @contextmanager
    def stack(self, name: str, session_timeout_s: float) -> Iterator[Stack]:
        """A publisher under names of its own; the scenario brings its scorers."""
        settings = Settings(
            kafka=self.kafka.address, redis=self.redis.address, namespace=f"{name}-", redis_prefix=f"{name}:",
            partitions=PARTITIONS, clock="log", config=self.recording.config or Path("absent.toml"),
            session_timeout_s=session_timeout_s, data_dir=self.folder / name,
        )  # fmt: skip
        with Stack(settings, ("learner", "publisher")) as stack:
            yield stack


def tell(text: str) -> None:
    print(f"{datetime.now(UTC):%H:%M:%S} {text}", file=sys.stderr, flush=True)


def kills_under_one_name(ground: Ground) -> Outcome:
    with ground.stack("named", 10.0) as stack:
        return kills(stack, ground.recording, KILLS, 90.0, "the-only-one", ground.seed, tell)


def kills_nameless(ground: Ground) -> Outcome:
    with ground.stack("nameless", 3.0) as stack:
        return kills(stack, ground.recording, KILLS, 90.0, None, ground.seed, tell)


def long_pause(ground: Ground) -> Outcome:
    with ground.stack("pause", 10.0) as stack:
        return pause(stack, ground.recording, PAUSE_S, 60.0, ground.seed, tell)


def two_and_three(ground: Ground) -> Outcome:
    with ground.stack("comings", 3.0) as stack:
        return comings(stack, ground.recording, 60.0, seed=ground.seed, tell=tell)


def what_people_read(ground: Ground) -> Outcome:
    with ground.stack("readers", 3.0) as stack:
        return readers(stack, ground.recording, 9, 60.0, ground.seed, tell)


SCENARIOS: dict[str, tuple[str, Callable[[Ground], Outcome]]] = {
    "kills": (f"kill -9 of the scorer at {KILLS} random instants, restarted under one name", kills_under_one_name),
    "strangers": (f"kill -9 of the scorer at {KILLS} random instants, replaced by a stranger", kills_nameless),
    "pause": (f"SIGSTOP of a scorer for {PAUSE_S:g} s, another takes over, SIGCONT", long_pause),
    "comings": ("two and three scorers joining and leaving", two_and_three),
    "readers": ("the publisher killed and Redis emptied", what_people_read),
}


def run(ground: Ground, names: list[str]) -> dict[str, Outcome]:
    found = {}
    for name in names:
        tell(f"--- {name}: {SCENARIOS[name][0]}")
        found[name] = SCENARIOS[name][1](ground)
        tell(
            f"{name}: {'as promised' if not found[name].complaints else 'NOT AS PROMISED'}, {found[name].seconds:.0f} s"
        )
    return found


def report(found: dict[str, Outcome], who: str, seed: int) -> str:
    """The page in Markdown."""
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    recording = next(iter(found.values()))
    lines = [
        f"## {now}",
        "",
        f"{who}: {recording.events:,} events and {recording.records - recording.events:,} ticks, "
        f"{PARTITIONS} partitions, seed {seed}. Faults strike at random records of the play while it goes on.",
        "",
        facts(),
        "",
        "| scenario | faults | seconds | accepted once | rows that went back, differences from `replay` |",
        "|---|---|---|---|---|",
        *(summary(name, outcome) for name, outcome in found.items()),
    ]
    for name, outcome in found.items():
        lines += ["", f"### {name}: {SCENARIOS[name][0]}", "", *details(outcome)]
    return "\n".join(lines)


def summary(name: str, outcome: Outcome) -> str:
    accepted = f"{outcome.accepted:,} of {outcome.events:,}"
    wrong = len(outcome.complaints) or "none"
    return f"| {name} | {len(outcome.struck)} | {outcome.seconds:.0f} | {accepted} | {wrong} |"


def details(outcome: Outcome) -> list[str]:
    lines = ["| fault | at record | unacknowledged then | seconds until back |", "|---|---|---|---|"]
    for struck in outcome.struck:
        back = f"{struck.back_s:.1f}" if struck.back_s else ""
        lines.append(f"| {struck.what} | {struck.sent:,} | {struck.unfinished:,} | {back} |")
    return [*lines, "", *(f"- **{complaint[:500]}**" for complaint in outcome.complaints)]


@contextmanager
def ground_in(folder: Path, seed: int) -> Iterator[Ground]:
    """Kafka, Redis and the recording."""
    if oulad.is_there():
        oulad.write_oulad(folder / "recording")
    else:
        write_exercise(simulate(customers=2000, seed=seed), folder / "recording")
    with ExitStack() as exits:
        kafka, redis = LocalKafka(folder / "kafka", progress=tell), LocalRedis(folder / "redis", progress=tell)
        for service in (kafka, redis):
            exits.callback(service.stop)
            service.start()
        for service in (kafka, redis):
            service.wait_ready()
        yield Ground(kafka, redis, open_recording(folder / "recording"), folder, seed)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.chaos", description=__doc__)
    parser.add_argument("--only", action="append", choices=SCENARIOS, metavar="SCENARIO",
                        help=f"one of {', '.join(SCENARIOS)}; may be given several times (default: all)")  # fmt: skip
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="print JSON instead of the page")
    parser.add_argument("--write", nargs="?", const=DOCS, type=Path, help=f"put the page into a file ({DOCS})")
    parser.add_argument("--data", type=Path, help="keep Kafka's data and the logs here (default: a temporary folder)")
    return parser.parse_args()


def main() -> int:
    args = arguments()
    with (
        TemporaryDirectory(prefix="livelift-chaos-") as temporary,
        ground_in(args.data or Path(temporary), args.seed) as ground,
    ):
        found = run(ground, args.only or list(SCENARIOS))
    text = report(found, LEARNERS if oulad.is_there() else CUSTOMERS, args.seed)
    print(json.dumps({name: asdict(outcome) for name, outcome in found.items()}, indent=1) if args.json else text)
    if args.write is not None:
        write_section(args.write, text, HEAD, BEGIN, END)
    return 1 if any(outcome.complaints for outcome in found.values()) else 0


if __name__ == "__main__":
    sys.exit(main())

"""`make chaos`: real learners through real services while these are killed, paused, scaled and restarted.

The scenarios are those of `make test` (tests/support/faults.py, alert_faults.py), in full. Each has topics, groups and
Redis keys of its own. Exit code 1 when a snapshot differs from `livelift replay`, an event is not counted once, or a
row went back; when an alert was lost, more came again than one a kill, or Redis shows another than its topic says.
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
from typing import Literal, NamedTuple

from benchmarks.report import facts, write_section
from livelift.local.kafka import LocalKafka
from livelift.local.redis import LocalRedis
from livelift.local.stack import Stack
from livelift.local.topics import create_topics
from livelift.recording import Recording, open_recording
from livelift.recording.write import write_exercise
from livelift.settings import Settings
from models.simulation import simulate
from tests.support import alert_faults, oulad
from tests.support.alert_faults import Heard
from tests.support.faults import Outcome, comings, kills, pause, readers
from tests.support.listening import Hook
from tests.support.office import SECRET, Office

DOCS = Path("docs/chaos.md")
BEGIN, END = "<!-- begin: make chaos -->", "<!-- end: make chaos -->"
HEAD = """\
# Chaos

Made by `make chaos ARGS=--write`; everything between the markers is its output. Scorers and publisher have to come to
what `livelift replay` says of the same recording; each alert has to be heard, and once but for what was under way at a
kill.

"""
KILLS, PAUSE_S, PARTITIONS = 20, 30.0, 12
OUTAGE_S, ROUNDS = 60.0, 12
EMPTIED = 6, 13
"""Before which kills Redis is emptied: one is of a process on duty, the other of one that starts."""
LEARNERS = "7,685 learners of seven OULAD presentations"
CUSTOMERS = "2,000 simulated customers (the learners' data is not on this machine)"


class Ground(NamedTuple):
    """What every scenario stands on."""

    kafka: LocalKafka
    redis: LocalRedis
    recording: Recording
    folder: Path
    seed: int

    def settings(self, name: str, session_timeout_s: float, clock: Literal["live", "log"] = "log") -> Settings:
        """An installation of a scenario's own."""
        return Settings(
            kafka=self.kafka.address, redis=self.redis.address, namespace=f"{name}-", redis_prefix=f"{name}:",
            partitions=PARTITIONS, clock=clock, config=self.recording.config or Path("absent.toml"),
            session_timeout_s=session_timeout_s, data_dir=self.folder / name,
        )  # fmt: skip

    @contextmanager
    def stack(self, name: str, session_timeout_s: float) -> Iterator[Stack]:
        """A publisher under names of its own; the scenario brings its scorers."""
        with Stack(self.settings(name, session_timeout_s), ("learner", "publisher")) as stack:
            yield stack

    @contextmanager
    def office(self, name: str) -> Iterator[Office]:
        """A webhook, and rules; the scenario starts the alerts process, and brings the scores."""
        settings = self.settings(name, 6.0, "live")
        create_topics(settings)
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        with Hook(SECRET) as hook:
            office = Office(settings, settings.data_dir, hook, alert_faults.RULES.format(hook=hook.url))
            try:
                yield office
            finally:
                office.stop()


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


def channel_down(ground: Ground) -> Heard:
    with ground.office("channel") as office:
        return alert_faults.channel(office, OUTAGE_S, ROUNDS, kill=True, seed=ground.seed, tell=tell)


def alerts_killed(ground: Ground) -> Heard:
    with ground.office("alerts") as office:
        return alert_faults.kills(office, KILLS, EMPTIED, ground.seed, tell)


SCENARIOS: dict[str, tuple[str, Callable[[Ground], Outcome]]] = {
    "kills": (f"kill -9 of the scorer at {KILLS} random instants, restarted under one name", kills_under_one_name),
    "strangers": (f"kill -9 of the scorer at {KILLS} random instants, replaced by a stranger", kills_nameless),
    "pause": (f"SIGSTOP of a scorer for {PAUSE_S:g} s, another takes over, SIGCONT", long_pause),
    "comings": ("two and three scorers joining and leaving", two_and_three),
    "readers": ("the publisher killed and Redis emptied", what_people_read),
    "channel": (f"a webhook that answers 503 for {OUTAGE_S:g} s, the alerts process killed meanwhile", channel_down),
    "alerts": (
        f"kill -9 of the alerts process at {KILLS} random instants, Redis emptied {len(EMPTIED)} times",
        alerts_killed,
    ),
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
    heard = {name: one for name, one in found.items() if isinstance(one, Heard)}
    played = {name: one for name, one in found.items() if name not in heard}
    lines = [f"## {now}", "", facts(), "", f"Seed {seed}, {PARTITIONS} partitions."]
    if played:
        lines += ["", *of_play(played, who)]
    if heard:
        lines += ["", *of_alerts(heard)]
    for name, outcome in found.items():
        lines += ["", f"### {name}: {SCENARIOS[name][0]}", "", *details(outcome)]
    return "\n".join(lines)


def of_play(found: dict[str, Outcome], who: str) -> list[str]:
    """The scenarios in which a recording is played."""
    recording = next(iter(found.values()))
    return [
        f"{who}: {recording.events:,} events and {recording.records - recording.events:,} ticks. Faults strike at "
        "random records of the play while it goes on.",
        "",
        "| scenario | faults | seconds | accepted once | rows that went back, differences from `replay` |",
        "|---|---|---|---|---|",
        *(f"| {summary(name, outcome)} |" for name, outcome in found.items()),
    ]


def of_alerts(found: dict[str, Heard]) -> list[str]:
    """The scenarios in which alerts are told."""
    return [
        "Accounts whose scores fall, one after the other, and a webhook that is to hear of each of them once. A "
        "message that was under way at a kill may come again, under the same key.",
        "",
        "| scenario | faults | seconds | heard once | heard again, of those that may | lost, told for nothing, "
        "other in Redis than in the topic |",
        "|---|---|---|---|---|---|",
        *(f"| {summary(name, outcome, f'{outcome.again} of {outcome.may}')} |" for name, outcome in found.items()),
    ]


def summary(name: str, outcome: Outcome, *more: str) -> str:
    accepted = f"{outcome.accepted:,} of {outcome.events:,}"
    wrong = str(len(outcome.complaints) or "none")
    return " | ".join([name, str(len(outcome.struck)), f"{outcome.seconds:.0f}", accepted, *more, wrong])


def details(outcome: Outcome) -> list[str]:
    at, unfinished = ("score", "unheard") if isinstance(outcome, Heard) else ("record", "unacknowledged")
    lines = [f"| fault | at {at} | {unfinished} then | seconds until back |", "|---|---|---|---|"]
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

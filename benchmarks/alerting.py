"""`make bench`: how fast scores are read and decided on, and how soon an alert is heard.

Reading: the last scores of 100,000 accounts with all rules that `livelift alerts draft` prints, against the same client
that only reads them, in turns. Hearing: through scorer, alerts process and webhook while a thousand events a second
come. Exit code 1 when less is kept than promised.
"""

import argparse
import pstats
import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shlex import join
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from threading import Thread
from time import monotonic, sleep, time
from typing import Any, NamedTuple

import msgspec
from confluent_kafka import Producer

from benchmarks.load import TOPIC_OF, Size, happenings, written
from benchmarks.reading import Took
from benchmarks.report import facts, now, write_section
from benchmarks.scored import messages
from benchmarks.spine import delete_topics, tell
from livelift.local.stack import Stack
from livelift.local.topics import create_topics
from livelift.settings import Settings
from models.alerts.draft import DRAFT
from models.clock import SECOND
from streams.placement import Placement
from tests.support.listening import Hook

DOCS = Path("docs/bench.md")
BEGIN, END = "<!-- begin: make bench, alerting -->", "<!-- end: make bench, alerting -->"
LEAST_SHARE, MOST_S = 0.5, 2.0
EVENTS_A_SECOND, PROBES_A_SECOND = 1_000, 2
ANY_TIME = "".join(line for line in DRAFT.splitlines(True) if not line.startswith("quiet_"))
"""The rules without quiet hours, which would make it a matter of the hour what is measured."""
CHANNEL = '[[channel]]\nid = "hook"\nurl = "{url}"\n'
PAYMENT = '[[rule]]\nid = "payment"\nwhen = { payments_failed = 1 }\n'
TIMEOUT_S = 300.0


class Pair(NamedTuple):
    """One round: the client alone, and the alerts process; with checksums checked, as the process does, or without."""

    checked: bool
    plain: Took
    alerts: Took

    @property
    def share(self) -> float:
        return self.alerts.rate / self.plain.rate

    @property
    def cpu_share(self) -> float:
        return self.plain.cpu_us / self.alerts.cpu_us


class Heard(NamedTuple):
    """One round of probes: seconds from sending an event to the webhook's taking of its alert, and events a second."""

    seconds: list[float]
    lost: int
    rate: float

    def at(self, percent: int) -> float:
        return quantiles(self.seconds, n=100, method="inclusive")[percent - 1]


# -- reading ----------------------------------------------------------------------------------------------------------


def read(settings: Settings, accounts: int, rounds: int, profile: Path | None) -> list[Pair]:
    tell(f"scoring {accounts:,} accounts")
    load = [*messages(accounts, settings.partitions)]
    found = []
    for number, checked in enumerate([True, False] * rounds, start=1):
        with Hook() as hook:
            one = settings.model_copy(update={"namespace": f"read{number}-", "redis_prefix": f"read{number}:"})
            found.append(read_round(one, load, hook.url, number, profile, checked))
        tell(f"round {number}: {found[-1].plain.rate:,.0f}/s read, {found[-1].alerts.rate:,.0f}/s decided on, "
             f"share {found[-1].share:.2f}, by CPU {found[-1].cpu_share:.2f}")  # fmt: skip
    return found


def read_round(settings: Settings, load: list[Any], url: str, number: int, profile: Path | None, checked: bool) -> Pair:
    rules = settings.data_dir / f"{settings.namespace}alerts.toml"
    rules.write_text(ANY_TIME + CHANNEL.format(url=url))
    with Stack(settings, roles=()) as stack:
        with alerting(stack, rules):  # what holds at its very first start is noted only
            sleep(1)
        producer = Producer({**settings.confluent(), "linger.ms": 20, "queue.buffering.max.messages": 1_000_000})
        for topic, partition, key, value, _ in load:
            producer.produce(settings.topic(topic), value, key, partition)
        if producer.flush(120):
            raise RuntimeError("Kafka did not take the scores")
        order = ("plain", "alerts") if number % 4 < 2 else ("alerts", "plain")
        took = {what: apart(stack, rules, what, len(load), profile, checked) for what in order}
    delete_topics(settings)
    return Pair(checked, took["plain"], took["alerts"])


def apart(stack: Stack, rules: Path, what: str, expected: int, profile: Path | None, checked: bool) -> Took:
    """Measure in a process of its own."""
    out = rules.with_suffix(f".{what}.json")
    words = [sys.executable, "-m", "benchmarks.reading", what, str(out), str(expected)]
    words += [str(profile)] if profile is not None and what == "alerts" else []
    given = [f"LIVELIFT_ALERTS={rules}", *(["CHECKED=1"] if checked else [])]
    child = stack.start_worker(what, what, ["env", *given, *words])
    until = monotonic() + TIMEOUT_S
    while child.ended() is None and monotonic() < until:
        sleep(0.2)
    if child.ended() != 0:
        raise child.failed("did not read everything")
    del stack.workers[what]
    return msgspec.json.decode(out.read_bytes(), type=Took)


@contextmanager
def alerting(stack: Stack, rules: Path) -> Iterator[None]:
    """The alerts process, at work."""
    command = ["env", f"LIVELIFT_ALERTS={rules}", sys.executable, "-m", "livelift", "alerts", "run"]
    child = stack.start_worker("alerts", "alerts", command)
    stack.wait_ready(("alerts",))
    yield
    child.stop()
    del stack.workers["alerts"]


# -- hearing ----------------------------------------------------------------------------------------------------------


def hear(settings: Settings, probes: int, rounds: int) -> list[Heard]:
    one = settings.model_copy(update={"namespace": "hear-", "redis_prefix": "hear:", "clock": "live"})
    rules = one.data_dir / "hear-alerts.toml"
    create_topics(one)
    with Hook() as hook, Stack(one) as stack:
        rules.write_text(PAYMENT + CHANNEL.format(url=hook.url))
        stack.wait_ready()
        with alerting(stack, rules):
            sending = Sending(one)
            sending.start()
            sleep(10)  # caches, and the accounts' first events
            found = []
            for number in range(1, rounds + 1):
                found.append(hear_round(sending, hook, probes, number))
                tell(f"round {number}: {found[-1].rate:,.0f} events/s, p50 {found[-1].at(50):.2f} s, "
                     f"p99 {found[-1].at(99):.2f} s")  # fmt: skip
            sending.end()
            stack.check()
    return found


class Sending(Thread):
    """Sends the load, each event as of now, at its rate."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(name="load", daemon=True)
        self._settings, self._placement = settings, Placement(settings.partitions)
        self._producer = Producer({**settings.confluent(), "linger.ms": 5})
        self._probes = Producer({**settings.confluent(), "linger.ms": 0})
        self.sent, self._ended = 0, False

    def run(self) -> None:
        began = monotonic()
        for number, (kind, account, properties, user, token) in enumerate(happenings(Size(events=10_000_000 // 20))):
            ahead = number / EVENTS_A_SECOND - (monotonic() - began)
            if ahead > 0.005:
                sleep(ahead)
            if self._ended:
                break
            value = written(number, token, kind, int(time() * SECOND), account, user, properties)
            self._send(self._producer, kind, account, value)
            self.sent += 1
        self._producer.flush(30)

    def probe(self, account: str) -> None:
        """Payment of an account that nobody has heard of fails."""
        value = written(0, account, "payment_failed", int(time() * SECOND), account, None, '{"amount":90}')
        self._send(self._probes, "payment_failed", account, value)
        self._probes.flush(10)

    def end(self) -> None:
        self._ended = True
        self.join()

    def _send(self, producer: Producer, kind: str, account: str, value: bytes) -> None:
        producer.produce(self._settings.topic(TOPIC_OF[kind]), value, account.encode(), self._placement.of(account))
        producer.poll(0)


def hear_round(sending: Sending, hook: Hook, probes: int, number: int) -> Heard:
    luck, sent = random.Random(number), dict[str, float]()
    began, before = monotonic(), sending.sent
    for probe in range(probes):
        account = f"probe-{number}-{probe}"
        sent[account] = time()
        sending.probe(account)
        sleep(luck.uniform(0.5, 1.5) / PROBES_A_SECOND)
    rate = (sending.sent - before) / (monotonic() - began)
    until = monotonic() + 30
    while (heard := first_heard(hook, sent)).keys() != sent.keys() and monotonic() < until:
        sleep(0.1)
    return Heard([at - sent[account] for account, at in heard.items()], len(sent) - len(heard), rate)


def first_heard(hook: Hook, sent: dict[str, float]) -> dict[str, float]:
    """When each account was first heard of."""
    found: dict[str, float] = {}
    for one in [*hook.heard]:
        account = one.body.get("account_id", "")
        if account in sent:
            found.setdefault(account, one.at)
    return found


# -- what came out ----------------------------------------------------------------------------------------------------


def reading_lines(found: list[Pair], accounts: int) -> Iterator[str]:
    yield f"**Read and decided on**: the last scores of {accounts:,} accounts, of 1.6 kB, made by the core (2,000 "
    yield "accounts really scored, their messages under as many ids); the rules are those of `livelift alerts draft`, "
    yield "without quiet hours; of every 50th account a payment has failed, which opens an alert that is written to "
    yield "its topic and to Redis, and is on its way to a webhook. The plain client is kafka-python with the same "
    yield "settings, that only polls. Both in turns, each in a process of its own. Checksums: as the process runs, the "
    yield "client checks them, in Python where the package `crc32c` is not there, which is most of what both take."
    yield ""
    yield ("| round | checksums | plain, records/s | alerts, records/s | share | CPU µs a record: plain / alerts "
           "| share by CPU |")  # fmt: skip
    yield "|---|---|---|---|---|---|---|"
    for number, one in enumerate(found, start=1):
        checksums = "checked" if one.checked else "not checked"
        yield (f"| {number} | {checksums} | {one.plain.rate:,.0f} | {one.alerts.rate:,.0f} | {one.share:.2f} "
               f"| {one.plain.cpu_us:.1f} / {one.alerts.cpu_us:.1f} | {one.cpu_share:.2f} |")  # fmt: skip
    yield ""
    yield (f"**Median share: {share(found, True):.2f}; without checksums {share(found, False):.2f}.** "
           f"Promised: {LEAST_SHARE} of the client as it is used, which checks.")  # fmt: skip


def share(found: list[Pair], checked: bool) -> float:
    return median(one.share for one in found if one.checked == checked)


def hearing_lines(found: list[Heard]) -> Iterator[str]:
    yield f"**From an event to the webhook**: {EVENTS_A_SECOND:,} events/s of 6,000 accounts as of now, and about "
    yield f"{PROBES_A_SECOND} a second of a payment that fails, each of an account that is new; by scorer, learner, "
    yield "publisher and alerts process as they run in production, one of each, the rule is `payments_failed = 1`. "
    yield "Seconds from before sending it to when the webhook has taken it."
    yield ""
    yield "| round | probes | not heard | events/s | p50, s | p95, s | p99, s | longest, s |"
    yield "|---|---|---|---|---|---|---|---|"
    for number, one in enumerate(found, start=1):
        yield (f"| {number} | {len(one.seconds) + one.lost} | {one.lost} | {one.rate:,.0f} | {one.at(50):.2f} "
               f"| {one.at(95):.2f} | {one.at(99):.2f} | {max(one.seconds):.2f} |")  # fmt: skip
    yield ""
    yield f"**Median p99: {median(one.at(99) for one in found):.2f} s.** Promised: {MOST_S:g} s."


def complaints(reading: list[Pair], hearing: list[Heard]) -> Iterator[str]:
    if reading and (least := share(reading, True)) < LEAST_SHARE:
        yield f"scores are decided on at {least:.2f} of a plain client's rate, not {LEAST_SHARE}"
    if hearing and (slow := median(one.at(99) for one in hearing)) >= MOST_S:
        yield f"p99 from event to webhook is {slow:.2f} s, not less than {MOST_S:g}"
    if lost := sum(one.lost for one in hearing):
        yield f"{lost} alerts were not heard"
    if hearing and (rate := median(one.rate for one in hearing)) < 0.95 * EVENTS_A_SECOND:
        yield f"{rate:,.0f} events/s were sent, not {EVENTS_A_SECOND:,}"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.alerting", description=__doc__)
    parser.add_argument("--only", choices=("reading", "hearing"), help="one of the two parts")
    parser.add_argument("--accounts", type=int, default=100_000)
    parser.add_argument("--probes", type=int, default=120, help="a round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--no-fail", action="store_true", help="only print, whatever comes out")
    parser.add_argument("--write", nargs="?", const=DOCS, type=Path, help=f"put the result into a file ({DOCS})")
    parser.add_argument("--profile", type=Path, help="cProfile of the alerts process, into this file and printed")
    return parser.parse_args()


def main() -> int:
    args = arguments()
    reading, hearing = list[Pair](), list[Heard]()
    with TemporaryDirectory(prefix="livelift-bench-") as temporary:
        settings = Settings(kafka=None, redis=None, data_dir=Path(temporary))
        with Stack(settings, roles=(), progress=tell) as services:
            if args.only in (None, "reading"):
                reading = read(services.settings, args.accounts, args.rounds, args.profile)
            if args.only in (None, "hearing"):
                hearing = hear(services.settings, args.probes, args.rounds)
    if args.profile is not None:
        pstats.Stats(str(args.profile)).sort_stats("tottime").print_stats(40)
    found = [*complaints(reading, hearing)]
    lines = [f"## Alerts, {now()}", "", f"`{join(['python', '-m', 'benchmarks.alerting', *sys.argv[1:]])}`."]
    lines += ["", *reading_lines(reading, args.accounts)] if reading else []
    lines += ["", *hearing_lines(hearing)] if hearing else []
    lines += ["", f"**Not kept: {'; '.join(found)}.**" if found else "Kept.", "", facts()]
    text = "\n".join(lines)
    print(text)
    if args.write is not None:
        write_section(args.write, text, begin=BEGIN, end=END)
    for complaint in found:
        tell(f"bench: {complaint}")
    return 1 if found and not args.no_fail else 0


if __name__ == "__main__":
    sys.exit(main())

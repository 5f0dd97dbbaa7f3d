"""The faults that `livelift alerts` promises to survive, told once: `make test` plays short versions, `make chaos` long
ones.

Scores come while a channel is down, the process is killed, Redis is emptied. What it must come to: each alert is heard,
none more often than once and, at each kill, one more of each channel; and what Redis shows is what the topic says.
"""

import random
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import count
from threading import Event
from time import monotonic, sleep
from typing import Any

import msgspec

from consumers.alerts.log import read_alerts
from consumers.alerts.shown import shown, standing_of
from models.alerts.alert import Alert
from models.alerts.book import Book
from models.keys import OPEN_ALERTS
from tests.support.alerting import score
from tests.support.build import Json
from tests.support.faults import Outcome, Struck, quiet
from tests.support.listening import Hook
from tests.support.office import Office
from tests.support.stack import differences, until

RULES = """
[[channel]]
id = "hook"
url = "{hook}"
secret = "${{HOOK_SECRET}}"

[[rule]]
id = "at-risk"
when = {{ band = "at_risk" }}
cooldown_days = 14
"""
OTHER = '[[channel]]\nid = "other"\nurl = "{other}"\n'
FALLEN, LOWER, WELL = 10.0, 5.0, 80.0
TAKES_S, PACE_S = 0.02, 0.08
"""Seconds that the webhook takes for a message, and from one account that falls to the next: after a kill there is work
that has been left, and some more while it is caught up with."""
UPDATED_AFTER = 20
"""Accounts later, an account's score has moved again."""
WORKING_S, STARTING_S = (0.0, 2.0), (0.0, 2.5)
"""Seconds within which a process on duty is killed, and one that has just been started."""


@dataclass
class Heard(Outcome):
    """What a scenario of the alerts process came to. records: scores sent; events: alerts to be told; accepted: those of
    them that were heard once. again: messages that were heard again; may: how many may be, one at each kill."""

    again: int = 0
    may: int = 0


class Scene:
    """An installation that alerts, the faults that strike it, and the comparison at the end."""

    def __init__(self, scenario: str, office: Office, seed: int, tell: Callable[[str], None]) -> None:
        self.office, self.tell = office, tell
        self.chance = random.Random(f"{scenario} {seed}")
        self.outcome = Heard(scenario, 0, 0)
        self.expected: set[str] = set()
        """Accounts of which the webhook is to hear once."""
        self.well: set[str] = set()
        """Accounts that were well again before it could."""

    @contextmanager
    def playing(self) -> Iterator[None]:
        """On duty before anything comes; and when the block is through, everything is told and compared."""
        began = monotonic()
        self.office.start()
        yield
        assert self.office.child is not None
        self.office.wait(self.office.child)
        self.office.settle()
        self.compare()
        for complaint in unlike_topic(self.office):
            self.complain(complaint)
        self.outcome.seconds = monotonic() - began

    def send(self, *scores: Json) -> None:
        self.expected |= {one["account_id"] for one in scores}
        self.office.send(*scores)
        self.outcome.records += len(scores)

    def unheard(self) -> int:
        """Alerts that nobody has heard of yet."""
        return len(self.expected - {account for _, account, _ in self.office.hook.told()})

    def strike(self, what: str, fault: Callable[[], None], back: Callable[[], Any] | None = None) -> None:
        sent, unfinished = self.outcome.records, self.unheard()
        fault()
        began = monotonic()
        if back is not None:
            back()
        struck = Struck(what, sent, unfinished, monotonic() - began if back is not None else 0.0)
        self.outcome.struck.append(struck)
        self.tell(f"{what} at score {sent:,}: {unfinished:,} alerts unheard, {struck.back_s:.1f} s")

    def kill(self) -> None:
        """kill -9; a process that had left by itself before is a complaint."""
        child = self.office.child
        assert child is not None
        if child.ended() is not None:
            self.complain(f"the process had left by itself with exit code {child.ended()}: {child.last_lines()}")
        self.office.kill()

    def complain(self, text: str) -> None:
        self.tell(f"WRONG: {text}")
        self.outcome.complaints.append(f"{self.outcome.scenario}: {text}")

    def compare(self) -> None:
        """What the webhook has heard, with what was to be told there."""
        hook, outcome = self.office.hook, self.outcome
        times = self.heard_by("the webhook", hook, self.expected, outcome.may)
        outcome.events = len(self.expected)
        outcome.accepted = sum(times[account] == 1 for account in self.expected)
        outcome.again = times.total() - len(times)
        keys = {(one.body["alert_id"], one.key) for one in hook.heard if one.body["episode"] == 1}
        if others := len(keys) - len({id_ for id_, _ in keys}):
            self.complain(f"{others} messages had a key of their own when they came again")

    def heard_by(self, whom: str, hook: Hook, expected: set[str], may: int) -> Counter[str]:
        """Of each account, how often somebody has heard: of those expected and no others, `may` messages again."""
        accounts = (account for _, account, _ in hook.told())
        times = Counter(one for one in accounts if one and not one.startswith("last-"))  # no notices to the operator
        if lost := sorted(expected - times.keys()):
            self.complain(f"{whom} has not heard of {len(lost)} alerts: {lost[:5]}")
        if more := sorted(times.keys() - expected):
            self.complain(f"{whom} has heard of {len(more)} alerts that were over: {more[:5]}")
        if (again := times.total() - len(times)) > may:
            self.complain(f"{whom} has heard {again} messages again, of which {may} may come again")
        return times


def unlike_topic(office: Office) -> list[str]:
    """Where Redis does not show the alerts, and the figures of rules, that the topic's transitions add up to."""

    def both() -> tuple[dict[str, Any], dict[str, Any]]:
        book = Book()
        for alert in read_alerts(office.settings.kafka_python(), office.settings.topic("alerts")):
            book.put(alert)
        said = {one.id: shown(one, 0) for one in book.by_id.values() if is_open(one)}
        figures = {one["rule"]: one for one in office.figures()}
        return (
            {**without_time(office.shown()), "rules": figures},
            {**without_time(msgspec.to_builtins(said)), "rules": {one["rule"]: one for one in book.report(figures)}},
        )

    try:
        until("Redis shows what the topic says", lambda: not differences(*both()), deadline_s=30)
    except AssertionError:
        return differences(*both())
    return []


def is_open(alert: Alert) -> bool:
    standing = standing_of(alert)
    return standing is not None and standing.key == OPEN_ALERTS


def without_time(held: Any) -> Any:
    """Snapshots without the moment at which they were written."""
    if not isinstance(held, dict):
        return held
    return {name: without_time(value) for name, value in held.items() if name != "time"}


def empty(office: Office) -> None:
    """Redis has lost everything."""
    office.redis.delete(*office.redis.scan_iter(f"{office.settings.redis_prefix}*", count=10_000))


def channel(
    office: Office, outage_s: float, rounds: int, kill: bool = False, seed: int = 1, tell: Callable[[str], None] = quiet
) -> Heard:  # fmt: skip
    """The webhook answers 503 for so many seconds, while ten accounts fall in each of the rounds, and one of them is well
    again. Another channel tells of all of them at once. kill: the process, in the middle of it.

    What the webhook has refused is no message: there none may come again, elsewhere one may by the kill.
    """
    scene = Scene("channel", office, seed, tell)
    until_s = monotonic() + outage_s
    with Hook() as other:
        office.rules.write_text(office.rules.read_text() + OTHER.format(other=other.url))
        office.hook.down = True
        with scene.playing():
            for number in range(rounds):
                fall(scene, other, f"a{number}-")
                if kill and number == rounds // 2:
                    scene.strike("kill -9 while the channel is down", scene.kill, office.start)
                sleep(max(0.0, (until_s - monotonic()) / (rounds - number)))
            if office.hook.heard:
                scene.complain(f"{len(office.hook.heard)} messages were heard on a channel that was down")
            scene.strike("the channel is up again", partial(setattr, office.hook, "down", False),
                         lambda: until("all is told there, too", lambda: not scene.unheard()))  # fmt: skip
        scene.heard_by("the other channel", other, scene.expected | scene.well, int(kill))
    return scene.outcome


def fall(scene: Scene, other: Hook, name: str) -> None:
    """Ten accounts fall; the other channel tells of it, this one fails, and the first account is well again."""
    office, accounts = scene.office, {f"{name}{number}" for number in range(10)}
    refused = office.hook.refused
    scene.send(*(score(FALLEN, account=account) for account in sorted(accounts)))
    until("the other channel has told all", lambda: accounts <= {account for _, account, _ in other.told()})
    until("it was tried", lambda: office.hook.refused >= refused + len(accounts))
    until("it is seen that it fails", lambda: any(
        one["state"] == "due" and one["error"] == "answered 503"
        for alert in office.open().values() for one in alert["deliveries"]
    ))  # fmt: skip
    scene.send(score(WELL, account=f"{name}0"))  # over before anybody has heard of it there
    scene.expected.remove(f"{name}0")
    scene.well.add(f"{name}0")
    until("it is seen to be over", lambda: f"{name}0: at-risk" not in office.open())


def kills(
    office: Office, times: int, emptied: tuple[int, ...], seed: int = 1, tell: Callable[[str], None] = quiet
) -> Heard:  # fmt: skip
    """kill -9 of the process at random instants while scores come: in turns one that is on duty, and one wherever its
    start has got to. emptied: before which kills Redis is emptied; one that is on duty fills it again first."""
    scene = Scene("alerts", office, seed, tell)
    office.instance, office.hook.slow, scene.outcome.may = "alerts", TAKES_S, times
    with scene.playing(), falling(scene):
        for number in range(times):
            starting = number % 2 == 1
            if number in emptied:
                filled = None if starting else partial(until, "Redis is filled again", office.figures)
                scene.strike("Redis emptied", partial(empty, office), filled)
            sleep(scene.chance.uniform(*(STARTING_S if starting else WORKING_S)))
            until("there is something to tell", scene.unheard)
            what = "kill -9 while starting" if starting else "kill -9"
            scene.strike(what, scene.kill, partial(office.start, wait=starting))
    return scene.outcome


@contextmanager
def falling(scene: Scene) -> Iterator[None]:
    """Beside what the block does one account falls after the other, and later it falls further; every third is well
    again in between, and falls again within the cooldown of its rule."""
    over = Event()

    def fall_on() -> None:
        for number in count():
            if over.wait(PACE_S):
                return
            scene.send(score(FALLEN, account=f"k{number}"))
            earlier = number - UPDATED_AFTER
            if earlier >= 0:
                between = [score(WELL, account=f"k{earlier}")] if earlier % 3 == 0 else []
                scene.send(*between, score(LOWER, account=f"k{earlier}"))

    with ThreadPoolExecutor(1, thread_name_prefix="scores") as pool:
        falls = pool.submit(fall_on)
        try:
            yield
        finally:
            over.set()
        falls.result()

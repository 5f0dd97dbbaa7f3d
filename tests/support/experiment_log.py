"""A seeded log of customers who use a product while several experiments run, and the ways in which it may arrive.

Every event type that metrics read occurs, on few names, so that they meet: users and accounts are assigned (some twice,
some to an arm that is in no plan), convert before and after, take help, get into trouble, leave and come back.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import msgspec
import numpy as np

from models.clock import DAY, HOUR
from models.events import instant as micros_of
from tests.support.build import Json, Worker, event, instant, place, tick, world
from tests.support.subjects import metric, plan_of

DAYS = 40
END = instant(DAYS)
LATENESS = HOUR
ACCOUNTS = 130
KINDS = [
    ("converted", 14), ("tasks_completed", 10), ("task_completed:2", 9.5), ("time_to:1", 7), ("helped:CS", 14),
    ("helped:OTHER", 3), ("retained", 20), ("mrr", 14), ("adopted:board", 10), ("tickets", 14),
    ("concept_correct:vat", 12), ("outcome:gmv", 6.25),
]  # fmt: skip
"""Every kind of metric that any unit has, with its window in days; some weeks, some broken days."""
WINDOWS = {**dict(KINDS), "utilisation": 14}
ASSIGNED = instant(9, 7)
EDGES = [ASSIGNED + round(days * DAY) + off for days in (0, 1, 3, 6.25, 7, 9.5, 10, 12, 14, 20) for off in (-1, 0, 1)]
"""Around these instants accounts are put of which everything happens at one: ends of windows, landmarks, weeks."""
TRAITS = 'covariates = ["employees"]\nsegments = ["segment"]'
UPTAKE = 'uptake = { source = "CS" }\n'


def named(id_: str, text: Any) -> Any:
    """The plan under another name."""
    return msgspec.structs.replace(text, experiment=msgspec.structs.replace(text.experiment, id=id_))


def metrics(primary: str, utilisation: bool) -> list[str]:
    found = []
    for name, window in [*KINDS, *([("utilisation", 14)] if utilisation else [])]:
        role = "primary" if name == primary else "guardrail" if name == "tickets" else "secondary"
        found.append(metric(name, role, window, "margin = 0.1" if role == "guardrail" else "minimum_effect = 0.1"))
    return found


PLANS = [
    named("by-user", plan_of(*metrics("converted", False), unit="user", test=0.4, more=UPTAKE + TRAITS)),
    named("by-account", plan_of(*metrics("outcome:gmv", True), unit="account", test=0.4, more=UPTAKE + TRAITS)),
    named("also-by-user", plan_of(metric("tickets", "primary", 8), unit="user", more="uptake = { type = \"experiment_exposed\" }")),
    named("also-by-account", plan_of(metric("converted", "primary", 8), unit="account", more="uptake = {}")),
]  # fmt: skip
WORLD = world(*PLANS)


class _Chance:
    """Draws: instants in the log, choices."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)

    def at(self, first: float, last: float) -> int:
        """An instant between two days, often on the hour, so that instants coincide."""
        at = instant(self.rng.uniform(first, last))
        return at // HOUR * HOUR if self.rng.random() < 0.5 else at

    def happens(self, probability: float) -> bool:
        return bool(self.rng.random() < probability)

    def one_of(self, *options: Any) -> Any:
        return options[int(self.rng.integers(len(options)))]

    def times(self, mean: float) -> range:
        return range(int(self.rng.poisson(mean)))


def log(seed: int) -> list[Json]:
    """All events, each once, in the order of their instants."""
    found: list[Json] = []
    chance = _Chance(seed)
    for number in range(ACCOUNTS):
        account = f"account-{number}"
        users = [f"user-{i}" for i in range(int(chance.rng.integers(1, 5)))]
        found += [{**one, "account_id": account} for one in _account(chance, users)]
        for user in users:
            found += [{**one, "account_id": account, "user_id": user} for one in _user(chance)]
    for number, at in enumerate(EDGES):
        found += [{**one, "account_id": f"edge-{number}"} for one in _at_the_edge(at)]
    return sorted(found, key=lambda one: one["at"])


def _at_the_edge(at: int) -> Iterator[Json]:
    """Users of an account to whom all sorts of things happen at one and the same instant."""
    for experiment in ("by-account", "by-user"):
        yield _assigned(experiment, "test" if at % 2 else "control", ASSIGNED, None)
    for user, more in (("everything", _happenings(at)), ("tasks", [event("help_engaged", at, source="OTHER")])):
        yield from [{**one, "user_id": user} for one in (*_tasks_at(at), *more)]
    yield event("task_started", at - DAY, user="overdue", task="2")
    yield event("help_engaged", at, user="overdue", source="CS")
    yield event("converted", at, user="converted", mrr=7)
    yield event("task_completed", ASSIGNED + DAY, user="converted", task="1")


def _tasks_at(at: int) -> Iterator[Json]:
    for task in ("1", "2"):
        yield event("task_started", at, task=task)
        yield event("task_completed", at, task=task)
    yield event("task_failed", ASSIGNED, task="2")
    yield event("task_failed", at, task="2")


def _happenings(at: int) -> Iterator[Json]:
    yield event("help_needed", at)
    for source in ("OTHER", "CS"):
        yield event("help_engaged", at, source=source)
    yield event("mrr_changed", at, mrr=5)
    yield event("mrr_changed", at, mrr=8)
    yield event("churned", at)
    yield event("core_action", at, feature="board")
    yield event("ticket_opened", at, ticket="1")
    yield event("concept_checked", at, concept="vat", correct=True)
    yield event("outcome_observed", at, name="gmv", value=0.5)
    yield event("traits_set", at, segment="small")
    yield event("traits_set", at, segment="large", employees=4)


def _account(chance: _Chance, users: list[str]) -> Iterator[Json]:
    """What happens to an account as such."""
    arm, began = chance.one_of("control", "control", "control", "test", "test"), chance.at(1, 30)
    for experiment in ("by-account", "also-by-account"):
        if chance.happens(0.9):
            # assigned as an account, or by way of one of its users
            who = chance.one_of(None, None, *users)
            yield _assigned(
                experiment,
                arm if experiment == "by-account" else chance.one_of("control", "test"),
                began + chance.one_of(0, 0, DAY),
                who,
            )
        if chance.happens(0.08):
            yield _assigned(experiment, chance.one_of("control", "test", "third"), chance.at(0, 35), None)
        if chance.happens(0.3):
            yield event("experiment_exposed", chance.at(0, 40), user=None, experiment=experiment)
    if chance.happens(0.1):
        yield _assigned("by-user", arm, began, None)
    if chance.happens(0.2):
        yield event("converted", chance.at(0, 40), user=None, mrr=round(chance.rng.uniform(10, 90), 2))
    for _ in chance.times(0.4):
        yield event("churned", chance.at(5, 40), user=None)
    for _ in chance.times(0.6):
        yield event("mrr_changed", chance.at(0, 40), user=None, mrr=chance.one_of(19, 49.5, 99.99, 0))
    for _ in chance.times(1):
        yield event("traits_set", chance.at(0, 30), user=None, employees=chance.one_of(3, 12, 250.5))
    for _ in chance.times(1):
        yield event("ticket_opened", chance.at(0, 40), user=None, ticket="9")
        yield event("outcome_observed", chance.at(0, 40), user=None, name="gmv", value=chance.one_of(0, 1, 7.25))
    if chance.happens(0.1):
        yield event("core_action", chance.at(0, 40), user=None, feature="board")


def _user(chance: _Chance) -> Iterator[Json]:
    """What one person does."""
    start = chance.at(0, 25)
    arm = chance.one_of("control", "control", "test")
    for experiment in ("by-user", "also-by-user"):
        if chance.happens(0.85):
            yield _assigned(experiment, arm if experiment == "by-user" else chance.one_of("control", "test"),
                            start + chance.one_of(0, 0, 0, 30 * DAY // 24, 12 * DAY))  # fmt: skip
        if chance.happens(0.04):
            yield _assigned(experiment, chance.one_of("control", "test", "third"), chance.at(0, 35))
        if chance.happens(0.2):
            yield event("experiment_exposed", chance.at(0, 40), experiment=experiment)
    yield from _onboarding(chance, start)
    yield from _use(chance, arm)
    yield from _contract(chance, arm)


def _use(chance: _Chance, arm: str) -> Iterator[Json]:
    """Help, visits, features, tickets, what is observed and said of them."""
    for source, mean in (("CS", 0.8 if arm == "control" else 1.2), ("OTHER", 0.8)):
        for _ in chance.times(mean):
            yield event("help_engaged", chance.at(0, 40), source=source, channel=chance.one_of("chat", "mail"))
    for _ in chance.times(2 if arm == "control" else 3):
        yield event("session_started", chance.at(0, 40))
    if chance.happens(0.4):
        day = chance.rng.uniform(5, 36)
        for ahead in range(4):
            yield event("session_started", instant(day + ahead))
    for _ in chance.times(0.8):
        yield event("core_action", chance.at(5, 40), feature=chance.one_of("board", "board", "report"))
    for _ in chance.times(1.2):
        yield event("ticket_opened", chance.at(0, 40), ticket="1")
        yield event(
            "concept_checked", chance.at(0, 40), concept=chance.one_of("vat", "gst"), correct=chance.happens(0.6)
        )
    for _ in chance.times(2):
        yield event("outcome_observed", chance.at(0, 40), name=chance.one_of("gmv", "gmv", "nps"),
                    value=round(chance.rng.normal(5, 20), 6))  # fmt: skip
    for _ in chance.times(0.8):
        yield event("traits_set", chance.at(0, 30), segment=chance.one_of("small", "large", "public"))


def _contract(chance: _Chance, arm: str) -> Iterator[Json]:
    """Converting, paying, leaving, coming back."""
    if chance.happens(0.25 if arm == "control" else 0.35):
        yield event("converted", chance.at(0, 40), mrr=chance.one_of(9, 29.5))
    if chance.happens(0.07):
        yield event("churned", chance.at(5, 40))
    if chance.happens(0.2):
        yield event("renewed", chance.at(5, 40), mrr=round(chance.rng.uniform(0, 50), 3))
    if chance.happens(0.1):
        yield event("member_removed", chance.at(5, 40))
        if chance.happens(0.5):
            yield event("member_added", chance.at(5, 40))


def _onboarding(chance: _Chance, start: int) -> Iterator[Json]:
    at = start + round(chance.rng.exponential(DAY)) - DAY // 2
    for task in ("1", "2", "3"):
        at = max(instant(0), at)
        if chance.happens(0.9):
            yield event("task_started", at, task=task)
        for _ in chance.times(0.6):
            at += round(chance.rng.exponential(4 * HOUR))
            yield event("task_failed", at, task=task)
        if chance.happens(0.15):
            yield event("help_needed", at, **chance.one_of({}, {"task": task}))
        if not chance.happens(0.8):
            return
        at += round(chance.rng.exponential(20 * HOUR))
        yield event("task_completed", at, task=task)
        at += round(chance.rng.exponential(12 * HOUR))


def _assigned(experiment: str, arm: str, at: int, user: str | None = "ann") -> Json:
    return event("experiment_assigned", at, user=user, experiment=experiment, arm=arm)


# -- how it arrives ----------------------------------------------------------------------------------------------------


def arrivals(events: list[Json], seed: int | None = None, hours: int = 12) -> list[Json]:
    """The log with ticks between: in order, or (seeded) each event up to the lateness after its time, a few days late,
    and some of them twice."""
    rng = np.random.default_rng(seed)
    placed: list[tuple[int, int, Json]] = []
    for one in events:
        at = micros_of(datetime.fromisoformat(one["at"]))
        if seed is not None:
            at += int(rng.integers(0, LATENESS)) if rng.random() < 0.97 else int(rng.integers(0, 5 * DAY))
            if rng.random() < 0.02:
                placed.append((min(at + int(rng.integers(0, DAY)), END - 1), 0, one))
        placed.append((min(at, END - 1), 0, one))
    placed += [(at, 1, tick(at)) for at in range(instant(0), END + 1, hours * HOUR)]
    return [one for *_, one in sorted(placed, key=lambda item: item[:2])]


def played(timeline: list[Json], partitions: int = 1) -> list[Worker]:
    """One worker a partition, each with its accounts' events and every tick."""
    home = place(partitions)
    workers = []
    for number in range(partitions):
        worker = Worker(WORLD, number=number, partitions=partitions)
        worker.given(*[one for one in timeline if one["type"] == "tick" or home(one["account_id"]) == number])
        workers.append(worker)
    return workers

"""The onboarding funnel in words and rows: where people are lost, who is stuck, and what help came before success."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from consumers.dashboard.words import name_of, number, percent

Json = Mapping[str, Any]
ENVELOPE = {"schema", "as_of", "published_at", "fence", "simulated"}
NEXT = {
    "offer help": "Offer help with task {}",
    "start": "Ask whether task {} can begin",
    "continue": "Let them go on with task {}",
}
SOURCES = {"CS": "customer success", "OTHER": "elsewhere"}
TRENDS = {"by_hour": "hour", "by_day": "day", "by_experience": "experience"}


class Task(NamedTuple):
    """A task of a journey. left: begun and not completed, as a share too."""

    task: str
    reached: str
    started: int
    completed: int
    left: str
    hours: str
    stuck: int
    skipped: int


class Stuck(NamedTuple):
    """Somebody who is in trouble."""

    account_id: str
    account: str
    user_id: str
    journey: str
    task: str
    since: str | None
    why: str
    next_step: str


class Helped(NamedTuple):
    """Of those looked at who completed a task: how many had taken help before, by whose, and how many none."""

    journey: str
    task: str
    completed: int
    cs: str
    other: str
    neither: str


class Chosen(NamedTuple):
    """The experiment whose trends are shown; no name where there is none. because: why, if there are no trends of it.
    names: of all experiments, in the order of the list."""

    name: str
    hypothesis: str
    because: str
    names: tuple[str, ...]


def journeys(funnel: Json | None) -> dict[str, Json]:
    return {name: one for name, one in (funnel or {}).items() if name not in ENVELOPE}


def tasks(journey: Json) -> list[Task]:
    users, skipped = journey["users"], journey.get("skipped", {})
    return [_task(task, row, users, skipped.get(task, 0)) for task, row in journey["tasks"].items()]


def _task(task: str, row: Json, users: int, skipped: int) -> Task:
    left = row["started"] - row["completed"]
    hours = row["median_hours"]
    return Task(
        task, percent(row["started"] / users) if users else "nobody yet", row["started"], row["completed"],
        f"{number(left)} ({percent(left / row['started'])})" if row["started"] else "nobody has begun",
        "nobody has completed it" if hours is None else lasting(hours), row["stuck"], skipped,
    )  # fmt: skip


def lasting(hours: float) -> str:
    """A median time to complete."""
    if hours < 1:
        return f"{60 * hours:.0f} minutes" if hours else "under a minute"
    return f"{hours:.1f} hours" if hours < 48 else f"{hours / 24:.1f} days"


def funnel_in_words(name: str, journey: Json) -> str:
    """What the chart shows, with where most are lost."""
    lost = {task: row["started"] - row["completed"] for task, row in journey["tasks"].items()}
    told = ", ".join(
        f"task {task}: {row['started']:,} began and {row['completed']:,} completed it"
        for task, row in journey["tasks"].items()
    )
    worst = max(lost, key=lambda task: lost[task], default=None)
    most = "" if worst is None or not lost[worst] else f" Most are lost at task {worst}."
    return f"Journey {name}, {journey['users']:,} users: {told}.{most}"


def stuck_count(journeys: Mapping[str, Json]) -> int:
    """How many the funnel counts at all tasks: somebody who is stuck at two counts twice."""
    return sum(row["stuck"] for one in journeys.values() for row in one["tasks"].values())


def doses(journey: Json) -> list[tuple[str, str, str, str]]:
    return [
        (number(row["completions"]), number(row["users"]), number(row["converted"]),
         "nobody is there" if row["rate"] is None else percent(row["rate"], 1)) for row in journey["dose"]
    ]  # fmt: skip


def trouble_rule(journey: Json) -> str:
    """How far being stuck tells who will not make it."""
    rule = journey.get("trouble_rule") or {}
    precision, recall = rule.get("precision"), rule.get("recall")
    if precision is None and recall is None:
        because = rule.get("because", "nothing is told of it")
        return f"How far being stuck tells who will not make it is not known: {because}."
    parts = []
    if precision is not None:
        parts.append(f"of those who were ever stuck {percent(precision)} did not complete everything")
    if recall is not None:
        parts.append(f"of those who did not, {percent(recall)} had been stuck")
    return f"Of {number(rule['users'])} users whose trial is over: {'; '.join(parts)}."


# -- people ------------------------------------------------------------------------------------------------------------


def stuck(signals: Mapping[str, Mapping[str, Json]], names: Mapping[str, str]) -> list[Stuck]:
    """Those in trouble, who wait longest first. signals: by account, as `journeys:{account}`. names: of accounts."""
    found = [
        _stuck(account_id, names.get(account_id, account_id), one)
        for account_id, fields in signals.items() for one in fields.values() if in_trouble(one)
    ]  # fmt: skip
    return sorted(found, key=lambda one: (one.since is None, one.since or "", one.account_id, one.user_id))


def in_trouble(signal: Json) -> bool:
    return bool((signal.get("trouble") or {}).get("yes"))


def _stuck(account_id: str, account: str, one: Json) -> Stuck:
    step = one.get("next_step")
    task = (step or {}).get("task") or one.get("position") or ""
    says = "Nothing: every task is completed" if step is None else NEXT.get(step["do"], step["do"]).format(step["task"])
    return Stuck(account_id, account, one["user_id"], one["journey"], task, one.get("stuck_since"),
                 "; ".join(one["trouble"]["why"]), says)  # fmt: skip


def chosen(people: Iterable[Stuck], journey: str, task: str) -> list[Stuck]:
    """Those at one journey and task; empty means any."""
    return [one for one in people if journey in ("", one.journey) and task in ("", one.task)]


def names_of(accounts: Iterable[Json | None]) -> dict[str, str]:
    return {one["account_id"]: name_of(dict(one)) for one in accounts if one is not None}


def helped(signals: Mapping[str, Mapping[str, Json]], journeys: Mapping[str, Json]) -> list[Helped]:
    """Help before success, of the users looked at."""
    counts: Counter[tuple[str, str, str]] = Counter()
    for fields in signals.values():
        for one in fields.values():
            for task, state in one.get("tasks", {}).items():
                if state == "completed":
                    counts.update((one["journey"], task, what) for what in _before(one, task))
    rows = [(name, task) for name, journey in journeys.items() for task in journey["tasks"]]
    return [_helped(name, task, counts) for name, task in rows if counts[name, task, "completed"]]


def _before(one: Json, task: str) -> set[str]:
    """Whose help came before this task was completed. Kinds of help are `CS:chatbot` and the like."""
    before = ((one.get("help") or {}).get(task) or {}).get("before", {})
    sources = {kind.partition(":")[0] for kind in before}
    return {"completed", *(sources or {"neither"})}


def _helped(journey: str, task: str, counts: Mapping[tuple[str, str, str], int]) -> Helped:
    of = counts[journey, task, "completed"]
    cs, other, neither = (_part(counts.get((journey, task, what), 0), of) for what in ("CS", "OTHER", "neither"))
    return Helped(journey, task, of, cs, other, neither)


def _part(part: int, whole: int) -> str:
    return f"{number(part)} ({percent(part / whole)})"


# -- trends ------------------------------------------------------------------------------------------------------------


def chosen_experiment(listed: Json | None, asked: str) -> Chosen:
    """The experiment that is asked for; else the first of which something is read, or the first.

    listed: the snapshot of all.
    """
    rows = {row["experiment"]: row for row in (listed or {}).get("experiments", ())}
    known = [name for name, row in rows.items() if row.get("decision") is not None]
    name = asked or next(iter([*known, *rows]), "")
    row = rows.get(name)
    if row is None:
        return Chosen(name, "", "there is no experiment of this name", (*rows,))
    waits = row.get("because") if row.get("decision") is None else None
    return Chosen(name, row.get("hypothesis") or "", waits or "nobody in it has begun a task yet", (*rows,))


def trends(success: Json | None) -> dict[str, list[tuple[str, str, str, str]]]:
    """Share of begun tasks that were completed: by hour of the day, day since assignment, tasks done before."""
    return {
        name: [
            (_place(of, row[of]), number(row["begun"]), number(row["completed"]), percent(row["rate"])) for row in rows
        ]
        for name, of in TRENDS.items() if (rows := (success or {}).get(name))
    }  # fmt: skip


def _place(of: str, value: int) -> str:
    return f"{value:02}:00 to {value:02}:59 UTC" if of == "hour" else f"{value:,}"


def trend_in_words(what: str, rows: Sequence[tuple[str, str, str, str]]) -> str:
    ends = ", ".join(f"{row[3]} at {row[0]}" for row in dict.fromkeys((rows[0], rows[-1])))
    return f"Share of begun tasks that were completed, by {what}: {ends}."

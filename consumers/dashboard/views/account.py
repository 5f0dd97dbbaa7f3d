"""One account in words: what its snapshots say of its score, and why."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import quote

import msgspec

from models.alerts import figures
from models.alerts.evidence import MODEL_CHANGED, Score
from models.alerts.inputs import meaning_of
from models.alerts.names import name
from models.alerts.scored import signs_in_words
from models.basis import HEURISTIC

Json = Mapping[str, Any]
GOOD_END = {"churn": "of staying", "conversion": "of converting", "inactivity": "of staying active"}
CAUSES = {"time passed": "nothing came, time passed", MODEL_CHANGED: "the model has learned"}
TRAINING = "trained_share", "lessons", "comprehension"
"""Inputs of a score that tell of training."""
TRAINED_ANEW = 7
"""Days from which a trained user who is not there counts as gone."""


class Fact(NamedTuple):
    """One thing that is told of an account. why: where there is no value, why not; else what it rests on."""

    label: str
    value: str = ""
    why: str = ""


class Part(NamedTuple):
    """A driver in words. points: signed, as text; contribution: the same as a number."""

    label: str
    value: str
    typical: str
    change: str
    points: str
    contribution: float


def address_of(account_id: str) -> str:
    """The address of an account's page, whatever its id holds."""
    return f"/accounts/{quote(account_id, safe='')}"


def trait(account: Json, which: str) -> str | None:
    """A trait as text; None where nothing is told, or nothing any more."""
    told = (account.get("traits") or {}).get(which)
    if isinstance(told, float) and told.is_integer():
        return str(int(told))
    return None if told is None or told == "" else str(told)


def called(account: Json) -> str:
    """An account by its name, else by its id."""
    return trait(account, "name") or str(account.get("account_id", ""))


def parts_of(account: Json) -> list[Part]:
    """The drivers of a score, those that move it most first."""
    told = sorted(account.get("drivers") or (), key=lambda one: (-abs(one["contribution"]), one["feature"]))
    return [_part(one, str(account.get("basis", HEURISTIC))) for one in told]


def _part(driver: Json, basis: str) -> Part:
    label, unit = meaning_of(driver["feature"], basis)
    value, typical, change = driver.get("value"), driver.get("typical"), driver.get("change_7d")
    return Part(
        label,
        "not known" if value is None else figures.amount(value, unit),
        "" if typical is None else figures.bounds(*typical, unit),
        "" if change is None else figures.moved(change, unit),
        figures.signed_points(driver["contribution"]),
        driver["contribution"],
    )


def reason(account: Json) -> str:
    """The driver that pulls a score down most, in words; empty where none does."""
    told = account.get("drivers") or ()
    lowest = min(told, key=lambda one: (one["contribution"], one["feature"]), default=None)
    if lowest is None or lowest["contribution"] >= 0:
        return ""
    worst = _part(lowest, str(account.get("basis", HEURISTIC)))
    if worst.points == "0":
        return ""
    typical = f", typically {worst.typical}" if worst.typical else ""
    return f"{plain(worst.label)}: {worst.value}{typical} ({worst.points} points)"


def plain(label: str) -> str:
    """An input's label without what is said of it in brackets."""
    return label.partition(" (")[0]


def facts(account: Json, label: Json | None) -> Iterator[Fact]:
    """Probability, revenue and renewal; of each that is not known, why. label: what the model learns, where told."""
    because = str(account.get("because") or "not told")
    kind, days = (label or {}).get("kind", ""), (label or {}).get("horizon_days")
    end = GOOD_END.get(kind, "of a good end") + (f" for the next {figures.count(days, 'day')}" if days else "")
    probability = account.get("probability")
    if probability is None:
        yield Fact(f"Probability {end}", why=because)
    else:
        yield Fact(f"Probability {end}", figures.percent(probability),
                   _between(account.get("probability_interval"), figures.percent))  # fmt: skip
    risk = account.get("risk")
    if risk is not None:
        edges = f"watch from {figures.number(risk['watch_from'])}, at risk from {figures.number(risk['at_risk_from'])}"
        usual = f"the usual risk is {figures.percent(risk['usual_rate'])}"
        yield Fact(
            "Risk against the usual", f"{figures.number(risk['times_usual'])} times the usual odds", f"{edges}; {usual}"
        )
    mrr, lost = account.get("mrr"), account.get("revenue_at_risk")
    if lost is None:
        yield Fact("Revenue at risk a month", why=because)
    else:
        of = "" if mrr is None else f"of {figures.money(mrr)}"
        between = _between(account.get("revenue_at_risk_interval"), figures.money)
        yield Fact("Revenue at risk a month", figures.money(lost), ", ".join(filter(None, (of, between))))
    if lost is None and mrr is not None:
        yield Fact("Revenue a month", figures.money(mrr))
    chance = account.get("renewal_probability")
    if chance is None:
        yield Fact("Renewal", why=str(account.get("renewal_because") or "no renewal date of the account has been told"))
    else:
        yield Fact("Probability of renewing", figures.percent(chance))


def _between(interval: Sequence[float] | None, written: Any) -> str:
    return "" if interval is None else f"between {written(interval[0])} and {written(interval[1])}"


def signs(account: Json) -> list[str]:
    """What is to be acted on whatever the score says."""
    return list(signs_in_words(msgspec.convert(account, Score)))


def causes(account: Json) -> list[tuple[str, str]]:
    """What came when the score was last sent, the latest last: in words, and the event's id."""
    return [(_cause(one["type"]), str(one.get("event", ""))) for one in account.get("causes") or ()]


def _cause(kind: str) -> str:
    return CAUSES.get(kind) or name(kind.replace("_", " ")).capitalize()


def kind_of(score: Json) -> str:
    """Scores of one kind may be compared; a model has versions of one kind."""
    return str(score.get("basis", HEURISTIC)).partition("@")[0]


# -- people ------------------------------------------------------------------------------------------------------------


class Person(NamedTuple):
    """One user on one journey."""

    user: str
    journey: str
    done: int
    of: int
    at: str
    stuck: bool
    since: str | None
    why: tuple[str, ...]
    step: str
    tasks: tuple[tuple[str, str], ...]


def people(journeys: Mapping[str, Json]) -> list[Person]:
    """An account's users on their journeys: those in trouble first, then who has most before them."""
    found = [_person(one) for one in journeys.values()]
    return sorted(found, key=lambda one: (not one.stuck, one.since or "", one.done - one.of, one.user, one.journey))


def _person(signal: Json) -> Person:
    trouble, tasks = signal.get("trouble") or {}, signal.get("tasks") or {}
    return Person(
        str(signal.get("user_id", "")), str(signal.get("journey", "")), int(signal.get("completed") or 0), len(tasks),
        str(signal.get("position") or ""), bool(trouble.get("yes")), signal.get("stuck_since"),
        tuple(trouble.get("why") or ()), step(signal),
        tuple((task, str(state).replace("_", " ")) for task, state in tasks.items()),
    )  # fmt: skip


def step(signal: Json) -> str:
    """What to do next for a user; empty when they are through."""
    told = signal.get("next_step")
    return (
        ""
        if not told
        else f"{str(told['do']).capitalize()} {'with ' if 'help' in told['do'] else ''}task {told['task']}"
    )


# -- training ----------------------------------------------------------------------------------------------------------


def training(account: Json, education: Json | None) -> list[Fact]:
    """How far an account's users are trained, as far as its snapshots tell, beside all accounts."""
    told = [*_counted(account.get("training")), Fact("Activity of trained users", _trained(account))]
    inputs = [one for one in account.get("drivers") or () if one["feature"].partition(":")[0] in TRAINING]
    told += [Fact(part.label, part.value, f"typically {part.typical}" if part.typical else "")
             for part in (_part(one, str(account.get("basis", HEURISTIC))) for one in inputs)]  # fmt: skip
    months = (education or {}).get("coverage") or []
    if months:
        last = months[-1]["accounts"]
        share = "" if last.get("share") is None else f"{figures.percent(last['share'])} of "
        told.append(Fact(f"All accounts, {months[-1]['month']}",
                         f"{last['with_trained_user']:,} of {last['active']:,} active accounts have a trained user",
                         f"{share}those active" if share else "no account was active"))  # fmt: skip
    return told


def _counted(found: Json | None) -> Iterator[Fact]:
    """How many users have taken training, when last, and how it went. found: None from a scorer of an older version."""
    if found is None:
        yield Fact("Trained users", why="its score has not been told anew since this is counted")
        return
    users, trained, last = found["users"], found["trained"], found["last_lesson"]
    when = f"the last lesson was completed on {last}" if last else "no lesson has been completed"
    yield Fact("Trained users", _part_of(trained, users, "user") if users else "it has no users", when)
    checked, right = found["checked"], found["first_try_correct"]
    asked = _part_of(right, checked, "answer") if checked else "nobody has been asked"
    yield Fact("Concepts understood at the first try", asked)


def _part_of(part: int, whole: int, noun: str) -> str:
    return f"{part:,} of {figures.count(whole, noun)} ({figures.percent(part / whole)})"


def _trained(account: Json) -> str:
    days = (account.get("signs") or {}).get("trained_gone_days")
    if days is None:
        return "none that has completed a lesson is known to have been active"
    if days < TRAINED_ANEW:
        return "somebody who completed a lesson was active within the last week"
    return (
        f"nobody who completed a lesson was active for {figures.count(days, 'day')}{' or more' if days >= 28 else ''}"
    )


# -- over time ---------------------------------------------------------------------------------------------------------


class Point(NamedTuple):
    """A score at a moment. band: None where only a day's close is known. kind: scores of one may be compared. since:
    from when on the band has been held."""

    at: str
    score: float
    band: str | None
    kind: str
    since: str = ""


def points(history: Sequence[Json], account: Json | None) -> list[Point]:
    """An account's scores over time, the oldest first: all that were sent, and the closes of days between them."""
    sent = [*history, *([account] if account is not None else [])]
    closes = {day: Point(f"{day}T23:59:59Z", score, None, kind_of(one))
              for one in sent for day, score in one.get("closes") or ()}  # fmt: skip
    told = {one["at"]: Point(one["at"], one["score"], one["band"], kind_of(one), _band_since(one)) for one in sent}
    days = {one[:10] for one in told}
    return sorted((*told.values(), *(one for day, one in closes.items() if day not in days)), key=lambda one: one.at)


def _band_since(score: Json) -> str:
    day = score.get("band_since")
    return min(f"{day}T00:00:00Z", score["at"]) if day else str(score["at"])

"""The model in words: what scores rest on, how good they were, what has moved, what was held out, who else learns."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from consumers.dashboard.words import number, percent, signed
from models.alerts import figures
from models.alerts.inputs import meaning_of
from models.clock import date_of
from models.health.inputs import is_chosen
from models.health.listed import INPUTS, input_of
from models.health.proposal import proposal

Json = Mapping[str, Any]
ENDS = {"churn": "leaves", "conversion": "converts", "inactivity": "is no longer active"}
KINDS = {
    "logistic": "Logistic regression", "bayes": "Naive Bayes", "forest": "Adaptive random forest",
    "tree": "Hoeffding adaptive tree", "index": "Activity index",
}  # fmt: skip
ROLES = {"champion": "Scores", "challenger": "Learns beside it", "baseline": "For comparison"}
MODEL = "model"
"""Any basis but the activity index's: inputs of a model."""


class Figure(NamedTuple):
    """One measure: its name, itself, its 95 % interval, what it means. because: why it or the interval is not known."""

    name: str
    value: str
    interval: str
    says: str
    because: str


class Contender(NamedTuple):
    """One model (or the index). minus: by figure, the difference from the champion's."""

    name: str
    role: str
    basis: str
    labels: str
    figures: Mapping[str, str]
    minus: Mapping[str, str]
    evidence: str
    proposed: bool


class Moved(NamedTuple):
    """An input whose mean has moved (or what the score gets wrong)."""

    name: str
    label: str
    flag: bool
    seen: str
    since: str
    before: str
    after: str


class Held(NamedTuple):
    """An input that tells too much."""

    name: str
    label: str
    says: str
    since: str
    allowed: bool


class Listed(NamedTuple):
    """An input of the score. read: whether the model reads it, or how much of it. leaks: the names under it that are
    held out or allowed. moved: those that drift."""

    name: str
    label: str
    unit: str
    meaning: str
    read: str
    leaks: tuple[Held, ...]
    moved: tuple[str, ...]


def kind_in_words(kind: str) -> str:
    return KINDS.get(kind, kind)


def headline(model: Json) -> str:
    """What scores rest on, in a sentence."""
    label = model["label"]
    end, days = ENDS.get(label["kind"], label["kind"]), label["horizon_days"]
    if model["basis"] == "heuristic":
        return (
            "There is no model yet: scores are an activity index, weighed by hand. It says how busy an account is, not "
            f"how likely it {end}."
        )
    kind = kind_in_words(model["model"]).lower()
    return f"Scores are probabilities by {kind}: whether an account {end} within {days} days."


def figure(found: Json, digits: int = 3) -> tuple[str, str, str]:
    """A figure, its interval, and why either is not known."""
    value = "not known" if found.get("estimate") is None else number(found["estimate"], digits)
    return value, interval(found.get("ci"), digits), str(found.get("because", ""))


def interval(ci: Any, digits: int = 3) -> str:
    if ci is None:
        return "not known"
    low, high = ci
    return f"{'any' if low is None else number(low, digits)} to {'any' if high is None else number(high, digits)}"


def goodness(judged: Json, label: Json) -> list[Figure]:
    """How good scores have been, the plainest first."""
    if "auc" not in judged:
        return []
    end = ENDS.get(label["kind"], label["kind"])
    return [
        _named("Top-decile lift", judged["lift"], f"Of the tenth that looked most likely, so many times as often an "
               f"account {end} as of all. 1 is no better than drawing blindly.", 2),
        _named("AUC", judged["auc"], f"How often, of an account that {end} and one that does not, the score tells "
               "which is which. 0.5 is a coin."),
        _named("Brier skill", judged["brier_skill"], "The part of the squared error that the score saves, against "
               "saying the usual rate of everybody. 0 is no better, 1 is perfect."),
        _named("Brier score", judged["brier"], "Mean squared error of the probabilities; lower is better."),
        _named("Log-loss", judged["log_loss"], "Mean surprise at what came; lower is better, and dear where the score "
               "was sure and wrong."),
    ]  # fmt: skip


def calibration(judged: Json) -> list[Figure]:
    """Whether what was said 3 % happens 3 % of the time."""
    if "slope" not in judged:
        return []
    error = judged["calibration_error"]
    usual = error["if_calibrated"]
    says = "Mean distance of what was said from what came. It is never 0"
    if usual["q95"] is not None:
        says += f": of a calibrated score it would be about {usual['mean']:.3f}, and in 95 % below {usual['q95']:.3f}"
    return [
        _named("Observed over expected", judged["observed_over_expected"], "1: as many as said. Above 1: more.", 2),
        _named("Slope", judged["slope"], "1: differences are as large as said. Below 1: the score is too sure.", 2),
        _named("Intercept", judged["intercept"], "0: neither too high nor too low on the whole (log odds).", 2),
        Figure("Calibration error", "not known" if error["estimate"] is None else number(error["estimate"], 3),
               "not told", f"{says}.", ""),
    ]  # fmt: skip


def _named(name: str, found: Json, says: str, digits: int = 3) -> Figure:
    value, ci, because = figure(found, digits)
    return Figure(name, value, ci, says, because)


def apart_from_contacted(judged: Json) -> list[Figure]:
    alone = judged.get("without_contacted", {})
    if "auc" not in alone:
        return []
    says = (
        "Without accounts that customer success was in contact with: whoever was saved teaches that the risk was low."
    )
    return [_named("Top-decile lift", alone["lift"], says, 2), _named("AUC", alone["auc"], says)]


def reliability(judged: Json) -> list[Json]:
    """Bins of equal mass from the safest to the riskiest; those of which the observed share is known."""
    return [row for row in judged.get("reliability", ()) if row["observed"] is not None and row["mean_p"] is not None]


def reliability_in_words(rows: list[Json]) -> str:
    """What is to be seen in the chart."""
    first, last = rows[0], rows[-1]
    off = [row for row in rows if row["ci"] is not None and not _within(row["mean_p"], row["ci"])]
    return (
        f"Observed share over the probability that was said, in {len(rows)} bins: where {percent(first['mean_p'], 1)} "
        f"was said {percent(first['observed'], 1)} came, where {percent(last['mean_p'], 1)} was said "
        f"{percent(last['observed'], 1)} came; in {len(off)} of {len(rows)} what was said is outside the interval."
    )


def _within(value: float, ci: Any) -> bool:
    low, high = ci
    return (low is None or low <= value) and (high is None or value <= high)


def reliability_table(rows: list[Json]) -> list[tuple[str, ...]]:
    return [
        (percent(row["mean_p"], 1), percent(row["observed"], 1), _shares(row["ci"]), number(row["rows"]),
         number(row["accounts"]))
        for row in rows
    ]  # fmt: skip


def _shares(ci: Any) -> str:
    return "not known" if ci is None else f"{percent(ci[0], 1)} to {percent(ci[1], 1)}"


# -- models beside each other ------------------------------------------------------------------------------------------


def contenders(model: Json) -> list[Contender]:
    return [_contender(kind, one) for kind, one in model.get("contenders", {}).items()]


def _contender(kind: str, one: Json) -> Contender:
    minus = one.get("minus_champion", {})
    found = proposal(one) if one["role"] == "challenger" else None
    with_event, without = one.get("labels", (None, None))
    return Contender(
        kind_in_words(kind), ROLES.get(one["role"], one["role"]), one.get("basis") or one.get("because") or "by hand",
        "none needed" if with_event is None else f"{number(with_event)} with the event, {number(without)} without",
        {name: _both(one[name]) for name in ("auc", "lift") if name in one},
        {name: _both(minus[name], signed) for name in ("auc", "lift", "log_loss", "brier") if name in minus},
        "" if found is None else found.because, found is not None and found.promote,
    )  # fmt: skip


def _both(found: Json, written: Any = number) -> str:
    """A figure with its interval in one cell."""
    if found.get("estimate") is None:
        return f"not known: {found.get('because', 'no reason is told')}"
    told = written(found["estimate"], 3)
    if found.get("ci") is None:
        return f"{told} ({found.get('because', 'no interval')})"
    low, high = found["ci"]
    return f"{told} ({written(low, 3)} to {written(high, 3)})"


# -- what has moved ----------------------------------------------------------------------------------------------------


def drift(model: Json) -> list[Moved]:
    """Those flagged first, then by name; what the champion gets wrong on top, if it ever moved."""
    told = model.get("drift", {})
    rows = [_moved(name, one) for name, one in told.get("inputs", {}).items() if one["drift"] is not None]
    rows.sort(key=lambda row: (not row.flag, row.name))
    residual = told.get("residual", {})
    return [*([_moved("residual", residual)] if residual.get("drift") else []), *rows]


def _moved(name: str, one: Json) -> Moved:
    found = one["drift"]
    label, unit = ("What the score gets wrong", "") if name == "residual" else meaning_of(name, MODEL)
    before, after = (
        figures.amount(found[when], unit) if found[when] is not None else "not known" for when in ("before", "after")
    )
    return Moved(name, label, one["flag"], date_of(found["seen"]), date_of(found["since"]), before, after)


# -- inputs ------------------------------------------------------------------------------------------------------------


def held_out(model: Json) -> list[Held]:
    return [_held(name, one) for name, one in model.get("held_out", {}).items()]


def _held(name: str, one: Json) -> Held:
    how = "Whether it is known at all" if one.get("by") == "presence" else "Its value"
    says = (
        f"{how} alone tells who has the event: AUC {number(one['auc'], 3)}, from {number(one['with_event'])} accounts "
        f"with it and {number(one['without'])} without."
    )
    return Held(name, meaning_of(name, MODEL).label, says, one["since"] or "not told", one["allowed"])


def inputs(model: Json) -> Iterator[Listed]:
    """Every input there is, with what was found of it."""
    leaks, moved = held_out(model), [row for row in drift(model) if row.flag and row.name != "residual"]
    for one in INPUTS:
        yield Listed(
            one.name, meaning_of(one.name, MODEL).label, one.unit, one.meaning, read_of(one.name, model.get("inputs")),
            tuple(leak for leak in leaks if input_of(leak.name) == one),
            tuple(row.name for row in moved if input_of(row.name) == one),
        )  # fmt: skip


def read_of(name: str, told: Json | None) -> str:
    """Whether the model reads a listed input; of one with many names (`usage:*`), how many of them.

    told: `inputs` of the snapshot, which a learner of an older version has not said.
    """
    if told is None:
        return "not told yet"
    counts, many = told["of"].get(name, {"told": 0, "read": 0}), "*" in name
    if not counts["told"]:
        chosen = many or not told["chosen"] or is_chosen(name, tuple(told["chosen"]))
        return "nothing of it has been told" if chosen else "no"
    if counts["read"] == counts["told"]:
        return f"yes, {figures.count(counts['told'], 'name')}" if many else "yes"
    if many:
        return f"{number(counts['read']) if counts['read'] else 'none'} of {figures.count(counts['told'], 'name')}"
    return "no, it is held out" if name in told["withheld"] else "no"


def chosen_in_words(model: Json) -> str:
    """What `[health] inputs` chooses."""
    told = model.get("inputs")
    if told is None:
        return "Which it reads has not been told yet: the learner tells it with the next labels."
    if not told["chosen"]:
        return "All are chosen: [health] inputs in livelift.toml names none."
    return f"Chosen by [health] inputs in livelift.toml: {', '.join(told['chosen'])}."


def unlisted(model: Json) -> list[Held]:
    """Held out, and in no table of inputs: of an older version, say."""
    return [leak for leak in held_out(model) if input_of(leak.name) is None]


# -- what alerts change ------------------------------------------------------------------------------------------------


def alerting(model: Json) -> tuple[str, list[tuple[str, str, str]]]:
    """What holding accounts out of alerts tells, and both arms: accounts, and those with the event."""
    told, end = model.get("alerting", {}), ENDS.get(model["label"]["kind"], "has the event")
    arms = [
        (says, number(told[arm]["accounts"]), number(told[arm]["with_event"]))
        for arm, says in (("alerted", "Alerted to"), ("held_out", "Held out: alerted to nobody")) if arm in told
    ]  # fmt: skip
    difference = told.get("alerted_minus_held_out")
    if difference is None:
        return f"Not known: {told.get('because', 'nothing is told of it')}.", arms
    low, high = (signed(100 * value) for value in told["ci"])
    sure = "; that may be chance" if told["ci"][0] <= 0 <= told["ci"][1] else ""
    return (
        f"Of accounts at risk that somebody was alerted to, the share that {end} differs by {signed(100 * difference)} "
        f"points from that of those held out (95 %: {low} to {high}){sure}.",
        arms,
    )

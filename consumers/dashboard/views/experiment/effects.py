"""Effects of an experiment in words: figures with their unit, intervals and sets, and why something is not known.

Shares read in per cent and their differences in points; everything else by itself. Three digits are shown.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from consumers.dashboard.words import sentence
from models.alerts import figures
from models.readout.written import POINTS

Json = Mapping[str, Any]
Interval = Sequence[float | None]
NAMES = {
    "converted": "Converted",
    "tasks_completed": "Tasks completed",
    "task_completed": "Completed task {}",
    "time_to": "Hours to complete task {}",
    "helped": "Helped by {}",
    "retained": "Retained",
    "mrr": "Monthly revenue",
    "utilisation": "Seats in use",
    "adopted": "Adopted {}",
    "tickets": "Tickets",
    "concept_correct": "Understood {}",
    "outcome": "{}",
}
ROLES = {"primary": "what the verdict rests on", "secondary": "beside it", "guardrail": "must not get worse"}
NOTHING_KNOWN = "Nothing has come yet."
LEAST_P = 0.001
ONE_LOOK = "for the one planned look"
WHOLE_LINE = "anything is possible"


class Effect(NamedTuple):
    """One effect. estimate: in words, None where there is none. parts: the intervals that hold it, empty where none is
    known. because: why something is missing."""

    name: str
    short: str
    estimate: str | None
    at: float | None
    within: str | None
    parts: tuple[tuple[float | None, float | None], ...]
    how: str
    because: str | None


def metric_name(name: str) -> str:
    """A metric in plain words."""
    kind, _, about = name.partition(":")
    return NAMES.get(kind, "{}").replace("{}", about if kind in NAMES else name)


def is_share(metric: str) -> bool:
    return metric.partition(":")[0] in POINTS


def scale(metric: str) -> float:
    """What one of the metric's differences is drawn as: shares in points."""
    return 100.0 if is_share(metric) else 1.0


def unit(metric: str) -> str:
    return "points" if is_share(metric) else "hours" if metric.startswith("time_to") else ""


def signed(value: float) -> str:
    """+3.2 or −3.2, to three digits, never with an exponent."""
    size = figures.number(abs(value))
    return size if size == "0" else f"{'+' if value > 0 else figures.MINUS}{size}"


def difference(metric: str, value: float) -> str:
    return f"{signed(scale(metric) * value)} {unit(metric)}".rstrip()


def amount(metric: str, value: float | None) -> str | None:
    """A mean: a share in per cent."""
    if value is None:
        return None
    return figures.percent(value) if is_share(metric) else f"{figures.number(value)} {unit(metric)}".rstrip()


def interval(metric: str, found: Interval) -> str:
    """An interval of differences; an open end is said as such."""
    low, high = found
    if low is None:
        return "anything" if high is None else f"{difference(metric, high)} or less"
    if high is None:
        return f"{difference(metric, low)} or more"
    return f"{signed(scale(metric) * low)} to {difference(metric, high)}"


def set_of(metric: str, found: Json) -> str:
    """A set of effects: an interval, two rays, the whole line."""
    if found["shape"] == "whole line":
        return WHOLE_LINE
    return ", or ".join(interval(metric, part) for part in found["intervals"]) or "no effect explains the figures"


def chance(p: float | None) -> str | None:
    """A p value."""
    if p is None:
        return None
    return f"below {LEAST_P:g}" if p < LEAST_P else f"{p:.2g}"


def why(found: Json | None) -> str | None:
    """Why a figure is missing, as a sentence."""
    because = (found or {}).get("because")
    return None if not because else sentence(str(because))


def of_hundred(share: float) -> str:
    """A share that may be negative, in per cent."""
    return f"{figures.MINUS if share < 0 else ''}{figures.percent(abs(share))}"


def often(probability: float) -> str:
    """A probability in whole per cent."""
    return f"{probability:.0%}".replace("%", figures.SIGN)


def confidence(alpha: float) -> str:
    return figures.percent(1 - alpha)


def effects_of(metric: str, found: Json, fixed: bool) -> list[Effect]:
    """The metric's effects, that of the offer first. fixed: the plan states one look, so intervals are of one look."""
    key, how = ("ci", ONE_LOOK) if fixed else ("cs", "whenever you look")
    rows = [_effect(metric, "Effect of being offered help", "Offered help", found["itt"], key, how)]
    if found.get("cuped") is not None:
        rows.append(
            _effect(metric, "The same, adjusted for what was known before", "Adjusted", found["cuped"], key, how)
        )
    rows.append(_on_takers(metric, found["cace"], fixed))
    rows.append(
        _effect(metric, "Effect of being offered help, of those in trouble", "In trouble", found["triggered"], key, how)
    )
    if found.get("without_both_arms") is not None:
        name = "Effect of being offered help, without units seen in both arms"
        rows.append(_effect(metric, name, "In one arm only", found["without_both_arms"], "ci", ONE_LOOK))
    return rows


def _effect(metric: str, name: str, short: str, found: Json, key: str, how: str) -> Effect:
    estimate, held = found.get("estimate"), found.get(key)
    within = None if held is None else interval(metric, held)
    because = None if estimate is not None and held is not None else why(found) or NOTHING_KNOWN
    return Effect(name, short, None if estimate is None else difference(metric, estimate), estimate, within,
                  () if held is None else ((held[0], held[1]),), how, because)  # fmt: skip


def _on_takers(metric: str, found: Json, fixed: bool) -> Effect:
    """By the set that holds whatever the uptake. Of few takers there is one for one look only."""
    watched, once = None if fixed else found.get("ar_cs"), found.get("ar_set")
    held = watched if watched is not None else once
    estimate = found.get("estimate")
    because = None if held is not None and estimate is not None else why(found) or NOTHING_KNOWN
    return Effect(
        "Effect on those who took it", "Took it", None if estimate is None else difference(metric, estimate), estimate,
        None if held is None else set_of(metric, held),
        () if held is None else tuple((low, high) for low, high in held["intervals"]),
        ONE_LOOK if watched is None else "whenever you look", because,
    )  # fmt: skip


def figure_of(effect: Effect) -> str:
    """An effect as one figure."""
    if effect.estimate is not None and effect.within != WHOLE_LINE:
        return effect.estimate
    return "Too early to say" if effect.within is None else "Cannot be told"


def in_short(effect: Effect, alpha: float) -> str:
    """What holds an effect, beside its figure."""
    if effect.within is None:
        return effect.because or NOTHING_KNOWN
    sure = f"{confidence(alpha)} sure, {effect.how}"
    because = "" if effect.estimate is not None or effect.because is None else f" {effect.because}"
    return f"{sentence(effect.within).removesuffix('.')} ({sure}).{because}"


def says_zero(effect: Effect) -> str:
    """Whether no effect at all is among what is possible."""
    if not effect.parts:
        return ""
    if any((low is None or low <= 0) and (high is None or high >= 0) for low, high in effect.parts):
        return "Zero, no effect, is still possible."
    return "Zero, no effect, is ruled out."


def all_say(shown: Sequence[Effect]) -> str:
    """What a picture of effects shows, as one text."""
    known = [one for one in shown if one.parts]
    return " ".join(f"{one.short}: {one.estimate or 'no estimate'}, {one.within}." for one in known)

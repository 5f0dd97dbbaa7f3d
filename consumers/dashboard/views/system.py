"""Health of the system in words: what came in, what did not and why, how far behind all is, what recording is worth."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from consumers.dashboard.ages import Age
from consumers.dashboard.letters import Told
from consumers.dashboard.pace import Rates
from consumers.dashboard.words import number
from models.alerts import figures

Json = Mapping[str, Any]
SAMPLES = 3
"""Dead letters that are shown of each reason."""
REASONS = {
    "unplanned_event": "Of a type that is not planned",
    "implausible_time": "At a time that cannot be true",
    "required_missing": "Something required is missing",
    "datatype_mismatch": "Another kind of value than expected",
    "out_of_range": "A value out of its range",
    "wrong_partition": "On the wrong partition",
    "internal_error": "Could not be worked on: an error of livelift's own",
}
TOPICS = {
    "product-events": "Use of the product", "help-events": "Help, training and support",
    "conversion-events": "Conversion and revenue",
}  # fmt: skip
CHECKS = {
    "second_of_minute": "Seconds of the minute", "sub_second": "Fractions of a second",
    "duplicates": "Repeated events", "volume_break": "Days lost or flooded",
}  # fmt: skip
STATES = {"alarm": ("bad", "Alarm"), "nothing found": ("good", "Nothing found"), "not examined": ("", "Not examined")}


class Count(NamedTuple):
    """A counter of `quality` with what it means."""

    name: str
    value: int
    says: str


class Refused(NamedTuple):
    """One reason: how often, and the last letters that are at hand."""

    reason: str
    says: str
    count: int | None
    samples: Sequence[Mapping[str, str]]


class Check(NamedTuple):
    """One live check. edge: from where on it means something."""

    name: str
    state: str
    state_says: str
    says: str
    edge: str


def counts(quality: Json) -> list[Count]:
    return [
        Count("Accepted", quality["accepted"], "Events that are in the figures."),
        Count("Refused", sum(quality["refused"].values()), "Dead letters: not in the figures, kept with the reason."),
        Count("Ignored", sum(one["count"] for one in quality["ignored"].values()),
              "Well formed, of somebody else's types, with no mapping."),
        Count("Late", quality["late"], "Came after their day was closed: in the sums, not in what was said before."),
        Count("Repeated", quality["duplicate"], f"Sent again and counted once: {quality['deduplication']}."),
        Count("Suppressed", quality["suppressed"], "Of people who were forgotten: not taken in again."),
        Count("Sent on", quality["forwarded"], "Came on another partition than their account's, and were sent there."),
        Count("Users", quality["users"], "People that are known, each within their account."),
        Count("Accounts", quality["accounts"], "Accounts that are known."),
    ]  # fmt: skip


def pace_in_words(rates: Rates) -> str:
    if rates.accepted is None or rates.refused is None:
        return f"Not known yet: {rates.because}."
    return (
        f"{number(rates.accepted, 1)} accepted and {number(rates.refused, 1)} refused a second, "
        f"over the last {figures.count(round(rates.seconds), 'second')}."
    )


def lag(quality: Json) -> list[tuple[str, str, int]]:
    """Topic, what it holds, and how many of its records are not in the figures yet."""
    return [(topic, TOPICS.get(topic, topic), records) for topic, records in (quality.get("lag") or {}).items()]


def ignored(quality: Json) -> list[tuple[str, int, str | None]]:
    """Name, how often, and where the latest one stands; the most frequent first."""
    rows = ((name, one["count"], one.get("sample")) for name, one in quality["ignored"].items())
    return sorted(rows, key=lambda row: (-row[1], row[0]))


def refused(quality: Json | None, told: Told) -> list[Refused]:
    """By reason, the most frequent first. A letter may be at hand before it is counted, and the other way round."""
    samples: defaultdict[str, list[Mapping[str, str]]] = defaultdict(list)
    for letter in told.letters:
        samples[letter["reason"]].append(letter)
    known: Json = {} if quality is None else quality["refused"]
    reasons = sorted({*known, *samples}, key=lambda reason: (-known.get(reason, 0), reason))
    return [
        Refused(one, REASONS.get(one, one), known.get(one), samples.get(one, [])[-SAMPLES:]) for one in reasons
    ]  # fmt: skip


def checks(authenticity: Json | None) -> list[Check]:
    return [_check(row) for row in (authenticity or {}).get("checks", ())]


def _check(row: Json) -> Check:
    state, says = STATES.get(row["state"], ("", row["state"]))
    effect = row.get("effect")
    edge = "" if effect is None else _edge(effect)
    return Check(CHECKS.get(row["check"], row["check"]), state, says, row.get("says") or row.get("because") or "", edge)


def _edge(effect: Json) -> str:
    value = "not known" if effect["value"] is None else f"{effect['value']:.3g}"
    return f"{effect['name']}: {value}; alarm if {effect['alarm_if']} {effect['edge']:g} ({effect['reason']})"


def troubles(
    held: Mapping[str, Json | None], ages: Iterable[Age], stopped: str
) -> list[str]:  # fmt: skip
    """What somebody should look at, the worst first; empty if all is well as far as can be told."""
    found = [stopped] if stopped else [f"{one.name} is old. {one.says}." for one in ages if one.state == "bad"]
    quality, authenticity = held.get("quality") or {}, held.get("authenticity") or {}
    waiting = sum((quality.get("lag") or {}).values())
    if waiting:
        found.append(f"{_events(waiting)} not in the figures yet: the workers are behind, or catching up.")
    lost = sum((quality.get("refused") or {}).values())
    if lost:
        share = figures.percent(lost / (lost + quality["accepted"]))
        found.append(f"{_events(lost, 'was', 'were')} refused, {share} of what came in: the reasons are below.")
    found += [f"{CHECKS.get(name, name)}: recording may be broken." for name in authenticity.get("alarms", ())]
    if quality.get("ignored"):
        names = len(quality["ignored"])
        told = "1 name of events is" if names == 1 else f"{names:,} names of events are"
        found.append(f"{told} ignored: map what matters to you.")
    return found


def _events(count: int, one: str = "is", many: str = "are") -> str:
    return f"{count:,} event {one}" if count == 1 else f"{count:,} events {many}"

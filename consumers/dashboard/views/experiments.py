"""Experiments as pages say them: the queue, one experiment's parts, and the looks at it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from consumers.dashboard.views.effects import (
    Effect,
    amount,
    chance,
    difference,
    effects_of,
    in_short,
    interval,
    metric_name,
    says_zero,
    sentence,
    set_of,
    why,
)
from models.alerts import figures
from models.plan import Metric
from models.readout.decision import harm, passes, sequence_of

Json = Mapping[str, Any]
STATES = {"draft": "Draft", "queued": "In the queue", "running": "Running", "stopped": "Stopped"}
VERDICTS = ("keep_running", "double_down", "pivot", "unhealthy")
TONES = {"double_down": "good", "pivot": "warn", "unhealthy": "bad"}
CROSSED = {
    "itt": "effect of being offered help", "cuped": "adjusted effect", "cace": "effect on those who took it",
    "exact": "exact test",
}  # fmt: skip
LAST = 10**9
UNREAD = "Nothing is read of it yet."


class Queued(NamedTuple):
    """One line of the queue."""

    id: str
    hypothesis: str
    state: str | None
    place: int | None
    by: str | None
    since: str | None
    verdict: str | None
    tone: str
    because: str
    effect: str | None
    metric: str | None
    assigned: int | None
    mature: int | None
    answer_by: str | None
    group: str | None


# -- the queue ---------------------------------------------------------------------------------------------------------


def queue(rows: Sequence[Json], snapshots: Mapping[str, Json | None]) -> list[Queued]:
    """The experiments in the order of their places, drafts last. snapshots: of those of which something is read."""
    found = [queued(row, snapshots.get(row["experiment"])) for row in rows]
    return sorted(found, key=lambda one: (one.place or LAST, one.id))


def queued(row: Json, snapshot: Json | None) -> Queued:
    life, decision = row.get("queue_state") or {}, row.get("decision")
    last = life["words"][-1] if life.get("words") else {}
    metric = row.get("metric")
    because = decision["because"] if decision else row.get("because") or UNREAD
    primary = {} if snapshot is None or metric is None else snapshot["metrics"][metric]
    return Queued(
        id=row["experiment"], hypothesis=row.get("hypothesis") or "", state=row.get("state"), place=life.get("place"),
        by=last.get("by"), since=last.get("at"), verdict=decision["verdict"] if decision else None,
        tone=TONES.get(decision["verdict"], "") if decision else "", because=sentence(because),
        effect=None if not metric or row.get("estimate") is None else _so_far(metric, row), metric=metric,
        assigned=row.get("assigned"), mature=row.get("mature"), answer_by=primary.get("answer_by"),
        group=None if snapshot is None else slot(snapshot["plan"]),
    )  # fmt: skip


def _so_far(metric: str, row: Json) -> str:
    held = row.get("cs") or row.get("ci")
    within = f", {interval(metric, held)}" if held else ""
    return f"{difference(metric, row['estimate'])}{within}"


def slot(plan: Json) -> str | None:
    """The part of an exclusive group's accounts that an experiment keeps to."""
    own = plan["experiment"].get("exclusive")
    if not own:
        return None
    return (
        f"{own['group']}, {figures.percent(own.get('from', 0.0))} to {figures.percent(own.get('to', 1.0))} of accounts"
    )


def same_group(id_: str, plan: Json, others: Mapping[str, Json | None]) -> list[tuple[str, str]]:
    """The other experiments of the same exclusive group, each with its slot."""
    own = plan["experiment"].get("exclusive")
    if not own:
        return []
    found = [
        (other, slot(snapshot["plan"]) or "") for other, snapshot in sorted(others.items())
        if snapshot is not None and other != id_
        and (snapshot["plan"]["experiment"].get("exclusive") or {}).get("group") == own["group"]
    ]  # fmt: skip
    return found


# -- looks -------------------------------------------------------------------------------------------------------------


def look(snapshot: Json) -> dict[str, Any]:
    """What the running chart keeps of one publishing of an experiment."""
    name, metric = primary_of(snapshot)
    key = "ci" if is_fixed(snapshot) else "cs"
    low, high = metric["itt"].get(key) or (None, None)
    return {
        "time": snapshot["as_of"]["time"],
        "metric": name,
        "units": sum(arm["units"] for arm in metric["arms"].values()),
        "assigned": sum(arm["assigned"] for arm in snapshot["arms"].values()),
        "estimate": metric["itt"].get("estimate"),
        "low": low,
        "high": high,
        "because": metric["itt"].get("because"),
        "verdict": snapshot["decision"]["verdict"],
    }


def looks(history: Iterable[Json], snapshot: Json) -> list[Json]:
    """The looks at an experiment, the oldest first, that told something else than the one before; the last is now."""
    found: list[Json] = []
    for one in [*history, look(snapshot)]:
        if one["time"] is None:
            continue
        told = {name: value for name, value in one.items() if name != "time"}
        if not found or told != {name: value for name, value in found[-1].items() if name != "time"}:
            found.append(one)
    return found


def crossings(snapshot: Json, points: Sequence[Json]) -> list[dict[str, Any]]:
    """When the primary's read-outs first excluded 0, and with how many units, as far as the looks hold it."""
    name, _ = primary_of(snapshot)
    crossed = snapshot["looks"]["crossed"].get(name, {})
    found = []
    for key, at in sorted(crossed.items(), key=lambda item: item[1]):
        units = [point["units"] for point in points if point["time"] >= at]
        found.append({"time": at, "units": min(units, default=None), "says": f"0 excluded: {CROSSED.get(key, key)}"})
    return found


def running_says(metric: str, points: Sequence[Json]) -> str:
    """What the running chart shows, in a sentence."""
    seen = [point for point in points if point["estimate"] is not None]
    if not seen:
        return f"No look has told an effect on {metric_name(metric)} yet."
    last = seen[-1]
    within = (
        "" if last["low"] is None and last["high"] is None else f", {interval(metric, (last['low'], last['high']))}"
    )
    first = "" if len(seen) == 1 else f"from {difference(metric, seen[0]['estimate'])} with {seen[0]['units']:,} units "
    looked = "One look" if len(seen) == 1 else f"{len(seen):,} looks"
    return f"{looked}: {first}to {difference(metric, last['estimate'])}{within} with {last['units']:,} units."


def running_rows(metric: str, points: Sequence[Json]) -> list[list[str]]:
    """The looks as a table."""
    return [
        [
            point["time"].replace("T", " ").replace("Z", " UTC"), f"{point['units']:,}",
            "" if point["estimate"] is None else difference(metric, point["estimate"]),
            interval(metric, (point["low"], point["high"]))
            if point["low"] is not None or point["high"] is not None else sentence(point["because"] or "not known"),
        ]
        for point in points
    ]  # fmt: skip


# -- one experiment ----------------------------------------------------------------------------------------------------


def primary_of(snapshot: Json) -> tuple[str, Json]:
    return next((name, found) for name, found in snapshot["metrics"].items() if found["role"] == "primary")


def is_fixed(snapshot: Json) -> bool:
    return bool(snapshot["plan"]["experiment"]["analysis"] == "fixed")


def planned(snapshot: Json) -> dict[str, Metric]:
    """The plan's metrics by name."""
    return {one["name"]: msgspec.convert(one, Metric) for one in snapshot["plan"]["metric"]}


def treatment_of(snapshot: Json) -> str:
    return next(arm for arm in snapshot["shares"] if arm != snapshot["control"])


def arms(snapshot: Json) -> list[dict[str, Any]]:
    """Arms with their counts, the control first."""
    name, primary = primary_of(snapshot)
    found = []
    for arm in (snapshot["control"], treatment_of(snapshot)):
        counts, read = snapshot["arms"][arm], primary["arms"][arm]
        found.append({
            **counts, "arm": arm, "share": figures.percent(snapshot["shares"][arm]),
            "cs": counts.get("took_up:CS", 0), "other": counts.get("took_up:OTHER", 0), "units": read["units"],
            "mean": amount(name, read["mean"]) or "No unit is mature yet",
        })  # fmt: skip
    return found


def units_note(snapshot: Json) -> list[str]:
    """Units that do not count, do not count yet, or may spoil the comparison, each in a sentence."""
    counts, notes = snapshot["arms"].values(), snapshot["notes"]
    noun = snapshot["unit"]
    immature, missing = (sum(arm[name] for arm in counts) for name in ("immature", "missing"))
    found = [
        f"{_are(immature, noun)} immature: the window after assignment is not over, so nothing of them is compared yet.",
        f"{_are(missing, noun)} mature with an outcome that never came: missing, not 0, and not compared.",
        f"{_are(notes['both_arms'], noun)} seen in both arms, and counted in the first.",
        f"{_are(notes['outcome_before_assignment'], noun)} assigned after the outcome had come: it is none of theirs.",
    ]
    if notes["mixed_accounts"]:
        found.append(sentence(notes.get("spillover") or f"{notes['mixed_accounts']} accounts have users in both arms"))
    return found


def _are(count: int, noun: str) -> str:
    return f"{figures.count(count, noun)} {'is' if count == 1 else 'are'}"


def health(snapshot: Json) -> dict[str, Any]:
    """The sample ratio in words."""
    srm, unhealthy = snapshot["srm"], snapshot["looks"]["unhealthy_at"]
    return {
        "healthy": srm["healthy"],
        "counts": ", ".join(f"{count:,} in {arm}" for arm, count in srm["counts"].items()),
        "planned": ", ".join(f"{figures.percent(share)} {arm}" for arm, share in snapshot["shares"].items()),
        "e_value": None if srm["e_value"] is None else figures.number(srm["e_value"]),
        "bound": figures.number(1 / snapshot["plan"]["srm"]["alpha"]),
        "p": chance(srm["p_final"]),
        "because": why(srm),
        "at": unhealthy,
    }


def guardrails(snapshot: Json) -> list[dict[str, str]]:
    """What must not get worse: how far it may, how it stands, and what is known."""
    found = []
    for metric in planned(snapshot).values():
        if metric.role != "guardrail":
            continue
        held = sequence_of(metric, snapshot)
        worse = harm(metric, snapshot)
        stands, tone = ("Worse than it may be", "bad") if worse else (
            ("Safe", "good") if passes(metric, snapshot) else ("Not yet safe", "warn")
        )  # fmt: skip
        said = why(snapshot["metrics"][metric.name]["itt"]) or "Nothing has come yet."
        if held is None:
            stands, tone = "Too early to say", ""
        found.append({
            "name": metric_name(metric.name), "margin": difference(metric.name, abs(metric.margin or 0.0)).lstrip("+"),
            "stands": stands, "tone": tone, "within": said if held is None else interval(metric.name, held),
            "better": "more is better" if metric.higher_is_better else "less is better",
        })  # fmt: skip
    return found


class Measured(NamedTuple):
    """One metric: its effects, their one-look figures, its curve and times, and what is missing of it."""

    name: str
    says: str
    role: str
    better: str
    window: str
    effects: list[Effect]
    once: list[list[str]]
    assumes: list[str]
    stage: str
    balance: str | None
    triggered: str
    times: list[str]
    missing: list[str]


def measured(snapshot: Json, name: str) -> Measured:
    found, metric, fixed = snapshot["metrics"][name], planned(snapshot)[name], is_fixed(snapshot)
    return Measured(
        name=name, says=metric_name(name), role=metric.role,
        better="more is better" if metric.higher_is_better else "less is better",
        window=figures.number(metric.window_days), effects=effects_of(name, found, fixed), once=one_look(name, found),
        assumes=list(found["cace"].get("assumes", [])), stage=stage(found["cace"]), balance=balance(found["triggered"]),
        triggered=", ".join(f"{units:,} in {arm}" for arm, units in found["triggered"]["units"].items()),
        times=times(found.get("time")), missing=missing(name, found.get("missing")),
    )  # fmt: skip


def one_look(name: str, found: Json) -> list[list[str]]:
    """Figures of one look: what, interval, p, more. Null is said with its reason."""
    itt, exact, cace = found["itt"], found.get("exact"), found["cace"]
    p = chance(itt.get("p"))
    more = [f"p corrected for several outcomes {chance(itt['p_holm'])}"] if itt.get("p_holm") is not None else []
    if itt.get("relative") is not None:
        more.append(f"relative to control {figures.percent(itt['relative']).replace('-', figures.MINUS)}")
    if itt.get("df") is not None:
        more.append(f"{figures.number(itt['df'])} degrees of freedom")
    rows = [_once("Being offered help", name, itt, p, more)]
    if itt.get("e_value") is not None:
        watched = f"e-value {figures.number(itt['e_value'])}"
        if itt.get("p_always_valid_holm") is not None:
            watched += f"; corrected for several outcomes {chance(itt['p_always_valid_holm'])}"
        rows.append(
            [
                "The same, watched all day",
                interval(name, itt["cs"]) if itt.get("cs") else "",
                chance(itt["p_always_valid"]) or "",
                watched,
            ]
        )
    if exact is not None:
        ends = exact.get("ci_miettinen_nurminen")
        more = [
            text for text in (exact.get("method"), ends and f"Miettinen and Nurminen: {interval(name, ends)}") if text
        ]
        rows.append(_once("Being offered help, from counts", name, exact, chance(exact.get("p")), more))
        said = (
            f"e-value {figures.number(exact['e_value'])}"
            if exact.get("e_value") is not None
            else exact.get("e_value_because")
        )
        if said:
            p = chance(exact.get("p_always_valid")) or ""
            rows.append(["From counts, watched all day", "", p, sentence(str(said))])
    if found.get("cuped") is not None:
        cuped = found["cuped"]
        less = cuped.get("variance_reduction")
        more = [] if less is None else [f"variance reduced by {figures.percent(less).replace('-', figures.MINUS)}"]
        rows.append(_once("Adjusted", name, cuped, None, more))
    rows.append(_once("Those who took it, as if uptake were strong", name, cace, None, []))
    if cace.get("ar_set") is not None:
        rows.append(
            [
                "Those who took it, whatever the uptake",
                set_of(name, cace["ar_set"]),
                "",
                str(cace.get("method", "Anderson and Rubin")),
            ]
        )
    return rows


def _once(what: str, name: str, found: Json, p: str | None, more: Sequence[str]) -> list[str]:
    held = found.get("ci")
    within = (why(found) or "Nothing has come yet.") if held is None else interval(name, held)
    return [what, within, p or "", "; ".join(more)]


def stage(cace: Json) -> str:
    """How much more help was taken because of the offer."""
    first, f = cace.get("first_stage"), cace.get("first_stage_f")
    if first is None:
        return why(cace) or "How much more help was taken is not known yet."
    said = f"The offer changed the share of those who took help by {difference('converted', first)}"
    return f"{said}." if f is None else f"{said} (F {figures.number(f)})."


def balance(triggered: Json) -> str | None:
    """Whether trouble is as common in both arms: else those in trouble are not comparable."""
    p = chance(triggered.get("balance_p"))
    if p is None:
        return why(triggered)
    return f"Whether trouble is as common in both arms: p {p}. A small p means that the two are not comparable."


def times(found: Json | None) -> list[str]:
    """Times until the outcome, in sentences."""
    if found is None:
        return []
    median = found["median"]
    known = [
        f"{figures.number(hours)} hours in {arm}"
        for arm, hours in median.items()
        if arm != "because" and hours is not None
    ]
    lines = [f"Half have had it after {', '.join(known)}."] if known else []
    if median.get("because"):
        lines.append(f"No median{' in the other arm' if known else ''}: {median['because']}.")
    if found.get("rmst_difference") is not None:
        error = "" if found.get("rmst_se") is None else f" (standard error {figures.number(found['rmst_se'])})"
        hours = difference("", found["rmst_difference"])
        until = figures.number(found["rmst_until_hours"])
        lines.append(f"Mean time until it within {until} hours: {hours} hours with the offer{error}.")
    p = chance(found.get("log_rank_p"))
    lines.append(
        f"Whether the two curves differ (log-rank test): p {p}."
        if p
        else f"No test of the curves: {found.get('because')}."
    )
    return lines


def missing(name: str, found: Json | None) -> list[str]:
    """Outcomes that never came, and how far they may have moved the effect."""
    if found is None:
        return []
    lines = [
        "Outcomes that never came: " + ", ".join(f"{units:,} in {arm}" for arm, units in found["units"].items()) + "."
    ]
    if found.get("balance_p") is not None:
        lines.append(f"Whether they are as common in both arms: p {chance(found['balance_p'])}.")
    if found.get("lee_bounds") is not None:
        lines.append(f"They may have moved the effect as far as {interval(name, found['lee_bounds'])} (Lee 2009).")
    if found.get("because"):
        lines.append(sentence(found["because"]))
    return lines


def provisional(snapshot: Json, name: str) -> tuple[dict[str, Any], str] | None:
    """Shares by day since assignment and what they show in a sentence; None where no unit has been watched a day."""
    curves = snapshot["metrics"][name].get("by_day")
    known = {} if not curves else {arm: [p for p in points if p["share"] is not None] for arm, points in curves.items()}
    if not any(known.values()):
        return None
    ends = [
        f"{figures.percent(points[-1]['share'])} by day {points[-1]['day']} in {arm}"
        for arm, points in known.items() if points
    ]  # fmt: skip
    return dict(known), f"{metric_name(name)}: {', '.join(ends)}."


def by_day_rows(curves: Mapping[str, Sequence[Json]]) -> list[list[str]]:
    days = sorted({point["day"] for points in curves.values() for point in points})
    at = {arm: {point["day"]: point for point in points} for arm, points in curves.items()}
    rows = []
    for day in days:
        cells = [str(day)]
        for found in at.values():
            point = found.get(day)
            cells.append(
                "not watched so long" if point is None else f"{figures.percent(point['share'])} of {point['at_risk']:,}"
            )
        rows.append(cells)
    return rows


# -- beside the effect -------------------------------------------------------------------------------------------------


def help_sources(snapshot: Json) -> dict[str, Any]:
    """Outcome after trouble by where the first help came from, with its caution."""
    name, _ = primary_of(snapshot)
    found = snapshot["help"]
    told = found["difference"]
    rows = [
        [label, f"{found[source]['units']:,}", amount(name, found[source]["mean"]) or "Nobody was helped so"]
        for source, label in (("CS", "CS"), ("OTHER", "Anybody else (OTHER)"))
    ]  # fmt: skip
    said = why(told) if told["estimate"] is None else (
        f"CS against OTHER: {difference(name, told['estimate'])}, {interval(name, told['ci'])} (p {chance(told['p'])})."
    )  # fmt: skip
    return {"rows": rows, "says": said, "note": sentence(found["note"])}


def dose_rows(snapshot: Json) -> list[list[str]]:
    name, _ = primary_of(snapshot)
    rows = []
    for dose in snapshot["dose"]:
        step = "" if dose["step"] is None else difference(name, dose["step"])
        if dose["step_ci"] is not None:
            step += f", {interval(name, dose['step_ci'])}"
        rows.append([str(dose["completions"]), f"{dose['units']:,}", amount(name, dose["mean"]) or "", step])
    return rows


def dose_says(snapshot: Json) -> str:
    """The dose trend in a sentence."""
    name, _ = primary_of(snapshot)
    trend = snapshot["dose_trend"]
    if trend["slope"] is None:
        return why(trend) or "Nothing has come yet."
    return f"One more task completed goes with {difference(name, trend['slope'])} (p {chance(trend['p'])})."


def landmark_rows(snapshot: Json) -> list[list[str]]:
    return [
        [str(row["day"]), str(row["completions"]), f"{row['units']:,}", f"{row['converted']:,}", "" if row["rate"] is None else figures.percent(row["rate"])]
        for row in snapshot["landmark"]
    ]  # fmt: skip


SUCCESSES = (
    ("by_hour", "hour", "Hour of the day (UTC)"), ("by_day", "day", "Days since assignment"),
    ("by_experience", "experience", "Tasks completed before"),
)  # fmt: skip


def success_tables(snapshot: Json) -> list[dict[str, Any]]:
    """Share of begun tasks that were completed, by hour, day and experience."""
    found = []
    for key, field, says in SUCCESSES:
        rows = [
            [str(row[field]), f"{row['begun']:,}", f"{row['completed']:,}", figures.percent(row["rate"])]
            for row in snapshot["success"][key]
        ]  # fmt: skip
        found.append({"key": key, "says": says, "rows": rows})
    return found


# -- parts of the units ------------------------------------------------------------------------------------------------


def slices(metric: str, rows: Sequence[Json], field: str, prefix: str = "") -> list[Effect]:
    """The effect in each part of the units, with the interval of one look."""
    return [
        Effect(
            f"{prefix}{row[field]}", f"{prefix}{row[field]}",
            None if row["estimate"] is None else difference(metric, row["estimate"]), row["estimate"],
            None if row.get("ci") is None else interval(metric, row["ci"]),
            () if row.get("ci") is None else (tuple(row["ci"]),),
            ", ".join(f"{units:,} in {arm}" for arm, units in row["units"].items()), why(row),
        )
        for row in rows
    ]  # fmt: skip


def parts_of(snapshot: Json) -> list[dict[str, Any]]:
    """Novelty, weekdays and segments: each a heading, the effects, and what is said of them together."""
    name, primary = primary_of(snapshot)
    found: list[dict[str, Any]] = []
    weeks = primary.get("by_week_since_assignment")
    if weeks:
        found.append({
            "id": "weeks", "says": "By week since assignment: does it last, or was it novelty?",
            "effects": slices(name, weeks, "week", "Week "),
            "note": "The effect on what the outcome grew by in each week.",
        })  # fmt: skip
    if primary.get("by_weekday"):
        found.append({
            "id": "weekdays", "says": "By weekday of assignment (UTC)",
            "effects": slices(name, primary["by_weekday"], "weekday"), "note": "",
        })  # fmt: skip
    for number, (trait, one) in enumerate(primary.get("segments", {}).items()):
        varies = one["heterogeneity"]
        said = (
            f"Whether the segments differ by more than chance (Cochran's Q): p {chance(varies['p'])}."
            if varies["p"] is not None
            else f"Whether they differ cannot be said: {varies.get('because')}."
        )
        if one["not_shown"]:
            said += f" {figures.count(one['not_shown'], 'smaller segment')} not shown."
        if not one["segments"]:
            said = "No unit has this trait yet."
        found.append({
            "id": f"segment-{number}", "says": "By segment", "trait": trait,
            "effects": slices(name, one["segments"], "segment"), "note": said,
        })  # fmt: skip
    return found


def overlaps(snapshot: Json) -> list[dict[str, Any]]:
    """Other experiments that units are in at the same time."""
    return [
        {"experiment": one["experiment"], "units": f"{one['units']:,}",
         "says": why(one) if one.get("interaction_p") is None else (
             f"The other arm changes the effect by {difference(primary_of(snapshot)[0], one['interaction'])} (p {chance(one['interaction_p'])})."
         )}
        for one in snapshot["notes"]["overlaps"]
    ]  # fmt: skip


def plan_rows(value: Any, path: str = "") -> list[tuple[str, str]]:
    """A plan as `path`, value, without what is empty."""
    if isinstance(value, Mapping):
        return [row for name, inner in value.items() for row in plan_rows(inner, f"{path}.{name}".lstrip("."))]
    if isinstance(value, list | tuple) and any(isinstance(inner, Mapping) for inner in value):
        return [row for inner in value for row in plan_rows(inner, f"{path}[{inner.get('name', '')}]")]
    if value is None or value in ("", [], ()):
        return []
    return [(path, ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value))]


def answer_says(snapshot: Json) -> str:
    """When an answer is to be expected, or why nobody can say."""
    _, primary = primary_of(snapshot)
    if snapshot["decision"]["verdict"] in ("double_down", "pivot"):
        return "There is an answer."
    assigned = sum(arm["assigned"] for arm in snapshot["arms"].values())
    if primary.get("answer_by"):
        return ""
    if not assigned:
        return "Nobody has been assigned yet, so no date can be told."
    if not sum(arm["immature"] for arm in snapshot["arms"].values()):
        return "Everybody assigned so far is mature: the figures change only if more are assigned."
    return "At the rate so far no date can be told."


def power_says(snapshot: Json) -> str:
    """The chance to see the smallest effect that matters."""
    name, primary = primary_of(snapshot)
    power = primary.get("power") or {}
    if power.get("now") is None:
        return why(power) or "Nothing has come yet."
    return (
        f"An effect of {difference(name, power['minimum_effect'])}, the smallest that matters, would have been seen by now "
        f"with a probability of {figures.percent(power['now'])}; with all planned units of {figures.percent(power['at_planned_units'])}."
    )


def headline(effect: Effect, alpha: float) -> tuple[str, str]:
    return in_short(effect, alpha), says_zero(effect)


def figure_of(effect: Effect) -> str:
    """An effect as the one figure of a card."""
    if effect.estimate is not None and effect.within != "anything is possible":
        return effect.estimate
    return "Too early to say" if effect.within is None else "Cannot be told"

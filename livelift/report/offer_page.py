"""The report's pages on what was decided at random, the offer of help, and on the verdict."""

from livelift.report.words import (
    Json,
    because,
    count,
    interval,
    p_value,
    parts,
    percent,
    plain,
    points,
    rate,
    table,
    told,
    written,
)

VERDICTS = {
    "keep_running": "Keep running",
    "double_down": "Double down: roll out",
    "pivot": "Pivot: change approach",
    "unhealthy": "Do not trust yet",
}
RAISED = {
    "above": "raised it",
    "below": "lowered it",
    "not told": "cannot be told from no effect",
    None: "cannot be said yet",
}


def short_offer(report: Json) -> str:
    found = report["offer"]
    engagement = found["engagement"]
    lines = [
        f"engagement with CS: the offer {RAISED[engagement.get('at_level')]} ({points(engagement['estimate'])}, "
        f"{interval(engagement['ci'])})"
    ]
    for name, one in found["metrics"].items():
        itt = one["itt"]
        lines.append(
            f"{name}: the offer {RAISED[itt['at_level']]} ({written(itt['estimate'], one['is_share'])}, "
            f"{interval(itt['ci'], one['is_share'])})"
        )
    return "; ".join(lines) + ". By one look at the end."


def offer(report: Json) -> list[str]:
    found = report["offer"]
    return [
        arms(found),
        sample_ratio(found),
        "### Engagement with CS",
        *engagement(found),
        *(line for one in found["metrics"].values() for line in metric(found, one)),
        "### Are these results significant?",
        significant(report),
        "### How to read it",
        reading(found),
    ]


def arms(found: Json) -> str:
    control, treatment = found["control"], found["treatment"]
    text = (
        f"Experiment `{found['experiment']}`: {count(found['assigned'][control])} customers or accounts in {control} "
        f"and {count(found['assigned'][treatment])} in {treatment}; planned were {percent(found['shares'][control])} "
        f"and {percent(found['shares'][treatment])}. Outcomes are read {plain(found['window_days'])} days after "
        "assignment, of everybody in the arm they were assigned to (intention to treat), whether they took help or "
        "not."
    )
    return text + (f" {count(found['both_arms'])} were seen in both arms." if found["both_arms"] else "")


def sample_ratio(found: Json) -> str:
    srm = found["sample_ratio"]
    if srm["p_final"] is None:
        return f"Sample ratio: {because(srm)}"
    sound = (
        "nothing speaks against the planned shares" if srm["healthy"] else "**the arms are not as planned: stop here**"
    )
    return f"Sample ratio: {sound} (p {p_value(srm['p_final'])})."


def engagement(found: Json) -> list[str]:
    one, control, treatment = found["engagement"], found["control"], found["treatment"]
    lines = [f"Used CS: {rate(one['arms'][treatment])} in {treatment}, {rate(one['arms'][control])} in {control}."]
    if one["estimate"] is None:
        lines.append(because(one))
    else:
        lines.append(
            f"**The offer {RAISED[one['at_level']]}: {points(one['estimate'])} ({interval(one['ci'])}, p "
            f"{p_value(one['p'])}).**"
        )
    exact = one["exact"]
    if exact["ci"] is not None:
        lines.append(f"From counts alone: {interval(exact['ci'])}, p {p_value(exact['p'])} by {exact['method']}.")
    return [" ".join(lines)]


def metric(found: Json, one: Json) -> list[str]:
    share, control, treatment = one["is_share"], found["control"], found["treatment"]
    means = [
        percent(one["arms"][arm]["mean"]) if share else plain(one["arms"][arm]["mean"]) for arm in (treatment, control)
    ]
    itt = one["itt"]
    headline = (
        f"**The offer {RAISED[itt['at_level']]}: {written(itt['estimate'], share)} ({interval(itt['ci'], share)}, p "
        f"{p_value(itt['p'])}).**"
        if itt["ci"] is not None
        else because(itt)
    )
    triggered, complier = one["triggered"], one["complier"]
    exact, adjusted = one.get("exact") or {}, one.get("adjusted") or {}
    rows = [
        row("being offered help, one look", itt["estimate"], interval(itt["ci"], share), told(itt), share),
        row(
            "the same, watched all day",
            itt["estimate"],
            interval(itt.get("cs"), share),
            told(itt, "at_level_watched"),
            share,
        ),
    ]
    for name, part, estimate in (
        (f"the same, from counts ({exact.get('method')}, p {p_value(exact.get('p'))})", exact, itt["estimate"]),
        ("the same, adjusted for what was known before", adjusted, adjusted.get("estimate")),
        ("being offered help, among those in trouble", triggered, triggered["estimate"]),
    ):
        if part.get("ci") is not None:
            rows.append(row(name, estimate, interval(part["ci"], share), told(part), share))
    of_takers = parts(complier.get("ar_set"), share)
    rows.append(
        row(
            "help itself, on those who took it because of the offer",
            complier["estimate"],
            of_takers,
            told(complier),
            share,
        )
    )
    reasons = dict.fromkeys(
        reason for part in (triggered, complier) if (reason := because(part)) and part.get("estimate") is None
    )
    return [
        f"### {one['metric']} ({one['role']})",
        f"{means[0]} in {treatment}, {means[1]} in {control}. {headline}",
        table(["effect of", "estimate", "interval", "told from no effect"], rows),
        *reasons,
    ]


def row(name: str, estimate: float | None, ci: str, said: str, share: bool) -> list[str]:
    return [name, written(estimate, share), ci, said]


def significant(report: Json) -> str:
    """Every result of the test once more, told from no effect or not, at the report's confidence."""
    found = report["offer"]
    lines = [f"At {percent(report['confidence'])} confidence, each by itself:", ""]
    lines.append(f"- more use of CS: {told(found['engagement'])} (p {p_value(found['engagement']['p'])});")
    for name, one in found["metrics"].items():
        itt = one["itt"]
        watched = "" if itt.get("cs") is None else f"; watched all day: {told(itt, 'at_level_watched')}"
        corrected = (
            "" if itt.get("p_holm") is None else f", {p_value(itt['p_holm'])} among all secondary outcomes (Holm)"
        )
        lines.append(f"- {name}: {told(itt)} by one look (p {p_value(itt['p'])}{corrected}){watched};")
    return "\n".join(lines).removesuffix(";") + "."


def reading(found: Json) -> str:
    first = next(iter(found["metrics"].values()))
    lines = [
        "- *One look* holds if nobody looked, and might have stopped, before the end; *watched all day* holds "
        "however often one looks, and is wider for it.",
        "- *Among those in trouble* compares those whom the product saw in trouble in either arm; it means little if "
        f"trouble is not as common in both (p {p_value(first['triggered'].get('balance_p'))}).",
        "- *Help itself* is the effect on those who used CS only because it was offered (complier effect); its set "
        "(Anderson and Rubin) holds however few they are. It rests on what no data can check:",
    ]
    return "\n".join([*lines, *(f"    - {sentence}" for sentence in first["complier"]["assumes"])])


# -- the verdict -------------------------------------------------------------------------------------------------------


def short_verdict(report: Json) -> str:
    found = report["verdict"]
    once = found.get("read_once")
    also = ""
    if once is not None and once["verdict"] != found["verdict"]:
        also = f" Had one look at the end been planned: {VERDICTS[once['verdict']].lower()}."
    return f"**{VERDICTS[found['verdict']]}.** {sentence(found['because'])}{also}"


def sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}." if text else ""


def verdict(report: Json) -> list[str]:
    found = report["verdict"]
    lines = [f"**{VERDICTS[found['verdict']]}.** {sentence(found['because'])}"]
    once = found.get("read_once")
    if once is not None:
        lines.append(
            "The plan lets people watch, so the verdict rests on the interval that holds however often one looks. If "
            "nobody looked before the end, the one look at the end may be read, as if that had been planned: "
            f"**{VERDICTS[once['verdict']]}.** {sentence(once['because'])}"
        )
    return [*lines, "### What it rests on", rests_on(report), "### What would change it", changes(report)]


def rests_on(report: Json) -> str:
    found, offer_ = report["verdict"], report["offer"]
    one = offer_["metrics"][found["metric"]]
    key = "cs" if found["analysis"] == "sequential" else "ci"
    how = "watched all day" if found["analysis"] == "sequential" else "one look"
    lines = [
        f"- The effect of the offer on {found['metric']}, {how}: {interval(one['itt'].get(key), one['is_share'])}.",
        f"- The smallest effect that matters, by the plan: {written(found['minimum_effect'], one['is_share'])}"
        + (" (assumed)." if report["plan_assumed"] else "."),
        "- That arms were drawn at random in the planned shares, and the sample ratio.",
    ]
    power = found.get("power") or {}
    if power.get("now") is not None:
        lines.append(
            f"- An effect of that size would have been seen by now with a probability of {percent(power['now'])}."
        )
    return "\n".join(lines)


CHANGES = {
    "keep_running": (
        "More customers: this cohort is over, so run the offer again with more of them. If the interval then lies "
        "above zero (and the queue of experiments agrees), roll out; if even its upper end lies below the smallest "
        "effect that matters, change approach."
    ),
    "double_down": (
        "Arms that turn out not to have been drawn at random, harm to something that the plan does not guard, or a "
        "second cohort (this is one day's) whose interval lies below the smallest effect that matters."
    ),
    "pivot": (
        "A smaller effect being worth it (the plan's smallest effect is a business decision), or another cohort in "
        "which the effect is larger."
    ),
    "unhealthy": (
        "Finding out what let customers into the arms or dropped them, and repeating the test without it. Until then "
        "no figure of the experiment is to be believed."
    ),
}


def changes(report: Json) -> str:
    return CHANGES[report["verdict"]["verdict"]]

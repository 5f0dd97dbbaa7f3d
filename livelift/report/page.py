"""The report for people, in Markdown: every sentence and every number is made from the report's JSON, from it alone."""

from collections.abc import Mapping, Sequence

from livelift.report.figures import figure_of
from livelift.report.offer_page import offer, sentence, short_offer, short_verdict, verdict
from livelift.report.words import (
    Json,
    because,
    count,
    interval,
    p_value,
    percent,
    plain,
    points,
    range_of,
    rate,
    table,
)

SIMULATED = "**SIMULATED DATA: these customers are made up.**"
OUTCOMES = {
    "task": "completed the task they were stuck at",
    "all_tasks": "completed every task in the trial",
    "converted": "converted",
}
NOT_RANDOM = (
    "Nobody drew lots for any of this: it is what goes together, and says nothing of what would happen if more "
    "customers did one or the other."
)


def page(report: Json, drawn: Sequence[str] = ()) -> str:
    """The report in Markdown. drawn: names of the figures that lie beside it."""
    sections = {
        "help": help_, "completing": completing, "succeeding": succeeding, "offer": offer, "verdict": verdict,
        "authenticity": authenticity,
    }  # fmt: skip
    parts = [f"# Case study: {report['recording']}"]
    parts += [SIMULATED] if report["simulated"] else []
    parts += [introduction(report), "## In short", in_short(report)]
    for asked in report["questions"]:
        found = report[asked["key"]]
        parts += [f"## {asked['number']}. {asked['title']}", f"*{asked['asks']}*"]
        parts += sections[asked["key"]](report) if found["answered"] else [cannot(found)]
        parts += [picture(name, report) for name in drawn if figure_of(name, report).question == asked["key"]]
    parts += truth(report) if report["truth"] is not None else []
    return "\n\n".join(part.strip() for part in parts if part.strip()) + "\n"


def cannot(found: Json) -> str:
    return f"**Cannot be answered, because {found['because']}.**"


def picture(name: str, report: Json) -> str:
    figure = figure_of(name, report)
    return f"![{figure.alt}]({name}.svg)\n\n*{figure.caption}*"


def introduction(report: Json) -> str:
    people, events = report["people"], report["events"]
    lines = [
        f"{count(people['users'])} customers in {count(people['accounts'])} accounts, {count(people['converted'])} of "
        f"whom converted; {count(events['accepted'])} events up to {report['as_of']}. Intervals are for "
        f"{percent(report['confidence'])} confidence."
    ]
    left_out = events["refused"] + events["unreadable"]
    if left_out:
        lines.append(
            f"{count(events['refused'])} events were refused and {count(events['unreadable'])} lines could not be "
            "placed: they are not in here."
        )
    if people["accounts"] < people["users"]:
        lines.append(
            "Accounts hold several customers, who are alike: differences and trends take that into account; the "
            "intervals of single shares and of steps, and tests that all are alike, do not, and say too much."
        )
    if report["other_experiments"] or report["other_journeys"]:
        others = ", ".join([*report["other_experiments"], *report["other_journeys"]])
        lines.append(f"The recording holds more than is read here: {others}.")
    if report["plan_assumed"]:
        lines.append(
            "**The recording has no plan.** That of the exercise is assumed: its arms in the planned shares below, "
            "conversion as the outcome that decides, one look when the last window is over. Write plans/*.toml to "
            "say otherwise."
        )
    return "\n\n".join(lines)


def in_short(report: Json) -> str:
    said = {
        "help": short_help, "completing": short_completing, "succeeding": short_succeeding, "offer": short_offer,
        "verdict": short_verdict, "authenticity": short_authenticity,
    }  # fmt: skip
    lines = []
    for asked in report["questions"]:
        found = report[asked["key"]]
        answer = said[asked["key"]](report) if found["answered"] else f"cannot be answered, because {found['because']}."
        lines.append(f"- **{asked['title']}**: {answer}")
    return "\n".join(lines)


# -- CS against OTHER ------------------------------------------------------------------------------------------------


def short_help(report: Json) -> str:
    task = report["help"]["outcomes"]["task"]
    found = task["difference"]
    sides = {
        "above": "help from CS goes with more completion",
        "below": "help from CS goes with less completion",
        "not told": "completion cannot be told apart",
        None: "completion cannot be compared",
    }
    means = (report["help"]["speed"].get("restricted_mean_hours")) or {}
    sooner = {"below": " and sooner", "above": " but later"}.get(means.get("at_level") or "", "")
    return (
        f"{sides[found.get('at_level')]}{sooner}: {percent(task['CS']['rate'])} against "
        f"{percent(task['OTHER']['rate'])} completed the task they were stuck at ({interval(found['ci'])}). "
        "Associated with; who turns to CS was not decided at random."
    )


def help_(report: Json) -> list[str]:
    found = report["help"]
    rows = [
        [
            OUTCOMES[name],
            rate(one["CS"]),
            rate(one["OTHER"]),
            points(one["difference"]["estimate"]),
            interval(one["difference"]["ci"]),
            p_value(one["difference"]["p"]),
        ]
        for name, one in found["outcomes"].items()
    ]
    reasons = {reason for one in found["outcomes"].values() if (reason := because(one["difference"]))}
    return [
        f"Of {count(found['in_trouble'])} customers in trouble, {count(found['helped'])} used help afterwards; they "
        f"are grouped by where the first help came from. {count(found['without_help'])} used none, or had nothing "
        "left to complete.",
        table(["outcome", "CS first", "OTHER first", "CS minus OTHER", "interval", "p"], rows),
        *sorted(reasons),
        "### Are they faster?",
        *speed(found["speed"]),
        "### What can and cannot be concluded",
        cautions(report),
    ]


def speed(found: Json) -> list[str]:
    if found["curves"] is None:
        return [because(found)]
    means, medians, completers = found["restricted_mean_hours"], found["median_hours"], found["of_completers"]
    halves = [
        f"half of those helped by {source} first had completed after {plain(medians[source])} hours"
        if medians[source] is not None
        else f"fewer than half of those helped by {source} first completed in that time"
        for source in ("CS", "OTHER")
    ]
    ratio = (
        f"They took {plain(completers['ratio'])} times as long with CS ({plain(completers['ci'][0])} to "
        f"{plain(completers['ci'][1])}; ratio of geometric means)."
        if completers["ratio"] is not None
        else because(completers)
    )
    return [
        f"Followed for {plain(found['until_hours'])} hours after the help (Kaplan-Meier; who never completed counts "
        f"as not yet): {halves[0]}; {halves[1]}. On average {plain(means['CS'])} of these hours passed without "
        f"completion with CS and {plain(means['OTHER'])} with OTHER, a difference of {signed_hours(means['ci'])} "
        f"(log-rank p {p_value(found['log_rank_p'])}).",
        f"Of those who completed only: the median is {plain(completers['CS']['median_hours'])} hours with CS "
        f"({count(completers['CS']['completers'])} customers) and {plain(completers['OTHER']['median_hours'])} with "
        f"OTHER ({count(completers['OTHER']['completers'])}). {ratio} These are the ones who managed, which is not "
        "the same kind of customers in both groups.",
    ]


def signed_hours(ci: list[float | None] | None) -> str:
    return "not known" if ci is None else f"{interval(ci, is_share=False)} hours"


def cautions(report: Json) -> str:
    lines = [
        "- These are associations. Who asks CS, and who looks elsewhere, is the customer's own choice: keen or able "
        "customers may both turn to CS and manage alone. The figures above mix the help with the people who seek it, "
        "and no arithmetic on them takes that apart.",
    ]
    offer_ = report["offer"]
    if not report["randomised"]:
        return "\n".join([*lines, f"- {NOT_RANDOM}"])
    lines.append(
        "- Decided at random was the *offer* of CS, not the help. What the offer did is question "
        f"{number_of(report, 'offer')}; only that is cause and effect."
    )
    converted = offer_["metrics"].get("converted")
    apart = report["help"]["outcomes"]["converted"]["difference"]["estimate"]
    if converted is not None and converted["complier"].get("estimate") is not None and apart is not None:
        lines.append(
            "- For conversion the two can be held side by side: between customers helped by CS and those helped "
            f"elsewhere are {points(apart)}, while the effect of CS on those who used it only because it was offered "
            f"is estimated at {points(converted['complier']['estimate'])}. They are different customers, and the "
            "first figure holds the keenness of those who ask by themselves."
        )
    return "\n".join(lines)


def number_of(report: Json, key: str) -> str:
    return next(str(asked["number"]) for asked in report["questions"] if asked["key"] == key)


# -- tasks and conversion --------------------------------------------------------------------------------------------


def short_completing(report: Json) -> str:
    doses, slope = report["completing"]["dose"], report["completing"]["trend"]["slope"]
    least, most = doses[0], doses[-1]
    each = "" if slope is None else f"; one task more goes with {points(slope)} along a straight line"
    return (
        f"{percent(least['rate'])} convert with {least['completions']} tasks done and {percent(most['rate'])} with "
        f"{most['completions']}{each}. Associated with; nobody was given tasks done at random."
    )


def completing(report: Json) -> list[str]:
    found = report["completing"]
    trend = found["trend"]
    rows = [
        [
            str(one["completions"]), count(one["units"]), count(one["successes"]), percent(one["rate"]),
            range_of(one["ci"]), points(one["step"]), interval(one["step_ci"]),
        ]
        for one in found["dose"]
    ]  # fmt: skip
    line = because(trend) or (
        f"One task more goes with {points(trend['slope'])} of conversion ({interval(trend['ci'])}, p "
        f"{p_value(trend['p'])}), along a straight line. The steps in the table show how straight it is."
    )
    return [
        "Tasks completed before the conversion (without one: at all), and how many converted:",
        table(["tasks", "customers", "converted", "share", "interval", "against one fewer", "interval"], rows),
        f"Along a line: {line}" if trend.get("because") else line,
        "### With time put in order",
        "Who converts early has had no time for more tasks, and who stays has. So the table takes the customers who "
        "had not converted by a day of their trial, groups them by the tasks they had done *before* it, and counts "
        "who converted *after* it.",
        landmarks(found["landmark"]) if found["landmark"] else "No such day has been reached.",
        f"{NOT_RANDOM} A customer who wants the product both does the tasks and buys.",
    ]


def landmarks(found: Sequence[Json]) -> str:
    rows = [
        [str(at["day"]), str(one["completions"]), count(one["units"]), count(one["successes"]), percent(one["rate"]),
         range_of(one["ci"]), p_value(at["alike"]["p"]) if one is at["rows"][0] else ""]
        for at in found
        for one in at["rows"]
    ]  # fmt: skip
    return table(["day", "tasks before", "customers", "converted after", "share", "interval", "p, all alike"], rows)


# -- time and experience ---------------------------------------------------------------------------------------------

VIEWS = {
    "by_joining": ("by time of day of joining (UTC)", "joined at", "completed every task"),
    "by_hour": ("by time of day of beginning a task (UTC)", "begun at", "completed it"),
    "by_since": ("by hours since the trial began", "hours since", "completed it"),
    "by_experience": ("by tasks completed before", "tasks done before", "completed the next one begun"),
    "by_step": ("one step further", "tasks done", "completed one more"),
}


def short_succeeding(report: Json) -> str:
    lines = []
    for key, (name, _, _) in VIEWS.items():
        one = report["succeeding"][key]
        if one["answered"] and one["rise"].get("at_level") is not None:
            lines.append(f"{name}: {trend_in_words(one['rise'])}")
    return "; ".join(lines) + "." if lines else "no trend can be tested; the shares stand below."


def trend_in_words(rise: Json) -> str:
    """Along a straight line, and whether the groups follow it."""
    if rise["at_level"] == "not told":
        return "no trend can be told from none"
    side = "higher" if rise["at_level"] == "above" else "lower"
    return (
        f"{side} from group to group"
        if rise["steady"]
        else f"{side} along a straight line, but not from each group to the next"
    )


def succeeding(report: Json) -> list[str]:
    parts = []
    for key, (name, group, success) in VIEWS.items():
        one = report["succeeding"][key]
        parts.append(f"### Success {name}")
        if not one["answered"]:
            parts.append(cannot(one))
            continue
        rows = [[row["group"], count(row["units"]), percent(row["rate"]), range_of(row["ci"])] for row in one["groups"]]
        rise = one["rise"]
        line = because(rise) or (
            f"{sentence(trend_in_words(rise)).rstrip('.')}: {points(rise['slope'])} a group ({interval(rise['ci'])}, "
            f"p {p_value(rise['p'])})."
        )
        parts += [table([group, "of", success, "interval"], rows), line]
    parts.append(
        "Experience cannot be told from selection here: who comes to a later task has managed those before it, later "
        "tasks "
        "are other tasks, and only the persistent are still there after a day. " + NOT_RANDOM
    )
    return parts


# -- authenticity ----------------------------------------------------------------------------------------------------


def short_authenticity(report: Json) -> str:
    found = report["authenticity"]
    says = "the recording itself says that it is simulated; " if report["simulated"] else ""
    return f"{says}{found['verdict']}"


def authenticity(report: Json) -> list[str]:
    found = report["authenticity"]
    rows = [
        [one["check"], one["state"], one.get("says") or one.get("because") or "", p_value(one.get("p_adjusted"))]
        for one in found["checks"]
    ]
    says = (
        "**That these customers are made up is known: the recording says so itself.** What the checks see of it:"
        if report["simulated"]
        else "Checks look for traces of forgery, simulation and broken recording; none can show that there are none."
    )
    return [
        says,
        f"**{found['verdict'].strip().rstrip('.')}.**",
        table(["check", "state", "what was seen, or why not examined", "p"], rows),
        f"p is corrected for all checks together ({found['correction']}); a false alarm anywhere has a chance of at "
        f"most {percent(found['alpha'])}. An alarm is a reason to ask how the data came about.",
    ]


# -- known truth -----------------------------------------------------------------------------------------------------

TRUE = {
    "first_stage": ("more customers using CS because of the offer", True),
    "itt": ("conversion because of the offer", True),
    "complier_effect": ("conversion because of CS, among those who use it because of the offer", True),
    "tasks_effect": ("tasks completed because of the offer", False),
}


def truth(report: Json) -> list[str]:
    from livelift.report.words import written

    found = report["truth"]
    rows = []
    for key, (name, is_share) in TRUE.items():
        beside: Mapping[str, object] = found["beside"].get(key, {})
        inside = {True: "yes", False: "no", None: "-"}[beside.get("inside")]  # ty: ignore[invalid-argument-type]
        rows.append([
            name, written(found["population"][key], is_share), written(found["sample"][key], is_share),
            written(beside.get("estimate"), is_share), interval(beside.get("ci"), is_share), inside,  # ty: ignore[invalid-argument-type]
        ])  # fmt: skip
    return [
        "## Known truth",
        "A simulation knows what would have become of every customer in either arm, so what the figures should be is "
        f"known: in the {count(found['population']['customers'])} customers of its population, and in these "
        f"{count(found['sample']['customers'])} themselves. Of many such reports, the share given as confidence has "
        "the population's truth inside each interval.",
        table(["effect of", "true in the population", "true of these", "estimated", "interval", "inside"], rows),
    ]

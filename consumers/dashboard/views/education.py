"""Education in words and rows: surveys, adoption, comprehension, coverage, tickets, and what came first.

Nothing here is an experiment: whatever goes together is associated, and said to be no more.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from consumers.dashboard.words import number, percent, signed

Json = Mapping[str, Any]
ABOUT = {"product": "The product", "training": "The education programme", "support": "Support"}
MILESTONES = {"training": "training", "adoption": "a key action", "support_contact": "a support contact"}
SOURCES = {"product": "Use of the product", "training": "Training", "support": "Support"}
STRONG = 0.75
"""From here on a correlation is called strong (docs/guides/education.md)."""
AREAS = 6
"""Areas of the product that the chart shows: those with most tickets."""


class Survey(NamedTuple):
    """What people say on one matter. because: why the score or its interval is not known."""

    about: str
    name: str
    nps: str
    interval: str
    respondents: int
    answers: int
    promoters: int
    detractors: int
    because: str
    change: str


class Correlation(NamedTuple):
    """Trained and untrained against something. rows: both cells of each; says: how strong it looks, and its limits."""

    rows: tuple[tuple[str, int, int], ...]
    figures: tuple[tuple[str, str], ...]
    says: str
    note: str


class Share(NamedTuple):
    """Part of a whole in words. share: None where the whole is empty."""

    name: str
    count: int
    of: int
    share: str


class Ticket(NamedTuple):
    """An area of the product: the last month that is told, and how it compares."""

    area: str
    months: str
    change: str


class Around(NamedTuple):
    """Something that was done, and tickets around it."""

    at: str
    what: str
    area: str
    says: str


def share_of(name: str, count: int, of: int) -> Share:
    return Share(name, count, of, percent(count / of) if of else "nobody yet")


# -- surveys -----------------------------------------------------------------------------------------------------------


def surveys(nps: Mapping[str, Json]) -> list[Survey]:
    return [_survey(about, nps[about]) for about in ABOUT if about in nps]


def _survey(about: str, found: Json) -> Survey:
    nps = "not known" if found["nps"] is None else whole(found["nps"])
    because = found.get("because", "")
    return Survey(
        about, ABOUT[about], nps, _signed(found["ci"]), found["respondents"], found["answers"], found["promoters"],
        found["detractors"], because, _change(found["change"]),
    )  # fmt: skip


def _signed(ci: Any) -> str:
    return "not known" if ci is None else f"{whole(ci[0])} to {whole(ci[1])}"


def whole(value: float) -> str:
    """A score or a difference of scores, to the point; 0 has no sign."""
    return signed(value, 0) if round(value) else "0"


def _change(change: Json) -> str:
    if change["difference"] is None:
        return f"Whether it has changed is not known: {change['because']}."
    low, high = change["ci"]
    sure = " That may be chance." if low <= 0 <= high else ""
    return (
        f"From {change['from']} to {change['to']} it changed by {whole(change['difference'])} points "
        f"(95 %: {whole(low)} to {whole(high)}).{sure}"
    )


def survey_months(nps: Mapping[str, Json]) -> list[dict[str, Any]]:
    """By matter and month, for the chart and its table; months without a score are left out."""
    return [
        {"about": ABOUT[about], "month": row["month"], "nps": row["nps"], "low": (row["ci"] or [None, None])[0],
         "high": (row["ci"] or [None, None])[1], "respondents": row["respondents"], "because": row.get("because", "")}
        for about in ABOUT if about in nps for row in nps[about]["by_month"] if row["nps"] is not None
    ]  # fmt: skip


def survey_rows(months: list[dict[str, Any]]) -> list[tuple[str, ...]]:
    return [
        (row["about"], row["month"], whole(row["nps"]),
         row["because"] or "not known" if row["low"] is None else _signed((row["low"], row["high"])),
         number(row["respondents"]))
        for row in months
    ]  # fmt: skip


def surveys_in_words(months: list[dict[str, Any]]) -> str:
    last = {row["about"]: row for row in months}
    told = "; ".join(f"{about}: {whole(row['nps'])} in {row['month']}" for about, row in last.items())
    return f"Net promoter score by month, with 95 % intervals. Latest: {told}."


# -- adoption and comprehension ----------------------------------------------------------------------------------------


def correlation(found: Json | None, did: str) -> Correlation | None:
    """did: what is held against training, as in `adopted`."""
    if found is None:
        return None
    table, exact, short = found["table"], found["tetrachoric"], found["approximation"]
    rows = (
        ("Trained", table["both"], table["only_trained"]), ("Not trained", table["only_untrained"], table["neither"]),
    )  # fmt: skip
    if exact is None:
        return Correlation(rows, (), f"Whether the trained are {did} more often is not known: {found['because']}.",
                           found["note"])  # fmt: skip
    low, high = exact["ci"]
    figures = (
        ("Correlation (tetrachoric, maximum likelihood)", f"{signed(exact['estimate'], 2)} (95 %: {signed(low, 2)} to "
         f"{signed(high, 2)})"),
        ("By the short formula", signed(short, 2)), ("Method", exact["method"]),
        *((("Corrected", found["corrected"]),) if "corrected" in found else ()),
    )  # fmt: skip
    return Correlation(rows, figures, _strength(exact["estimate"], low, high, did), found["note"])


def _strength(estimate: float, low: float, high: float, did: str) -> str:
    told = f"{signed(estimate, 2)} on a scale from −1 to 1 (95 %: {signed(low, 2)} to {signed(high, 2)})"
    if low <= 0 <= high:
        return f"Training and being {did} may have nothing to do with each other: {told}."
    how = "Strongly" if abs(estimate) > STRONG else "Clearly"
    which = "more" if estimate > 0 else "less"
    return f"{how} associated: the trained are {did} {which} often, {told}. That is no proof that training made them."


def adopted(adoption: Json) -> list[Share]:
    """Key actions: all together, then each."""
    users = adoption["users"]
    actions = [share_of(name, one["users"], users) for name, one in adoption["actions"].items()]
    return [share_of("Any key action", adoption["adopted"], users), *actions]


def understood(told: Json) -> list[Share]:
    """Understood, used only (and of those why), neither."""
    users, only = told["users"], told["used_only"]
    return [
        share_of("Understood: uses it, and answers rightly", told["understood"], users),
        share_of("Used only", only["users"], users),
        share_of("– of them: answered wrong", only["answered_wrong"], users),
        share_of("– of them: never asked", only["not_asked"], users),
        share_of("Neither used nor understood", told["neither"], users),
    ]


def concepts(found: Mapping[str, Json]) -> list[tuple[str, str, str, str, str]]:
    """Concept, checked, right at the first try, adopted, adopted and right; the least understood first."""
    rows = sorted(found.items(), key=lambda row: (row[1]["share"] is None, row[1]["share"] or 0.0, row[0]))
    return [
        (name, number(one["checked"]), percent(one["share"]) if one["share"] is not None else "nobody asked",
         number(one["adopted"]), number(one["adopted_and_correct"])) for name, one in rows
    ]  # fmt: skip


# -- tickets -----------------------------------------------------------------------------------------------------------


def ticket_months(tickets: Json) -> list[dict[str, Any]]:
    """By area and month, for the chart: all, and those areas with most tickets. One that is not told of is a gap."""
    areas = sorted(tickets["areas"].items(), key=lambda row: (-_total(row[1]), row[0]))[:AREAS]
    return [
        {"area": area, "month": row["month"], "tickets": row["tickets"], "rate": row["per_active_user"]}
        for area, of in (("All areas", tickets["all"]), *areas) for row in of["by_month"]
        if row["per_active_user"] is not None
    ]  # fmt: skip


def _total(of: Json) -> int:
    return sum(row["tickets"] for row in of["by_month"])


def ticket_rows(tickets: Json) -> list[tuple[str, str, str, str, str]]:
    """Every area and month: area, month, tickets, active users, tickets for each of them."""
    return [
        (area, row["month"], number(row["tickets"]), number(row["active_users"]),
         "nobody active" if row["per_active_user"] is None else number(row["per_active_user"], 3))
        for area, of in (("All areas", tickets["all"]), *tickets["areas"].items()) for row in of["by_month"]
    ]  # fmt: skip


def ticket_changes(tickets: Json) -> list[Ticket]:
    """Month over month of each area, those with most tickets first."""
    areas = sorted(tickets["areas"].items(), key=lambda row: (-_total(row[1]), row[0]))
    return [_ticket(area, of) for area, of in (("All areas", tickets["all"]), *areas)]


def _ticket(area: str, of: Json) -> Ticket:
    change = of["month_over_month"]
    return Ticket(area, f"{change['before']} to {change['after']}", _ratio(change))


def _ratio(found: Json) -> str:
    if found["ratio"] is None:
        return f"Not known: {found['because']}."
    low, high = found["ci"]
    sure = "; that may be chance" if low <= 1 <= high else ""
    told = f"{number(found['ratio'], 2)} times as many for each active user"
    return f"{told} (95 %: {number(low, 2)} to {number(high, 2)}){sure}."


def tickets_in_words(tickets: Json) -> str:
    months = tickets["all"]["by_month"]
    told = ", ".join(f"{row['tickets']:,} in {row['month']}" for row in months[-3:])
    marked = len(tickets["annotations"])
    return f"Tickets for each active user by month and area; tickets in all: {told}. Marked: {marked} of what you did."


def around(annotations: list[Json]) -> list[Around]:
    return [
        Around(one["at"], one["what"], one["area"] or "All areas", _around(one)) for one in annotations
    ]  # fmt: skip


def _around(one: Json) -> str:
    elsewhere = one.get("elsewhere")
    beside = "" if elsewhere is None else f" In all other areas: {number(elsewhere, 2)} times."
    return _ratio(one) + beside


# -- what came first, and coverage -------------------------------------------------------------------------------------


def sequence(pairs: list[Json]) -> list[tuple[str, str]]:
    """Each pair in words."""
    return [(_pair(pair), _came(pair)) for pair in pairs]


def _pair(pair: Json) -> str:
    return f"{MILESTONES[pair['first']]} and {MILESTONES[pair['second']]}".capitalize()


def _came(pair: Json) -> str:
    if pair["before"] is None:
        return f"Not known: {pair['because']}."
    first, second = MILESTONES[pair["first"]], MILESTONES[pair["second"]]
    both = pair["before"] + pair["after"] + pair["unknown"]
    only_first, only_second = (number(pair[f"only_{pair[which]}"]) for which in ("first", "second"))
    return (
        f"Of {number(both)} users with both, {first} came first for {number(pair['before'])}, {second} for "
        f"{number(pair['after'])}; for {number(pair['unknown'])} it is not known. "
        f"{only_first} had only {first}, {only_second} only {second}."
    )


def history(found: Mapping[str, Json]) -> list[tuple[str, str]]:
    """Since when each source has been heard of."""
    return [(SOURCES.get(source, source), _since(one)) for source, one in found.items()]


def _since(one: Json) -> str:
    if not one["accounts"]:
        return "of no account yet"
    months = sorted(one["since"])
    return f"of {number(one['accounts'])} accounts, since {months[0]}" + (
        f" to {months[-1]}" if len(months) > 1 else ""
    )


def coverage(months: list[Json]) -> list[tuple[str, str, str]]:
    """Month, accounts with a trained user among those active, active users who are trained."""
    return [
        (row["month"], _part(row["accounts"]["with_trained_user"], row["accounts"]["active"]),
         _part(row["users"]["trained"], row["users"]["active"])) for row in months
    ]  # fmt: skip


def activity(months: list[Json]) -> list[tuple[str, str, str]]:
    """Month, users active among all known, trained among those active."""
    return [
        (row["month"], _part(row["active"], row["users"]), _part(row["active_trained"], row["active"]))
        for row in months
    ]


def adoption_months(months: list[Json]) -> list[tuple[str, str]]:
    return [(row["month"], _part(row["adopted"], row["users"])) for row in months]


def _part(part: int, whole: int) -> str:
    return f"{number(part)} of {number(whole)} ({percent(part / whole)})" if whole else "nobody"

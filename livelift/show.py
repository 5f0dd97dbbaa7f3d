"""Snapshots on a terminal: the funnel, the arms, who needs help. The same tables serve the demo and `replay`."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from models.keys import account_key
from models.readout.written import POINTS, between, in_words

Snapshot = Mapping[str, Any]
ENVELOPE = {"schema", "as_of", "published_at", "fence", "simulated"}
SHOWN = 5
DRIVERS = 2
WORDS = {"task", "role", "owner", "since (UTC)", "why", "lowered most by"}
"""Columns of words among the numbers."""


def print_overview(snapshot: Snapshot) -> None:
    """Everything a person would look at first, once."""
    Console().print(overview(snapshot))


def overview(snapshot: Snapshot) -> Group:
    """The overview as something rich can draw, again and again."""
    parts: list[RenderableType] = [headline(snapshot)]
    for name, journey in (snapshot.get("funnel") or {}).items():
        if name not in ENVELOPE:
            parts += [*funnel(name, journey), *doses(journey)]
    for key, value in sorted(snapshot.items()):
        if key.startswith("experiment:"):
            parts += experiment(value)
    return Group(*parts, *stuck_users(snapshot), *accounts(snapshot), *education(snapshot), *recording(snapshot))


def plain_table(*columns: str) -> Table:
    """A table without frames; the first column names the row, numbers stand to the right."""
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for index, column in enumerate(columns):
        words = not index or column in WORDS
        table.add_column(column, justify="left" if words else "right", overflow="fold")
    return table


def heading(text: str) -> Text:
    """Stands above a table, and is not squeezed to its width as the table's own title would be."""
    return Text(f"\n{text}", style="bold")


def note(text: str) -> Text:
    return Text(text, style="italic")


def moment(time: str | None) -> str:
    """A time of a snapshot to the minute, for people."""
    return f"{datetime.fromisoformat(time):%Y-%m-%d %H:%M}" if time else ""


def share(part: int, whole: int) -> str:
    return f"{part:,} ({part / whole:.1%})" if whole else f"{part:,}"


def headline(snapshot: Snapshot) -> Text:
    quality = snapshot.get("quality") or {}
    time = moment((quality.get("as_of") or {}).get("time"))
    refused = sum((quality.get("refused") or {}).values())
    text = Text()
    if quality.get("simulated"):
        text.append("SIMULATED DATA   ", style="bold magenta")
    text.append(f"event time {time} UTC\n" if time else "event time not yet known\n")
    text.append(
        f"{quality.get('accepted', 0):,} events accepted, {refused:,} refused, {quality.get('users', 0):,} users"
    )
    return text


def funnel(name: str, journey: Snapshot) -> list[RenderableType]:
    table = plain_table("task", "started", "completed", "median hours", "stuck now")
    for task, row in journey["tasks"].items():
        hours = "-" if row["median_hours"] is None else f"{row['median_hours']:.2f}"
        table.add_row(task, f"{row['started']:,}", f"{row['completed']:,}", hours, f"{row['stuck']:,}")
    return [heading(f"Journey {name}: {journey['users']:,} users"), table]


def doses(journey: Snapshot) -> list[RenderableType]:
    table = plain_table("tasks done", "users", "converted")
    for dose in journey["dose"]:
        table.add_row(str(dose["completions"]), f"{dose['users']:,}", share(dose["converted"], dose["users"]))
    return [heading("Converted, by tasks done"), table, note("Associated, not caused: who does more is keener too.")]


def experiment(value: Snapshot) -> list[RenderableType]:
    plan, metrics = value["plan"], value["metrics"]
    primary = next(name for name, metric in metrics.items() if metric["role"] == "primary")
    table = plain_table("arm", "assigned", "took it up", "mature", primary)
    for arm, counts in value["arms"].items():
        read = metrics[primary]["arms"][arm]
        table.add_row(arm, *(f"{counts[name]:,}" for name in ("assigned", "took_up", "mature")), outcome(primary, read))
    mature = "Mature: their time is over. Only these are compared, by arm, whether they took it up or not."
    alpha = plan["experiment"]["alpha"]
    return [
        heading(f"Experiment {value['experiment']}: {value['hypothesis']}"),
        table,
        note(mature),
        note(f"Effect of being offered help on {primary}: {effect(primary, metrics[primary]['itt'], alpha)}"),
        note(f"Effect on those who took it: {complier(primary, metrics[primary]['cace'], alpha)}"),
        Text(f"{VERDICTS[value['decision']['verdict']]}: {value['decision']['because']}.", style="bold"),
    ]


VERDICTS = {
    "keep_running": "Keep running",
    "double_down": "Roll out",
    "pivot": "Change approach",
    "unhealthy": "Do not trust yet",
}


def outcome(metric: str, read: Snapshot) -> str:
    """An arm's outcome: a share for 0/1 outcomes, else the mean."""
    if read["mean"] is None:
        return "-"
    if metric.partition(":")[0] in POINTS:
        return share(round(read["sum"]), read["units"])
    return f"{read['mean']:,.4g} on average"


def effect(metric: str, itt: Snapshot, alpha: float) -> str:
    """An effect in words a CS person reads: what may be looked at all day before what is for one look only."""
    if itt.get("estimate") is None:
        return f"too early to say ({itt.get('because') or 'nothing has come yet'})."
    said = in_words(metric, itt["estimate"])
    if itt.get("cs") is not None:
        return f"{said}, {between(metric, itt['cs'])} ({1 - alpha:.0%}, whenever you look)."
    if itt.get("ci") is not None:
        return f"{said}, {between(metric, itt['ci'])} ({1 - alpha:.0%}, for the one planned look)."
    return f"{said} ({itt.get('because') or 'its error is not known'})."


def complier(metric: str, cace: Snapshot, alpha: float) -> str:
    """The set that holds the effect on compliers, whatever its shape."""
    found = cace.get("ar_cs") or cace.get("ar_set")
    if found is None:
        return f"too early to say ({cace.get('because') or 'nothing has come yet'})."
    if found["shape"] == "whole line":
        return "anything is possible: too little help was taken because of the offer."
    estimate = "" if cace["estimate"] is None else f"{in_words(metric, cace['estimate'])}, "
    sets = " or ".join(between(metric, interval) for interval in found["intervals"])
    return f"{estimate}{sets} ({1 - alpha:.0%})."


def stuck(snapshot: Snapshot) -> list[Snapshot]:
    """Users in trouble now, those waiting longest first."""
    users = [user for key, fields in snapshot.items() if key.startswith("journeys:") for user in fields.values()]
    found = [user for user in users if user["trouble"]["yes"]]
    return sorted(found, key=lambda user: (user["stuck_since"] or "", user["user_id"]))


def stuck_users(snapshot: Snapshot) -> list[RenderableType]:
    users = stuck(snapshot)
    table = plain_table("user", "task", "since (UTC)", "why")
    for user in users[:SHOWN]:
        why = "; ".join(user["trouble"]["why"])
        table.add_row(user["user_id"], user["position"] or "", moment(user["stuck_since"]), why)
    return listed("Stuck now", "user", len(users), "waiting longest", table)


def accounts(snapshot: Snapshot) -> list[RenderableType]:
    """The capacity list: owners and revenue where any are known. An index is called one, and never a probability."""
    at_risk = snapshot.get("at-risk") or {}
    rows = at_risk.get("accounts", [])
    by_index = any(row["probability"] is None for row in rows)
    columns = {
        "account": account_name,
        "owner": lambda row: row["owner"] or "",
        "activity index" if by_index else "health score": lambda row: f"{row['score']:.1f}",
        "at risk a month": lambda row: amount(row["revenue_at_risk"]),
        "lowered most by": lambda row: lowered_by(drivers(snapshot, row["account_id"])),
    }
    known = [name for name in columns if name not in UNKNOWN or any(row[UNKNOWN[name]] is not None for row in rows)]
    table = plain_table(*known)
    for row in rows[:SHOWN]:
        table.add_row(*(columns[name](row) for name in known))
    which = "with most at risk" if at_risk.get("by") == "revenue" else "least active" if by_index else "most at risk"
    parts = listed("To look at first", "account", len(rows), which, table)
    if by_index:
        parts.append(note("Activity index: 0 (idle) to 100 (busy). It is no probability of leaving."))
    lost = (at_risk.get("totals") or {}).get("revenue_at_risk")
    if lost is not None:
        parts.append(note(f"Revenue expected to be lost on the whole list: {amount(lost)} a month."))
    return parts


UNKNOWN = {"owner": "owner", "at risk a month": "revenue_at_risk"}
"""Columns that are left out where nothing of the kind is known, and what they show."""


def education(snapshot: Snapshot) -> list[RenderableType]:
    """One line of what is known of education; nothing where nothing is."""
    told = snapshot.get("education") or {}
    parts = []
    coverage = told.get("coverage") or []
    if coverage and coverage[-1]["users"]["trained"]:
        users, month = coverage[-1]["users"], coverage[-1]["month"]
        parts.append(f"{share(users['trained'], users['active'])} of the users active in {month} trained")
    adoption = told.get("adoption") or {}
    if adoption.get("share") is not None:
        parts.append(f"{adoption['share']:.1%} of users have done a key action")
    parts += [promoters(about, nps) for about, nps in (told.get("nps") or {}).items() if nps["nps"] is not None]
    return [Text(f"\nEducation: {'; '.join(parts)}.")] if parts else []


def promoters(about: str, nps: Snapshot) -> str:
    """A net promoter score with its interval, where that is known."""
    between = f" ({nps['ci'][0]:+.0f} to {nps['ci'][1]:+.0f})" if nps["ci"] is not None else ""
    return f"NPS of the {about} {nps['nps']:+.0f}{between}"


def recording(snapshot: Snapshot) -> list[RenderableType]:
    """One line of whether recording is broken: what was seen, or how many checks have found nothing."""
    told = snapshot.get("authenticity") or {}
    if told.get("verdict") is None:
        return []
    rows = {row["check"]: row for row in told["checks"]}
    ran = sum(row["state"] != "not examined" for row in rows.values())
    if told["alarms"]:
        seen = "; ".join(rows[check]["says"] for check in told["alarms"])
        return [Text(f"\nIs recording broken? Look at it: {seen}.", style="bold")]
    found = f"Nothing found; {ran} of {len(rows)} checks could be made" if ran else "There is too little to look at"
    return [Text(f"\nIs recording broken? {found}.")]


def account_name(row: Snapshot) -> str:
    return str(row["name"] or row["account_id"])


def amount(money: float | None) -> str:
    return "" if money is None else f"{money:,.2f}"


def drivers(snapshot: Snapshot, account_id: str) -> list[Snapshot]:
    found: list[Snapshot] = (snapshot.get(account_key(account_id)) or {}).get("drivers", [])
    return found


def listed(what: str, kind: str, count: int, which: str, table: Table) -> list[RenderableType]:
    """A heading that says how many there are, and those that matter most if there are any."""
    if not count:
        return [heading(f"{what}: nobody")]
    more = f"; the {SHOWN} {which}" if count > SHOWN else ""
    return [heading(f"{what}: {count:,} {kind}{'s' if count > 1 else ''}{more}"), table]


def lowered_by(drivers: list[Snapshot]) -> str:
    """The parts that take most from a score, worst first."""
    worst = sorted(drivers, key=lambda driver: (driver["contribution"], driver["feature"]))[:DRIVERS]
    return ", ".join(f"{part['feature']} {part['contribution']:+.1f}" for part in worst if part["contribution"] < 0)

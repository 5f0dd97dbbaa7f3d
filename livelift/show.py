"""Snapshots on a terminal: the funnel, the arms, who needs help. The same tables serve the demo and `replay`."""

from collections.abc import Mapping
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

Snapshot = Mapping[str, Any]
ENVELOPE = {"schema", "as_of", "published_at", "fence", "simulated"}
SHOWN = 5
WORDS = {"task", "since", "why"}
"""Columns of words among the numbers."""


def print_overview(snapshot: Snapshot) -> None:
    """Everything a person would look at first, once."""
    Console().print(overview(snapshot))


def overview(snapshot: Snapshot) -> Group:
    """The overview as something rich can draw, again and again."""
    parts: list[Any] = [headline(snapshot)]
    funnel = snapshot.get("funnel") or {}
    for name, journey in funnel.items():
        if name not in ENVELOPE:
            parts += [funnel_table(name, journey), note(doses_text(journey))]
    for key, value in sorted(snapshot.items()):
        if key.startswith("experiment:"):
            parts += [experiment_table(value), note(effect(value["metrics"].get("converted", {}).get("itt", {})))]
    parts += [stuck_table(snapshot), scores_table(snapshot)]
    return Group(*parts)


def plain_table(title: str, *columns: str) -> Table:
    """A table under a title; the first column names the row, numbers stand to the right."""
    table = Table(title=f"\n{title}", title_justify="left", title_style="bold", box=SIMPLE_HEAD, pad_edge=False)
    for index, column in enumerate(columns):
        table.add_column(column, justify="right" if index and column not in WORDS else "left")
    return table


def note(text: str) -> Text:
    return Text(text, style="italic")


def headline(snapshot: Snapshot) -> Text:
    quality = snapshot.get("quality") or {}
    time = (quality.get("as_of") or {}).get("time")
    refused = sum((quality.get("refused") or {}).values())
    text = Text()
    if quality.get("simulated"):
        text.append("SIMULATED DATA  ", style="bold magenta")
    text.append(f"event time {time or 'not yet known'}   ")
    text.append(
        f"{quality.get('accepted', 0):,} events accepted, {refused:,} refused, {quality.get('users', 0):,} users"
    )
    return text


def funnel_table(name: str, journey: Snapshot) -> Table:
    title = f"Journey {name}: {journey['users']:,} users"
    table = plain_table(title, "task", "started", "completed", "median hours", "stuck now")
    for task, row in journey["tasks"].items():
        hours = "-" if row["median_hours"] is None else f"{row['median_hours']:.2f}"
        table.add_row(task, f"{row['started']:,}", f"{row['completed']:,}", hours, f"{row['stuck']:,}")
    return table


def doses_text(journey: Snapshot) -> str:
    doses = "   ".join(dose_text(dose) for dose in journey["dose"])
    return f"Converted by tasks done (associated, not caused):  {doses}"


def dose_text(dose: Snapshot) -> str:
    rate = f" ({dose['rate']:.0%})" if dose["users"] else ""
    return f"{dose['completions']} done: {dose['converted']}/{dose['users']}{rate}"


def experiment_table(value: Snapshot) -> Table:
    title = f"Experiment {value['experiment']}: {value['hypothesis']}"
    table = plain_table(title, "arm", "assigned", "took up", "mature", "converted")
    for arm, counts in value["arms"].items():
        share = f" ({counts['converted'] / counts['mature']:.1%})" if counts["mature"] else ""
        table.add_row(
            arm, str(counts["assigned"]), str(counts["took_up"]), str(counts["mature"]), f"{counts['converted']}{share}"
        )
    return table


def effect(itt: Snapshot) -> str:
    """The effect of being offered help, in words a CS person reads."""
    if itt.get("estimate") is None:
        return f"Effect of being offered help: too early to say ({itt.get('because', 'nothing has come yet')})"
    low, high = itt["ci"]
    return (
        f"Effect of being offered help on conversion: {itt['estimate']:+.1%}, between {low:+.1%} and {high:+.1%} "
        f"(p {itt['p']:.2g}; {itt['reading']})"
    )


def scores_table(snapshot: Snapshot) -> Table:
    at_risk = (snapshot.get("at-risk") or {}).get("accounts", [])
    table = Table(
        "account",
        "activity index",
        title=f"Accounts to look at first ({len(at_risk)} on the list)",
        title_justify="left",
    )
    for row in at_risk[:SHOWN]:
        table.add_row(row["account_id"], f"{row['score']:.2f}")
    return table


def stuck(snapshot: Snapshot) -> list[Snapshot]:
    """Users in trouble now, those waiting longest first."""
    users = [user for key, fields in snapshot.items() if key.startswith("journeys:") for user in fields.values()]
    found = [user for user in users if user["trouble"]["yes"]]
    return sorted(found, key=lambda user: (user["stuck_since"] or "", user["user_id"]))


def stuck_table(snapshot: Snapshot) -> Table:
    users = stuck(snapshot)
    table = plain_table(f"Stuck now: {len(users)} users; waiting longest:", "user", "task", "since", "why")
    for user in users[:SHOWN]:
        table.add_row(
            user["user_id"], user["position"] or "", user["stuck_since"] or "", "; ".join(user["trouble"]["why"])
        )
    return table

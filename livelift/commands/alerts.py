"""Alerts to customer success: run them, look at them, deal with them, and try what rules would do."""

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from livelift.commands.given import By, Json, as_json, shown, when, who
from livelift.commands.scores import when as day_or_instant
from livelift.settings import Settings

if TYPE_CHECKING:
    from models.alerts.alert import Alert

Id = Annotated[str, typer.Argument(help="The alert's id, or as much of its beginning as is needed.")]
File = Annotated[Path | None, typer.Argument(help="The file (default: the setting `alerts`).")]
Verdict = Literal["useful", "not useful", "already known"]


def run() -> None:
    """Run the alerts process in the foreground: read scores and signals, decide, send.

    Several may run; one sends, the others take over when it is gone.

    Example: [bold]livelift alerts run[/bold]
    """
    from livelift.alerting import run_alerts

    run_alerts(Settings())


def draft() -> None:
    """Print rules to begin with.

    Example: [bold]livelift alerts draft > alerts.toml[/bold]
    """
    from models.alerts.draft import DRAFT

    print(DRAFT, end="")


def check(file: File = None, json: Json = False) -> None:
    """Say what is wrong with the rules and on which line, or what they are; exit 1 if anything is wrong.

    Example: [bold]livelift alerts check alerts.toml[/bold]
    """
    from consumers.alerts.channels import way_of
    from livelift.alerting import rules_of
    from livelift.surroundings import complain

    rules = rules_of(file or Settings().alerts)
    wrong = []
    for channel in rules.channel:
        try:
            way_of(channel)
        except ValueError as error:
            wrong.append(f"channel {channel.id!r}: {error}")
    if json:
        print(as_json({"rules": [one.id for one in rules.rule], "channels": [one.id for one in rules.channel],
                       "wrong": wrong}))  # fmt: skip
    else:
        for line in wrong:
            complain(line)
        if not rules.channel:
            complain("there is no channel: alerts are shown, and nobody is told")
        print(f"{len(rules.rule)} rules, {len(rules.channel)} channels: {', '.join(one.id for one in rules.rule)}")
    raise typer.Exit(1 if wrong else 0)


def table(json: Json = False) -> None:
    """Print what each input makes of an alert, and when somebody is told.

    Example: [bold]livelift alerts table[/bold]
    """
    from models.alerts.life import printed

    rows = printed()
    if json:
        names = "state", "input", "to", "transition", "told"
        print(as_json([dict(zip(names, row, strict=True)) for row in rows]))
        return
    from rich.console import Console

    from livelift.show import plain_table

    found = plain_table("state", "input", "becomes", "transition", "somebody is told")
    for row in rows:
        found.add_row(*row)
    Console().print(found)


def try_rules(
    account: Annotated[str, typer.Option("--account", help="The account.")],
    as_of: Annotated[
        str | None, typer.Option(callback=day_or_instant, metavar="T", help="A day or an instant (default: now).")
    ] = None,
    file: Annotated[Path | None, typer.Option("--rules", help="Try other rules than those in force.")] = None,
    json: Json = False,
) -> None:
    """Say which rules hold for an account at a moment and why, and what would have been told until then. Sends nothing.

    Example: [bold]livelift alerts test --account acme --as-of 2026-06-14[/bold]
    """
    from livelift.alerting import rules_of
    from livelift.alerts_tried import tried

    settings = Settings()
    found = tried(settings, rules_of(file or settings.alerts), account, as_of, quiet=json)
    if json:
        print(as_json(found))
        return
    _say_tried(found)


def list_alerts(
    owner: Annotated[str | None, typer.Option(help="Only this owner's.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Those that are over or closed, too.")] = False,
    undeliverable: Annotated[bool, typer.Option("--undeliverable", help="Only what could not be delivered.")] = False,
    json: Json = False,
) -> None:
    """List alerts: whose they are, since when, what has been told.

    Example: [bold]livelift alerts list --owner olga[/bold]
    """
    from consumers.alerts.shown import shown as as_shown
    from livelift.alerting import read_book
    from models.alerts.delivery import urgency

    book = read_book(Settings())
    found = [alert for alert in book.by_id.values() if alert.account_id and (everything or alert.active)]
    if undeliverable:
        given_up = [one for one in book.by_id.values() if any(d.state == "undeliverable" for d in one.deliveries)]
        found = given_up
    found = sorted((one for one in found if owner in (None, one.owner)), key=urgency)
    if json:
        print(as_json([as_shown(alert, alert.at) for alert in found]))
        return
    if not found:
        print("no alerts")
        return
    from rich.console import Console

    from livelift.show import plain_table

    rows = plain_table("id", "account", "rule", "state", "since", "owner", "told")
    for alert in found:
        name = (alert.evidence.get("traits") or {}).get("name") or alert.account_id
        rows.add_row(alert.id[:8], str(name), f"{alert.rule} ({alert.reason})", alert.state, shown(alert.opened_at),
                     alert.owner, _told(alert))  # fmt: skip
    Console().print(rows, markup=False)


def acknowledge(alert: Id, by: By = None, json: Json = False) -> None:
    """Say that somebody looks after it.

    Example: [bold]livelift alerts acknowledge 3f2a --by olga[/bold]
    """
    _command(alert, "acknowledge", by, json)


def snooze(
    alert: Id,
    days: Annotated[float | None, typer.Option(min=0.01, help="For so many days.")] = None,
    until: Annotated[str | None, typer.Option(help="Until then (RFC 3339).")] = None,
    by: By = None,
    json: Json = False,
) -> None:
    """Put it off; it is told again then, if it still holds.

    Example: [bold]livelift alerts snooze 3f2a --days 3[/bold]
    """
    if (days is None) == (until is None):
        raise typer.BadParameter("say for how many --days, or --until when")
    from models.clock import MICROSECOND

    at = when(until) if until is not None else when(None) + timedelta(days=days or 0) // MICROSECOND
    _command(alert, "snooze", by, json, until=at)


def resolve(
    alert: Id,
    verdict: Annotated[Verdict, typer.Option(help="Whether hearing of it was worth anything.")],
    by: By = None,
    json: Json = False,
) -> None:
    """Say that it has been dealt with, and whether the alert was useful.

    Example: [bold]livelift alerts resolve 3f2a --verdict useful[/bold]
    """
    _command(alert, "resolve", by, json, verdict=verdict)


def reopen(alert: Id, by: By = None, json: Json = False) -> None:
    """Take it up again.

    Example: [bold]livelift alerts reopen 3f2a[/bold]
    """
    _command(alert, "reopen", by, json)


def retry(alert: Id, by: By = None, json: Json = False) -> None:
    """Send again what could not be delivered.

    Example: [bold]livelift alerts retry 3f2a[/bold]
    """
    _command(alert, "retry", by, json)


def report(json: Json = False) -> None:
    """Rule by rule: how often it opened an alert, how often somebody was told, and what people said of it.

    Example: [bold]livelift alerts report[/bold]
    """
    from livelift.alerting import read_book

    settings = Settings()
    rules = read_rules_if_any(settings)
    found = read_book(settings).report(rules)
    if json:
        print(as_json(found))
        return
    from rich.console import Console

    from livelift.show import plain_table

    names = "opened", "told", "noted", "ended_unheard", "undeliverable", "useful", "not useful", "already known"
    rows = plain_table("rule", *(name.replace("_", " ") for name in names))
    for one in found:
        rows.add_row(one["rule"], *(str(one[name]) for name in names))
    Console().print(rows)


def read_rules_if_any(settings: Settings) -> list[str]:
    """The rules' names, where there is a file."""
    from livelift.alerting import rules_of

    return [rule.id for rule in rules_of(settings.alerts).rule] if settings.alerts.exists() else []


def acl(
    user: Annotated[str, typer.Option(help="The Redis user's name.")] = "alerts",
    password: Annotated[str, typer.Option(help="Its password.")] = "CHANGE-ME",
) -> None:
    """Print the line of Redis' ACL file for a user that may do what `livelift alerts` does, and nothing else.

    Example: [bold]livelift alerts acl --password secret >> users.acl[/bold]
    """
    from livelift.alerting import ACL

    print(ACL.format(user=user, password=password, prefix=Settings().redis_prefix))


def _command(named: str, do: str, by: str | None, json: bool, **given: Any) -> None:
    from livelift.alerting import command, find, read_book
    from livelift.surroundings import complain

    settings = Settings()
    alert = find(read_book(settings), named)
    found = command(settings, alert, do, who(by), **given).alert
    state = "unanswered" if found is None else "refused" if found.transition == "refused" else found.state
    because = None if found is None else found.because
    if json:
        print(as_json({"alert_id": alert.id, "do": do, "state": state, "because": because}))
    elif found is None:
        complain("the command is kept; no alerts process has taken it yet (`livelift alerts run`)")
    elif state == "refused":
        complain(f"refused: {because}")
    else:
        print(f"{alert.id[:8]} {alert.account_id}: {alert.rule} is {state}")
    raise typer.Exit(1 if state == "refused" else 0)


def _told(alert: "Alert") -> str:
    if alert.waiting is not None:
        return "waits"
    if alert.held is not None:
        return f"no: {alert.held}"
    states = {one.channel: one.state for one in alert.deliveries}
    return ", ".join(f"{channel}: {state}" for channel, state in states.items()) or "-"


def _say_tried(found: dict[str, Any]) -> None:
    print(f"{found['account_id']} as of {found['as_of']}: {found['messages']} messages read")
    for one in found["rules"]:
        holds = {True: "holds", False: "does not hold", None: "is not known"}[one["holds"]]
        print(f"  {one['rule']}: {holds}{'' if one.get('because') is None else ' (' + one['because'] + ')'}")
        for condition in one["conditions"]:
            print(f"    {condition['name']} asks for {condition['asked']}: {condition['value']}")
    print("would have been told:" if found["told"] else "nothing would have been told")
    for one in found["told"]:
        print(f"  {one['at']}  {one['owner']}: {one['rule']} ({one['reason']})")

"""The command line. Each command lives in its own module under `livelift.commands`; nothing heavy is imported here."""

import sys

import typer

from livelift.commands import alerts as on_alerts
from livelift.commands import dashboard as on_dashboard
from livelift.commands import experiments as on_experiments
from livelift.commands import inspect, judging, models, recordings, reporting, running, scores, sending
from livelift.commands import sources as on_sources
from livelift.reach import in_words
from livelift.surroundings import complain

app = typer.Typer(
    name="livelift",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Customers scored while they use the product: journeys, account health and experiments, live from Kafka.",
    epilog="Start with: [bold]livelift demo[/bold]  ·  settings: LIVELIFT_* or livelift-services.toml",
)


def group(what: str, example: str) -> typer.Typer:
    """Commands that belong together."""
    return typer.Typer(no_args_is_help=True, help=f"{what}\n\nExample: [bold]{example}[/bold]")


topics = group("Create and check the topics of the contract.", "livelift topics check")
experiments = group("Experiments: from a draft to what came of it.", "livelift experiments list")
on_models = group("The models that learn side by side, and which of them scores.", "livelift models list")
sources = group("Your data onto the topics: files, logs, queries, by a mapping.", "livelift sources check nps.toml")
journeys = group("Journeys through onboarding.", "livelift journeys table")
score = group("Scores of accounts: what they are made of.", "livelift score explain --account acme")
dashboard = typer.Typer(invoke_without_command=True)
alerts = group("Alerts to customer success: who hears of what, and what came of it.", "livelift alerts list")
dead_letters = group("What was refused, and why.", "livelift dead-letters list")

app.command()(running.up)
app.command()(running.worker)
app.command()(running.demo)
app.command()(recordings.play)
app.command()(recordings.replay)
app.command()(recordings.simulate)
app.command()(judging.backtest)
app.command()(sending.emit)
app.command()(sending.collect)
app.command()(reporting.report)
app.command()(inspect.snapshot)
app.command()(inspect.schema)
app.command()(inspect.annotate)
app.command()(inspect.forget)
topics.command("create")(running.create)
topics.command("check")(running.check)
experiments.command("draft")(on_experiments.draft)
experiments.command("queue")(on_experiments.queue)
experiments.command("apply")(on_experiments.apply)
experiments.command("stop")(on_experiments.stop)
experiments.command("list")(on_experiments.list_experiments)
experiments.command("show")(on_experiments.show)
on_models.command("list")(models.list_models)
on_models.command("compare")(models.compare)
on_models.command("promote")(models.promote)
sources.command("check")(on_sources.check)
sources.command("run")(on_sources.run)
sources.command("link")(on_sources.link)
sources.command("suggest")(on_sources.suggest)
journeys.command("table")(inspect.journey_table)
score.command("explain")(scores.explain)
alerts.command("run")(on_alerts.run)
alerts.command("draft")(on_alerts.draft)
alerts.command("check")(on_alerts.check)
alerts.command("test")(on_alerts.try_rules)
alerts.command("list")(on_alerts.list_alerts)
alerts.command("acknowledge")(on_alerts.acknowledge)
alerts.command("snooze")(on_alerts.snooze)
alerts.command("resolve")(on_alerts.resolve)
alerts.command("reopen")(on_alerts.reopen)
alerts.command("retry")(on_alerts.retry)
alerts.command("report")(on_alerts.report)
alerts.command("table")(on_alerts.table)
alerts.command("acl")(on_alerts.acl)
dashboard.callback()(on_dashboard.dashboard)
dashboard.command("acl")(on_dashboard.acl)
dead_letters.command("list")(inspect.list_dead_letters)
app.add_typer(topics, name="topics")
app.add_typer(sources, name="sources")
app.add_typer(experiments, name="experiments")
app.add_typer(on_models, name="models")
app.add_typer(journeys, name="journeys")
app.add_typer(score, name="score")
app.add_typer(alerts, name="alerts")
app.add_typer(dashboard, name="dashboard")
app.add_typer(dead_letters, name="dead-letters")

INTERRUPTED = 130


def main() -> None:
    """Run the command line: 0 done, 1 it could not be done (one line says why), 2 wrong usage, 130 interrupted."""
    try:
        app(prog_name="livelift")
    except KeyboardInterrupt:
        complain("interrupted")
        sys.exit(INTERRUPTED)
    except Exception as error:
        said = in_words(error)
        if said is None:
            raise  # a defect of ours: its traceback is what helps to mend it
        complain(said)
        sys.exit(1)

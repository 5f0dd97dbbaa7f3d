"""The command line. Each command lives in its own module under `livelift.commands`; nothing heavy is imported here."""

import sys

import typer

from livelift.commands import inspect, recordings, running

app = typer.Typer(
    name="livelift",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Customers scored while they use the product: journeys, account health and experiments, live from Kafka.",
    epilog="Start with: [bold]livelift demo[/bold]  ·  settings: LIVELIFT_* or livelift-services.toml",
)
topics = typer.Typer(no_args_is_help=True, help="Create and check the topics of the contract.")
experiments = typer.Typer(no_args_is_help=True, help="Experiment plans.")
journeys = typer.Typer(no_args_is_help=True, help="Journeys through onboarding.")
dead_letters = typer.Typer(no_args_is_help=True, help="What was refused, and why.")

app.command()(running.up)
app.command()(running.worker)
app.command()(running.demo)
app.command()(recordings.play)
app.command()(recordings.replay)
app.command()(recordings.simulate)
app.command()(inspect.snapshot)
app.command()(inspect.schema)
app.command()(inspect.forget)
topics.command("create")(running.create)
topics.command("check")(running.check)
experiments.command("apply")(inspect.apply)
experiments.command("list")(inspect.list_experiments)
journeys.command("table")(inspect.journey_table)
dead_letters.command("list")(inspect.list_dead_letters)
app.add_typer(topics, name="topics")
app.add_typer(experiments, name="experiments")
app.add_typer(journeys, name="journeys")
app.add_typer(dead_letters, name="dead-letters")

EXPECTED = (ValueError, OSError, RuntimeError)
"""Errors whose message is meant for the person at the keyboard; anything else is a bug and shows its traceback."""
INTERRUPTED = 130


def main() -> None:
    """Run the command line: 0 done, 1 it could not be done (one line says why), 2 wrong usage, 130 interrupted."""
    try:
        app()
    except KeyboardInterrupt:
        print("livelift: interrupted", file=sys.stderr)
        sys.exit(INTERRUPTED)
    except EXPECTED as error:
        print(f"livelift: {error}", file=sys.stderr)
        sys.exit(1)

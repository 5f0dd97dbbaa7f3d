"""Running things: services, workers, the demo, topics."""

from pathlib import Path
from typing import Annotated, Literal

import msgspec
import typer

from livelift.commands.given import Json
from livelift.settings import Settings

Role = Literal["scorer", "learner", "publisher", "all"]


def worker(
    role: Annotated[Role, typer.Option(help="Which part to run; `all` runs one process of each.")] = "all",
) -> None:
    """Run a worker in the foreground.

    Example: [bold]livelift worker --role scorer[/bold]
    """
    from livelift.workers import run_worker

    run_worker(role, Settings())


def up(
    kafka_port: Annotated[int | None, typer.Option(help="Port of the local Kafka (default: a free one).")] = None,
    redis_port: Annotated[int | None, typer.Option(help="Port of the local Redis (default: a free one).")] = None,
    dashboard_port: Annotated[int | None, typer.Option(help="Port of the dashboard (default: a free one).")] = None,
    services_only: Annotated[bool, typer.Option("--services-only", help="Kafka and Redis only.")] = False,
) -> None:
    """Start Kafka, Redis, the workers and the dashboard here, until Ctrl-C.

    LIVELIFT_KAFKA and LIVELIFT_REDIS name services to use instead.

    Example: [bold]livelift up --kafka-port 9092[/bold]
    """
    from livelift.local.up import up as run_up

    run_up(Settings(), kafka_port, redis_port, workers=not services_only, dashboard_port=dashboard_port)


def demo(
    once: Annotated[
        bool, typer.Option("--once", help="End when the play is through; exit 0 only if all is as known.")
    ] = False,
    customers: Annotated[int, typer.Option(min=50, help="Customers in the simulated exercise.")] = 1000,
    seed: Annotated[int, typer.Option(help="Seed of the simulation.")] = 1,
    speed: Annotated[
        float | None, typer.Option(help="Event seconds a second (default: the 30 days in about half a minute).")
    ] = None,
    dashboard_port: Annotated[int | None, typer.Option(help="Port of the dashboard (default: a free one).")] = None,
    capture: Annotated[Path | None, typer.Option(help="Write the last screen to this file, as SVG.")] = None,
) -> None:
    """Play a simulated trial through everything and watch it, here and on the dashboard.

    Example: [bold]livelift demo --once[/bold]
    """
    from livelift.demo import run_demo

    raise typer.Exit(run_demo(Settings(), once, customers, seed, speed, capture, dashboard_port))


def create(json: Json = False) -> None:
    """Create every topic of the contract that is not there yet.

    Example: [bold]livelift topics create[/bold]
    """
    from livelift.local.topics import create_topics, wanted
    from livelift.reach import reach_kafka

    settings = Settings()
    reach_kafka(settings)
    created = create_topics(settings)
    there = [name for name in wanted(settings) if name not in created]
    if json:
        print(msgspec.json.encode({"created": created, "already_there": there}).decode())
        return
    for name in created:
        print(f"created {name}")
    print(f"{len(created)} topics created, {len(there)} were there already")


def check(json: Json = False) -> None:
    """Say what is wrong with the topics; exit 1 if anything is.

    Example: [bold]livelift topics check[/bold]
    """
    from livelift.local.topics import check_topics, wanted
    from livelift.reach import reach_kafka

    settings = Settings()
    reach_kafka(settings)
    complaints = check_topics(settings)
    checked = list(wanted(settings))
    if json:
        print(msgspec.json.encode({"checked": checked, "wrong": complaints}).decode())
    elif complaints:
        print("\n".join(complaints))
        missing = any(complaint.endswith("is missing") for complaint in complaints)
        print("`livelift topics create` makes what is missing" if missing else "change them, or use another namespace")
    else:
        print(f"{len(checked)} topics checked, all as the contract says: {', '.join(checked)}")
    raise typer.Exit(1 if complaints else 0)

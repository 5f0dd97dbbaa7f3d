"""`livelift up`: everything on this machine, in the foreground, until Ctrl-C or SIGTERM."""

import signal
from time import sleep

from rich.console import Console
from rich.table import Table

from livelift.local.stack import ROLES, Stack
from livelift.settings import Settings
from streams.topics import TOPICS

BACKOFF_S = (1, 2, 5, 10, 30)


def up(
    settings: Settings, kafka_port: int | None = None, redis_port: int | None = None, workers: bool = True,
    dashboard_port: int | None = None,
) -> None:  # fmt: skip
    """Start, show where things are, keep the workers running. Restarts a worker that ends, a little later each time.

    Beside the workers there is the dashboard, and with rules (`alerts.toml`) an alerts process.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    console = Console(stderr=True)
    alerts = ("alerts",) if settings.alerts.exists() else ()
    roles = (*ROLES, "dashboard", *alerts) if workers else ()
    try:
        with Stack(
            settings, roles, kafka_port, redis_port, dashboard_port,
            progress=lambda step: console.print(f"[dim]{step}[/dim]"),
        ) as stack:  # fmt: skip
            stack.wait_ready()
            show(console, stack)
            keep_running(console, stack)
    except KeyboardInterrupt:
        console.print("stopped")


def show(console: Console, stack: Stack) -> None:
    """Addresses, topics with their retention, and where the logs are."""
    table = Table("topic", "partitions", "kept", title="topics")
    for topic in TOPICS:
        kept = (
            "compacted"
            if topic.compacted
            else ("for ever" if topic.retention_days is None else f"{topic.retention_days} days")
        )
        if "retention.ms" in topic.extra:
            kept = f"{int(topic.extra['retention.ms']) // 60_000} minutes"
        table.add_row(stack.settings.topic(topic.name), str(topic.partitions or stack.settings.partitions), kept)
    console.print(table)
    shown = f"LIVELIFT_KAFKA={stack.settings.kafka} LIVELIFT_REDIS={stack.settings.redis_shown}"
    console.print(f"export {shown}", soft_wrap=True, markup=False)
    if stack.dashboard:
        console.print(f"dashboard: {stack.dashboard}", soft_wrap=True, markup=False)
    console.print(
        f"logs: {stack.settings.data_dir / 'logs'}    clock: {stack.settings.clock}    Ctrl-C stops everything"
    )


def keep_running(console: Console, stack: Stack) -> None:
    """Watch: a worker that ends is started again, a service that ends is the end."""
    falls: dict[str, int] = {}
    while True:
        sleep(0.5)
        child = stack.fallen()
        if child is None:
            continue
        if child in stack.services:
            raise child.failed(f"ended with exit code {child.ended()}")
        tries = falls[child.name] = falls.get(child.name, 0) + 1
        pause = BACKOFF_S[min(tries, len(BACKOFF_S)) - 1]
        console.print(
            f"[red]{child.name} ended with exit code {child.ended()}[/red]; starting again in {pause} s ({child.log})"
        )
        sleep(pause)
        stack.start_worker(child.name)

"""One Faust app a role, all made alike: batched transport, no web server, no leader, no surprises."""

import gc
import signal
from asyncio import sleep
from pathlib import Path
from tempfile import gettempdir
from typing import Any, cast

import faust

from streams.config import Surroundings
from streams.fatal import leave
from streams.lease import Lease
from streams.rows import Raw

BATCH_RECORDS = 5_000
COMMIT_INTERVAL_S = 1.0
CLOSING_S = 0.05
GC_THRESHOLDS = (200_000, 20, 50)
"""Rows are many small long-lived objects; collecting as often as Python does by default costs a third of the time."""


def make_app(role: str, here: Surroundings) -> faust.App:
    """The Faust app of a role; the `livelift` URL scheme (an entry point of this package) chooses the transport."""
    gc.set_threshold(*GC_THRESHOLDS)
    brokers = ";".join(f"livelift://{address}" for address in here.brokers.split(","))
    return faust.App(
        here.app_id(role),
        broker_consumer=brokers,
        broker_producer=brokers.replace("livelift://", "kafka://"),
        broker=brokers.replace("livelift://", "kafka://"),
        broker_credentials=here.security.get("broker_credentials"),
        store="memory://",
        datadir=Path(gettempdir()) / f"{here.app_id(role)}-data",  # nothing is kept there, but Faust makes it
        topic_partitions=here.partitions,
        topic_replication_factor=1,
        topic_disable_leader=True,
        topic_allow_declare=False,
        table_standby_replicas=0,
        broker_session_timeout=here.session_timeout_s,
        broker_heartbeat_interval=here.session_timeout_s / 5,
        broker_commit_interval=COMMIT_INTERVAL_S,
        broker_max_poll_records=BATCH_RECORDS,
        consumer_group_instance_id=here.instance,
        consumer_auto_offset_reset="earliest",
        stream_wait_empty=False,
        stream_buffer_maxsize=64,
        web_enabled=False,
        worker_redirect_stdouts=False,
        consumer_max_fetch_size=4 * 1024 * 1024,
        logging_config=None,
    )


def lease_of(app: faust.App) -> Lease:
    """The lease that the app's transport renews."""
    return cast(Any, app.transport).lease


def batches(app: faust.App, *topics: str) -> Any:
    """A channel of whole partition batches of these topics."""
    return app.topic(*topics, schema=Raw(), key_type=bytes, value_type=bytes)


def announce_ready(here: Surroundings) -> None:
    """Tell whoever started this process that it holds its partitions."""
    if here.ready_file is not None:
        here.ready_file.touch()


class Worker(faust.Worker):
    """Faust's worker, which waits a second before it closes its event loop: all is stopped by then, and a moment is
    enough for closed connections to be let go."""

    async def _sentinel_task(self) -> None:
        await sleep(CLOSING_S)


def run(app: faust.App) -> None:
    """Run the worker in this process until SIGTERM or Ctrl-C; any crash ends the process without acknowledging."""
    gc.freeze()  # what has been imported stays: no collection has to go through it, nor the end of the process
    gc.enable()
    worker = Worker(app, loglevel="INFO", quiet=True, redirect_stdouts=False, override_logging=False)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        worker.execute_from_commandline()
    except SystemExit:
        raise
    except BaseException as error:
        leave(f"{type(error).__name__}: {error}")

"""Opening a recording's folder: what is in it, and everything in the order in which it is to be sent."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from livelift.recording.annotated import read_annotations
from livelift.recording.lines import read_lines
from livelift.recording.record import TICK, Log, Record, RecordingError
from livelift.recording.tables import EVENTS, TABLES, read_tables
from livelift.recording.ticks import daily, in_time_order, in_written_order, last_tick, plausible, tick_message
from models.education.annotations import Annotation
from models.plan import Plan, PlanError, read_plan
from models.product import Product, ProductError, read_product

CONFIG, TRUTH, PLANS = "livelift.toml", "truth.json", "plans"


@dataclass(frozen=True)
class Recording:
    """A recording, read and put in order. `events` counts what will be sent besides the ticks."""

    folder: Path
    events: int
    ticks: int
    last_tick: int
    """Event time of the last tick in microseconds, 0 without ticks: nothing much later than it can be true."""
    plans: list[Path]
    config: Path | None
    simulated: bool
    """Made up, not observed: to be labelled so wherever it is shown."""
    annotations: tuple[Annotation, ...]
    """What was done that tickets may follow."""
    assumed: list[Plan]
    """Plans that nobody wrote, where the opener asked for such."""
    refused: list[str]
    """Lines that could not be placed in any topic or time, each with its file, its number and what to do."""
    _log: Log
    _order: npt.NDArray[np.int64]

    @property
    def assigned(self) -> set[str]:
        """The experiments that anybody was assigned to, whatever the plans say."""
        return set(self._log.assigned)

    def records(self) -> Iterator[Record]:
        """Everything in the order in which it is to be sent."""
        return (self._log.record(index) for index in self._order.tolist())


def open_recording(
    folder: Path, as_written: bool = False, assume: Callable[[Log], list[Plan]] | None = None
) -> Recording:
    """Read a recording. `as_written` sends in the order of the files instead of in order of time. assume: makes plans
    of what was recorded, where the recording has none of its own.

    Raises RecordingError, naming file and line, for a folder, a table, a plan or settings that cannot be read.
    """
    plans = sorted((folder / PLANS).glob("*.toml"))
    stated = [_plan(path) for path in plans]
    config = folder / CONFIG if (folder / CONFIG).is_file() else None
    product = _product(config)
    log, refused = _read(folder, stated)
    events = len(log) - log.topics.count(TICK)
    if not events:
        raise RecordingError(f"{folder}: no event in it" + (f"; first refused: {refused[0]}" if refused else ""))
    assumed = assume(log) if assume is not None and not stated else []
    order, last = _order(log, stated or assumed, product.lateness, as_written)
    return Recording(
        folder=folder,
        events=events,
        ticks=len(log) - events,
        last_tick=last,
        plans=plans,
        assumed=assumed,
        config=config,
        simulated=product.simulated or is_simulated(folder),
        annotations=read_annotations(folder),
        refused=refused,
        _log=log,
        _order=order,
    )


def is_simulated(folder: Path) -> bool:
    """Whether a sidecar file says that this recording was made up."""
    try:
        sidecar = msgspec.json.decode((folder / TRUTH).read_bytes())
    except (OSError, msgspec.MsgspecError):
        return False
    return isinstance(sidecar, dict) and sidecar.get("simulated") is True


def _read(folder: Path, plans: list[Plan]) -> tuple[Log, list[str]]:
    log, refused = Log(), list[str]()
    tables = [name for name in TABLES if (folder / name).is_file()]
    if (folder / EVENTS).is_file():
        if tables:
            raise RecordingError(f"{folder} holds both {EVENTS} and {tables[0]}: keep the one that is to be played")
        read_lines(folder / EVENTS, log, refused)
    elif tables:
        if len(plans) > 1:
            raise RecordingError(f"{folder / PLANS}: the four tables record one experiment, keep only its plan")
        read_tables(folder, plans[0] if plans else None, log)
    else:
        raise RecordingError(f"{folder} is no recording: it holds neither {EVENTS} nor {', '.join(TABLES)}")
    return log, refused


def _order(log: Log, plans: list[Plan], lateness: int, keep: bool) -> tuple[npt.NDArray[np.int64], int]:
    """The send order and the last tick; supplies ticks where the recording has none."""
    ticks: list[int] = []
    if TICK not in log.topics:
        span = plausible(np.array(log.at, dtype=np.int64))
        ticks = daily(span[0], last_tick(span[1], log.assigned, plans, lateness)) if span else []
    written = np.array(log.at, dtype=np.int64)
    for at in ticks:
        log.add(TICK, b"", tick_message(at), at)
    at = np.array(log.at, dtype=np.int64)
    is_tick = np.array(log.topics, dtype=np.int8) == TICK
    last = int(at[is_tick].max(initial=0))
    if keep:
        return in_written_order(written, at[len(written) :]), last
    return in_time_order(at, is_tick), last


def _plan(path: Path) -> Plan:
    try:
        return read_plan(path.read_bytes())
    except PlanError as error:
        raise RecordingError(f"{path}: {error}") from error


def _product(config: Path | None) -> Product:
    if config is None:
        return Product()
    try:
        return read_product(config.read_bytes())
    except ProductError as error:
        raise RecordingError(f"{config}: {str(error).removeprefix('livelift.toml: ')}") from error

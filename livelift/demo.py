"""`livelift demo`: a simulated trial with known truth through everything, live on the terminal."""

import os
import re
import shutil
import signal
import sys
from io import StringIO
from pathlib import Path
from threading import Thread
from time import monotonic, sleep
from typing import Any

import msgspec
from rich.console import Console
from rich.live import Live

from consumers.snapshots import Snapshots
from livelift.local.stack import ROLES, Stack
from livelift.player import Player
from livelift.recording import Recording, open_recording
from livelift.recording.write import write_exercise
from livelift.settings import Settings
from livelift.show import overview, stuck
from livelift.surroundings import surroundings
from models.clock import SECOND, rfc3339
from models.simulation import simulate

SECONDS_LONG = 30.0
"""How long the 30 days take unless a speed is named."""
REFRESH_S = 1.0
SETTLE_S = 60.0
STAYS = """
Still running; Ctrl-C stops everything. In a browser:
  {dashboard}
In another terminal:
  export LIVELIFT_KAFKA={kafka} LIVELIFT_REDIS={redis}
  {livelift} snapshot funnel              what Redis holds
  {livelift} snapshot account:{account}     a score, and what drives it
  {livelift} dead-letters list            what was refused, and why
"""
ENDS = """
What next
  {livelift} demo     the same, and stays running to be looked at
  {livelift} up       Kafka, Redis, workers and dashboard for your own events (see README)
"""


class Demo:
    """One run: the exercise in a folder of its own, the stack, the player, the screen."""

    def __init__(
        self, settings: Settings, customers: int, seed: int, speed: float | None, capture: Path | None = None,
        dashboard_port: int | None = None,
    ) -> None:  # fmt: skip
        self.folder = settings.data_dir / "demo"
        self.console = Console()
        self.capture, self.dashboard_port = capture, dashboard_port
        exercise = self.folder / "exercise"
        self.exercise = simulate(customers=customers, seed=seed)
        if not settings.kafka:
            shutil.rmtree(self.folder, ignore_errors=True)  # local data of the last demo, nobody else's
        write_exercise(self.exercise, exercise)
        self.recording = open_recording(exercise)
        self.speed = speed or self.comfortable(self.recording)
        self.settings = settings.model_copy(
            update={"clock": "log", "config": exercise / "livelift.toml", "data_dir": self.folder}
        )
        self.error: BaseException | None = None

    @staticmethod
    def comfortable(recording: Recording) -> float:
        """The speed at which it takes half a minute."""
        first = next(recording.records()).at
        return (recording.last_tick - first) / SECOND / SECONDS_LONG

    def run(self, once: bool) -> int:
        """Play it; with `once`, check it and say how it went, else stay until Ctrl-C."""
        progress = lambda step: self.console.print(f"[dim]{step} …[/dim]")  # noqa: E731
        roles = (*ROLES, "dashboard")
        with Stack(self.settings, roles, dashboard_port=self.dashboard_port, progress=progress) as stack:
            stack.wait_ready()
            self.console.print(f"Dashboard {stack.dashboard}   [dim](the same, for people)[/dim]")
            self.console.print(f"Kafka {stack.settings.kafka}   Redis {stack.settings.redis}")
            self.snapshots = Snapshots(stack.settings.require_redis(), stack.settings.redis_prefix)
            final = self._watch(stack)
            failures = self.check(final)
            if self.capture is not None:
                write_capture(self.capture, final)
            self.console.print()
            for failure in failures:
                self.console.print(f"[red]not as known:[/red] {failure}")
            if not failures:
                self.console.print(
                    f"[green]As known: all {self.recording.events:,} events that were generated are accepted, and the "
                    f"true effect of the offer, {100 * self.truth():+.1f} points, lies in the interval.[/green]",
                    highlight=False,
                )
            words = {"livelift": program(), "kafka": stack.settings.kafka, "redis": stack.settings.redis_shown,
                     "account": first_account(final), "dashboard": stack.dashboard}  # fmt: skip
            said = (ENDS if once else STAYS).format(**words)
            self.console.print(said, markup=False, highlight=False, soft_wrap=True)
            if not once:
                while True:
                    sleep(REFRESH_S)
                    stack.check()
        return 1 if failures else 0

    def _watch(self, stack: Stack) -> dict[str, Any]:
        """Show the snapshots while the recording plays, until the last tick has been read out."""
        playing = Thread(target=self._play, args=(stack,), daemon=True)
        playing.start()
        end = rfc3339(self.recording.last_tick)
        deadline = None
        with Live(console=self.console, refresh_per_second=2) as live:
            while True:
                sleep(REFRESH_S)
                stack.check()
                if self.error is not None:
                    raise self.error
                held = self.snapshots.everything()
                live.update(overview(held))
                quality = held.get("quality") or {}
                settled = not sum(quality.get("lag", {"": 1}).values())
                if quality.get("as_of", {}).get("time") == end and settled and not playing.is_alive():
                    break
                if not playing.is_alive():
                    deadline = deadline or monotonic() + SETTLE_S
                    if monotonic() > deadline:
                        break
            sleep(2 * REFRESH_S)  # the accounts' and journeys' last messages
            held = self.snapshots.everything()
            live.update(overview(held))
        return held

    def _play(self, stack: Stack) -> None:
        try:
            Player(surroundings(stack.settings), self.speed).play(self.recording)
        except BaseException as error:  # shown by the thread that draws
            self.error = error

    def check(self, held: dict[str, Any]) -> list[str]:
        """What is not as the simulation knows it to be; empty when all is well."""
        found = []
        quality = held.get("quality") or {}
        if quality.get("accepted") != self.recording.events:
            found.append(f"{self.recording.events} events were generated, {quality.get('accepted')} accepted")
        if quality.get("refused"):
            found.append(f"nothing should have been refused: {quality['refused']}")
        experiment = next((value for key, value in held.items() if key.startswith("experiment:")), {})
        itt = experiment.get("metrics", {}).get("converted", {}).get("itt", {})
        effect = self.truth()
        if itt.get("estimate") is None:
            found.append(f"the experiment has no read-out: {itt.get('because')}")
        elif not itt["cs"][0] <= effect <= itt["cs"][1]:
            found.append(f"the known effect {effect:+.3f} is outside its confidence sequence {itt['cs']}")
        if not stuck(held):
            found.append("no stuck user is listed")
        return found

    def truth(self) -> float:
        """The effect of being offered help that the simulation was made with."""
        truth = msgspec.json.decode((self.recording.folder / "truth.json").read_bytes())
        effect: float = truth["population"]["itt"]
        return effect


def program() -> str:
    """How this command is called in this shell: `make demo` does not put it on the path."""
    return "livelift" if shutil.which("livelift") else os.path.relpath(Path(sys.executable).parent / "livelift")


def first_account(held: dict[str, Any]) -> str:
    """An account that is worth looking at."""
    listed = (held.get("at-risk") or {}).get("accounts") or [{"account_id": "ID"}]
    return str(listed[0]["account_id"])


def run_demo(
    settings: Settings, once: bool, customers: int, seed: int, speed: float | None, capture: Path | None,
    dashboard_port: int | None = None,
) -> int:  # fmt: skip
    """The exit code of the demo: 0 only if all is as known."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    return Demo(settings, customers, seed, speed, capture, dashboard_port).run(once)


def write_capture(file: Path, held: dict[str, Any]) -> None:
    """The overview as a terminal shows it, as SVG."""
    console = Console(record=True, width=110, file=StringIO())
    console.print(overview(held))
    svg = console.export_svg(title="livelift demo")
    file.write_text(re.sub(r"@font-face\s*{.*?}\s*", "", svg, flags=re.DOTALL))  # no font from an outside host

"""Sources in a test's folder: a mapping and its data, sent into a recording without Kafka."""

import json
from pathlib import Path
from typing import Any

from livelift.sources.mapping import read_mapping
from livelift.sources.run import Sending, state_file
from livelift.sources.stream import Outcome, Stream
from livelift.sources.to_folder import STATES, ToFolder
from models.product import Product, read_product

LATEST = 1_800_000_000_000_000
"""Event time that nothing in the tests' data passes, in microseconds: 2027-01-15."""


def write(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def stream(mapping: Path, product: Product | None = None, told: list[str] | None = None) -> Stream:
    said = [] if told is None else told
    return Stream(read_mapping(mapping), product or Product(), LATEST, said.append)


def outcomes(mapping: Path, product: Product | None = None, told: list[str] | None = None) -> list[Outcome]:
    """What became of every row, without sending anything."""
    return list(stream(mapping, product, told).outcomes())


def events(found: list[Outcome]) -> list[dict[str, Any]]:
    return [json.loads(made.value) for outcome in found for made in outcome.made]


def refusals(found: list[Outcome]) -> list[str]:
    return [f"{outcome.where}: {outcome.reason}: {outcome.detail}" for outcome in found if outcome.reason is not None]


def send(mapping: Path, folder: Path, told: list[str] | None = None, again: bool = False) -> Sending:
    """Write a source as a recording, going on where it stopped; the sending, with its counts."""
    settings = folder / "livelift.toml"
    product = read_product(settings.read_bytes()) if settings.is_file() else Product()
    said: list[str] = [] if told is None else told
    running = stream(mapping, product, said)
    out = ToFolder(folder, running.mapping.name)
    file = state_file(folder / STATES, running.mapping.name)
    try:
        with file.held():
            sending = Sending(running, out, file, lambda outcome: said.append(outcome.where), said.append)
            sending.run(again=again)
    finally:
        out.close()
    return sending


def written(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "events.jsonl").read_bytes().splitlines()]

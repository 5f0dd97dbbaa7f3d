"""Writing a backtest's report: for people as Markdown and HTML, for programs as JSON."""

import os
from errno import EACCES
from pathlib import Path
from typing import Any

import msgspec

from livelift.backtest.figures import figures
from livelift.backtest.page import html, page


def made_ready(folder: Path) -> None:
    """Make the folder, so that one that cannot be written to is known before anything long begins; OSError if not."""
    folder.mkdir(parents=True, exist_ok=True)
    if not os.access(folder, os.W_OK):
        raise PermissionError(EACCES, "cannot be written to", str(folder))


def write_report(folder: Path, report: dict[str, Any], predictions: dict[str, Any]) -> None:
    """Write all of it. predictions: every judged row, column by column, for whoever wants to count for themselves."""
    drawn, markdown = figures(report), page(report)
    texts = {
        **drawn,
        "report.md": markdown,
        "report.html": html(markdown, f"Backtest of {report['recording']}", drawn),
        "report.json": msgspec.json.encode({**report, "predictions": predictions}).decode() + "\n",
    }
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")

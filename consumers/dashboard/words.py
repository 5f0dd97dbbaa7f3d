"""Figures and moments as people read them; used by every page."""

import re
from datetime import UTC, datetime
from typing import Any

from markupsafe import Markup, escape

from models.alerts.figures import SIGN

NOTHING = "–"
CODE = re.compile("`([^`]*)`")
BANDS = {"healthy": "Healthy", "watch": "Watch", "at_risk": "At risk"}
VERDICTS = {
    "keep_running": "Keep running", "double_down": "Roll out", "pivot": "Change approach",
    "unhealthy": "Do not trust yet",
}  # fmt: skip


def number(value: float | None, digits: int = 0) -> str:
    """1,234 or 0.12; a dash where there is none."""
    return NOTHING if value is None else f"{value:,.{digits}f}".replace("-", "−")


def signed(value: float | None, digits: int = 1) -> str:
    """+3.2, −3.2 or 0.0."""
    if value is None:
        return NOTHING
    return f"{value:+,.{digits}f}".replace("-", "−") if round(value, digits) else f"{0:.{digits}f}"


def weekly(change: float) -> str:
    """How a score has moved over a week."""
    return f"{signed(change) if round(change, 1) else 'unchanged'} in a week"


def percent(value: float | None, digits: int = 0) -> str:
    """25 %, on one line."""
    return NOTHING if value is None else f"{100 * value:,.{digits}f}{SIGN}".replace("-", "−")


def band(name: str | None) -> str:
    return NOTHING if name is None else BANDS.get(name, name)


def verdict(name: str | None) -> str:
    """A decision in words; too early to say where there is none."""
    return "Too early to say" if name is None else VERDICTS.get(name, name)


def sentence(text: str) -> str:
    """What was published to stand after a colon, standing alone."""
    return f"{text[:1].upper()}{text[1:]}" + ("" if text.endswith((".", "!", "?")) or not text else ".")


def coded(text: str) -> Markup:
    """A text with what stands between backticks as code."""
    return Markup(CODE.sub(r"<code>\1</code>", str(escape(text))))


def moment(text: str | None) -> Markup:
    """A moment, which the page shows in the reader's zone; in UTC without JavaScript. A day is a day in any zone."""
    if text is None:
        return Markup(NOTHING)
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return Markup(escape(text))
    if len(text) == len("2026-05-05"):
        return Markup(f'<time datetime="{escape(text)}" data-local>{escape(text)}</time>')
    shown = at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
    return Markup(f'<time datetime="{escape(text)}" data-local>{shown}</time>')


def name_of(account: dict[str, Any]) -> str:
    """An account by its name, else by its id."""
    traits = account.get("traits") or {}
    return str(account.get("name_told") or traits.get("name") or account.get("account_id") or "")


FILTERS = {
    "number": number, "signed": signed, "weekly": weekly, "percent": percent, "band": band, "verdict": verdict,
    "sentence": sentence, "coded": coded, "moment": moment,
}  # fmt: skip

"""Figures and moments as people read them; used by every page."""

from datetime import UTC, datetime
from typing import Any

from markupsafe import Markup, escape

NOTHING = "–"
BANDS = {"healthy": "Healthy", "watch": "Watch", "at_risk": "At risk"}
VERDICTS = {
    "keep_running": "Keep running", "double_down": "Roll out", "pivot": "Change approach",
    "unhealthy": "Do not trust yet",
}  # fmt: skip


def number(value: float | None, digits: int = 0) -> str:
    """1,234 or 0.12; a dash where there is none."""
    return NOTHING if value is None else f"{value:,.{digits}f}".replace("-", "−")


def signed(value: float | None, digits: int = 1) -> str:
    """+3.2 or −3.2."""
    return NOTHING if value is None else f"{value:+,.{digits}f}".replace("-", "−")


def percent(value: float | None, digits: int = 0) -> str:
    return NOTHING if value is None else f"{100 * value:,.{digits}f} %".replace("-", "−")


def band(name: str | None) -> str:
    return NOTHING if name is None else BANDS.get(name, name)


def verdict(name: str | None) -> str:
    """A decision in words; too early to say where there is none."""
    return "Too early to say" if name is None else VERDICTS.get(name, name)


def moment(text: str | None) -> Markup:
    """A moment, which the page shows in the reader's zone; in UTC without JavaScript."""
    if text is None:
        return Markup(NOTHING)
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return Markup(escape(text))
    if len(text) == len("2026-05-05"):
        return Markup(f'<time datetime="{escape(text)}">{escape(text)}</time>')
    shown = at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
    return Markup(f'<time datetime="{escape(text)}" data-local>{shown}</time>')


def name_of(account: dict[str, Any]) -> str:
    """An account by its name, else by its id."""
    traits = account.get("traits") or {}
    return str(account.get("name_told") or traits.get("name") or account.get("account_id") or "")


FILTERS = {
    "number": number, "signed": signed, "percent": percent, "band": band, "verdict": verdict, "moment": moment,
}  # fmt: skip

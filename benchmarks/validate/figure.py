"""The figure of the page: how many experiments have ever found a difference, by how long they have been watched."""

from collections.abc import Sequence
from html import escape
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

WIDTH, HEIGHT = 380, 300
LEFT, RIGHT, TOP, BOTTOM = 52, 14, 48, 44
STEPS = 120


class Line(NamedTuple):
    """Per run the unit after which it first crossed (0 for never), and how it is drawn."""

    name: str
    crossed: ArrayLike
    colour: str


class Panel(NamedTuple):
    """One chart: over units / planned_units, the share of runs that have ever crossed; dashed lines: name -> share."""

    title: str
    planned: int
    lines: Sequence[Line]
    dashed: dict[str, float]
    top: float


def svg(panels: Sequence[Panel]) -> str:
    """The panels side by side, as a file of its own."""
    width = WIDTH * len(panels)
    drawn = "\n".join(
        f'<g transform="translate({WIDTH * i},0)">\n{_panel(panel)}\n</g>' for i, panel in enumerate(panels)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {HEIGHT}" width="{width}" height="{HEIGHT}" '
        'font-family="sans-serif" font-size="11" role="img">\n'
        f'<rect width="{width}" height="{HEIGHT}" fill="white"/>\n{drawn}\n</svg>\n'
    )


def _panel(panel: Panel) -> str:
    parts = [_text(LEFT, 18, panel.title, size=13)]
    for i in range(5):
        share = panel.top * i / 4
        parts.append(_rule(0, 3, share, panel.top, "#ddd"))
        parts.append(_text(LEFT - 6, _y(share, panel.top) + 4, f"{100 * share:.0f} %", anchor="end"))
    parts += [_text(_x(times), HEIGHT - BOTTOM + 16, str(times), anchor="middle") for times in range(4)]
    parts.append(_text(_x(1.5), HEIGHT - 10, f"units / planned_units ({panel.planned:,})", anchor="middle"))
    for name, share in panel.dashed.items():
        parts.append(_rule(0, 3, share, panel.top, "#888", ' stroke-dasharray="5 4"'))
        # Curves come to lie above a high line and below a low one.
        beside = 13 if share > panel.top / 2 else -4
        parts.append(_text(_x(3), _y(share, panel.top) + beside, name, anchor="end", colour="#666"))
    for number, line in enumerate(panel.lines):
        parts.append(_curve(line, panel))
        parts.append(_text(LEFT + 8, TOP + 2 + 14 * number, line.name, colour=line.colour))
    return "\n".join(parts)


def _curve(line: Line, panel: Panel) -> str:
    crossed = np.asarray(line.crossed)
    times = np.linspace(0, 3, STEPS + 1)
    shares = [((crossed > 0) & (crossed <= one * panel.planned)).mean() for one in times]
    points = " ".join(
        f"{_x(one):.1f},{_y(min(share, panel.top), panel.top):.1f}" for one, share in zip(times, shares, strict=True)
    )
    return f'<polyline points="{points}" fill="none" stroke="{line.colour}" stroke-width="2"/>'


def _x(times: float) -> float:
    return LEFT + times / 3 * (WIDTH - LEFT - RIGHT)


def _y(share: float, top: float) -> float:
    return HEIGHT - BOTTOM - share / top * (HEIGHT - TOP - BOTTOM)


def _rule(start: float, end: float, share: float, top: float, colour: str, more: str = "") -> str:
    y = _y(share, top)
    return f'<line x1="{_x(start):.1f}" x2="{_x(end):.1f}" y1="{y:.1f}" y2="{y:.1f}" stroke="{colour}"{more}/>'


def _text(x: float, y: float, text: str, anchor: str = "start", size: int = 11, colour: str = "#222") -> str:
    at = f'x="{x:.1f}" y="{y:.1f}"'
    return f'<text {at} text-anchor="{anchor}" font-size="{size}" fill="{colour}">{escape(text)}</text>'

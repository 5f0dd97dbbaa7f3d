"""Charts as SVG files of their own: curves and dots over two axes that begin at 0."""

from collections.abc import Callable, Sequence
from html import escape
from typing import Literal, NamedTuple

WIDTH, HEIGHT = 380, 300
LEFT, RIGHT, TOP, BOTTOM = 52, 14, 48, 44
LINE_HEIGHT, SHORT = 14, 3
COLOURS = ("#2471a3", "#c0392b", "#1e8449", "#7d3c98", "#b9770e", "#566573")
"""In the order in which lines are told apart."""
Point = tuple[float, float]
Corner = Literal["top left", "top right", "bottom right"]


class Axis(NamedTuple):
    """From 0 to `top`, with its ticks as they are written. name: below the axis; empty for none."""

    name: str
    top: float
    ticks: Sequence[float]
    written: Callable[[float], str]


class Line(NamedTuple):
    """A curve through points, or dots with bars. bars: from one point to another of the same x."""

    name: str
    colour: str
    points: Sequence[Point]
    dots: bool = False
    bars: Sequence[tuple[Point, Point]] = ()


class Dashed(NamedTuple):
    """A straight line to compare with."""

    name: str
    start: Point
    end: Point


class Panel(NamedTuple):
    """One chart. names: the corner in which its lines are named."""

    title: str
    x: Axis
    y: Axis
    lines: Sequence[Line]
    dashed: Sequence[Dashed] = ()
    names: Corner = "top left"


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


def percent(share: float) -> str:
    return f"{100 * share:.3g} %"


def _panel(panel: Panel) -> str:
    x, y = panel.x, panel.y
    parts = [_text(LEFT, 18, panel.title, size=13)]
    for tick in y.ticks:
        parts.append(_straight(panel, (0, tick), (x.top, tick), "#ddd"))
        parts.append(_text(LEFT - 6, _down(panel, tick) + 4, y.written(tick), anchor="end"))
    parts += [_tick(panel, tick) for tick in x.ticks]
    parts.append(_text(_along(panel, x.top / 2), HEIGHT - 10, x.name, anchor="middle"))
    for one in panel.dashed:
        parts.append(_straight(panel, one.start, one.end, "#888", ' stroke-dasharray="5 4"'))
        # Curves come to lie above a high line and below a low one.
        beside = 13 if one.end[1] > y.top / 2 else -4
        parts.append(
            _text(_along(panel, one.end[0]), _down(panel, one.end[1]) + beside, one.name, anchor="end", colour="#666")
        )
    for number, line in enumerate(panel.lines):
        parts += _drawn(panel, line)
        parts.append(_named(panel, line, number))
    return "\n".join(parts)


def _tick(panel: Panel, tick: float) -> str:
    """A number below the axis; a long one at its end would stand out of the picture."""
    text = panel.x.written(tick)
    anchor = "end" if tick == panel.x.top and len(text) > SHORT else "middle"
    return _text(_along(panel, tick), HEIGHT - BOTTOM + 16, text, anchor=anchor)


def _drawn(panel: Panel, line: Line) -> list[str]:
    bars = [_straight(panel, *bar, line.colour) for bar in line.bars]
    places = [(_along(panel, x), _down(panel, min(y, panel.y.top))) for x, y in line.points]
    if line.dots:
        return bars + [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{line.colour}"/>' for x, y in places]
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    return [*bars, f'<polyline points="{points}" fill="none" stroke="{line.colour}" stroke-width="2"/>']


def _named(panel: Panel, line: Line, number: int) -> str:
    below = TOP + 2 + LINE_HEIGHT * number
    match panel.names:
        case "top left":
            return _text(LEFT + 8, below, line.name, colour=line.colour)
        case "top right":
            return _text(WIDTH - RIGHT - 8, below, line.name, anchor="end", colour=line.colour)
        case "bottom right":
            y = HEIGHT - BOTTOM - 8 - LINE_HEIGHT * (len(panel.lines) - 1 - number)
            return _text(WIDTH - RIGHT - 8, y, line.name, anchor="end", colour=line.colour)


def _along(panel: Panel, x: float) -> float:
    return LEFT + x / panel.x.top * (WIDTH - LEFT - RIGHT)


def _down(panel: Panel, y: float) -> float:
    return HEIGHT - BOTTOM - y / panel.y.top * (HEIGHT - TOP - BOTTOM)


def _straight(panel: Panel, start: Point, end: Point, colour: str, more: str = "") -> str:
    x1, x2 = _along(panel, start[0]), _along(panel, end[0])
    y1, y2 = _down(panel, start[1]), _down(panel, end[1])
    return f'<line x1="{x1:.1f}" x2="{x2:.1f}" y1="{y1:.1f}" y2="{y2:.1f}" stroke="{colour}"{more}/>'


def _text(x: float, y: float, text: str, anchor: str = "start", size: int = 11, colour: str = "#222") -> str:
    at = f'x="{x:.1f}" y="{y:.1f}"'
    return f'<text {at} text-anchor="{anchor}" font-size="{size}" fill="{colour}">{escape(text)}</text>'

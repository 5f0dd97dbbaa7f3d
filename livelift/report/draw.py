"""Vega-Lite to SVG, without a browser and without the network, at the size at which it is printed."""

import re
from typing import Any

import vl_convert

from livelift.report.figures import WIDTH

TEXT_WIDTH_MM = 170
"""An A4 page less margins of 20 mm."""
SPOKEN = re.compile(r' (?:role|aria-[a-z]+)="[^"]*"')
"""What Vega says of every mark to those who do not see it; the page says in words what the figure shows as a whole."""
SIZE = re.compile(r'<svg ([^>]*?)width="([\d.]+)" height="([\d.]+)"')


def svg(spec: dict[str, Any], name: str) -> str:
    """The figure as a file of its own; its names of parts hold its own name, so that several fit in one page."""
    drawn = SPOKEN.sub("", vl_convert.vegalite_to_svg(spec))
    drawn = re.sub(r'(id="|url\(#|href="#)', rf"\g<1>{name}-", drawn)
    return SIZE.sub(_sized, drawn, count=1)


def _sized(found: re.Match[str]) -> str:
    """Millimetres in place of pixels."""
    scale = TEXT_WIDTH_MM / WIDTH
    across, down = float(found[2]) * scale, float(found[3]) * scale
    return f'<svg {found[1]}width="{across:.1f}mm" height="{down:.1f}mm"'

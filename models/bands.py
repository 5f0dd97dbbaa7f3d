"""Bands: what CS reads of a score at a glance, left only when the score is clearly beyond the edge."""

from typing import NamedTuple


class Band(NamedTuple):
    """A band and where it begins, in hundredths of points.

    lowest: the lowest score that belongs to it. down: an account in it leaves it below this. up: one below it enters it
    from this on. Between `down` and `up` an account stays where it was (hysteresis).
    """

    name: str
    lowest: int
    down: int
    up: int


Bands = tuple[Band, ...]
"""From the best to the worst; the last one has no lower edge."""


def fixed_bands(lowest: tuple[tuple[str, int], ...], hysteresis: int) -> Bands:
    """Bands whose edges are scores, with the same hysteresis on both sides of each."""
    return tuple(Band(name, edge, edge - hysteresis, edge + hysteresis) for name, edge in lowest)


def band_of(score: int, before: str | None, bands: Bands) -> str:
    """The band of a score, given the band of the last daily close."""
    now = next((at for at, band in enumerate(bands) if score >= band.lowest), len(bands) - 1)
    name = bands[now].name
    if before is None or name == before:
        return name
    held = [band.name for band in bands].index(before)
    left = score >= bands[held - 1].up if now < held else score < bands[held].down
    return name if left else before

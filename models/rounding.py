"""Rounding parts so that they still add up."""


def largest_remainder(exact: list[float], total: int) -> list[int]:
    """Round parts to integers that add up to `total`, moving those whose remainders are largest.

    total: the parts' sum, give or take what rounding it makes of it. No parts have no sum but 0.
    """
    if not exact:
        return []
    floors = [int(part // 1) for part in exact]
    every, moved = divmod(total - sum(floors), len(exact))
    by_remainder = sorted(range(len(exact)), key=lambda i: floors[i] - exact[i])
    for place, i in enumerate(by_remainder):
        floors[i] += every + (place < moved)
    return floors

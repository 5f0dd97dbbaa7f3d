"""Segments of an experiment's units by a trait's value: a trait may have any number of values, a share may not."""

from collections.abc import Mapping

import xxhash

from models.inference.moments import Moments

SEGMENTS_KEPT = 64
OTHER_SEGMENTS = "(other)"


def few_segments(moments: Mapping[str, Moments]) -> dict[str, Moments]:
    """The moments with at most 64 segments of a trait, and all others of it together.

    Those with the smallest hashes stay, so that every partition that has one of them names it: a segment that stays
    among all partitions' has stayed in each.
    """
    found: dict[str, Moments] = {}
    traits: dict[str, list[str]] = {}
    for name in moments:
        metric, mark, segment = name.partition("/segment/")
        if mark:
            trait, _, label = segment.partition("/")
            if label != OTHER_SEGMENTS:
                traits.setdefault(f"{metric}{mark}{trait}/", []).append(label)
    if max(map(len, traits.values()), default=0) <= SEGMENTS_KEPT:
        return dict(moments)
    named = {
        prefix + label
        for prefix, labels in traits.items()
        for label in sorted(labels, key=lambda label: xxhash.xxh3_64_intdigest(label.encode()))[:SEGMENTS_KEPT]
    }
    for name, one in moments.items():
        kept = name
        if "/segment/" in name and name not in named:
            metric, mark, segment = name.partition("/segment/")
            kept = f"{metric}{mark}{segment.partition('/')[0]}/{OTHER_SEGMENTS}"
        if kept not in found:
            found[kept] = Moments(one.blocks, one.columns)
        found[kept] += one
    return found

"""One partition's sums of one experiment, and their merging: counters, moments of clusters, durations.

At every moment they equal what all units of the partition add up to; replacing a unit takes its old part out and puts
the new one in.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from msgspec import Struct

from models.adding import add
from models.arms import Part, Unit
from models.inference.durations import Durations, bin_width, bins_of
from models.inference.moments import Encoded, Moments, Vector, shifted
from models.plan import Plan
from models.segments import few_segments

Clusters = dict[str, Vector]
"""One account's vector in each of the experiment's moments, by name."""


class Share(Struct):
    """A partition's sums of an experiment as they travel."""

    counts: dict[str, int]
    moments: dict[str, Encoded]


NOTHING = Share({}, {})


class _Lasting(NamedTuple):
    """The durations of a metric in an arm, and the width of their bins."""

    durations: Durations
    width: int


class Tally:
    """The sums of one partition."""

    def __init__(self, plan: Plan, now: int) -> None:
        self.now = now
        self.counts: Counter[str] = Counter()
        self.moments: dict[str, Moments] = {}
        self._windows = {metric.name: metric.window for metric in plan.metric}
        self._lasting: dict[tuple[str, str], _Lasting] = {}

    def replace(self, clusters: Clusters, old: Unit | None, new: Unit | None) -> None:
        """Put a unit's part in place of its former one; `clusters` is its account's, and is kept true."""
        for sign, unit in ((-1, old), (1, new)):
            if unit is not None:
                self._count(unit.counts, sign)
                for key, (cohort, exit_) in unit.durations.items():
                    self._lasts(key).durations.add(cohort, exit_, sign)
        before = {} if old is None else old.parts
        after = {} if new is None else new.parts
        for name in before.keys() | after.keys():
            self._replace_part(clusters, name, before.get(name), after.get(name))

    def _count(self, counts: Mapping[str, int], sign: int) -> None:
        for name, amount in counts.items():
            add(self.counts, name, sign * amount)

    def _replace_part(self, clusters: Clusters, name: str, old: Part | None, new: Part | None) -> None:
        if old == new:
            return
        shape = new or old
        assert shape is not None
        nothing = (0,) * len(shape.vector)
        before, after = (nothing if part is None else part.vector for part in (old, new))
        held = clusters.get(name)
        whole = after if held is None or held == before else shifted(held, before, after)
        moments = self.moments.get(name)
        if moments is None:
            moments = self.moments[name] = Moments(shape.blocks, len(shape.vector) // shape.blocks)
        moments.replace(nothing if held is None else held, whole)
        if any(whole):
            clusters[name] = whole
        else:
            clusters.pop(name, None)
        if moments.empty:
            del self.moments[name]

    def _lasts(self, key: tuple[str, str]) -> _Lasting:
        lasting = self._lasting.get(key)
        if lasting is None:
            window = self._windows[key[0]]
            width = bin_width(window)
            lasting = self._lasting[key] = _Lasting(Durations(bins_of(window, width), self.now // width), width)
        return lasting

    def advance(self, now: int) -> bool:
        """Let time pass: ages grow. Returns whether anything that is read has changed by it."""
        self.now = max(self.now, now)
        changed = False
        for durations, width in self._lasting.values():
            if now // width > durations.now:
                before = durations.counts()
                durations.advance(now // width)
                changed = changed or durations.counts() != before
        return changed

    def share(self) -> Share:
        """The sums as they travel."""
        counts = dict(self.counts)
        for (metric, arm), (durations, _) in self._lasting.items():
            counts |= {f"{arm}:time:{metric}:{name}": count for name, count in durations.counts().items()}
        return Share(counts, {name: one.encode() for name, one in few_segments(self.moments).items()})


class Total:
    """All partitions' sums of an experiment: a partition's new share takes its old one's place."""

    def __init__(self, shares: Iterable[tuple[int, Share]] = ()) -> None:
        self.counts: Counter[str] = Counter()
        self.moments: dict[str, Moments] = {}
        self._shares: dict[int, Share] = {}
        for partition, share in shares:
            self.put(partition, share)

    def put(self, partition: int, share: Share | None) -> None:
        """Take a partition's latest share in place of its former one (None: it has none any more)."""
        old, new = self._shares.pop(partition, NOTHING), NOTHING if share is None else share
        if share is not None:
            self._shares[partition] = share
        self._replace_counts(old.counts, new.counts)
        for name in old.moments.keys() | new.moments.keys():
            before, after = old.moments.get(name), new.moments.get(name)
            if before != after:  # few of them are touched when few units are
                self._replace_moments(name, before, after)

    def _replace_counts(self, old: Mapping[str, int], new: Mapping[str, int]) -> None:
        known = old.items()
        for name, amount in [item for item in new.items() if item not in known]:
            add(self.counts, name, amount - old.get(name, 0))
        for name in old.keys() - new.keys():
            add(self.counts, name, -old[name])

    def _replace_moments(self, name: str, old: Encoded | None, new: Encoded | None) -> None:
        if old is not None and new is not None:
            self.moments[name].shift(old, new)
            return
        for sign, encoded in ((-1, old), (1, new)):
            if encoded is None:
                continue
            moments = Moments.decode(encoded)
            whole = self.moments.get(name)
            if whole is None:
                whole = self.moments[name] = Moments(moments.blocks, moments.columns)
            if sign > 0:
                whole += moments
            else:
                whole -= moments
        if self.moments[name].empty:
            del self.moments[name]

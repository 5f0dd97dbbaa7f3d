"""One partition's sums of one experiment, and their merging: counters, moments of clusters, durations.

At every moment they equal what all units of the partition add up to; replacing a unit takes its old part out and puts
the new one in.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, TypeVar

from msgspec import Struct

from models.adding import add, add_rows
from models.arms import Counted, Part, Unit
from models.inference.durations import Durations, bin_width, bins_of
from models.inference.moments import Encoded, Moments, Vector, shifted
from models.plan import Plan
from models.segments import few_segments

Clusters = dict[str, Vector]
"""One account's vector in each of the experiment's moments, by name."""


Counts = dict[str, dict[str, int]]
"""Counters by group and name."""


class Share(Struct):
    """A partition's sums of an experiment as they travel."""

    counts: Counts
    moments: dict[str, Encoded]
    times: dict[str, list[int]]
    """By `ARM:METRIC` the fold of its durations."""


class _Lasting(NamedTuple):
    """The durations of a metric in an arm, and the width of their bins."""

    durations: Durations
    width: int


class Tally:
    """The sums of one partition."""

    def __init__(self, plan: Plan, now: int) -> None:
        self.now = now
        self.counts: Counts = {}
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

    def _count(self, counts: Mapping[Counted, int], sign: int) -> None:
        for (group, name), amount in counts.items():
            held = self.counts.setdefault(group, {})
            add(held, name, sign * amount)
            if not held:
                del self.counts[group]

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
                before = durations.row()
                durations.advance(now // width)
                changed = changed or durations.row() != before
        return changed

    def share(self) -> Share:
        """The sums as they travel."""
        counts = {group: dict(held) for group, held in self.counts.items()}
        moments = {name: one.encode() for name, one in few_segments(self.moments).items()}
        rows = {f"{arm}:{metric}": lasting.durations.row() for (metric, arm), lasting in self._lasting.items()}
        return Share(counts, moments, {name: row for name, row in rows.items() if any(row)})


class Total:
    """All partitions' sums of an experiment, added up from their shares."""

    def __init__(self, shares: Sequence[Share] = ()) -> None:
        self._counts = {group: _added(parts) for group, parts in _by_name(share.counts for share in shares)}
        self.moments = {name: Moments.decode(*parts) for name, parts in _by_name(share.moments for share in shares)}
        self.times = {name: add_rows(*rows) for name, rows in _by_name(share.times for share in shares)}

    @property
    def counts(self) -> Counts:
        """Counters by group and name; nothing is 0."""
        return {group: counts for group, counts in self._counts.items() if counts}

    def group(self, name: str) -> Mapping[str, int]:
        """The counters of a group."""
        return self._counts.get(name, {})


Told = TypeVar("Told")


def _by_name(shares: Iterable[Mapping[str, Told]]) -> Iterable[tuple[str, list[Told]]]:
    """What the shares say under each name."""
    found: dict[str, list[Told]] = {}
    for share in shares:
        for name, part in share.items():
            found.setdefault(name, []).append(part)
    return found.items()


def _added(parts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total: dict[str, int] = {}
    known = total.get
    for counts in parts:
        for name, count in counts.items():
            total[name] = known(name, 0) + count
    return {name: count for name, count in total.items() if count}

"""From partials and messages to snapshots: what Redis holds, as plain values by key.

The publisher and `livelift replay` use the same functions, so that both read to the same *canonical snapshot*.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import msgspec

from models import funnel
from models.adding import add
from models.authenticity import live
from models.authenticity.sums import Share as AuthenticityShare
from models.clock import day_of, rfc3339
from models.education import reading
from models.education.months import month_at
from models.education.sums import ALL_TICKETS, AREAS, OF_AREA
from models.events import SOURCES
from models.keys import SCHEMA
from models.messages import split_partial_key
from models.plan import PublishedPlan, State
from models.product import Product
from models.readout import experiment
from models.readout.looks import NOTHING_SEEN, Looks, joined
from models.rows import NEVER
from models.tally import Share, Total
from models.world import World

HORIZON = "a repeated event id is recognised among the last 64 events of its user (or account)"

Snapshot = dict[str, Any]
decode_share = msgspec.json.Decoder(Share).decode
decode_authenticity = msgspec.json.Decoder(AuthenticityShare).decode
decode_looks = msgspec.json.Decoder(Looks).decode


class _Reading(NamedTuple):
    """An experiment as it was last read: against which plan, and when."""

    fingerprint: str
    time: int
    snapshot: Snapshot


class Partials:
    """All partitions' shares of every aggregate; merging them is adding integers."""

    def __init__(self, expected: int = 1) -> None:
        self._expected = expected
        """How many partitions there are."""
        self._funnels: dict[str, dict[int, dict[str, int]]] = defaultdict(dict)
        self._experiments: dict[str, dict[int, Share]] = defaultdict(dict)
        self._partitions: dict[int, dict[str, Any]] = {}
        self._education: dict[str, dict[int, dict[str, dict[str, int]]]] = defaultdict(dict)
        self._taught: tuple[object, Snapshot] | None = None
        """What was last read of education, and what from."""
        self._authenticity: dict[int, AuthenticityShare] = {}
        self._examined: tuple[object, Snapshot] | None = None
        """What was last found of authenticity, and what from."""
        self.model: Snapshot | None = None
        """What the learner last said of the model that scores."""
        self.looks: dict[str, Looks] = {}
        """What looking at an experiment has found once and for all."""
        self._readings: dict[str, _Reading] = {}

    def put(self, key: bytes, value: bytes | None) -> None:
        """Take one partition's latest share (None removes it)."""
        kind, id_, partition = split_partial_key(key)
        match kind:
            case "experiment":
                _put(self._experiments[id_], partition, _share(value))
                self._readings.pop(id_, None)
            case "looks":
                self._take_looks(id_, NOTHING_SEEN if value is None else decode_looks(value))
            case "funnel":
                _put(self._funnels[id_], partition, _plain(value))
            case "education":
                _put(self._education[id_], partition, _plain(value))
                self._taught = None
            case "authenticity":
                _put(self._authenticity, partition, None if value is None else decode_authenticity(value))
                self._examined = None
            case "model":
                self.model = None if value is None else msgspec.json.decode(value)
            case "partition":
                _put(self._partitions, partition, _plain(value))

    def _take_looks(self, id_: str, found: Looks) -> None:
        """Somebody else's looks, or one's own come back: what was found once stays found."""
        before = self.looks.get(id_, NOTHING_SEEN)
        self.looks[id_] = joined(before, found)
        if self.looks[id_] != before:
            self._readings.pop(id_, None)

    def funnel(self, journey: str) -> Counter[str]:
        """A journey's counters over all partitions."""
        total: Counter[str] = Counter()
        for share in self._funnels.get(journey, {}).values():
            total.update(share)
        return total

    def total(self, id_: str) -> Total:
        """An experiment's sums over all partitions."""
        return Total([*self._experiments.get(id_, {}).values()])

    def experiment(self, published: PublishedPlan) -> Snapshot:
        """An experiment's snapshot, read anew if anything of it has changed. Looking may add to `looks`."""
        id_, time = published.plan.id, self.time()
        reading = self._readings.get(id_)
        if reading is None or (reading.fingerprint, reading.time) != (published.fingerprint, time):
            snapshot, looks = experiment.read(published, self.total(id_), self.looks.get(id_, NOTHING_SEEN), time)
            self.looks[id_] = looks
            reading = self._readings[id_] = _Reading(published.fingerprint, time, snapshot)
        return reading.snapshot

    def education(self, world: World) -> Snapshot:
        """The snapshot of education, read anew if anything of it has changed, and in another month."""
        time = self.time()
        asked = world.product, world.annotations, time != NEVER and month_at(time)
        if self._taught is None or self._taught[0] != asked:
            sums = {id_: _added_up(self._shares_of(id_)) for id_ in self._education}
            self._taught = asked, reading.read(sums, world.product, world.annotations, time)
        return self._taught[1]

    def authenticity(self, product: Product) -> Snapshot:
        """The snapshot of authenticity, examined anew if anything of it has changed, and on another day."""
        time = self.time()
        asked = product, time != NEVER and day_of(time - product.lateness)
        if self._examined is None or self._examined[0] != asked:
            self._examined = asked, live.read(self._authenticity.values(), product, time)
        return self._examined[1]

    def _shares_of(self, id_: str) -> Iterable[Mapping[str, Mapping[str, int]]]:
        """All partitions' shares of a part of education; of an area those of partitions that still tell of it."""
        shares = self._education[id_]
        if not id_.startswith(OF_AREA):
            return shares.values()
        told = self._education.get(ALL_TICKETS, {})
        return [share for partition, share in shares.items() if id_ in told.get(partition, {}).get(AREAS, ())]

    @property
    def partitions(self) -> Iterable[dict[str, Any]]:
        return self._partitions.values()

    def knows(self, fingerprint: str) -> bool:
        """Whether every partition has read its rows against this plan: only then are its sums whole."""
        reading = [share for share in self._partitions.values() if fingerprint in share["plans"]]
        return len(reading) >= max(self._expected, len(self._partitions))

    def time(self) -> int:
        """The event time that every partition has reached, or -1."""
        return min((share["time"] for share in self._partitions.values()), default=NEVER)

    def offsets(self) -> dict[str, dict[str, int]]:
        """Per source topic and partition, the last offset that is in these sums."""
        return {
            topic: {str(number): share["offsets"][topic] for number, share in sorted(self._partitions.items())}
            for topic in SOURCES
        }


def _share(value: bytes | None) -> Share | None:
    """None for one of a former form: its partition has not read its rows against the plan as it is told today."""
    try:
        return None if value is None else decode_share(value)
    except msgspec.ValidationError:
        return None


def _plain(value: bytes | None) -> Any:
    return None if value is None else msgspec.json.decode(value)


def _added_up(shares: Iterable[Mapping[str, Mapping[str, int]]]) -> dict[str, dict[str, int]]:
    """Counts by name and key over all partitions; what adds up to nothing is not there."""
    found: dict[str, dict[str, int]] = {}
    for share in shares:
        for name, counts in share.items():
            held = found.setdefault(name, {})
            for key, count in counts.items():
                add(held, key, count)
    return found


def _put(shares: dict[int, Any], partition: int, share: Any) -> None:
    if share is None:
        shares.pop(partition, None)
    else:
        shares[partition] = share


def aggregates(partials: Partials, world: World) -> Snapshot:
    """Everything the publisher merges on a pulse: experiments, funnel, education, authenticity, quality."""
    time = partials.time()
    common: Snapshot = {"schema": SCHEMA, "as_of": {"time": rfc3339(time) if time != NEVER else None}}
    if world.product.simulated:
        common["simulated"] = True
    found: Snapshot = {
        "funnel": {**common, **funnels(partials, world)},
        "quality": {**common, **quality(partials)},
        "education": {**common, **partials.education(world)},
        "authenticity": {**common, **partials.authenticity(world.product)},
    }
    if partials.model is not None:
        found["model"] = {**common, **partials.model}
    headlines = []
    for id_, published in sorted(world.plans.items()):
        if not partials.knows(published.fingerprint):
            headlines.append(unread(published, "the workers are reading their rows against its plan"))
            continue
        reading = {**partials.experiment(published), "queue_state": queue_state(published)}
        headlines.append(headline(published, reading))
        found[f"experiment:{id_}"] = {**common, **reading}
    headlines += [unread(published, NOT_COUNTED[published.state]) for _, published in sorted(world.waiting.items())]
    found["experiments"] = {**common, "experiments": headlines}
    return found


def funnels(partials: Partials, world: World) -> Snapshot:
    return {journey.id: funnel.read(partials.funnel(journey.id), journey) for journey in world.product.journey}


NOT_COUNTED: dict[State, str] = {
    "draft": "it is a draft: nobody is assigned yet",
    "queued": "it waits in the queue: nobody is assigned yet",
    "running": "it has just begun",
    "stopped": "it was stopped before it began: nobody counts",
}
"""Why nothing is read of an experiment that no row counts for, by its state."""


def unread(published: PublishedPlan, because: str) -> Snapshot:
    """One line of the list of experiments, for one of which nothing is read."""
    return {
        "experiment": published.plan.id,
        "hypothesis": published.plan.experiment.hypothesis,
        "state": published.state,
        "queue_state": queue_state(published),
        "metric": published.plan.primary.name,
        "because": because,
        "decision": None,
    }


def queue_state(published: PublishedPlan) -> Snapshot:
    """Where an experiment stands among all, and its life so far: who brought it into which state, when, and why.

    `place` is null for a draft, which has none, and `level` for a plan that was written before there was a queue.
    """
    words = [{"state": word.state, "at": rfc3339(word.at), "by": word.by, "why": word.why} for word in published.words]
    return {
        "state": published.state,
        "place": published.place or None,
        "level": published.level,
        "plan_hash": published.plan_hash,
        "begins": rfc3339(published.begins),
        "stopped_at": None if published.stopped_at is None else rfc3339(published.stopped_at),
        "words": words,
    }


def headline(published: PublishedPlan, reading: Mapping[str, Any]) -> Snapshot:
    """One line of the list of experiments."""
    itt = reading["metrics"][published.plan.primary.name]["itt"]
    return {
        "experiment": reading["experiment"],
        "hypothesis": reading["hypothesis"],
        "state": published.state,
        "queue_state": reading["queue_state"],
        "assigned": sum(arm["assigned"] for arm in reading["arms"].values()),
        "mature": sum(arm["mature"] for arm in reading["arms"].values()),
        "metric": published.plan.primary.name,
        "estimate": itt.get("estimate"),
        "ci": itt.get("ci"),
        "cs": itt.get("cs"),
        "because": itt.get("because"),
        "decision": reading["decision"],
    }


def quality(partials: Partials) -> Snapshot:
    """What was accepted, and what was not, with reasons; nothing that arrived is missing from this count."""
    totals: Counter[str] = Counter()
    refused: Counter[str] = Counter()
    ignored: Counter[str] = Counter()
    samples: dict[str, str] = {}
    for share in partials.partitions:
        for name in ("accepted", "duplicates", "late", "suppressed", "forwarded", "users", "accounts"):
            totals[name] += share[name]
        refused.update(share["refused"])
        ignored.update(share["ignored"])
        samples.update(share["ignored_samples"])
    return {
        "accepted": totals["accepted"],
        "duplicate": totals["duplicates"],
        "refused": dict(sorted(refused.items())),
        "ignored": {name: {"count": count, "sample": samples.get(name)} for name, count in sorted(ignored.items())},
        "late": totals["late"],
        "suppressed": totals["suppressed"],
        "forwarded": totals["forwarded"],
        "users": totals["users"],
        "accounts": totals["accounts"],
        "deduplication": HORIZON,
    }


ENVELOPE = {"published_at", "fence"}
UNEVEN = {"late", "duplicate", "suppressed", "forwarded", "lag", "deduplication"}
"""Parts of `quality` that depend on how the events were sent, not on what they say."""
WATCHED = {"decision", "queue", "queue_state", "looks", "srm"}
"""Parts of an experiment that depend on when it was looked at, or on who decided about it: first crossings, latches and
the verdict from them, its life."""
LIVE = {
    "as_of", "at", "because", "score_id", "causes", "drivers", "days_in_band", "risk", "probability_interval",
    "revenue_at_risk_interval", "renewal_probability", "renewal_because",
}  # fmt: skip
"""What of an account or a user depends on when a message was sent; scores, bands and closes are compared."""


def canonical(snapshot: Mapping[str, Any]) -> Snapshot:
    """The part of a snapshot that any two runs over the same events agree on (EVENTS.md, "Recording"). Alerts are none
    of it: they depend on when somebody was told, and on what people said."""
    plain = msgspec.json.decode(msgspec.json.encode(snapshot))
    return {key: _canonical(key, value) for key, value in sorted(plain.items()) if _is_canonical(key)}


def _is_canonical(key: str) -> bool:
    return not (key.endswith(":history") or key.startswith("alerts:"))


def _canonical(key: str, value: Any) -> Any:
    match key.partition(":")[0]:
        case "journeys":
            return {field: _without(signal, ENVELOPE | LIVE) for field, signal in sorted(value.items())}
        case "account" | "at-risk":
            return _without(value, ENVELOPE | LIVE)
        case "accounts":
            return dict(sorted(value.items()))
        case "quality":
            ignored = {name: found["count"] for name, found in value["ignored"].items()}
            return {**_aggregate(_without(value, UNEVEN)), "ignored": ignored}
        case "experiment":
            srm = {name: inner for name, inner in value["srm"].items() if name != "healthy"}
            return {**_aggregate(_without(value, WATCHED)), "srm": srm}
        case "experiments":
            rows = [_without(row, WATCHED) for row in value["experiments"]]
            return {**_aggregate(value), "experiments": rows}
        case _:
            return _aggregate(value)


def _aggregate(value: Snapshot) -> Snapshot:
    """A merged snapshot without what tells one publishing of it from another."""
    return {**_without(value, ENVELOPE), "as_of": _without(value["as_of"], {"offsets"})}


def _without(value: Mapping[str, Any], names: set[str]) -> Snapshot:
    return {key: inner for key, inner in sorted(value.items()) if key not in names}

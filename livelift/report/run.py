"""From a recording to the report's one object: the same core as live, read once at the end."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from livelift.recording import Recording
from livelift.recording.folder import TRUTH
from livelift.replay import Replay, applied
from models.authenticity.examine import examine
from models.decode import Decode
from models.events import SOURCES, Event
from models.plan import Plan, PublishedPlan, read_plan
from models.product import Product
from models.readout.looks import NOTHING_SEEN
from models.report.answers import NO_ARMS, Experiment, Found, answers
from models.report.evidence import Evidence
from models.report.people import people_of

ALPHA = 0.05
KNOWN = ("itt", "first_stage", "complier_effect", "tasks_effect")
Progress = Callable[[int], None]


def run(recording: Recording, product: Product, progress: Progress | None = None) -> dict[str, Any]:
    """Replay the recording and answer. progress: is told the events so far."""
    plans = [read_plan(path.read_bytes()) for path in recording.plans] or recording.assumed
    published = {id_: ended(one, recording.last_tick) for id_, one in applied(plans).items()}
    replay = Replay(product, published, by_index=True)
    replay.feed(recording.records(), recording.last_tick, progress)
    snapshot = replay.snapshot()
    experiment = experiment_of(replay, snapshot, published, bool(recording.assumed))
    journey = product.journey[0]
    plan = None if experiment is None else experiment.published.plan
    found = Found(
        journey=journey,
        people=people_of(replay.rows, journey),
        experiment=experiment,
        no_experiment=why_none(recording, plans),
        examined=examine(evidence(recording, product, plan).observed()),
        truth=truth_of(recording),
        time=recording.last_tick,
    )
    quality = snapshot["quality"]
    return {
        "recording": recording.folder.resolve().name,
        "simulated": recording.simulated,
        "events": {"accepted": quality["accepted"], "refused": sum(quality["refused"].values()),
                   "duplicate": quality["duplicate"], "unreadable": len(recording.refused)},
        "other_experiments": [one for one in published if experiment is None or one != experiment.published.plan.id],
        "other_journeys": [one.id for one in product.journey[1:]],
        **answers(found, ALPHA),
    }  # fmt: skip


def ended(published: PublishedPlan, last_tick: int) -> PublishedPlan:
    """A recording is over: nobody else comes, so that the final test of the sample ratio is due."""
    return msgspec.structs.replace(published, state="stopped", stopped_at=last_tick + 1)


def experiment_of(
    replay: Replay, snapshot: Mapping[str, Any], published: Mapping[str, PublishedPlan], assumed: bool
) -> Experiment | None:
    """The first experiment that anybody was assigned to."""
    for id_, one in published.items():
        reading = snapshot.get(f"experiment:{id_}")
        if reading is not None and any(arm["assigned"] for arm in reading["arms"].values()):
            return Experiment(one, reading, replay.read_side.partials.looks.get(id_, NOTHING_SEEN), assumed)
    return None


def why_none(recording: Recording, plans: list[Plan]) -> str:
    """Why no experiment can be read, where none can."""
    if not recording.assigned:
        return NO_ARMS
    names = ", ".join(sorted(recording.assigned))
    if not plans:
        return f"no plan says which arm of {names} is the control: write plans/*.toml"
    return f"the plans are not about {names}, which people were assigned to, or not to its arms"


def evidence(recording: Recording, product: Product, plan: Plan | None) -> Evidence:
    """The events as they were recorded, repeats and all."""
    found, decode = Evidence(product.journey[0], plan), Decode(product.people_are_accounts)
    topics = {name: number for number, name in enumerate(SOURCES)}
    for record in recording.records():
        event = None if record.topic is None else decode(topics[record.topic], record.value)
        if isinstance(event, Event):
            found.take(event)
    return found


def truth_of(recording: Recording) -> dict[str, Any] | None:
    """The truth that a simulation left beside its recording; None without one, or if it says something else."""
    try:
        told = msgspec.json.decode((recording.folder / TRUTH).read_bytes())
        return told if all(name in told[whose] for whose in ("population", "sample") for name in KNOWN) else None
    except (OSError, msgspec.MsgspecError, KeyError, TypeError):
        return None

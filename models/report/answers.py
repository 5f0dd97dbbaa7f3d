"""The exercise's six questions, and the one object that holds their answers: what is written is made from it alone."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from models.authenticity.examine import Examined
from models.clock import DAY, rfc3339
from models.plan import PublishedPlan
from models.product import Journey
from models.readout.looks import Looks
from models.report.completing import read_completing
from models.report.helped import read_help
from models.report.offered import read_offer, read_verdict
from models.report.people import Person
from models.report.shares import Answer
from models.report.succeeding import read_succeeding

QUESTIONS = (
    (
        "help",
        "CS help and other help",
        "Is CS help better than OTHER when a customer hits a bump? Are customers more likely to complete, and do they "
        "complete faster?",
    ),
    (
        "completing",
        "Tasks and conversion",
        "Does being able to complete the tasks go with conversion, and by how much each?",
    ),
    ("succeeding", "Success, time and experience", "Does success rise with time and with experience?"),
    (
        "offer",
        "The test",
        "Was more use made of CS, and did more customers convert, in the test than in control, at this confidence?",
    ),
    ("verdict", "The recommendation", "Should we double down on this experience, or pivot away from it?"),
    ("authenticity", "Real or simulated", "Is this data real or simulated, and how do you know?"),
)
"""What the exercise asks: where the answer stands, its title, and the question."""
NO_ARMS = "nobody in this recording was assigned to an arm at random"


class Experiment(NamedTuple):
    """An experiment as it was read at the end of the recording. assumed: nobody wrote its plan."""

    published: PublishedPlan
    reading: Mapping[str, Any]
    looks: Looks
    assumed: bool


class Found(NamedTuple):
    """Everything that was read of a recording. time: event time at its end. no_experiment: why there is none."""

    journey: Journey
    people: Sequence[Person]
    experiment: Experiment | None
    no_experiment: str
    examined: Examined
    truth: Mapping[str, Any] | None
    time: int


def answers(found: Found, alpha: float) -> Answer:
    """JSON-able. alpha: of the observational intervals; the experiment's are its plan's."""
    experiment = found.experiment
    report: Answer = {
        "questions": [
            {"number": at, "key": key, "title": title, "asks": asks}
            for at, (key, title, asks) in enumerate(QUESTIONS, start=1)
        ],
        "as_of": rfc3339(found.time),
        "confidence": 1 - alpha,
        "journey": {
            "id": found.journey.id,
            "tasks": list(found.journey.tasks),
            "trial_days": found.journey.trial / DAY,
        },
        "people": {
            "users": len(found.people),
            "accounts": len({one.account for one in found.people}),
            "converted": sum(one.converted_at is not None for one in found.people),
        },
        "randomised": experiment is not None,
        "plan_assumed": experiment is not None and experiment.assumed,
        "help": read_help(found.people, found.journey.tasks, found.time, alpha),
        "completing": read_completing(found.people, found.journey, found.time, alpha),
        "succeeding": read_succeeding(found.people, found.journey.tasks, alpha),
        "offer": {"answered": False, "because": found.no_experiment},
        "verdict": {"answered": False, "because": found.no_experiment},
        "authenticity": {"answered": True, **found.examined.report()},
        "truth": None,
    }
    if experiment is not None:
        report["offer"] = read_offer(experiment.reading, experiment.published)
        report["verdict"] = read_verdict(experiment.reading, experiment.published, experiment.looks, found.time)
    if found.truth is not None:
        report["truth"] = known_truth(found.truth, report["offer"])
    return report


def known_truth(truth: Mapping[str, Any], offer: Mapping[str, Any]) -> Answer:
    """What the simulation says is true, beside what was estimated: each as truth, estimate, and whether inside."""
    population, sample = truth["population"], truth["sample"]
    found: Answer = {"seed": truth.get("seed"), "population": population, "sample": sample, "beside": {}}
    if not offer["answered"]:
        return found
    metrics = offer["metrics"]
    beside = {
        "first_stage": _beside(population["first_stage"], sample["first_stage"], offer["engagement"]),
        "itt": _beside(population["itt"], sample["itt"], metrics.get("converted", {}).get("itt")),
        "complier_effect": _of_compliers(population, sample, metrics.get("converted", {}).get("complier")),
        "tasks_effect": _beside(
            population["tasks_effect"], sample["tasks_effect"], metrics.get("tasks_completed", {}).get("itt")
        ),
    }
    found["beside"] = {name: one for name, one in beside.items() if one is not None}
    return found


def _beside(true: float, of_sample: float, estimated: Mapping[str, Any] | None) -> Answer | None:
    if estimated is None or estimated.get("estimate") is None or estimated.get("ci") is None:
        return None
    low, high = estimated["ci"]
    inside = (low is None or low <= true) and (high is None or true <= high)
    return {
        "population": true,
        "sample": of_sample,
        "estimate": estimated["estimate"],
        "ci": estimated["ci"],
        "inside": inside,
    }


def _of_compliers(
    population: Mapping[str, Any], sample: Mapping[str, Any], estimated: Mapping[str, Any] | None
) -> Answer | None:
    """By the set that holds whatever the uptake, where it is one interval."""
    true = population["complier_effect"]
    intervals = ((estimated or {}).get("ar_set") or {}).get("intervals", [])
    if estimated is None or true is None or len(intervals) != 1:
        return None
    return _beside(true, sample["complier_effect"], {"estimate": estimated.get("estimate"), "ci": intervals[0]})

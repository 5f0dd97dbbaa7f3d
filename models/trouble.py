"""When a unit first got into trouble in a window: what triggers the offer of help, detected alike in every arm."""

from collections.abc import Iterable, Sequence

from models.outcomes import Window
from models.product import Journey
from models.rows import TaskFacts
from models.subject import Subject


def trouble_at(subject: Subject, window: Window, journeys: Sequence[Journey]) -> int | None:
    """The first instant of trouble in the window: help was needed, a task failed again, or stayed open for too long."""
    return min(window.among(_troubles(subject, journeys)), default=None)


def _troubles(subject: Subject, journeys: Sequence[Journey]) -> Iterable[int]:
    yield from subject.needs
    for journey in journeys:
        for task in journey.tasks:
            facts = subject.tasks.get(task)
            if facts is not None:
                yield from _of_task(facts, journey)


def _of_task(facts: TaskFacts, journey: Journey) -> Iterable[int]:
    done = facts.completed
    if len(facts.failed_at) >= journey.failures_for_trouble:
        failed_again = facts.failed_at[journey.failures_for_trouble - 1]
        if done is None or failed_again < done:
            yield failed_again
    if facts.started is not None:
        overdue = facts.started + journey.stuck_after
        if done is None or overdue < done:
            yield overdue

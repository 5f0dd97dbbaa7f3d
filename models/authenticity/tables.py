"""Tables about the same people that do not agree with each other."""

from collections.abc import Iterator

import numpy as np

from models.authenticity.chances import share_above
from models.authenticity.finding import Finding, drawn, found, too_few, unexamined
from models.authenticity.observed import Assigned, Dated, Ints, Observed, Tasks, known
from models.authenticity.thresholds import THRESHOLDS

Disagreement = tuple[str, Ints]
"""In words, and about whom, each once."""


def contradictions(observed: Observed) -> Finding:
    """The share of people about whom tables disagree."""
    check = "contradictions"
    everybody = _everybody(observed)
    disagreements = list(_disagreements(observed))
    if not disagreements:
        return unexamined(check, "there are no two tables that could disagree")
    few = too_few(check, len(everybody))
    if few:
        return few
    wrong = len(np.unique(np.concatenate([people for _, people in disagreements])))
    parts = [f"{len(people):,} {what}" for what, people in disagreements if len(people)]
    says = f"{wrong:,} of {len(everybody):,} people ({wrong / len(everybody):.2%})"
    says += f": {'; '.join(parts)}" if parts else ""
    names, counts = [what for what, _ in disagreements], [len(people) for _, people in disagreements]
    figure = drawn("bar", "disagreement", "people", names, counts)
    p = share_above(wrong, len(everybody), THRESHOLDS[check].edge)
    return found(check, len(everybody), wrong / len(everybody), p, says, figure)


def _disagreements(observed: Observed) -> Iterator[Disagreement]:
    customers = _customers(observed)
    if customers is not None:
        for what, people in _seen(observed):
            yield f"{what} but are not among the customers", np.setdiff1d(people, customers)
    if observed.assigned is not None:
        if observed.joined is not None:
            yield "joined but were not assigned", np.setdiff1d(observed.joined.user, observed.assigned.user)
        yield "are in two arms", _in_two_arms(observed.assigned)
    if observed.converted is not None:
        yield "converted twice", _twice(observed.converted)
    if observed.joined is not None:
        yield "joined twice", _twice(observed.joined)
    if observed.tasks is not None:
        yield from _of_tasks(observed.tasks)


def _customers(observed: Observed) -> Ints | None:
    """The table that should have everybody."""
    table = observed.joined or observed.assigned
    return None if table is None else np.unique(table.user)


def _seen(observed: Observed) -> Iterator[Disagreement]:
    """Who is in the other tables."""
    tables = {
        "were assigned": observed.assigned,
        "have events": observed.events,
        "did tasks": observed.tasks,
        "had help": observed.help,
        "converted": observed.converted,
    }
    for what, table in tables.items():
        if table is not None and not (what == "were assigned" and observed.joined is None):
            yield what, np.unique(table.user)


def _everybody(observed: Observed) -> Ints:
    own = _customers(observed)
    return np.unique(
        np.concatenate([np.zeros(0, dtype=np.int64) if own is None else own, *(p for _, p in _seen(observed))])
    )


def _in_two_arms(assigned: Assigned) -> Ints:
    pairs = np.unique(np.stack([assigned.user, assigned.arm]), axis=1)
    return _several(pairs[0])


def _twice(table: Dated) -> Ints:
    return _several(table.user)


def _of_tasks(tasks: Tasks) -> Iterator[Disagreement]:
    """Only where beginnings are recorded at all does one that lacks mean anything."""
    if known(tasks.started).any():
        orphans = known(tasks.completed) & ~known(tasks.started)
        yield "completed a task that they never began", np.unique(tasks.user[orphans])


def _several(user: Ints) -> Ints:
    people, rows = np.unique(user, return_counts=True)
    return people[rows > 1]

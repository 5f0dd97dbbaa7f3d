"""What cannot come before what: finishing before beginning, the third task before the second, use before joining."""

from collections.abc import Iterator

import numpy as np

from models.authenticity.chances import share_above
from models.authenticity.finding import Finding, drawn, found, too_few, unexamined
from models.authenticity.observed import MISSING, Dated, Flags, Ints, Observed, Tasks, known
from models.authenticity.thresholds import THRESHOLDS

Wrong = tuple[str, Ints, Ints]
"""A rule in words, the people it applies to, and those of them who break it; each once."""


def impossible_orders(observed: Observed) -> Finding:
    """The share of people who did something before it was possible."""
    return _broken("impossible_orders", list(_orders(observed)), "neither tasks nor dates of joining and converting")


def before_joining(observed: Observed) -> Finding:
    """The share of people with use, tasks or help before their trial or subscription began."""
    return _broken("before_joining", list(_before_joining(observed)), "no dates of joining, or nothing dated beside")


def _orders(observed: Observed) -> Iterator[Wrong]:
    tasks = observed.tasks
    if tasks is not None:
        both = known(tasks.started) & known(tasks.completed)
        late = both & (tasks.completed < tasks.started)
        yield "completed a task before beginning it", _people(tasks.user[both]), _people(tasks.user[late])
        if tasks.series:
            yield _out_of_series(tasks)
    if observed.joined is not None and observed.converted is not None:
        since = _first(observed.joined, observed.converted.user)
        both = known(since) & known(observed.converted.at)
        early = both & (observed.converted.at < since)
        people, wrong = observed.converted.user[both], observed.converted.user[early]
        yield "converted before joining", _people(people), _people(wrong)


def _out_of_series(tasks: Tasks) -> Wrong:
    """A later task completed before an earlier one; at the same instant is in order as far as anybody can know."""
    done = known(tasks.completed)
    user, task, at = tasks.user[done], tasks.task[done], tasks.completed[done]
    order = np.lexsort((at, task, user))
    user, task, at = user[order], task[order], at[order]
    first = np.ones(len(user), dtype=np.bool_)
    first[1:] = (np.diff(user) != 0) | (np.diff(task) != 0)
    user, at = user[first], at[first]
    same = np.diff(user) == 0
    back = same & (np.diff(at) < 0)
    return "completed a task before the one before it", _people(user[1:][same]), _people(user[1:][back])


def _before_joining(observed: Observed) -> Iterator[Wrong]:
    joined = observed.joined
    if joined is None:
        return
    events, tasks = observed.events, observed.tasks
    dated = {
        "used it": None if events is None else Dated(events.user, events.at),
        "completed a task": None if tasks is None else Dated(tasks.user, tasks.completed),
        "had help": observed.help,
    }
    for what, table in dated.items():
        if table is not None:
            since = _first(joined, table.user)
            both = known(since) & known(table.at)
            early = both & (table.at < since)
            yield f"{what} before joining", _people(table.user[both]), _people(table.user[early])


def _broken(check: str, rules: list[Wrong], lacks: str) -> Finding:
    if not rules:
        return unexamined(check, f"there are {lacks}")
    people = len(np.unique(np.concatenate([rule[1] for rule in rules])))
    few = too_few(check, people)
    if few:
        return few
    wrong = len(np.unique(np.concatenate([rule[2] for rule in rules])))
    parts = [f"{len(broke):,} of {len(asked):,} {what}" for what, asked, broke in rules if len(asked)]
    says = f"{wrong:,} of {people:,} people ({wrong / people:.2%}): {'; '.join(parts)}"
    figure = drawn("bar", "rule broken", "people", [rule[0] for rule in rules], [len(rule[2]) for rule in rules])
    return found(check, people, wrong / people, share_above(wrong, people, THRESHOLDS[check].edge), says, figure)


def _first(joined: Dated, user: Ints) -> Ints:
    """When each of these joined first; MISSING for others."""
    order = np.lexsort((joined.at, joined.user))
    people, at = np.unique(joined.user[order], return_index=True)
    if not len(people):
        return np.full(len(user), MISSING)
    place = np.minimum(np.searchsorted(people, user), len(people) - 1)
    here: Flags = people[place] == user
    return np.where(here, joined.at[order][at][place], MISSING)


def _people(user: Ints) -> Ints:
    return np.unique(user)

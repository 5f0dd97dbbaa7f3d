"""Generated events for property tests: every type of the contract, few names, so that they meet."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from models.clock import DAY, HOUR
from models.events import HOME
from tests.support.build import FIRST_DAY, T0, Json, event, tick

Amount = st.sampled_from([0.0, 0.25, 1.0, 49.0, -3.5, 123_456.789])
Task = st.sampled_from(["1", "2", "3"])
Name = st.sampled_from(["board", "report", "x/y", "é"])
Trait = st.one_of(st.booleans(), st.sampled_from([0.0, 1.0, 2.5]), st.sampled_from(["1.0", "True", "admin", "member"]))
Moment = st.sampled_from([f"2027-01-0{day}T00:00:00Z" for day in (1, 2, 3)])


def _properties(required: dict[str, st.SearchStrategy], optional: dict[str, st.SearchStrategy] | None = None):
    return st.fixed_dictionaries(required, optional=optional or {})


TERMS = _properties({}, {"plan": Name, "mrr": Amount, "renews_at": Moment})
TICKET = _properties({"ticket": Name}, {"area": Name, "severity": st.sampled_from(["high", 3])})
ABOUT = {"about": st.sampled_from(["product", "training", "support"])}
ROLE = _properties({}, {"role": st.sampled_from(["champion", "admin", "member"])})
PROPERTIES: dict[str, st.SearchStrategy[Json]] = {
    "trial_started": _properties({}, {"plan": Name, "seats": st.integers(0, 9)}),
    "session_started": _properties(
        {}, {"country": Name, "duration_s": st.integers(0, 10**8).map(lambda number: number / 10**6)}
    ),
    "task_started": _properties({"task": Task}),
    "task_completed": _properties({"task": Task}),
    "task_failed": _properties({"task": Task}),
    "help_needed": _properties({}, {"task": Task, "confidence": st.floats(0, 1)}),
    "core_action": _properties({"feature": Name}, {"count": st.integers(0, 5), "automated": st.booleans()}),
    "usage_reported": st.dictionaries(Name, Amount, max_size=2).flatmap(
        lambda used: st.sampled_from([used, {**used, "automated": True}])
    ),
    "feature_configured": _properties({"feature": Name}, {"setting": Name}),
    "member_added": ROLE,
    "member_removed": ROLE,
    "traits_set": st.dictionaries(st.sampled_from(["role", "segment"]), Trait, max_size=2),
    "experiment_assigned": _properties(
        {"experiment": st.sampled_from(["by-user", "by-account"]), "arm": st.sampled_from(["control", "test"])}
    ),
    "experiment_exposed": _properties({"experiment": st.sampled_from(["by-user", "by-account"])}),
    "help_engaged": _properties(
        {"source": st.sampled_from(["CS", "OTHER"])}, {"channel": Name, "minutes": Amount.map(abs), "task": Task}
    ),
    "ticket_opened": TICKET,
    "ticket_closed": TICKET,
    "lesson_started": _properties({"lesson": Name}, {"delivered_by": st.sampled_from(["vendor", "customer"])}),
    "lesson_completed": _properties({"lesson": Name}),
    "concept_checked": _properties({"concept": Name, "correct": st.booleans()}),
    "survey_answered": st.one_of(
        _properties({"survey": st.just("nps"), "score": st.integers(0, 10)}, ABOUT),
        _properties({"survey": st.just("csat"), "score": st.integers(1, 5)}, ABOUT),
    ),
    "cs_contacted": _properties({}, {"reason": Name, "sentiment": st.sampled_from([-1, 0, 1])}),
    "converted": TERMS,
    "renewed": TERMS,
    "mrr_changed": TERMS,
    "trial_lapsed": _properties({}, {"reason": Name}),
    "churned": _properties({}, {"reason": Name}),
    "payment_failed": _properties({}, {"amount": Amount}),
    "payment_succeeded": _properties({}, {"amount": Amount}),
    "outcome_observed": _properties({"name": Name, "value": Amount}),
}
KINDS = sorted(PROPERTIES)
assert set(KINDS) == set(HOME) - {"forget"}, "every event type of the contract is generated"
WITHOUT_PERSON = {"core_action", "converted", "churned", "traits_set", "experiment_assigned", "outcome_observed"}
"""Types that are also generated as events of the account itself."""
MEMBERSHIP = frozenset({"member_added", "member_removed"})


def hours(first: int, last: int) -> st.SearchStrategy[int]:
    """Whole hours, so that instants coincide now and then."""
    return st.integers(first // HOUR, last // HOUR).map(lambda hour: hour * HOUR)


@st.composite
def one_event(draw: st.DrawFn, at: st.SearchStrategy[int], kinds: Sequence[str] = KINDS) -> Json:
    kind = draw(st.sampled_from(kinds))
    account = draw(st.sampled_from(["acme", "bolt", "café"]))
    users: list[str | None] = ["ann", "bob"]
    user = draw(st.sampled_from([*users, None] if kind in WITHOUT_PERSON else users))
    return event(kind, draw(at), account, user, **draw(PROPERTIES[kind]))


def histories(days: int = 500, size: int = 30) -> st.SearchStrategy[list[Json]]:
    """Events of one user over a long time, with distinct ids."""
    return st.lists(one_event(hours(T0, T0 + days * DAY)), min_size=1, max_size=size).map(
        lambda events: [{**one, "account_id": "acme", "user_id": "ann"} for one in events]
    )


@st.composite
def intervals(
    draw: st.DrawFn, days: int = 8, each: int = 6, late: bool = False, without: frozenset[str] = frozenset()
) -> list[list[Json]]:
    """What arrives between one midnight's tick and the next, interval by interval; one tick ends each of them."""
    kinds = [kind for kind in KINDS if kind not in without]
    found = []
    for day in range(draw(st.integers(2, days))):
        first = T0 + day * DAY
        oldest = max(T0, first - 4 * DAY) if late else first
        arrived = draw(st.lists(one_event(hours(oldest, first + 23 * HOUR), kinds), max_size=each))
        found.append([*arrived, tick(first + DAY)])
    return [*found, [tick(T0 + (len(found) + 4) * DAY)]]


def shuffled(draw: st.DrawFn, interval: list[Json]) -> list[Json]:
    """The same arrivals in another order, the tick still behind them."""
    return [*draw(st.permutations(interval[:-1])), interval[-1]]


def day_number(at: str) -> int:
    """Days since the first day of the tests."""
    return (datetime.fromisoformat(at) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(days=1) - FIRST_DAY

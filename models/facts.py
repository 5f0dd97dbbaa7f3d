"""How each event changes the facts of its row: one small function a type, all of them in one table.

Every change is a join: earliest, latest, a set bit, a sum, a bounded extreme. Joins commute, so any arrival order of
the same events gives the same facts (a property test says so), and nothing is ever "repaired" into a nicer story.
"""

from bisect import insort
from collections.abc import Callable, Iterable
from typing import Any

import xxhash

from models import events as e
from models.clock import day_of
from models.events import Trait
from models.rows import Help, Membership, Row, TaskFacts

DAYS_KEPT = 64
MASK = (1 << DAYS_KEPT) - 1
FEATURES_KEPT = 64
NAMES_KEPT = 64
TRAITS_KEPT = MEMBERSHIPS_KEPT = 16
FAILURES_KEPT = 8
MRRS_KEPT = 64
INSTANTS_KEPT = 512
EARLIER_DAYS = 384
EARLIER = (1 << EARLIER_DAYS) - 1
ENDS_KEPT = 32
OUTCOME_DAYS = 400
FIXED_POINT = 1_000_000
"""Amounts are kept as integers in millionths, so that adding, removing and merging are exact."""
LARGEST_SUM = 2**63 - 1
"""What a row can store. A day's sum of one name stops there: nine million million units, beyond any real amount."""


def fixed(amount: float) -> int:
    """An amount in millionths."""
    return round(amount * FIXED_POINT)


def earliest(old: int | None, at: int) -> int:
    """The join of two instants of which the first one counts."""
    return at if old is None or at < old else old


def latest(old: int | None, at: int) -> int:
    """The join of two instants of which the last one counts."""
    return at if old is None or at > old else old


def admit(kept: dict[str, Any], name: str, limit: int) -> bool:
    """Whether a name may be kept among at most `limit`: those with the smallest hashes stay.

    A bottom-k sample by hash does not depend on the order of arrival, unlike "the first 64 we saw".
    """
    if name in kept or len(kept) < limit:
        return True
    worst = max(kept, key=_rank)
    if _rank(name) >= _rank(worst):
        return False
    del kept[worst]
    return True


def keep_ends(dated: list[Any]) -> None:
    """Of a sorted list keep the first 32 and the last 32: what is in the middle is let go in any order of arrival."""
    del dated[ENDS_KEPT:-ENDS_KEPT]


def _rank(name: str) -> int:
    return xxhash.xxh3_64_intdigest(name.encode())


def use(row: Row, at: int, feature: str | None = None, visit: bool = True) -> None:
    """Mark a day on which the product was used; automated use is use of the feature, but not a visit.

    A feature keeps its place among the names kept when its days have been let go: only then do the same names stay
    whatever the order of arrival.
    """
    day = day_of(at)
    back = row.top_day - day
    if back < 0:
        _age(row, -back)
        row.top_day = day
        back = 0
    bit = 1 << back if back < DAYS_KEPT else 0
    if visit:
        row.days |= bit
        if not bit:
            _store_earlier(row, _earlier(row) | 1 << back - DAYS_KEPT)
    if feature is not None and admit(row.features, feature, FEATURES_KEPT):
        row.features[feature] = row.features.get(feature, 0) | bit
        if admit(row.first_uses, feature, FEATURES_KEPT):
            row.first_uses[feature] = earliest(row.first_uses.get(feature), at)


def _age(row: Row, days: int) -> None:
    """Move the masks on by so many days; what was longer ago than the days kept is let go."""
    shift = min(days, DAYS_KEPT)
    if row.days or row.earlier:
        moved = (row.days | _earlier(row) << DAYS_KEPT) << min(days, DAYS_KEPT + EARLIER_DAYS)
        if moved > MASK:
            _store_earlier(row, moved >> DAYS_KEPT)
    row.days = row.days << shift & MASK
    for name, mask in row.features.items():
        row.features[name] = mask << shift & MASK


def _earlier(row: Row) -> int:
    return int.from_bytes(row.earlier, "little")


def _store_earlier(row: Row, mask: int) -> None:
    mask &= EARLIER
    row.earlier = mask.to_bytes((mask.bit_length() + 7) // 8, "little")


def active_days(row: Row) -> int:
    """All the days of visits that are kept, 448 of them, counted back from the top day in bit 0."""
    return row.days | _earlier(row) << DAYS_KEPT


def note(row: Row, name: str, at: int, amount: int) -> None:
    """Add to a dated sum that experiments ask for: to the instant, besides the day's sum."""
    add_outcome(row, name, at, amount)
    if not admit(row.dated, name, NAMES_KEPT):
        return
    sums = row.dated.setdefault(name, {})
    sums[at] = max(-LARGEST_SUM, min(sums.get(at, 0) + amount, LARGEST_SUM))
    if len(sums) > INSTANTS_KEPT:
        del sums[min(sums)]


def insert_once(dates: list[int], at: int) -> None:
    """Keep an instant among the first and the last ones."""
    if at not in dates:
        insort(dates, at)
        keep_ends(dates)


def add_outcome(row: Row, name: str, at: int, amount: int) -> None:
    """Add to a dated sum; days 400 or more before the latest one are let go."""
    if not admit(row.outcomes, name, NAMES_KEPT):
        return
    sums = row.outcomes.setdefault(name, {})
    day = day_of(at)
    if day in sums:
        sums[day] = max(-LARGEST_SUM, min(sums[day] + amount, LARGEST_SUM))
        return
    sums[day] = amount
    horizon = max(sums) - OUTCOME_DAYS
    for old in [kept for kept in sums if kept <= horizon]:
        del sums[old]


def task_of(row: Row, task: str) -> TaskFacts:
    facts = row.tasks.get(task)
    if facts is None:
        facts = row.tasks[task] = TaskFacts()
    return facts


def trial_started(row: Row, at: int, event: e.TrialStarted) -> None:
    row.trial_at = earliest(row.trial_at, at)


def session_started(row: Row, at: int, event: e.SessionStarted) -> None:
    use(row, at)


def task_started(row: Row, at: int, event: e.TaskStarted) -> None:
    facts = task_of(row, event.properties.task)
    facts.started = earliest(facts.started, at)
    facts.attempts += 1
    use(row, at)


def task_completed(row: Row, at: int, event: e.TaskCompleted) -> None:
    task = event.properties.task
    facts = task_of(row, task)
    facts.completed = earliest(facts.completed, at)
    use(row, at, f"task:{task}")


def task_failed(row: Row, at: int, event: e.TaskFailed) -> None:
    facts = task_of(row, event.properties.task)
    facts.failures += 1
    facts.failed = earliest(facts.failed, at)
    insort(facts.failed_at, at)
    del facts.failed_at[FAILURES_KEPT:]
    use(row, at)


def help_needed(row: Row, at: int, event: e.HelpNeeded) -> None:
    task = event.properties.task
    insert_once(row.needs, at)
    if task is None:
        row.help_needed = latest(row.help_needed, at)
    else:
        facts = task_of(row, task)
        facts.help_needed = earliest(facts.help_needed, at)


def core_action(row: Row, at: int, event: e.CoreAction) -> None:
    action = event.properties
    use(row, at, f"core_action:{action.feature}", visit=not action.automated)


def usage_reported(row: Row, at: int, event: e.UsageReported) -> None:
    automated = bool(event.properties.get("automated", False))
    kind = "automated" if automated else "usage"
    for name, amount in event.properties.items():
        if name != "automated" and not isinstance(amount, bool):
            add_outcome(row, f"{kind}:{name}", at, fixed(amount))
    add_outcome(row, "reports", at, FIXED_POINT)
    use(row, at, visit=not automated)


def feature_configured(row: Row, at: int, event: e.FeatureConfigured) -> None:
    use(row, at, f"configured:{event.properties.feature}")


def member_added(row: Row, at: int, event: e.MemberAdded) -> None:
    told_of(row, Membership(at, False, event.properties.role or ""))


def member_removed(row: Row, at: int, event: e.MemberRemoved) -> None:
    told_of(row, Membership(at, True, event.properties.role or ""))


def told_of(row: Row, word: Membership) -> None:
    """Keep the last words on a membership, each once: somebody who comes back was still away before."""
    row.members = sorted({*row.members, word})[-MEMBERSHIPS_KEPT:]


def traits_set(row: Row, at: int, event: e.TraitsSet) -> None:
    for name, value in event.properties.items():
        if admit(row.traits, name, NAMES_KEPT):
            dated = (at, value + 0.0 if isinstance(value, float) else value)  # there is no minus zero
            row.traits[name] = latest_values([*row.traits.get(name, ()), dated])


def latest_values(dated: Iterable[tuple[int, Trait]]) -> list[tuple[int, Trait]]:
    """The last 16 values in order of time, each once; of one instant, by type and text: 1, true and "1" differ."""
    distinct = {(at, type(value).__name__, str(value)): (at, value) for at, value in dated}
    return [distinct[key] for key in sorted(distinct)][-TRAITS_KEPT:]


def experiment_assigned(row: Row, at: int, event: e.ExperimentAssigned) -> None:
    assignment = event.properties
    if admit(row.assignments, assignment.experiment, NAMES_KEPT):
        arms = row.assignments.setdefault(assignment.experiment, {})
        if admit(arms, assignment.arm, 8):
            arms[assignment.arm] = earliest(arms.get(assignment.arm), at)


def experiment_exposed(row: Row, at: int, event: e.ExperimentExposed) -> None:
    name = event.properties.experiment
    if admit(row.exposures, name, NAMES_KEPT):
        insert_once(row.exposures.setdefault(name, []), at)


def help_engaged(row: Row, at: int, event: e.HelpEngaged) -> None:
    engaged = event.properties
    insort(row.helps, Help(at, engaged.source, engaged.channel or "", engaged.task or ""))
    keep_ends(row.helps)
    if engaged.minutes is not None:
        add_outcome(row, f"help_minutes:{engaged.source}", at, fixed(engaged.minutes))


def ticket_opened(row: Row, at: int, event: e.TicketOpened) -> None:
    note(row, "tickets", at, FIXED_POINT)


def ticket_closed(row: Row, at: int, event: e.TicketClosed) -> None:
    add_outcome(row, "tickets_closed", at, FIXED_POINT)


def lesson_started(row: Row, at: int, event: e.LessonStarted) -> None:
    add_outcome(row, "lessons_started", at, FIXED_POINT)


def lesson_completed(row: Row, at: int, event: e.LessonCompleted) -> None:
    add_outcome(row, "lessons_completed", at, FIXED_POINT)


def concept_checked(row: Row, at: int, event: e.ConceptChecked) -> None:
    verdict = "correct" if event.properties.correct else "wrong"
    note(row, f"concept:{verdict}:{event.properties.concept}", at, FIXED_POINT)


def survey_answered(row: Row, at: int, event: e.SurveyAnswered) -> None:
    answer = event.properties
    survey = "nps" if isinstance(answer, e.NpsAnswer) else "csat"
    add_outcome(row, f"{survey}:{answer.about or 'product'}:{answer.score}", at, FIXED_POINT)


def cs_contacted(row: Row, at: int, event: e.CsContacted) -> None:
    add_outcome(row, "cs_contacts", at, FIXED_POINT)
    if event.properties.sentiment is not None:
        add_outcome(row, "cs_sentiment", at, event.properties.sentiment * FIXED_POINT)
        add_outcome(row, "cs_sentiments", at, FIXED_POINT)


def subscribed(row: Row, at: int, event: e.Converted | e.Renewed | e.MrrChanged) -> None:
    """Each term of the contract by its own latest word: a renewal that names no price leaves the price."""
    terms, told = event.properties, row.terms
    if terms.plan is not None:
        told.plan = max(told.plan, (at, terms.plan))
    if terms.mrr is not None:
        mrr = fixed(terms.mrr)
        told.mrr = max(told.mrr, (at, mrr))
        row.mrrs[at] = max(mrr, row.mrrs.get(at, mrr))
        if len(row.mrrs) > MRRS_KEPT:
            del row.mrrs[min(row.mrrs)]
    if terms.renews_at is not None:
        told.renews_at = max(told.renews_at, (at, e.instant(terms.renews_at)))


def converted(row: Row, at: int, event: e.Converted) -> None:
    row.converted_at = earliest(row.converted_at, at)
    subscribed(row, at, event)


def trial_lapsed(row: Row, at: int, event: e.TrialLapsed) -> None:
    row.lapsed_at = earliest(row.lapsed_at, at)


def churned(row: Row, at: int, event: e.Churned) -> None:
    row.churned_at = latest(row.churned_at, at)
    insert_once(row.churns, at)


def payment_failed(row: Row, at: int, event: e.PaymentFailed) -> None:
    add_outcome(row, "payments_failed", at, FIXED_POINT)


def payment_succeeded(row: Row, at: int, event: e.PaymentSucceeded) -> None:
    add_outcome(row, "payments_succeeded", at, FIXED_POINT)


def outcome_observed(row: Row, at: int, event: e.OutcomeObserved) -> None:
    note(row, f"outcome:{event.properties.name}", at, fixed(event.properties.value))


CHANGES: dict[type[e.Event], Callable[[Row, int, Any], None]] = {
    e.TrialStarted: trial_started,
    e.SessionStarted: session_started,
    e.TaskStarted: task_started,
    e.TaskCompleted: task_completed,
    e.TaskFailed: task_failed,
    e.HelpNeeded: help_needed,
    e.CoreAction: core_action,
    e.UsageReported: usage_reported,
    e.FeatureConfigured: feature_configured,
    e.MemberAdded: member_added,
    e.MemberRemoved: member_removed,
    e.TraitsSet: traits_set,
    e.ExperimentAssigned: experiment_assigned,
    e.ExperimentExposed: experiment_exposed,
    e.HelpEngaged: help_engaged,
    e.TicketOpened: ticket_opened,
    e.TicketClosed: ticket_closed,
    e.LessonStarted: lesson_started,
    e.LessonCompleted: lesson_completed,
    e.ConceptChecked: concept_checked,
    e.SurveyAnswered: survey_answered,
    e.CsContacted: cs_contacted,
    e.Converted: converted,
    e.Renewed: subscribed,
    e.MrrChanged: subscribed,
    e.TrialLapsed: trial_lapsed,
    e.Churned: churned,
    e.PaymentFailed: payment_failed,
    e.PaymentSucceeded: payment_succeeded,
    e.OutcomeObserved: outcome_observed,
}
"""Event type -> what it does to its row. `Forget` is not here: it ends rows instead of changing them."""

USAGE = frozenset({
    e.SessionStarted, e.CoreAction, e.UsageReported, e.FeatureConfigured, e.TicketOpened, e.TicketClosed,
    e.LessonStarted, e.LessonCompleted, e.ConceptChecked, e.SurveyAnswered, e.CsContacted, e.PaymentFailed,
    e.PaymentSucceeded, e.OutcomeObserved,
})  # fmt: skip
"""Events that change days and dated sums only: standings read the same after them. Most events do. So do experiments,
unless one has a metric that asks for just these (`World.asks_usage`)."""


def advance(row: Row, at: int, event: e.Event) -> None:
    """Apply one event to a working copy of its row."""
    CHANGES[event.__class__](row, at, event)
    if row.first_at is None or at < row.first_at:
        row.first_at = at
    row.last_at = max(row.last_at, at)
    row.accepted += 1

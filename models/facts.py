"""How each event changes the facts of its row: one small function a type, all of them in one table.

Every change is a join: earliest, latest, a set bit, a sum, a bounded extreme. Joins commute, so any arrival order of
the same events gives the same facts (a property test says so), and nothing is ever "repaired" into a nicer story.
"""

from bisect import insort
from collections.abc import Callable
from typing import Any

from models import events as e
from models.keeping import (
    DAYS_KEPT,
    FAILURES_KEPT,
    FIXED_POINT,
    MEMBERSHIPS_KEPT,
    MRRS_KEPT,
    NAMES_KEPT,
    add_outcome,
    admit,
    check,
    count_ticket,
    earliest,
    first,
    fixed,
    insert_once,
    keep_ends,
    latest,
    latest_values,
    note,
    use,
    use_from,
)
from models.rows import Help, Membership, Row, TaskFacts


def task_of(row: Row, task: str) -> TaskFacts:
    facts = row.tasks.get(task)
    if facts is None:
        facts = row.tasks[task] = TaskFacts()
    return facts


def trial_started(row: Row, at: int, event: e.TrialStarted) -> None:
    row.trial_at = earliest(row.trial_at, at)
    first(row, "product", at)


def session_started(row: Row, at: int, event: e.SessionStarted) -> None:
    use(row, at)
    country, seconds = event.properties.country, event.properties.duration_s
    if country is not None:
        use_from(row, at, country)
    if seconds is not None:
        add_outcome(row, "sessions", at, FIXED_POINT, DAYS_KEPT)
        add_outcome(row, "session_seconds", at, fixed(seconds), DAYS_KEPT)


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


def contacted(row: Row, at: int) -> None:
    first(row, "support", at)
    first(row, "contacted", at)


def ticket_opened(row: Row, at: int, event: e.TicketOpened) -> None:
    note(row, "tickets", at, FIXED_POINT)
    contacted(row, at)
    count_ticket(row, at, event.properties.area or "")
    severity = event.properties.severity
    if severity is not None:
        add_outcome(row, f"tickets:{severity}", at, FIXED_POINT)


def ticket_closed(row: Row, at: int, event: e.TicketClosed) -> None:
    add_outcome(row, "tickets_closed", at, FIXED_POINT)
    first(row, "support", at)


def lesson_started(row: Row, at: int, event: e.LessonStarted) -> None:
    add_outcome(row, "lessons_started", at, FIXED_POINT)
    first(row, "training", at)


def lesson_completed(row: Row, at: int, event: e.LessonCompleted) -> None:
    add_outcome(row, "lessons_completed", at, FIXED_POINT)
    first(row, "training", at)
    first(row, "trained", at)


def concept_checked(row: Row, at: int, event: e.ConceptChecked) -> None:
    verdict = "correct" if event.properties.correct else "wrong"
    note(row, f"concept:{verdict}:{event.properties.concept}", at, FIXED_POINT)
    check(row, event.properties.concept, at, event.properties.correct)
    first(row, "training", at)


def survey_answered(row: Row, at: int, event: e.SurveyAnswered) -> None:
    answer = event.properties
    survey = "nps" if isinstance(answer, e.NpsAnswer) else "csat"
    add_outcome(row, f"{survey}:{answer.about or 'product'}:{answer.score}", at, FIXED_POINT)


def cs_contacted(row: Row, at: int, event: e.CsContacted) -> None:
    contacted(row, at)
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
